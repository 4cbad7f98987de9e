-- if trigger strongroom_1_stale
DROP TRIGGER strongroom_1_stale;

-- if trigger strongroom_0_cell_update
DROP TRIGGER strongroom_0_cell_update;

-- if trigger strongroom_0_cell_insert
DROP TRIGGER strongroom_0_cell_insert;

-- if column credential.secret_key_sealed
ALTER TABLE credential
    DROP COLUMN access_key_sealed,
    DROP COLUMN secret_key_sealed,
    DROP COLUMN access_key_index;

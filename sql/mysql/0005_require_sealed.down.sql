-- if trigger strongroom_2_required_insert
DROP TRIGGER strongroom_2_required_insert;

-- if trigger strongroom_2_required_update
DROP TRIGGER strongroom_2_required_update;

-- if required credential.secret_key_sealed
ALTER TABLE credential MODIFY COLUMN secret_key_sealed mediumblob;

DROP TRIGGER strongroom_1_stale ON credential;
DROP FUNCTION strongroom_credential_stale();
ALTER TABLE credential
    DROP COLUMN access_key_sealed,
    DROP COLUMN secret_key_sealed,
    DROP COLUMN access_key_index;
DROP DOMAIN strongroom_cell;
DROP DOMAIN strongroom_blind_index;

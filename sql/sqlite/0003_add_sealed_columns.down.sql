DROP TRIGGER strongroom_1_stale;
DROP INDEX credential_access_key_index;
ALTER TABLE credential DROP COLUMN access_key_sealed;
ALTER TABLE credential DROP COLUMN secret_key_sealed;
ALTER TABLE credential DROP COLUMN access_key_index;

DROP TRIGGER strongroom_2_required ON credential;
DROP FUNCTION strongroom_credential_required();
DROP TRIGGER strongroom_1_stale ON credential;
DROP FUNCTION strongroom_credential_stale();
ALTER TABLE credential DROP COLUMN access_key, DROP COLUMN secret_key;

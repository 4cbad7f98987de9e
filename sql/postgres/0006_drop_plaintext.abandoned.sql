-- A way down that was given up: the cells still count, and the plaintext goes again.
DROP TRIGGER strongroom_3_restoring ON credential;
DROP FUNCTION strongroom_credential_restoring();
ALTER TABLE credential DROP COLUMN access_key, DROP COLUMN secret_key;

-- Once every cell is opened beside itself again.
DROP TRIGGER strongroom_3_restoring ON credential;
DROP FUNCTION strongroom_credential_restoring();
ALTER TABLE credential
    ADD CONSTRAINT credential_access_key UNIQUE (access_key),
    ALTER COLUMN secret_key SET NOT NULL;

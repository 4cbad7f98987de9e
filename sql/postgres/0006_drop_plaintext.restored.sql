-- Once every cell is opened beside itself again.
ALTER TABLE credential
    ADD CONSTRAINT credential_access_key UNIQUE (access_key),
    ALTER COLUMN secret_key SET NOT NULL;

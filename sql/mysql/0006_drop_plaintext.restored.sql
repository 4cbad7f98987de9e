-- Once every cell is opened beside itself again. The restoring guards stay until those of steps 3 and 5 stand.
-- unless required credential.secret_key
ALTER TABLE credential
    MODIFY COLUMN secret_key mediumtext NOT NULL,
    ADD UNIQUE KEY credential_access_key (access_key);

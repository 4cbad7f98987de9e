ALTER TABLE credential ADD COLUMN access_key varchar(255) CHECK (typeof(access_key) IN ('text', 'null'));
ALTER TABLE credential ADD COLUMN secret_key text CHECK (typeof(secret_key) IN ('text', 'null'));

-- While cells count, only the reseal engine writes plaintext beside them: what another program wrote
-- there would be overwritten.
CREATE TRIGGER strongroom_3_restoring_insert BEFORE INSERT ON credential
WHEN new.secret_key_sealed IS NULL OR new.secret_key IS NOT NULL OR new.access_key IS NOT NULL
BEGIN
    SELECT RAISE(ABORT, 'credential takes sealed rows only: this program is older than the database');
END;
CREATE TRIGGER strongroom_3_restoring_update BEFORE UPDATE ON credential
WHEN (new.access_key IS NOT old.access_key OR new.secret_key IS NOT old.secret_key)
    AND NOT EXISTS (SELECT 1 FROM strongroom_reseal WHERE table_name = 'credential' AND writing)
BEGIN
    SELECT RAISE(ABORT, 'credential takes sealed rows only: this program is older than the database');
END;

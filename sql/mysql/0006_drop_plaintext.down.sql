-- Cells may hold more than 64 kB by now, which is all that text takes on MySQL and MariaDB.
-- The constraint keeps everybody out of the new columns until the triggers stand.
-- unless column credential.secret_key
ALTER TABLE credential
    ADD COLUMN access_key varchar(255) AFTER type,
    ADD COLUMN secret_key mediumtext AFTER access_key,
    ADD CONSTRAINT strongroom_nothing_yet CHECK (access_key IS NULL AND secret_key IS NULL);

-- While cells count, only the reseal engine writes plaintext beside them: what another program wrote
-- there would be overwritten.
-- unless trigger strongroom_3_restoring_insert
CREATE TRIGGER strongroom_3_restoring_insert BEFORE INSERT ON credential FOR EACH ROW
BEGIN
    IF new.secret_key_sealed IS NULL OR new.secret_key IS NOT NULL OR new.access_key IS NOT NULL THEN
        SIGNAL SQLSTATE '23000' SET MESSAGE_TEXT = 'credential takes sealed rows only: this program is older than the database';
    END IF;
END;

-- unless trigger strongroom_3_restoring_update
CREATE TRIGGER strongroom_3_restoring_update BEFORE UPDATE ON credential FOR EACH ROW
BEGIN
    IF NOT (new.access_key <=> old.access_key AND new.secret_key <=> old.secret_key)
        AND NOT EXISTS (SELECT 1 FROM strongroom_reseal WHERE table_name = 'credential' AND writing)
    THEN
        SIGNAL SQLSTATE '23000' SET MESSAGE_TEXT = 'credential takes sealed rows only: this program is older than the database';
    END IF;
END;

-- if constraint strongroom_nothing_yet
ALTER TABLE credential DROP CONSTRAINT strongroom_nothing_yet;

-- An adopted table keeps its own constraints: its columns are dropped one by one, and the table is not made anew.
DROP TRIGGER strongroom_1_stale;
DROP TRIGGER strongroom_2_required_insert;
DROP TRIGGER strongroom_2_required_update;
DROP INDEX credential_access_key;
ALTER TABLE credential DROP COLUMN access_key;
ALTER TABLE credential DROP COLUMN secret_key;
-- SQLite cannot add NOT NULL to a column.
CREATE TRIGGER strongroom_4_sealed_insert BEFORE INSERT ON credential WHEN new.secret_key_sealed IS NULL
BEGIN
    SELECT RAISE(ABORT, 'credential takes sealed rows only: this program is older than the database');
END;
CREATE TRIGGER strongroom_4_sealed_update BEFORE UPDATE ON credential WHEN new.secret_key_sealed IS NULL
BEGIN
    SELECT RAISE(ABORT, 'credential takes sealed rows only: this program is older than the database');
END;

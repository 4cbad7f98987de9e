-- Cells are required: a program that writes only plaintext gets an error instead of losing its row.
CREATE TRIGGER strongroom_2_required_insert BEFORE INSERT ON credential
WHEN new.secret_key_sealed IS NULL
    OR (new.access_key IS NOT NULL AND (new.access_key_sealed IS NULL OR new.access_key_index IS NULL))
BEGIN
    SELECT RAISE(ABORT, 'credential takes sealed rows only: this program is older than the database');
END;
CREATE TRIGGER strongroom_2_required_update BEFORE UPDATE ON credential
WHEN new.secret_key_sealed IS NULL
    OR (new.access_key IS NOT NULL AND (new.access_key_sealed IS NULL OR new.access_key_index IS NULL))
BEGIN
    SELECT RAISE(ABORT, 'credential takes sealed rows only: this program is older than the database');
END;

-- Cells are required: a program that writes only plaintext gets an error that says so, instead of losing its row.
-- unless trigger strongroom_2_required_insert
CREATE TRIGGER strongroom_2_required_insert BEFORE INSERT ON credential FOR EACH ROW
BEGIN
    IF new.secret_key_sealed IS NULL
        OR (new.access_key IS NOT NULL AND (new.access_key_sealed IS NULL OR new.access_key_index IS NULL))
    THEN
        SIGNAL SQLSTATE '23000' SET MESSAGE_TEXT = 'credential takes sealed rows only: this program is older than the database';
    END IF;
END;

-- unless trigger strongroom_2_required_update
CREATE TRIGGER strongroom_2_required_update BEFORE UPDATE ON credential FOR EACH ROW
BEGIN
    IF new.secret_key_sealed IS NULL
        OR (new.access_key IS NOT NULL AND (new.access_key_sealed IS NULL OR new.access_key_index IS NULL))
    THEN
        SIGNAL SQLSTATE '23000' SET MESSAGE_TEXT = 'credential takes sealed rows only: this program is older than the database';
    END IF;
END;

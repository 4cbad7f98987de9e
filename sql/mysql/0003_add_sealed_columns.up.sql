-- Cells beside the plaintext.
-- unless column credential.secret_key_sealed
ALTER TABLE credential
    ADD COLUMN access_key_sealed mediumblob,
    ADD COLUMN secret_key_sealed mediumblob,
    ADD COLUMN access_key_index  varbinary(16),
    ADD UNIQUE KEY credential_access_key_index (access_key_index);

-- Plaintext is not stored in them by accident. Triggers and not CHECKs: a CHECK makes MySQL copy the table with writers
-- shut out, and any session can switch it off on MariaDB.
-- unless trigger strongroom_0_cell_insert
CREATE TRIGGER strongroom_0_cell_insert BEFORE INSERT ON credential FOR EACH ROW
BEGIN
    IF length(new.access_key_sealed) < 112 OR ascii(new.access_key_sealed) <> 1
        OR length(new.secret_key_sealed) < 112 OR ascii(new.secret_key_sealed) <> 1
        OR length(new.access_key_index) <> 16
    THEN
        SIGNAL SQLSTATE '23000' SET MESSAGE_TEXT = 'a sealed column of credential takes sealed cells only';
    END IF;
END;

-- unless trigger strongroom_0_cell_update
CREATE TRIGGER strongroom_0_cell_update BEFORE UPDATE ON credential FOR EACH ROW
BEGIN
    IF length(new.access_key_sealed) < 112 OR ascii(new.access_key_sealed) <> 1
        OR length(new.secret_key_sealed) < 112 OR ascii(new.secret_key_sealed) <> 1
        OR length(new.access_key_index) <> 16
    THEN
        SIGNAL SQLSTATE '23000' SET MESSAGE_TEXT = 'a sealed column of credential takes sealed cells only';
    END IF;
END;

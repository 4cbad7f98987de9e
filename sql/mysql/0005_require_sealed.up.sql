-- unless required credential.secret_key_sealed
ALTER TABLE credential MODIFY COLUMN secret_key_sealed mediumblob NOT NULL;

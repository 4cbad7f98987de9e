ALTER TABLE credential ALTER COLUMN secret_key_sealed SET NOT NULL;

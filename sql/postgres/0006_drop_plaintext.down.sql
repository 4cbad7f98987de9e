ALTER TABLE credential
    ADD COLUMN access_key varchar(255) COLLATE "C",
    ADD COLUMN secret_key text COLLATE "C";

ALTER TABLE credential ADD COLUMN access_key varchar(255) CHECK (typeof(access_key) IN ('text', 'null'));
ALTER TABLE credential ADD COLUMN secret_key text CHECK (typeof(secret_key) IN ('text', 'null'));

-- Cells beside the plaintext. Each column's own CHECK refuses plaintext written into it by accident;
-- a CHECK across columns would block dropping them later.
ALTER TABLE credential ADD COLUMN access_key_sealed blob CHECK (
    access_key_sealed IS NULL OR (typeof(access_key_sealed) = 'blob' AND length(access_key_sealed) >= 112 AND hex(substr(access_key_sealed, 1, 1)) = '01'));
ALTER TABLE credential ADD COLUMN secret_key_sealed blob CHECK (
    secret_key_sealed IS NULL OR (typeof(secret_key_sealed) = 'blob' AND length(secret_key_sealed) >= 112 AND hex(substr(secret_key_sealed, 1, 1)) = '01'));
ALTER TABLE credential ADD COLUMN access_key_index blob CHECK (
    access_key_index IS NULL OR (typeof(access_key_index) = 'blob' AND length(access_key_index) = 16));
CREATE UNIQUE INDEX credential_access_key_index ON credential (access_key_index);

DROP TRIGGER strongroom_2_required ON credential;
DROP FUNCTION strongroom_credential_required();
ALTER TABLE credential ALTER COLUMN secret_key_sealed DROP NOT NULL;

ALTER TABLE credential
    ADD COLUMN access_key varchar(255) COLLATE "C",
    ADD COLUMN secret_key text COLLATE "C";

-- While cells count, only the reseal engine writes plaintext beside them: what another program wrote
-- there would be overwritten.
CREATE FUNCTION strongroom_credential_restoring() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF new.secret_key_sealed IS NULL OR new.secret_key IS NOT NULL OR new.access_key IS NOT NULL THEN
            RAISE EXCEPTION 'credential takes sealed rows only: this program is older than the database'
                USING ERRCODE = 'check_violation';
        END IF;
    ELSIF (new.access_key, new.secret_key) IS DISTINCT FROM (old.access_key, old.secret_key) THEN
        IF NOT EXISTS (SELECT 1 FROM strongroom_reseal WHERE table_name = 'credential' AND writing) THEN
            RAISE EXCEPTION 'credential takes sealed rows only: this program is older than the database'
                USING ERRCODE = 'check_violation';
        END IF;
    END IF;
    RETURN new;
END $$;
CREATE TRIGGER strongroom_3_restoring BEFORE INSERT OR UPDATE ON credential
    FOR EACH ROW EXECUTE FUNCTION strongroom_credential_restoring();

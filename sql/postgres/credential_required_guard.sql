-- Cells are required: a program that writes only plaintext gets an error instead of losing its row.
-- A trigger and not the NOT NULL alone, whose error would print the refused row into the server's log.
CREATE FUNCTION strongroom_credential_required() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF new.secret_key_sealed IS NULL
        OR (new.access_key IS NOT NULL AND (new.access_key_sealed IS NULL OR new.access_key_index IS NULL))
    THEN
        RAISE EXCEPTION 'credential takes sealed rows only: this program is older than the database'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN new;
END $$;
CREATE TRIGGER strongroom_2_required BEFORE INSERT OR UPDATE ON credential
    FOR EACH ROW EXECUTE FUNCTION strongroom_credential_required();

-- A program that knows only plaintext changes a row and leaves the cells behind: empty them, so that
-- they are filled again, or, once cells are required, so that the change is refused.
CREATE FUNCTION strongroom_credential_stale() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF new.secret_key_sealed IS NOT DISTINCT FROM old.secret_key_sealed
        AND (new.id, new.user_id, new.project_id, new.type, new.extra, new.access_key, new.secret_key)
            IS DISTINCT FROM
            (old.id, old.user_id, old.project_id, old.type, old.extra, old.access_key, old.secret_key)
    THEN
        new.access_key_sealed := NULL;
        new.access_key_index := NULL;
        new.secret_key_sealed := NULL;
    END IF;
    RETURN new;
END $$;
CREATE TRIGGER strongroom_1_stale BEFORE UPDATE ON credential
    FOR EACH ROW EXECUTE FUNCTION strongroom_credential_stale();

-- A program that knows only plaintext changes a row and leaves the cells behind: empty them, so that
-- they are filled again, or, once cells are required, so that the change is refused.
-- unless trigger strongroom_1_stale
CREATE TRIGGER strongroom_1_stale BEFORE UPDATE ON credential FOR EACH ROW
BEGIN
    IF new.secret_key_sealed <=> old.secret_key_sealed AND NOT (
        new.id <=> old.id AND new.user_id <=> old.user_id AND new.project_id <=> old.project_id
        AND new.type <=> old.type AND new.extra <=> old.extra
        AND new.access_key <=> old.access_key AND new.secret_key <=> old.secret_key)
    THEN
        SET new.access_key_sealed = NULL, new.access_key_index = NULL, new.secret_key_sealed = NULL;
    END IF;
END;

-- A program that knows only plaintext changes a row and leaves the cells behind: empty them, so that
-- they are filled again, or, once cells are required, so that the change is refused.
CREATE TRIGGER strongroom_1_stale AFTER UPDATE ON credential
WHEN new.secret_key_sealed IS NOT NULL AND new.secret_key_sealed IS old.secret_key_sealed AND (
    new.id IS NOT old.id OR new.user_id IS NOT old.user_id OR new.project_id IS NOT old.project_id
    OR new.type IS NOT old.type OR new.extra IS NOT old.extra
    OR new.access_key IS NOT old.access_key OR new.secret_key IS NOT old.secret_key)
BEGIN
    UPDATE credential SET access_key_sealed = NULL, access_key_index = NULL, secret_key_sealed = NULL WHERE id = new.id;
END;

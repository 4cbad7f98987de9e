-- A way down that was given up: the cells still count, and the plaintext goes again.
DROP TRIGGER strongroom_3_restoring_insert;
DROP TRIGGER strongroom_3_restoring_update;
ALTER TABLE credential DROP COLUMN access_key;
ALTER TABLE credential DROP COLUMN secret_key;

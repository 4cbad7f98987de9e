-- A way down that was given up: the cells still count, and the plaintext goes again.
ALTER TABLE credential DROP COLUMN access_key;
ALTER TABLE credential DROP COLUMN secret_key;

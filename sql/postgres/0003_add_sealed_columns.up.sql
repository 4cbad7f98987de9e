-- Cells beside the plaintext. The domains refuse plaintext that is written into them by accident, and
-- unlike a table CHECK they do not print the refused row into the error and the server's log.
-- The constraints come after the columns: columns of a constrained domain would rewrite the table.
CREATE DOMAIN strongroom_cell AS bytea;
CREATE DOMAIN strongroom_blind_index AS bytea;
ALTER TABLE credential
    ADD COLUMN access_key_sealed strongroom_cell,
    ADD COLUMN secret_key_sealed strongroom_cell,
    ADD COLUMN access_key_index  strongroom_blind_index;
ALTER DOMAIN strongroom_cell ADD CONSTRAINT strongroom_cell_is_envelope
    CHECK (length(VALUE) >= 112 AND get_byte(VALUE, 0) = 1) NOT VALID;
ALTER DOMAIN strongroom_blind_index ADD CONSTRAINT strongroom_blind_index_length
    CHECK (length(VALUE) = 16) NOT VALID;
CREATE UNIQUE INDEX credential_access_key_index ON credential (access_key_index);

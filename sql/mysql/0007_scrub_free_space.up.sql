-- Dropped columns and dead rows keep their bytes in the table's file: write it anew, while programs go on.
ALTER TABLE credential FORCE;

-- Dead rows and the dropped columns' bytes still hold plaintext: write the table and its indexes anew.
-- CLUSTER and not VACUUM FULL, because it runs in a transaction and so with a bound on waiting for its lock.
CLUSTER credential USING credential_pkey;
ALTER TABLE credential SET WITHOUT CLUSTER;
ANALYZE credential;

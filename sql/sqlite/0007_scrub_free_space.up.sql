-- Free pages may still hold plaintext that other programs deleted: write the file anew. The write-ahead log is emptied after.
VACUUM;

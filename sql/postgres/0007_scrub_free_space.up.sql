-- Dead rows and the dropped columns' bytes still hold plaintext: write the table anew.
VACUUM (FULL, ANALYZE) credential;

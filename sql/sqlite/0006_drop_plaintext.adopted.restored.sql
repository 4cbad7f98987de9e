-- Once every cell is opened beside itself again.
DROP TRIGGER strongroom_3_restoring_insert;
DROP TRIGGER strongroom_3_restoring_update;
DROP TRIGGER strongroom_4_sealed_insert;
DROP TRIGGER strongroom_4_sealed_update;
CREATE UNIQUE INDEX credential_access_key ON credential (access_key);

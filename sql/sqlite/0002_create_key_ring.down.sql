DROP TABLE strongroom_quarantine;
DROP TABLE strongroom_reseal;
DROP TABLE strongroom_key;
DROP TABLE strongroom_manifest;

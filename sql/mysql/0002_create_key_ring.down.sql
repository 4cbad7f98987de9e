-- The manifest first: programs tell by it whether there is a ring.
-- if table strongroom_manifest
DROP TABLE strongroom_manifest;

-- if table strongroom_key
DROP TABLE strongroom_key;

-- if table strongroom_reseal
DROP TABLE strongroom_reseal;

-- if table strongroom_quarantine
DROP TABLE strongroom_quarantine;

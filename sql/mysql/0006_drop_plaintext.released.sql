-- if trigger strongroom_3_restoring_insert
DROP TRIGGER strongroom_3_restoring_insert;

-- if trigger strongroom_3_restoring_update
DROP TRIGGER strongroom_3_restoring_update;

-- Run once the phase says that cells alone count, also after a way down that was given up anywhere. The columns go
-- first: a guard whose column is gone refuses every change, where a column without its guard would take and lose it.
-- if constraint strongroom_nothing_yet
ALTER TABLE credential DROP CONSTRAINT strongroom_nothing_yet;

-- if column credential.secret_key
ALTER TABLE credential DROP COLUMN access_key, DROP COLUMN secret_key;

-- if trigger strongroom_1_stale
DROP TRIGGER strongroom_1_stale;

-- if trigger strongroom_2_required_insert
DROP TRIGGER strongroom_2_required_insert;

-- if trigger strongroom_2_required_update
DROP TRIGGER strongroom_2_required_update;

-- if trigger strongroom_3_restoring_insert
DROP TRIGGER strongroom_3_restoring_insert;

-- if trigger strongroom_3_restoring_update
DROP TRIGGER strongroom_3_restoring_update;

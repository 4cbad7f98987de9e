-- if table strongroom_database_login
DROP TABLE strongroom_database_login;

-- if table strongroom_policy
DROP TABLE strongroom_policy;

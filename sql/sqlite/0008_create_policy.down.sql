DROP TABLE strongroom_database_login;
DROP TABLE strongroom_policy;

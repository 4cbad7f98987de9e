-- if table credential
DROP TABLE credential;

CREATE TABLE ec2_credential (id varchar(64) NOT NULL PRIMARY KEY, user_id varchar(64) NOT NULL, tenant_id varchar(64), access varchar(64) UNIQUE, secret varchar(64) NOT NULL) WITH SYSTEM VERSIONING;

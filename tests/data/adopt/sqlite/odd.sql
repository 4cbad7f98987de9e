-- what cannot be carried: a view, a generated column, a foreign key to a sealed column, a loose collation
CREATE TABLE ec2_credential (
    id varchar(64) NOT NULL PRIMARY KEY, user_id varchar(64) COLLATE NOCASE NOT NULL, tenant_id varchar(64), access varchar(64) UNIQUE,
    secret varchar(64) NOT NULL, short varchar(8) GENERATED ALWAYS AS (substr(access, 1, 8)) VIRTUAL
);
CREATE VIEW ec2_overview AS SELECT user_id, access FROM ec2_credential;
CREATE TABLE seen (access varchar(64) REFERENCES ec2_credential (access));
INSERT INTO ec2_credential VALUES ('c1', 'u1', 't1', 'AKIA-one', 'secret-one');

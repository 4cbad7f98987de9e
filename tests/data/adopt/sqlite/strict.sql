CREATE TABLE ec2_credential (id text NOT NULL PRIMARY KEY, user_id text NOT NULL, tenant_id text, access text UNIQUE, secret text NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO ec2_credential VALUES ('c2', 'u1', 't1', 'AKIA-one', 'secret-one'), ('c1', 'u2', NULL, NULL, 'secret-two');

-- types of the program's own, and keys in both directions
CREATE TYPE kind AS ENUM ('ec2', 'totp');
CREATE TABLE users (id varchar(64) NOT NULL PRIMARY KEY);
INSERT INTO users VALUES ('u1'), ('u2');
CREATE TABLE ec2_credential (
    id varchar(64) NOT NULL PRIMARY KEY, user_id varchar(64) NOT NULL REFERENCES users (id) ON DELETE CASCADE, tenant_id varchar(64) DEFAULT 'none',
    type kind NOT NULL DEFAULT 'ec2', access text CONSTRAINT one_access UNIQUE, secret text NOT NULL, extra jsonb DEFAULT '{}',
    created_at timestamp NOT NULL DEFAULT localtimestamp, updated_at timestamp(3), CHECK (tenant_id <> ''), CHECK (extra ? 'a' OR extra = '{}')
);
COMMENT ON TABLE ec2_credential IS 'pairs of keys';
COMMENT ON COLUMN ec2_credential.access IS 'the half that is not secret';
CREATE INDEX ec2_by_kind ON ec2_credential (type, id);
CREATE UNIQUE INDEX ec2_by_tenant ON ec2_credential (tenant_id, access) WHERE tenant_id IS NOT NULL;
COMMENT ON INDEX ec2_by_tenant IS 'one name a tenant';
CREATE VIEW ec2_users AS SELECT id, user_id FROM ec2_credential;
CREATE TABLE grant_of (id serial PRIMARY KEY, credential varchar(64) REFERENCES ec2_credential (id) ON DELETE CASCADE);
INSERT INTO ec2_credential VALUES ('c1', 'u1', 't1', 'ec2', 'AKIA-one', 'secret-one', '{"a": [1, 2]}', '2013-05-01 10:00:00.123456', '2014-05-01 10:00:00.5'), ('c2', 'u2', NULL, 'totp', NULL, 'secret-two', NULL, '2013-06-01 10:00:00', NULL);
INSERT INTO grant_of (credential) VALUES ('c1');

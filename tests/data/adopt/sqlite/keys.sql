-- foreign keys in both directions, checks, defaults, partial and expression indexes, a column of the program's own
CREATE TABLE users (id varchar(64) NOT NULL PRIMARY KEY);
INSERT INTO users VALUES ('u1'), ('u2');
CREATE TABLE ec2_credential (
    id varchar(64) NOT NULL PRIMARY KEY, -- the id, of a credential
    user_id varchar(64) NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    access varchar(64) UNIQUE CHECK (length(access) > 3),
    tenant_id varchar(64) DEFAULT 'none',
    secret varchar(64) NOT NULL DEFAULT 'unset' CHECK (length(secret) > 3),
    updated_at timestamp DEFAULT '2013-05-01 10:00:00',
    CONSTRAINT tenant_has_a_name CHECK (tenant_id <> ''),
    CHECK (access <> secret)
);
CREATE INDEX ec2_by_user ON ec2_credential (user_id, access DESC);
CREATE INDEX ec2_by_tenant ON ec2_credential (tenant_id) WHERE tenant_id IS NOT NULL;
CREATE INDEX ec2_lower ON ec2_credential (lower(access));
CREATE TABLE grant_of (id integer PRIMARY KEY, credential varchar(64) REFERENCES "ec2_credential" (id) ON DELETE CASCADE);
INSERT INTO ec2_credential (id, user_id, access, tenant_id, secret) VALUES ('c2', 'u1', 'AKIA-one', 't1', 'secret-one'), ('c1', 'u2', 'AKIA-two', NULL, 'secret-two');
INSERT INTO grant_of (credential) VALUES ('c1');

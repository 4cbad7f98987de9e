-- what `timestamp NOT NULL` meant by itself on older servers
CREATE TABLE ec2_credential (
    id varchar(36) NOT NULL PRIMARY KEY, user_id varchar(36) NOT NULL, tenant_id varchar(36), access varchar(40) UNIQUE, secret varchar(64) NOT NULL,
    created_at timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP
);
INSERT INTO ec2_credential VALUES ('c1', 'u1', 't1', 'AKIA-one', 'secret-one', '2013-05-01 10:00:00');

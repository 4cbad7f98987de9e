-- checks, defaults, comments, indexes of several columns, an enumeration, JSON, a character set of three bytes
CREATE TABLE users (id varchar(64) NOT NULL PRIMARY KEY) CHARACTER SET utf8mb3;
INSERT INTO users VALUES ('u1'), ('u2');
CREATE TABLE ec2_credential (
    id varchar(64) NOT NULL PRIMARY KEY COMMENT 'the id', user_id varchar(64) NOT NULL, access varchar(64) DEFAULT NULL, tenant_id varchar(64) DEFAULT 'none',
    type enum('ec2','totp') NOT NULL DEFAULT 'ec2', secret varchar(64) NOT NULL DEFAULT 'unset' COMMENT 'half of a pair', extra json,
    created_at timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3), updated_at timestamp NULL DEFAULT NULL ON UPDATE CURRENT_TIMESTAMP,
    UNIQUE KEY one_access (access), KEY ec2_by_user (user_id, access), KEY ec2_by_tenant (tenant_id(8), created_at),
    CONSTRAINT long_enough CHECK (length(access) > 3), CONSTRAINT tenant_has_a_name CHECK (tenant_id <> ''), CONSTRAINT nobody CHECK (user_id <> ''),
    CONSTRAINT of_user FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
) CHARACTER SET utf8mb3 COMMENT 'pairs of keys';
INSERT INTO ec2_credential VALUES ('c1', 'u1', 'AKIA-one', 't1', 'ec2', 'secret-one', '{"a": 1}', '2013-05-01 10:00:00.125', '2013-05-01 10:00:00'), ('c2', 'u2', NULL, NULL, 'totp', 'secret-two', NULL, '2013-06-01 10:00:00', NULL);

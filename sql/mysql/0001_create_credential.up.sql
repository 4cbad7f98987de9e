-- Credentials as control planes keep them before hardening: in the clear. The collation compares bytes and pads nothing.
-- unless table credential
CREATE TABLE credential (
    id         varchar(64)  NOT NULL PRIMARY KEY,
    user_id    varchar(64)  NOT NULL,
    project_id varchar(64),
    type       varchar(255) NOT NULL,
    access_key varchar(255),
    secret_key mediumtext   NOT NULL,
    extra      text,
    created_at datetime(6)  NOT NULL DEFAULT (utc_timestamp(6)),
    UNIQUE KEY credential_access_key (access_key),
    KEY credential_user (user_id, id),
    KEY credential_project (project_id, id)
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin;

-- The policies that were in force, oldest first, each authenticated.
-- unless table strongroom_policy
CREATE TABLE strongroom_policy (
    number     bigint      NOT NULL PRIMARY KEY,
    version    integer     NOT NULL,
    source     varchar(16) NOT NULL,
    body       mediumtext  NOT NULL,
    mac        binary(32)  NOT NULL,
    applied_at datetime(6) NOT NULL DEFAULT (utc_timestamp(6))
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin;

-- The components' logins, with passwords wrapped by the root key.
-- unless table strongroom_database_login
CREATE TABLE strongroom_database_login (
    component  varchar(18)    NOT NULL,
    slot       varchar(1)     NOT NULL,
    state      varchar(16)    NOT NULL,
    version    integer        NOT NULL,
    wrapped    varbinary(255) NOT NULL,
    changed_at datetime(6)    NOT NULL DEFAULT (utc_timestamp(6)),
    PRIMARY KEY (component, slot)
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin;

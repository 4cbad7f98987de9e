-- The policies that were in force, oldest first, each authenticated.
CREATE TABLE strongroom_policy (
    number     bigint      NOT NULL PRIMARY KEY,
    version    integer     NOT NULL,                    -- that a migration brought, or a command built on
    source     varchar(16) NOT NULL,                    -- migration | command
    body       text        NOT NULL,
    mac        blob        NOT NULL,
    applied_at timestamp   NOT NULL DEFAULT CURRENT_TIMESTAMP
);
-- SQLite has no logins; the table stays empty.
CREATE TABLE strongroom_database_login (
    component  varchar(18) NOT NULL,
    slot       varchar(1)  NOT NULL,
    state      varchar(16) NOT NULL,
    version    integer     NOT NULL,
    wrapped    blob        NOT NULL,
    changed_at timestamp   NOT NULL DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (component, slot)
);

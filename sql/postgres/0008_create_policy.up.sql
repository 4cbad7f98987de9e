-- The policies that were in force, oldest first, each authenticated.
CREATE TABLE strongroom_policy (
    number     bigint      NOT NULL PRIMARY KEY,
    version    integer     NOT NULL,                    -- that a migration brought, or a command built on
    source     varchar(16) NOT NULL,                    -- migration | command
    body       text        NOT NULL,
    mac        bytea       NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
-- The components' logins, with passwords wrapped by the root key.
CREATE TABLE strongroom_database_login (
    component  varchar(18) NOT NULL,
    slot       varchar(1)  NOT NULL,
    state      varchar(16) NOT NULL,                    -- active | incoming | outgoing
    version    integer     NOT NULL,
    wrapped    bytea       NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (component, slot)
);

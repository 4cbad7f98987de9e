-- The runner's own tables: the run lock and the history. Made on first use, never dropped.
CREATE TABLE IF NOT EXISTS strongroom_lock (
    name       varchar(32)  NOT NULL PRIMARY KEY,
    holder     varchar(255) NOT NULL,
    token      bigint       NOT NULL,            -- only grows; every write of a run is conditional on it
    expires_ms bigint       NOT NULL             -- by the database's clock
);
INSERT INTO strongroom_lock (name, holder, token, expires_ms) VALUES ('run', '', 0, 0) ON CONFLICT DO NOTHING;
CREATE TABLE IF NOT EXISTS strongroom_history (
    id          bigint       NOT NULL PRIMARY KEY,
    number      integer,                          -- a schema step's number; NULL for key rolls
    name        varchar(255) NOT NULL,
    kind        varchar(16)  NOT NULL,            -- schema | roll
    direction   varchar(8)   NOT NULL,            -- up | down
    checksum    varchar(64),
    started_at  timestamp    NOT NULL,
    finished_at timestamp,                        -- NULL: begun and not finished
    holder      varchar(255) NOT NULL,
    token       bigint       NOT NULL
);
-- What sea-orm's own tools read when they run this migrator. Not `seaql_migrations`: that one may be the host program's.
CREATE TABLE IF NOT EXISTS strongroom_migrations (version varchar NOT NULL PRIMARY KEY, applied_at bigint NOT NULL);
-- What was changed about a table that was there before, so that it can be given back as it was.
CREATE TABLE IF NOT EXISTS strongroom_adoption (id smallint NOT NULL PRIMARY KEY CHECK (id = 1), body text NOT NULL);

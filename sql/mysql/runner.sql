-- The runner's own tables: the run lock and the history. Made on first use, never dropped.
-- unless table strongroom_lock
CREATE TABLE IF NOT EXISTS strongroom_lock (
    name       varchar(32)  NOT NULL PRIMARY KEY,
    holder     varchar(255) NOT NULL,
    token      bigint       NOT NULL,            -- only grows; every write of a run is conditional on it
    expires_ms bigint       NOT NULL             -- by the database's clock
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin;

INSERT IGNORE INTO strongroom_lock (name, holder, token, expires_ms) VALUES ('run', '', 0, 0);

-- unless table strongroom_history
CREATE TABLE IF NOT EXISTS strongroom_history (
    id          bigint       NOT NULL PRIMARY KEY,
    number      integer,                          -- a schema step's number; NULL for key rolls
    name        varchar(255) NOT NULL,
    kind        varchar(16)  NOT NULL,            -- schema | roll
    direction   varchar(8)   NOT NULL,            -- up | down
    checksum    varchar(64),
    started_at  datetime(6)  NOT NULL,
    finished_at datetime(6),                      -- NULL: begun and not finished
    holder      varchar(255) NOT NULL,
    token       bigint       NOT NULL
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin;

-- What sea-orm's own tools read when they run this migrator. Not `seaql_migrations`: that one may be the host program's.
-- unless table strongroom_migrations
CREATE TABLE IF NOT EXISTS strongroom_migrations (
    version    varchar(255) NOT NULL PRIMARY KEY,
    applied_at bigint       NOT NULL
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin;

-- What was changed about a table that was there before, so that it can be given back as it was.
-- unless table strongroom_adoption
CREATE TABLE IF NOT EXISTS strongroom_adoption (
    id   smallint NOT NULL PRIMARY KEY CHECK (id = 1),
    body text     NOT NULL
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin;

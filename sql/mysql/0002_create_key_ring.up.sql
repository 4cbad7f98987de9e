-- The wrapped keys.
-- unless table strongroom_key
CREATE TABLE strongroom_key (
    id         bigint         NOT NULL PRIMARY KEY CHECK (id BETWEEN 1 AND 4294967295),
    purpose    varchar(16)    NOT NULL,
    scope      varchar(80)    NOT NULL,
    generation integer        NOT NULL,
    wrapped    varbinary(255) NOT NULL,
    created_at datetime(6)    NOT NULL DEFAULT (utc_timestamp(6)),
    UNIQUE KEY strongroom_key_scope (purpose, scope, generation)
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin;

-- The reseal engine's own records.
-- unless table strongroom_reseal
CREATE TABLE strongroom_reseal (
    table_name varchar(64) NOT NULL PRIMARY KEY,
    run        varchar(36) NOT NULL,
    direction  varchar(16) NOT NULL,
    target     integer     NOT NULL,
    after_id   varchar(64) NOT NULL,
    moved      bigint      NOT NULL,
    finished   boolean     NOT NULL,
    writing    boolean     NOT NULL              -- true inside the engine's own transactions only
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin;

-- unless table strongroom_quarantine
CREATE TABLE strongroom_quarantine (
    table_name  varchar(64) NOT NULL,
    row_id      varchar(64) NOT NULL,
    column_name varchar(64) NOT NULL,
    reason      varchar(64) NOT NULL,
    run         varchar(36) NOT NULL,
    found_at    datetime(6) NOT NULL DEFAULT (utc_timestamp(6)),
    PRIMARY KEY (table_name, row_id, column_name)
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin;

-- The manifest (one row, authenticated). Last: programs tell by it whether there is a ring.
-- unless table strongroom_manifest
CREATE TABLE strongroom_manifest (
    id         smallint   NOT NULL PRIMARY KEY CHECK (id = 1),
    ring_id    binary(16) NOT NULL,
    epoch      bigint     NOT NULL,
    body       mediumtext NOT NULL,
    mac        binary(32) NOT NULL
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin;

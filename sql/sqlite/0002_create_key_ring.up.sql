-- The manifest (one row, authenticated), the wrapped keys, and the reseal engine's own records.
CREATE TABLE strongroom_manifest (
    id         smallint    NOT NULL PRIMARY KEY CHECK (id = 1),
    ring_id    blob        NOT NULL,
    epoch      bigint      NOT NULL,
    body       text        NOT NULL,
    mac        blob        NOT NULL
);
CREATE TABLE strongroom_key (
    id         bigint      NOT NULL PRIMARY KEY CHECK (id BETWEEN 1 AND 4294967295),
    purpose    varchar(16) NOT NULL,
    scope      varchar(80) NOT NULL,
    generation integer     NOT NULL,
    wrapped    blob        NOT NULL,
    created_at timestamp   NOT NULL DEFAULT CURRENT_TIMESTAMP,
    UNIQUE (purpose, scope, generation)
);
CREATE TABLE strongroom_reseal (
    table_name varchar(64) NOT NULL PRIMARY KEY,
    run        varchar(36) NOT NULL,
    direction  varchar(16) NOT NULL,
    target     integer     NOT NULL,
    after_id   varchar(64) NOT NULL,
    moved      bigint      NOT NULL,
    finished   boolean     NOT NULL,
    writing    boolean     NOT NULL              -- true inside the engine's own transactions only
);
CREATE TABLE strongroom_quarantine (
    table_name  varchar(64) NOT NULL,
    row_id      varchar(64) NOT NULL,
    column_name varchar(64) NOT NULL,
    reason      varchar(64) NOT NULL,
    run         varchar(36) NOT NULL,
    found_at    timestamp   NOT NULL DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (table_name, row_id, column_name)
);

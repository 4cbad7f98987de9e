-- Credentials as control planes keep them before hardening: in the clear.
-- The typeof checks refuse bytes where text belongs, which SQLite would take.
CREATE TABLE credential (
    id         varchar(64)  NOT NULL PRIMARY KEY CHECK (typeof(id) = 'text'),
    user_id    varchar(64)  NOT NULL CHECK (typeof(user_id) = 'text'),
    project_id varchar(64)  CHECK (typeof(project_id) IN ('text', 'null')),
    type       varchar(255) NOT NULL CHECK (typeof(type) = 'text'),
    access_key varchar(255) UNIQUE CHECK (typeof(access_key) IN ('text', 'null')),
    secret_key text         NOT NULL CHECK (typeof(secret_key) = 'text'),
    extra      text         CHECK (typeof(extra) IN ('text', 'null')),
    created_at timestamp    NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f000', 'now'))
);
CREATE INDEX credential_user ON credential (user_id, id);
CREATE INDEX credential_project ON credential (project_id, id);

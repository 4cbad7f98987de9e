-- Once every cell is opened beside itself again: the table as step 1 made it, with the cells of step 3.
CREATE TABLE strongroom_rebuild (
    id         varchar(64)  NOT NULL PRIMARY KEY CHECK (typeof(id) = 'text'),
    user_id    varchar(64)  NOT NULL CHECK (typeof(user_id) = 'text'),
    project_id varchar(64)  CHECK (typeof(project_id) IN ('text', 'null')),
    type       varchar(255) NOT NULL CHECK (typeof(type) = 'text'),
    access_key varchar(255) UNIQUE CHECK (typeof(access_key) IN ('text', 'null')),
    secret_key text         NOT NULL CHECK (typeof(secret_key) = 'text'),
    extra      text         CHECK (typeof(extra) IN ('text', 'null')),
    created_at timestamp    NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f000', 'now')),
    access_key_sealed blob CHECK (
        access_key_sealed IS NULL OR (typeof(access_key_sealed) = 'blob' AND length(access_key_sealed) >= 112 AND hex(substr(access_key_sealed, 1, 1)) = '01')),
    secret_key_sealed blob CHECK (
        secret_key_sealed IS NULL OR (typeof(secret_key_sealed) = 'blob' AND length(secret_key_sealed) >= 112 AND hex(substr(secret_key_sealed, 1, 1)) = '01')),
    access_key_index blob CHECK (
        access_key_index IS NULL OR (typeof(access_key_index) = 'blob' AND length(access_key_index) = 16))
);
INSERT INTO strongroom_rebuild (id, user_id, project_id, type, access_key, secret_key, extra, created_at, access_key_sealed, secret_key_sealed, access_key_index)
    SELECT id, user_id, project_id, type, access_key, secret_key, extra, created_at, access_key_sealed, secret_key_sealed, access_key_index FROM credential;
DROP TABLE credential;
ALTER TABLE strongroom_rebuild RENAME TO credential;
CREATE INDEX credential_user ON credential (user_id, id);
CREATE INDEX credential_project ON credential (project_id, id);
CREATE UNIQUE INDEX credential_access_key_index ON credential (access_key_index);

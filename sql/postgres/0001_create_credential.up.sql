-- Credentials as control planes keep them before hardening: in the clear.
CREATE TABLE credential (
    id         varchar(64)  COLLATE "C" NOT NULL PRIMARY KEY,
    user_id    varchar(64)  COLLATE "C" NOT NULL,
    project_id varchar(64)  COLLATE "C",
    type       varchar(255) COLLATE "C" NOT NULL,
    access_key varchar(255) COLLATE "C" CONSTRAINT credential_access_key UNIQUE,
    secret_key text         COLLATE "C" NOT NULL,
    extra      text         COLLATE "C",
    created_at timestamptz  NOT NULL DEFAULT now()
) WITH (fillfactor = 85);
CREATE INDEX credential_user ON credential (user_id, id);
CREATE INDEX credential_project ON credential (project_id, id);

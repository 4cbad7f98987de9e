-- What the service handed out and what was refused, each row chained to the one before under the ring's manifest key.
CREATE TABLE strongroom_audit (
    number     bigint        NOT NULL PRIMARY KEY,
    at_ms      bigint        NOT NULL,                  -- milliseconds since 1970, by the database's clock
    replica    varchar(64)   NOT NULL,                  -- who wrote it
    request    varchar(64)   NOT NULL,
    component  varchar(18)   NOT NULL,                  -- empty for a caller that is none
    identity   varchar(512)  NOT NULL,
    action     varchar(32)   NOT NULL,
    object     varchar(255)  NOT NULL,
    result     varchar(16)   NOT NULL,                  -- done | refused
    barrier    varchar(16)   NOT NULL,                  -- what refused it; empty when it was done
    mac        bytea         NOT NULL
);
-- The end of the chain: whoever appends holds this row.
CREATE TABLE strongroom_audit_head (
    id         smallint      NOT NULL PRIMARY KEY,
    number     bigint        NOT NULL,
    mac        bytea         NOT NULL
);
INSERT INTO strongroom_audit_head (id, number, mac) VALUES (1, 0, '\x');
-- Request signatures that were verified, until they are too old to be verified again.
CREATE TABLE strongroom_signature (
    fingerprint bytea        NOT NULL PRIMARY KEY,
    expires_ms  bigint       NOT NULL
);
CREATE INDEX strongroom_signature_expires ON strongroom_signature (expires_ms);

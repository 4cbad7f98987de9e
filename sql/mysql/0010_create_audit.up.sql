-- What the service handed out and what was refused, each row chained to the one before under the ring's manifest key.
-- unless table strongroom_audit
CREATE TABLE strongroom_audit (
    number     bigint        NOT NULL PRIMARY KEY,
    at_ms      bigint        NOT NULL,
    replica    varchar(64)   NOT NULL,
    request    varchar(64)   NOT NULL,
    component  varchar(18)   NOT NULL,
    identity   varchar(512)  NOT NULL,
    action     varchar(32)   NOT NULL,
    object     varchar(255)  NOT NULL,
    result     varchar(16)   NOT NULL,
    barrier    varchar(16)   NOT NULL,
    mac        varbinary(32) NOT NULL
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin;

-- The end of the chain: whoever appends holds this row.
-- unless table strongroom_audit_head
CREATE TABLE strongroom_audit_head (
    id         smallint      NOT NULL PRIMARY KEY,
    number     bigint        NOT NULL,
    mac        varbinary(32) NOT NULL
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin;

-- Request signatures that were verified, until they are too old to be verified again.
-- unless table strongroom_signature
CREATE TABLE strongroom_signature (
    fingerprint binary(32)   NOT NULL PRIMARY KEY,
    expires_ms  bigint       NOT NULL,
    KEY strongroom_signature_expires (expires_ms)
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin;

INSERT IGNORE INTO strongroom_audit_head (id, number, mac) VALUES (1, 0, '');

-- Tokens of the HTTP API. Only what recognises a token is kept, never the token: SHA-256 of 256 random bits. Who made or
-- revoked one, and when, stays in its row for ever, and so does its name, which the event log knows.

CREATE TABLE token (
    id         INTEGER PRIMARY KEY,
    name       TEXT    NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 64),
    hash       BLOB    NOT NULL UNIQUE CHECK (length(hash) = 32),
    scopes     INTEGER NOT NULL CHECK (scopes BETWEEN 1 AND 7), -- bits of token_scope
    created_ms INTEGER NOT NULL,
    created_by TEXT    NOT NULL,
    expires_ms INTEGER CHECK (expires_ms > 0), -- NULL: never
    revoked_ms INTEGER CHECK (revoked_ms > 0),
    revoked_by TEXT,
    CHECK ((revoked_ms IS NULL) = (revoked_by IS NULL))
) STRICT;

CREATE TRIGGER token_unchanged BEFORE UPDATE OF id, name, hash, scopes, created_ms, created_by, expires_ms ON token BEGIN
    SELECT RAISE(ABORT, 'a token never changes: revoke it and make another');
END;
CREATE TRIGGER token_stays_revoked BEFORE UPDATE ON token WHEN old.revoked_ms IS NOT NULL BEGIN
    SELECT RAISE(ABORT, 'a revoked token stays revoked');
END;
CREATE TRIGGER token_kept BEFORE DELETE ON token BEGIN
    SELECT RAISE(ABORT, 'a token is never deleted');
END;

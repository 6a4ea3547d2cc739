-- Several attempts at one nonce, and what people ask an executor to do about what is bound already.

-- The head when it was signed: how long it has waited is counted in blocks.
ALTER TABLE attempt ADD COLUMN head_no INTEGER NOT NULL DEFAULT 0 CHECK (head_no >= 0);

-- One open request of a kind about a row.
DROP INDEX request_open;
CREATE UNIQUE INDEX request_open ON request (kind, target) WHERE done_ms IS NULL;
CREATE TRIGGER request_unchanged BEFORE UPDATE OF kind, target, version, actor, reason, at_ms ON request BEGIN
    SELECT RAISE(ABORT, 'what was asked never changes');
END;
CREATE TRIGGER request_kept BEFORE DELETE ON request BEGIN
    SELECT RAISE(ABORT, 'a request is never deleted');
END;

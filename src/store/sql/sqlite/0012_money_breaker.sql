-- The money breaker of a treasury: open or closed, why, by whom. There is a row from the start and for ever, so that
-- `version`, which grows whenever it opens or closes, can be compared by those who spend.
CREATE TABLE money_breaker (
    treasury   INTEGER PRIMARY KEY REFERENCES treasury (id),
    version    INTEGER NOT NULL DEFAULT 1 CHECK (version > 0),
    cause      INTEGER NOT NULL DEFAULT 0 CHECK (cause BETWEEN 0 AND 5), -- money_cause; 0: closed
    detail     TEXT    NOT NULL DEFAULT '',                              -- why it is open, or was closed
    actor      TEXT    NOT NULL DEFAULT '',                              -- who opened or closed it; '': never yet
    changed_ms INTEGER NOT NULL DEFAULT 0,
    -- What the account had at a final block; NULL: not known, or not to be compared with. What its own transactions in
    -- final blocks above that have taken out of it, values and fees.
    mark_no      INTEGER CHECK (mark_no >= 0),
    mark_balance BLOB CHECK (length(mark_balance) = 32),
    paid         BLOB NOT NULL DEFAULT (zeroblob(32)) CHECK (length(paid) = 32),
    CHECK ((mark_no IS NULL) = (mark_balance IS NULL))
) STRICT;

INSERT INTO money_breaker (treasury) SELECT id FROM treasury;
CREATE TRIGGER treasury_money_breaker AFTER INSERT ON treasury BEGIN
    INSERT INTO money_breaker (treasury) VALUES (new.id);
END;
CREATE TRIGGER money_breaker_version BEFORE UPDATE OF cause ON money_breaker WHEN new.version <> old.version + 1 BEGIN
    SELECT RAISE(ABORT, 'every change of a money breaker is a new version');
END;
CREATE TRIGGER money_breaker_kept BEFORE DELETE ON money_breaker BEGIN
    SELECT RAISE(ABORT, 'a money breaker is never deleted');
END;

-- What went wrong since it was last closed, by cause; the oldest of a cause are dropped beyond a number
-- (MONEY_INCIDENTS_KEPT_COUNT). seq counts within a cause.
CREATE TABLE money_incident (
    treasury INTEGER NOT NULL REFERENCES treasury (id),
    cause    INTEGER NOT NULL CHECK (cause BETWEEN 1 AND 4),
    seq      INTEGER NOT NULL,
    at_ms    INTEGER NOT NULL,
    detail   TEXT    NOT NULL,
    PRIMARY KEY (treasury, cause, seq)
) STRICT, WITHOUT ROWID;

-- What was bound to be paid since it was last closed, by asset ('' is the coin) and part of an hour (MONEY_SLICE_MS).
CREATE TABLE money_spent (
    treasury INTEGER NOT NULL REFERENCES treasury (id),
    asset    BLOB    NOT NULL CHECK (length(asset) IN (0, 20)),
    slice_ms INTEGER NOT NULL,
    amount   BLOB    NOT NULL CHECK (length(amount) = 32),
    payments INTEGER NOT NULL CHECK (payments > 0),
    PRIMARY KEY (treasury, asset, slice_ms)
) STRICT, WITHOUT ROWID;

-- What the treasury's account held, whenever an executor saw that it had changed; the oldest rows are dropped beyond a
-- number (BALANCES_KEPT_COUNT). seq counts per treasury and never goes back.
CREATE TABLE balance (
    treasury INTEGER NOT NULL REFERENCES treasury (id),
    seq      INTEGER NOT NULL,
    at_ms    INTEGER NOT NULL,
    block_no INTEGER NOT NULL CHECK (block_no >= 0),
    amount   BLOB    NOT NULL CHECK (length(amount) = 32),
    PRIMARY KEY (treasury, seq)
) STRICT, WITHOUT ROWID;

-- What amounts of a token mean: its decimals, read from the chain before the first payment in it, and never again
-- another number, whatever the token says later. (disbursement.asset is there from the start; NULL is the native coin.)

CREATE TABLE asset (
    treasury INTEGER NOT NULL REFERENCES treasury (id),
    token    BLOB    NOT NULL CHECK (length(token) = 20),
    decimals INTEGER NOT NULL CHECK (decimals BETWEEN 0 AND 77),
    PRIMARY KEY (treasury, token)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER asset_unchanged BEFORE UPDATE ON asset BEGIN
    SELECT RAISE(ABORT, 'the decimals of a token never change');
END;
CREATE TRIGGER asset_kept BEFORE DELETE ON asset BEGIN
    SELECT RAISE(ABORT, 'the decimals of a token are never deleted');
END;

-- How far each webhook has got in the event log. All events up to `seq` have been delivered or are not meant for it, but
-- for those that are kept back: events that a receiver has not taken yet, and those behind them of the same disbursement.

CREATE TABLE webhook (
    id              INTEGER PRIMARY KEY,
    name            TEXT    NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 64),
    seq             INTEGER NOT NULL CHECK (seq >= 0),
    delivered       INTEGER NOT NULL DEFAULT 0 CHECK (delivered >= 0), -- how many, ever
    last_success_ms INTEGER NOT NULL DEFAULT 0,                        -- 0: never
    last_error_ms   INTEGER NOT NULL DEFAULT 0,
    last_error      TEXT    NOT NULL DEFAULT ''
) STRICT;

CREATE TABLE webhook_kept (
    webhook INTEGER NOT NULL REFERENCES webhook (id),
    seq     INTEGER NOT NULL REFERENCES event (seq),
    PRIMARY KEY (webhook, seq)
) STRICT, WITHOUT ROWID;

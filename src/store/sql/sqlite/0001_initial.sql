-- The first schema. Applied once, inside one transaction; never edited afterwards: changes come as the next file.
-- Amounts and hashes are big-endian BLOBs (memcmp order = numeric order). Times are milliseconds since 1970 unless
-- a name says otherwise. Stored code numbers are the enums of records.h and lifecycle.h. (Ranges are written BETWEEN:
-- SQLite builds a temporary table for every check of an IN list.)

CREATE TABLE treasury (
    id              INTEGER PRIMARY KEY,
    name            TEXT    NOT NULL,
    chain_id        INTEGER NOT NULL CHECK (chain_id > 0),
    address         BLOB    NOT NULL CHECK (length(address) = 20),
    epoch_source    TEXT    NOT NULL,
    genesis         BLOB    CHECK (length(genesis) = 32),
    first_nonce     INTEGER CHECK (first_nonce >= 0),
    anchor_no       INTEGER CHECK (anchor_no >= 0),
    anchor_hash     BLOB    CHECK (length(anchor_hash) = 32),
    scan_no         INTEGER CHECK (scan_no >= 0),
    scan_hash       BLOB    CHECK (length(scan_hash) = 32),
    halt_code       INTEGER NOT NULL DEFAULT 0,
    halt_reason     TEXT    NOT NULL DEFAULT '',
    lease_holder    TEXT    NOT NULL DEFAULT '',
    lease_epoch     INTEGER NOT NULL DEFAULT 0,
    renewals        INTEGER NOT NULL DEFAULT 0,
    lease_renewed_ms INTEGER NOT NULL DEFAULT 0,
    lease_ttl_ms    INTEGER NOT NULL DEFAULT 0,
    last_tick_ms    INTEGER NOT NULL DEFAULT 0,
    last_success_ms INTEGER NOT NULL DEFAULT 0,
    last_error_ms   INTEGER NOT NULL DEFAULT 0,
    last_error      TEXT    NOT NULL DEFAULT '',
    hold            TEXT    NOT NULL DEFAULT '',
    available       BLOB    CHECK (length(available) = 32),
    gas_cost        BLOB    CHECK (length(gas_cost) = 32),
    UNIQUE (chain_id, address),
    CHECK ((genesis IS NULL) = (first_nonce IS NULL) AND (genesis IS NULL) = (anchor_no IS NULL)
           AND (genesis IS NULL) = (anchor_hash IS NULL) AND (genesis IS NULL) = (scan_no IS NULL)
           AND (genesis IS NULL) = (scan_hash IS NULL))
) STRICT;

-- How many disbursements of a treasury are in each state: kept by the two triggers below, so that nobody counts rows.
CREATE TABLE queue_count (
    treasury INTEGER NOT NULL REFERENCES treasury (id),
    state    INTEGER NOT NULL,
    n        INTEGER NOT NULL CHECK (n >= 0),
    PRIMARY KEY (treasury, state)
) STRICT, WITHOUT ROWID;

CREATE TABLE disbursement (
    id              INTEGER PRIMARY KEY,
    treasury        INTEGER NOT NULL REFERENCES treasury (id),
    state           INTEGER NOT NULL CHECK (state BETWEEN 1 AND 9),
    version         INTEGER NOT NULL DEFAULT 1,
    blocked         INTEGER NOT NULL DEFAULT 0,          -- stored block_code; 0: not passed over
    waits_on        INTEGER REFERENCES disbursement (id), -- one dependency that is not finalized yet, if any
    wakes           INTEGER NOT NULL DEFAULT 0 CHECK (wakes IN (0, 1)), -- rows that waited for it are to be moved on
    schedule        INTEGER NOT NULL CHECK (schedule BETWEEN 0 AND 2),
    schedule_value  INTEGER NOT NULL CHECK (schedule_value >= 0),
    ref             TEXT    NOT NULL,
    content_hash    BLOB    NOT NULL CHECK (length(content_hash) = 32),
    destination     BLOB    NOT NULL CHECK (length(destination) = 20),
    asset           BLOB    CHECK (length(asset) = 20),  -- NULL: the native coin
    amount          BLOB    NOT NULL CHECK (length(amount) = 32),
    memo            TEXT    NOT NULL,
    UNIQUE (treasury, ref),
    CHECK (schedule <> 0 OR schedule_value = 0)
) STRICT;

-- What is due is derived, never stored: these rows, with their schedule reached.
CREATE INDEX disbursement_due ON disbursement (treasury, schedule, schedule_value, id)
    WHERE state = 3 AND waits_on IS NULL AND blocked = 0;
CREATE INDEX disbursement_blocked ON disbursement (treasury, blocked, amount, id) WHERE state = 3 AND blocked > 0;
CREATE INDEX disbursement_waiting ON disbursement (waits_on, id) WHERE waits_on IS NOT NULL;
CREATE INDEX disbursement_wakes ON disbursement (treasury, id) WHERE wakes = 1;
CREATE INDEX disbursement_state ON disbursement (treasury, state, id);

CREATE TRIGGER disbursement_counted AFTER INSERT ON disbursement BEGIN
    INSERT INTO queue_count (treasury, state, n) VALUES (new.treasury, new.state, 1)
        ON CONFLICT (treasury, state) DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER disbursement_recounted AFTER UPDATE OF state ON disbursement BEGIN
    UPDATE queue_count SET n = n - 1 WHERE treasury = old.treasury AND state = old.state;
    INSERT INTO queue_count (treasury, state, n) VALUES (new.treasury, new.state, 1)
        ON CONFLICT (treasury, state) DO UPDATE SET n = n + 1;
END;
-- What is owed stays as it was approved: only where it stands moves.
CREATE TRIGGER disbursement_unchanged
BEFORE UPDATE OF treasury, schedule, schedule_value, ref, content_hash, destination, asset, amount, memo ON disbursement
BEGIN
    SELECT RAISE(ABORT, 'what a disbursement owes never changes');
END;
-- A disbursement is never deleted: its ref stays used for ever.
CREATE TRIGGER disbursement_kept BEFORE DELETE ON disbursement BEGIN
    SELECT RAISE(ABORT, 'a disbursement is never deleted');
END;

CREATE TABLE dependency (
    id    INTEGER NOT NULL REFERENCES disbursement (id),
    on_id INTEGER NOT NULL REFERENCES disbursement (id),
    PRIMARY KEY (id, on_id)
) STRICT, WITHOUT ROWID;

-- INV-1: one intent per (treasury, nonce), for life.
CREATE TABLE intent (
    id          INTEGER PRIMARY KEY,
    treasury    INTEGER NOT NULL REFERENCES treasury (id),
    nonce       INTEGER NOT NULL CHECK (nonce >= 0),
    kind        INTEGER NOT NULL CHECK (kind BETWEEN 1 AND 3),
    status      INTEGER NOT NULL CHECK (status BETWEEN 1 AND 4),
    to_address  BLOB    NOT NULL CHECK (length(to_address) = 20),
    value       BLOB    NOT NULL CHECK (length(value) = 32),
    data        BLOB    NOT NULL,
    gas_limit   INTEGER NOT NULL CHECK (gas_limit > 0),
    lease_epoch INTEGER NOT NULL,
    bound_ms    INTEGER NOT NULL,
    UNIQUE (treasury, nonce)
) STRICT;
CREATE INDEX intent_in_flight ON intent (treasury, nonce) WHERE status < 3;
CREATE INDEX intent_unfinished ON intent (treasury, nonce) WHERE status < 4;
-- What was bound stays as it was bound.
CREATE TRIGGER intent_bound_for_life
BEFORE UPDATE OF treasury, nonce, kind, to_address, value, data, gas_limit ON intent
BEGIN
    SELECT RAISE(ABORT, 'an intent is bound for life');
END;
CREATE TRIGGER intent_kept BEFORE DELETE ON intent BEGIN
    SELECT RAISE(ABORT, 'an intent is never deleted');
END;

CREATE TABLE intent_item (
    intent       INTEGER NOT NULL REFERENCES intent (id),
    disbursement INTEGER NOT NULL REFERENCES disbursement (id),
    live         INTEGER NOT NULL CHECK (live IN (0, 1)),
    outcome      INTEGER, -- the lifecycle cause that ended it
    PRIMARY KEY (intent, disbursement)
) STRICT, WITHOUT ROWID;
-- INV-1: at most one live intent item per disbursement.
CREATE UNIQUE INDEX intent_item_live ON intent_item (disbursement) WHERE live = 1;
CREATE INDEX intent_item_disbursement ON intent_item (disbursement, intent);
CREATE TRIGGER intent_item_kept BEFORE DELETE ON intent_item BEGIN
    SELECT RAISE(ABORT, 'an intent item is never deleted');
END;

CREATE TABLE attempt (
    id            INTEGER PRIMARY KEY,
    treasury      INTEGER NOT NULL REFERENCES treasury (id),
    intent        INTEGER NOT NULL REFERENCES intent (id),
    seq           INTEGER NOT NULL,
    purpose       INTEGER NOT NULL,
    status        INTEGER NOT NULL CHECK (status BETWEEN 1 AND 3),
    hash          BLOB    NOT NULL UNIQUE CHECK (length(hash) = 32),
    max_priority_fee_per_gas INTEGER NOT NULL CHECK (max_priority_fee_per_gas >= 0),
    max_fee_per_gas          INTEGER NOT NULL CHECK (max_fee_per_gas >= max_priority_fee_per_gas),
    signed_ms     INTEGER NOT NULL,
    sends         INTEGER NOT NULL DEFAULT 0,
    last_sent_ms  INTEGER NOT NULL DEFAULT 0,
    verdict       INTEGER NOT NULL DEFAULT 0,
    message       TEXT    NOT NULL DEFAULT '',
    block_no      INTEGER,
    block_hash    BLOB    CHECK (length(block_hash) = 32),
    gas_used      INTEGER,
    gas_price     INTEGER, -- effective, wei per gas
    raw           BLOB    NOT NULL,
    UNIQUE (intent, seq),
    CHECK ((status = 1) = (block_no IS NULL) AND (block_no IS NULL) = (block_hash IS NULL)),
    CHECK ((status = 3) = (gas_used IS NOT NULL) AND (gas_used IS NULL) = (gas_price IS NULL))
) STRICT;
CREATE INDEX attempt_included ON attempt (treasury, block_no) WHERE status = 2;
-- INV-3: the same bytes again, and all of them watched until the nonce is final.
CREATE TRIGGER attempt_bytes_unchanged
BEFORE UPDATE OF treasury, intent, seq, purpose, hash, max_priority_fee_per_gas, max_fee_per_gas, raw ON attempt
BEGIN
    SELECT RAISE(ABORT, 'signed bytes never change');
END;
CREATE TRIGGER attempt_kept BEFORE DELETE ON attempt BEGIN
    SELECT RAISE(ABORT, 'an attempt is never deleted');
END;

-- Blocks read and not yet final: what a reorg is found by.
CREATE TABLE block (
    treasury INTEGER NOT NULL REFERENCES treasury (id),
    number   INTEGER NOT NULL,
    hash     BLOB    NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (treasury, number)
) STRICT, WITHOUT ROWID;

-- The history of everything, append only. prev_hash covers the row before it (see event_hash in sqlite_event.c).
CREATE TABLE event (
    seq          INTEGER PRIMARY KEY,
    treasury     INTEGER NOT NULL REFERENCES treasury (id),
    disbursement INTEGER REFERENCES disbursement (id),
    intent       INTEGER REFERENCES intent (id),
    at_ms        INTEGER NOT NULL,
    cause        INTEGER NOT NULL,
    from_state   INTEGER NOT NULL, -- 0: new
    to_state     INTEGER NOT NULL,
    actor        TEXT    NOT NULL,
    detail       TEXT    NOT NULL,
    prev_hash    BLOB    NOT NULL CHECK (length(prev_hash) = 32)
) STRICT;
CREATE INDEX event_disbursement ON event (disbursement, seq);
CREATE TRIGGER event_unchanged BEFORE UPDATE ON event BEGIN
    SELECT RAISE(ABORT, 'the event log is append only');
END;
CREATE TRIGGER event_kept BEFORE DELETE ON event BEGIN
    SELECT RAISE(ABORT, 'the event log is append only');
END;

-- What people ask an executor to do.
CREATE TABLE request (
    id      INTEGER PRIMARY KEY,
    kind    INTEGER NOT NULL,
    target  INTEGER NOT NULL,
    version INTEGER NOT NULL,
    actor   TEXT    NOT NULL,
    reason  TEXT    NOT NULL,
    at_ms   INTEGER NOT NULL,
    done_ms INTEGER
) STRICT;
CREATE INDEX request_open ON request (id) WHERE done_ms IS NULL;

-- The circuit breaker of a treasury: what a restart must not forget (struct bursar_breaker_memory), and who last changed
-- it by hand, when and why. There is a row from the start and for ever, so that `version`, which grows with every change
-- by whomever, can be compared by those who spend.

CREATE TABLE breaker (
    treasury       INTEGER PRIMARY KEY REFERENCES treasury (id),
    version        INTEGER NOT NULL DEFAULT 1 CHECK (version > 0),
    state          INTEGER NOT NULL DEFAULT 0 CHECK (state BETWEEN 0 AND 2),
    forced         INTEGER NOT NULL DEFAULT 0 CHECK (forced IN (0, 1)),
    saved_ms       INTEGER NOT NULL DEFAULT 0, -- wall clock; the ages below are those of this time
    open_left_ms   INTEGER NOT NULL DEFAULT 0,
    failed_ago_ms  INTEGER,                    -- NULL: never
    changed_ago_ms INTEGER,                    -- NULL: never
    trial_ago_ms   INTEGER NOT NULL DEFAULT 0,
    successes      INTEGER NOT NULL DEFAULT 0,
    trials         INTEGER NOT NULL DEFAULT 0,
    failures       BLOB    NOT NULL DEFAULT x'' -- their ages in milliseconds, the oldest first, 4 bytes big-endian each
        CHECK (length(failures) % 4 = 0 AND length(failures) <= 4000),
    command        INTEGER NOT NULL DEFAULT 0 CHECK (command BETWEEN 0 AND 3), -- breaker_command; 0: never by hand
    actor          TEXT    NOT NULL DEFAULT '',
    reason         TEXT    NOT NULL DEFAULT '',
    commanded_ms   INTEGER NOT NULL DEFAULT 0,
    CHECK (forced = 0 OR state = 1),
    CHECK ((command = 0) = (actor = '') AND (command = 0) = (reason = ''))
) STRICT;

INSERT INTO breaker (treasury) SELECT id FROM treasury;
CREATE TRIGGER treasury_breaker AFTER INSERT ON treasury BEGIN
    INSERT INTO breaker (treasury) VALUES (new.id);
END;
CREATE TRIGGER breaker_version BEFORE UPDATE ON breaker WHEN new.version <> old.version + 1 BEGIN
    SELECT RAISE(ABORT, 'every change of a breaker is a new version');
END;
CREATE TRIGGER breaker_kept BEFORE DELETE ON breaker BEGIN
    SELECT RAISE(ABORT, 'a breaker is never deleted');
END;

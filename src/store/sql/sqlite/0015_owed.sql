-- What is owed, added up while it moves, so that nobody adds up rows (how many are in each state is kept likewise); and
-- what was due when the balance was looked at.

-- Sums of the disbursements that are still to leave the account, by what they wait for. `standing`: 1 bound to a nonce;
-- 2 queued, due once its schedule is reached; 3 queued, waits for another one. Only 2 has a schedule here. `asset`: x''
-- is the native coin. `amount` is wider than one amount, so that no sum is too large for it.
CREATE TABLE owed (
    treasury       INTEGER NOT NULL REFERENCES treasury (id),
    standing       INTEGER NOT NULL CHECK (standing BETWEEN 1 AND 3),
    schedule       INTEGER NOT NULL,
    schedule_value INTEGER NOT NULL,
    asset          BLOB    NOT NULL,
    n              INTEGER NOT NULL,
    amount         BLOB    NOT NULL CHECK (length(amount) = 40),
    PRIMARY KEY (treasury, standing, schedule, schedule_value, asset)
) STRICT, WITHOUT ROWID;

-- In which sum a disbursement is. owed_sum(a, b, sign) is this program's: a + b, or a - b when sign is -1.
CREATE VIEW owing AS SELECT id, treasury,
    CASE WHEN state = 4 THEN 1 WHEN waits_on IS NULL THEN 2 ELSE 3 END AS standing,
    CASE WHEN state = 3 AND waits_on IS NULL THEN schedule ELSE 0 END AS schedule,
    CASE WHEN state = 3 AND waits_on IS NULL THEN schedule_value ELSE 0 END AS schedule_value,
    coalesce(asset, x'') AS asset, amount
    FROM disbursement WHERE state BETWEEN 3 AND 4;

-- Every state has its row from the start, so that a move is one UPDATE and inserts nothing.
CREATE TRIGGER treasury_counted AFTER INSERT ON treasury BEGIN
    INSERT INTO queue_count VALUES (new.id, 1, 0), (new.id, 2, 0), (new.id, 3, 0), (new.id, 4, 0), (new.id, 5, 0),
        (new.id, 6, 0), (new.id, 7, 0), (new.id, 8, 0), (new.id, 9, 0);
END;
WITH every (state) AS (VALUES (1), (2), (3), (4), (5), (6), (7), (8), (9))
INSERT INTO queue_count SELECT id, state, 0 FROM treasury, every WHERE true ON CONFLICT DO NOTHING;

-- All that is kept while disbursements move, in one trigger, as to fire costs more than to write this little: UPDATEs
-- by key, written out as the view has them. A sum that is not there yet is inserted when updating has found none.
DROP TRIGGER disbursement_counted;
DROP TRIGGER disbursement_recounted;
-- What is new is queued and waits for nothing yet, or is not approved.
CREATE TRIGGER disbursement_added AFTER INSERT ON disbursement BEGIN
    UPDATE queue_count SET n = n + 1 WHERE treasury = new.treasury AND state = new.state;
    UPDATE owed SET n = n + 1, amount = owed_sum(amount, new.amount, 1)
        WHERE new.state = 3 AND new.waits_on IS NULL AND treasury = new.treasury AND standing = 2
        AND schedule = new.schedule AND schedule_value = new.schedule_value AND asset = coalesce(new.asset, x'');
    INSERT INTO owed SELECT new.treasury, 2, new.schedule, new.schedule_value, coalesce(new.asset, x''), 1,
        owed_sum(x'', new.amount, 1) WHERE new.state = 3 AND new.waits_on IS NULL AND changes() = 0;
END;
CREATE TRIGGER disbursement_moved AFTER UPDATE OF state, waits_on ON disbursement BEGIN
    UPDATE queue_count SET n = n - (state = old.state) + (state = new.state) -- nearly always two rows
        WHERE treasury = new.treasury AND state BETWEEN min(old.state, new.state) AND max(old.state, new.state);
    UPDATE owed SET n = n - 1, amount = owed_sum(amount, old.amount, -1)
        WHERE old.state BETWEEN 3 AND 4 AND treasury = old.treasury
        AND standing = CASE WHEN old.state = 4 THEN 1 WHEN old.waits_on IS NULL THEN 2 ELSE 3 END
        AND schedule = CASE WHEN old.state = 3 AND old.waits_on IS NULL THEN old.schedule ELSE 0 END
        AND schedule_value = CASE WHEN old.state = 3 AND old.waits_on IS NULL THEN old.schedule_value ELSE 0 END
        AND asset = coalesce(old.asset, x'');
    DELETE FROM owed WHERE old.state = 3 AND old.schedule > 0 AND n = 0 AND treasury = old.treasury AND standing = 2
        AND schedule = old.schedule AND schedule_value = old.schedule_value AND asset = coalesce(old.asset, x'');
    UPDATE owed SET n = n + 1, amount = owed_sum(amount, new.amount, 1)
        WHERE new.state BETWEEN 3 AND 4 AND treasury = new.treasury
        AND standing = CASE WHEN new.state = 4 THEN 1 WHEN new.waits_on IS NULL THEN 2 ELSE 3 END
        AND schedule = CASE WHEN new.state = 3 AND new.waits_on IS NULL THEN new.schedule ELSE 0 END
        AND schedule_value = CASE WHEN new.state = 3 AND new.waits_on IS NULL THEN new.schedule_value ELSE 0 END
        AND asset = coalesce(new.asset, x'');
    INSERT INTO owed SELECT treasury, standing, schedule, schedule_value, asset, 1, owed_sum(x'', amount, 1)
        FROM owing WHERE new.state BETWEEN 3 AND 4 AND changes() = 0 AND id = new.id;
END;

INSERT INTO owed SELECT treasury, standing, schedule, schedule_value, asset, 1, owed_sum(x'', amount, 1)
    FROM owing WHERE true
    ON CONFLICT DO UPDATE SET n = n + 1, amount = owed_sum(amount, excluded.amount, 1);

-- The final block that an executor saw last, as schedules are compared with it. NULL: none yet.
ALTER TABLE treasury ADD COLUMN final_time_s INTEGER CHECK (final_time_s >= 0);
ALTER TABLE treasury ADD COLUMN final_epoch INTEGER CHECK (final_epoch >= 0);

ALTER TABLE balance ADD COLUMN due BLOB CHECK (length(due) = 32); -- in the native coin; NULL: not kept then
-- Which payments were mined between two balances.
CREATE INDEX attempt_final ON attempt (treasury, block_no) WHERE status = 3;

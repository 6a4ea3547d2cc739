-- What is owed, added up while it moves, so that nobody adds up rows; and what was due when the balance was looked at.

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

-- What is new is queued and waits for nothing yet, or is not approved.
CREATE TRIGGER disbursement_owed AFTER INSERT ON disbursement WHEN new.state = 3 AND new.waits_on IS NULL BEGIN
    INSERT INTO owed VALUES (new.treasury, 2, new.schedule, new.schedule_value, coalesce(new.asset, x''), 1,
        owed_sum(x'', new.amount, 1))
        ON CONFLICT DO UPDATE SET n = n + 1, amount = owed_sum(amount, new.amount, 1);
END;
CREATE TRIGGER disbursement_owed_before BEFORE UPDATE OF state, waits_on ON disbursement
WHEN old.state BETWEEN 3 AND 4 BEGIN
    INSERT INTO owed SELECT treasury, standing, schedule, schedule_value, asset, -1, owed_sum(x'', amount, 1)
        FROM owing WHERE id = old.id
        ON CONFLICT DO UPDATE SET n = n - 1, amount = owed_sum(amount, excluded.amount, -1);
    DELETE FROM owed WHERE n = 0 AND treasury = old.treasury AND standing = 2 AND schedule = old.schedule
        AND schedule_value = old.schedule_value;
END;
CREATE TRIGGER disbursement_owed_after AFTER UPDATE OF state, waits_on ON disbursement
WHEN new.state BETWEEN 3 AND 4 BEGIN
    INSERT INTO owed SELECT treasury, standing, schedule, schedule_value, asset, 1, owed_sum(x'', amount, 1)
        FROM owing WHERE id = new.id
        ON CONFLICT DO UPDATE SET n = n + 1, amount = owed_sum(amount, excluded.amount, 1);
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

-- Payments in tokens: what a token moved less than was owed, and who waits for which token.

ALTER TABLE intent_item ADD COLUMN short_by BLOB CHECK (length(short_by) = 32); -- base units of the asset; NULL: nothing

DROP INDEX disbursement_unfunded;
CREATE INDEX disbursement_unfunded ON disbursement (treasury, amount, id)
    WHERE state = 3 AND blocked = 1 AND recheck_no = 0 AND asset IS NULL;
CREATE INDEX disbursement_unfunded_token ON disbursement (treasury, asset, amount, id)
    WHERE state = 3 AND blocked = 1 AND recheck_no = 0 AND asset IS NOT NULL;

-- They are paid now.
UPDATE disbursement SET blocked = 0 WHERE state = 3 AND blocked = 8;

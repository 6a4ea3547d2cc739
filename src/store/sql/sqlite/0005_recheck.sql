-- What a contract or a node refused is looked at again as blocks pass, and says why it was refused.

-- looks: how often; recheck_no: at this height; block_gas: the gas limit it would take, as far as known.
ALTER TABLE disbursement ADD COLUMN recheck_no INTEGER NOT NULL DEFAULT 0 CHECK (recheck_no >= 0);
ALTER TABLE disbursement ADD COLUMN looks INTEGER NOT NULL DEFAULT 0 CHECK (looks >= 0);
ALTER TABLE disbursement ADD COLUMN block_gas INTEGER NOT NULL DEFAULT 0 CHECK (block_gas >= 0);
ALTER TABLE disbursement ADD COLUMN block_note TEXT NOT NULL DEFAULT '';

CREATE INDEX disbursement_recheck ON disbursement (treasury, recheck_no, id) WHERE state = 3 AND recheck_no > 0;
CREATE INDEX disbursement_unestimated ON disbursement (treasury, id) WHERE state = 3 AND blocked = 6;
-- What waits for funds and is not looked at because of blocks.
DROP INDEX disbursement_blocked;
CREATE INDEX disbursement_blocked ON disbursement (treasury, id) WHERE state = 3 AND blocked > 0;
CREATE INDEX disbursement_unfunded ON disbursement (treasury, amount, id)
    WHERE state = 3 AND blocked = 1 AND recheck_no = 0;

-- Contracts are paid now.
UPDATE disbursement SET blocked = 0 WHERE state = 3 AND blocked = 2;

/* Which due rows are bound, with how much gas, and why others are passed over. Pure, as all of the planner. */
#include "executor/planner.h"

uint64_t plan_gas_limit(uint64_t estimated)
{
    uint64_t margin = estimated / 100 * GAS_MARGIN_PERCENT;
    if (estimated >= GAS_LIMIT_MAX)
        return GAS_LIMIT_MAX;
    if (margin < GAS_MARGIN_MIN)
        margin = GAS_MARGIN_MIN;
    return margin < GAS_LIMIT_MAX - estimated ? estimated + margin : GAS_LIMIT_MAX;
}

uint64_t plan_recheck(uint64_t head_number, uint64_t first_blocks, unsigned looks)
{
    uint64_t blocks = first_blocks;
    for (unsigned i = 0; i < looks && blocks < RECHECK_MAX_BLOCKS; i++)
        blocks *= 2;
    return head_number + (blocks < RECHECK_MAX_BLOCKS ? blocks : RECHECK_MAX_BLOCKS);
}

static bool covers(const struct bursar_amount *available, const struct bursar_amount *amount, uint64_t gas_limit,
                   uint64_t max_fee_per_gas_wei, struct bursar_amount *ret_left)
{
    struct bursar_amount cost;
    return plan_worst_case(amount, gas_limit, max_fee_per_gas_wei, &cost) &&
           bursar_amount_subtract(*available, cost, ret_left);
}

void plan_outlooks(const struct due_row *rows, const bool *has_code, size_t count, bool can_estimate, size_t most,
                   uint64_t max_fee_per_gas_wei, const struct bursar_amount *available, struct outlook *ret)
{
    size_t estimates = 0;
    for (size_t i = 0; i < count; i++) {
        struct bursar_amount left;
        ret[i] = (struct outlook){ .kind = OUTLOOK_TRANSFER };
        if (rows[i].asset.is_token)
            ret[i].kind = OUTLOOK_TOKEN;
        else if (!has_code[i])
            continue;
        else if (!can_estimate)
            ret[i].kind = OUTLOOK_IMPOSSIBLE;
        else if (!covers(available, &rows[i].amount, TRANSFER_GAS, max_fee_per_gas_wei, &left))
            ret[i].kind = OUTLOOK_UNFUNDED; /* trying it out would only show that */
        else if (estimates == most)
            ret[i].kind = OUTLOOK_LATER;
        else
            ret[i].kind = OUTLOOK_ESTIMATED;
        estimates += ret[i].kind == OUTLOOK_ESTIMATED;
    }
}

static enum block_code judge_estimate(const struct chain_estimate *estimate, uint64_t *ret_gas_limit)
{
    switch (estimate->outcome) {
    case ESTIMATE_GAS:
        *ret_gas_limit = plan_gas_limit(estimate->gas);
        return estimate->gas > GAS_LIMIT_MAX ? BLOCK_GAS : BLOCK_NONE;
    case ESTIMATE_REVERTS:
        return BLOCK_REVERTS;
    case ESTIMATE_EXCEEDS:
        return BLOCK_GAS;
    case ESTIMATE_UNKNOWN:
        return BLOCK_UNESTIMATED;
    }
    return BLOCK_UNESTIMATED;
}

/* *ret_gas_limit: 0 where it is not known. */
static enum block_code judge_outlook(const struct outlook *outlook, uint64_t *ret_gas_limit)
{
    *ret_gas_limit = 0;
    switch (outlook->kind) {
    case OUTLOOK_TRANSFER:
        *ret_gas_limit = TRANSFER_GAS;
        return BLOCK_NONE;
    case OUTLOOK_ESTIMATED:
        return judge_estimate(&outlook->estimate, ret_gas_limit);
    case OUTLOOK_UNFUNDED:
        return BLOCK_FUNDS;
    case OUTLOOK_TOKEN:
        return BLOCK_TOKEN;
    case OUTLOOK_IMPOSSIBLE:
    case OUTLOOK_LATER:
        return BLOCK_DESTINATION_CODE;
    }
    return BLOCK_UNESTIMATED;
}

/* What holds code is looked at again as blocks pass: it may be another one by then. */
static struct block_decision pass_over(const struct due_row *row, const struct outlook *outlook, enum block_code code,
                                       uint64_t gas_limit, uint64_t head_number)
{
    struct block_decision decision = { .disbursement = row->id, .version = row->version, .code = code };
    if (outlook->kind == OUTLOOK_TRANSFER || outlook->kind == OUTLOOK_IMPOSSIBLE || outlook->kind == OUTLOOK_TOKEN)
        return decision;
    decision.gas_limit = gas_limit;
    if (code == BLOCK_FUNDS) { /* money may come at any time: no reason to wait longer and longer */
        decision.recheck_number = head_number + RECHECK_BLOCKS;
        return decision;
    }
    decision.note = outlook->estimate.words;
    decision.recheck_number =
        plan_recheck(head_number, code == BLOCK_UNESTIMATED ? RECHECK_UNKNOWN_BLOCKS : RECHECK_BLOCKS, row->looks);
    return decision;
}

void plan_spending(const struct due_row *rows, const struct outlook *outlooks, size_t count,
                   const struct spending_terms *terms, struct spending_plan *ret)
{
    struct bursar_amount available = terms->available;
    uint64_t nonce = terms->next_nonce;
    ret->binding_count = ret->block_count = 0;
    for (size_t i = 0; i < count; i++) {
        const struct due_row *row = &rows[i];
        uint64_t gas_limit;
        if (outlooks[i].kind == OUTLOOK_LATER)
            continue;
        enum block_code block = judge_outlook(&outlooks[i], &gas_limit);
        if (block == BLOCK_NONE && !covers(&available, &row->amount, gas_limit, terms->max_fee_per_gas_wei, &available))
            block = BLOCK_FUNDS;
        if (block != BLOCK_NONE) {
            ret->blocks[ret->block_count++] = pass_over(row, &outlooks[i], block, gas_limit, terms->head_number);
            continue;
        }
        ret->bindings[ret->binding_count++] = (struct binding){ .disbursement = row->id,
                                                                .version = row->version,
                                                                .nonce = nonce++,
                                                                .to = row->destination,
                                                                .value = row->amount,
                                                                .gas_limit = gas_limit };
    }
    ret->available = available;
}

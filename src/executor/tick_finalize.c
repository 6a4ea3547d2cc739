/* Finality: receipts of what lies in final blocks are read once, and only they end an intent (INV-7). */
#include "executor/tick.h"

#include "base/bytes.h"

/* Is what was read consistent with this final block? Blocks link by hashes, so one comparison covers all below. */
static enum bursar_status final_is_ours(struct executor *executor, struct tick *tick, bool *ret,
                                        struct bursar_error *err)
{
    struct store *store = &executor->env.store;
    const struct chain_head *final = &tick->view.final;
    struct block_mark mark;
    size_t count = 0;
    *ret = false;
    if (!tick->view.has_final || final->block.number > tick->treasury.scan.number)
        return BURSAR_OK;
    enum bursar_status status =
        store->scanned_select(store->ctx, tick->treasury.id, final->block.number, 1, &mark, &count, err);
    if (status != BURSAR_OK)
        return status;
    /* No mark at this height: it was skipped while nothing was unfinished. Then only a cursor just seen to be canonical
     * vouches for it: an anchor above blocks that a reorg put in below the cursor would hide them for ever. */
    const bool is_marked = count > 0 && mark.number == final->block.number;
    *ret = is_marked ? hash_equal(&mark.hash, &final->block.hash) : tick->is_current;
    return BURSAR_OK;
}

/* Receipts of one page of included attempts; those that agree with what was read become final. */
static bool judge_receipts(struct executor *executor, struct tick *tick, const struct included_attempt *included,
                           size_t count, struct final_attempt *ret, size_t *ret_count)
{
    struct chain *chain = &executor->env.chain;
    struct bursar_hash hashes[RECEIPTS_PER_CALL];
    struct chain_receipt receipts[RECEIPTS_PER_CALL];
    struct bursar_error fault = { 0 };
    for (size_t i = 0; i < count; i++)
        hashes[i] = included[i].hash;
    if (chain->receipts(chain->ctx, hashes, count, receipts, &fault) != BURSAR_OK) {
        tick_note_fault(executor, tick, &fault);
        return false;
    }
    *ret_count = 0;
    for (size_t i = 0; i < count; i++) {
        const struct chain_receipt *receipt = &receipts[i];
        if (!receipt->is_present || receipt->block.number != included[i].block.number ||
            !hash_equal(&receipt->block.hash, &included[i].block.hash)) {
            (void)bursar_fail(&fault, BURSAR_EPROTOCOL,
                              "the receipt of nonce %llu does not agree with its final block %llu: waiting",
                              (unsigned long long)included[i].nonce, (unsigned long long)included[i].block.number);
            tick_note_fault(executor, tick, &fault);
            continue;
        }
        plan_final(&included[i], receipt, &ret[(*ret_count)++]);
    }
    return true;
}

/* Finalizes one page; *ret_more tells whether another may follow. */
static enum bursar_status finalize_page(struct executor *executor, struct tick *tick, bool *ret_more, bool *ret_all,
                                        struct bursar_error *err)
{
    struct store *store = &executor->env.store;
    struct included_attempt included[RECEIPTS_PER_CALL];
    struct final_attempt final[RECEIPTS_PER_CALL];
    size_t count = 0, settled = 0;
    *ret_more = *ret_all = false;
    enum bursar_status status = store->included_select(store->ctx, tick->treasury.id, tick->view.final.block.number,
                                                       RECEIPTS_PER_CALL, included, &count, err);
    if (status != BURSAR_OK)
        return status;
    if (count == 0) {
        *ret_all = true;
        return BURSAR_OK;
    }
    if (!judge_receipts(executor, tick, included, count, final, &settled) || settled == 0)
        return BURSAR_OK;
    struct settlement settlement = { .final = final, .final_count = settled };
    status = tick_settle(executor, &settlement, err);
    *ret_more = status == BURSAR_OK && settled == count;
    return status;
}

enum bursar_status tick_finalize(struct executor *executor, struct tick *tick, struct bursar_error *err)
{
    const struct chain_head *final = &tick->view.final;
    bool ours = false, more = true, all = false;
    enum bursar_status status = final_is_ours(executor, tick, &ours, err);
    if (status != BURSAR_OK || !ours)
        return status;
    for (size_t done = 0; status == BURSAR_OK && more && done < FINAL_PER_TICK; done += RECEIPTS_PER_CALL)
        status = finalize_page(executor, tick, &more, &all, err);
    if (status != BURSAR_OK || !all) {
        tick->go_on = tick->go_on || more;
        return status;
    }
    if (final->block.number <= tick->treasury.anchor.number) /* lower: a lagging read decides nothing */
        return BURSAR_OK;
    struct settlement settlement = { .has_anchor = true, .anchor = head_mark(final) };
    char missing[MONEY_DETAIL_MAX_BYTES];
    status = tick_money_balance(executor, tick, &settlement, missing, err);
    if (status == BURSAR_OK)
        status = tick_settle(executor, &settlement, err);
    if (status == BURSAR_OK)
        tick->treasury.anchor = settlement.anchor;
    return status;
}

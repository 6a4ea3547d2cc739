/* The order of a look, and what it starts from: the right chain, and a block below which everything is final. */
#include "reconcile/adopt_parts.h"

#include "base/bytes.h"
#include "reconcile/chain_reads.h"

#include <stdlib.h>

typedef unsigned long long ull;

const char *adopt_step_name(enum adopt_step step)
{
    switch (step) {
    case ADOPT_NOT:
        return "known";
    case ADOPT_PAID:
        return "paid";
    case ADOPT_REVERTED:
        return "reverted";
    case ADOPT_IN_FLIGHT:
        return "in_flight";
    case ADOPT_SIGN_AGAIN:
        return "sign_again";
    case ADOPT_SELF:
        return "self_transfer";
    case ADOPT_FOREIGN:
        return "foreign";
    case ADOPT_FILL:
        return "fill";
    case ADOPT_MOVED:
        return "moved";
    case ADOPT_REOPENED:
        return "reopened";
    case ADOPT_CANCELLED:
        return "cancelled";
    case ADOPT_CANCELLING:
        return "cancelling";
    case ADOPT_UNDECIDED:
        return "undecided";
    case ADOPT_WAIT:
        return "wait";
    }
    return "?";
}

struct sight *sight_of(const struct adopt_plan *plan, uint64_t nonce)
{
    size_t low = 0, high = plan->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (plan->sights[middle].nonce < nonce)
            low = middle + 1;
        else
            high = middle;
    }
    return low < plan->count && plan->sights[low].nonce == nonce ? &plan->sights[low] : NULL;
}

/* INV-8: nothing is learned from another chain. */
static enum bursar_status check_identity(struct adopt_plan *plan, struct bursar_error *err)
{
    const struct treasury *treasury = &plan->treasury;
    const struct chain_view *view = &plan->view;
    if (view->chain_id != treasury->chain_id)
        return bursar_fail(err, BURSAR_EREFUSED,
                           "the node is on chain %llu, this treasury on chain %llu: check the rpc setting",
                           (ull)view->chain_id, (ull)treasury->chain_id);
    if (!treasury->is_pinned)
        return BURSAR_OK;
    if (!hash_equal(&view->genesis_hash, &treasury->genesis_hash))
        return bursar_fail(
            err, BURSAR_EREFUSED,
            "the node's chain %llu has another genesis block than the one this treasury was set up on: it "
            "is another chain, and nothing can be learned from it. Point rpc at the right one",
            (ull)view->chain_id);
    if (!view->has_anchor_block)
        return bursar_fail(
            err, BURSAR_EUNREACHABLE,
            "the node does not have block %llu yet, which was final already: it is catching up, try again",
            (ull)treasury->anchor.number);
    /* As for the executor: to a node that lags, on a branch that the others have left, that block is not final. */
    plan->is_rebased = !hash_equal(&view->anchor_hash, &treasury->anchor.hash) && view->has_final &&
                       view->final.block.number >= treasury->anchor.number;
    return BURSAR_OK;
}

/* Where finality stands. A node that lags behind what was final before shows too little to decide by. */
static enum bursar_status choose_final(struct adopt_plan *plan, struct bursar_error *err)
{
    const struct treasury *treasury = &plan->treasury;
    const struct chain_view *view = &plan->view;
    plan->final = (struct block_mark){ .number = 0, .hash = view->genesis_hash };
    if (view->has_final)
        plan->final = (struct block_mark){ .number = view->final.block.number, .hash = view->final.block.hash };
    if (treasury->is_pinned && !plan->is_rebased && plan->final.number < treasury->anchor.number)
        return bursar_fail(
            err, BURSAR_EUNREACHABLE,
            "the node's newest final block is %llu, and block %llu was final already: it is catching up, "
            "try again",
            (ull)plan->final.number, (ull)treasury->anchor.number);
    return BURSAR_OK;
}

static enum bursar_status read_start(struct adopt_look *look, struct bursar_error *err)
{
    struct adopt_plan *plan = look->plan;
    const struct store *store = &look->env->store;
    enum bursar_status status = store->treasury_get(store->ctx, look->env->treasury, &plan->treasury, err);
    if (status == BURSAR_OK)
        status = store->lane_read(store->ctx, plan->treasury.id, &plan->lane, err);
    if (status != BURSAR_OK)
        return status;
    struct chain_query query = { .account = plan->treasury.address,
                                 .has_anchor = plan->treasury.is_pinned,
                                 .anchor_number = plan->treasury.anchor.number,
                                 .finality_blocks = look->env->finality_blocks,
                                 .chain_id = plan->treasury.chain_id,
                                 .has_pins = plan->treasury.is_pinned,
                                 .genesis_hash = plan->treasury.genesis_hash,
                                 .anchor_hash = plan->treasury.anchor.hash };
    status = read_view(look->env, &query, &plan->view, err);
    if (status == BURSAR_OK)
        status = check_identity(plan, err);
    if (status == BURSAR_OK)
        status = choose_final(plan, err);
    if (status != BURSAR_OK)
        return status;
    plan->log_is_missing = look->log == NULL;
    if (look->log) {
        signing_log_extent(look->log, &plan->log);
        plan->log_lease_epoch = signing_log_lease_epoch(look->log);
    }
    return BURSAR_OK;
}

enum bursar_status adopt_look(const struct reconcile_env *env, const struct signing_log *log,
                              const struct adopt_options *options, struct adopt_plan *ret, struct bursar_error *err)
{
    static enum bursar_status (*const parts[])(struct adopt_look *, struct bursar_error *) = {
        read_start, adopt_read_records, adopt_read_chain, adopt_scan, adopt_verify, adopt_decide, adopt_prepare_again,
    };
    struct adopt_look look = { .env = env, .log = log, .options = options, .plan = ret };
    enum bursar_status status = BURSAR_OK;
    for (size_t i = 0; i < sizeof parts / sizeof *parts && status == BURSAR_OK; i++)
        status = parts[i](&look, err);
    free(look.known);
    return status;
}

bool adopt_plan_changes(const struct adopt_plan *plan)
{
    const struct treasury *treasury = &plan->treasury;
    return plan->changes > 0 || plan->log_is_missing || plan->log_lacks > 0 || plan->is_rebased ||
           !treasury->is_pinned || halt_latches(treasury->halt) || plan->first_nonce < treasury->first_nonce ||
           plan->log_lease_epoch > treasury->lease_epoch;
}

void adopt_plan_free(struct adopt_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++)
        chain_raws_clear(&plan->sights[i].raw, 1);
    free(plan->sights);
    free(plan->candidates);
    *plan = (struct adopt_plan){ 0 };
}

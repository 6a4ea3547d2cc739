/* The chain's seam: what is handed over is witnessed, and the chain can move on between any two calls of a tick. */
#include "process.h"

#include "base/bytes.h"

#include <string.h>

/* Not even a block of an abandoned fork. */
static bool is_of_other_history(const struct process *process, const struct chain_view *view)
{
    return view->has_anchor_block &&
           sim_chain_block_by_hash(process->setup->true_chain, &view->anchor_hash) == SIM_NONE;
}

/* Whatever single nodes say. */
static void judge_balance(const struct process *process, const struct bursar_address *account,
                          const struct chain_view *view)
{
    const struct sim_chain *chain = process->setup->true_chain;
    uint32_t block = view->has_balance_final ? sim_chain_block_by_hash(chain, &view->final.block.hash) : SIM_NONE;
    if (block != SIM_NONE &&
        bursar_amount_compare(view->balance_final, sim_chain_account(chain, block, account).balance) != 0)
        finding_add(process->way.finding, PROPERTY_FALSE_BALANCE, *process->way.step,
                    "what the account had in block %llu is not what it is said to be",
                    (unsigned long long)view->final.block.number);
}

static enum bursar_status observe(void *ctx, const struct chain_query *query, struct chain_view *ret,
                                  struct bursar_error *err)
{
    struct process *process = ctx;
    if (!seam_enter(process, "observe"))
        return seam_dead(err);
    enum bursar_status status = process->chain.observe(process->chain.ctx, query, ret, err);
    const struct bursar_hash genesis = seam_true_genesis(process);
    process->sees_other = status == BURSAR_OK && query->has_anchor &&
                          (!hash_equal(&ret->genesis_hash, &genesis) || is_of_other_history(process, ret));
    if (status == BURSAR_OK)
        judge_balance(process, &query->account, ret);
    if (status == BURSAR_OK)
        trace_line(process->setup->trace, "      %s sees head %llu (%02x%02x), final %llu%s, nonces %llu, %llu, %llu",
                   process->name, (unsigned long long)ret->latest.block.number, ret->latest.block.hash.bytes[0],
                   ret->latest.block.hash.bytes[1], (unsigned long long)ret->final.block.number,
                   ret->has_balance_final ? "" : " without balance", (unsigned long long)ret->nonce_final,
                   (unsigned long long)ret->nonce_latest, (unsigned long long)ret->nonce_pending);
    return seam_leave(process, "observe", status, err);
}

static enum bursar_status blocks(void *ctx, const uint64_t *numbers, size_t count, struct chain_block *ret,
                                 struct bursar_error *err)
{
    struct process *process = ctx;
    for (size_t i = 0; i < count; i++)
        ret[i] = (struct chain_block){ 0 };
    if (!seam_enter(process, "blocks"))
        return seam_dead(err);
    enum bursar_status inner = process->chain.blocks(process->chain.ctx, numbers, count, ret, err);
    enum bursar_status status = seam_leave(process, "blocks", inner, err);
    if (inner == BURSAR_OK && status != BURSAR_OK)
        chain_blocks_clear(ret, count);
    return status;
}

static enum bursar_status receipts(void *ctx, const struct bursar_hash *hashes, size_t count, struct chain_receipt *ret,
                                   struct bursar_error *err)
{
    struct process *process = ctx;
    if (!seam_enter(process, "receipts"))
        return seam_dead(err);
    return seam_leave(process, "receipts", process->chain.receipts(process->chain.ctx, hashes, count, ret, err), err);
}

static enum bursar_status transactions(void *ctx, const struct bursar_hash *hashes, size_t count,
                                       struct chain_transaction *ret, struct bursar_error *err)
{
    struct process *process = ctx;
    if (!seam_enter(process, "transactions"))
        return seam_dead(err);
    return seam_leave(process, "transactions", process->chain.transactions(process->chain.ctx, hashes, count, ret, err),
                      err);
}

static enum bursar_status bodies(void *ctx, const struct bursar_address *account, const uint64_t *numbers, size_t count,
                                 struct chain_body *ret, struct bursar_error *err)
{
    struct process *process = ctx;
    for (size_t i = 0; i < count; i++)
        ret[i] = (struct chain_body){ 0 };
    if (!seam_enter(process, "bodies"))
        return seam_dead(err);
    enum bursar_status inner = process->chain.bodies(process->chain.ctx, account, numbers, count, ret, err);
    enum bursar_status status = seam_leave(process, "bodies", inner, err);
    if (inner == BURSAR_OK && status != BURSAR_OK)
        chain_bodies_clear(ret, count);
    return status;
}

static enum bursar_status has_code(void *ctx, const struct chain_block_ref *at, const struct bursar_address *addresses,
                                   size_t count, bool *ret, struct bursar_error *err)
{
    struct process *process = ctx;
    if (!seam_enter(process, "has_code"))
        return seam_dead(err);
    return seam_leave(process, "has_code", process->chain.has_code(process->chain.ctx, at, addresses, count, ret, err),
                      err);
}

static enum bursar_status token_balances(void *ctx, const struct chain_block_ref *at,
                                         const struct bursar_address *account, const struct bursar_address *tokens,
                                         size_t count, struct chain_token_balance *ret, struct bursar_error *err)
{
    struct process *process = ctx;
    if (!seam_enter(process, "token_balances"))
        return seam_dead(err);
    return seam_leave(process, "token_balances",
                      process->chain.token_balances(process->chain.ctx, at, account, tokens, count, ret, err), err);
}

static enum bursar_status estimate(void *ctx, const struct chain_trial *trial, const struct chain_payload *calls,
                                   size_t count, struct chain_estimate *ret, struct bursar_error *err)
{
    struct process *process = ctx;
    if (!seam_enter(process, "estimate"))
        return seam_dead(err);
    return seam_leave(process, "estimate", process->chain.estimate(process->chain.ctx, trial, calls, count, ret, err),
                      err);
}

static void witness_all(struct process *process, const struct raw_transaction *list, size_t count)
{
    seam_acts(process, "submit");
    for (size_t i = 0; i < count; i++)
        witness_submitted(process->setup->witness, &list[i].hash);
}

static void fill(struct submit_result *ret, size_t count, enum submit_verdict verdict)
{
    for (size_t i = 0; i < count; i++)
        ret[i] = (struct submit_result){ .verdict = verdict, .message = "dead" };
}

/* What the node said, as a picture: one letter a transaction. */
static void trace_verdicts(struct process *process, const struct submit_result *results, size_t count)
{
    static const char letters[] = "?akluficUx"; /* by enum submit_verdict */
    char picture[CHAIN_LANE_ITEMS_MAX_COUNT + 1];
    size_t shown = count < CHAIN_LANE_ITEMS_MAX_COUNT ? count : CHAIN_LANE_ITEMS_MAX_COUNT;
    for (size_t i = 0; i < shown; i++)
        picture[i] = letters[results[i].verdict < sizeof letters - 1 ? results[i].verdict : 0];
    picture[shown] = 0;
    trace_line(process->setup->trace, "      %s handed over: %s", process->name, picture);
}

static enum bursar_status submit(void *ctx, const struct raw_transaction *list, size_t count, struct submit_result *ret,
                                 struct bursar_error *err)
{
    struct process *process = ctx;
    fill(ret, count, SUBMIT_UNKNOWN);
    if (!seam_enter(process, "submit"))
        return seam_dead(err);
    witness_all(process, list, count);
    enum bursar_status status = process->chain.submit(process->chain.ctx, list, count, ret, err);
    way_judge(&process->way, ret, count);
    trace_verdicts(process, ret, count);
    return seam_leave(process, "submit", status, err);
}

static enum bursar_status submit_start(void *ctx, size_t lane, const struct raw_transaction *list, size_t count,
                                       struct bursar_error *err)
{
    struct process *process = ctx;
    if (!seam_enter(process, "submit_start"))
        return seam_dead(err);
    witness_all(process, list, count);
    /* Not asked when it dies now: what is under way stays so, and is forgotten with the connection. */
    return seam_leave(process, "submit_start", process->chain.submit_start(process->chain.ctx, lane, list, count, err),
                      err);
}

static enum bursar_status submit_finish(void *ctx, size_t lane, const struct raw_transaction *list, size_t count,
                                        struct submit_result *ret, struct bursar_error *err)
{
    struct process *process = ctx;
    fill(ret, count, SUBMIT_UNKNOWN);
    if (!seam_enter(process, "submit_finish"))
        return seam_dead(err);
    enum bursar_status status = process->chain.submit_finish(process->chain.ctx, lane, list, count, ret, err);
    way_judge(&process->way, ret, count);
    trace_verdicts(process, ret, count);
    return seam_leave(process, "submit_finish", status, err);
}

struct chain seam_chain(struct process *process)
{
    return (struct chain){ .ctx = process,
                           .observe = observe,
                           .blocks = blocks,
                           .receipts = receipts,
                           .transactions = transactions,
                           .bodies = bodies,
                           .has_code = has_code,
                           .token_balances = token_balances,
                           .estimate = estimate,
                           .submit = submit,
                           .lanes = process->chain.lanes,
                           .submit_start = submit_start,
                           .submit_finish = submit_finish };
}

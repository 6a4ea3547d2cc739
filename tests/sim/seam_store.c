/* The store's seam: every write carries a token, and is witnessed with it. Only what an executor calls is here. */
#include "process.h"

#include "base/bytes.h"

#define READ(name, parameters, ...)                                                                                    \
    static enum bursar_status name parameters                                                                          \
    {                                                                                                                  \
        struct process *process = ctx;                                                                                 \
        if (!seam_enter(process, #name))                                                                               \
            return seam_dead(err);                                                                                     \
        return seam_leave(process, #name, process->store.name(process->store.ctx, __VA_ARGS__, err), err);             \
    }

#define WRITE(name, parameters, ...)                                                                                   \
    static enum bursar_status name parameters                                                                          \
    {                                                                                                                  \
        struct process *process = ctx;                                                                                 \
        if (!seam_enter(process, #name))                                                                               \
            return seam_dead(err);                                                                                     \
        enum bursar_status status = process->store.name(process->store.ctx, fence, __VA_ARGS__, err);                  \
        witness_write(process->setup->witness, fence.lease_epoch, #name, status);                                      \
        return seam_leave(process, #name, status, err);                                                                \
    }

READ(treasury_get, (void *ctx, int64_t id, struct treasury *ret, struct bursar_error *err), id, ret)
READ(due_select,
     (void *ctx, int64_t treasury, bool has_final, uint64_t final_time_s, uint64_t final_epoch, size_t limit,
      struct due_row *ret, size_t *ret_count, struct bursar_error *err),
     treasury, has_final, final_time_s, final_epoch, limit, ret, ret_count)
READ(tokens_wanted,
     (void *ctx, int64_t treasury, size_t limit, struct bursar_address *ret, size_t *ret_count,
      struct bursar_error *err),
     treasury, limit, ret, ret_count)
READ(flights_select,
     (void *ctx, int64_t treasury, uint64_t from_nonce, size_t limit, struct flight *ret, size_t *ret_count,
      struct bursar_error *err),
     treasury, from_nonce, limit, ret, ret_count)
READ(older_attempts_select,
     (void *ctx, int64_t intent, size_t limit, struct older_attempt *ret, size_t *ret_count, struct bursar_error *err),
     intent, limit, ret, ret_count)
READ(cancels_select,
     (void *ctx, int64_t treasury, size_t limit, struct cancel_request *ret, size_t *ret_count,
      struct bursar_error *err),
     treasury, limit, ret, ret_count)
READ(attempt_raw, (void *ctx, int64_t attempt, uint8_t **ret, size_t *ret_bytes, struct bursar_error *err), attempt,
     ret, ret_bytes)
READ(included_select,
     (void *ctx, int64_t treasury, uint64_t number, size_t limit, struct included_attempt *ret, size_t *ret_count,
      struct bursar_error *err),
     treasury, number, limit, ret, ret_count)
READ(scanned_select,
     (void *ctx, int64_t treasury, uint64_t from_number, size_t limit, struct block_mark *ret, size_t *ret_count,
      struct bursar_error *err),
     treasury, from_number, limit, ret, ret_count)
READ(lane_read, (void *ctx, int64_t treasury, struct lane *ret, struct bursar_error *err), treasury, ret)
READ(work_left, (void *ctx, int64_t treasury, struct work_left *ret, struct bursar_error *err), treasury, ret)
READ(snapshot_read, (void *ctx, int64_t treasury, struct snapshot *ret, struct bursar_error *err), treasury, ret)
READ(intents,
     (void *ctx, int64_t treasury, uint64_t from_nonce, size_t limit, intent_visitor *visit, void *visit_ctx,
      struct bursar_error *err),
     treasury, from_nonce, limit, visit, visit_ctx)
READ(contents,
     (void *ctx, int64_t treasury, int64_t after_id, size_t limit, content_visitor *visit, void *visit_ctx,
      struct bursar_error *err),
     treasury, after_id, limit, visit, visit_ctx)
READ(breaker_load, (void *ctx, int64_t treasury, struct breaker_record *ret, struct bursar_error *err), treasury, ret)
WRITE(lease_renew, (void *ctx, struct fence fence, uint64_t now_ms, struct bursar_error *err), now_ms)
WRITE(block,
      (void *ctx, struct fence fence, const struct block_decision *decisions, size_t count, struct bursar_error *err),
      decisions, count)
WRITE(submissions_record,
      (void *ctx, struct fence fence, uint64_t now_ms, const struct submission *submissions, size_t count,
       struct bursar_error *err),
      now_ms, submissions, count)
WRITE(snapshot_save,
      (void *ctx, struct fence fence, const struct snapshot *snapshot, enum halt_code halt, const char *halt_reason,
       struct bursar_error *err),
      snapshot, halt, halt_reason)
WRITE(breaker_save,
      (void *ctx, struct fence fence, const struct bursar_breaker_memory *memory, uint64_t *ret_version,
       struct bursar_error *err),
      memory, ret_version)
/* Where there is nothing to wake, nothing is written, and nobody is asked for a token. */
static enum bursar_status woken(struct process *process, struct fence fence, const char *call,
                                enum bursar_status status, size_t count, struct bursar_error *err)
{
    if (status != BURSAR_OK || count > 0)
        witness_write(process->setup->witness, fence.lease_epoch, call, status);
    return seam_leave(process, call, status, err);
}

static enum bursar_status dependents_wake(void *ctx, struct fence fence, size_t limit, size_t *ret_count,
                                          struct bursar_error *err)
{
    struct process *process = ctx;
    if (!seam_enter(process, "dependents_wake"))
        return seam_dead(err);
    *ret_count = 0;
    enum bursar_status status = process->store.dependents_wake(process->store.ctx, fence, limit, ret_count, err);
    return woken(process, fence, "dependents_wake", status, *ret_count, err);
}

static enum bursar_status funded_wake(void *ctx, struct fence fence, const struct bursar_amount *affordable,
                                      size_t limit, size_t *ret_count, struct bursar_error *err)
{
    struct process *process = ctx;
    if (!seam_enter(process, "funded_wake"))
        return seam_dead(err);
    *ret_count = 0;
    enum bursar_status status =
        process->store.funded_wake(process->store.ctx, fence, affordable, limit, ret_count, err);
    return woken(process, fence, "funded_wake", status, *ret_count, err);
}

static enum bursar_status token_funded_wake(void *ctx, struct fence fence, const struct bursar_address *token,
                                            const struct bursar_amount *affordable, size_t limit, size_t *ret_count,
                                            struct bursar_error *err)
{
    struct process *process = ctx;
    if (!seam_enter(process, "token_funded_wake"))
        return seam_dead(err);
    *ret_count = 0;
    enum bursar_status status =
        process->store.token_funded_wake(process->store.ctx, fence, token, affordable, limit, ret_count, err);
    return woken(process, fence, "token_funded_wake", status, *ret_count, err);
}

static enum bursar_status recheck_wake(void *ctx, struct fence fence, uint64_t number, bool also_unestimated,
                                       size_t limit, size_t *ret_count, struct bursar_error *err)
{
    struct process *process = ctx;
    if (!seam_enter(process, "recheck_wake"))
        return seam_dead(err);
    *ret_count = 0;
    enum bursar_status status =
        process->store.recheck_wake(process->store.ctx, fence, number, also_unestimated, limit, ret_count, err);
    return woken(process, fence, "recheck_wake", status, *ret_count, err);
}

static enum bursar_status treasury_pin(void *ctx, int64_t id, const struct bursar_hash *genesis, uint64_t first_nonce,
                                       const struct block_mark *anchor, const struct block_mark *scan,
                                       struct bursar_error *err)
{
    struct process *process = ctx;
    const struct bursar_hash true_genesis = seam_true_genesis(process);
    if (!seam_enter(process, "treasury_pin"))
        return seam_dead(err);
    if (!hash_equal(genesis, &true_genesis))
        process->setup->witness->is_pinned_wrongly = true;
    enum bursar_status status =
        process->store.treasury_pin(process->store.ctx, id, genesis, first_nonce, anchor, scan, err);
    return seam_leave(process, "treasury_pin", status, err);
}

static enum bursar_status settle(void *ctx, struct fence fence, uint64_t now_ms, const struct settlement *settlement,
                                 struct bursar_error *err)
{
    struct process *process = ctx;
    if (!seam_enter(process, "settle"))
        return seam_dead(err);
    seam_acts(process, "settle");
    if (settlement->has_fork)
        trace_line(process->setup->trace, "      %s goes back to block %llu", process->name,
                   (unsigned long long)settlement->fork_number);
    if (settlement->has_scan)
        trace_line(process->setup->trace, "      %s has read up to block %llu (%02x%02x), %zu included", process->name,
                   (unsigned long long)settlement->scan.number, settlement->scan.hash.bytes[0],
                   settlement->scan.hash.bytes[1], settlement->included_count);
    if (settlement->has_anchor)
        trace_line(process->setup->trace, "      %s anchors block %llu", process->name,
                   (unsigned long long)settlement->anchor.number);
    enum bursar_status status = process->store.settle(process->store.ctx, fence, now_ms, settlement, err);
    witness_write(process->setup->witness, fence.lease_epoch, "settle", status);
    money_witness_settled(&process->setup->witness->money, &process->money, now_ms, settlement, status);
    return seam_leave(process, "settle", status, err);
}

/* What a stranger's is held against before anything is freed for it (INV-4). */
struct freeing {
    const struct process *process;
    const struct sim_transaction *tx;
    int64_t owes; /* 0: nobody */
};

/* Strangers send the coin only. */
static enum bursar_status hold_against(void *ctx, const struct content_record *content)
{
    struct freeing *freeing = ctx;
    if (content->state != STATE_FINALIZED && content->state != STATE_CANCELLED && !content->asset.is_token &&
        address_equal(&content->destination, &freeing->tx->to) &&
        bursar_amount_compare(content->amount, freeing->tx->value) == 0)
        freeing->owes = content->id;
    return BURSAR_OK;
}

/* Rightly freed: somebody else's, of this nonce, in a block that is final, and nothing that is owed. */
static void judge_freeing(const struct process *process, struct fence fence, const struct adopted_nonce *nonce)
{
    const struct process_setup *setup = process->setup;
    const struct sim_chain *chain = setup->true_chain;
    struct witness *witness = setup->witness;
    struct bursar_error ignored = { 0 };
    uint32_t index = sim_chain_find(chain, &nonce->hash);
    struct freeing freeing = { .process = process,
                               .tx = index == SIM_NONE ? NULL : sim_chain_transaction(chain, index) };
    const struct sim_transaction *tx = freeing.tx;
    if (nonce->purpose != PURPOSE_FOREIGN)
        return;
    if (!tx || !tx->is_foreign || tx->nonce != nonce->nonce || tx->canonical == SIM_NONE ||
        sim_chain_block(chain, sim_chain_inclusion(chain, tx->canonical)->block)->number >
            sim_chain_final_number(chain)) {
        finding_add(witness->finding, PROPERTY_FREED, *witness->step, "nonce %llu was given up without proof",
                    (unsigned long long)nonce->nonce);
        return;
    }
    if (process->store.contents(process->store.ctx, fence.treasury, 0, LIST_MAX_ROWS, hold_against, &freeing,
                                &ignored) == BURSAR_OK &&
        freeing.owes)
        finding_add(witness->finding, PROPERTY_FREED, *witness->step,
                    "nonce %llu was given up for what pays disbursement %lld", (unsigned long long)nonce->nonce,
                    (long long)freeing.owes);
}

static enum bursar_status exhibited(void *ctx, struct fence fence, uint64_t now_ms, const struct adopted_nonce *nonces,
                                    size_t count, struct bursar_error *err)
{
    struct process *process = ctx;
    if (!seam_enter(process, "exhibited"))
        return seam_dead(err);
    for (size_t i = 0; i < count; i++)
        judge_freeing(process, fence, &nonces[i]);
    enum bursar_status status = process->store.exhibited(process->store.ctx, fence, now_ms, nonces, count, err);
    witness_write(process->setup->witness, fence.lease_epoch, "exhibited", status);
    money_witness_exhibited(&process->setup->witness->money, now_ms, nonces, count, status);
    return seam_leave(process, "exhibited", status, err);
}

static enum bursar_status bind(void *ctx, struct fence fence, uint64_t now_ms, const struct binding *bindings,
                               size_t count, struct bursar_error *err)
{
    struct process *process = ctx;
    if (!seam_enter(process, "bind"))
        return seam_dead(err);
    seam_acts(process, "bind");
    money_witness_fence(&process->setup->witness->money, fence, "bind");
    enum bursar_status status = process->store.bind(process->store.ctx, fence, now_ms, bindings, count, err);
    witness_write(process->setup->witness, fence.lease_epoch, "bind", status);
    if (status == BURSAR_OK && count > 0)
        witness_bound(process->setup->witness, bindings[count - 1].nonce, count, process->setup->config.batch_size,
                      process->setup->config.max_in_flight);
    if (process->setup->has_breaker)
        witness_spent(process->setup->witness, "bind", status);
    money_witness_bound(&process->setup->witness->money, &process->money, process->wall_offset_ms, now_ms, bindings,
                        count, status);
    return seam_leave(process, "bind", status, err);
}

static enum bursar_status attempts_add(void *ctx, struct fence fence, uint64_t now_ms,
                                       const struct new_attempt *attempts, size_t count, struct bursar_error *err)
{
    struct process *process = ctx;
    if (!seam_enter(process, "attempts_add"))
        return seam_dead(err);
    seam_acts(process, "attempts_add");
    money_witness_fence(&process->setup->witness->money, fence, "attempts_add");
    enum bursar_status status = process->store.attempts_add(process->store.ctx, fence, now_ms, attempts, count, err);
    witness_write(process->setup->witness, fence.lease_epoch, "attempts_add", status);
    if (process->setup->has_breaker)
        witness_spent(process->setup->witness, "attempts_add", status);
    money_witness_staged(&process->setup->witness->money, &process->money, attempts, count, status);
    /* A commit that failed may be found whole after a crash; what was fenced or stale is certainly not there. */
    for (size_t i = 0; i < count && status != BURSAR_EFENCED && status != BURSAR_ESTALE; i++)
        witness_staged(process->setup->witness, &attempts[i].hash);
    return seam_leave(process, "attempts_add", status, err);
}

static enum bursar_status lease_take(void *ctx, int64_t treasury, const char *holder, uint64_t ttl_ms, uint64_t now_ms,
                                     struct fence *ret, struct bursar_error *err)
{
    struct process *process = ctx;
    if (!seam_enter(process, "lease_take"))
        return seam_dead(err);
    enum bursar_status status =
        process->store.lease_take(process->store.ctx, treasury, holder, ttl_ms, now_ms, ret, err);
    if (status == BURSAR_OK)
        witness_taken(process->setup->witness, ret->lease_epoch);
    return seam_leave(process, "lease_take", status, err);
}

/* Also a dead process's locks go: with its handle, when it is cleared away. */
static enum bursar_status lease_release(void *ctx, struct fence fence, struct bursar_error *err)
{
    struct process *process = ctx;
    if (!seam_enter(process, "lease_release"))
        return seam_dead(err);
    enum bursar_status status = process->store.lease_release(process->store.ctx, fence, err);
    witness_write(process->setup->witness, fence.lease_epoch, "lease_release", status);
    return seam_leave(process, "lease_release", status, err);
}

/* --- the money breaker --- */

static enum bursar_status money_load(void *ctx, int64_t treasury, struct money_record *ret, struct bursar_error *err)
{
    struct process *process = ctx;
    if (!seam_enter(process, "money_load"))
        return seam_dead(err);
    enum bursar_status status = process->store.money_load(process->store.ctx, treasury, ret, err);
    if (status == BURSAR_OK) {
        process->money.record = *ret;
        money_witness_loaded(&process->setup->witness->money, ret);
    }
    return seam_leave(process, "money_load", status, err);
}

static enum bursar_status money_incidents(void *ctx, int64_t treasury, uint64_t since_ms, struct money_incidents *ret,
                                          struct bursar_error *err)
{
    struct process *process = ctx;
    if (!seam_enter(process, "money_incidents"))
        return seam_dead(err);
    process->money.reverts_since_ms = since_ms;
    enum bursar_status status = process->store.money_incidents(process->store.ctx, treasury, since_ms, ret, err);
    return seam_leave(process, "money_incidents", status, err);
}

static enum bursar_status money_spent(void *ctx, int64_t treasury, const struct asset *asset, uint64_t since_ms,
                                      struct bursar_amount *ret, struct bursar_error *err)
{
    struct process *process = ctx;
    process->money.hour_offset_ms = process->wall_offset_ms;
    if (!seam_enter(process, "money_spent"))
        return seam_dead(err);
    enum bursar_status status = process->store.money_spent(process->store.ctx, treasury, asset, since_ms, ret, err);
    return seam_leave(process, "money_spent", status, err);
}

static enum bursar_status money_payments(void *ctx, int64_t treasury, uint64_t since_ms, uint64_t *ret,
                                         struct bursar_error *err)
{
    struct process *process = ctx;
    process->money.hour_offset_ms = process->wall_offset_ms;
    if (!seam_enter(process, "money_payments"))
        return seam_dead(err);
    enum bursar_status status = process->store.money_payments(process->store.ctx, treasury, since_ms, ret, err);
    return seam_leave(process, "money_payments", status, err);
}

static enum bursar_status money_trip(void *ctx, struct fence fence, uint64_t now_ms, enum money_cause cause,
                                     const char *detail, uint64_t *ret_version, struct bursar_error *err)
{
    struct process *process = ctx;
    if (!seam_enter(process, "money_trip"))
        return seam_dead(err);
    enum bursar_status status =
        process->store.money_trip(process->store.ctx, fence, now_ms, cause, detail, ret_version, err);
    witness_write(process->setup->witness, fence.lease_epoch, "money_trip", status);
    money_witness_tripped(&process->setup->witness->money, cause, status);
    if (status == BURSAR_OK)
        trace_headline(process->setup->trace, "      %s opens the money breaker: %s", process->name, detail);
    return seam_leave(process, "money_trip", status, err);
}

struct store seam_store(struct process *process)
{
    return (struct store){ .ctx = process,
                           .treasury_get = treasury_get,
                           .treasury_pin = treasury_pin,
                           .due_select = due_select,
                           .tokens_wanted = tokens_wanted,
                           .flights_select = flights_select,
                           .older_attempts_select = older_attempts_select,
                           .cancels_select = cancels_select,
                           .attempt_raw = attempt_raw,
                           .included_select = included_select,
                           .scanned_select = scanned_select,
                           .lane_read = lane_read,
                           .work_left = work_left,
                           .snapshot_read = snapshot_read,
                           .intents = intents,
                           .breaker_load = breaker_load,
                           .lease_take = lease_take,
                           .lease_renew = lease_renew,
                           .lease_release = lease_release,
                           .dependents_wake = dependents_wake,
                           .funded_wake = funded_wake,
                           .token_funded_wake = token_funded_wake,
                           .recheck_wake = recheck_wake,
                           .block = block,
                           .bind = bind,
                           .attempts_add = attempts_add,
                           .submissions_record = submissions_record,
                           .settle = settle,
                           .exhibited = exhibited,
                           .contents = contents,
                           .snapshot_save = snapshot_save,
                           .breaker_save = breaker_save,
                           .money_load = money_load,
                           .money_incidents = money_incidents,
                           .money_spent = money_spent,
                           .money_payments = money_payments,
                           .money_trip = money_trip };
}

/* Every call that an executor makes passes through here; the others go to the store below. */
#include "crashing_store.h"

#include <string.h>

static enum bursar_status dead(struct bursar_error *err)
{
    return bursar_fail(err, BURSAR_ESTORAGE, "this process is dead");
}

static void play(struct crashing_store *store, const char *name)
{
    void (*interlude)(void *) = store->interlude;
    if (!interlude || strcmp(store->interlude_at, name) != 0)
        return;
    store->interlude = NULL;
    interlude(store->interlude_ctx);
}

static bool dies_before(struct crashing_store *store, const char *name)
{
    if (*store->is_dead)
        return true;
    play(store, name);
    store->writes++;
    store->last = name;
    if (store->writes == store->die_at && !store->die_after)
        *store->is_dead = true;
    return *store->is_dead;
}

static enum bursar_status then_dies(struct crashing_store *store, enum bursar_status status, struct bursar_error *err)
{
    if (store->writes != store->die_at || !store->die_after)
        return status;
    *store->is_dead = true;
    return dead(err);
}

#define PASS_WRITE(name, parameters, ...)                                                                              \
    static enum bursar_status name parameters                                                                          \
    {                                                                                                                  \
        struct crashing_store *store = ctx;                                                                            \
        if (dies_before(store, #name))                                                                                 \
            return dead(err);                                                                                          \
        return then_dies(store, store->inner.name(store->inner.ctx, __VA_ARGS__, err), err);                           \
    }

#define PASS_READ(name, parameters, ...)                                                                               \
    static enum bursar_status name parameters                                                                          \
    {                                                                                                                  \
        struct crashing_store *store = ctx;                                                                            \
        return *store->is_dead ? dead(err) : store->inner.name(store->inner.ctx, __VA_ARGS__, err);                    \
    }

PASS_WRITE(treasury_pin,
           (void *ctx, int64_t id, const struct bursar_hash *genesis, uint64_t first_nonce,
            const struct block_mark *anchor, const struct block_mark *scan, struct bursar_error *err),
           id, genesis, first_nonce, anchor, scan)
PASS_WRITE(lease_take,
           (void *ctx, int64_t treasury, const char *holder, uint64_t ttl_ms, uint64_t now_ms, struct fence *ret,
            struct bursar_error *err),
           treasury, holder, ttl_ms, now_ms, ret)
PASS_WRITE(lease_renew, (void *ctx, struct fence fence, uint64_t now_ms, struct bursar_error *err), fence, now_ms)
PASS_WRITE(lease_release, (void *ctx, struct fence fence, struct bursar_error *err), fence)
PASS_WRITE(dependents_wake, (void *ctx, struct fence fence, size_t limit, size_t *ret_count, struct bursar_error *err),
           fence, limit, ret_count)
PASS_WRITE(funded_wake,
           (void *ctx, struct fence fence, const struct bursar_amount *affordable, size_t limit, size_t *ret_count,
            struct bursar_error *err),
           fence, affordable, limit, ret_count)
PASS_WRITE(token_funded_wake,
           (void *ctx, struct fence fence, const struct bursar_address *token, const struct bursar_amount *affordable,
            size_t limit, size_t *ret_count, struct bursar_error *err),
           fence, token, affordable, limit, ret_count)
PASS_WRITE(recheck_wake,
           (void *ctx, struct fence fence, uint64_t number, bool also_unestimated, size_t limit, size_t *ret_count,
            struct bursar_error *err),
           fence, number, also_unestimated, limit, ret_count)
PASS_WRITE(block,
           (void *ctx, struct fence fence, const struct block_decision *decisions, size_t count,
            struct bursar_error *err),
           fence, decisions, count)
PASS_WRITE(bind,
           (void *ctx, struct fence fence, uint64_t now_ms, const struct binding *bindings, size_t count,
            struct bursar_error *err),
           fence, now_ms, bindings, count)
PASS_WRITE(attempts_add,
           (void *ctx, struct fence fence, uint64_t now_ms, const struct new_attempt *attempts, size_t count,
            struct bursar_error *err),
           fence, now_ms, attempts, count)
PASS_WRITE(submissions_record,
           (void *ctx, struct fence fence, uint64_t now_ms, const struct submission *submissions, size_t count,
            struct bursar_error *err),
           fence, now_ms, submissions, count)
PASS_WRITE(settle,
           (void *ctx, struct fence fence, uint64_t now_ms, const struct settlement *settlement,
            struct bursar_error *err),
           fence, now_ms, settlement)
PASS_WRITE(exhibited,
           (void *ctx, struct fence fence, uint64_t now_ms, const struct adopted_nonce *nonces, size_t count,
            struct bursar_error *err),
           fence, now_ms, nonces, count)
PASS_WRITE(snapshot_save,
           (void *ctx, struct fence fence, const struct snapshot *snapshot, enum halt_code halt,
            const char *halt_reason, struct bursar_error *err),
           fence, snapshot, halt, halt_reason)

PASS_READ(treasury_get, (void *ctx, int64_t id, struct treasury *ret, struct bursar_error *err), id, ret)
PASS_READ(due_select,
          (void *ctx, int64_t treasury, bool has_final, uint64_t final_time_s, uint64_t final_epoch, size_t limit,
           struct due_row *ret, size_t *ret_count, struct bursar_error *err),
          treasury, has_final, final_time_s, final_epoch, limit, ret, ret_count)
PASS_READ(tokens_wanted,
          (void *ctx, int64_t treasury, size_t limit, struct bursar_address *ret, size_t *ret_count,
           struct bursar_error *err),
          treasury, limit, ret, ret_count)
PASS_READ(flights_select,
          (void *ctx, int64_t treasury, uint64_t from_nonce, size_t limit, struct flight *ret, size_t *ret_count,
           struct bursar_error *err),
          treasury, from_nonce, limit, ret, ret_count)
PASS_READ(older_attempts_select,
          (void *ctx, int64_t intent, size_t limit, struct older_attempt *ret, size_t *ret_count,
           struct bursar_error *err),
          intent, limit, ret, ret_count)
PASS_READ(cancels_select,
          (void *ctx, int64_t treasury, size_t limit, struct cancel_request *ret, size_t *ret_count,
           struct bursar_error *err),
          treasury, limit, ret, ret_count)
PASS_READ(attempt_raw, (void *ctx, int64_t attempt, uint8_t **ret, size_t *ret_bytes, struct bursar_error *err),
          attempt, ret, ret_bytes)
PASS_READ(included_select,
          (void *ctx, int64_t treasury, uint64_t number, size_t limit, struct included_attempt *ret, size_t *ret_count,
           struct bursar_error *err),
          treasury, number, limit, ret, ret_count)
PASS_READ(scanned_select,
          (void *ctx, int64_t treasury, uint64_t from_number, size_t limit, struct block_mark *ret, size_t *ret_count,
           struct bursar_error *err),
          treasury, from_number, limit, ret, ret_count)
PASS_READ(lane_read, (void *ctx, int64_t treasury, struct lane *ret, struct bursar_error *err), treasury, ret)
PASS_READ(work_left, (void *ctx, int64_t treasury, struct work_left *ret, struct bursar_error *err), treasury, ret)
PASS_READ(snapshot_read, (void *ctx, int64_t treasury, struct snapshot *ret, struct bursar_error *err), treasury, ret)
PASS_READ(intents,
          (void *ctx, int64_t treasury, uint64_t from_nonce, size_t limit, intent_visitor *visit, void *visit_ctx,
           struct bursar_error *err),
          treasury, from_nonce, limit, visit, visit_ctx)

PASS_READ(contents,
          (void *ctx, int64_t treasury, int64_t after_id, size_t limit, content_visitor *visit, void *visit_ctx,
           struct bursar_error *err),
          treasury, after_id, limit, visit, visit_ctx)
PASS_READ(breaker_load, (void *ctx, int64_t treasury, struct breaker_record *ret, struct bursar_error *err), treasury,
          ret)
PASS_WRITE(breaker_save,
           (void *ctx, struct fence fence, const struct bursar_breaker_memory *memory, uint64_t *ret_version,
            struct bursar_error *err),
           fence, memory, ret_version)
PASS_READ(money_load, (void *ctx, int64_t treasury, struct money_record *ret, struct bursar_error *err), treasury, ret)
PASS_READ(money_incidents,
          (void *ctx, int64_t treasury, uint64_t since_ms, struct money_incidents *ret, struct bursar_error *err),
          treasury, since_ms, ret)
PASS_READ(money_spent,
          (void *ctx, int64_t treasury, const struct asset *asset, uint64_t since_ms, struct bursar_amount *ret,
           struct bursar_error *err),
          treasury, asset, since_ms, ret)
PASS_READ(money_payments, (void *ctx, int64_t treasury, uint64_t since_ms, uint64_t *ret, struct bursar_error *err),
          treasury, since_ms, ret)
PASS_WRITE(money_trip,
           (void *ctx, struct fence fence, uint64_t now_ms, enum money_cause cause, const char *detail,
            uint64_t *ret_version, struct bursar_error *err),
           fence, now_ms, cause, detail, ret_version)

struct store crashing_store_interface(struct crashing_store *store)
{
    return (struct store){
        .ctx = store,
        .treasury_pin = treasury_pin,
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
        .treasury_get = treasury_get,
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
        .breaker_save = breaker_save,
        .money_load = money_load,
        .money_incidents = money_incidents,
        .money_spent = money_spent,
        .money_payments = money_payments,
        .money_trip = money_trip,
    };
}

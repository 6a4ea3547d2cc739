/* Who may work: the signing log's lock first, then the lease (INV-12); losing one gives back both. */
#include "executor/tick.h"

#include <stdio.h>

static uint64_t monotonic_ms(const struct executor *executor)
{
    return executor->env.clock.monotonic_ms(executor->env.clock.ctx);
}

static uint64_t wall_ms(const struct executor *executor)
{
    return executor->env.clock.wall_ms(executor->env.clock.ctx);
}

void tick_drop_lease(struct executor *executor)
{
    struct store *store = &executor->env.store;
    tick_forget_outgoing(executor);
    if (executor->holds_lease) {
        struct bursar_error err = { 0 };
        enum bursar_status status = store->lease_release(store->ctx, executor->fence, &err);
        if (status != BURSAR_OK && status != BURSAR_EFENCED)
            note(&executor->env.notes, NOTE_WARN, "the lease could not be released: %s", err.message);
    }
    if (executor->signer_ready)
        executor->env.signer.release(executor->env.signer.ctx);
    executor->holds_lease = executor->signer_ready = false;
}

/* *ret_busy: another process has the signing log. Any other failure is remembered as a halt: without a signer there is
 * still something to observe and to say. */
static void acquire_signer(struct executor *executor, bool *ret_busy)
{
    struct signer *signer = &executor->env.signer;
    struct bursar_error err = { 0 };
    enum bursar_status status = signer->acquire(signer->ctx, &err);
    *ret_busy = status == BURSAR_EBUSY;
    executor->signer_ready = status == BURSAR_OK;
    executor->signer_verdict = (struct verdict){ 0 };
    executor->log_compared = false;
    if (status == BURSAR_OK || status == BURSAR_EBUSY)
        return;
    executor->signer_verdict.halt = status == BURSAR_ENOTFOUND ? HALT_SIGNING_LOG_LOST : HALT_SIGNER;
    executor->signer_verdict.holds = true;
    (void)snprintf(executor->signer_verdict.reason, sizeof executor->signer_verdict.reason, "%s", err.message);
}

static enum bursar_status take(struct executor *executor, bool *ret_held, struct bursar_error *err)
{
    struct store *store = &executor->env.store;
    bool busy = false;
    if (!executor->signer_ready)
        acquire_signer(executor, &busy);
    *ret_held = false;
    if (busy)
        return BURSAR_OK;
    enum bursar_status status =
        store->lease_take(store->ctx, executor->config.treasury, executor->identity, executor->config.lease_ttl_ms,
                          wall_ms(executor), &executor->fence, err);
    if (status == BURSAR_OK)
        status = store->snapshot_read(store->ctx, executor->config.treasury, &executor->snapshot, err);
    if (status != BURSAR_OK) {
        if (executor->signer_ready)
            executor->env.signer.release(executor->env.signer.ctx);
        executor->signer_ready = false;
        return status == BURSAR_EBUSY ? BURSAR_OK : status;
    }
    executor->holds_lease = *ret_held = true;
    executor->log_compared = false;
    executor->renewed_at_ms = monotonic_ms(executor);
    executor->snapshot_at_ms = 0;
    executor->lag_ticks = 0;
    note(&executor->env.notes, NOTE_INFO, "holds the lease (epoch %llu)",
         (unsigned long long)executor->fence.lease_epoch);
    return BURSAR_OK;
}

enum bursar_status tick_lease(struct executor *executor, bool *ret_held, struct bursar_error *err)
{
    struct store *store = &executor->env.store;
    if (!executor->holds_lease)
        return take(executor, ret_held, err);
    *ret_held = true;
    if (!executor->signer_ready) { /* a log that was put back ends its halt */
        bool busy;
        acquire_signer(executor, &busy);
        if (busy) {
            tick_drop_lease(executor);
            *ret_held = false;
            return BURSAR_OK;
        }
    }
    uint64_t now_ms = monotonic_ms(executor);
    if (now_ms - executor->renewed_at_ms < executor->config.lease_ttl_ms / 3)
        return BURSAR_OK;
    enum bursar_status status = store->lease_renew(store->ctx, executor->fence, wall_ms(executor), err);
    if (status == BURSAR_OK)
        executor->renewed_at_ms = now_ms;
    return status;
}

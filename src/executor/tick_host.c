/* What an embedder has a say in before anything is bound: whether a due row is ready, and how low nonces may be. It can
 * hold back and refuse; it can make nothing due that is not. */
#include "executor/tick.h"

#include <stdio.h>
#include <stdlib.h>

#define CHECKS_PER_TICK 1000
#define OFFSET_MAX_ROWS 100000 /* a round through the rows that wait for the host starts anew here */

static enum bursar_status refuse(struct executor *executor, const struct due_row *row, const struct bursar_error *why,
                                 struct bursar_error *err)
{
    struct store *store = &executor->env.store;
    uint64_t now_ms = executor->env.clock.wall_ms(executor->env.clock.ctx);
    const char *reason = *why->message ? why->message : "the host's dependency_check refused it";
    enum bursar_status status =
        store->host_refuse(store->ctx, executor->fence, now_ms, row->id, row->version, reason, err);
    return status == BURSAR_ESTALE ? BURSAR_OK : status; /* somebody else has moved it: nothing to refuse any more */
}

/* *ret_ready: it is to be bound; *ret_stays: it will be due again. */
static enum bursar_status ask(struct executor *executor, struct tick *tick, const struct due_row *row, bool *ret_ready,
                              bool *ret_stays, struct bursar_error *err)
{
    const struct executor_host *host = &executor->env.host;
    const struct executor_meters *meters = &executor->env.meters;
    struct bursar_error why = { .status = BURSAR_EUNREACHABLE };
    *ret_ready = *ret_stays = false;
    switch (host->check(host->ctx, row, &why)) {
    case HOST_READY:
        *ret_ready = true;
        return BURSAR_OK;
    case HOST_WAIT:
        *ret_stays = true;
        return BURSAR_OK;
    case HOST_ERROR: /* holds up this row, and no other */
        *ret_stays = true;
        if (meters->host_check)
            meters->host_check(meters->ctx, false);
        tick_note_fault(executor, tick, &why);
        return BURSAR_OK;
    case HOST_CANCELLED:
        if (meters->host_check)
            meters->host_check(meters->ctx, true);
        return refuse(executor, row, &why, err);
    }
    return bursar_fail(err, BURSAR_EINTERNAL, "disbursement %lld: the host gave an answer that is none",
                       (long long)row->id);
}

/* Asks about rows [host_offset, ...) until `size` are ready. Rows that wait stay at the head of the queue: the next
 * tick starts behind them, and in the end from the first again, so that none hides the others. */
static enum bursar_status ask_about(struct executor *executor, struct tick *tick, const struct due_row *rows,
                                    size_t count, size_t size, struct due_row *ret, size_t *ret_count,
                                    struct bursar_error *err)
{
    const size_t first = executor->host_offset;
    size_t ready = 0, stayed = 0, i = first;
    for (; i < count && ready < size; i++) {
        bool is_ready = false, stays = false;
        enum bursar_status status = ask(executor, tick, &rows[i], &is_ready, &stays, err);
        if (status != BURSAR_OK)
            return status;
        if (is_ready)
            ret[ready++] = rows[i];
        stayed += stays;
    }
    const bool at_end = i >= count && count < first + CHECKS_PER_TICK;
    executor->host_offset = at_end || first + stayed > OFFSET_MAX_ROWS ? 0 : first + stayed;
    tick->go_on = tick->go_on || (!at_end && ready < size);
    *ret_count = ready;
    return BURSAR_OK;
}

enum bursar_status tick_host_select(struct executor *executor, struct tick *tick, uint64_t epoch, size_t size,
                                    struct due_row *ret, size_t *ret_count, struct bursar_error *err)
{
    struct store *store = &executor->env.store;
    const struct chain_view *view = &tick->view;
    const size_t limit = executor->host_offset + CHECKS_PER_TICK;
    struct due_row *rows = calloc(limit, sizeof *rows);
    size_t count = 0;
    if (!rows)
        return bursar_fail(err, BURSAR_ENOMEM, "out of memory");
    enum bursar_status status = store->due_select(store->ctx, tick->treasury.id, view->has_final,
                                                  view->final.timestamp_s, epoch, limit, rows, &count, err);
    if (status == BURSAR_OK)
        status = ask_about(executor, tick, rows, count, size, ret, ret_count, err);
    free(rows);
    return status;
}

void tick_host_floor(struct executor *executor, struct tick *tick)
{
    const struct executor_host *host = &executor->env.host;
    if (tick->verdict.holds || !host->nonce_floor)
        return;
    uint64_t floor = 0;
    if (!host->nonce_floor(host->ctx, &floor)) {
        tick->verdict.holds = true;
        return;
    }
    if (tick->lane.next_nonce >= floor)
        return;
    tick->verdict.holds = true;
    (void)snprintf(tick->verdict.reason, sizeof tick->verdict.reason,
                   "nonce_floor is %llu and the next nonce %llu: nothing is bound below the floor",
                   (unsigned long long)floor, (unsigned long long)tick->lane.next_nonce);
}

/* From due to bound: wake what can move on, look at a bounded batch, decide, commit (INV-1, INV-9). */
#include "executor/tick.h"

#include "base/cleanup.h"

#include <stdio.h>
#include <stdlib.h>

#define RECHECKS_MAX_COUNT 16

/* One batch on its way through the checks. */
struct batch {
    struct due_row *rows;
    struct outlook *outlooks;
    struct spending_plan plan;
    size_t count;
};

static void batch_free(struct batch *batch)
{
    free(batch->rows);
    free(batch->outlooks);
    free(batch->plan.bindings);
    free(batch->plan.blocks);
}

static enum bursar_status batch_allocate(struct batch *batch, size_t size, struct bursar_error *err)
{
    batch->rows = calloc(size, sizeof *batch->rows);
    batch->outlooks = calloc(size, sizeof *batch->outlooks);
    batch->plan.bindings = calloc(size, sizeof *batch->plan.bindings);
    batch->plan.blocks = calloc(size, sizeof *batch->plan.blocks);
    if (!batch->rows || !batch->outlooks || !batch->plan.bindings || !batch->plan.blocks)
        return bursar_fail(err, BURSAR_ENOMEM, "out of memory");
    return BURSAR_OK;
}

static enum bursar_status select_due(struct executor *executor, struct tick *tick, size_t size, struct batch *batch,
                                     struct bursar_error *err)
{
    struct store *store = &executor->env.store;
    const struct chain_view *view = &tick->view;
    const struct executor_host *host = &executor->env.host;
    uint64_t epoch = 0;
    if (host->epoch && !host->epoch(host->ctx, &epoch))
        epoch = 0; /* not known: only what waits for epoch 0 is due */
    else if (!host->epoch && view->has_final)
        epoch = plan_epoch(&executor->config.epoch, &view->final);
    executor->snapshot.final_epoch = epoch;
    if (host->check)
        return tick_host_select(executor, tick, epoch, size, batch->rows, &batch->count, err);
    return store->due_select(store->ctx, tick->treasury.id, view->has_final, view->final.timestamp_s, epoch, size,
                             batch->rows, &batch->count, err);
}

/* Blocks and binds as planned. The bound rows show up among the flights. */
static enum bursar_status carry_out(struct executor *executor, const struct batch *batch, struct bursar_error *err)
{
    struct store *store = &executor->env.store;
    const struct spending_plan *plan = &batch->plan;
    uint64_t now_ms = executor->env.clock.wall_ms(executor->env.clock.ctx);
    enum bursar_status status = BURSAR_OK;
    if (plan->block_count)
        status = store->block(store->ctx, executor->fence, plan->blocks, plan->block_count, err);
    if (status == BURSAR_OK && plan->binding_count)
        status = store->bind(store->ctx, executor->fence, now_ms, plan->bindings, plan->binding_count, err);
    if (status == BURSAR_OK && plan->binding_count)
        status = flights_reload(executor, plan->bindings[0].nonce, err);
    return status;
}

/* INV-10: an open breaker binds nothing; a half-open one needs something for its trial, and no more. */
static uint64_t breaker_limit(struct executor *executor)
{
    switch (tick_breaker_state(executor)) {
    case BURSAR_BREAKER_CLOSED:
        return DUE_MAX_ROWS;
    case BURSAR_BREAKER_HALF_OPEN:
        return executor->scratch.flight_count == 0 ? 1 : 0;
    case BURSAR_BREAKER_OPEN:
        return 0;
    }
    return 0;
}

static size_t batch_size(struct executor *executor, const struct tick *tick)
{
    uint64_t limit = breaker_limit(executor);
    uint64_t in_flight = tick->lane.in_flight, most = executor->config.max_in_flight;
    uint64_t room = in_flight < most ? most - in_flight : 0;
    uint64_t size = room < executor->config.batch_size ? room : executor->config.batch_size;
    return (size_t)(size < limit ? size : limit);
}

static enum bursar_status bind_batch(struct executor *executor, struct tick *tick, const struct fees *fees, size_t size,
                                     struct bursar_error *err)
{
    cleanup(batch_free) struct batch batch = { 0 };
    enum bursar_status status = batch_allocate(&batch, size, err);
    if (status == BURSAR_OK)
        status = select_due(executor, tick, size, &batch, err);
    executor->was_nothing_due = status == BURSAR_OK && batch.count == 0;
    if (status != BURSAR_OK || batch.count == 0)
        return status;
    struct purse purses[PURSES_MAX_COUNT];
    size_t purse_count = 0;
    if (!tick_outlooks(executor, tick, batch.rows, batch.count, fees, purses, &purse_count, batch.outlooks))
        return BURSAR_OK;
    struct money_spent spent;
    status = tick_money_spent(executor, batch.rows, batch.count, &spent, err);
    if (status != BURSAR_OK)
        return status;
    const struct spending_terms terms = { .next_nonce = tick->lane.next_nonce,
                                          .head_number = tick->view.latest.block.number,
                                          .max_fee_per_gas_wei = fees->max_fee_per_gas_wei,
                                          .available = executor->snapshot.available,
                                          .purses = purses,
                                          .purse_count = purse_count,
                                          .tags = executor->config.tags,
                                          .limits = &executor->config.money,
                                          .spent = &spent };
    plan_spending(batch.rows, batch.outlooks, batch.count, &terms, &batch.plan);
    status = carry_out(executor, &batch, err);
    if (status != BURSAR_OK)
        return status;
    executor->snapshot.available = batch.plan.available;
    tick->lane.next_nonce += batch.plan.binding_count;
    tick->lane.in_flight += batch.plan.binding_count;
    if (batch.plan.over && batch.plan.binding_count == 0)
        return tick_money_over(executor, tick, &batch.plan, err);
    tick->go_on = tick->go_on || batch.plan.over; /* what is bound is signed first: an open one would not let it */
    tick->go_on = tick->go_on || (batch.count == size && tick->lane.in_flight < executor->config.max_in_flight);
    return BURSAR_OK;
}

/* Rows that wait for a token of which there is more now. */
static enum bursar_status wake_for_tokens(struct executor *executor, struct tick *tick, struct bursar_error *err)
{
    struct store *store = &executor->env.store;
    struct bursar_address tokens[PURSES_MAX_COUNT];
    struct purse purses[PURSES_MAX_COUNT];
    struct bursar_error fault = { 0 };
    size_t count = 0, woken;
    enum bursar_status status =
        store->tokens_wanted(store->ctx, tick->treasury.id, PURSES_MAX_COUNT, tokens, &count, err);
    if (status != BURSAR_OK || count == 0)
        return status;
    for (size_t i = 0; i < count; i++)
        purses[i] = (struct purse){ .token = tokens[i] };
    if (tick_purses(executor, tick, purses, count, &fault) != BURSAR_OK)
        tick_note_fault(executor, tick, &fault);
    for (size_t i = 0; i < count && status == BURSAR_OK; i++) {
        if (purses[i].is_known && !bursar_amount_is_zero(purses[i].available))
            status = store->token_funded_wake(store->ctx, executor->fence, &purses[i].token, &purses[i].available,
                                              executor->config.batch_size, &woken, err);
    }
    return status;
}

/* What was refused is tried again once a block at most, and a part of a batch at most: it may well be refused again. */
static enum bursar_status wake_refused(struct executor *executor, struct tick *tick, struct bursar_error *err)
{
    struct store *store = &executor->env.store;
    const uint64_t head = tick->view.latest.block.number;
    size_t count = 0, most = (executor->config.batch_size + 3) / 4;
    if (head == executor->rechecked_number && !executor->was_nothing_due)
        return BURSAR_OK;
    executor->rechecked_number = head;
    enum bursar_status status = wake_for_tokens(executor, tick, err);
    if (status != BURSAR_OK)
        return status;
    return store->recheck_wake(store->ctx, executor->fence, head, executor->was_nothing_due,
                               most < RECHECKS_MAX_COUNT ? most : RECHECKS_MAX_COUNT, &count, err);
}

/* Rows whose reason to wait has gone: dependents of what settled, and what the balance covers now. */
static enum bursar_status wake(struct executor *executor, struct tick *tick, struct bursar_error *err)
{
    struct store *store = &executor->env.store;
    struct bursar_amount affordable;
    size_t woken = 0, funded = 0;
    enum bursar_status status =
        store->dependents_wake(store->ctx, executor->fence, executor->config.batch_size, &woken, err);
    if (status == BURSAR_OK &&
        bursar_amount_subtract(executor->snapshot.available, executor->snapshot.gas_cost, &affordable))
        status =
            store->funded_wake(store->ctx, executor->fence, &affordable, executor->config.batch_size, &funded, err);
    if (status == BURSAR_OK)
        status = wake_refused(executor, tick, err);
    if (woken >= executor->config.batch_size)
        tick->go_on = true;
    return status;
}

static void note_budget(struct executor *executor, const struct tick *tick, const struct fees *fees)
{
    struct snapshot *snapshot = &executor->snapshot;
    const struct bursar_amount nothing = { 0 };
    plan_available(&tick->view.balance, executor->scratch.flights, executor->scratch.flight_count,
                   fees->max_fee_per_gas_wei, &snapshot->available);
    snapshot->has_available = plan_worst_case(&nothing, plan_transfer_gas(executor->config.tags),
                                              fees->max_fee_per_gas_wei, &snapshot->gas_cost);
}

static enum bursar_status notice_idle(struct executor *executor, struct tick *tick, struct bursar_error *err)
{
    struct store *store = &executor->env.store;
    struct work_left left;
    enum bursar_status status = store->work_left(store->ctx, tick->treasury.id, &left, err);
    if (status == BURSAR_OK)
        tick->settled_idle = !left.unfinished && !left.ready && !left.to_wake;
    return status;
}

/* Nothing is mined above a nonce that is not: more of them would only wait as well. */
static bool hold_stuck(struct executor *executor, struct tick *tick)
{
    const struct flight *lowest = executor->scratch.flights;
    struct fees fees;
    if (executor->scratch.flight_count == 0 || tick_replacement(executor, tick, lowest, &fees) != REPLACE_AT_CAP)
        return false;
    tick->verdict.holds = true;
    (void)snprintf(
        tick->verdict.reason, sizeof tick->verdict.reason,
        "nonce %llu has not been mined since block %llu at %llu wei per gas, and replacing it would take more "
        "than max_fee_per_gas allows (%llu): it is offered again until fees fall, or the limit is raised",
        (unsigned long long)lowest->nonce, (unsigned long long)lowest->head_number,
        (unsigned long long)lowest->max_fee_per_gas_wei, (unsigned long long)executor->config.max_fee_per_gas_wei);
    return true;
}

enum bursar_status tick_bind(struct executor *executor, struct tick *tick, struct bursar_error *err)
{
    struct fees fees;
    if (tick->verdict.holds || !executor->signer_ready)
        return BURSAR_OK;
    /* The signer did not manage. Piling more nonces on top helps nobody. */
    if (flights_have_unsigned(&executor->scratch)) {
        tick->verdict.holds = true;
        (void)snprintf(tick->verdict.reason, sizeof tick->verdict.reason, "what is bound is to be signed first");
        return BURSAR_OK;
    }
    if (hold_stuck(executor, tick))
        return BURSAR_OK;
    struct fee_caps caps = { executor->config.max_fee_per_gas_wei, executor->config.max_priority_fee_per_gas_wei };
    plan_fees(&tick->view, &caps, &fees);
    note_budget(executor, tick, &fees);
    enum bursar_status status = wake(executor, tick, err);
    if (status == BURSAR_OK && fees.above_cap) {
        tick->verdict.holds = true;
        (void)snprintf(tick->verdict.reason, sizeof tick->verdict.reason,
                       "the next base fee, %llu wei per gas, is above max_fee_per_gas: waiting for it to fall",
                       (unsigned long long)tick->view.next_base_fee_per_gas_wei);
    }
    if (status == BURSAR_OK)
        tick_host_floor(executor, tick);
    size_t size = batch_size(executor, tick);
    if (status == BURSAR_OK && !tick->verdict.holds && size > 0)
        status = bind_batch(executor, tick, &fees, size, err);
    return status == BURSAR_OK ? notice_idle(executor, tick, err) : status;
}

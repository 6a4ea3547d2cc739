/* One tick from end to end, and the executor's life. */
#include "executor/tick.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STANDBY_POLL_MS 100 /* how often a standby asks whether the holder is gone */
#define BUSY_POLL_MS 50

enum bursar_status executor_new(const struct executor_config *config, const struct executor_env *env,
                                struct executor **ret, struct bursar_error *err)
{
    struct executor *executor = calloc(1, sizeof *executor);
    if (!executor)
        return bursar_fail(err, BURSAR_ENOMEM, "out of memory");
    executor->search = calloc(1, sizeof *executor->search);
    if (!executor->search) {
        free(executor);
        return bursar_fail(err, BURSAR_ENOMEM, "out of memory");
    }
    executor->config = *config;
    executor->env = *env;
    (void)snprintf(executor->identity, sizeof executor->identity, "%s", config->identity);
    executor->config.identity = executor->identity;
    *ret = executor;
    return BURSAR_OK;
}

void executor_reconfigure(struct executor *executor, const struct executor_config *config)
{
    executor->config.poll_interval_ms = config->poll_interval_ms;
    executor->config.batch_size = config->batch_size;
    executor->config.max_in_flight = config->max_in_flight;
    executor->config.max_fee_per_gas_wei = config->max_fee_per_gas_wei;
    executor->config.max_priority_fee_per_gas_wei = config->max_priority_fee_per_gas_wei;
    executor->config.replace_after_blocks = config->replace_after_blocks;
    executor->config.money = config->money;
}

void executor_free(struct executor *executor)
{
    if (!executor)
        return;
    tick_drop_lease(executor);
    free(executor->scratch.flights);
    free(executor->scratch.watched);
    free(executor->search);
    free(executor);
}

void tick_note_fault(struct executor *executor, struct tick *tick, const struct bursar_error *err)
{
    struct snapshot *snapshot = &executor->snapshot;
    tick->failed = true;
    if (err->status == BURSAR_ECANCELLED) {
        tick->given_up = true;
        return;
    }
    const struct executor_meters *meters = &executor->env.meters;
    if (meters->fault)
        meters->fault(meters->ctx, tick->cut_short ? EXECUTOR_FAULT_BREAKER_OPEN : executor_fault_of(err->status));
    bool is_new =
        strcmp(snapshot->last_error, err->message) != 0 || snapshot->last_success_ms > snapshot->last_error_ms;
    snapshot->last_error_ms = executor->env.clock.wall_ms(executor->env.clock.ctx);
    (void)snprintf(snapshot->last_error, sizeof snapshot->last_error, "%s", err->message);
    note(&executor->env.notes, is_new ? NOTE_WARN : NOTE_DEBUG, "%s", err->message);
}

/* The natural way of a tick: observe, settle, compare, exhibit, guard, bind, sign, stage, submit. */
static enum bursar_status run_phases(struct executor *executor, struct tick *tick, struct bursar_error *err)
{
    static enum bursar_status (*const phases[])(struct executor *, struct tick *, struct bursar_error *) = {
        tick_observe, tick_follow, tick_finalize, tick_compare, tick_exhibit,
        tick_money,   tick_bind,   tick_sign,     tick_submit,
    };
    for (size_t i = 0; i < sizeof phases / sizeof *phases; i++) {
        enum bursar_status status = phases[i](executor, tick, err);
        if (status != BURSAR_OK)
            return status;
        if (!tick->observed)
            break;
    }
    return BURSAR_OK;
}

/* A tick without a fault is a success; what stands against binding is said once, when it changes. */
static void sum_up(struct executor *executor, struct tick *tick)
{
    const struct verdict *verdict = &tick->verdict;
    uint64_t now_ms = executor->env.clock.wall_ms(executor->env.clock.ctx);
    executor->snapshot.last_tick_ms = now_ms;
    if (tick->observed && !tick->failed)
        executor->snapshot.last_success_ms = now_ms;
    const char *hold = verdict->holds && verdict->halt == HALT_NONE ? verdict->reason : "";
    (void)snprintf(executor->snapshot.hold, sizeof executor->snapshot.hold, "%s", hold);
    if (verdict->halt != executor->noted_halt && verdict->halt != HALT_NONE)
        note(&executor->env.notes, NOTE_ERROR, "halted (%s): %s", halt_code_name(verdict->halt), verdict->reason);
    if (verdict->halt == HALT_NONE && executor->noted_halt != HALT_NONE)
        note(&executor->env.notes, NOTE_INFO, "no longer halted");
    if (*hold && strcmp(hold, executor->noted_hold) != 0)
        note(&executor->env.notes, NOTE_INFO, "holding: %s", hold);
    executor->noted_halt = verdict->halt;
    (void)snprintf(executor->noted_hold, sizeof executor->noted_hold, "%s", hold);
}

/* INV-8: a latched halt outlives the reason that is seen now. INV-5: no halt ends because nothing was seen. */
static void keep_halt(struct tick *tick)
{
    bool keeps = tick->blind ? tick->treasury.halt != HALT_NONE : halt_latches(tick->treasury.halt);
    if (!keeps || halt_latches(tick->verdict.halt))
        return;
    tick->verdict = (struct verdict){ .halt = tick->treasury.halt, .holds = true };
    (void)snprintf(tick->verdict.reason, sizeof tick->verdict.reason, "%s", tick->treasury.halt_reason);
}

static enum bursar_status run_tick(struct executor *executor, struct tick *tick, struct bursar_error *err)
{
    struct store *store = &executor->env.store;
    enum bursar_status status = store->treasury_get(store->ctx, executor->config.treasury, &tick->treasury, err);
    /* INV-6: also a tick that only hands over what was staged before is the leaseholder's. */
    if (status == BURSAR_OK && tick->treasury.lease_epoch != executor->fence.lease_epoch)
        status = bursar_fail(err, BURSAR_EFENCED, "the lease (epoch %llu) has passed to another executor",
                             (unsigned long long)executor->fence.lease_epoch);
    if (status == BURSAR_OK)
        status = tick_breaker_load(executor, err);
    if (status == BURSAR_OK)
        status = tick_money_load(executor, err);
    if (status == BURSAR_OK)
        status = run_phases(executor, tick, err);
    /* Left under way only for a tick that follows at once. */
    if (status == BURSAR_OK && (!tick->go_on || tick->failed || !tick->observed))
        status = tick_land(executor, tick, err);
    if (status != BURSAR_OK)
        return status;
    keep_halt(tick);
    sum_up(executor, tick);
    return tick_snapshot(executor, tick, err);
}

/* Statuses of the store after which the next tick simply looks again. */
static enum bursar_status survive(struct executor *executor, enum bursar_status status, const struct bursar_error *err)
{
    const struct executor_meters *meters = &executor->env.meters;
    if (meters->fault && status != BURSAR_OK && status != BURSAR_ESTALE)
        meters->fault(meters->ctx, executor_fault_of(status));
    if (status == BURSAR_EFENCED) {
        note(&executor->env.notes, NOTE_WARN, "%s: standing by", err->message);
        tick_drop_lease(executor);
        return BURSAR_OK;
    }
    if (status == BURSAR_ESTALE || status == BURSAR_EBUSY) {
        note(&executor->env.notes, NOTE_DEBUG, "%s: looking again", err->message);
        return BURSAR_OK;
    }
    return status;
}

/* What a blind tick only remembers may be over by now; a latched halt is not. */
static enum halt_code halt_seen(const struct tick *tick)
{
    return tick->blind && !halt_latches(tick->verdict.halt) ? HALT_NONE : tick->verdict.halt;
}

/* INV-10: also a step that was cut short is told of. */
static void tell_breaker(struct executor *executor, struct executor_report *report)
{
    const struct breaker_telemetry *telemetry = &executor->env.telemetry;
    struct bursar_breaker_view view;
    if (!executor->env.breaker)
        return;
    bursar_breaker_look(executor->env.breaker, executor->env.clock.monotonic_ms(executor->env.clock.ctx), &view);
    /* For a time only is waited for, as any other time is. */
    report->forced_open = report->holds_lease && view.forced && view.next_change_at_ms == BURSAR_BREAKER_NEVER;
    if (telemetry->report)
        telemetry->report(telemetry->ctx, view.state, view.failures, view.successes);
}

static enum tick_outcome outcome_of(const struct tick *tick)
{
    if (tick->given_up)
        return TICK_GIVEN_UP;
    if (tick->cut_short)
        return TICK_CUT_SHORT;
    return tick->failed ? TICK_FAULTY : TICK_COMPLETE;
}

static enum bursar_status step(struct executor *executor, struct tick *tick, uint64_t *ret_next_wake_ms,
                               struct executor_report *ret, enum tick_outcome *ret_outcome, struct bursar_error *err)
{
    bool held = false;
    enum bursar_status status = tick_lease(executor, &held, err);
    *ret_outcome = status == BURSAR_OK && !held ? TICK_STANDBY : TICK_BROKEN_OFF;
    if (status != BURSAR_OK || !held) {
        *ret_next_wake_ms = STANDBY_POLL_MS;
        return survive(executor, status, err);
    }
    status = run_tick(executor, tick, err);
    if (status != BURSAR_OK) {
        *ret_next_wake_ms = BUSY_POLL_MS;
        return survive(executor, status, err);
    }
    *ret_outcome = outcome_of(tick);
    *ret = (struct executor_report){ .holds_lease = true,
                                     .observed = tick->observed,
                                     .halt = halt_seen(tick),
                                     .money_open = tick_money_is_open(executor),
                                     .money_waits = tick->waits_for_close,
                                     .is_idle = tick->settled_idle && !tick->failed && !tick->go_on };
    *ret_next_wake_ms = tick->go_on && !tick->failed ? 0 : executor->config.poll_interval_ms;
    return BURSAR_OK;
}

enum bursar_status executor_step(struct executor *executor, uint64_t *ret_next_wake_ms, struct executor_report *ret,
                                 struct bursar_error *err)
{
    const struct executor_meters *meters = &executor->env.meters;
    const struct clock *clock = &executor->env.clock;
    struct bursar_error local = { 0 };
    struct tick tick = { 0 };
    enum tick_outcome outcome = TICK_BROKEN_OFF;
    uint64_t started_ms = meters->tick ? clock->monotonic_ms(clock->ctx) : 0;
    *ret = (struct executor_report){ 0 };
    enum bursar_status status = step(executor, &tick, ret_next_wake_ms, ret, &outcome, err ? err : &local);
    tell_breaker(executor, ret);
    if (meters->tick)
        meters->tick(meters->ctx, outcome, clock->monotonic_ms(clock->ctx) - started_ms,
                     tick.observed ? &tick.view : NULL);
    return status;
}

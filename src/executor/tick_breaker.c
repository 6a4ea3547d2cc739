/* The circuit breaker in the tick (INV-10): it stops new spending while nodes fail, never observing. Its state lives in
 * the store: a restart does not close it, and a person's change is seen by the very next write (INV-6). */
#include "executor/tick.h"

#include <stdio.h>
#include <string.h>

static uint64_t monotonic_ms(const struct executor *executor)
{
    return executor->env.clock.monotonic_ms(executor->env.clock.ctx);
}

static uint64_t wall_ms(const struct executor *executor)
{
    return executor->env.clock.wall_ms(executor->env.clock.ctx);
}

enum bursar_breaker_state tick_breaker_state(struct executor *executor)
{
    struct bursar_breaker *breaker = executor->env.breaker;
    return breaker ? bursar_breaker_state(breaker, monotonic_ms(executor)) : BURSAR_BREAKER_CLOSED;
}

void tick_breaker_cut(struct executor *executor, struct tick *tick)
{
    enum bursar_breaker_state state = tick_breaker_state(executor);
    char failure[sizeof executor->snapshot.last_error];
    struct bursar_error cut = { .status = BURSAR_EUNREACHABLE };
    tick->verdict.holds = true;
    (void)snprintf(tick->verdict.reason, sizeof tick->verdict.reason, "circuit_breaker_open state=%s",
                   bursar_breaker_state_name(state));
    /* What opened it stays readable behind it. */
    (void)snprintf(failure, sizeof failure, "%s", executor->snapshot.last_error);
    const char *cause = strstr(failure, ", after: ");
    (void)snprintf(cut.message, sizeof cut.message, "%.64s%s%.400s", tick->verdict.reason,
                   cause || *failure ? ", after: " : "", cause ? cause + strlen(", after: ") : failure);
    tick->cut_short = true;
    tick_note_fault(executor, tick, &cut);
}

/* A person's change, or an earlier process's state, is taken over as it was stored. */
enum bursar_status tick_breaker_load(struct executor *executor, struct bursar_error *err)
{
    struct store *store = &executor->env.store;
    struct bursar_breaker *breaker = executor->env.breaker;
    struct breaker_record record;
    if (!breaker)
        return BURSAR_OK;
    enum bursar_status status = store->breaker_load(store->ctx, executor->config.treasury, &record, err);
    if (status != BURSAR_OK)
        return status;
    if (record.version == executor->fence.breaker_version) /* a hold's end is saved, though nothing is to be sent */
        return record.memory.held_left_ms ? tick_breaker_save(executor, err) : BURSAR_OK;
    struct bursar_breaker_view view;
    status = bursar_breaker_restore(breaker, &record.memory, monotonic_ms(executor), wall_ms(executor), err);
    if (status != BURSAR_OK)
        return bursar_fail(err, BURSAR_ESTORAGE, "the stored circuit breaker is damaged: %.200s", err->message);
    bursar_breaker_look(breaker, monotonic_ms(executor), &view);
    executor->fence.breaker_version = record.version;
    executor->breaker_changes = 0;
    note(&executor->env.notes, NOTE_INFO, "circuit breaker: %s%s", bursar_breaker_state_name(view.state),
         !view.forced                                     ? ""
         : view.next_change_at_ms == BURSAR_BREAKER_NEVER ? ", until a person closes it"
                                                          : ", for the time that a person asked for");
    return tick_breaker_save(executor, err);
}

/* Before anything is done that its change stands for: what was not saved is forgotten by a crash. */
enum bursar_status tick_breaker_save(struct executor *executor, struct bursar_error *err)
{
    struct store *store = &executor->env.store;
    struct bursar_breaker *breaker = executor->env.breaker;
    struct bursar_breaker_memory memory;
    struct bursar_breaker_view view;
    if (!breaker)
        return BURSAR_OK;
    bursar_breaker_look(breaker, monotonic_ms(executor), &view);
    if (view.changes == executor->breaker_changes)
        return BURSAR_OK;
    bursar_breaker_save(breaker, monotonic_ms(executor), wall_ms(executor), &memory);
    enum bursar_status status =
        store->breaker_save(store->ctx, executor->fence, &memory, &executor->fence.breaker_version, err);
    if (status == BURSAR_OK)
        executor->breaker_changes = view.changes;
    return status;
}

enum bursar_status tick_breaker_ask(struct executor *executor, bool *ret_allowed,
                                    struct bursar_breaker_ticket *ret_ticket, struct bursar_error *err)
{
    struct bursar_breaker *breaker = executor->env.breaker;
    *ret_allowed = true;
    if (!breaker)
        return BURSAR_OK;
    enum bursar_status status = tick_breaker_load(executor, err);
    if (status != BURSAR_OK)
        return status;
    *ret_allowed = bursar_breaker_allow_request(breaker, monotonic_ms(executor), ret_ticket);
    status = tick_breaker_save(executor, err);
    if (status != BURSAR_OK && *ret_allowed)
        bursar_breaker_abandon(breaker, *ret_ticket);
    return status;
}

enum bursar_status tick_breaker_tell(struct executor *executor, struct bursar_breaker_ticket ticket,
                                     enum bursar_status outcome, struct bursar_error *err)
{
    struct bursar_breaker *breaker = executor->env.breaker;
    if (!breaker)
        return BURSAR_OK;
    enum bursar_breaker_state before = tick_breaker_state(executor);
    if (outcome == BURSAR_OK)
        bursar_breaker_record_success(breaker, ticket, monotonic_ms(executor));
    else if (outcome == BURSAR_ECANCELLED) /* given up by us: says nothing about the node */
        bursar_breaker_abandon(breaker, ticket);
    else
        bursar_breaker_record_failure(breaker, ticket, monotonic_ms(executor));
    enum bursar_breaker_state after = tick_breaker_state(executor);
    if (after != before)
        note(&executor->env.notes, after == BURSAR_BREAKER_CLOSED ? NOTE_INFO : NOTE_ERROR, "circuit breaker: %s",
             bursar_breaker_state_name(after));
    return tick_breaker_save(executor, err);
}

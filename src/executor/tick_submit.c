/* From staged to handed over: what is handed over again is identical (INV-3), no answer of a node ends an intent
 * (INV-5), and an open circuit breaker lets only trials through, one transaction each, from the lowest nonce up
 * (INV-10). */
#include "executor/tick.h"

#include <stdlib.h>

#define SUBMIT_BATCH 100
#define SUBMIT_PER_TICK 1000

struct outgoing {
    struct raw_transaction raw[SUBMIT_BATCH];
    uint8_t *bytes[SUBMIT_BATCH]; /* owned */
    int64_t attempts[SUBMIT_BATCH];
    struct submit_result results[SUBMIT_BATCH];
    size_t count;
};

static void outgoing_clear(struct outgoing *out)
{
    for (size_t i = 0; i < out->count; i++)
        free(out->bytes[i]);
    out->count = 0;
}

static enum bursar_status add_outgoing(struct executor *executor, struct outgoing *out, const struct flight *flight,
                                       struct bursar_error *err)
{
    struct store *store = &executor->env.store;
    size_t at = out->count, length = 0;
    enum bursar_status status = store->attempt_raw(store->ctx, flight->attempt, &out->bytes[at], &length, err);
    if (status != BURSAR_OK)
        return status;
    out->raw[at] = (struct raw_transaction){ .bytes = out->bytes[at], .length_bytes = length, .hash = flight->hash };
    out->attempts[at] = flight->attempt;
    out->count++;
    return BURSAR_OK;
}

static enum bursar_status record(struct executor *executor, const struct outgoing *out, struct bursar_error *err)
{
    struct store *store = &executor->env.store;
    struct submission submissions[SUBMIT_BATCH];
    uint64_t now_ms = executor->env.clock.wall_ms(executor->env.clock.ctx);
    for (size_t i = 0; i < out->count; i++)
        submissions[i] = (struct submission){ out->attempts[i], (int)out->results[i].verdict, out->results[i].message };
    return store->submissions_record(store->ctx, executor->fence, now_ms, submissions, out->count, err);
}

/* One request: asks the breaker, hands the batch over, tells the breaker, records. *ret_go_on false: the breaker
 * refused, or the node did not answer for all. */
static enum bursar_status hand_over(struct executor *executor, struct tick *tick, struct outgoing *out, bool *ret_go_on,
                                    struct bursar_error *err)
{
    struct chain *chain = &executor->env.chain;
    struct bursar_breaker_ticket ticket = { 0 };
    struct bursar_error fault = { 0 };
    enum bursar_status status = tick_breaker_ask(executor, ret_go_on, &ticket, err);
    if (status == BURSAR_OK && *ret_go_on) {
        enum bursar_status outcome = chain->submit(chain->ctx, out->raw, out->count, out->results, &fault);
        *ret_go_on = outcome == BURSAR_OK;
        if (outcome != BURSAR_OK)
            tick_note_fault(executor, tick, &fault);
        status = tick_breaker_tell(executor, ticket, outcome, err);
        if (status == BURSAR_OK)
            status = record(executor, out, err);
    }
    outgoing_clear(out);
    return status;
}

/* Nothing goes out above a nonce that has no bytes yet. */
static size_t signed_prefix(const struct scratch *scratch)
{
    size_t count = 0;
    while (count < scratch->flight_count && scratch->flights[count].has_attempt)
        count++;
    return count;
}

/* One transaction a request, the lowest nonce first, for as long as the breaker is half-open. */
static enum bursar_status submit_trials(struct executor *executor, struct tick *tick, struct outgoing *out,
                                        size_t ready, struct bursar_error *err)
{
    enum bursar_status status = BURSAR_OK;
    bool go_on = true;
    for (size_t i = 0; i < ready && go_on && status == BURSAR_OK; i++) {
        if (tick_breaker_state(executor) != BURSAR_BREAKER_HALF_OPEN)
            break;
        status = add_outgoing(executor, out, &executor->scratch.flights[i], err);
        if (status == BURSAR_OK)
            status = hand_over(executor, tick, out, &go_on, err);
    }
    tick->go_on = tick->go_on || (ready && go_on);
    return status;
}

static enum bursar_status submit_batches(struct executor *executor, struct tick *tick, struct outgoing *out,
                                         size_t ready, struct bursar_error *err)
{
    const struct scratch *scratch = &executor->scratch;
    uint64_t now_ms = executor->env.clock.wall_ms(executor->env.clock.ctx);
    enum bursar_status status = BURSAR_OK;
    size_t sent = 0;
    bool go_on = true;
    for (size_t i = 0; i < ready && sent < SUBMIT_PER_TICK && go_on && status == BURSAR_OK; i++) {
        if (plan_broadcast(&scratch->flights[i], tick->view.nonce_pending, now_ms))
            status = add_outgoing(executor, out, &scratch->flights[i], err);
        bool is_last = i + 1 == ready;
        if (status != BURSAR_OK || out->count == 0 || (out->count < SUBMIT_BATCH && !is_last))
            continue;
        sent += out->count;
        status = hand_over(executor, tick, out, &go_on, err);
    }
    tick->go_on = tick->go_on || (go_on && sent >= SUBMIT_PER_TICK);
    return status;
}

enum bursar_status tick_submit(struct executor *executor, struct tick *tick, struct bursar_error *err)
{
    const size_t ready = signed_prefix(&executor->scratch);
    enum bursar_status status = BURSAR_OK;
    struct outgoing *out = calloc(1, sizeof *out);
    if (!out)
        return bursar_fail(err, BURSAR_ENOMEM, "out of memory");
    switch (tick_breaker_state(executor)) {
    case BURSAR_BREAKER_CLOSED:
        status = submit_batches(executor, tick, out, ready, err);
        break;
    case BURSAR_BREAKER_HALF_OPEN:
        status = submit_trials(executor, tick, out, ready, err);
        break;
    case BURSAR_BREAKER_OPEN:
        break;
    }
    if (status == BURSAR_OK && tick_breaker_state(executor) == BURSAR_BREAKER_OPEN)
        tick_breaker_cut(executor, tick);
    outgoing_clear(out);
    free(out);
    return status;
}

/* From staged to handed over: what is handed over again is identical (INV-3), no answer of a node ends an intent
 * (INV-5), and an open circuit breaker lets only trials through, one transaction each, from the lowest nonce up
 * (INV-10).
 *
 * Where the chain has lanes, requests stay under way while the next tick binds and signs: what became of them is learnt
 * and recorded before anything more is handed over. To whoever dies in between they are bytes that may have been sent,
 * as after any crash. */
#include "executor/tick.h"

#include <stdlib.h>

#define SUBMIT_BATCH CHAIN_LANE_ITEMS_MAX_COUNT
#define SUBMIT_PER_TICK 1000

/* What is in one request. */
struct outgoing {
    struct raw_transaction raw[SUBMIT_BATCH];
    uint8_t *bytes[SUBMIT_BATCH]; /* owned */
    int64_t attempts[SUBMIT_BATCH];
    uint64_t nonces[SUBMIT_BATCH];
    size_t count;
    struct bursar_breaker_ticket ticket;
    uint64_t started_ms;
};

/* In the order in which they were started; [first, first + under_way) of a ring as large as there are lanes. */
struct submitter {
    struct outgoing outgoing[CHAIN_LANES_MAX_COUNT];
    struct submit_result results[SUBMIT_BATCH];
    size_t first, under_way;
};

static void outgoing_clear(struct outgoing *out)
{
    for (size_t i = 0; i < out->count; i++)
        free(out->bytes[i]);
    out->count = 0;
}

static size_t lanes(const struct executor *executor)
{
    return executor->env.chain.lanes ? executor->env.chain.lanes : 1;
}

static struct outgoing *next_outgoing(struct executor *executor)
{
    struct submitter *submitter = executor->submitter;
    return &submitter->outgoing[(submitter->first + submitter->under_way) % lanes(executor)];
}

/* The bytes of these flights become the next request. */
static enum bursar_status load_outgoing(struct executor *executor, struct flight *const *flights, size_t count,
                                        struct bursar_error *err)
{
    struct store *store = &executor->env.store;
    struct outgoing *out = next_outgoing(executor);
    enum bursar_status status = BURSAR_OK;
    outgoing_clear(out);
    for (size_t i = 0; i < count && status == BURSAR_OK; i++) {
        size_t length = 0;
        status = store->attempt_raw(store->ctx, flights[i]->attempt, &out->bytes[i], &length, err);
        if (status != BURSAR_OK)
            break;
        out->raw[i] =
            (struct raw_transaction){ .bytes = out->bytes[i], .length_bytes = length, .hash = flights[i]->hash };
        out->attempts[i] = flights[i]->attempt;
        out->nonces[i] = flights[i]->nonce;
        out->count++;
    }
    return status;
}

static void mark_flights(struct executor *executor, const struct outgoing *out)
{
    for (size_t i = 0; i < out->count; i++) {
        struct flight *flight = flight_find(&executor->scratch, out->nonces[i]);
        if (!flight || flight->attempt != out->attempts[i])
            continue;
        flight->sends += flight->sends == 0;
        flight->last_sent_ms = out->started_ms;
    }
}

/* The store does not know of these sends yet: without this they would be handed over again. */
void tick_mark_under_way(struct executor *executor)
{
    const struct submitter *submitter = executor->submitter;
    for (size_t k = 0; submitter && k < submitter->under_way; k++)
        mark_flights(executor, &submitter->outgoing[(submitter->first + k) % lanes(executor)]);
}

/* The flights in memory were read before this was known. */
static void remember(struct executor *executor, const struct outgoing *out, uint64_t now_ms)
{
    for (size_t i = 0; i < out->count; i++) {
        struct flight *flight = flight_find(&executor->scratch, out->nonces[i]);
        if (!flight || flight->attempt != out->attempts[i])
            continue;
        if (flight->sends == 0)
            flight->sends++;
        flight->last_sent_ms = now_ms;
        flight->verdict = (int)executor->submitter->results[i].verdict;
    }
}

static enum bursar_status record(struct executor *executor, const struct outgoing *out, struct bursar_error *err)
{
    struct store *store = &executor->env.store;
    const struct executor_meters *meters = &executor->env.meters;
    struct submission submissions[SUBMIT_BATCH];
    const struct submit_result *results = executor->submitter->results;
    uint64_t now_ms = executor->env.clock.wall_ms(executor->env.clock.ctx);
    for (size_t i = 0; i < out->count; i++)
        submissions[i] = (struct submission){ out->attempts[i], (int)results[i].verdict, results[i].message };
    for (size_t i = 0; meters->submission && i < out->count; i++)
        meters->submission(meters->ctx, out->nonces[i], results[i].verdict);
    enum bursar_status status =
        store->submissions_record(store->ctx, executor->fence, now_ms, submissions, out->count, err);
    if (status == BURSAR_OK)
        remember(executor, out, now_ms);
    return status;
}

/* What became of a request: tells the breaker, records. */
static enum bursar_status settle_outcome(struct executor *executor, struct tick *tick, struct outgoing *out,
                                         enum bursar_status outcome, const struct bursar_error *fault,
                                         struct bursar_error *err)
{
    if (outcome != BURSAR_OK)
        tick_note_fault(executor, tick, fault);
    enum bursar_status status = tick_breaker_tell(executor, out->ticket, outcome, err);
    if (status == BURSAR_OK)
        status = record(executor, out, err);
    outgoing_clear(out);
    return status;
}

/* Waits for the oldest request under way. *ret_go_on false: the node did not answer for all. */
static enum bursar_status land(struct executor *executor, struct tick *tick, bool *ret_go_on, struct bursar_error *err)
{
    struct chain *chain = &executor->env.chain;
    struct submitter *submitter = executor->submitter;
    struct outgoing *out = &submitter->outgoing[submitter->first];
    struct bursar_error fault = { 0 };
    enum bursar_status outcome =
        chain->submit_finish(chain->ctx, submitter->first, out->raw, out->count, submitter->results, &fault);
    submitter->first = (submitter->first + 1) % lanes(executor);
    submitter->under_way--;
    *ret_go_on = *ret_go_on && outcome == BURSAR_OK;
    return settle_outcome(executor, tick, out, outcome, &fault, err);
}

enum bursar_status tick_land(struct executor *executor, struct tick *tick, struct bursar_error *err)
{
    enum bursar_status status = BURSAR_OK;
    bool ignored = true;
    while (status == BURSAR_OK && executor->submitter && executor->submitter->under_way)
        status = land(executor, tick, &ignored, err);
    return status;
}

void tick_forget_outgoing(struct executor *executor)
{
    struct chain *chain = &executor->env.chain;
    struct submitter *submitter = executor->submitter;
    struct bursar_error ignored = { 0 };
    if (!submitter)
        return;
    for (; submitter->under_way; submitter->under_way--) {
        struct outgoing *out = &submitter->outgoing[submitter->first];
        if (chain->submit_finish(chain->ctx, submitter->first, out->raw, out->count, submitter->results, &ignored) !=
            BURSAR_OK)
            note(&executor->env.notes, NOTE_DEBUG, "%s", ignored.message);
        if (executor->env.breaker)
            bursar_breaker_abandon(executor->env.breaker, out->ticket);
        outgoing_clear(out);
        submitter->first = (submitter->first + 1) % lanes(executor);
    }
    for (size_t i = 0; i < CHAIN_LANES_MAX_COUNT; i++)
        outgoing_clear(&submitter->outgoing[i]);
    free(submitter);
    executor->submitter = NULL;
}

/* One request: asks the breaker, hands the batch over and, with lanes, leaves it under way. *ret_go_on false: the
 * breaker refused, or the node did not answer for all. */
static enum bursar_status hand_over(struct executor *executor, struct tick *tick, bool waits, bool *ret_go_on,
                                    struct bursar_error *err)
{
    struct chain *chain = &executor->env.chain;
    struct submitter *submitter = executor->submitter;
    struct outgoing *out = next_outgoing(executor);
    struct bursar_error fault = { 0 };
    enum bursar_status outcome, status = tick_breaker_ask(executor, ret_go_on, &out->ticket, err);
    if (status != BURSAR_OK || !*ret_go_on) {
        outgoing_clear(out);
        return status;
    }
    if (waits || chain->lanes == 0) {
        outcome = chain->submit(chain->ctx, out->raw, out->count, submitter->results, &fault);
    } else {
        size_t lane = (submitter->first + submitter->under_way) % chain->lanes;
        outcome = chain->submit_start(chain->ctx, lane, out->raw, out->count, &fault);
        if (outcome == BURSAR_OK) {
            out->started_ms = executor->env.clock.wall_ms(executor->env.clock.ctx);
            submitter->under_way++;
            mark_flights(executor, out);
            return BURSAR_OK;
        }
        for (size_t i = 0; i < out->count; i++)
            submitter->results[i] = (struct submit_result){ .verdict = SUBMIT_UNSENT };
    }
    *ret_go_on = outcome == BURSAR_OK;
    return settle_outcome(executor, tick, out, outcome, &fault, err);
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
static enum bursar_status submit_trials(struct executor *executor, struct tick *tick, size_t ready,
                                        struct bursar_error *err)
{
    enum bursar_status status = tick_land(executor, tick, err);
    bool go_on = true;
    for (size_t i = 0; i < ready && go_on && status == BURSAR_OK; i++) {
        struct flight *flight = &executor->scratch.flights[i];
        if (tick_breaker_state(executor) != BURSAR_BREAKER_HALF_OPEN)
            break;
        if (tick_money_stops(executor, flight))
            continue;
        status = load_outgoing(executor, &flight, 1, err);
        if (status == BURSAR_OK)
            status = hand_over(executor, tick, true, &go_on, err);
    }
    tick->go_on = tick->go_on || (ready && go_on);
    return status;
}

static size_t find_wanted(const struct executor *executor, const struct tick *tick, size_t ready,
                          struct flight *ret[SUBMIT_PER_TICK])
{
    uint64_t now_ms = executor->env.clock.wall_ms(executor->env.clock.ctx);
    size_t count = 0;
    for (size_t i = 0; i < ready && count < SUBMIT_PER_TICK; i++) {
        struct flight *flight = &executor->scratch.flights[i];
        if (!tick_money_stops(executor, flight) && plan_broadcast(flight, tick->view.nonce_pending, now_ms))
            ret[count++] = flight;
    }
    return count;
}

static enum bursar_status submit_batches(struct executor *executor, struct tick *tick, size_t ready,
                                         struct bursar_error *err)
{
    struct flight *wanted[SUBMIT_PER_TICK];
    const size_t count = find_wanted(executor, tick, ready, wanted);
    enum bursar_status status = BURSAR_OK;
    bool go_on = true;
    for (size_t sent = 0; sent < count && go_on && status == BURSAR_OK; sent += SUBMIT_BATCH) {
        size_t most = count - sent < SUBMIT_BATCH ? count - sent : SUBMIT_BATCH;
        if (executor->submitter->under_way == lanes(executor))
            status = land(executor, tick, &go_on, err);
        if (status == BURSAR_OK && go_on)
            status = load_outgoing(executor, wanted + sent, most, err);
        if (status == BURSAR_OK && go_on)
            status = hand_over(executor, tick, false, &go_on, err);
    }
    tick->go_on = tick->go_on || (go_on && count == SUBMIT_PER_TICK);
    tick->sends_no_more = !go_on;
    return status;
}

enum bursar_status tick_submit(struct executor *executor, struct tick *tick, struct bursar_error *err)
{
    const size_t ready = signed_prefix(&executor->scratch);
    if (tick->sends_no_more)
        return BURSAR_OK;
    if (!executor->submitter)
        executor->submitter = calloc(1, sizeof *executor->submitter);
    if (!executor->submitter)
        return bursar_fail(err, BURSAR_ENOMEM, "out of memory");
    enum bursar_status status = tick_money_load(executor, err); /* a person may have opened it this moment */
    if (status != BURSAR_OK)
        return status;
    switch (tick_breaker_state(executor)) {
    case BURSAR_BREAKER_CLOSED:
        status = submit_batches(executor, tick, ready, err);
        break;
    case BURSAR_BREAKER_HALF_OPEN:
        status = submit_trials(executor, tick, ready, err);
        break;
    case BURSAR_BREAKER_OPEN:
        break;
    }
    if (status == BURSAR_OK && tick_breaker_state(executor) == BURSAR_BREAKER_OPEN)
        tick_breaker_cut(executor, tick);
    return status;
}

/* Store, signing log and chain compared, before anything is bound (INV-4, INV-12); and what people get to see of it. */
#include "executor/tick.h"

#include <stdio.h>
#include <string.h>

#define COMPARE_PAGE 200
#define EXPLAINED_PER_TICK 100
#define SNAPSHOT_MAX_AGE_MS 5000

struct comparison {
    struct executor *executor;
    struct verdict verdict;
    uint64_t next_nonce;
    size_t seen;
};

static enum bursar_status compare_intent(void *ctx, const struct intent_record *intent)
{
    struct comparison *comparison = ctx;
    struct signer *signer = &comparison->executor->env.signer;
    struct signed_payload payload = { 0 };
    struct bursar_error fault = { 0 };
    comparison->seen++;
    comparison->next_nonce = intent->nonce + 1;
    if (comparison->verdict.halt != HALT_NONE)
        return BURSAR_OK;
    enum bursar_status status = signer->log_find(signer->ctx, intent->nonce, &payload, &fault);
    if (status != BURSAR_OK && status != BURSAR_ENOTFOUND) {
        comparison->verdict = (struct verdict){ .halt = HALT_SIGNER, .holds = true };
        (void)snprintf(comparison->verdict.reason, sizeof comparison->verdict.reason, "%s", fault.message);
        return BURSAR_OK;
    }
    plan_signature_known(intent, status == BURSAR_OK, &payload, &comparison->verdict);
    return BURSAR_OK;
}

/* Once for each lease: every intent that is not final, and the newest one, against the signing log. */
static enum bursar_status compare_log(struct executor *executor, const struct tick *tick, struct bursar_error *err)
{
    struct store *store = &executor->env.store;
    uint64_t from = tick->lane.lowest_unfinished_nonce;
    if (tick->lane.has_intents && from == tick->lane.next_nonce)
        from--;
    struct comparison comparison = { .executor = executor, .next_nonce = from };
    enum bursar_status status;
    do {
        comparison.seen = 0;
        status = store->intents(store->ctx, tick->treasury.id, comparison.next_nonce, COMPARE_PAGE, compare_intent,
                                &comparison, err);
    } while (status == BURSAR_OK && comparison.seen >= COMPARE_PAGE);
    if (status == BURSAR_OK) {
        executor->log_verdict = comparison.verdict;
        executor->log_compared = comparison.verdict.halt != HALT_SIGNER; /* that is a log that could not be read */
    }
    return status;
}

/* The graver of two: a halt before a hold, the earlier one at a tie. */
static void add_verdict(struct verdict *verdict, const struct verdict *other)
{
    if (verdict->halt == HALT_NONE && (other->halt != HALT_NONE || (other->holds && !verdict->holds)))
        *verdict = *other;
}

/* A nonce that is refused to the newest attempt is no stranger's when an earlier one of ours holds it: seen, not
 * guessed (INV-4). */
static enum bursar_status explain_contested(struct executor *executor, struct tick *tick, struct bursar_error *err)
{
    struct scratch *scratch = &executor->scratch;
    struct chain *chain = &executor->env.chain;
    struct bursar_hash hashes[EXPLAINED_PER_TICK];
    struct flight *flights[EXPLAINED_PER_TICK];
    struct chain_transaction transactions[EXPLAINED_PER_TICK];
    struct bursar_error fault = { 0 };
    size_t count = 0;
    bool any = false;
    for (size_t i = 0; i < scratch->flight_count && !any; i++)
        any = scratch->flights[i].seq > 1 && plan_is_contested(&scratch->flights[i]);
    enum bursar_status status = any ? flights_watch(executor, err) : BURSAR_OK;
    if (status != BURSAR_OK || !any)
        return status;
    for (size_t i = 0; i < scratch->watched_count && count < EXPLAINED_PER_TICK; i++) {
        const struct watched *watched = &scratch->watched[i];
        struct flight *flight = flight_find(scratch, watched->flight->nonce);
        if (watched->attempt == flight->attempt || !plan_is_contested(flight))
            continue;
        hashes[count] = watched->hash;
        flights[count++] = flight;
    }
    if (count && chain->transactions(chain->ctx, hashes, count, transactions, &fault) != BURSAR_OK) {
        tick_note_fault(executor, tick, &fault);
        return BURSAR_OK;
    }
    for (size_t i = 0; i < count; i++) {
        if (transactions[i].is_present)
            flights[i]->is_explained = true;
    }
    return BURSAR_OK;
}

static void note_progress(struct executor *executor, const struct chain_view *view)
{
    if (executor->progress_seen && executor->progress_nonce == view->nonce_latest)
        return;
    executor->progress_seen = true;
    executor->progress_nonce = view->nonce_latest;
    executor->progress_number = view->latest.block.number;
}

void tick_pending(struct executor *executor, const struct tick *tick, uint64_t next_nonce, struct verdict *ret)
{
    const uint64_t now_ms = executor->env.clock.monotonic_ms(executor->env.clock.ctx);
    if (!executor->pending_watched && tick->treasury.halt == HALT_STORE_BEHIND_CHAIN)
        executor->pending = (struct pending_watch){ .is_above = true, .above_since_ms = now_ms };
    executor->pending_watched = true;
    plan_pending(&executor->pending, next_nonce, &tick->view, now_ms, ret);
}

static enum bursar_status compare_nonces(struct executor *executor, struct tick *tick, struct bursar_error *err)
{
    struct signer *signer = &executor->env.signer;
    struct signing_log_extent log = { 0 };
    struct bursar_error fault = { 0 };
    struct verdict found;
    if (executor->signer_ready && signer->log_extent(signer->ctx, &log, &fault) != BURSAR_OK) {
        tick_note_fault(executor, tick, &fault);
        tick->verdict.holds = true;
        (void)snprintf(tick->verdict.reason, sizeof tick->verdict.reason, "%s", fault.message);
        return BURSAR_OK;
    }
    if (executor->signer_ready && !executor->log_compared) {
        enum bursar_status status = compare_log(executor, tick, err);
        if (status != BURSAR_OK)
            return status;
    }
    plan_nonces(&tick->treasury, &tick->lane, &log, &tick->view, tick->is_current, executor->scratch.flights,
                executor->scratch.flight_count, &found);
    add_verdict(&tick->verdict, &executor->signer_verdict);
    if (executor->signer_ready)
        add_verdict(&tick->verdict, &executor->log_verdict);
    add_verdict(&tick->verdict, &found);
    tick_pending(executor, tick, tick->lane.next_nonce, &found);
    add_verdict(&tick->verdict, &found);
    return BURSAR_OK;
}

enum bursar_status tick_compare(struct executor *executor, struct tick *tick, struct bursar_error *err)
{
    struct store *store = &executor->env.store;
    note_progress(executor, &tick->view);
    enum bursar_status status = store->lane_read(store->ctx, tick->treasury.id, &tick->lane, err);
    if (status == BURSAR_OK)
        status = explain_contested(executor, tick, err);
    if (status == BURSAR_OK)
        status = compare_nonces(executor, tick, err);
    if (halt_latches(tick->treasury.halt))
        tick->verdict.holds = true; /* INV-8: until a person has reconciled */
    return status;
}

static bool snapshot_changed(const struct executor *executor, const struct tick *tick)
{
    const struct snapshot *now = &executor->snapshot, *stored = &executor->stored_snapshot;
    return executor->snapshot_at_ms == 0 || executor->stored_halt != tick->verdict.halt ||
           strcmp(executor->stored_halt_reason, tick->verdict.halt ? tick->verdict.reason : "") != 0 ||
           strcmp(now->last_error, stored->last_error) != 0 || strcmp(now->hold, stored->hold) != 0 ||
           now->has_available != stored->has_available || now->has_balance != stored->has_balance ||
           bursar_amount_compare(now->balance, stored->balance) != 0 ||
           bursar_amount_compare(now->available, stored->available) != 0 ||
           bursar_amount_compare(now->gas_cost, stored->gas_cost) != 0;
}

enum bursar_status tick_snapshot(struct executor *executor, struct tick *tick, struct bursar_error *err)
{
    struct store *store = &executor->env.store;
    uint64_t now_ms = executor->env.clock.monotonic_ms(executor->env.clock.ctx);
    if (tick->given_up)
        return BURSAR_OK;
    if (!snapshot_changed(executor, tick) && now_ms - executor->snapshot_at_ms < SNAPSHOT_MAX_AGE_MS)
        return BURSAR_OK;
    const char *reason = tick->verdict.halt ? tick->verdict.reason : "";
    enum bursar_status status =
        store->snapshot_save(store->ctx, executor->fence, &executor->snapshot, tick->verdict.halt, reason, err);
    if (status != BURSAR_OK)
        return status;
    executor->stored_snapshot = executor->snapshot;
    executor->stored_halt = tick->verdict.halt;
    (void)snprintf(executor->stored_halt_reason, sizeof executor->stored_halt_reason, "%s", reason);
    executor->snapshot_at_ms = now_ms ? now_ms : 1;
    return BURSAR_OK;
}

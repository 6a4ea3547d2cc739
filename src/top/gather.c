/* See gather.h. */
#include "top/gather.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOOKED_AT_MAX_ROWS 100 /* of what is blocked, and of what is queued */
#define EVENTS_PAGE_ROWS 1000
#define EVENTS_PAGES_MAX_COUNT 20 /* a refresh: more than happen in a minute */

enum bursar_status gather_init(struct gather *gather, const struct store *store,
                               const struct treasury_settings *settings, size_t count,
                               const struct webhook_list *webhooks, struct bursar_error *err)
{
    *gather = (struct gather){ .store = store, .settings = settings, .webhooks = *webhooks };
    gather->view.treasuries = calloc(count, sizeof *gather->view.treasuries);
    if (!gather->view.treasuries)
        return bursar_fail(err, BURSAR_ENOMEM, "out of memory");
    gather->view.count = count;
    for (size_t i = 0; i < count; i++) {
        gather->view.treasuries[i].name = settings[i].section->name;
        gather->view.treasuries[i].chain_id = settings[i].section->chain_id;
    }
    return BURSAR_OK;
}

void gather_free(struct gather *gather)
{
    free(gather->view.treasuries);
    gather->view = (struct view){ 0 };
}

/* -- each treasury ------------------------------------------------------------------------------------------------- */

static enum bursar_status take_balance(void *ctx, const struct balance_record *record)
{
    struct view_treasury *found = ctx;
    found->has_balance = true;
    found->balance = record->balance;
    found->balance_ms = record->at_ms;
    return BURSAR_OK;
}

static enum bursar_status read_treasury(const struct gather *gather, const struct treasury_settings *settings,
                                        struct view_treasury *found, uint64_t now_ms, struct bursar_error *err)
{
    const struct store *store = gather->store;
    struct treasury treasury;
    enum bursar_status status = store->treasury_find(store->ctx, found->chain_id, &found->address, &treasury, err);
    if (status == BURSAR_ENOTFOUND)
        return BURSAR_OK;
    if (status == BURSAR_OK)
        status = situation_read(store, &treasury, &settings->limits, now_ms, &found->situation, err);
    if (status == BURSAR_OK)
        status = breaker_standing_read(store, treasury.id, &settings->limits.breaker, now_ms, &found->breaker, err);
    if (status == BURSAR_OK)
        status = store->counts(store->ctx, treasury.id, found->counts, err);
    if (status == BURSAR_OK)
        status = store->balances(store->ctx, treasury.id, 0, 1, take_balance, found, err);
    found->is_stored = found->is_stored || status == BURSAR_OK;
    return status;
}

/* -- the log --------------------------------------------------------------------------------------------------------
 */

struct reading {
    struct gather *gather;
    size_t rows;
};

static enum bursar_status take_event(void *ctx, const struct event_record *event)
{
    struct reading *reading = ctx;
    struct view *view = &reading->gather->view;
    reading->rows++;
    reading->gather->last_seq = event->seq;
    for (size_t i = 0; i < view->count; i++) {
        if (view->treasuries[i].is_stored && view->treasuries[i].situation.treasury.id == event->treasury)
            log_tail_add(&view->treasuries[i].tail, event);
    }
    return BURSAR_OK;
}

static enum bursar_status read_log(struct gather *gather, struct bursar_error *err)
{
    const struct store *store = gather->store;
    const uint64_t looked_at = (uint64_t)EVENTS_PAGE_ROWS * EVENTS_PAGES_MAX_COUNT;
    enum bursar_status status = BURSAR_OK;
    uint64_t newest = 0;
    if (!gather->has_tail) {
        status = store->event_newest(store->ctx, &newest, err);
        gather->last_seq = newest > looked_at ? newest - looked_at : 0;
        gather->has_tail = status == BURSAR_OK;
    }
    for (size_t page = 0; page < EVENTS_PAGES_MAX_COUNT && status == BURSAR_OK; page++) {
        struct reading reading = { .gather = gather };
        status = store->events(store->ctx, gather->last_seq, EVENTS_PAGE_ROWS, take_event, &reading, err);
        if (reading.rows < EVENTS_PAGE_ROWS)
            break;
    }
    return status;
}

/* -- the one that is looked at closely ------------------------------------------------------------------------------
 */

static struct view_flight *flight_of(struct view_treasury *found, uint64_t nonce)
{
    for (size_t i = 0; i < found->flight_count; i++) {
        if (found->flights[i].nonce == nonce)
            return &found->flights[i];
    }
    return NULL;
}

static enum bursar_status take_intent(void *ctx, const struct intent_record *record)
{
    struct view_treasury *found = ctx;
    if (record->status != INTENT_BOUND && record->status != INTENT_SIGNED)
        return BURSAR_OK;
    if (found->flight_count < VIEW_FLIGHTS_MAX_COUNT)
        found->flights[found->flight_count++] =
            (struct view_flight){ .nonce = record->nonce, .disbursement = record->disbursement, .kind = record->kind };
    return BURSAR_OK;
}

static enum bursar_status take_attempt(void *ctx, const struct attempt_record *record)
{
    struct view_flight *flight = flight_of(ctx, record->nonce);
    if (!flight)
        return BURSAR_OK;
    if (flight->started_ms == 0)
        flight->started_ms = record->signed_ms;
    flight->attempts++;
    flight->purpose = record->purpose;
    flight->max_fee_per_gas_wei = record->max_fee_per_gas_wei;
    flight->sends = record->sends;
    flight->verdict = record->verdict;
    return BURSAR_OK;
}

static enum bursar_status read_flights(const struct store *store, struct view_treasury *found, struct bursar_error *err)
{
    const int64_t treasury = found->situation.treasury.id;
    const uint64_t lowest = situation_lowest_in_flight(&found->situation);
    found->flight_count = 0;
    if (found->situation.lane.in_flight == 0)
        return BURSAR_OK;
    enum bursar_status status =
        store->intents(store->ctx, treasury, lowest, VIEW_FLIGHTS_MAX_COUNT, take_intent, found, err);
    /* behind (lowest, 0): its first attempt has seq 1 */
    if (status == BURSAR_OK)
        status = store->attempts(store->ctx, treasury, lowest, 0, (size_t)VIEW_FLIGHTS_MAX_COUNT * 2, take_attempt,
                                 found, err);
    return status;
}

struct reasoning {
    struct view_treasury *found;
    enum diagnosis_kind wanted;
    size_t rows;
};

static enum bursar_status take_reason(void *ctx, const struct disbursement_record *record)
{
    struct reasoning *reasoning = ctx;
    struct view_treasury *found = reasoning->found;
    struct diagnosis diagnosis;
    reasoning->rows++;
    diagnose(record, &found->situation, &diagnosis);
    if (diagnosis.kind != reasoning->wanted)
        return BURSAR_OK;
    for (size_t i = 0; i < found->reason_count; i++) {
        struct view_reason *reason = &found->reasons[i];
        if (reason->kind == diagnosis.kind && strcmp(reason->text.cause, diagnosis.text.cause) == 0 &&
            strcmp(reason->text.action, diagnosis.text.action) == 0) {
            reason->count++;
            return BURSAR_OK;
        }
    }
    if (found->reason_count == VIEW_REASONS_MAX_COUNT) {
        found->reasons_more = true;
        return BURSAR_OK;
    }
    struct view_reason *reason = &found->reasons[found->reason_count++];
    *reason =
        (struct view_reason){ .kind = diagnosis.kind, .count = 1, .first_id = record->id, .text = diagnosis.text };
    (void)snprintf(reason->first_ref, sizeof reason->first_ref, "%s", record->ref);
    return BURSAR_OK;
}

/* What only a person moves on, then what the lowest nonce in flight and the first in the queue wait for. */
static enum bursar_status read_reasons(const struct store *store, struct view_treasury *found, struct bursar_error *err)
{
    const int64_t treasury = found->situation.treasury.id;
    struct list_filter blocked = { .only_blocked = true, .limit = LOOKED_AT_MAX_ROWS };
    struct list_filter queued = { .state = STATE_QUEUED, .limit = LOOKED_AT_MAX_ROWS };
    struct reasoning reasoning = { .found = found, .wanted = DIAGNOSIS_BLOCKED };
    found->reason_count = 0;
    found->reasons_more = false;
    enum bursar_status status = store->list(store->ctx, treasury, &blocked, take_reason, &reasoning, err);
    found->reasons_more = found->reasons_more || reasoning.rows == LOOKED_AT_MAX_ROWS;
    reasoning.wanted = DIAGNOSIS_WAITING;
    if (status == BURSAR_OK)
        status = store->list(store->ctx, treasury, &blocked, take_reason, &reasoning, err);
    reasoning.rows = 0;
    if (status == BURSAR_OK)
        status = store->list(store->ctx, treasury, &queued, take_reason, &reasoning, err);
    found->reasons_more = found->reasons_more || reasoning.rows == LOOKED_AT_MAX_ROWS;
    return status;
}

/* -- webhooks -------------------------------------------------------------------------------------------------------
 */

/* Those that are about the one that is looked at closely. */
static enum bursar_status read_webhooks(struct gather *gather, const char *treasury, struct bursar_error *err)
{
    struct view *view = &gather->view;
    enum bursar_status status = BURSAR_OK;
    view->webhook_count = 0;
    for (size_t i = 0; i < gather->webhooks.count && status == BURSAR_OK; i++) {
        const struct webhook_subject *subject = &gather->webhooks.of[i];
        if (!webhook_is_about(subject, treasury))
            continue;
        status = webhook_view_read(gather->store, subject->name, &view->webhooks[view->webhook_count], err);
        view->webhook_count += status == BURSAR_OK;
    }
    return status;
}

enum bursar_status gather_read(struct gather *gather, size_t selected, uint64_t now_ms, struct bursar_error *err)
{
    struct view *view = &gather->view;
    enum bursar_status status = BURSAR_OK;
    view->now_ms = now_ms;
    for (size_t i = 0; i < view->count && status == BURSAR_OK; i++)
        status = read_treasury(gather, &gather->settings[i], &view->treasuries[i], now_ms, err);
    if (status == BURSAR_OK)
        status = read_log(gather, err);
    if (status == BURSAR_OK && selected < view->count)
        status = read_webhooks(gather, view->treasuries[selected].name, err);
    if (status == BURSAR_OK && selected < view->count && view->treasuries[selected].is_stored) {
        status = read_flights(gather->store, &view->treasuries[selected], err);
        if (status == BURSAR_OK)
            status = read_reasons(gather->store, &view->treasuries[selected], err);
    }
    return status;
}

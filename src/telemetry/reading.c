/* One treasury as a page shows it: from its meters, and from the store. */
#include "telemetry/parts.h"

static bool read_gauge(struct reading *reading, enum metric_id metric, size_t label, struct gauge *gauge)
{
    uint64_t value;
    if (!gauge_get(gauge, &value))
        return false;
    read_number(reading, metric, label, value);
    return true;
}

static void take_counters(struct reading *reading, struct meters *meters)
{
    for (size_t i = 0; i < METRIC_COUNT; i++) {
        const struct metric *metric = &METRIC_TABLE[i];
        if (metric->type != METRIC_COUNTER || metric->label == METRIC_LABEL_NODE || i == METRIC_FEES_SPENT)
            continue;
        for (size_t k = 0; k < metric_label_count(metric->label); k++)
            read_number(reading, (enum metric_id)i, k,
                        atomic_load_explicit(&meters->counters[i][k], memory_order_relaxed));
    }
    read_wei(reading, METRIC_FEES_SPENT, &meters->fees_spent_wei);
}

static void take_nodes(struct reading *reading, struct meters *meters)
{
    for (size_t i = 0; i < NODES_MAX_COUNT && meters->nodes[i].name[0]; i++) {
        struct node_meter *node = &meters->nodes[i];
        read_number(reading, METRIC_NODE_ERRORS, i, atomic_load_explicit(&node->errors, memory_order_relaxed));
        (void)read_gauge(reading, METRIC_NODE_HEALTHY, i, &node->is_healthy);
        (void)read_gauge(reading, METRIC_NODE_BLOCK, i, &node->latest_block);
    }
}

void reading_take_meters(struct reading *reading, struct meters *meters, uint64_t now_ms)
{
    uint64_t value;
    take_counters(reading, meters);
    take_nodes(reading, meters);
    reading_take_limits(reading, meters);
    (void)read_gauge(reading, METRIC_LEASE_HELD, 0, &meters->is_held);
    (void)read_gauge(reading, METRIC_HEAD_BLOCK, 0, &meters->head_number);
    (void)read_gauge(reading, METRIC_FINAL_BLOCK, 0, &meters->final_number);
    (void)read_gauge(reading, METRIC_CHAIN_NONCE, 0, &meters->chain_nonce);
    if (gauge_get(&meters->final_time_s, &value))
        read_ms(reading, METRIC_FINALITY_LAG, now_ms > value * 1000 ? now_ms - value * 1000 : 0);
}

/* -- the store -- */

static enum bursar_status take_counts(struct reading *reading, int64_t treasury, const struct store *store,
                                      struct bursar_error *err)
{
    uint64_t counts[STATE_COUNT] = { 0 };
    enum bursar_status status = store->counts(store->ctx, treasury, counts, err);
    for (size_t state = STATE_FIRST; status == BURSAR_OK && state <= (size_t)STATE_LAST; state++) {
        read_number(reading, METRIC_DISBURSEMENTS, state - STATE_FIRST, counts[state]);
        if (state <= (size_t)STATE_EXECUTED)
            read_number(reading, METRIC_BACKLOG, state - STATE_FIRST, counts[state]);
    }
    return status;
}

/* This process's own word where it has one: it is the newer one. */
static void take_time(struct reading *reading, enum metric_id metric, struct gauge *own, uint64_t stored_ms)
{
    uint64_t own_ms = 0;
    bool is_own = gauge_get(own, &own_ms);
    read_ms(reading, metric, is_own && own_ms > stored_ms ? own_ms : stored_ms);
}

static void take_halt(struct reading *reading, enum halt_code halt)
{
    for (size_t i = 0; i < metric_label_count(METRIC_LABEL_HALT); i++)
        read_number(reading, METRIC_HALT, i, halt == (enum halt_code)(i + 1));
}

static enum bursar_status take_treasury(struct reading *reading, struct meters *meters, const struct store *store,
                                        uint64_t now_ms, struct bursar_error *err)
{
    const int64_t id = meters->treasury.id;
    struct treasury treasury;
    struct snapshot snapshot = { 0 };
    struct foreign_uses foreign;
    enum bursar_status status = store->treasury_get(store->ctx, id, &treasury, err);
    if (status == BURSAR_OK)
        status = store->snapshot_read(store->ctx, id, &snapshot, err);
    if (status == BURSAR_OK)
        status = store->foreign_uses(store->ctx, id, &foreign, err);
    if (status != BURSAR_OK)
        return status;
    bool is_live = treasury.lease_holder[0] && now_ms <= treasury.lease_renewed_ms + treasury.lease_ttl_ms;
    read_number(reading, METRIC_LEASE_RELEASED, 0, !is_live);
    take_halt(reading, treasury.halt);
    read_number(reading, METRIC_FOREIGN, 0, foreign.count);
    take_time(reading, METRIC_LAST_TICK, &meters->last_tick_ms, snapshot.last_tick_ms);
    take_time(reading, METRIC_LAST_SUCCESS, &meters->last_success_ms, snapshot.last_success_ms);
    take_time(reading, METRIC_LAST_ERROR, &meters->last_error_ms, snapshot.last_error_ms);
    if (snapshot.has_available)
        read_wei(reading, METRIC_AVAILABLE, &snapshot.available);
    return BURSAR_OK;
}

static bool is_held_closed(const struct bursar_breaker_memory *memory, uint64_t now_ms)
{
    return memory->held_left_ms && now_ms < memory->saved_wall_ms + memory->held_left_ms;
}

/* The executor's own, as it told it last; the stored one for whoever stands by, or before the first tick. */
static enum bursar_status take_breaker(struct reading *reading, struct meters *meters, const struct store *store,
                                       uint64_t now_ms, struct bursar_error *err)
{
    struct breaker_record record;
    enum bursar_status status = store->breaker_load(store->ctx, meters->treasury.id, &record, err);
    if (status != BURSAR_OK)
        return status;
    read_number(reading, METRIC_BREAKER_FORCED, 0, record.memory.forced || is_held_closed(&record.memory, now_ms));
    uint64_t held = 0;
    if (!gauge_get(&meters->is_held, &held) || !held ||
        !read_gauge(reading, METRIC_BREAKER_STATE, 0, &meters->breaker_state)) {
        read_number(reading, METRIC_BREAKER_STATE, 0, (uint64_t)record.memory.state);
        read_number(reading, METRIC_BREAKER_FAILURES, 0, record.memory.failures);
        read_number(reading, METRIC_BREAKER_SUCCESSES, 0, record.memory.successes);
        return BURSAR_OK;
    }
    (void)read_gauge(reading, METRIC_BREAKER_FAILURES, 0, &meters->breaker_failures);
    (void)read_gauge(reading, METRIC_BREAKER_SUCCESSES, 0, &meters->breaker_successes);
    return BURSAR_OK;
}

static enum bursar_status on_balance(void *ctx, const struct balance_record *record)
{
    read_wei(ctx, METRIC_BALANCE, &record->balance);
    return BURSAR_OK;
}

static enum bursar_status take_nonces(struct reading *reading, struct meters *meters, const struct store *store,
                                      struct bursar_error *err)
{
    const int64_t treasury = meters->treasury.id;
    struct lane lane = { 0 };
    bool any = false;
    uint64_t nonce = 0, own;
    enum bursar_status status = store->lane_read(store->ctx, treasury, &lane, err);
    if (status == BURSAR_OK)
        status = store->nonce_submitted(store->ctx, treasury, &any, &nonce, err);
    if (status != BURSAR_OK)
        return status;
    read_number(reading, METRIC_STAGED_INTENTS, 0, lane.in_flight);
    if (lane.has_intents)
        read_number(reading, METRIC_LEASE_LAST_NONCE, 0, lane.next_nonce - 1);
    /* The store keeps the last word on each, and a node that is down may have had it since. */
    if (gauge_get(&meters->submitted_nonce, &own) && (!any || own > nonce)) {
        any = true;
        nonce = own;
    }
    if (any)
        read_number(reading, METRIC_LAST_SUBMITTED_NONCE, 0, nonce);
    return BURSAR_OK;
}

enum bursar_status reading_take_store(struct reading *reading, struct meters *meters, const struct store *store,
                                      uint64_t now_ms, struct bursar_error *err)
{
    const int64_t id = meters->treasury.id;
    enum bursar_status status = take_counts(reading, id, store, err);
    if (status == BURSAR_OK)
        status = take_treasury(reading, meters, store, now_ms, err);
    if (status == BURSAR_OK)
        status = take_breaker(reading, meters, store, now_ms, err);
    if (status == BURSAR_OK)
        status = reading_take_money(reading, meters, store, now_ms, err);
    if (status == BURSAR_OK)
        status = store->balances(store->ctx, id, 0, 1, on_balance, reading, err);
    if (status == BURSAR_OK)
        status = reading_take_owed(reading, meters, store, now_ms, err);
    return status == BURSAR_OK ? take_nonces(reading, meters, store, err) : status;
}

/* Counting the event log: what it has gained since the last page, a bounded number of events at a time. It is the one
 * record of every move, whoever made it: this executor, a command, or another process. */
#include "telemetry/parts.h"

static struct meters *find_meters(struct telemetry *telemetry, int64_t treasury)
{
    for (size_t i = 0; i < telemetry->count; i++) {
        if (telemetry->meters[i].treasury.id == treasury)
            return &telemetry->meters[i];
    }
    return NULL;
}

static void count_fee(struct meters *meters, const struct move_record *move)
{
    struct bursar_amount fee = bursar_amount_from_u64(move->gas_used), sum;
    if (move->has_fee && bursar_amount_multiply(fee, move->effective_gas_price_wei, &fee) &&
        bursar_amount_add(meters->fees_spent_wei, fee, &sum))
        meters->fees_spent_wei = sum;
}

static void count_lag(struct meters *meters, const struct move_record *move)
{
    uint64_t since_ms = move->not_before_ms > move->queued_ms ? move->not_before_ms : move->queued_ms;
    uint64_t lag_ms = move->at_ms > since_ms ? move->at_ms - since_ms : 0;
    histogram_observe(&meters->lag, METRIC_TABLE[METRIC_LAG].type, lag_ms * 1000);
}

/* Which state of the breaker an event tells of; false: none. */
static bool breaker_state_of(enum lifecycle_cause cause, enum bursar_breaker_state *ret)
{
    if (cause == CAUSE_BREAKER_OPENED)
        *ret = BURSAR_BREAKER_OPEN;
    else if (cause == CAUSE_BREAKER_HALF_OPENED)
        *ret = BURSAR_BREAKER_HALF_OPEN;
    else if (cause == CAUSE_BREAKER_CLOSED || cause == CAUSE_BREAKER_RESET)
        *ret = BURSAR_BREAKER_CLOSED;
    else
        return false;
    return true;
}

static void count_move(struct meters *meters, const struct move_record *move)
{
    enum bursar_breaker_state state;
    if (breaker_state_of(move->cause, &state))
        count_up(meters, METRIC_BREAKER_CHANGES, (size_t)state, 1);
    if (move->to_state < (int)STATE_FIRST || move->from_state == move->to_state)
        return;
    count_up(meters, METRIC_DISBURSEMENTS_MOVED, (size_t)(move->to_state - (int)STATE_FIRST), 1);
    count_fee(meters, move);
    if (move->to_state == (int)STATE_FINALIZED)
        count_lag(meters, move);
    if (move->holds_up)
        count_up(meters, METRIC_DEPENDENCY_FAILURES,
                 move->to_state == (int)STATE_FAILED ? DEPENDENCY_FAILED : DEPENDENCY_CANCELLED, 1);
}

static enum bursar_status on_move(void *ctx, const struct move_record *move)
{
    struct telemetry *telemetry = ctx;
    struct meters *meters = find_meters(telemetry, move->treasury);
    telemetry->counted_seq = move->seq;
    if (meters)
        count_move(meters, move);
    return BURSAR_OK;
}

enum bursar_status log_count(struct telemetry *telemetry, const struct store *store, struct bursar_error *err)
{
    uint64_t newest = 0;
    enum bursar_status status =
        store->moves(store->ctx, telemetry->counted_seq, TELEMETRY_EVENTS_MAX_COUNT, on_move, telemetry, err);
    if (status == BURSAR_OK)
        status = store->event_newest(store->ctx, &newest, err);
    if (status == BURSAR_OK)
        telemetry->behind_count = newest > telemetry->counted_seq ? newest - telemetry->counted_seq : 0;
    return status;
}

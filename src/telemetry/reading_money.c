/* The money breaker of one treasury as a page shows it: what opened it, and how far from its limits the payments are.
 */
#include "telemetry/parts.h"

static enum bursar_status take_standing(struct reading *reading, int64_t treasury, const struct store *store,
                                        struct bursar_error *err)
{
    struct money_record record;
    struct money_incidents incidents;
    enum bursar_status status = store->money_load(store->ctx, treasury, &record, err);
    if (status == BURSAR_OK)
        status = store->money_incidents(store->ctx, treasury, 0, &incidents, err);
    if (status != BURSAR_OK)
        return status;
    for (size_t i = 0; i < metric_label_count(METRIC_LABEL_MONEY_CAUSE); i++)
        read_number(reading, METRIC_MONEY_OPEN, i, record.cause == (enum money_cause)(i + MONEY_REVERTS));
    for (size_t i = 0; i < metric_label_count(METRIC_LABEL_INCIDENT); i++)
        read_number(reading, METRIC_MONEY_INCIDENTS, i, incidents.count[i + MONEY_REVERTS]);
    return BURSAR_OK;
}

enum bursar_status reading_take_money(struct reading *reading, int64_t treasury, const struct store *store,
                                      uint64_t now_ms, struct bursar_error *err)
{
    const struct asset coin = { 0 };
    const uint64_t since_ms = now_ms > MONEY_HOUR_MS ? now_ms - MONEY_HOUR_MS : 0;
    struct bursar_amount bound = { 0 };
    uint64_t payments = 0;
    enum bursar_status status = take_standing(reading, treasury, store, err);
    if (status == BURSAR_OK)
        status = store->money_payments(store->ctx, treasury, since_ms, &payments, err);
    if (status == BURSAR_OK)
        status = store->money_spent(store->ctx, treasury, &coin, since_ms, &bound, err);
    if (status != BURSAR_OK)
        return status;
    read_number(reading, METRIC_BOUND_PAYMENTS, 0, payments);
    read_wei(reading, METRIC_BOUND_COIN, &bound);
    return BURSAR_OK;
}

void reading_take_limits(struct reading *reading, const struct meters *meters)
{
    if (meters->max_payments_per_hour)
        read_number(reading, METRIC_MAX_PAYMENTS, 0, meters->max_payments_per_hour);
    if (!bursar_amount_is_zero(meters->max_coin_per_hour_wei))
        read_wei(reading, METRIC_MAX_COIN, &meters->max_coin_per_hour_wei);
}

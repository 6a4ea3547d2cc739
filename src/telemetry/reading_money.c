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

static enum bursar_status take_bound(struct reading *reading, const struct meters *meters, const struct store *store,
                                     uint64_t since_ms, struct bursar_error *err)
{
    uint64_t payments = 0;
    enum bursar_status status = store->money_payments(store->ctx, meters->treasury.id, since_ms, &payments, err);
    for (size_t label = 0; label <= meters->treasury.asset_count && status == BURSAR_OK; label++) {
        struct asset asset = { .is_token = label != ASSET_LABEL_NATIVE };
        struct bursar_amount bound = { 0 };
        if (asset.is_token)
            asset.token = meters->treasury.assets[label - 1].token;
        status = store->money_spent(store->ctx, meters->treasury.id, &asset, since_ms, &bound, err);
        if (status == BURSAR_OK)
            read_amount(reading, METRIC_BOUND_AMOUNT, label, &bound);
    }
    if (status == BURSAR_OK)
        read_number(reading, METRIC_BOUND_PAYMENTS, 0, payments);
    return status;
}

enum bursar_status reading_take_money(struct reading *reading, const struct meters *meters, const struct store *store,
                                      uint64_t now_ms, struct bursar_error *err)
{
    const uint64_t since_ms = now_ms > MONEY_HOUR_MS ? now_ms - MONEY_HOUR_MS : 0;
    enum bursar_status status = take_standing(reading, meters->treasury.id, store, err);
    return status == BURSAR_OK ? take_bound(reading, meters, store, since_ms, err) : status;
}

void reading_take_limits(struct reading *reading, const struct meters *meters)
{
    if (meters->max_payments_per_hour)
        read_number(reading, METRIC_MAX_PAYMENTS, 0, meters->max_payments_per_hour);
    for (size_t label = 0; label <= meters->treasury.asset_count; label++) {
        if (!bursar_amount_is_zero(meters->max_spend_per_hour[label]))
            read_amount(reading, METRIC_MAX_SPEND, label, &meters->max_spend_per_hour[label]);
    }
}

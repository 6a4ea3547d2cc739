/* What one treasury owes, as a page shows it: in the coin, and by asset. */
#include "telemetry/parts.h"

#include <string.h>

size_t asset_label(const struct meters *meters, const struct asset *asset)
{
    if (!asset->is_token)
        return ASSET_LABEL_NATIVE;
    for (size_t i = 0; i < meters->treasury.asset_count; i++) {
        if (memcmp(&meters->treasury.assets[i].token, &asset->token, sizeof asset->token) == 0)
            return i + 1;
    }
    return ASSET_LABEL_OTHER;
}

/* Base units of one token and of another are no sum: of the others there is a count alone. */
static void take_assets(struct reading *reading, const struct meters *meters, const struct owed_view *owed)
{
    const struct bursar_amount none = { 0 };
    uint64_t counts[METRIC_LABEL_VALUES_MAX_COUNT] = { 0 };
    for (size_t label = 0; label <= meters->treasury.asset_count; label++) {
        read_amount(reading, METRIC_ASSET_OWED, label, &none);
        read_amount(reading, METRIC_ASSET_DUE, label, &none);
        read_number(reading, METRIC_ASSET_COUNT, label, 0);
    }
    for (size_t i = 0; i < owed->count; i++) {
        const struct owed_asset *entry = &owed->assets[i];
        size_t label = asset_label(meters, &entry->asset);
        counts[label] += entry->owed_count;
        read_number(reading, METRIC_ASSET_COUNT, label, counts[label]);
        if (label == ASSET_LABEL_OTHER)
            continue;
        read_amount(reading, METRIC_ASSET_OWED, label, &entry->owed);
        read_amount(reading, METRIC_ASSET_DUE, label, &entry->due);
    }
    read_number(reading, METRIC_ASSET_COUNT, ASSET_LABEL_OTHER, counts[ASSET_LABEL_OTHER]);
}

enum bursar_status reading_take_owed(struct reading *reading, struct meters *meters, const struct store *store,
                                     uint64_t now_ms, struct bursar_error *err)
{
    struct owed_view owed;
    enum bursar_status status = store->owed(store->ctx, meters->treasury.id, &owed, err);
    if (status != BURSAR_OK)
        return status;
    read_wei(reading, METRIC_DUE, &owed.assets[0].due);
    read_wei(reading, METRIC_OWED, &owed.assets[0].owed);
    read_number(reading, METRIC_OWED_IS_ALL, 0, owed.is_all);
    read_number(reading, METRIC_PENDING_MATURED, 0, owed.matured_count);
    read_ms(reading, METRIC_OLDEST_DUE, owed.oldest_ms && now_ms > owed.oldest_ms ? now_ms - owed.oldest_ms : 0);
    take_assets(reading, meters, &owed);
    return BURSAR_OK;
}

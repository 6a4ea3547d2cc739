/* See balance.h. */
#include "service/balance.h"

#include "service/json_values.h"

struct newest {
    bool found;
    struct balance_record record;
};

static enum bursar_status take_newest(void *ctx, const struct balance_record *record)
{
    struct newest *newest = ctx;
    *newest = (struct newest){ true, *record };
    return BURSAR_OK;
}

static json_t *units_json(struct bursar_amount amount, const struct owed_asset *entry)
{
    char text[BURSAR_AMOUNT_UNITS_TEXT_BYTES];
    if (entry->asset.is_token && !entry->has_decimals)
        return json_null();
    bursar_amount_to_units(amount, entry->asset.is_token ? entry->decimals : COIN_DECIMALS, text);
    return json_string(text);
}

static json_t *owed_json(const struct owed_view *owed, const struct asset_names *names)
{
    json_t *list = json_array();
    for (size_t i = 0; i < owed->count; i++) {
        const struct owed_asset *entry = &owed->assets[i];
        char asset[ASSET_TEXT_BYTES];
        const char *name = asset_name(names, &entry->asset);
        asset_text(&entry->asset, asset);
        json_t *item = json_pack("{s:s,s:o,s:o,s:o,s:I,s:o,s:o,s:I}", "asset", asset, "asset_name",
                                 name ? output_json_text(name) : json_null(), "owed", output_json_amount(entry->owed),
                                 "owed_units", units_json(entry->owed, entry), "owed_count",
                                 (json_int_t)entry->owed_count, "due", output_json_amount(entry->due), "due_units",
                                 units_json(entry->due, entry), "due_count", (json_int_t)entry->due_count);
        if (json_array_append_new(list, item) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

enum bursar_status balance_read(const struct store *store, const struct situation *situation,
                                const struct asset_names *names, json_t **ret, struct bursar_error *err)
{
    struct newest newest = { 0 };
    struct owed_view owed;
    const struct snapshot *snapshot = &situation->snapshot;
    int64_t id = situation->treasury.id;
    enum bursar_status status = store->balances(store->ctx, id, 0, 1, take_newest, &newest, err);
    if (status == BURSAR_OK)
        status = store->owed(store->ctx, id, &owed, err);
    if (status != BURSAR_OK)
        return status;
    const struct balance_record *record = &newest.record;
    *ret = json_pack("{s:s,s:o,s:o,s:o,s:o,s:o,s:I,s:o,s:o,s:b,s:o}", "treasury", situation->treasury.name, "balance",
                     newest.found ? output_json_amount(record->balance) : json_null(), "block_number",
                     newest.found ? json_integer((json_int_t)record->block_number) : json_null(), "changed_at",
                     output_json_ms(newest.found ? record->at_ms : 0), "available",
                     snapshot->has_available ? output_json_amount(snapshot->available) : json_null(), "seen_at",
                     output_json_ms(snapshot->last_success_ms), "in_flight", (json_int_t)situation->lane.in_flight,
                     "owed", output_json_amount(owed.assets[0].owed), "due", output_json_amount(owed.assets[0].due),
                     "owed_is_all", owed.is_all, "assets", owed_json(&owed, names));
    return *ret ? BURSAR_OK : bursar_fail(err, BURSAR_ENOMEM, "out of memory");
}

/* "12" or "-12"; null when it is not known what was before. */
static json_t *delta_json(const struct balance_record *record)
{
    struct bursar_amount difference;
    char text[BURSAR_AMOUNT_TEXT_BYTES + 1];
    if (!record->has_before)
        return json_null();
    if (bursar_amount_subtract(record->balance, record->before, &difference))
        return output_json_amount(difference);
    if (!bursar_amount_subtract(record->before, record->balance, &difference))
        return NULL;
    text[0] = '-';
    bursar_amount_to_text(difference, text + 1);
    return json_string(text);
}

static const char *kind(const struct balance_record *record)
{
    if (!record->has_before)
        return "opening";
    int compared = bursar_amount_compare(record->balance, record->before);
    if (compared == 0)
        return "due"; /* only that has changed */
    return compared > 0 ? "accrual" : "spent";
}

struct spent {
    json_t *items;
    size_t count;
};

static enum bursar_status take_spent(void *ctx, int64_t disbursement, const char *ref)
{
    struct spent *spent = ctx;
    if (spent->count++ == BALANCE_SPENT_MAX_COUNT)
        return BURSAR_OK;
    json_t *item = json_pack("{s:I,s:o}", "id", (json_int_t)disbursement, "ref", output_json_text(ref));
    return json_array_append_new(spent->items, item) == 0 ? BURSAR_OK : BURSAR_ENOMEM;
}

struct history {
    const struct store *store;
    int64_t treasury;
    struct bursar_error *err;
    size_t limit;
    size_t count;
    uint64_t last_seq;
    json_t *items;
};

static enum bursar_status take_record(void *ctx, const struct balance_record *record)
{
    struct history *history = ctx;
    if (history->count++ == history->limit)
        return BURSAR_OK;
    history->last_seq = record->seq;
    const struct store *store = history->store;
    struct spent spent = { .items = json_array() };
    enum bursar_status status = BURSAR_OK;
    if (record->has_before)
        status = store->spent_between(store->ctx, history->treasury, record->before_block_number, record->block_number,
                                      BALANCE_SPENT_MAX_COUNT + 1, take_spent, &spent, history->err);
    if (status != BURSAR_OK) {
        json_decref(spent.items);
        return status;
    }
    json_t *item = json_pack("{s:I,s:o,s:I,s:o,s:o,s:s,s:o,s:o,s:b}", "id", (json_int_t)record->seq, "at",
                             output_json_ms(record->at_ms), "block_number", (json_int_t)record->block_number, "balance",
                             output_json_amount(record->balance), "delta", delta_json(record), "kind", kind(record),
                             "due", record->has_due ? output_json_amount(record->due) : json_null(), "disbursements",
                             spent.items, "disbursements_more", spent.count > BALANCE_SPENT_MAX_COUNT);
    return json_array_append_new(history->items, item) == 0 ? BURSAR_OK : BURSAR_ENOMEM;
}

enum bursar_status balance_history(const struct store *store, int64_t treasury, uint64_t cursor, size_t limit,
                                   json_t **ret, struct bursar_error *err)
{
    struct history history = {
        .store = store, .treasury = treasury, .err = err, .limit = limit, .items = json_array()
    };
    enum bursar_status status = store->balances(store->ctx, treasury, cursor, limit + 1, take_record, &history, err);
    if (status != BURSAR_OK) {
        json_decref(history.items);
        return status;
    }
    *ret = json_pack("{s:o,s:o}", "items", history.items, "next",
                     history.count > limit ? json_integer((json_int_t)history.last_seq) : json_null());
    return *ret ? BURSAR_OK : bursar_fail(err, BURSAR_ENOMEM, "out of memory");
}

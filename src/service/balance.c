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

/* What is still to leave the account: "owed" is all that is queued or bound to a nonce, scheduled for later or not. */
static enum bursar_status read_owed(const struct store *store, const struct situation *situation,
                                    struct bursar_amount *ret, bool *ret_is_all, struct bursar_error *err)
{
    int64_t id = situation->treasury.id;
    uint64_t counts[STATE_COUNT];
    struct bursar_amount queued, staged;
    enum bursar_status status = store->counts(store->ctx, id, counts, err);
    if (status == BURSAR_OK)
        status = store->owed(store->ctx, id, STATE_QUEUED, BALANCE_OWED_MAX_COUNT, &queued, err);
    if (status == BURSAR_OK)
        status = store->owed(store->ctx, id, STATE_STAGED, BALANCE_OWED_MAX_COUNT, &staged, err);
    if (status == BURSAR_OK && !bursar_amount_add(queued, staged, ret))
        status = bursar_fail(err, BURSAR_EINVAL, "the sum of what is owed has more than 256 bits");
    *ret_is_all = status == BURSAR_OK && counts[STATE_QUEUED] <= BALANCE_OWED_MAX_COUNT &&
                  counts[STATE_STAGED] <= BALANCE_OWED_MAX_COUNT;
    return status;
}

enum bursar_status balance_read(const struct store *store, const struct situation *situation, json_t **ret,
                                struct bursar_error *err)
{
    struct newest newest = { 0 };
    const struct snapshot *snapshot = &situation->snapshot;
    enum bursar_status status = store->balances(store->ctx, situation->treasury.id, 0, 1, take_newest, &newest, err);
    struct bursar_amount owed;
    bool is_all;
    if (status == BURSAR_OK)
        status = read_owed(store, situation, &owed, &is_all, err);
    if (status != BURSAR_OK)
        return status;
    const struct balance_record *record = &newest.record;
    *ret = json_pack("{s:s,s:o,s:o,s:o,s:o,s:o,s:I,s:o,s:b}", "treasury", situation->treasury.name, "balance",
                     newest.found ? output_json_amount(record->balance) : json_null(), "block_number",
                     newest.found ? json_integer((json_int_t)record->block_number) : json_null(), "changed_at",
                     output_json_ms(newest.found ? record->at_ms : 0), "available",
                     snapshot->has_available ? output_json_amount(snapshot->available) : json_null(), "seen_at",
                     output_json_ms(snapshot->last_success_ms), "in_flight", (json_int_t)situation->lane.in_flight,
                     "owed", output_json_amount(owed), "owed_is_all", is_all);
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
    return bursar_amount_compare(record->balance, record->before) > 0 ? "accrual" : "spent";
}

struct history {
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
    json_t *item = json_pack("{s:I,s:o,s:I,s:o,s:o,s:s}", "id", (json_int_t)record->seq, "at",
                             output_json_ms(record->at_ms), "block_number", (json_int_t)record->block_number, "balance",
                             output_json_amount(record->balance), "delta", delta_json(record), "kind", kind(record));
    return json_array_append_new(history->items, item) == 0 ? BURSAR_OK : BURSAR_ENOMEM;
}

enum bursar_status balance_history(const struct store *store, int64_t treasury, uint64_t cursor, size_t limit,
                                   json_t **ret, struct bursar_error *err)
{
    struct history history = { .limit = limit, .items = json_array() };
    enum bursar_status status = store->balances(store->ctx, treasury, cursor, limit + 1, take_record, &history, err);
    if (status != BURSAR_OK) {
        json_decref(history.items);
        return status;
    }
    *ret = json_pack("{s:o,s:o}", "items", history.items, "next",
                     history.count > limit ? json_integer((json_int_t)history.last_seq) : json_null());
    return *ret ? BURSAR_OK : bursar_fail(err, BURSAR_ENOMEM, "out of memory");
}

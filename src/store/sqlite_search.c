/* What people look for: disbursements by what they are, the event log, and what the account held. However rare what is
 * looked for: a call looks at a bounded number of rows, and says where the next one goes on. */
#include "store/sqlite_core.h"

static void bind_i64_or_null(sqlite3_stmt *stmt, int index, int64_t value)
{
    if (value != 0)
        bind_i64(stmt, index, value);
}

static void bind_filter(sqlite3_stmt *stmt, const struct search_filter *filter)
{
    bind_i64_or_null(stmt, 5, filter->state);
    if (filter->has_destination)
        bind_address(stmt, 6, &filter->destination);
    if (filter->ref_prefix)
        bind_text(stmt, 7, filter->ref_prefix);
    if (filter->has_min_amount)
        bind_amount(stmt, 8, &filter->min_amount);
    if (filter->has_max_amount)
        bind_amount(stmt, 9, &filter->max_amount);
    if (filter->has_epoch)
        bind_u64(stmt, 10, filter->epoch);
    bind_i64_or_null(stmt, 11, (int64_t)filter->created_from_ms);
    bind_i64_or_null(stmt, 12, (int64_t)filter->created_to_ms);
    bind_i64_or_null(stmt, 13, (int64_t)filter->changed_from_ms);
    bind_i64_or_null(stmt, 14, (int64_t)filter->changed_to_ms);
}

static enum bursar_status newest_id(struct sqlite_store *store, int64_t *ret, struct bursar_error *err)
{
    bool row;
    sqlite3_stmt *stmt = statement(store, SQL_DISBURSEMENT_NEWEST, err);
    enum bursar_status status = step_row(store, stmt, &row, err);
    if (status != BURSAR_OK)
        return status;
    *ret = row ? sqlite3_column_int64(stmt, 0) : 0;
    if (row)
        (void)sqlite3_reset(stmt);
    return BURSAR_OK;
}

static enum bursar_status search(void *ctx, int64_t treasury, const struct search_filter *filter,
                                 disbursement_visitor *visit, void *visit_ctx, int64_t *ret_next,
                                 struct bursar_error *err)
{
    struct sqlite_store *store = ctx;
    struct disbursement_seer seer = { visit, visit_ctx };
    int64_t newest = 0;
    enum bursar_status status = newest_id(store, &newest, err);
    if (status != BURSAR_OK)
        return status;
    /* (low, high] */
    int64_t low, high;
    if (filter->newest_first) {
        high = filter->cursor > 0 && filter->cursor <= newest ? filter->cursor - 1 : newest;
        low = high > SEARCH_LOOKED_MAX_COUNT ? high - SEARCH_LOOKED_MAX_COUNT : 0;
    } else {
        low = filter->cursor < newest ? filter->cursor : newest;
        high = newest - low > SEARCH_LOOKED_MAX_COUNT ? low + SEARCH_LOOKED_MAX_COUNT : newest;
    }
    sqlite3_stmt *stmt = statement(store, filter->newest_first ? SQL_SEARCH_DOWN : SQL_SEARCH_UP, err);
    bind_i64(stmt, 1, treasury);
    bind_i64(stmt, 2, low);
    bind_i64(stmt, 3, high);
    bind_u64(stmt, 4, filter->limit);
    bind_filter(stmt, filter);
    status = each_row(store, stmt, disbursement_seen, &seer, err);
    if (status == BURSAR_OK)
        *ret_next = filter->newest_first ? (low > 0 ? low + 1 : 0) : (high < newest ? high : 0);
    return status;
}

struct event_seer {
    event_visitor *visit;
    void *ctx;
};

static enum bursar_status log_event_seen(void *ctx, sqlite3_stmt *stmt)
{
    const struct event_seer *seer = ctx;
    struct event_record record = {
        .seq = column_u64(stmt, 0),
        .at_ms = column_u64(stmt, 1),
        .cause = (enum lifecycle_cause)sqlite3_column_int(stmt, 2),
        .from_state = sqlite3_column_int(stmt, 3),
        .to_state = sqlite3_column_int(stmt, 4),
        .actor = (const char *)sqlite3_column_text(stmt, 5),
        .detail = (const char *)sqlite3_column_text(stmt, 6),
        .treasury = sqlite3_column_int64(stmt, 7),
        .disbursement = sqlite3_column_int64(stmt, 8),
        .ref = (const char *)sqlite3_column_text(stmt, 9),
    };
    if (!record.actor || !record.detail)
        return BURSAR_ENOMEM;
    return seer->visit(seer->ctx, &record);
}

static enum bursar_status events(void *ctx, uint64_t after_seq, size_t limit, event_visitor *visit, void *visit_ctx,
                                 struct bursar_error *err)
{
    struct sqlite_store *store = ctx;
    struct event_seer seer = { visit, visit_ctx };
    sqlite3_stmt *stmt = statement(store, SQL_EVENTS, err);
    bind_u64(stmt, 1, after_seq);
    bind_u64(stmt, 2, limit);
    return each_row(store, stmt, log_event_seen, &seer, err);
}

static enum bursar_status treasury_events(void *ctx, int64_t treasury, uint64_t before_seq, size_t limit,
                                          event_visitor *visit, void *visit_ctx, struct bursar_error *err)
{
    struct sqlite_store *store = ctx;
    struct event_seer seer = { visit, visit_ctx };
    sqlite3_stmt *stmt = statement(store, SQL_TREASURY_EVENTS, err);
    bind_i64(stmt, 1, treasury);
    bind_u64(stmt, 2, before_seq ? before_seq : INT64_MAX);
    bind_u64(stmt, 3, limit);
    return each_row(store, stmt, log_event_seen, &seer, err);
}

static enum bursar_status event_newest(void *ctx, uint64_t *ret_seq, struct bursar_error *err)
{
    struct sqlite_store *store = ctx;
    bool row;
    sqlite3_stmt *stmt = statement(store, SQL_EVENT_NEWEST, err);
    enum bursar_status status = step_row(store, stmt, &row, err);
    if (status != BURSAR_OK)
        return status;
    *ret_seq = row ? column_u64(stmt, 0) : 0;
    if (row)
        (void)sqlite3_reset(stmt);
    return BURSAR_OK;
}

void sqlite_fill_search(struct store *interface)
{
    interface->search = search;
    interface->events = events;
    interface->event_newest = event_newest;
    interface->treasury_events = treasury_events;
}

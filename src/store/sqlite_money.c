/* The money breaker's row, and what it is judged by: what went wrong, what was bound, and what the account had. */
#include "store/sqlite_core.h"

#include <string.h>

static enum bursar_status read_row(struct sqlite_store *store, int64_t treasury, struct money_record *ret,
                                   struct bursar_error *err)
{
    sqlite3_stmt *stmt = statement(store, SQL_MONEY_LOAD, err);
    bind_i64(stmt, 1, treasury);
    bool row = false;
    enum bursar_status status = step_row(store, stmt, &row, err);
    if (status != BURSAR_OK)
        return status;
    if (!row)
        return bursar_fail(err, BURSAR_ENOTFOUND, "%s: no such treasury", store->path);
    *ret = (struct money_record){ .version = column_u64(stmt, 0),
                                  .cause = (enum money_cause)sqlite3_column_int(stmt, 1),
                                  .changed_ms = column_u64(stmt, 4),
                                  .has_mark = sqlite3_column_type(stmt, 5) != SQLITE_NULL };
    column_copy(stmt, 2, ret->detail, sizeof ret->detail);
    column_copy(stmt, 3, ret->actor, sizeof ret->actor);
    if (ret->has_mark) {
        ret->mark_number = column_u64(stmt, 5);
        column_amount(stmt, 6, &ret->mark_balance);
    }
    column_amount(stmt, 7, &ret->paid);
    (void)sqlite3_reset(stmt);
    return BURSAR_OK;
}

static enum bursar_status load(void *ctx, int64_t treasury, struct money_record *ret, struct bursar_error *err)
{
    return read_row(ctx, treasury, ret, err);
}

/* Compare-and-set on the version. */
static enum bursar_status change(struct sqlite_store *store, int64_t treasury, uint64_t version, enum money_cause cause,
                                 const struct decision *decision, struct bursar_error *err)
{
    int changed = 0;
    char detail[MONEY_DETAIL_MAX_BYTES + 32];
    const char *name = money_cause_name(cause);
    sqlite3_stmt *stmt = statement(store, SQL_MONEY_SAVE, err);
    bind_i64(stmt, 1, treasury);
    bind_u64(stmt, 2, version);
    bind_i64(stmt, 3, cause);
    bind_text(stmt, 4, decision->reason);
    bind_text(stmt, 5, decision->actor);
    bind_u64(stmt, 6, decision->at_ms);
    enum bursar_status status = run_statement(store, stmt, &changed, err);
    if (status == BURSAR_OK && changed != 1)
        status = bursar_fail(err, BURSAR_ESTALE, "the money breaker was changed");
    if (status != BURSAR_OK)
        return status;
    (void)snprintf(detail, sizeof detail, "%s%s%s", name ? name : "", name ? ": " : "", decision->reason);
    struct event_fields event = { .treasury = treasury,
                                  .at_ms = decision->at_ms,
                                  .cause = cause == MONEY_NONE ? CAUSE_MONEY_CLOSED : CAUSE_MONEY_OPENED,
                                  .actor = decision->actor,
                                  .detail = detail };
    return event_append(store, &event, err);
}

static enum bursar_status trip(void *ctx, struct fence fence, uint64_t now_ms, enum money_cause cause,
                               const char *detail, uint64_t *ret_version, struct bursar_error *err)
{
    struct sqlite_store *store = ctx;
    const struct decision seen = { .actor = store->holder, .reason = detail, .at_ms = now_ms };
    enum bursar_status status = write_begin(store, &fence, err);
    if (status != BURSAR_OK)
        return status;
    status = change(store, fence.treasury, fence.money_version, cause, &seen, err);
    status = write_end(store, status, err);
    if (status == BURSAR_OK)
        *ret_version = fence.money_version + 1;
    return status;
}

static enum bursar_status forget(struct sqlite_store *store, int64_t treasury, struct bursar_error *err)
{
    static const enum sqlite_statement forgetting[] = { SQL_MONEY_INCIDENTS_FORGET, SQL_MONEY_SLICES_FORGET };
    enum bursar_status status = money_set_mark(store, treasury, 0, NULL, err);
    for (size_t i = 0; i < sizeof forgetting / sizeof *forgetting && status == BURSAR_OK; i++) {
        sqlite3_stmt *stmt = statement(store, forgetting[i], err);
        bind_i64(stmt, 1, treasury);
        status = run_statement(store, stmt, NULL, err);
    }
    return status;
}

static enum bursar_status force(void *ctx, int64_t treasury, bool opens, const struct decision *decision,
                                struct bursar_error *err)
{
    struct sqlite_store *store = ctx;
    struct money_record record = { 0 };
    enum bursar_status status = decision_check(decision, err);
    if (status == BURSAR_OK)
        status = write_begin(store, NULL, err);
    if (status != BURSAR_OK)
        return status;
    status = read_row(store, treasury, &record, err);
    if (status == BURSAR_OK)
        status = change(store, treasury, record.version, opens ? MONEY_PERSON : MONEY_NONE, decision, err);
    if (status == BURSAR_OK && !opens)
        status = forget(store, treasury, err);
    return write_end(store, status, err);
}

/* --- what went wrong --- */

enum bursar_status money_note_incident(struct sqlite_store *store, int64_t treasury, uint64_t now_ms,
                                       enum money_cause cause, const char *detail, struct bursar_error *err)
{
    sqlite3_stmt *stmt = statement(store, SQL_MONEY_INCIDENT_ADD, err);
    bind_i64(stmt, 1, treasury);
    bind_i64(stmt, 2, cause);
    bind_u64(stmt, 3, now_ms);
    bind_text(stmt, 4, detail);
    enum bursar_status status = run_statement(store, stmt, NULL, err);
    if (status != BURSAR_OK)
        return status;
    stmt = statement(store, SQL_MONEY_INCIDENT_DROP, err);
    bind_i64(stmt, 1, treasury);
    bind_i64(stmt, 2, cause);
    bind_i64(stmt, 3, MONEY_INCIDENTS_KEPT_COUNT);
    return run_statement(store, stmt, NULL, err);
}

static enum bursar_status take_incidents(void *ctx, sqlite3_stmt *stmt)
{
    struct money_incidents *ret = ctx;
    const int cause = sqlite3_column_int(stmt, 0); /* the schema's CHECK sees to its range */
    ret->count[cause] = column_u64(stmt, 1);
    column_copy(stmt, 2, ret->latest[cause], sizeof ret->latest[cause]);
    return BURSAR_OK;
}

static enum bursar_status incidents(void *ctx, int64_t treasury, uint64_t since_ms, struct money_incidents *ret,
                                    struct bursar_error *err)
{
    struct sqlite_store *store = ctx;
    sqlite3_stmt *stmt = statement(store, SQL_MONEY_INCIDENTS, err);
    *ret = (struct money_incidents){ 0 };
    bind_i64(stmt, 1, treasury);
    bind_u64(stmt, 2, since_ms);
    return each_row(store, stmt, take_incidents, ret, err);
}

/* --- what was bound --- */

static void bind_asset_key(sqlite3_stmt *stmt, int index, const struct asset *asset)
{
    if (stmt)
        (void)sqlite3_bind_blob(stmt, index, asset->is_token ? asset->token.bytes : (const uint8_t *)"",
                                asset->is_token ? (int)sizeof asset->token.bytes : 0, SQLITE_STATIC);
}

static uint64_t slice_of(uint64_t at_ms)
{
    return at_ms - at_ms % MONEY_SLICE_MS;
}

/* All of this asset, in one row. What no amount can hold stays the largest there is. */
static enum bursar_status add_slice(struct sqlite_store *store, int64_t treasury, uint64_t now_ms,
                                    const struct asset *asset, struct bursar_amount amount, uint64_t payments,
                                    struct bursar_error *err)
{
    const uint64_t slice_ms = slice_of(now_ms);
    struct bursar_amount before = { 0 };
    bool row = false;
    sqlite3_stmt *stmt = statement(store, SQL_MONEY_SLICE, err);
    bind_i64(stmt, 1, treasury);
    bind_asset_key(stmt, 2, asset);
    bind_u64(stmt, 3, slice_ms);
    enum bursar_status status = step_row(store, stmt, &row, err);
    if (status != BURSAR_OK)
        return status;
    if (row) {
        column_amount(stmt, 0, &before);
        (void)sqlite3_reset(stmt);
    }
    if (!bursar_amount_add(before, amount, &amount))
        memset(&amount, 0xff, sizeof amount);
    stmt = statement(store, SQL_MONEY_SLICE_SET, err);
    bind_i64(stmt, 1, treasury);
    bind_asset_key(stmt, 2, asset);
    bind_u64(stmt, 3, slice_ms);
    bind_amount(stmt, 4, &amount);
    bind_u64(stmt, 5, payments);
    status = run_statement(store, stmt, NULL, err);
    if (status != BURSAR_OK || row)
        return status;
    stmt = statement(store, SQL_MONEY_SLICES_DROP, err);
    bind_i64(stmt, 1, treasury);
    bind_asset_key(stmt, 2, asset);
    bind_u64(stmt, 3, slice_ms > 2 * MONEY_HOUR_MS ? slice_ms - 2 * MONEY_HOUR_MS : 0);
    return run_statement(store, stmt, NULL, err);
}

enum bursar_status money_note_bound(struct sqlite_store *store, int64_t treasury, uint64_t now_ms,
                                    const struct binding *bindings, size_t count, struct bursar_error *err)
{
    enum bursar_status status = BURSAR_OK;
    for (size_t i = 0, next; i < count && status == BURSAR_OK; i = next) { /* by runs of one asset */
        struct bursar_amount sum = { 0 };
        for (next = i; next < count && asset_equal(&bindings[next].asset, &bindings[i].asset); next++) {
            if (!bursar_amount_add(sum, bindings[next].amount, &sum))
                memset(&sum, 0xff, sizeof sum);
        }
        status = add_slice(store, treasury, now_ms, &bindings[i].asset, sum, next - i, err);
    }
    return status;
}

static enum bursar_status add_amount(void *ctx, sqlite3_stmt *stmt)
{
    struct bursar_amount *sum = ctx, amount;
    column_amount(stmt, 0, &amount);
    if (!bursar_amount_add(*sum, amount, sum))
        memset(sum, 0xff, sizeof *sum);
    return BURSAR_OK;
}

static enum bursar_status spent(void *ctx, int64_t treasury, const struct asset *asset, uint64_t since_ms,
                                struct bursar_amount *ret, struct bursar_error *err)
{
    struct sqlite_store *store = ctx;
    sqlite3_stmt *stmt = statement(store, SQL_MONEY_SPENT, err);
    *ret = (struct bursar_amount){ 0 };
    bind_i64(stmt, 1, treasury);
    bind_asset_key(stmt, 2, asset);
    bind_u64(stmt, 3, slice_of(since_ms));
    return each_row(store, stmt, add_amount, ret, err);
}

static enum bursar_status payments(void *ctx, int64_t treasury, uint64_t since_ms, uint64_t *ret,
                                   struct bursar_error *err)
{
    struct sqlite_store *store = ctx;
    bool row = false;
    sqlite3_stmt *stmt = statement(store, SQL_MONEY_PAYMENTS, err);
    bind_i64(stmt, 1, treasury);
    bind_u64(stmt, 2, slice_of(since_ms));
    enum bursar_status status = step_row(store, stmt, &row, err);
    if (status != BURSAR_OK)
        return status;
    *ret = row ? column_u64(stmt, 0) : 0;
    (void)sqlite3_reset(stmt);
    return BURSAR_OK;
}

/* --- what the account had --- */

enum bursar_status money_set_mark(struct sqlite_store *store, int64_t treasury, uint64_t number,
                                  const struct bursar_amount *balance, struct bursar_error *err)
{
    sqlite3_stmt *stmt = statement(store, SQL_MONEY_MARK, err);
    bind_i64(stmt, 1, treasury);
    if (balance) { /* else NULL */
        bind_u64(stmt, 2, number);
        bind_amount(stmt, 3, balance);
    }
    return run_statement(store, stmt, NULL, err);
}

enum bursar_status money_note_final(struct sqlite_store *store, int64_t treasury, const struct final_attempt *final,
                                    size_t count, struct bursar_error *err)
{
    struct money_record record = { 0 };
    enum bursar_status status = read_row(store, treasury, &record, err);
    if (status != BURSAR_OK || !record.has_mark)
        return status;
    for (size_t i = 0; i < count; i++) {
        if (!bursar_amount_add(record.paid, final[i].paid, &record.paid))
            memset(&record.paid, 0xff, sizeof record.paid);
    }
    sqlite3_stmt *stmt = statement(store, SQL_MONEY_PAID, err);
    bind_i64(stmt, 1, treasury);
    bind_amount(stmt, 2, &record.paid);
    return run_statement(store, stmt, NULL, err);
}

void sqlite_fill_money(struct store *interface)
{
    interface->money_load = load;
    interface->money_incidents = incidents;
    interface->money_trip = trip;
    interface->money_force = force;
    interface->money_spent = spent;
    interface->money_payments = payments;
}

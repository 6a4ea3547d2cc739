/* Spending: binding nonces for life (INV-1), signed bytes before the wire (INV-2), what is in flight. */
#include "store/sqlite_core.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* The first value of a one-row statement; *ret_some false when there is none or it is NULL. */
static enum bursar_status read_u64(struct sqlite_store *store, sqlite3_stmt *stmt, bool *ret_some, uint64_t *ret,
                                   struct bursar_error *err)
{
    bool row;
    enum bursar_status status = step_row(store, stmt, &row, err);
    if (status != BURSAR_OK)
        return status;
    *ret_some = row && sqlite3_column_type(stmt, 0) != SQLITE_NULL;
    *ret = *ret_some ? column_u64(stmt, 0) : 0;
    if (row)
        (void)sqlite3_reset(stmt);
    return BURSAR_OK;
}

static enum bursar_status read_for_treasury(struct sqlite_store *store, enum sqlite_statement which, int64_t treasury,
                                            bool *ret_some, uint64_t *ret, struct bursar_error *err)
{
    sqlite3_stmt *stmt = statement(store, which, err);
    bind_i64(stmt, 1, treasury);
    return read_u64(store, stmt, ret_some, ret, err);
}

/* There is no nonce counter: next = highest bound + 1, else the treasury's first nonce (INV-1). *ret_known is false for
 * a treasury that was never pinned. */
static enum bursar_status next_nonce(struct sqlite_store *store, int64_t treasury, bool *ret_bound, bool *ret_known,
                                     uint64_t *ret, struct bursar_error *err)
{
    uint64_t highest;
    enum bursar_status status = read_for_treasury(store, SQL_NONCE_HIGHEST, treasury, ret_bound, &highest, err);
    if (status != BURSAR_OK)
        return status;
    *ret_known = true;
    *ret = highest + 1;
    return *ret_bound ? BURSAR_OK : read_for_treasury(store, SQL_NONCE_FIRST, treasury, ret_known, ret, err);
}

static enum bursar_status lane_read(void *ctx, int64_t treasury, struct lane *ret, struct bursar_error *err)
{
    struct sqlite_store *store = ctx;
    struct lane lane = { 0 };
    bool some;
    enum bursar_status status = next_nonce(store, treasury, &lane.has_intents, &some, &lane.next_nonce, err);
    if (status == BURSAR_OK)
        status =
            read_for_treasury(store, SQL_NONCE_LOWEST_UNFINISHED, treasury, &some, &lane.lowest_unfinished_nonce, err);
    if (status == BURSAR_OK && !some)
        lane.lowest_unfinished_nonce = lane.next_nonce;
    if (status == BURSAR_OK)
        status = read_for_treasury(store, SQL_IN_FLIGHT_COUNT, treasury, &some, &lane.in_flight, err);
    if (status == BURSAR_OK)
        *ret = lane;
    return status;
}

static enum bursar_status bind_one(struct sqlite_store *store, const struct fence *fence, uint64_t now_ms,
                                   const struct binding *binding, struct bursar_error *err)
{
    sqlite3_stmt *stmt = statement(store, SQL_INTENT_ADD, err);
    bind_i64(stmt, 1, fence->treasury);
    bind_u64(stmt, 2, binding->nonce);
    bind_address(stmt, 3, &binding->to);
    bind_amount(stmt, 4, &binding->value);
    bind_u64(stmt, 5, binding->gas_limit);
    bind_u64(stmt, 6, fence->lease_epoch);
    bind_u64(stmt, 7, now_ms);
    bind_data(stmt, 8, &binding->data);
    enum bursar_status status = run_statement(store, stmt, NULL, err);
    if (status != BURSAR_OK)
        return status;
    int64_t intent = sqlite3_last_insert_rowid(store->db);
    struct disbursement_version from = { binding->disbursement, STATE_QUEUED, binding->version };
    char detail[64];
    (void)snprintf(detail, sizeof detail, "nonce %llu", (unsigned long long)binding->nonce);
    struct disbursement_move move = { STATE_STAGED, CAUSE_BOUND, intent, now_ms, store->holder, detail };
    status = disbursement_move(store, fence->treasury, &from, &move, err);
    if (status != BURSAR_OK)
        return status;
    stmt = statement(store, SQL_ITEM_ADD, err); /* after the move: a row that changed is ESTALE, not a broken rule */
    bind_i64(stmt, 1, intent);
    bind_i64(stmt, 2, binding->disbursement);
    return run_statement(store, stmt, NULL, err);
}

static enum bursar_status bind_all(void *ctx, struct fence fence, uint64_t now_ms, const struct binding *bindings,
                                   size_t count, struct bursar_error *err)
{
    struct sqlite_store *store = ctx;
    enum bursar_status status = write_begin_spending(store, &fence, err);
    if (status != BURSAR_OK)
        return status;
    bool bound, known = false;
    uint64_t nonce = 0;
    status = next_nonce(store, fence.treasury, &bound, &known, &nonce, err);
    if (status == BURSAR_OK && !known)
        status = bursar_fail(err, BURSAR_EINTERNAL, "the treasury is not pinned to a chain yet");
    for (size_t i = 0; i < count && status == BURSAR_OK; i++, nonce++) {
        if (bindings[i].nonce != nonce)
            status = bursar_fail(err, BURSAR_ESTALE, "nonce %llu is not the lane's next, which is %llu",
                                 (unsigned long long)bindings[i].nonce, (unsigned long long)nonce);
        else
            status = bind_one(store, &fence, now_ms, &bindings[i], err);
    }
    if (status == BURSAR_OK)
        status = money_note_bound(store, fence.treasury, now_ms, bindings, count, err);
    return write_end(store, status, err);
}

static enum bursar_status add_attempt(struct sqlite_store *store, const struct fence *fence, uint64_t now_ms,
                                      const struct new_attempt *attempt, struct bursar_error *err)
{
    int changed = 0;
    enum bursar_status status =
        intent_move(store, fence->treasury, attempt->intent, INTENT_BOUND, INTENT_SIGNED, &changed, err);
    if (status == BURSAR_OK && changed != 1) /* a replacement: it stays signed, and must not be included yet */
        status = intent_move(store, fence->treasury, attempt->intent, INTENT_SIGNED, INTENT_SIGNED, &changed, err);
    if (status == BURSAR_OK && changed != 1)
        status = bursar_fail(err, BURSAR_ESTALE, "intent %lld takes no further attempt", (long long)attempt->intent);
    if (status != BURSAR_OK)
        return status;
    sqlite3_stmt *stmt = statement(store, SQL_ATTEMPT_ADD, err);
    bind_i64(stmt, 1, fence->treasury);
    bind_i64(stmt, 2, attempt->intent);
    bind_i64(stmt, 3, attempt->purpose);
    bind_hash(stmt, 4, &attempt->hash);
    bind_u64(stmt, 5, attempt->max_priority_fee_per_gas_wei);
    bind_u64(stmt, 6, attempt->max_fee_per_gas_wei);
    bind_u64(stmt, 7, now_ms);
    if (stmt && attempt->raw_bytes <= INT32_MAX)
        (void)sqlite3_bind_blob(stmt, 8, attempt->raw, (int)attempt->raw_bytes, SQLITE_STATIC);
    bind_u64(stmt, 9, attempt->head_number);
    return run_statement(store, stmt, NULL, err);
}

static enum bursar_status attempts_add(void *ctx, struct fence fence, uint64_t now_ms,
                                       const struct new_attempt *attempts, size_t count, struct bursar_error *err)
{
    struct sqlite_store *store = ctx;
    enum bursar_status status = write_begin_spending(store, &fence, err);
    if (status != BURSAR_OK)
        return status;
    for (size_t i = 0; i < count && status == BURSAR_OK; i++)
        status = add_attempt(store, &fence, now_ms, &attempts[i], err);
    return write_end(store, status, err);
}

static void read_flight(sqlite3_stmt *stmt, void *rows, size_t index)
{
    struct flight *flight = (struct flight *)rows + index;
    memset(flight, 0, offsetof(struct flight, data)); /* the room for data is not touched */
    flight->intent = sqlite3_column_int64(stmt, 0);
    flight->nonce = column_u64(stmt, 1);
    flight->kind = (enum intent_kind)sqlite3_column_int(stmt, 2);
    flight->gas_limit = column_u64(stmt, 5);
    flight->has_attempt = sqlite3_column_type(stmt, 6) != SQLITE_NULL;
    flight->attempt = sqlite3_column_int64(stmt, 6);
    flight->max_fee_per_gas_wei = column_u64(stmt, 8);
    flight->sends = column_u64(stmt, 9);
    flight->last_sent_ms = column_u64(stmt, 10);
    flight->verdict = sqlite3_column_int(stmt, 11);
    flight->seq = (unsigned)sqlite3_column_int(stmt, 12);
    flight->purpose = sqlite3_column_int(stmt, 13);
    flight->max_priority_fee_per_gas_wei = column_u64(stmt, 14);
    flight->head_number = column_u64(stmt, 15);
    column_address(stmt, 3, &flight->to);
    column_amount(stmt, 4, &flight->value);
    column_hash(stmt, 7, &flight->hash);
    column_data(stmt, 16, &flight->data);
}

static enum bursar_status flights_select(void *ctx, int64_t treasury, uint64_t from_nonce, size_t limit,
                                         struct flight *ret, size_t *ret_count, struct bursar_error *err)
{
    struct sqlite_store *store = ctx;
    sqlite3_stmt *stmt = statement(store, SQL_FLIGHTS, err);
    bind_i64(stmt, 1, treasury);
    bind_u64(stmt, 2, from_nonce);
    bind_u64(stmt, 3, limit);
    size_t count = 0;
    enum bursar_status status = collect_rows(store, stmt, read_flight, ret, limit, &count, err);
    if (status == BURSAR_OK)
        *ret_count = count;
    return status;
}

static void read_older(sqlite3_stmt *stmt, void *rows, size_t index)
{
    struct older_attempt *older = (struct older_attempt *)rows + index;
    *older = (struct older_attempt){ .attempt = sqlite3_column_int64(stmt, 0), .purpose = sqlite3_column_int(stmt, 1) };
    column_hash(stmt, 2, &older->hash);
}

static enum bursar_status older_attempts_select(void *ctx, int64_t intent, size_t limit, struct older_attempt *ret,
                                                size_t *ret_count, struct bursar_error *err)
{
    struct sqlite_store *store = ctx;
    sqlite3_stmt *stmt = statement(store, SQL_ATTEMPTS_OLDER, err);
    bind_i64(stmt, 1, intent);
    bind_u64(stmt, 2, limit);
    size_t count = 0;
    enum bursar_status status = collect_rows(store, stmt, read_older, ret, limit, &count, err);
    if (status == BURSAR_OK)
        *ret_count = count;
    return status;
}

static void read_cancel(sqlite3_stmt *stmt, void *rows, size_t index)
{
    ((struct cancel_request *)rows)[index] =
        (struct cancel_request){ .disbursement = sqlite3_column_int64(stmt, 0), .nonce = column_u64(stmt, 1) };
}

static enum bursar_status cancels_select(void *ctx, int64_t treasury, size_t limit, struct cancel_request *ret,
                                         size_t *ret_count, struct bursar_error *err)
{
    struct sqlite_store *store = ctx;
    sqlite3_stmt *stmt = statement(store, SQL_CANCELS_OPEN, err);
    bind_i64(stmt, 1, treasury);
    bind_u64(stmt, 2, limit);
    size_t count = 0;
    enum bursar_status status = collect_rows(store, stmt, read_cancel, ret, limit, &count, err);
    if (status == BURSAR_OK)
        *ret_count = count;
    return status;
}

static enum bursar_status attempt_raw(void *ctx, int64_t attempt, uint8_t **ret, size_t *ret_bytes,
                                      struct bursar_error *err)
{
    struct sqlite_store *store = ctx;
    sqlite3_stmt *stmt = statement(store, SQL_ATTEMPT_RAW, err);
    bind_i64(stmt, 1, attempt);
    bool row;
    enum bursar_status status = step_row(store, stmt, &row, err);
    if (status != BURSAR_OK)
        return status;
    if (!row)
        return bursar_fail(err, BURSAR_ENOTFOUND, "no attempt %lld", (long long)attempt);
    const void *raw = sqlite3_column_blob(stmt, 0);
    size_t length = (size_t)sqlite3_column_bytes(stmt, 0);
    uint8_t *copy = raw && length ? malloc(length) : NULL;
    if (copy) {
        memcpy(copy, raw, length);
        *ret = copy;
        *ret_bytes = length;
    } else {
        status = bursar_fail(err, BURSAR_ENOMEM, "out of memory reading attempt %lld", (long long)attempt);
    }
    (void)sqlite3_reset(stmt);
    return status;
}

static enum bursar_status submissions_record(void *ctx, struct fence fence, uint64_t now_ms,
                                             const struct submission *submissions, size_t count,
                                             struct bursar_error *err)
{
    struct sqlite_store *store = ctx;
    enum bursar_status status = write_begin(store, &fence, err);
    if (status != BURSAR_OK)
        return status;
    for (size_t i = 0; i < count && status == BURSAR_OK; i++) {
        sqlite3_stmt *stmt = statement(store, SQL_SUBMISSION, err);
        bind_i64(stmt, 1, submissions[i].attempt);
        bind_u64(stmt, 2, now_ms);
        bind_i64(stmt, 3, submissions[i].verdict);
        bind_text(stmt, 4, submissions[i].message);
        bind_i64(stmt, 5, fence.treasury);
        status = run_statement(store, stmt, NULL, err);
    }
    return write_end(store, status, err);
}

static enum bursar_status exists(struct sqlite_store *store, enum sqlite_statement which, int64_t treasury, bool *ret,
                                 struct bursar_error *err)
{
    uint64_t value;
    return read_for_treasury(store, which, treasury, ret, &value, err);
}

static enum bursar_status work_left(void *ctx, int64_t treasury, struct work_left *ret, struct bursar_error *err)
{
    struct sqlite_store *store = ctx;
    struct work_left left = { 0 };
    enum bursar_status status = exists(store, SQL_NONCE_LOWEST_UNFINISHED, treasury, &left.unfinished, err);
    if (status == BURSAR_OK)
        status = exists(store, SQL_READY_EXISTS, treasury, &left.ready, err);
    if (status == BURSAR_OK)
        status = left.ready ? status : exists(store, SQL_UNESTIMATED_EXISTS, treasury, &left.ready, err);
    if (status == BURSAR_OK)
        status = exists(store, SQL_WAKES_NEXT, treasury, &left.to_wake, err);
    if (status == BURSAR_OK)
        *ret = left;
    return status;
}

void sqlite_fill_spending(struct store *interface)
{
    interface->bind = bind_all;
    interface->attempts_add = attempts_add;
    interface->flights_select = flights_select;
    interface->older_attempts_select = older_attempts_select;
    interface->cancels_select = cancels_select;
    interface->attempt_raw = attempt_raw;
    interface->submissions_record = submissions_record;
    interface->lane_read = lane_read;
    interface->work_left = work_left;
}

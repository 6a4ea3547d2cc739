/* Statements, typed values and transactions: the thin layer that every other file of the SQLite store stands on. */
#include "store/sqlite_core.h"

#include "base/time.h"

#include <string.h>

const char *const SQLITE_STATEMENT_TEXT[SQL_COUNT] = {
#define S(name, scope, sql) sql,
    SQLITE_STATEMENTS(S)
#undef S
};

enum bursar_status sqlite_failed(struct sqlite_store *store, const char *doing, struct bursar_error *err)
{
    int code = sqlite3_extended_errcode(store->db);
    const char *text = sqlite3_errmsg(store->db);
    switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return bursar_fail(err, BURSAR_EBUSY,
                           "%s: %s: another process has kept the store locked; nothing was changed, try again",
                           store->path, doing);
    case SQLITE_NOMEM:
        return bursar_fail(err, BURSAR_ENOMEM, "%s: %s: out of memory", store->path, doing);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return bursar_fail(err, BURSAR_ESTORAGE,
                           "%s: %s: the store file is damaged (%s); put back a backup, keep the signing log as it is, "
                           "and run `bursar reconcile` before paying on",
                           store->path, doing, text);
    case SQLITE_READONLY:
        return bursar_fail(err, BURSAR_ESTORAGE,
                           "%s: %s: the store can't be written: check the permissions of the file "
                           "and its directory, and that the file system is not mounted read-only",
                           store->path, doing);
    case SQLITE_CANTOPEN:
        return bursar_fail(err, BURSAR_ESTORAGE,
                           "%s: %s: the store can't be opened: check the permissions of the file and its directory",
                           store->path, doing);
    case SQLITE_IOERR:
        if (code == SQLITE_IOERR_FSYNC)
            return bursar_fail(err, BURSAR_ESTORAGE,
                               "%s: %s: what was written could not be made durable (fsync failed): check the disk, and "
                               "start again; until the store is opened anew, nothing more is written",
                               store->path, doing);
        return bursar_fail(err, BURSAR_ESTORAGE, "%s: %s: %s (SQLite error %d)", store->path, doing, text, code);
    case SQLITE_FULL:
        return bursar_fail(err, BURSAR_ESTORAGE, "%s: %s: the disk is full; nothing was changed", store->path, doing);
    default:
        return bursar_fail(err, BURSAR_ESTORAGE, "%s: %s: %s (SQLite error %d)", store->path, doing, text, code);
    }
}

sqlite3_stmt *statement(struct sqlite_store *store, enum sqlite_statement which, struct bursar_error *err)
{
    if (!store->statements[which]) {
        if (sqlite3_prepare_v3(store->db, SQLITE_STATEMENT_TEXT[which], -1, SQLITE_PREPARE_PERSISTENT,
                               &store->statements[which], NULL) != SQLITE_OK) {
            (void)sqlite_failed(store, "reading", err);
            return NULL;
        }
    }
    sqlite3_stmt *stmt = store->statements[which];
    (void)sqlite3_reset(stmt); /* repeats the error of a step that was reported already */
    (void)sqlite3_clear_bindings(stmt);
    return stmt;
}

enum bursar_status run_statement(struct sqlite_store *store, sqlite3_stmt *stmt, int *ret_changed,
                                 struct bursar_error *err)
{
    if (!stmt)
        return err ? err->status : BURSAR_ESTORAGE;
    int code = sqlite3_step(stmt);
    enum bursar_status status = BURSAR_OK;
    if (code != SQLITE_DONE && code != SQLITE_ROW)
        status = sqlite_failed(store, "writing", err);
    else if (ret_changed)
        *ret_changed = sqlite3_changes(store->db);
    (void)sqlite3_reset(stmt);
    return status;
}

enum bursar_status step_row(struct sqlite_store *store, sqlite3_stmt *stmt, bool *ret_row, struct bursar_error *err)
{
    if (!stmt)
        return err ? err->status : BURSAR_ESTORAGE;
    int code = sqlite3_step(stmt);
    *ret_row = code == SQLITE_ROW;
    if (code == SQLITE_ROW)
        return BURSAR_OK;
    enum bursar_status status = code == SQLITE_DONE ? BURSAR_OK : sqlite_failed(store, "reading", err);
    (void)sqlite3_reset(stmt);
    return status;
}

enum bursar_status collect_rows(struct sqlite_store *store, sqlite3_stmt *stmt, row_reader *read, void *rows,
                                size_t limit, size_t *count, struct bursar_error *err)
{
    size_t have = *count;
    while (have < limit) {
        bool row = false;
        enum bursar_status status = step_row(store, stmt, &row, err);
        if (status != BURSAR_OK)
            return status;
        if (!row)
            break;
        read(stmt, rows, have++);
    }
    if (stmt)
        (void)sqlite3_reset(stmt);
    *count = have;
    return BURSAR_OK;
}

/* A failed bind (out of memory) leaves NULL, which NOT NULL columns refuse and no comparison matches. Texts and blobs
 * are borrowed: they must live until the statement was stepped to its end or reset. */
void bind_u64(sqlite3_stmt *stmt, int index, uint64_t value)
{
    if (stmt && value <= INT64_MAX)
        (void)sqlite3_bind_int64(stmt, index, (sqlite3_int64)value);
}

void bind_i64(sqlite3_stmt *stmt, int index, int64_t value)
{
    if (stmt)
        (void)sqlite3_bind_int64(stmt, index, value);
}

void bind_text(sqlite3_stmt *stmt, int index, const char *text)
{
    if (stmt)
        (void)sqlite3_bind_text(stmt, index, text, -1, SQLITE_STATIC);
}

void bind_address(sqlite3_stmt *stmt, int index, const struct bursar_address *address)
{
    if (stmt)
        (void)sqlite3_bind_blob(stmt, index, address->bytes, BURSAR_ADDRESS_BYTES, SQLITE_STATIC);
}

void bind_asset(sqlite3_stmt *stmt, int index, const struct asset *asset)
{
    if (asset->is_token)
        bind_address(stmt, index, &asset->token);
    else if (stmt)
        (void)sqlite3_bind_null(stmt, index);
}

void bind_hash(sqlite3_stmt *stmt, int index, const struct bursar_hash *hash)
{
    if (stmt)
        (void)sqlite3_bind_blob(stmt, index, hash->bytes, BURSAR_HASH_BYTES, SQLITE_STATIC);
}

void bind_amount(sqlite3_stmt *stmt, int index, const struct bursar_amount *amount)
{
    uint8_t bytes[BURSAR_AMOUNT_BE_BYTES];
    bursar_amount_to_be(*amount, bytes);
    if (stmt)
        (void)sqlite3_bind_blob(stmt, index, bytes, sizeof bytes, SQLITE_TRANSIENT); /* the one that is copied */
}

uint64_t column_u64(sqlite3_stmt *stmt, int column)
{
    sqlite3_int64 value = sqlite3_column_int64(stmt, column);
    return value < 0 ? 0 : (uint64_t)value;
}

static void column_bytes(sqlite3_stmt *stmt, int column, uint8_t *ret, size_t ret_bytes)
{
    const void *bytes = sqlite3_column_blob(stmt, column);
    int length = sqlite3_column_bytes(stmt, column);
    memset(ret, 0, ret_bytes);
    if (bytes && (size_t)length == ret_bytes) /* the schema's CHECKs see to the length */
        memcpy(ret, bytes, ret_bytes);
}

void column_address(sqlite3_stmt *stmt, int column, struct bursar_address *ret)
{
    column_bytes(stmt, column, ret->bytes, sizeof ret->bytes);
}

void column_data(sqlite3_stmt *stmt, int column, struct call_data *ret)
{
    const void *bytes = sqlite3_column_blob(stmt, column);
    size_t length = (size_t)sqlite3_column_bytes(stmt, column);
    ret->length_bytes = 0;
    if (!bytes || length > sizeof ret->bytes)
        return;
    memcpy(ret->bytes, bytes, length);
    ret->length_bytes = length;
}

void bind_data(sqlite3_stmt *stmt, int index, const struct call_data *data)
{
    if (!stmt)
        return;
    if (data->length_bytes == 0) /* an empty blob, not NULL */
        (void)sqlite3_bind_zeroblob(stmt, index, 0);
    else
        (void)sqlite3_bind_blob(stmt, index, data->bytes, (int)data->length_bytes, SQLITE_STATIC);
}

void column_asset(sqlite3_stmt *stmt, int column, struct asset *ret)
{
    *ret = (struct asset){ .is_token = sqlite3_column_type(stmt, column) != SQLITE_NULL };
    if (ret->is_token)
        column_address(stmt, column, &ret->token);
}

void column_hash(sqlite3_stmt *stmt, int column, struct bursar_hash *ret)
{
    column_bytes(stmt, column, ret->bytes, sizeof ret->bytes);
}

void column_amount(sqlite3_stmt *stmt, int column, struct bursar_amount *ret)
{
    uint8_t bytes[BURSAR_AMOUNT_BE_BYTES];
    column_bytes(stmt, column, bytes, sizeof bytes);
    *ret = bursar_amount_from_be(bytes);
}

void column_copy(sqlite3_stmt *stmt, int column, char *ret, size_t ret_bytes)
{
    const unsigned char *text = sqlite3_column_text(stmt, column);
    (void)snprintf(ret, ret_bytes, "%s", text ? (const char *)text : "");
}

enum bursar_status intent_move(struct sqlite_store *store, int64_t treasury, int64_t intent, enum intent_status from,
                               enum intent_status to, int *ret_changed, struct bursar_error *err)
{
    sqlite3_stmt *stmt = statement(store, SQL_INTENT_MOVE, err);
    bind_i64(stmt, 1, intent);
    bind_i64(stmt, 2, from);
    bind_i64(stmt, 3, to);
    bind_i64(stmt, 4, treasury);
    return run_statement(store, stmt, ret_changed, err);
}

/* INV-6: the token is compared inside the very transaction that writes. */
static enum bursar_status check_fence(struct sqlite_store *store, const struct fence *fence, struct bursar_error *err)
{
    sqlite3_stmt *stmt = statement(store, SQL_LEASE_EPOCH, err);
    bind_i64(stmt, 1, fence->treasury);
    bool row = false;
    enum bursar_status status = step_row(store, stmt, &row, err);
    if (status != BURSAR_OK)
        return status;
    bool is_current = row && column_u64(stmt, 0) == fence->lease_epoch;
    (void)sqlite3_reset(stmt);
    if (!is_current)
        return bursar_fail(err, BURSAR_EFENCED, "the lease (epoch %llu) has passed to another executor",
                           (unsigned long long)fence->lease_epoch);
    return BURSAR_OK;
}

enum bursar_status write_begin(struct sqlite_store *store, const struct fence *fence, struct bursar_error *err)
{
    if (store->mode != SQLITE_MODE_WRITE)
        return bursar_fail(err, BURSAR_EINTERNAL, "the store was opened for reading only");
    if (store->import.is_open)
        return bursar_fail(err, BURSAR_EINTERNAL, "an import is open on this store handle");
    enum bursar_status status = run_statement(store, statement(store, SQL_BEGIN_WRITE, err), NULL, err);
    if (status != BURSAR_OK)
        return status;
    store->tail.seq = 0;
    if (fence && (status = check_fence(store, fence, err)) != BURSAR_OK)
        return write_end(store, status, err);
    return BURSAR_OK;
}

/* INV-6: a person's change of a breaker is in force for every transaction that begins after it. */
static enum bursar_status check_breakers(struct sqlite_store *store, const struct fence *fence,
                                         struct bursar_error *err)
{
    sqlite3_stmt *stmt = statement(store, SQL_BREAKER_VERSIONS, err);
    bind_i64(stmt, 1, fence->treasury);
    bool row = false;
    enum bursar_status status = step_row(store, stmt, &row, err);
    if (status != BURSAR_OK)
        return status;
    bool is_current = row && (!fence->breaker_version || column_u64(stmt, 0) == fence->breaker_version);
    bool money_is_current = row && (!fence->money_version || column_u64(stmt, 1) == fence->money_version);
    (void)sqlite3_reset(stmt);
    if (!is_current)
        return bursar_fail(err, BURSAR_ESTALE, "the circuit breaker was changed");
    return money_is_current ? BURSAR_OK : bursar_fail(err, BURSAR_ESTALE, "the money breaker was changed");
}

enum bursar_status write_begin_spending(struct sqlite_store *store, const struct fence *fence, struct bursar_error *err)
{
    enum bursar_status status = write_begin(store, fence, err);
    if (status != BURSAR_OK || (fence->breaker_version == 0 && fence->money_version == 0))
        return status;
    status = check_breakers(store, fence, err);
    return status == BURSAR_OK ? BURSAR_OK : write_end(store, status, err);
}

enum bursar_status write_end(struct sqlite_store *store, enum bursar_status status, struct bursar_error *err)
{
    if (status == BURSAR_OK) {
        uint64_t started_us = store->meter.took ? measured_us() : 0;
        status = run_statement(store, statement(store, SQL_COMMIT, err), NULL, err);
        if (store->meter.took)
            store->meter.took(store->meter.ctx, measured_us() - started_us);
        if (status == BURSAR_OK)
            return BURSAR_OK;
    }
    /* An automatic rollback may have been made already; then there is nothing left to undo. */
    if (!sqlite3_get_autocommit(store->db)) {
        enum bursar_status undone = run_statement(store, statement(store, SQL_ROLLBACK, NULL), NULL, NULL);
        if (undone != BURSAR_OK)
            return bursar_fail(err, BURSAR_ESTORAGE, "%s: a failed transaction could not be rolled back", store->path);
    }
    return status;
}

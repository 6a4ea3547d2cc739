/* Treasuries: the rows that pin an account to a chain. */
#include "store/sqlite_core.h"

static enum bursar_status add(void *ctx, const char *name, uint64_t chain_id, const struct bursar_address *address,
                              const char *epoch_source, int64_t *ret_id, struct bursar_error *err)
{
    struct sqlite_store *store = ctx;
    enum bursar_status status = write_begin(store, NULL, err);
    if (status != BURSAR_OK)
        return status;
    sqlite3_stmt *stmt = statement(store, SQL_TREASURY_ADD, err);
    bind_text(stmt, 1, name);
    bind_u64(stmt, 2, chain_id);
    bind_address(stmt, 3, address);
    bind_text(stmt, 4, epoch_source);
    status = run_statement(store, stmt, NULL, err);
    if (status != BURSAR_OK && sqlite3_extended_errcode(store->db) == SQLITE_CONSTRAINT_UNIQUE)
        status =
            bursar_fail(err, BURSAR_EEXIST, "%s has a treasury for this account on this chain already", store->path);
    int64_t id = sqlite3_last_insert_rowid(store->db);
    status = write_end(store, status, err);
    if (status == BURSAR_OK)
        *ret_id = id;
    return status;
}

static void read_treasury(sqlite3_stmt *stmt, struct treasury *ret)
{
    *ret = (struct treasury){ .id = sqlite3_column_int64(stmt, 0), .chain_id = column_u64(stmt, 2) };
    column_copy(stmt, 1, ret->name, sizeof ret->name);
    column_address(stmt, 3, &ret->address);
    column_copy(stmt, 4, ret->epoch_source, sizeof ret->epoch_source);
    ret->is_pinned = sqlite3_column_type(stmt, 5) != SQLITE_NULL;
    column_hash(stmt, 5, &ret->genesis_hash);
    ret->first_nonce = column_u64(stmt, 6);
    ret->anchor.number = column_u64(stmt, 7);
    column_hash(stmt, 8, &ret->anchor.hash);
    ret->scan.number = column_u64(stmt, 9);
    column_hash(stmt, 10, &ret->scan.hash);
    ret->halt = (enum halt_code)sqlite3_column_int(stmt, 11);
    column_copy(stmt, 12, ret->halt_reason, sizeof ret->halt_reason);
    column_copy(stmt, 13, ret->lease_holder, sizeof ret->lease_holder);
    ret->lease_epoch = column_u64(stmt, 14);
    ret->lease_renewals = column_u64(stmt, 15);
    ret->lease_renewed_ms = column_u64(stmt, 16);
    ret->lease_ttl_ms = column_u64(stmt, 17);
}

static enum bursar_status read_one(struct sqlite_store *store, sqlite3_stmt *stmt, struct treasury *ret,
                                   struct bursar_error *err)
{
    bool row;
    enum bursar_status status = step_row(store, stmt, &row, err);
    if (status != BURSAR_OK)
        return status;
    if (!row)
        return bursar_fail(err, BURSAR_ENOTFOUND, "%s: no such treasury", store->path);
    read_treasury(stmt, ret);
    (void)sqlite3_reset(stmt);
    return BURSAR_OK;
}

static enum bursar_status find(void *ctx, uint64_t chain_id, const struct bursar_address *address, struct treasury *ret,
                               struct bursar_error *err)
{
    struct sqlite_store *store = ctx;
    sqlite3_stmt *stmt = statement(store, SQL_TREASURY_FIND, err);
    bind_u64(stmt, 1, chain_id);
    bind_address(stmt, 2, address);
    return read_one(store, stmt, ret, err);
}

static enum bursar_status get(void *ctx, int64_t id, struct treasury *ret, struct bursar_error *err)
{
    struct sqlite_store *store = ctx;
    sqlite3_stmt *stmt = statement(store, SQL_TREASURY_GET, err);
    bind_i64(stmt, 1, id);
    return read_one(store, stmt, ret, err);
}

static enum bursar_status pin(void *ctx, int64_t id, const struct bursar_hash *genesis, uint64_t first_nonce,
                              const struct block_mark *anchor, const struct block_mark *scan, struct bursar_error *err)
{
    struct sqlite_store *store = ctx;
    enum bursar_status status = write_begin(store, NULL, err);
    if (status != BURSAR_OK)
        return status;
    sqlite3_stmt *stmt = statement(store, SQL_TREASURY_PIN, err);
    bind_i64(stmt, 1, id);
    bind_hash(stmt, 2, genesis);
    bind_u64(stmt, 3, first_nonce);
    bind_u64(stmt, 4, anchor->number);
    bind_hash(stmt, 5, &anchor->hash);
    bind_u64(stmt, 6, scan->number);
    bind_hash(stmt, 7, &scan->hash);
    int changed = 0;
    status = run_statement(store, stmt, &changed, err);
    if (status == BURSAR_OK && changed != 1)
        status = bursar_fail(err, BURSAR_ESTALE, "the treasury was pinned already");
    return write_end(store, status, err);
}

/* Whether any queued row waits on an epoch. */
static enum bursar_status epoch_row_waits(struct sqlite_store *store, int64_t id, bool *ret, struct bursar_error *err)
{
    sqlite3_stmt *stmt = statement(store, SQL_EPOCH_ROW_WAITS, err);
    bind_i64(stmt, 1, id);
    enum bursar_status status = step_row(store, stmt, ret, err);
    if (status == BURSAR_OK)
        (void)sqlite3_reset(stmt);
    return status;
}

static enum bursar_status set_epoch_source(void *ctx, int64_t id, const char *epoch_source, struct bursar_error *err)
{
    struct sqlite_store *store = ctx;
    enum bursar_status status = write_begin(store, NULL, err);
    if (status != BURSAR_OK)
        return status;
    bool waits = false;
    status = epoch_row_waits(store, id, &waits, err);
    if (status == BURSAR_OK && waits)
        status = bursar_fail(err, BURSAR_ECONFLICT,
                             "the epoch setting can't change to %s while disbursements wait on an epoch", epoch_source);
    if (status == BURSAR_OK) {
        sqlite3_stmt *stmt = statement(store, SQL_TREASURY_SET_EPOCH_SOURCE, err);
        bind_i64(stmt, 1, id);
        bind_text(stmt, 2, epoch_source);
        status = run_statement(store, stmt, NULL, err);
    }
    return write_end(store, status, err);
}

void sqlite_fill_treasury(struct store *interface)
{
    interface->treasury_add = add;
    interface->treasury_find = find;
    interface->treasury_get = get;
    interface->treasury_pin = pin;
    interface->treasury_set_epoch_source = set_epoch_source;
}

/* What is due: bounded looks at the queue, and the rows that wait for a dependency or for funds. */
#include "store/sqlite_core.h"

static void read_due(sqlite3_stmt *stmt, void *rows, size_t index)
{
    struct due_row *due = (struct due_row *)rows + index;
    due->id = sqlite3_column_int64(stmt, 0);
    due->version = column_u64(stmt, 1);
    column_address(stmt, 2, &due->destination);
    column_amount(stmt, 3, &due->amount);
    column_asset(stmt, 4, &due->asset);
    due->looks = (unsigned)sqlite3_column_int(stmt, 5);
    column_hash(stmt, 6, &due->content_hash);
}

static void read_id(sqlite3_stmt *stmt, void *rows, size_t index)
{
    ((int64_t *)rows)[index] = sqlite3_column_int64(stmt, 0);
}

static enum bursar_status due_scheduled(struct sqlite_store *store, int64_t treasury, enum schedule_kind schedule,
                                        uint64_t reached, size_t limit, struct due_row *ret, size_t *count,
                                        struct bursar_error *err)
{
    if (*count >= limit)
        return BURSAR_OK;
    sqlite3_stmt *stmt = statement(store, SQL_DUE_SCHEDULED, err);
    bind_i64(stmt, 1, treasury);
    bind_u64(stmt, 2, limit - *count);
    bind_i64(stmt, 3, schedule);
    bind_u64(stmt, 4, reached);
    return collect_rows(store, stmt, read_due, ret, limit, count, err);
}

/* Rows with a schedule that is reached come first: they were promised for a time. */
static enum bursar_status due_select(void *ctx, int64_t treasury, bool has_final, uint64_t final_time_s,
                                     uint64_t final_epoch, size_t limit, struct due_row *ret, size_t *ret_count,
                                     struct bursar_error *err)
{
    struct sqlite_store *store = ctx;
    size_t count = 0;
    enum bursar_status status = BURSAR_OK;
    if (has_final) {
        status = due_scheduled(store, treasury, SCHEDULE_TIME, final_time_s, limit, ret, &count, err);
        if (status == BURSAR_OK)
            status = due_scheduled(store, treasury, SCHEDULE_EPOCH, final_epoch, limit, ret, &count, err);
    }
    if (status == BURSAR_OK && count < limit) {
        sqlite3_stmt *stmt = statement(store, SQL_DUE_NOW, err);
        bind_i64(stmt, 1, treasury);
        bind_u64(stmt, 2, limit - count);
        status = collect_rows(store, stmt, read_due, ret, limit, &count, err);
    }
    if (status == BURSAR_OK)
        *ret_count = count;
    return status;
}

/* Without one it is due as soon as its schedule is. */
enum bursar_status wait_on_next(struct sqlite_store *store, int64_t id, struct bursar_error *err)
{
    sqlite3_stmt *stmt = statement(store, SQL_NEXT_DEPENDENCY, err);
    bind_i64(stmt, 1, id);
    int64_t next = 0;
    size_t count = 0;
    enum bursar_status status = collect_rows(store, stmt, read_id, &next, 1, &count, err);
    if (status != BURSAR_OK)
        return status;
    stmt = statement(store, SQL_WAIT_ON, err);
    bind_i64(stmt, 1, id);
    if (count)
        bind_i64(stmt, 2, next);
    return run_statement(store, stmt, NULL, err);
}

/* Moves on up to `limit` dependents of one settled disbursement; forgets it once none is left. */
static enum bursar_status wake_dependents_of(struct sqlite_store *store, int64_t id, size_t limit, size_t *ret_woken,
                                             struct bursar_error *err)
{
    int64_t waiting[DUE_MAX_ROWS];
    sqlite3_stmt *stmt = statement(store, SQL_WAITING_ON, err);
    bind_i64(stmt, 1, id);
    bind_u64(stmt, 2, limit);
    size_t count = 0;
    enum bursar_status status = collect_rows(store, stmt, read_id, waiting, limit, &count, err);
    for (size_t i = 0; i < count && status == BURSAR_OK; i++)
        status = wait_on_next(store, waiting[i], err);
    if (status == BURSAR_OK && count < limit) {
        stmt = statement(store, SQL_WAKES_DONE, err);
        bind_i64(stmt, 1, id);
        status = run_statement(store, stmt, NULL, err);
    }
    *ret_woken = count;
    return status;
}

/* One settled disbursement with waiting dependents, or 0. */
static enum bursar_status next_to_wake(struct sqlite_store *store, int64_t treasury, int64_t *ret,
                                       struct bursar_error *err)
{
    sqlite3_stmt *stmt = statement(store, SQL_WAKES_NEXT, err);
    bind_i64(stmt, 1, treasury);
    size_t count = 0;
    *ret = 0;
    return collect_rows(store, stmt, read_id, ret, 1, &count, err);
}

static enum bursar_status dependents_wake(void *ctx, struct fence fence, size_t limit, size_t *ret_count,
                                          struct bursar_error *err)
{
    struct sqlite_store *store = ctx;
    if (limit > DUE_MAX_ROWS)
        limit = DUE_MAX_ROWS;
    size_t looked_at = 0;
    int64_t settled = 0;
    enum bursar_status status = next_to_wake(store, fence.treasury, &settled, err);
    if (status != BURSAR_OK || !settled) { /* the common case costs no transaction */
        *ret_count = 0;
        return status;
    }
    status = write_begin(store, &fence, err);
    if (status != BURSAR_OK)
        return status;
    while (status == BURSAR_OK && settled && looked_at < limit) {
        size_t woken = 0;
        status = wake_dependents_of(store, settled, limit - looked_at, &woken, err);
        looked_at += woken ? woken : 1; /* one that has no dependents left also costs a look */
        if (status == BURSAR_OK)
            status = next_to_wake(store, fence.treasury, &settled, err);
    }
    status = write_end(store, status, err);
    if (status == BURSAR_OK)
        *ret_count = looked_at;
    return status;
}

/* `read` is what has collected the ids. */
static enum bursar_status unblock(struct sqlite_store *store, const struct fence *fence, const int64_t *ids,
                                  size_t count, enum bursar_status read, size_t *ret_count, struct bursar_error *err)
{
    if (read == BURSAR_OK && count == 0)
        *ret_count = 0;
    if (read != BURSAR_OK || count == 0)
        return read;
    enum bursar_status status = write_begin(store, fence, err);
    if (status != BURSAR_OK)
        return status;
    for (size_t i = 0; i < count && status == BURSAR_OK; i++) {
        sqlite3_stmt *stmt = statement(store, SQL_UNBLOCK, err);
        bind_i64(stmt, 1, ids[i]);
        status = run_statement(store, stmt, NULL, err);
    }
    status = write_end(store, status, err);
    if (status == BURSAR_OK)
        *ret_count = count;
    return status;
}

static enum bursar_status funded_wake(void *ctx, struct fence fence, const struct bursar_amount *affordable,
                                      size_t limit, size_t *ret_count, struct bursar_error *err)
{
    struct sqlite_store *store = ctx;
    int64_t ids[DUE_MAX_ROWS];
    if (limit > DUE_MAX_ROWS)
        limit = DUE_MAX_ROWS;
    sqlite3_stmt *stmt = statement(store, SQL_UNFUNDED_AFFORDABLE, err);
    bind_i64(stmt, 1, fence.treasury);
    bind_amount(stmt, 2, affordable);
    bind_u64(stmt, 3, limit);
    size_t count = 0;
    enum bursar_status status = collect_rows(store, stmt, read_id, ids, limit, &count, err);
    return unblock(store, &fence, ids, count, status, ret_count, err);
}

static enum bursar_status token_funded_wake(void *ctx, struct fence fence, const struct bursar_address *token,
                                            const struct bursar_amount *affordable, size_t limit, size_t *ret_count,
                                            struct bursar_error *err)
{
    struct sqlite_store *store = ctx;
    int64_t ids[DUE_MAX_ROWS];
    if (limit > DUE_MAX_ROWS)
        limit = DUE_MAX_ROWS;
    sqlite3_stmt *stmt = statement(store, SQL_UNFUNDED_AFFORDABLE_TOKEN, err);
    bind_i64(stmt, 1, fence.treasury);
    bind_amount(stmt, 2, affordable);
    bind_u64(stmt, 3, limit);
    bind_address(stmt, 4, token);
    size_t count = 0;
    enum bursar_status status = collect_rows(store, stmt, read_id, ids, limit, &count, err);
    return unblock(store, &fence, ids, count, status, ret_count, err);
}

static void read_token(sqlite3_stmt *stmt, void *rows, size_t index)
{
    column_address(stmt, 0, (struct bursar_address *)rows + index);
}

/* One seek a token, however many rows wait for it. */
static enum bursar_status tokens_wanted(void *ctx, int64_t treasury, size_t limit, struct bursar_address *ret,
                                        size_t *ret_count, struct bursar_error *err)
{
    static const struct bursar_address nobody = { { 0 } }; /* no token is at this address */
    struct sqlite_store *store = ctx;
    size_t count = 0, before;
    do {
        before = count;
        sqlite3_stmt *stmt = statement(store, SQL_UNFUNDED_TOKEN_NEXT, err);
        bind_i64(stmt, 1, treasury);
        bind_address(stmt, 2, count ? &ret[count - 1] : &nobody);
        enum bursar_status status = collect_rows(store, stmt, read_token, ret, count + 1, &count, err);
        if (status != BURSAR_OK)
            return status;
    } while (count > before && count < limit);
    *ret_count = count;
    return BURSAR_OK;
}

static enum bursar_status recheck_wake(void *ctx, struct fence fence, uint64_t number, bool also_unestimated,
                                       size_t limit, size_t *ret_count, struct bursar_error *err)
{
    struct sqlite_store *store = ctx;
    int64_t ids[DUE_MAX_ROWS];
    if (limit > DUE_MAX_ROWS)
        limit = DUE_MAX_ROWS;
    sqlite3_stmt *stmt = statement(store, SQL_RECHECK_REACHED, err);
    bind_i64(stmt, 1, fence.treasury);
    bind_u64(stmt, 2, number);
    bind_u64(stmt, 3, limit);
    size_t count = 0;
    enum bursar_status status = collect_rows(store, stmt, read_id, ids, limit, &count, err);
    if (status == BURSAR_OK && also_unestimated && count < limit) { /* one that is found twice is unblocked once */
        stmt = statement(store, SQL_UNESTIMATED, err);
        bind_i64(stmt, 1, fence.treasury);
        bind_u64(stmt, 2, limit - count);
        status = collect_rows(store, stmt, read_id, ids, limit, &count, err);
    }
    return unblock(store, &fence, ids, count, status, ret_count, err);
}

/* A row that has been moved meanwhile is left alone: its block would be about a state that is gone. */
static enum bursar_status block(void *ctx, struct fence fence, const struct block_decision *decisions, size_t count,
                                struct bursar_error *err)
{
    struct sqlite_store *store = ctx;
    if (count == 0)
        return BURSAR_OK;
    enum bursar_status status = write_begin(store, &fence, err);
    if (status != BURSAR_OK)
        return status;
    for (size_t i = 0; i < count && status == BURSAR_OK; i++) {
        sqlite3_stmt *stmt = statement(store, SQL_BLOCK, err);
        bind_i64(stmt, 1, decisions[i].disbursement);
        bind_u64(stmt, 2, decisions[i].version);
        bind_i64(stmt, 3, decisions[i].code);
        bind_i64(stmt, 4, fence.treasury);
        bind_u64(stmt, 5, decisions[i].recheck_number);
        bind_u64(stmt, 6, decisions[i].gas_limit);
        bind_text(stmt, 7, decisions[i].note ? decisions[i].note : "");
        status = run_statement(store, stmt, NULL, err);
    }
    return write_end(store, status, err);
}

void sqlite_fill_due(struct store *interface)
{
    interface->due_select = due_select;
    interface->dependents_wake = dependents_wake;
    interface->funded_wake = funded_wake;
    interface->token_funded_wake = token_funded_wake;
    interface->tokens_wanted = tokens_wanted;
    interface->recheck_wake = recheck_wake;
    interface->block = block;
}

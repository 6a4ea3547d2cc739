/* What telemetry reads of a store: what is due, where the nonces are, and the log as numbers. However much there is, a
 * call looks at a bounded number of rows. */
#include "store/sqlite_core.h"

static enum bursar_status add_amount(struct bursar_amount *sum, const struct bursar_amount *amount)
{
    return bursar_amount_add(*sum, *amount, sum) ? BURSAR_OK : BURSAR_ELIMIT;
}

static enum bursar_status due_seen(void *ctx, sqlite3_stmt *stmt)
{
    struct due_summary *summary = ctx;
    struct bursar_amount amount;
    bool is_timed = sqlite3_column_int(stmt, 0) == SCHEDULE_TIME;
    uint64_t since_ms = column_u64(stmt, 3), promised_ms = is_timed ? column_u64(stmt, 1) * 1000 : 0;
    since_ms = promised_ms > since_ms ? promised_ms : since_ms;
    summary->count++;
    if (summary->oldest_ms == 0 || since_ms < summary->oldest_ms)
        summary->oldest_ms = since_ms;
    if (sqlite3_column_type(stmt, 2) == SQLITE_NULL)
        return BURSAR_OK; /* owed in another asset */
    column_amount(stmt, 2, &amount);
    return add_amount(&summary->amount, &amount);
}

static enum bursar_status staged_seen(void *ctx, sqlite3_stmt *stmt)
{
    struct due_summary *summary = ctx;
    struct bursar_amount amount;
    column_amount(stmt, 0, &amount);
    summary->staged_count++;
    return add_amount(&summary->amount, &amount);
}

static enum bursar_status look(struct sqlite_store *store, sqlite3_stmt *stmt, int64_t treasury, size_t limit,
                               enum bursar_status (*seen)(void *ctx, sqlite3_stmt *stmt), struct due_summary *summary,
                               struct bursar_error *err)
{
    bind_i64(stmt, 1, treasury);
    bind_u64(stmt, 2, limit);
    return each_row(store, stmt, seen, summary, err);
}

static enum bursar_status look_due(struct sqlite_store *store, int64_t treasury, enum schedule_kind schedule,
                                   uint64_t reached, size_t limit, struct due_summary *summary,
                                   struct bursar_error *err)
{
    sqlite3_stmt *stmt = statement(store, SQL_METER_DUE, err);
    bind_i64(stmt, 3, schedule);
    bind_u64(stmt, 4, reached);
    return look(store, stmt, treasury, limit, due_seen, summary, err);
}

static enum bursar_status due_summarise(void *ctx, int64_t treasury, bool has_final, uint64_t final_time_s,
                                        uint64_t final_epoch, size_t limit, struct due_summary *ret,
                                        struct bursar_error *err)
{
    struct sqlite_store *store = ctx;
    struct due_summary summary = { 0 };
    enum bursar_status status = look_due(store, treasury, SCHEDULE_NOW, 0, limit, &summary, err);
    if (status == BURSAR_OK && has_final)
        status = look_due(store, treasury, SCHEDULE_TIME, final_time_s, limit, &summary, err);
    if (status == BURSAR_OK && has_final)
        status = look_due(store, treasury, SCHEDULE_EPOCH, final_epoch, limit, &summary, err);
    if (status == BURSAR_OK)
        status = look(store, statement(store, SQL_METER_BLOCKED, err), treasury, limit, due_seen, &summary, err);
    if (status == BURSAR_OK)
        status = look(store, statement(store, SQL_METER_STAGED, err), treasury, limit, staged_seen, &summary, err);
    if (status == BURSAR_OK)
        *ret = summary;
    return status;
}

static enum bursar_status nonce_submitted(void *ctx, int64_t treasury, bool *ret_any, uint64_t *ret,
                                          struct bursar_error *err)
{
    struct sqlite_store *store = ctx;
    sqlite3_stmt *stmt = statement(store, SQL_METER_SUBMITTED, err);
    bind_i64(stmt, 1, treasury);
    enum bursar_status status = step_row(store, stmt, ret_any, err);
    if (status == BURSAR_OK && *ret_any) {
        *ret = column_u64(stmt, 0);
        (void)sqlite3_reset(stmt);
    }
    return status;
}

struct move_seer {
    move_visitor *visit;
    void *ctx;
};

static enum bursar_status move_seen(void *ctx, sqlite3_stmt *stmt)
{
    const struct move_seer *seer = ctx;
    struct move_record record = {
        .seq = column_u64(stmt, 0),
        .treasury = sqlite3_column_int64(stmt, 1),
        .at_ms = column_u64(stmt, 2),
        .cause = (enum lifecycle_cause)sqlite3_column_int(stmt, 3),
        .from_state = sqlite3_column_int(stmt, 4),
        .to_state = sqlite3_column_int(stmt, 5),
        .queued_ms = column_u64(stmt, 6),
        .not_before_ms = column_u64(stmt, 7) * 1000,
        .has_fee = sqlite3_column_type(stmt, 8) != SQLITE_NULL,
        .gas_used = column_u64(stmt, 8),
        .effective_gas_price_wei = column_u64(stmt, 9),
        .holds_up = sqlite3_column_int(stmt, 10) != 0,
    };
    return seer->visit(seer->ctx, &record);
}

static enum bursar_status moves(void *ctx, uint64_t after_seq, size_t limit, move_visitor *visit, void *visit_ctx,
                                struct bursar_error *err)
{
    struct sqlite_store *store = ctx;
    struct move_seer seer = { visit, visit_ctx };
    sqlite3_stmt *stmt = statement(store, SQL_METER_MOVES, err);
    bind_u64(stmt, 1, after_seq);
    bind_u64(stmt, 2, limit);
    return each_row(store, stmt, move_seen, &seer, err);
}

void sqlite_fill_metered(struct store *interface)
{
    interface->due_summarise = due_summarise;
    interface->nonce_submitted = nonce_submitted;
    interface->moves = moves;
}

/* What telemetry reads of a store: where the nonces are, and the log as numbers. However much there is, a
 * call looks at a bounded number of rows. */
#include "store/sqlite_core.h"

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
    interface->nonce_submitted = nonce_submitted;
    interface->moves = moves;
}

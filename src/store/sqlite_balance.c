/* What the account held and what was due, whenever either had changed; and which payments were mined meanwhile.
 */
#include "store/sqlite_core.h"

struct balance_seer {
    balance_visitor *visit;
    void *ctx;
};

static enum bursar_status balance_seen(void *ctx, sqlite3_stmt *stmt)
{
    const struct balance_seer *seer = ctx;
    struct balance_record record = { .seq = column_u64(stmt, 0),
                                     .at_ms = column_u64(stmt, 1),
                                     .block_number = column_u64(stmt, 2),
                                     .has_before = sqlite3_column_type(stmt, 4) != SQLITE_NULL,
                                     .before_block_number = column_u64(stmt, 5),
                                     .has_due = sqlite3_column_type(stmt, 6) != SQLITE_NULL };
    column_amount(stmt, 3, &record.balance);
    column_amount(stmt, 4, &record.before);
    column_amount(stmt, 6, &record.due);
    return seer->visit(seer->ctx, &record);
}

static enum bursar_status balances(void *ctx, int64_t treasury, uint64_t before_seq, size_t limit,
                                   balance_visitor *visit, void *visit_ctx, struct bursar_error *err)
{
    struct sqlite_store *store = ctx;
    struct balance_seer seer = { visit, visit_ctx };
    sqlite3_stmt *stmt = statement(store, SQL_BALANCES, err);
    bind_i64(stmt, 1, treasury);
    bind_u64(stmt, 2, before_seq == 0 ? INT64_MAX : before_seq);
    bind_u64(stmt, 3, limit);
    return each_row(store, stmt, balance_seen, &seer, err);
}

struct spent_seer {
    spent_visitor *visit;
    void *ctx;
    size_t count;
};

static enum bursar_status spent_seen(void *ctx, sqlite3_stmt *stmt)
{
    struct spent_seer *seer = ctx;
    const unsigned char *ref = sqlite3_column_text(stmt, 1);
    seer->count++;
    return seer->visit(seer->ctx, sqlite3_column_int64(stmt, 0), ref ? (const char *)ref : "");
}

/* Final blocks are below the others. */
static enum bursar_status spent_between(void *ctx, int64_t treasury, uint64_t after_block, uint64_t up_to_block,
                                        size_t limit, spent_visitor *visit, void *visit_ctx, struct bursar_error *err)
{
    static const enum sqlite_statement which[] = { SQL_SPENT_FINAL, SQL_SPENT_INCLUDED };
    struct sqlite_store *store = ctx;
    struct spent_seer seer = { visit, visit_ctx, 0 };
    enum bursar_status status = BURSAR_OK;
    for (size_t i = 0; i < sizeof which / sizeof *which && status == BURSAR_OK && seer.count < limit; i++) {
        sqlite3_stmt *stmt = statement(store, which[i], err);
        bind_i64(stmt, 1, treasury);
        bind_u64(stmt, 2, after_block);
        bind_u64(stmt, 3, up_to_block);
        bind_u64(stmt, 4, limit - seer.count);
        status = each_row(store, stmt, spent_seen, &seer, err);
    }
    return status;
}

enum bursar_status balance_keep(struct sqlite_store *store, int64_t treasury, const struct snapshot *snapshot,
                                struct bursar_error *err)
{
    int changed = 0;
    struct owed_view owed;
    if (!snapshot->has_balance)
        return BURSAR_OK;
    enum bursar_status status = owed_read(store, treasury, &owed, err);
    if (status != BURSAR_OK)
        return status;
    sqlite3_stmt *stmt = statement(store, SQL_BALANCE_ADD, err);
    bind_i64(stmt, 1, treasury);
    bind_u64(stmt, 2, snapshot->balance_ms);
    bind_u64(stmt, 3, snapshot->balance_block);
    bind_amount(stmt, 4, &snapshot->balance);
    bind_amount(stmt, 5, &owed.assets[0].due);
    status = run_statement(store, stmt, &changed, err);
    if (status != BURSAR_OK || changed == 0)
        return status;
    stmt = statement(store, SQL_BALANCE_DROP, err);
    bind_i64(stmt, 1, treasury);
    bind_i64(stmt, 2, BALANCES_KEPT_COUNT);
    return run_statement(store, stmt, NULL, err);
}

void sqlite_fill_balance(struct store *interface)
{
    interface->balances = balances;
    interface->spent_between = spent_between;
}

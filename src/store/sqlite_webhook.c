/* How far webhooks have got. Their names are the configuration's; who delivers is settled elsewhere, by a lock. */
#include "store/sqlite_core.h"

static void read_webhook(sqlite3_stmt *stmt, struct webhook_record *ret)
{
    *ret = (struct webhook_record){ .id = sqlite3_column_int64(stmt, 0),
                                    .seq = column_u64(stmt, 2),
                                    .delivered = column_u64(stmt, 3),
                                    .last_success_ms = column_u64(stmt, 4),
                                    .last_error_ms = column_u64(stmt, 5),
                                    .next_try_ms = column_u64(stmt, 7),
                                    .kept_count = column_u64(stmt, 8) };
    column_copy(stmt, 1, ret->name, sizeof ret->name);
    column_copy(stmt, 6, ret->last_error, sizeof ret->last_error);
}

static enum bursar_status webhook_find(void *ctx, const char *name, struct webhook_record *ret,
                                       struct bursar_error *err)
{
    struct sqlite_store *store = ctx;
    bool row;
    sqlite3_stmt *stmt = statement(store, SQL_WEBHOOK_FIND, err);
    bind_text(stmt, 1, name);
    enum bursar_status status = step_row(store, stmt, &row, err);
    if (status != BURSAR_OK)
        return status;
    if (!row)
        return bursar_fail(err, BURSAR_ENOTFOUND, "webhook '%.64s' has not been at work yet", name);
    read_webhook(stmt, ret);
    (void)sqlite3_reset(stmt);
    return BURSAR_OK;
}

static enum bursar_status webhook_add(void *ctx, const char *name, struct webhook_record *ret, struct bursar_error *err)
{
    struct sqlite_store *store = ctx;
    struct webhook_record found;
    struct bursar_error none;
    enum bursar_status status = write_begin(store, NULL, err);
    if (status != BURSAR_OK)
        return status;
    status = webhook_find(ctx, name, &found, &none);
    if (status == BURSAR_ENOTFOUND) {
        sqlite3_stmt *stmt = statement(store, SQL_WEBHOOK_ADD, err);
        bind_text(stmt, 1, name);
        status = run_statement(store, stmt, NULL, err);
        if (status == BURSAR_OK)
            status = webhook_find(ctx, name, &found, err);
    } else if (status != BURSAR_OK) {
        status = bursar_fail(err, status, "%s", none.message);
    }
    status = write_end(store, status, err);
    if (status == BURSAR_OK)
        *ret = found;
    return status;
}

static enum bursar_status webhook_kept(void *ctx, int64_t id, event_visitor *visit, void *visit_ctx,
                                       struct bursar_error *err)
{
    struct sqlite_store *store = ctx;
    sqlite3_stmt *stmt = statement(store, SQL_WEBHOOK_KEPT, err);
    bind_i64(stmt, 1, id);
    for (;;) {
        bool row;
        enum bursar_status status = step_row(store, stmt, &row, err);
        if (status != BURSAR_OK || !row)
            return status;
        struct event_record event = { .seq = column_u64(stmt, 0),
                                      .disbursement = sqlite3_column_int64(stmt, 1),
                                      .treasury = sqlite3_column_int64(stmt, 2),
                                      .actor = "",
                                      .detail = "" };
        status = visit(visit_ctx, &event);
        if (status != BURSAR_OK) {
            (void)sqlite3_reset(stmt);
            return status;
        }
    }
}

static enum bursar_status save(struct sqlite_store *store, const struct webhook_record *webhook, const uint64_t *kept,
                               size_t kept_count, struct bursar_error *err)
{
    int changed = 0;
    sqlite3_stmt *stmt = statement(store, SQL_WEBHOOK_SAVE, err);
    bind_i64(stmt, 1, webhook->id);
    bind_u64(stmt, 2, webhook->seq);
    bind_u64(stmt, 3, webhook->delivered);
    bind_u64(stmt, 4, webhook->last_success_ms);
    bind_u64(stmt, 5, webhook->last_error_ms);
    bind_text(stmt, 6, webhook->last_error);
    bind_u64(stmt, 7, webhook->next_try_ms);
    enum bursar_status status = run_statement(store, stmt, &changed, err);
    if (status == BURSAR_OK && changed != 1)
        status = bursar_fail(err, BURSAR_ENOTFOUND, "webhook '%.64s' is not in the store any more", webhook->name);
    if (status == BURSAR_OK) {
        stmt = statement(store, SQL_WEBHOOK_DROP, err);
        bind_i64(stmt, 1, webhook->id);
        status = run_statement(store, stmt, NULL, err);
    }
    for (size_t i = 0; i < kept_count && status == BURSAR_OK; i++) {
        stmt = statement(store, SQL_WEBHOOK_KEEP, err);
        bind_i64(stmt, 1, webhook->id);
        bind_u64(stmt, 2, kept[i]);
        status = run_statement(store, stmt, NULL, err);
    }
    return status;
}

static enum bursar_status webhook_save(void *ctx, const struct webhook_record *webhook, const uint64_t *kept,
                                       size_t kept_count, struct bursar_error *err)
{
    struct sqlite_store *store = ctx;
    enum bursar_status status = write_begin(store, NULL, err);
    if (status != BURSAR_OK)
        return status;
    return write_end(store, save(store, webhook, kept, kept_count, err), err);
}

void sqlite_fill_webhook(struct store *interface)
{
    interface->webhook_find = webhook_find;
    interface->webhook_add = webhook_add;
    interface->webhook_kept = webhook_kept;
    interface->webhook_save = webhook_save;
}

/* Tokens of the HTTP API. */
#include "store/sqlite_core.h"

static void read_token(sqlite3_stmt *stmt, struct token_record *ret)
{
    *ret = (struct token_record){ .id = sqlite3_column_int64(stmt, 0),
                                  .scopes = (unsigned)sqlite3_column_int(stmt, 3),
                                  .created_ms = column_u64(stmt, 4),
                                  .expires_ms = column_u64(stmt, 6),
                                  .revoked_ms = column_u64(stmt, 7) };
    column_copy(stmt, 1, ret->name, sizeof ret->name);
    column_hash(stmt, 2, &ret->hash);
    column_copy(stmt, 5, ret->created_by, sizeof ret->created_by);
    column_copy(stmt, 8, ret->revoked_by, sizeof ret->revoked_by);
}

/* ENOTFOUND when the bound statement has no row. */
static enum bursar_status read_one(struct sqlite_store *store, sqlite3_stmt *stmt, struct token_record *ret,
                                   struct bursar_error *err)
{
    bool row;
    enum bursar_status status = step_row(store, stmt, &row, err);
    if (status != BURSAR_OK)
        return status;
    if (!row)
        return bursar_fail(err, BURSAR_ENOTFOUND, "there is no such token");
    read_token(stmt, ret);
    (void)sqlite3_reset(stmt);
    return BURSAR_OK;
}

static enum bursar_status token_get(void *ctx, int64_t id, struct token_record *ret, struct bursar_error *err)
{
    struct sqlite_store *store = ctx;
    sqlite3_stmt *stmt = statement(store, SQL_TOKEN_GET, err);
    bind_i64(stmt, 1, id);
    return read_one(store, stmt, ret, err);
}

static enum bursar_status find_by_name(struct sqlite_store *store, const char *name, struct token_record *ret,
                                       struct bursar_error *err)
{
    sqlite3_stmt *stmt = statement(store, SQL_TOKEN_FIND, err);
    bind_text(stmt, 1, name);
    enum bursar_status status = read_one(store, stmt, ret, err);
    return status == BURSAR_ENOTFOUND ? bursar_fail(err, status, "there is no token '%.64s'", name) : status;
}

static enum bursar_status add(struct sqlite_store *store, const struct token_record *token, struct bursar_error *err)
{
    struct token_record other;
    struct bursar_error none;
    enum bursar_status status = find_by_name(store, token->name, &other, &none);
    if (status == BURSAR_OK)
        return bursar_fail(err, BURSAR_EEXIST, "there is a token '%s'%s: a name is used once, the history knows it",
                           token->name, other.revoked_ms ? ", revoked" : "");
    if (status != BURSAR_ENOTFOUND)
        return bursar_fail(err, status, "%s", none.message);
    sqlite3_stmt *stmt = statement(store, SQL_TOKEN_ADD, err);
    bind_text(stmt, 1, token->name);
    bind_hash(stmt, 2, &token->hash);
    bind_i64(stmt, 3, token->scopes);
    bind_u64(stmt, 4, token->created_ms);
    bind_text(stmt, 5, token->created_by);
    if (token->expires_ms > 0)
        bind_u64(stmt, 6, token->expires_ms);
    return run_statement(store, stmt, NULL, err);
}

static enum bursar_status token_add(void *ctx, const struct token_record *token, int64_t *ret_id,
                                    struct bursar_error *err)
{
    struct sqlite_store *store = ctx;
    enum bursar_status status = write_begin(store, NULL, err);
    if (status != BURSAR_OK)
        return status;
    status = add(store, token, err);
    int64_t id = sqlite3_last_insert_rowid(store->db);
    status = write_end(store, status, err);
    if (status == BURSAR_OK)
        *ret_id = id;
    return status;
}

static enum bursar_status revoke(struct sqlite_store *store, const char *name, const char *actor, uint64_t now_ms,
                                 struct bursar_error *err)
{
    struct token_record token;
    enum bursar_status status = find_by_name(store, name, &token, err);
    if (status != BURSAR_OK)
        return status;
    if (token.revoked_ms > 0)
        return bursar_fail(err, BURSAR_EREFUSED, "token '%s' was revoked before, by %s", name, token.revoked_by);
    sqlite3_stmt *stmt = statement(store, SQL_TOKEN_REVOKE, err);
    bind_i64(stmt, 1, token.id);
    bind_u64(stmt, 2, now_ms);
    bind_text(stmt, 3, actor);
    return run_statement(store, stmt, NULL, err);
}

static enum bursar_status token_revoke(void *ctx, const char *name, const char *actor, uint64_t now_ms,
                                       struct bursar_error *err)
{
    struct sqlite_store *store = ctx;
    enum bursar_status status = write_begin(store, NULL, err);
    if (status != BURSAR_OK)
        return status;
    return write_end(store, revoke(store, name, actor, now_ms, err), err);
}

static enum bursar_status tokens(void *ctx, int64_t after_id, size_t limit, token_visitor *visit, void *visit_ctx,
                                 struct bursar_error *err)
{
    struct sqlite_store *store = ctx;
    sqlite3_stmt *stmt = statement(store, SQL_TOKENS, err);
    bind_i64(stmt, 1, after_id);
    bind_u64(stmt, 2, limit);
    for (;;) {
        struct token_record token;
        bool row;
        enum bursar_status status = step_row(store, stmt, &row, err);
        if (status != BURSAR_OK || !row)
            return status;
        read_token(stmt, &token);
        status = visit(visit_ctx, &token);
        if (status != BURSAR_OK) {
            (void)sqlite3_reset(stmt);
            return status;
        }
    }
}

void sqlite_fill_token(struct store *interface)
{
    interface->token_add = token_add;
    interface->token_revoke = token_revoke;
    interface->token_get = token_get;
    interface->tokens = tokens;
}

/* Importing a payment file: one transaction, all new rows or none. */
#include "store/sqlite_core.h"

#include "domain/dependency_graph.h"

#include <stdlib.h>
#include <string.h>

#define REFS_MAX_BYTES ((size_t)1024 * 1024 * 1024)
#define PROBLEM_TEXT_BYTES 512

void sqlite_import_discard(struct sqlite_store *store)
{
    struct sqlite_import *import = &store->import;
    if (import->is_open && !sqlite3_get_autocommit(store->db))
        (void)sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL); /* closing would undo it as well */
    if (store->db)
        (void)sqlite3_exec(store->db, "PRAGMA cache_size = -" STORE_CACHE_KIB, NULL, NULL, NULL); /* speed only */
    free(import->origin);
    free(import->actor);
    free(import->lines);
    free(import->dependents);
    buf_free(&import->refs);
    *import = (struct sqlite_import){ 0 };
}

static enum bursar_status highest_id(struct sqlite_store *store, int64_t *ret, struct bursar_error *err)
{
    sqlite3_stmt *stmt = statement(store, SQL_IMPORT_MAX_ID, err);
    bool row;
    enum bursar_status status = step_row(store, stmt, &row, err);
    if (status != BURSAR_OK)
        return status;
    *ret = row ? sqlite3_column_int64(stmt, 0) : 0;
    (void)sqlite3_reset(stmt);
    return BURSAR_OK;
}

static enum bursar_status begin(void *ctx, int64_t treasury, const char *origin, const char *actor, uint64_t now_ms,
                                struct bursar_error *err)
{
    struct sqlite_store *store = ctx;
    enum bursar_status status = write_begin(store, NULL, err);
    if (status != BURSAR_OK)
        return status;
    struct sqlite_import *import = &store->import;
    *import = (struct sqlite_import){ .treasury = treasury, .now_ms = now_ms, .refs.limit_bytes = REFS_MAX_BYTES };
    import->origin = strdup(origin);
    import->actor = strdup(actor);
    int64_t highest = 0;
    if (!import->origin || !import->actor)
        status = bursar_fail(err, BURSAR_ENOMEM, "out of memory");
    else
        status = highest_id(store, &highest, err);
    import->first_new_id = import->next_id = highest + 1;
    import->is_open = true;
    (void)sqlite3_exec(store->db, "PRAGMA cache_size = -" IMPORT_CACHE_KIB, NULL, NULL, NULL); /* speed only */
    if (status != BURSAR_OK)
        sqlite_import_discard(store);
    return status;
}

static bool grow(void **array, size_t *capacity, size_t needed, size_t item_bytes)
{
    if (needed <= *capacity)
        return true;
    size_t larger = *capacity ? *capacity * 2 : 256;
    void *moved = realloc(*array, larger * item_bytes);
    if (!moved)
        return false;
    *array = moved;
    *capacity = larger;
    return true;
}

/* Remembers what only matters until the import ends: the row's line, and its dependencies. */
static enum bursar_status remember(struct sqlite_import *import, const struct import_row *row, struct bursar_error *err)
{
    size_t index = (size_t)(import->next_id - import->first_new_id);
    if (!grow((void **)&import->lines, &import->line_capacity, index + 1, sizeof *import->lines))
        return bursar_fail(err, BURSAR_ENOMEM, "out of memory");
    import->lines[index] = row->line;
    if (row->obligation.dependency_count == 0)
        return BURSAR_OK;
    if (!grow((void **)&import->dependents, &import->dependent_capacity, import->dependent_count + 1,
              sizeof *import->dependents))
        return bursar_fail(err, BURSAR_ENOMEM, "out of memory");
    struct import_dependent dependent = { .id = import->next_id,
                                          .line = row->line,
                                          .refs_offset = import->refs.length_bytes,
                                          .ref_count = row->obligation.dependency_count };
    for (size_t i = 0; i < row->obligation.dependency_count; i++) {
        const char *ref = row->obligation.dependencies[i];
        if (!buf_append(&import->refs, ref, strlen(ref) + 1))
            return bursar_fail(err, BURSAR_ENOMEM, "out of memory");
    }
    import->dependents[import->dependent_count++] = dependent;
    return BURSAR_OK;
}

static enum bursar_status insert(struct sqlite_store *store, const struct import_row *row, struct bursar_error *err)
{
    struct sqlite_import *import = &store->import;
    const struct obligation *obligation = &row->obligation;
    sqlite3_stmt *stmt = statement(store, SQL_IMPORT_ADD, err);
    bind_i64(stmt, 1, import->next_id);
    bind_i64(stmt, 2, import->treasury);
    bind_i64(stmt, 3, obligation->schedule);
    bind_u64(stmt, 4, obligation->schedule_value);
    bind_text(stmt, 5, obligation->ref);
    bind_hash(stmt, 6, &row->content_hash);
    bind_address(stmt, 7, &obligation->destination);
    bind_amount(stmt, 8, &obligation->amount);
    bind_text(stmt, 9, obligation->memo);
    bind_asset(stmt, 10, &obligation->asset);
    enum bursar_status status = run_statement(store, stmt, NULL, err);
    if (status != BURSAR_OK)
        return status;
    char detail[PROBLEM_TEXT_BYTES];
    (void)snprintf(detail, sizeof detail, "%s, line %llu", import->origin, (unsigned long long)row->line);
    struct event_fields event = { .treasury = import->treasury,
                                  .disbursement = import->next_id,
                                  .at_ms = import->now_ms,
                                  .cause = CAUSE_IMPORTED,
                                  .from_state = 0,
                                  .to_state = STATE_QUEUED,
                                  .actor = import->actor,
                                  .detail = detail };
    return event_append(store, &event, err);
}

static enum bursar_status add_row(struct sqlite_store *store, const struct import_row *row,
                                  enum import_outcome *ret_outcome, int64_t *ret_id, uint64_t *ret_line,
                                  struct bursar_error *err)
{
    struct sqlite_import *import = &store->import;
    sqlite3_stmt *stmt = statement(store, SQL_IMPORT_FIND, err);
    bind_i64(stmt, 1, import->treasury);
    bind_text(stmt, 2, row->obligation.ref);
    bool found;
    enum bursar_status status = step_row(store, stmt, &found, err);
    if (status != BURSAR_OK)
        return status;
    if (found) {
        struct bursar_hash stored;
        *ret_id = sqlite3_column_int64(stmt, 0);
        column_hash(stmt, 1, &stored);
        (void)sqlite3_reset(stmt);
        if (*ret_id >= import->first_new_id) {
            *ret_line = import->lines[*ret_id - import->first_new_id];
            *ret_outcome = IMPORT_TWICE;
        } else {
            *ret_outcome = hash_equal(&stored, &row->content_hash) ? IMPORT_EXISTING : IMPORT_OTHER_CONTENT;
        }
        return BURSAR_OK;
    }
    status = remember(import, row, err);
    if (status == BURSAR_OK)
        status = insert(store, row, err);
    if (status != BURSAR_OK)
        return status;
    *ret_id = import->next_id++;
    *ret_outcome = IMPORT_ADDED;
    return BURSAR_OK;
}

static enum bursar_status add(void *ctx, const struct import_row *row, enum import_outcome *ret_outcome,
                              int64_t *ret_id, uint64_t *ret_line, struct bursar_error *err)
{
    struct sqlite_store *store = ctx;
    if (!store->import.is_open || store->import.has_failed)
        return bursar_fail(err, BURSAR_EINTERNAL, "no import is open, or it has failed");
    enum bursar_status status = add_row(store, row, ret_outcome, ret_id, ret_line, err);
    store->import.has_failed = status != BURSAR_OK;
    return status;
}

static enum bursar_status token_decimals(void *ctx, int64_t treasury, const struct bursar_address *token, unsigned *ret,
                                         struct bursar_error *err)
{
    struct sqlite_store *store = ctx;
    sqlite3_stmt *stmt = statement(store, SQL_TOKEN_DECIMALS, err);
    bind_i64(stmt, 1, treasury);
    bind_address(stmt, 2, token);
    bool found;
    enum bursar_status status = step_row(store, stmt, &found, err);
    if (status != BURSAR_OK)
        return status;
    if (!found)
        return bursar_fail(err, BURSAR_ENOTFOUND, "the decimals of this token are not known yet");
    *ret = (unsigned)sqlite3_column_int(stmt, 0);
    (void)sqlite3_reset(stmt);
    return BURSAR_OK;
}

static enum bursar_status pin(void *ctx, const struct bursar_address *token, unsigned decimals,
                              struct bursar_error *err)
{
    struct sqlite_store *store = ctx;
    struct sqlite_import *import = &store->import;
    unsigned pinned = 0;
    if (!import->is_open || import->has_failed)
        return bursar_fail(err, BURSAR_EINTERNAL, "no import is open, or it has failed");
    enum bursar_status status = token_decimals(store, import->treasury, token, &pinned, err);
    if (status == BURSAR_OK && pinned != decimals)
        status = bursar_fail(err, BURSAR_ECONFLICT, "this token has %u decimals here, not %u", pinned, decimals);
    if (status == BURSAR_ENOTFOUND) {
        sqlite3_stmt *stmt = statement(store, SQL_TOKEN_PIN, err);
        bind_i64(stmt, 1, import->treasury);
        bind_address(stmt, 2, token);
        bind_u64(stmt, 3, decimals);
        status = run_statement(store, stmt, NULL, err);
    }
    import->has_failed = status != BURSAR_OK;
    return status;
}

/* What resolving needs besides the import itself. */
struct resolution {
    import_problem_visitor *visit;
    void *visit_ctx;
    size_t problems;
    struct dependency_edge *edges;
    size_t edge_count, edge_capacity;
};

static void report(struct resolution *resolution, uint64_t line, const char *message)
{
    struct import_problem problem = { .line = line, .column = "depends_on", .message = message };
    resolution->problems++;
    if (resolution->visit)
        resolution->visit(resolution->visit_ctx, &problem);
}

static enum bursar_status set_waits_on(struct sqlite_store *store, int64_t id, int64_t on_id, struct bursar_error *err)
{
    sqlite3_stmt *stmt = statement(store, SQL_WAIT_ON, err);
    bind_i64(stmt, 1, id);
    if (on_id)
        bind_i64(stmt, 2, on_id);
    return run_statement(store, stmt, NULL, err);
}

/* Links one row to one ref; *ret_waits_on is set when that one is not finalized yet. */
static enum bursar_status link_dependency(struct sqlite_store *store, struct resolution *resolution,
                                          const struct import_dependent *row, const char *ref, int64_t *ret_waits_on,
                                          struct bursar_error *err)
{
    struct sqlite_import *import = &store->import;
    sqlite3_stmt *stmt = statement(store, SQL_IMPORT_DEPENDENCY_FIND, err);
    bind_i64(stmt, 1, import->treasury);
    bind_text(stmt, 2, ref);
    bool found;
    enum bursar_status status = step_row(store, stmt, &found, err);
    if (status != BURSAR_OK)
        return status;
    if (!found) {
        char message[PROBLEM_TEXT_BYTES];
        (void)snprintf(message, sizeof message, "'%s' is neither in this file nor stored", ref);
        report(resolution, row->line, message);
        return BURSAR_OK;
    }
    int64_t on_id = sqlite3_column_int64(stmt, 0);
    if (sqlite3_column_int(stmt, 1) != STATE_FINALIZED)
        *ret_waits_on = on_id;
    (void)sqlite3_reset(stmt);
    if (on_id >= import->first_new_id) {
        if (!grow((void **)&resolution->edges, &resolution->edge_capacity, resolution->edge_count + 1,
                  sizeof *resolution->edges))
            return bursar_fail(err, BURSAR_ENOMEM, "out of memory");
        resolution->edges[resolution->edge_count++] =
            (struct dependency_edge){ .from = (uint32_t)(row->id - import->first_new_id),
                                      .on = (uint32_t)(on_id - import->first_new_id) };
    }
    stmt = statement(store, SQL_IMPORT_DEPENDENCY_ADD, err);
    bind_i64(stmt, 1, row->id);
    bind_i64(stmt, 2, on_id);
    return run_statement(store, stmt, NULL, err);
}

static enum bursar_status link_row(struct sqlite_store *store, struct resolution *resolution,
                                   const struct import_dependent *row, struct bursar_error *err)
{
    const char *ref = store->import.refs.data + row->refs_offset;
    int64_t waits_on = 0;
    enum bursar_status status = BURSAR_OK;
    for (size_t i = 0; i < row->ref_count && status == BURSAR_OK; i++, ref += strlen(ref) + 1)
        status = link_dependency(store, resolution, row, ref, &waits_on, err);
    if (status == BURSAR_OK && waits_on)
        status = set_waits_on(store, row->id, waits_on, err);
    return status;
}

static enum bursar_status resolve(struct sqlite_store *store, struct resolution *resolution, struct bursar_error *err)
{
    struct sqlite_import *import = &store->import;
    enum bursar_status status = BURSAR_OK;
    for (size_t i = 0; i < import->dependent_count && status == BURSAR_OK; i++)
        status = link_row(store, resolution, &import->dependents[i], err);
    bool found = false;
    uint32_t node = 0;
    if (status == BURSAR_OK && resolution->edge_count)
        status = dependency_cycle_find(resolution->edges, resolution->edge_count,
                                       (size_t)(import->next_id - import->first_new_id), &found, &node, err);
    if (status == BURSAR_OK && found)
        report(resolution, import->lines[node], "depends on itself through a cycle of dependencies");
    return status;
}

static enum bursar_status end(void *ctx, bool commit, import_problem_visitor *visit, void *visit_ctx,
                              bool *ret_committed, struct bursar_error *err)
{
    struct sqlite_store *store = ctx;
    if (!store->import.is_open)
        return bursar_fail(err, BURSAR_EINTERNAL, "no import is open");
    struct resolution resolution = { .visit = visit, .visit_ctx = visit_ctx };
    bool has_failed = store->import.has_failed;
    enum bursar_status status = has_failed ? BURSAR_OK : resolve(store, &resolution, err);
    free(resolution.edges);
    bool keep = status == BURSAR_OK && commit && !has_failed && resolution.problems == 0;
    if (keep) {
        store->import.is_open = false;
        status = write_end(store, BURSAR_OK, err);
    }
    sqlite_import_discard(store);
    if (status == BURSAR_OK)
        *ret_committed = keep;
    return status;
}

void sqlite_fill_import(struct store *interface)
{
    interface->import_begin = begin;
    interface->import_add = add;
    interface->import_end = end;
    interface->token_decimals = token_decimals;
    interface->import_pin = pin;
}

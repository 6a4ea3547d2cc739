/* Inside the SQLite store: the handle, statements, transactions, events and the one function that moves. */
#ifndef STORE_SQLITE_CORE_H
#define STORE_SQLITE_CORE_H

#include "store/sqlite_sql.h"
#include "store/sqlite_store.h"

#include "base/bytes.h"

#include <sqlite3.h>

/* Page cache, KiB: small for a daemon that looks at a batch at a time, larger while an import fills whole indexes. */
#define STORE_CACHE_KIB "2000"
#define IMPORT_CACHE_KIB "32768"

/* The event log's end, as far as this transaction has written it. */
struct event_tail {
    uint64_t seq;
    struct bursar_hash hash; /* of the last event */
};

/* A row of an import that names dependencies; refs follow each other NUL-terminated in sqlite_import.refs. */
struct import_dependent {
    int64_t id;
    uint64_t line;
    size_t refs_offset;
    size_t ref_count;
};

struct sqlite_import {
    bool is_open;
    bool has_failed; /* an add failed: SQLite may have rolled back by itself, nothing of this import may be kept */
    int64_t treasury;
    char *origin, *actor;
    uint64_t now_ms;
    int64_t first_new_id;
    int64_t next_id;
    uint64_t *lines; /* lines[id - first_new_id] */
    size_t line_capacity;
    struct import_dependent *dependents;
    size_t dependent_count, dependent_capacity;
    struct buf refs;
};

struct sqlite_store {
    sqlite3 *db;
    sqlite3_stmt *statements[SQL_COUNT];
    char *path;
    enum sqlite_mode mode;
    store_is_cancelled *is_cancelled;
    void *cancel_ctx;
    uint64_t busy_since_ms;
    int lease_fd; /* the lease lock file, -1: not open */
    char holder[LEASE_HOLDER_MAX_BYTES];
    struct commit_meter meter;
    struct event_tail tail;
    struct sqlite_import import;
};

extern const char *const SQLITE_STATEMENT_TEXT[SQL_COUNT];

/* Turns the handle's last SQLite error into a status and a sentence naming the file. */
enum bursar_status sqlite_failed(struct sqlite_store *store, const char *doing, struct bursar_error *err);

/* A prepared statement, reset, without bindings; NULL with `err` set on failure. Kept for the handle's life. */
sqlite3_stmt *statement(struct sqlite_store *store, enum sqlite_statement which, struct bursar_error *err);
/* Runs a statement that returns no rows, resets it, and returns how many rows it changed. */
BURSAR_MUST_CHECK enum bursar_status run_statement(struct sqlite_store *store, sqlite3_stmt *stmt, int *ret_changed,
                                                   struct bursar_error *err);
/* Steps: *ret_row tells whether there is a row; resets at the end and on failure. */
BURSAR_MUST_CHECK enum bursar_status step_row(struct sqlite_store *store, sqlite3_stmt *stmt, bool *ret_row,
                                              struct bursar_error *err);

/* Reads one row into element `index` of `rows`. */
typedef void row_reader(sqlite3_stmt *stmt, void *rows, size_t index);
/* Appends the rows of a bound statement to `rows`, from element *count up to `limit`; *count is only touched on
 * success. */
BURSAR_MUST_CHECK enum bursar_status collect_rows(struct sqlite_store *store, sqlite3_stmt *stmt, row_reader *read,
                                                  void *rows, size_t limit, size_t *count, struct bursar_error *err);

/* Hands every row of a bound statement to `row_seen`; stops at the first status that is not OK. */
BURSAR_MUST_CHECK enum bursar_status each_row(struct sqlite_store *store, sqlite3_stmt *stmt,
                                              enum bursar_status (*row_seen)(void *ctx, sqlite3_stmt *stmt), void *ctx,
                                              struct bursar_error *err);
/* Of a row of SHOWN_COLUMNS. */
struct disbursement_seer {
    disbursement_visitor *visit;
    void *ctx;
};
BURSAR_MUST_CHECK enum bursar_status disbursement_seen(void *seer, sqlite3_stmt *stmt);

/* Binding and reading typed values. Binding failures are memory failures and show up in the step. What is bound by
 * pointer is borrowed until then; an amount is copied. */
void bind_u64(sqlite3_stmt *stmt, int index, uint64_t value);
void bind_i64(sqlite3_stmt *stmt, int index, int64_t value);
void bind_text(sqlite3_stmt *stmt, int index, const char *text);
void bind_address(sqlite3_stmt *stmt, int index, const struct bursar_address *address);
void bind_asset(sqlite3_stmt *stmt, int index, const struct asset *asset); /* NULL: the coin */
void bind_hash(sqlite3_stmt *stmt, int index, const struct bursar_hash *hash);
void bind_amount(sqlite3_stmt *stmt, int index, const struct bursar_amount *amount);
uint64_t column_u64(sqlite3_stmt *stmt, int column);
void column_address(sqlite3_stmt *stmt, int column, struct bursar_address *ret);
/* What is longer than any of ours reads as nothing. */
void column_data(sqlite3_stmt *stmt, int column, struct call_data *ret);
void bind_data(sqlite3_stmt *stmt, int index, const struct call_data *data);
void column_asset(sqlite3_stmt *stmt, int column, struct asset *ret);
void column_hash(sqlite3_stmt *stmt, int column, struct bursar_hash *ret);
void column_amount(sqlite3_stmt *stmt, int column, struct bursar_amount *ret);
void column_copy(sqlite3_stmt *stmt, int column, char *ret, size_t ret_bytes);

/* One write transaction. A fence of NULL is a person's; else EFENCED unless the lease epoch is still that (INV-6). */
BURSAR_MUST_CHECK enum bursar_status write_begin(struct sqlite_store *store, const struct fence *fence,
                                                 struct bursar_error *err);
/* As above, for what spends: ESTALE unless the circuit breaker is still the fence's (INV-6). */
BURSAR_MUST_CHECK enum bursar_status write_begin_spending(struct sqlite_store *store, const struct fence *fence,
                                                          struct bursar_error *err);
/* Commits when `status` is OK, else rolls back; returns what came of it. */
BURSAR_MUST_CHECK enum bursar_status write_end(struct sqlite_store *store, enum bursar_status status,
                                               struct bursar_error *err);

struct event_fields {
    int64_t treasury;
    int64_t disbursement; /* 0: none */
    int64_t intent;       /* 0: none */
    uint64_t at_ms;
    enum lifecycle_cause cause;
    int from_state, to_state;
    const char *actor;
    const char *detail;
};
/* Appends to the event log, inside a write transaction. */
BURSAR_MUST_CHECK enum bursar_status event_append(struct sqlite_store *store, const struct event_fields *event,
                                                  struct bursar_error *err);

struct disbursement_version {
    int64_t id;
    enum disbursement_state state;
    uint64_t version;
};
/* Where to, and what the event log is to say of it. */
struct disbursement_move {
    enum disbursement_state to;
    enum lifecycle_cause cause;
    int64_t intent; /* 0: none */
    uint64_t at_ms;
    const char *actor;
    const char *detail;
};
/* The one function that moves a disbursement: checks the table, compares and sets, writes the event. ESTALE when
 * somebody else moved it; EINTERNAL when the table does not allow it. */
BURSAR_MUST_CHECK enum bursar_status disbursement_move(struct sqlite_store *store, int64_t treasury,
                                                       const struct disbursement_version *from,
                                                       const struct disbursement_move *move, struct bursar_error *err);
/* Makes a row wait for its next dependency that is not finalized, or for none. */
BURSAR_MUST_CHECK enum bursar_status wait_on_next(struct sqlite_store *store, int64_t id, struct bursar_error *err);
/* Has somebody a name and a reason, within their bounds? EINVAL. */
BURSAR_MUST_CHECK enum bursar_status decision_check(const struct decision *decision, struct bursar_error *err);

/* Moves an intent of this treasury; *ret_changed is 0 when it was not in `from`. */
BURSAR_MUST_CHECK enum bursar_status intent_move(struct sqlite_store *store, int64_t treasury, int64_t intent,
                                                 enum intent_status from, enum intent_status to, int *ret_changed,
                                                 struct bursar_error *err);

/* What was included in blocks above `number` goes back to staged, same intent, same bytes (INV-8); those blocks are
 * read again. Inside a write transaction. */
BURSAR_MUST_CHECK enum bursar_status undo_above(struct sqlite_store *store, int64_t treasury, uint64_t now_ms,
                                                uint64_t number, struct bursar_error *err);
/* Leaves the request to cancel what is staged; inside a write transaction. EEXIST: there is one. */
BURSAR_MUST_CHECK enum bursar_status request_cancel(struct sqlite_store *store, int64_t treasury, int64_t id,
                                                    const struct decision *decision, struct bursar_error *err);
/* Requests to cancel what an intent pays are answered now; *ret_any: there were some. */
BURSAR_MUST_CHECK enum bursar_status close_cancels(struct sqlite_store *store, int64_t intent, uint64_t now_ms,
                                                   bool *ret_any, struct bursar_error *err);
/* Ends the live items of an intent; a paid one stays live for ever (INV-1). */
BURSAR_MUST_CHECK enum bursar_status end_items(struct sqlite_store *store, int64_t intent, bool stays_live,
                                               enum lifecycle_cause outcome, struct bursar_error *err);
/* Moves the live items of move->intent. */
BURSAR_MUST_CHECK enum bursar_status move_items(struct sqlite_store *store, int64_t treasury,
                                                const struct disbursement_move *move, struct bursar_error *err);

/* For the money breaker, each inside a write transaction: something has gone wrong; what was bound; what final
 * transactions took out of the account; what it has now, NULL: not known, nothing to compare with. */
BURSAR_MUST_CHECK enum bursar_status money_note_incident(struct sqlite_store *store, int64_t treasury, uint64_t now_ms,
                                                         enum money_cause cause, const char *detail,
                                                         struct bursar_error *err);
BURSAR_MUST_CHECK enum bursar_status money_note_bound(struct sqlite_store *store, int64_t treasury, uint64_t now_ms,
                                                      const struct binding *bindings, size_t count,
                                                      struct bursar_error *err);
BURSAR_MUST_CHECK enum bursar_status money_note_final(struct sqlite_store *store, int64_t treasury,
                                                      const struct final_attempt *final, size_t count,
                                                      struct bursar_error *err);
BURSAR_MUST_CHECK enum bursar_status money_set_mark(struct sqlite_store *store, int64_t treasury, uint64_t number,
                                                    const struct bursar_amount *balance, struct bursar_error *err);

/* What is owed, inside a transaction. */
BURSAR_MUST_CHECK enum bursar_status owed_read(struct sqlite_store *store, int64_t treasury, struct owed_view *ret,
                                               struct bursar_error *err);
/* Keeps what the account held and what is due, if either is another amount than last time; inside a write transaction.
 */
BURSAR_MUST_CHECK enum bursar_status balance_keep(struct sqlite_store *store, int64_t treasury,
                                                  const struct snapshot *snapshot, struct bursar_error *err);

/* The parts of the vtable, by file. */
void sqlite_fill_treasury(struct store *interface);
void sqlite_fill_import(struct store *interface);
void sqlite_fill_lease(struct store *interface);
void sqlite_fill_due(struct store *interface);
void sqlite_fill_spending(struct store *interface);
void sqlite_fill_settle(struct store *interface);
void sqlite_fill_host(struct store *interface);
void sqlite_fill_decided(struct store *interface);
void sqlite_fill_breaker(struct store *interface);
void sqlite_fill_money(struct store *interface);
void sqlite_fill_shown(struct store *interface);
void sqlite_fill_search(struct store *interface);
void sqlite_fill_metered(struct store *interface);
void sqlite_fill_owed(struct store *interface);
void sqlite_fill_balance(struct store *interface);
void sqlite_fill_token(struct store *interface);
void sqlite_fill_webhook(struct store *interface);
void sqlite_fill_adopt(struct store *interface);
void sqlite_import_discard(struct sqlite_store *store);
void sqlite_lease_unlock(struct sqlite_store *store);

#endif

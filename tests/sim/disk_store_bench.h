/* For tests of SQLite and of the store upon the simulated disk: what they all do with a database. */
#ifndef SIM_DISK_STORE_BENCH_H
#define SIM_DISK_STORE_BENCH_H

#include "disk_bench.h"

#include "store/sqlite_store.h"

#include <sqlite3.h>

#define STORE DISK_ROOT "/store.db"
#define CHAIN_ID 31337U

static inline void run(sqlite3 *db, const char *sql)
{
    char *text = NULL;
    if (sqlite3_exec(db, sql, NULL, NULL, &text) != SQLITE_OK)
        fail_msg("%s: %s", sql, text ? text : "?");
}

static inline int64_t number(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *stmt = NULL;
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    int64_t found = sqlite3_column_int64(stmt, 0);
    assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
    return found;
}

static inline bool is_whole(sqlite3 *db)
{
    sqlite3_stmt *stmt = NULL;
    bool ok = sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &stmt, NULL) == SQLITE_OK &&
              sqlite3_step(stmt) == SQLITE_ROW && strcmp((const char *)sqlite3_column_text(stmt, 0), "ok") == 0;
    (void)sqlite3_finalize(stmt);
    return ok;
}

static inline struct bursar_address account_of(uint64_t number)
{
    struct bursar_address account = { { 0xaa } };
    memcpy(account.bytes + 1, &number, sizeof number);
    return account;
}

static inline bool add_treasury(struct sqlite_store *sqlite, uint64_t which)
{
    struct store store = sqlite_store_interface(sqlite);
    struct bursar_address account = account_of(which);
    int64_t id = 0;
    char name[32];
    (void)snprintf(name, sizeof name, "t%llu", (unsigned long long)which);
    return store.treasury_add(store.ctx, name, CHAIN_ID, &account, "block/120", &id, NULL) == BURSAR_OK;
}

static inline bool has_treasury(struct sqlite_store *sqlite, uint64_t which)
{
    struct store store = sqlite_store_interface(sqlite);
    struct bursar_address account = account_of(which);
    struct treasury found;
    return store.treasury_find(store.ctx, CHAIN_ID, &account, &found, NULL) == BURSAR_OK;
}

static inline struct sqlite_store *open_store(void)
{
    struct sqlite_store *store = NULL;
    struct bursar_error err = { 0 };
    if (sqlite_store_open(STORE, SQLITE_MODE_WRITE, NULL, NULL, &store, &err) != BURSAR_OK)
        fail_msg("%s", err.message);
    return store;
}

static inline void create_store(void)
{
    struct sqlite_store *store = NULL;
    assert_int_equal(sqlite_store_create(STORE, &store, NULL), BURSAR_OK);
    sqlite_store_close(store);
}

#endif

/* A store of an earlier version keeps everything when it is opened by this one. */
#include "store_fixture.h"

#include "store/sqlite_migrations.h"

#include <unistd.h>

/* Tables of version 1, in an order that their references allow; queue_count fills itself. */
static const char *const FIRST_TABLES[] = { "treasury", "disbursement", "dependency", "intent", "intent_item",
                                            "attempt",  "block",        "event",      "request" };

#define COLUMNS_MAX_BYTES 512

static void run(sqlite3 *db, const char *sql)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
}

/* Those that the table had in version 1. */
static void columns_of(sqlite3 *db, const char *table, char ret[COLUMNS_MAX_BYTES])
{
    sqlite3_stmt *stmt = NULL;
    char sql[128];
    (void)snprintf(sql, sizeof sql, "SELECT group_concat(name) FROM pragma_table_info('%s', 'main')", table);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    assert_true(snprintf(ret, COLUMNS_MAX_BYTES, "%s", sqlite3_column_text(stmt, 0)) < COLUMNS_MAX_BYTES);
    (void)sqlite3_finalize(stmt);
}

/* The fixture's rows in a file that only the first migration has made; the fixture goes on with that file, closed. */
static void go_back_to_version_1(struct fixture *f)
{
    char new_path[sizeof f->path], columns[COLUMNS_MAX_BYTES], sql[COLUMNS_MAX_BYTES + 128];
    sqlite3 *db = NULL;
    memcpy(new_path, f->path, sizeof new_path);
    (void)snprintf(f->path, sizeof f->path, "%s/old.db", f->directory);
    assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
    run(db, "PRAGMA journal_mode = WAL; PRAGMA application_id = 0x42555253; BEGIN");
    run(db, SQLITE_MIGRATIONS[0]);
    run(db, "PRAGMA user_version = 1; COMMIT");
    (void)snprintf(sql, sizeof sql, "ATTACH '%s' AS new; BEGIN", new_path);
    run(db, sql);
    for (size_t i = 0; i < COUNT_OF(FIRST_TABLES); i++) {
        columns_of(db, FIRST_TABLES[i], columns);
        (void)snprintf(sql, sizeof sql, "INSERT INTO main.%s SELECT %s FROM new.%s", FIRST_TABLES[i], columns,
                       FIRST_TABLES[i]);
        run(db, sql);
    }
    run(db, "COMMIT; DETACH new");
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    (void)sqlite3_close(f->raw);
    sqlite_store_close(f->sqlite);
    f->raw = NULL;
    f->sqlite = NULL;
}

/* Every state and every table has something in it. */
static void live_a_little(struct fixture *f)
{
    const struct decision decision = { .actor = "alice", .reason = "why", .at_ms = NOW_MS };
    const struct row rows[] = { { .ref = "paid" },
                                { .ref = "failed" },
                                { .ref = "cancelled" },
                                { .ref = "flying" },
                                { .ref = "waits", .depends_on = { "failed" } },
                                { .ref = "later", .schedule = SCHEDULE_TIME, .schedule_value = 9 } };
    int64_t first = import_rows(f, rows, COUNT_OF(rows));
    (void)pay_row(f, first, true);
    (void)pay_row(f, first + 1, false);
    OK(f, cancel, f->treasury, first + 2, &decision);
    (void)sign_intent(f, bind_row(f, first + 3), 4711);
    const struct block_mark scanned = mark_at(ANCHOR_NUMBER + 2, 0);
    const struct settlement settlement = { .scanned = &scanned, .scanned_count = 1 };
    OK(f, settle, f->fence, NOW_MS, &settlement);
}

/* Without the lines that `table` has in it. */
static char *without_table(char *text, const char *table)
{
    struct buf out = { 0 };
    size_t length = strlen(table);
    for (char *line = text; *line;) {
        char *end = strchr(line, '\n');
        assert_non_null(end);
        if (strncmp(line, table, length) != 0)
            assert_true(buf_append(&out, line, (size_t)(end + 1 - line)));
        line = end + 1;
    }
    free(text);
    assert_non_null(out.data);
    return out.data;
}

/* Line by line the same, but for columns that came later. */
static void assert_continued(const char *before, const char *after)
{
    while (*before) {
        const char *end = strchr(before, '\n'), *next = strchr(after, '\n');
        assert_non_null(end);
        assert_non_null(next);
        assert_memory_equal(after, before, (size_t)(end - before));
        before = end + 1;
        after = next + 1;
    }
    assert_int_equal(*after, '\0');
}

static void an_older_store_is_taken_along_with_everything_in_it(void **state)
{
    struct fixture *f = *state;
    live_a_little(f);
    go_back_to_version_1(f);
    char *before = dump(f);
    assert_int_equal(raw_number(f, "PRAGMA user_version"), 1);
    assert_int_equal(sqlite_store_open(f->path, SQLITE_MODE_WRITE, NULL, NULL, &f->sqlite, &f->err), BURSAR_OK);
    f->store = sqlite_store_interface(f->sqlite);
    assert_int_equal(raw_number(f, "PRAGMA user_version"), SQLITE_MIGRATION_COUNT);
    static const char *const new_tables[] = { "breaker|", "money_breaker|", "owed|", "queue_count|" };
    char *after = dump(f);
    for (size_t i = 0; i < COUNT_OF(new_tables); i++)
        after = without_table(after, new_tables[i]);
    before = without_table(before, "queue_count|"); /* has its rows, and one for each other state */
    assert_continued(before, after);
    assert_counts(f);
    assert_int_equal(raw_number_of(f, "SELECT count(*) FROM queue_count WHERE treasury = ?1", f->treasury), STATE_LAST);
    free(before);
    free(after);
    (void)check_event_chain(f);

    struct breaker_record record;
    const struct bursar_address account = { { 0xbb } };
    int64_t other = 0;
    struct owed_view owed;
    OK(f, owed, f->treasury, &owed);
    assert_int_equal(owed.assets[0].owed_count, 3); /* flying, waits, later */
    assert_int_equal(owed.assets[0].due_count, 1);
    OK(f, breaker_load, f->treasury, &record); /* the treasury that was there */
    assert_int_equal(record.memory.state, BURSAR_BREAKER_CLOSED);
    OK(f, treasury_add, "other", CHAIN_ID, &account, "block/120", &other);
    OK(f, breaker_load, other, &record); /* and one that comes later */
    assert_int_equal(raw_number_of(f, "SELECT count(*) FROM queue_count WHERE treasury = ?1 AND n = 0", other),
                     STATE_LAST);
    (void)pay_row(f, import_one(f, "new"), true);
    assert_counts(f);
    assert_sums(f);
}

static void a_reader_asks_for_the_upgrade_instead_of_making_it(void **state)
{
    struct fixture *f = *state;
    live_a_little(f);
    go_back_to_version_1(f);
    assert_int_equal(sqlite_store_open(f->path, SQLITE_MODE_READ, NULL, NULL, &f->sqlite, &f->err), BURSAR_ESTORAGE);
    assert_contains(f->err.message, "older schema");
    assert_int_equal(raw_number(f, "PRAGMA user_version"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_older_store_is_taken_along_with_everything_in_it, set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(a_reader_asks_for_the_upgrade_instead_of_making_it, set_up_leased, tear_down),
    };
    return cmocka_run_group_tests_name("store migrate", tests, NULL, NULL);
}

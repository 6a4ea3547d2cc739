/* A tick costs what it does, not what is stored: no statement of the executor walks a table, and its steps do not grow
 * with the rows. Nothing here ever ran ANALYZE: plans must not need statistics. */
#include "store_fixture.h"

enum scope { SHOWN, PLANNED };

static const struct {
    const char *name;
    enum scope scope;
    const char *sql;
} statements[] = {
#define S(name, scope, sql) { #name, scope, sql },
    SQLITE_STATEMENTS(S)
#undef S
};

/* Counts what is wrong with one plan, and says so. */
static size_t complaints_about(sqlite3 *db, size_t which)
{
    char sql[4096];
    sqlite3_stmt *stmt = NULL;
    size_t complaints = 0;
    assert_in_range(snprintf(sql, sizeof sql, "EXPLAIN QUERY PLAN %s", statements[which].sql), 1, sizeof sql - 1);
    if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK)
        fail_msg("%s: %s", statements[which].name, sqlite3_errmsg(db));
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        const char *line = (const char *)sqlite3_column_text(stmt, 3);
        bool walks = strncmp(line, "SCAN", 4) == 0 && strcmp(line, "SCAN CONSTANT ROW") != 0;
        if (!walks && !strstr(line, "TEMP B-TREE"))
            continue;
        print_error("%s: %s\n    %s\n", statements[which].name, line, statements[which].sql);
        complaints++;
    }
    assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
    return complaints;
}

static void no_statement_of_the_executor_walks_a_table(void **state)
{
    struct fixture *f = *state;
    size_t complaints = 0, planned = 0;
    for (size_t i = 0; i < COUNT_OF(statements); i++) {
        if (statements[i].scope == PLANNED) {
            complaints += complaints_about(f->sqlite->db, i);
            planned++;
        }
    }
    assert_in_range(planned, 40, COUNT_OF(statements));
    assert_int_equal(complaints, 0);
}

/* Rows by the thousand, over the second connection: numbered on from what is there. */
static void add_pending(struct fixture *f, int count)
{
    char sql[1024];
    (void)snprintf(
        sql, sizeof sql,
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) "
        "INSERT INTO disbursement (treasury, state, schedule, schedule_value, ref, content_hash, destination, "
        "amount, memo) SELECT 1, 3, i %% 3, CASE i %% 3 WHEN 0 THEN 0 ELSE i END, 'p' || %d || '-' || i, "
        "zeroblob(32), zeroblob(20), zeroblob(32), '' FROM n",
        count, count);
    raw_run(f, sql);
}

static void add_finished(struct fixture *f, int count)
{
    char sql[2048];
    (void)snprintf(
        sql, sizeof sql,
        "BEGIN; CREATE TEMP TABLE n AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) "
        "SELECT i + (SELECT coalesce(max(id), 0) FROM disbursement) AS id, i + (SELECT coalesce(max(nonce), %d) FROM "
        "intent) "
        "AS nonce FROM n; "
        "INSERT INTO disbursement (id, treasury, state, schedule, schedule_value, ref, content_hash, destination, "
        "amount, memo) SELECT id, 1, 6, 0, 0, 'f' || id, zeroblob(32), zeroblob(20), zeroblob(32), '' FROM n; "
        "INSERT INTO intent SELECT id, 1, nonce, 1, 4, zeroblob(20), zeroblob(32), x'', 21000, 1, 1 FROM n; "
        "INSERT INTO intent_item (intent, disbursement, live, outcome) SELECT id, id, 1, 7 FROM n; "
        "INSERT INTO attempt (treasury, intent, seq, purpose, status, hash, max_priority_fee_per_gas, max_fee_per_gas, "
        "signed_ms, raw, block_no, block_hash, gas_used, gas_price) SELECT 1, id, 1, 1, 3, "
        "CAST(printf('%%032d', id) AS BLOB), 1, 2, 1, x'02', 1, zeroblob(32), 21000, 1 FROM n; DROP TABLE n; COMMIT",
        count, FIRST_NONCE - 1);
    raw_run(f, sql);
}

static uint64_t steps_taken(struct sqlite_store *store, bool full_scan)
{
    uint64_t steps = 0;
    for (int i = 0; i < SQL_COUNT; i++) {
        int counter = full_scan ? SQLITE_STMTSTATUS_FULLSCAN_STEP : SQLITE_STMTSTATUS_VM_STEP;
        if (store->statements[i])
            steps += (uint64_t)sqlite3_stmt_status(store->statements[i], counter, 1);
    }
    return steps;
}

struct work {
    uint64_t looking, lane, deciding, full_scan;
};

/* What a tick asks for and writes, counted in steps of SQLite's virtual machine. */
static struct work work_of_a_tick(struct fixture *f)
{
    struct due_row due[100];
    struct flight flights[100];
    struct included_attempt included[100];
    struct block_mark marks[100];
    struct lane lane;
    struct work_left left;
    struct work work = { 0 };
    size_t count = 0;
    const struct bursar_amount affordable = bursar_amount_from_u64(1);
    (void)steps_taken(f->sqlite, false);
    (void)steps_taken(f->sqlite, true);
    OK(f, due_select, f->treasury, true, 1000000, 1000000, 100, due, &count);
    assert_int_equal(count, 100);
    work.looking = steps_taken(f->sqlite, false);
    OK(f, lane_read, f->treasury, &lane);
    work.lane = steps_taken(f->sqlite, false);
    OK(f, flights_select, f->treasury, 0, 100, flights, &count);
    OK(f, included_select, f->treasury, UINT32_MAX, 100, included, &count);
    OK(f, scanned_select, f->treasury, 0, 100, marks, &count);
    OK(f, work_left, f->treasury, &left);
    OK(f, dependents_wake, f->fence, 100, &count);
    OK(f, funded_wake, f->fence, &affordable, 100, &count);
    OK(f, recheck_wake, f->fence, 100, true, 100, &count);
    struct binding binding = binding_of(f, due[0].id, lane.next_nonce);
    OK(f, bind, f->fence, NOW_MS, &binding, 1);
    int64_t attempt = sign_intent(f, raw_number(f, "SELECT max(id) FROM intent"), 900000 + lane.next_nonce);
    include_attempt(f, attempt, mark_at(200, 0));
    finish_attempt(f, attempt, true);
    work.deciding = steps_taken(f->sqlite, false);
    work.full_scan = steps_taken(f->sqlite, true);
    return work;
}

static void a_tick_costs_the_same_with_two_hundred_times_the_rows(void **state)
{
    struct fixture *f = *state;
    raw_run(f, "PRAGMA synchronous = OFF");
    add_pending(f, 1000);
    add_finished(f, 250);
    (void)work_of_a_tick(f); /* prepares what is prepared once */
    struct work few = work_of_a_tick(f);
    add_pending(f, 200000);
    add_finished(f, 50000);
    struct work many = work_of_a_tick(f);
    assert_in_range(many.looking, 1, few.looking);
    assert_in_range(many.lane, 1, few.lane);
    assert_in_range(many.deciding, 1, few.deciding);
    assert_int_equal(many.full_scan, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(no_statement_of_the_executor_walks_a_table, set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(a_tick_costs_the_same_with_two_hundred_times_the_rows, set_up_leased,
                                        tear_down),
    };
    return cmocka_run_group_tests_name("store plans", tests, NULL, NULL);
}

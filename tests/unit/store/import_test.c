/* Importing a payment file: all new rows or none, each ref once, dependencies resolved. */
#include "store_fixture.h"

struct problems {
    size_t count;
    uint64_t line;
    char message[256];
};

static void note_problem(void *ctx, const struct import_problem *problem)
{
    struct problems *problems = ctx;
    problems->count++;
    problems->line = problem->line;
    assert_string_equal(problem->column, "depends_on");
    (void)snprintf(problems->message, sizeof problems->message, "%s", problem->message);
}

/* Imports rows that must be refused, and checks that nothing at all was kept. */
static struct problems import_refused(struct fixture *f, const struct row *rows, size_t count)
{
    struct problems problems = { 0 };
    int64_t id = 0;
    uint64_t line = 0;
    bool committed = true;
    char *before = dump(f);
    OK(f, import_begin, f->treasury, "bad.csv", "tester", NOW_MS);
    for (size_t i = 0; i < count; i++)
        (void)add_row(f, &rows[i], i + 2, &id, &line);
    OK(f, import_end, true, note_problem, &problems, &committed);
    assert_false(committed);
    char *after = dump(f);
    assert_string_equal(after, before);
    free(before);
    free(after);
    return problems;
}

static int64_t waits_on(struct fixture *f, int64_t id)
{
    return raw_number_of(f, "SELECT coalesce(waits_on, 0) FROM disbursement WHERE id = ?1", id);
}

static void rows_are_stored_as_they_were_given(void **state)
{
    struct fixture *f = *state;
    const struct row rows[] = {
        { .ref = "a", .amount_wei = 5, .content = 11 },
        { .ref = "b", .schedule = SCHEDULE_TIME, .schedule_value = 1800000000 },
        { .ref = "c", .schedule = SCHEDULE_EPOCH, .schedule_value = 12 },
    };
    assert_int_equal(import_rows(f, rows, COUNT_OF(rows)), 1); /* ids in order of the file */
    assert_int_equal(
        raw_number(f, "SELECT group_concat(ref, '') = 'abc' FROM (SELECT ref FROM disbursement ORDER BY id)"), 1);
    assert_int_equal(raw_number(f,
                                "SELECT count(*) FROM disbursement WHERE state = 3 AND version = 1 AND memo = 'memo' "
                                "AND substr(destination, 1, 2) = x'd0d1' AND asset IS NULL"),
                     3);
    assert_int_equal(raw_number(f, "SELECT count(*) FROM disbursement WHERE id = 1 AND substr(amount, 32) = x'05'"), 1);
    assert_int_equal(raw_number(f, "SELECT schedule_value FROM disbursement WHERE schedule = 1"), 1800000000);
    assert_int_equal(raw_number(f, "SELECT schedule_value FROM disbursement WHERE schedule = 2"), 12);
    assert_int_equal(raw_number(f, "SELECT count(*) FROM event WHERE detail = 'rows.csv, line 3' AND disbursement = 2 "
                                   "AND cause = 1 AND from_state = 0 AND to_state = 3 AND actor = 'tester'"),
                     1);
    assert_int_equal(check_event_chain(f), 3);
}

static void a_ref_that_is_known_is_told_apart(void **state)
{
    struct fixture *f = *state;
    int64_t id = 0;
    uint64_t line = 0;
    bool committed = false;
    int64_t a = import_rows(f, &(struct row){ .ref = "a", .content = 1 }, 1);
    OK(f, import_begin, f->treasury, "again.csv", "tester", NOW_MS);
    assert_int_equal(add_row(f, &(struct row){ .ref = "b" }, 2, &id, &line), IMPORT_ADDED);
    assert_int_equal(add_row(f, &(struct row){ .ref = "a", .content = 1 }, 3, &id, &line), IMPORT_EXISTING);
    assert_int_equal(id, a);
    id = 0;
    assert_int_equal(add_row(f, &(struct row){ .ref = "a", .content = 2 }, 4, &id, &line), IMPORT_OTHER_CONTENT);
    assert_int_equal(id, a);
    assert_int_equal(add_row(f, &(struct row){ .ref = "b" }, 5, &id, &line), IMPORT_TWICE);
    assert_int_equal(line, 2);
    OK(f, import_end, true, NULL, NULL, &committed);
    assert_true(committed);
    assert_int_equal(raw_number(f, "SELECT count(*) FROM disbursement"), 2);
}

static void refs_are_a_treasurys_own(void **state)
{
    struct fixture *f = *state;
    const struct bursar_address account = { { 0xbb } };
    int64_t first = f->treasury, a = import_one(f, "a");
    OK(f, treasury_add, "second", CHAIN_ID, &account, "block/120", &f->treasury);
    int64_t b = import_one(f, "a");
    assert_int_not_equal(a, b);
    int64_t found;
    OK(f, ref_find, first, "a", &found);
    assert_int_equal(found, a);
    OK(f, ref_find, f->treasury, "a", &found);
    assert_int_equal(found, b);
}

static void nothing_is_kept_unless_it_is_committed(void **state)
{
    struct fixture *f = *state;
    int64_t id = 0;
    uint64_t line = 0;
    bool committed = true;
    (void)import_one(f, "before");
    char *before = dump(f);
    OK(f, import_begin, f->treasury, "dry.csv", "tester", NOW_MS);
    for (uint64_t i = 0; i < 1000; i++) {
        char ref[32];
        (void)snprintf(ref, sizeof ref, "dry-%d", (int)i);
        assert_int_equal(add_row(f, &(struct row){ .ref = ref }, i + 2, &id, &line), IMPORT_ADDED);
    }
    OK(f, import_end, false, NULL, NULL, &committed);
    assert_false(committed);
    char *after = dump(f);
    assert_string_equal(after, before);
    free(before);
    free(after);
    assert_int_equal(import_one(f, "after"), 2); /* the ids of what was not kept are free again */
    assert_int_equal(check_event_chain(f), 2);
}

static void closing_the_store_gives_up_an_open_import(void **state)
{
    struct fixture *f = *state;
    int64_t id;
    uint64_t line;
    struct fixture again = open_again(f, SQLITE_MODE_WRITE);
    OK(&again, import_begin, f->treasury, "cut.csv", "tester", NOW_MS);
    assert_int_equal(add_row(&again, &(struct row){ .ref = "a", .depends_on = { "b" } }, 2, &id, &line), IMPORT_ADDED);
    close_again(&again);
    assert_int_equal(raw_number(f, "SELECT count(*) FROM disbursement"), 0);
    (void)import_one(f, "a");
}

/* The disk, as far as SQLite is concerned, is full in the middle of a file. SQLite then undoes everything by itself, so
 * that a row added afterwards would be committed on its own. */
static void a_failure_in_the_middle_of_a_file_keeps_nothing(void **state)
{
    struct fixture *f = *state;
    int64_t id = 0;
    uint64_t line = 0, i = 0;
    bool committed = true;
    char memo[8192];
    memset(memo, 'm', sizeof memo - 1);
    memo[sizeof memo - 1] = '\0';
    char *before = dump(f);
    assert_int_equal(
        sqlite3_exec(f->sqlite->db, "PRAGMA cache_size = 10; PRAGMA max_page_count = 200", NULL, NULL, NULL),
        SQLITE_OK);
    OK(f, import_begin, f->treasury, "big.csv", "tester", NOW_MS);
    enum bursar_status status = BURSAR_OK;
    for (; status == BURSAR_OK && i < 1000; i++) {
        char ref[32];
        (void)snprintf(ref, sizeof ref, "big-%d", (int)i);
        struct import_row row = { .line = i + 2,
                                  .obligation = { .ref = ref, .amount = bursar_amount_from_u64(1), .memo = memo } };
        enum import_outcome outcome;
        status = f->store.import_add(f->store.ctx, &row, &outcome, &id, &line, &f->err);
    }
    assert_in_range(i, 2, 999);
    assert_int_equal(status, BURSAR_ESTORAGE);
    assert_contains(f->err.message, "disk is full");
    struct import_row small = { .line = 9999,
                                .obligation = { .ref = "small", .amount = bursar_amount_from_u64(1), .memo = "" } };
    enum import_outcome outcome;
    EXPECT(f, BURSAR_EINTERNAL, import_add, &small, &outcome, &id, &line);
    OK(f, import_end, true, NULL, NULL, &committed);
    assert_false(committed);
    char *after = dump(f);
    assert_string_equal(after, before);
    free(before);
    free(after);
    assert_int_equal(import_one(f, "fits"), 1); /* the handle works on */
}

static void other_writers_wait_until_an_import_ends(void **state)
{
    struct fixture *f = *state;
    bool committed;
    OK(f, import_begin, f->treasury, "f", "tester", NOW_MS);
    EXPECT(f, BURSAR_EINTERNAL, import_begin, f->treasury, "g", "tester", NOW_MS); /* one at a time in a handle */
    EXPECT(f, BURSAR_EINTERNAL, lease_take, f->treasury, "tester", 1000, NOW_MS, &f->fence);
    raw_refused(f, "BEGIN IMMEDIATE", "locked");
    OK(f, import_end, true, NULL, NULL, &committed);
    EXPECT(f, BURSAR_EINTERNAL, import_end, true, NULL, NULL, &committed);
    raw_run(f, "BEGIN IMMEDIATE; ROLLBACK");
}

static void dependencies_may_stand_before_or_behind_in_the_file(void **state)
{
    struct fixture *f = *state;
    const struct row rows[] = {
        { .ref = "forward", .depends_on = { "late" } },
        { .ref = "early" },
        { .ref = "late" },
        { .ref = "backward", .depends_on = { "early", "late" } },
        { .ref = "chained", .depends_on = { "forward" } },
    };
    int64_t first = import_rows(f, rows, COUNT_OF(rows));
    assert_int_equal(waits_on(f, first), first + 2);
    assert_int_equal(waits_on(f, first + 1), 0);
    assert_true(waits_on(f, first + 3) == first + 1 || waits_on(f, first + 3) == first + 2);
    assert_int_equal(waits_on(f, first + 4), first);
    assert_int_equal(raw_number(f, "SELECT count(*) FROM dependency"), 4);
}

static void a_dependency_may_be_stored_already(void **state)
{
    struct fixture *f = *state;
    int64_t paid = import_one(f, "paid"), open = import_one(f, "open");
    (void)pay_row(f, paid, true);
    int64_t a = import_rows(f, &(struct row){ .ref = "a", .depends_on = { "paid" } }, 1);
    int64_t b = import_rows(f, &(struct row){ .ref = "b", .depends_on = { "open", "paid" } }, 1);
    assert_int_equal(waits_on(f, a), 0); /* nothing to wait for any more */
    assert_int_equal(waits_on(f, b), open);
    assert_int_equal(raw_number(f, "SELECT count(*) FROM dependency"), 3);
}

static void an_unknown_dependency_refuses_the_whole_file(void **state)
{
    struct fixture *f = *state;
    (void)import_one(f, "known");
    const struct row rows[] = { { .ref = "a" },
                                { .ref = "b", .depends_on = { "known", "nobody" } },
                                { .ref = "c", .depends_on = { "noone" } } };
    struct problems problems = import_refused(f, rows, COUNT_OF(rows));
    assert_int_equal(problems.count, 2); /* all of them are told, not only the first */
    assert_int_equal(problems.line, 4);
    assert_contains(problems.message, "'noone'");
}

static void a_dependency_of_another_treasury_is_unknown(void **state)
{
    struct fixture *f = *state;
    const struct bursar_address account = { { 0xbb } };
    (void)import_one(f, "theirs");
    OK(f, treasury_add, "second", CHAIN_ID, &account, "block/120", &f->treasury);
    struct problems problems = import_refused(f, &(struct row){ .ref = "ours", .depends_on = { "theirs" } }, 1);
    assert_int_equal(problems.count, 1);
}

static void a_cycle_refuses_the_whole_file(void **state)
{
    struct fixture *f = *state;
    const struct row rows[] = { { .ref = "free" },
                                { .ref = "a", .depends_on = { "c" } },
                                { .ref = "b", .depends_on = { "a" } },
                                { .ref = "c", .depends_on = { "b", "free" } } };
    struct problems problems = import_refused(f, rows, COUNT_OF(rows));
    assert_int_equal(problems.count, 1);
    assert_int_equal(problems.line, 3);
    assert_contains(problems.message, "cycle");
    problems = import_refused(f, &(struct row){ .ref = "self", .depends_on = { "self" } }, 1);
    assert_int_equal(problems.count, 1);
}

static void counts_follow_every_row(void **state)
{
    struct fixture *f = *state;
    uint64_t counts[STATE_COUNT];
    int64_t first = import_many(f, "r", 10, NULL);
    OK(f, counts, f->treasury, counts);
    assert_int_equal(counts[STATE_QUEUED], 10);
    (void)pay_row(f, first, true);
    (void)pay_row(f, first + 1, false);
    (void)bind_row(f, first + 2);
    include_attempt(f, sign_intent(f, bind_row(f, first + 3), 77), mark_at(102, 0));
    OK(f, counts, f->treasury, counts);
    const uint64_t expected[STATE_COUNT] = {
        [STATE_QUEUED] = 6, [STATE_STAGED] = 1, [STATE_EXECUTED] = 1, [STATE_FINALIZED] = 1, [STATE_FAILED] = 1
    };
    for (int i = 0; i < STATE_COUNT; i++)
        assert_int_equal(counts[i], expected[i]);
    OK(f, counts, f->treasury + 1, counts);
    assert_int_equal(counts[STATE_QUEUED], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rows_are_stored_as_they_were_given, set_up_store, tear_down),
        cmocka_unit_test_setup_teardown(a_ref_that_is_known_is_told_apart, set_up_store, tear_down),
        cmocka_unit_test_setup_teardown(refs_are_a_treasurys_own, set_up_store, tear_down),
        cmocka_unit_test_setup_teardown(nothing_is_kept_unless_it_is_committed, set_up_store, tear_down),
        cmocka_unit_test_setup_teardown(closing_the_store_gives_up_an_open_import, set_up_store, tear_down),
        cmocka_unit_test_setup_teardown(a_failure_in_the_middle_of_a_file_keeps_nothing, set_up_store, tear_down),
        cmocka_unit_test_setup_teardown(other_writers_wait_until_an_import_ends, set_up_store, tear_down),
        cmocka_unit_test_setup_teardown(dependencies_may_stand_before_or_behind_in_the_file, set_up_store, tear_down),
        cmocka_unit_test_setup_teardown(a_dependency_may_be_stored_already, set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(an_unknown_dependency_refuses_the_whole_file, set_up_store, tear_down),
        cmocka_unit_test_setup_teardown(a_dependency_of_another_treasury_is_unknown, set_up_store, tear_down),
        cmocka_unit_test_setup_teardown(a_cycle_refuses_the_whole_file, set_up_store, tear_down),
        cmocka_unit_test_setup_teardown(counts_follow_every_row, set_up_leased, tear_down),
    };
    return cmocka_run_group_tests_name("store import", tests, NULL, NULL);
}

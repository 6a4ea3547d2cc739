/* What is due, and the rows that wait: for a time, for another row, for funds, for a person. */
#include "store_fixture.h"

#define MANY 2500

static size_t due(struct fixture *f, bool has_final, uint64_t time_s, uint64_t epoch, size_t limit, struct due_row *ret)
{
    size_t count = 4711;
    OK(f, due_select, f->treasury, has_final, time_s, epoch, limit, ret, &count);
    return count;
}

static void rows_are_due_in_the_order_of_their_file(void **state)
{
    struct fixture *f = *state;
    struct due_row rows[10];
    int64_t first = import_many(f, "r", 8, NULL);
    assert_int_equal(due(f, false, 0, 0, 5, rows), 5);
    for (int i = 0; i < 5; i++)
        assert_int_equal(rows[i].id, first + i);
    assert_int_equal(rows[0].version, 1);
    assert_int_equal(rows[0].destination.bytes[0], 0xd0);
    assert_int_equal(bursar_amount_compare(rows[0].amount, bursar_amount_from_u64(1000)), 0);
    (void)bind_row(f, first); /* what is bound is not due any more */
    assert_int_equal(due(f, false, 0, 0, 10, rows), 7);
    assert_int_equal(rows[0].id, first + 1);
    assert_int_equal(due(f, false, 0, 0, 0, rows), 0);
}

static void a_schedule_is_reached_by_final_blocks_only(void **state)
{
    struct fixture *f = *state;
    const struct row rows[] = { { .ref = "now" },
                                { .ref = "later", .schedule = SCHEDULE_TIME, .schedule_value = 2000 },
                                { .ref = "soon", .schedule = SCHEDULE_TIME, .schedule_value = 1000 },
                                { .ref = "epoch", .schedule = SCHEDULE_EPOCH, .schedule_value = 50 } };
    struct due_row got[10];
    int64_t now = import_rows(f, rows, COUNT_OF(rows));
    assert_int_equal(due(f, false, UINT32_MAX, UINT32_MAX, 10, got), 1); /* no final block is known */
    assert_int_equal(got[0].id, now);
    assert_int_equal(due(f, true, 999, 49, 10, got), 1);
    assert_int_equal(due(f, true, 1000, 49, 10, got), 2); /* the very second */
    assert_int_equal(got[0].id, now + 2);                 /* promised for a time: goes first */
    assert_int_equal(due(f, true, 999, 50, 10, got), 2);
    assert_int_equal(got[0].id, now + 3);
    assert_int_equal(due(f, true, 2000, 50, 10, got), 4);
    assert_int_equal(got[0].id, now + 2);
    assert_int_equal(got[1].id, now + 1);
    assert_int_equal(due(f, true, 2000, 50, 3, got), 3);
    assert_int_equal(due(f, true, 2000, 50, 1, got), 1);
}

static void another_treasurys_rows_are_not_due_here(void **state)
{
    struct fixture *f = *state;
    const struct bursar_address account = { { 0xbb } };
    struct due_row rows[10];
    int64_t first = f->treasury;
    OK(f, treasury_add, "second", CHAIN_ID, &account, "block/120", &f->treasury);
    int64_t theirs = import_one(f, "theirs");
    f->treasury = first;
    assert_int_equal(due(f, true, 9, 9, 10, rows), 0);
    struct block_decision decision = { .disbursement = theirs, .version = 1, .code = BLOCK_FUNDS };
    OK(f, block, f->fence, &decision, 1);
    struct binding binding = binding_of(f, theirs, FIRST_NONCE);
    EXPECT(f, BURSAR_ESTALE, bind, f->fence, NOW_MS, &binding, 1); /* nor paid from this account */
    assert_int_equal(raw_number(f, "SELECT blocked + (SELECT count(*) FROM intent) FROM disbursement"), 0);
}

static void a_blocked_row_is_passed_over_unless_it_has_moved(void **state)
{
    struct fixture *f = *state;
    struct due_row rows[10];
    int64_t first = import_many(f, "r", 3, NULL);
    const struct block_decision decisions[] = { { .disbursement = first, .version = 1, .code = BLOCK_DESTINATION_CODE },
                                                { .disbursement = first + 1, .version = 2, .code = BLOCK_FUNDS } };
    OK(f, block, f->fence, decisions, 2); /* the second is about a version that is not there */
    assert_int_equal(due(f, false, 0, 0, 10, rows), 2);
    assert_int_equal(rows[0].id, first + 1);
    OK(f, block, f->fence, NULL, 0);
    (void)bind_row(f, first + 1);
    const struct block_decision late = { .disbursement = first + 1, .version = 1, .code = BLOCK_FUNDS };
    OK(f, block, f->fence, &late, 1);
    assert_int_equal(raw_number_of(f, "SELECT blocked FROM disbursement WHERE id = ?1", first + 1), 0);
}

static void block_for_funds(struct fixture *f, int64_t id)
{
    const struct block_decision decision = { .disbursement = id, .version = 1, .code = BLOCK_FUNDS };
    OK(f, block, f->fence, &decision, 1);
}

static void funds_unblock_the_cheapest_and_only_what_they_cover(void **state)
{
    struct fixture *f = *state;
    const struct row rows[] = { { .ref = "dear", .amount_wei = 900 },
                                { .ref = "cheap", .amount_wei = 100 },
                                { .ref = "fair", .amount_wei = 500 },
                                { .ref = "contract", .amount_wei = 1 } };
    struct due_row got[10];
    size_t count = 0;
    int64_t dear = import_rows(f, rows, COUNT_OF(rows));
    for (int i = 0; i < 3; i++)
        block_for_funds(f, dear + i);
    const struct block_decision contract = { .disbursement = dear + 3, .version = 1, .code = BLOCK_DESTINATION_CODE };
    OK(f, block, f->fence, &contract, 1);
    struct bursar_amount affordable = bursar_amount_from_u64(99);
    OK(f, funded_wake, f->fence, &affordable, 10, &count);
    assert_int_equal(count, 0);
    affordable = bursar_amount_from_u64(899);
    OK(f, funded_wake, f->fence, &affordable, 1, &count);
    assert_int_equal(count, 1);
    assert_int_equal(due(f, false, 0, 0, 10, got), 1);
    assert_int_equal(got[0].id, dear + 1); /* cheapest first */
    OK(f, funded_wake, f->fence, &affordable, 10, &count);
    assert_int_equal(count, 1);
    assert_int_equal(due(f, false, 0, 0, 10, got), 2);
    affordable = (struct bursar_amount){ { 0, 0, 0, 1 } }; /* beyond 64 bits */
    OK(f, funded_wake, f->fence, &affordable, 10, &count);
    assert_int_equal(count, 1);
    assert_int_equal(due(f, false, 0, 0, 10, got), 3); /* the contract still waits for a person */
}

static void what_was_refused_is_woken_at_its_height_the_longest_waiting_first(void **state)
{
    struct fixture *f = *state;
    struct due_row got[10];
    size_t count = 0;
    int64_t first = import_many(f, "r", 4, NULL);
    const struct block_decision decisions[] = {
        { .disbursement = first, .version = 1, .code = BLOCK_REVERTS, .recheck_number = 20, .note = "not today" },
        { .disbursement = first + 1, .version = 1, .code = BLOCK_GAS, .recheck_number = 10 },
        { .disbursement = first + 2, .version = 1, .code = BLOCK_UNESTIMATED, .recheck_number = 30 },
        { .disbursement = first + 3, .version = 1, .code = BLOCK_FUNDS, .recheck_number = 15, .gas_limit = 50000 },
    };
    struct bursar_amount riches = { { 0, 0, 0, 1 } };
    struct work_left left;
    OK(f, block, f->fence, decisions, 4);
    OK(f, work_left, f->treasury, &left);
    assert_true(left.ready); /* the one of which nothing is known */
    OK(f, funded_wake, f->fence, &riches, 10, &count);
    assert_int_equal(count, 0); /* by blocks only */
    OK(f, recheck_wake, f->fence, 9, false, 10, &count);
    assert_int_equal(count, 0);
    OK(f, recheck_wake, f->fence, 100, false, 2, &count);
    assert_int_equal(count, 2);
    assert_int_equal(due(f, false, 0, 0, 10, got), 2);
    assert_int_equal(got[0].id, first + 1);
    assert_int_equal(got[0].looks, 1);
    assert_int_equal(got[1].id, first + 3);
    OK(f, recheck_wake, f->fence, 20, true, 10, &count);
    assert_int_equal(count, 2);
    assert_int_equal(due(f, false, 0, 0, 10, got), 4);
    OK(f, block, f->fence, decisions, 1);
    OK(f, recheck_wake, f->fence, 20, true, 10, &count);
    assert_int_equal(due(f, false, 0, 0, 10, got), 4);
    assert_int_equal(got[0].looks, 2);
}

static void a_dependent_is_due_once_all_it_waits_for_is_final(void **state)
{
    struct fixture *f = *state;
    const struct row rows[] = { { .ref = "a" }, { .ref = "b" }, { .ref = "both", .depends_on = { "a", "b" } } };
    struct due_row got[10];
    size_t count = 4711;
    int64_t a = import_rows(f, rows, COUNT_OF(rows));
    OK(f, dependents_wake, f->fence, 10, &count);
    assert_int_equal(count, 0);
    assert_int_equal(due(f, false, 0, 0, 10, got), 2);
    int64_t attempt = sign_intent(f, bind_row(f, a), 50);
    include_attempt(f, attempt, mark_at(101, 0));
    OK(f, dependents_wake, f->fence, 10, &count);
    assert_int_equal(count, 0); /* executed is not final */
    finish_attempt(f, attempt, true);
    OK(f, dependents_wake, f->fence, 10, &count);
    assert_int_equal(due(f, false, 0, 0, 10, got), 1); /* b itself */
    (void)pay_row(f, a + 1, true);
    assert_int_equal(due(f, false, 0, 0, 10, got), 0);
    OK(f, dependents_wake, f->fence, 10, &count);
    assert_int_equal(count, 1);
    assert_int_equal(due(f, false, 0, 0, 10, got), 1);
    assert_int_equal(got[0].id, a + 2);
    OK(f, dependents_wake, f->fence, 10, &count);
    OK(f, dependents_wake, f->fence, 10, &count);
    assert_int_equal(count, 0);
}

static void many_dependents_are_woken_in_bounded_steps(void **state)
{
    struct fixture *f = *state;
    struct work_left left;
    int64_t root = import_one(f, "root");
    (void)import_many(f, "d", MANY, "root");
    (void)pay_row(f, root, true);
    size_t count = 0;
    int64_t woken_before = 0;
    int steps = 0;
    do {
        OK(f, dependents_wake, f->fence, 700, &count);
        int64_t woken = raw_number(f, "SELECT count(*) FROM disbursement WHERE state = 3 AND waits_on IS NULL");
        assert_in_range(woken - woken_before, 0, 700);
        assert_in_range(count, 0, 700);
        OK(f, work_left, f->treasury, &left);
        assert_int_equal(left.to_wake, woken < MANY || count == 700);
        woken_before = woken;
        steps++;
    } while (count > 0);
    assert_int_equal(woken_before, MANY);
    assert_in_range(steps, 5, 6);
    OK(f, dependents_wake, f->fence, SIZE_MAX, &count); /* a limit is capped, not trusted */
    assert_int_equal(count, 0);
}

static void a_dependent_of_what_failed_waits_and_goes_on_after_a_retry(void **state)
{
    struct fixture *f = *state;
    struct due_row got[10];
    size_t count = 0;
    const struct row rows[] = { { .ref = "a" }, { .ref = "dependent", .depends_on = { "a" } } };
    int64_t a = import_rows(f, rows, COUNT_OF(rows));
    (void)pay_row(f, a, false);
    OK(f, dependents_wake, f->fence, 10, &count);
    assert_int_equal(count, 0);
    assert_int_equal(due(f, false, 0, 0, 10, got), 0);
    const struct decision decision = { .actor = "alice", .reason = "it can receive now", .at_ms = NOW_MS };
    OK(f, retry, f->treasury, a, &decision);
    int64_t attempt = sign_intent(f, bind_row(f, a), 60);
    include_attempt(f, attempt, mark_at(102, 0));
    finish_attempt(f, attempt, true);
    OK(f, dependents_wake, f->fence, 10, &count);
    assert_int_equal(due(f, false, 0, 0, 10, got), 1);
    assert_int_equal(got[0].id, a + 1);
}

static void work_that_is_left_is_known(void **state)
{
    struct fixture *f = *state;
    struct work_left left;
    OK(f, work_left, f->treasury, &left);
    assert_false(left.unfinished || left.ready || left.to_wake);
    int64_t id = import_rows(f, &(struct row){ .ref = "a", .schedule = SCHEDULE_TIME, .schedule_value = 9999999 }, 1);
    OK(f, work_left, f->treasury, &left);
    assert_true(left.ready); /* time alone brings it on */
    block_for_funds(f, id);
    OK(f, work_left, f->treasury, &left);
    assert_false(left.ready); /* time alone does not */
    int64_t b = import_one(f, "b");
    int64_t attempt = sign_intent(f, bind_row(f, b), 3);
    OK(f, work_left, f->treasury, &left);
    assert_true(left.unfinished);
    assert_false(left.ready);
    include_attempt(f, attempt, mark_at(101, 0));
    OK(f, work_left, f->treasury, &left);
    assert_true(left.unfinished);
    finish_attempt(f, attempt, true);
    OK(f, work_left, f->treasury, &left);
    assert_false(left.unfinished);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rows_are_due_in_the_order_of_their_file, set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(a_schedule_is_reached_by_final_blocks_only, set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(another_treasurys_rows_are_not_due_here, set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(a_blocked_row_is_passed_over_unless_it_has_moved, set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(funds_unblock_the_cheapest_and_only_what_they_cover, set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(what_was_refused_is_woken_at_its_height_the_longest_waiting_first,
                                        set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(a_dependent_is_due_once_all_it_waits_for_is_final, set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(many_dependents_are_woken_in_bounded_steps, set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(a_dependent_of_what_failed_waits_and_goes_on_after_a_retry, set_up_leased,
                                        tear_down),
        cmocka_unit_test_setup_teardown(work_that_is_left_is_known, set_up_leased, tear_down),
    };
    return cmocka_run_group_tests_name("store due", tests, NULL, NULL);
}

/* What telemetry reads of a store: what is due now and since when, which nonces left, and the log as numbers. */
#include "store_fixture.h"

#define LIMIT 100

static struct due_summary due_of(struct fixture *f, bool has_final, uint64_t final_time_s, uint64_t epoch)
{
    struct due_summary due = { 0 };
    OK(f, due_summarise, f->treasury, has_final, final_time_s, epoch, LIMIT, &due);
    return due;
}

static void assert_wei(const struct due_summary *due, uint64_t wanted_wei)
{
    uint64_t wei = 0;
    assert_true(bursar_amount_to_u64(due->amount, &wei));
    assert_int_equal(wei, wanted_wei);
}

static void what_is_due_is_summed_whatever_it_waited_for(void **state)
{
    struct fixture *f = *state;
    const struct row rows[] = { { .ref = "now", .amount_wei = 1 },
                                { .ref = "time", .amount_wei = 10, .schedule = SCHEDULE_TIME, .schedule_value = 5000 },
                                { .ref = "epoch", .amount_wei = 100, .schedule = SCHEDULE_EPOCH, .schedule_value = 7 },
                                { .ref = "waits", .amount_wei = 1000, .depends_on = { "now" } } };
    int64_t first = import_rows(f, rows, 4);
    struct due_summary due = due_of(f, false, 0, 0);
    assert_int_equal(due.count, 1);
    assert_wei(&due, 1);
    assert_int_equal(due.oldest_ms, NOW_MS);
    due = due_of(f, true, 5000, 6);
    assert_int_equal(due.count, 2);
    due = due_of(f, true, 5000, 7);
    assert_int_equal(due.count, 3);
    assert_wei(&due, 111);
    (void)bind_row(f, first);
    due = due_of(f, true, 5000, 7);
    assert_int_equal(due.count, 2);
    assert_int_equal(due.staged_count, 1);
    assert_wei(&due, 110 + 1000); /* what is bound (by the fixture, with 1000) is still to be paid */
}

static void a_row_is_due_since_its_time_when_that_is_later(void **state)
{
    struct fixture *f = *state;
    uint64_t later_s = NOW_MS / 1000 + 60;
    const struct row row = { .ref = "later", .schedule = SCHEDULE_TIME, .schedule_value = later_s };
    (void)import_rows(f, &row, 1);
    struct due_summary due = due_of(f, true, later_s + 5, 0);
    assert_int_equal(due.oldest_ms, later_s * 1000);
}

static void what_funds_do_not_cover_is_due_all_the_same_and_what_is_paid_is_not(void **state)
{
    struct fixture *f = *state;
    int64_t first = import_many(f, "r", 3, NULL);
    struct block_decision decision = { .disbursement = first, .version = 1, .code = BLOCK_FUNDS };
    OK(f, block, f->fence, &decision, 1);
    (void)pay_row(f, first + 1, true);
    struct due_summary due = due_of(f, true, 1, 1);
    assert_int_equal(due.count, 2);
    assert_int_equal(due.staged_count, 0);
}

static void a_nonce_left_when_a_node_had_it_for_all_that_is_known(void **state)
{
    struct fixture *f = *state;
    bool any = true;
    uint64_t nonce = 0;
    int64_t first = import_many(f, "r", 3, NULL);
    OK(f, nonce_submitted, f->treasury, &any, &nonce);
    assert_false(any);
    int64_t attempts[3];
    for (int i = 0; i < 3; i++)
        attempts[i] = sign_intent(f, bind_row(f, first + i), (uint64_t)i + 1);
    const struct submission submissions[] = { { attempts[0], 1, "" }, { attempts[1], 8, "" }, { attempts[2], 9, "" } };
    OK(f, submissions_record, f->fence, NOW_MS, submissions, 3);
    OK(f, nonce_submitted, f->treasury, &any, &nonce);
    assert_true(any);
    assert_int_equal(nonce, FIRST_NONCE + 1); /* 8: unknown, may have arrived; 9: certainly not */
}

struct seen {
    struct move_record moves[32];
    size_t count;
};

static enum bursar_status see(void *ctx, const struct move_record *move)
{
    struct seen *seen = ctx;
    assert_true(seen->count < 32);
    seen->moves[seen->count++] = *move;
    return BURSAR_OK;
}

static void the_log_is_read_from_where_it_was_left(void **state)
{
    struct fixture *f = *state;
    struct seen seen = { 0 };
    int64_t first = import_one(f, "r");
    OK(f, moves, 0, LIMIT, see, &seen);
    size_t before = seen.count;
    (void)pay_row(f, first, true);
    OK(f, moves, seen.moves[before - 1].seq, LIMIT, see, &seen);
    assert_int_equal(seen.count - before, 3); /* bound, included, final */
    const struct move_record *last = &seen.moves[seen.count - 1];
    assert_int_equal(last->to_state, STATE_FINALIZED);
    assert_int_equal(last->treasury, f->treasury);
    assert_int_equal(last->queued_ms, NOW_MS);
    assert_true(last->has_fee && last->gas_used > 0);
    assert_false(seen.moves[seen.count - 2].has_fee);
    OK(f, moves, last->seq, LIMIT, see, &seen);
    assert_int_equal(seen.count - before, 3);
}

static void a_cancel_that_holds_up_others_is_told_apart(void **state)
{
    struct fixture *f = *state;
    struct seen seen = { 0 };
    const struct row rows[] = { { .ref = "first" }, { .ref = "waits", .depends_on = { "first" } }, { .ref = "alone" } };
    int64_t first = import_rows(f, rows, 3);
    const struct decision decision = { "test", "not any more", NOW_MS };
    OK(f, cancel, f->treasury, first, &decision);
    OK(f, cancel, f->treasury, first + 2, &decision);
    OK(f, moves, 0, LIMIT, see, &seen);
    assert_true(seen.moves[seen.count - 2].holds_up);
    assert_false(seen.moves[seen.count - 1].holds_up);
}

static void count_commit(void *ctx, uint64_t took_us)
{
    (void)took_us;
    ++*(int *)ctx;
}

static void every_commit_is_told_of(void **state)
{
    struct fixture *f = *state;
    int count = 0;
    sqlite_store_set_meter(f->sqlite, (struct commit_meter){ .ctx = &count, .took = count_commit });
    (void)bind_row(f, import_one(f, "r"));
    assert_int_equal(count, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_due_is_summed_whatever_it_waited_for, set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(a_row_is_due_since_its_time_when_that_is_later, set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(what_funds_do_not_cover_is_due_all_the_same_and_what_is_paid_is_not,
                                        set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(a_nonce_left_when_a_node_had_it_for_all_that_is_known, set_up_leased,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_log_is_read_from_where_it_was_left, set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(a_cancel_that_holds_up_others_is_told_apart, set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(every_commit_is_told_of, set_up_leased, tear_down),
    };
    return cmocka_run_group_tests_name("metered", tests, NULL, NULL);
}

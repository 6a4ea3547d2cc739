/* What telemetry reads of a store: what is due now and since when, which nonces left, and the log as numbers. */
#include "store_fixture.h"

#define LIMIT 100

/* As an executor that has seen this final block leaves it. */
static void see_final(struct fixture *f, uint64_t time_s, uint64_t epoch)
{
    const struct snapshot snapshot = { .has_final = true, .final_time_s = time_s, .final_epoch = epoch };
    OK(f, snapshot_save, f->fence, &snapshot, HALT_NONE, NULL);
}

static struct owed_view owed_of(struct fixture *f)
{
    struct owed_view owed;
    OK(f, owed, f->treasury, &owed);
    return owed;
}

static void assert_wei(struct bursar_amount amount, uint64_t wanted_wei)
{
    uint64_t wei = 0;
    assert_true(bursar_amount_to_u64(amount, &wei));
    assert_int_equal(wei, wanted_wei);
}

static void what_is_owed_is_told_apart_from_what_is_due(void **state)
{
    struct fixture *f = *state;
    const struct row rows[] = { { .ref = "now", .amount_wei = 1 },
                                { .ref = "time", .amount_wei = 10, .schedule = SCHEDULE_TIME, .schedule_value = 5000 },
                                { .ref = "epoch", .amount_wei = 100, .schedule = SCHEDULE_EPOCH, .schedule_value = 7 },
                                { .ref = "waits", .amount_wei = 1000, .depends_on = { "now" } } };
    int64_t first = import_rows(f, rows, 4);
    struct owed_view owed = owed_of(f);
    assert_int_equal(owed.matured_count, 1);
    assert_wei(owed.assets[0].owed, 1111);
    assert_wei(owed.assets[0].due, 1);
    assert_true(owed.is_all);
    assert_int_equal(owed.oldest_ms, NOW_MS);
    see_final(f, 5000, 6);
    assert_wei(owed_of(f).assets[0].due, 11);
    see_final(f, 5000, 7);
    owed = owed_of(f);
    assert_int_equal(owed.matured_count, 3);
    assert_wei(owed.assets[0].due, 111);
    (void)bind_row(f, first);
    owed = owed_of(f);
    assert_int_equal(owed.matured_count, 2);
    assert_wei(owed.assets[0].due, 111); /* what is bound is still to be paid */
    assert_wei(owed.assets[0].owed, 1111);
    assert_int_equal(owed.assets[0].owed_count, 4);
    assert_sums(f);
}

static void what_is_paid_cancelled_or_failed_is_not_owed_and_a_retry_is_again(void **state)
{
    struct fixture *f = *state;
    const struct decision decision = { "test", "why", NOW_MS };
    int64_t first = import_many(f, "r", 4, NULL);
    struct owed_view before = owed_of(f);
    (void)pay_row(f, first, true);
    (void)pay_row(f, first + 1, false);
    OK(f, cancel, f->treasury, first + 2, &decision);
    struct owed_view owed = owed_of(f);
    assert_int_equal(owed.assets[0].owed_count, 1);
    OK(f, retry, f->treasury, first + 1, &decision);
    owed = owed_of(f);
    assert_int_equal(owed.assets[0].owed_count, 2);
    assert_int_equal(before.assets[0].owed_count, 4);
    assert_sums(f);
    OK(f, cancel, f->treasury, first + 1, &decision);
    (void)pay_row(f, first + 3, true);
    owed = owed_of(f);
    assert_wei(owed.assets[0].owed, 0);
    assert_int_equal(owed.oldest_ms, 0);
    assert_sums(f);
}

static void a_dependent_that_is_woken_or_cancelled_moves_with_its_sum(void **state)
{
    struct fixture *f = *state;
    const struct decision decision = { "test", "why", NOW_MS };
    const struct row rows[] = { { .ref = "first" },
                                { .ref = "second", .depends_on = { "first" } },
                                { .ref = "third", .depends_on = { "first" } } };
    size_t woken;
    int64_t first = import_rows(f, rows, 3);
    assert_int_equal(owed_of(f).assets[0].due_count, 1);
    (void)pay_row(f, first, true);
    assert_int_equal(owed_of(f).assets[0].due_count, 0);
    OK(f, cancel, f->treasury, first + 2, &decision);
    assert_int_equal(owed_of(f).assets[0].owed_count, 1);
    OK(f, dependents_wake, f->fence, 10, &woken);
    assert_int_equal(owed_of(f).assets[0].due_count, 1);
    assert_sums(f);
}

static void a_reorg_brings_back_what_is_owed(void **state)
{
    struct fixture *f = *state;
    int64_t attempt = sign_intent(f, bind_row(f, import_one(f, "r")), 1);
    include_attempt(f, attempt, mark_at(ANCHOR_NUMBER + 5, 0));
    assert_int_equal(owed_of(f).assets[0].owed_count, 0);
    const struct settlement fork = { .has_fork = true, .fork_number = ANCHOR_NUMBER + 1 };
    OK(f, settle, f->fence, NOW_MS, &fork);
    assert_int_equal(owed_of(f).assets[0].owed_count, 1);
    assert_sums(f);
    assert_counts(f);
}

static void what_is_scheduled_or_a_token_moves_within_its_own_sums(void **state)
{
    struct fixture *f = *state;
    static const struct bursar_address a = { { 0xaa } };
    const struct decision decision = { "test", "why", NOW_MS };
    const struct row rows[] = {
        { .ref = "1", .schedule = SCHEDULE_TIME, .schedule_value = 5000 },
        { .ref = "2", .schedule = SCHEDULE_TIME, .schedule_value = 5000 },
        { .ref = "3", .schedule = SCHEDULE_TIME, .schedule_value = 5000, .token = &a },
        { .ref = "4", .schedule = SCHEDULE_TIME, .schedule_value = 5000, .token = &a },
        { .ref = "5", .token = &a },
        { .ref = "6", .schedule = SCHEDULE_EPOCH, .schedule_value = 7, .depends_on = { "5" } },
    };
    size_t woken;
    int64_t first = import_rows(f, rows, COUNT_OF(rows));
    assert_sums(f);
    for (int64_t id = first; id < first + 5; id += 2) { /* one of each, and back where others still are */
        (void)pay_row(f, id, false);
        assert_sums(f);
        OK(f, retry, f->treasury, id, &decision);
        assert_sums(f);
    }
    for (int64_t id = first; id < first + 5; id++) {
        int64_t attempt = sign_intent(f, bind_row(f, id), 9000 + (uint64_t)id);
        assert_sums(f);
        include_attempt(f, attempt, mark_at(ANCHOR_NUMBER + 2, 0));
        finish_attempt(f, attempt, true);
        assert_sums(f);
    }
    OK(f, dependents_wake, f->fence, 10, &woken);
    assert_sums(f);
    OK(f, cancel, f->treasury, first + 5, &decision);
    assert_sums(f);
    assert_counts(f);
    assert_int_equal(raw_number(f, "SELECT count(*) FROM owed WHERE schedule > 0"),
                     0); /* what is past leaves no rows */
}

static void each_asset_is_added_up_by_itself_the_coin_first(void **state)
{
    struct fixture *f = *state;
    static const struct bursar_address a = { { 0xaa } }, b = { { 0xbb } };
    const struct row rows[] = {
        { .ref = "b", .amount_wei = 7, .token = &b },
        { .ref = "a", .amount_wei = 5, .token = &a },
        { .ref = "c", .amount_wei = 3 },
        { .ref = "b2", .amount_wei = 70, .token = &b, .schedule = SCHEDULE_EPOCH, .schedule_value = 9 }
    };
    (void)import_rows(f, rows, 4);
    struct owed_view owed = owed_of(f);
    assert_int_equal(owed.count, 3);
    assert_wei(owed.assets[0].owed, 3);
    assert_int_equal(owed.assets[1].asset.token.bytes[0], 0xaa);
    assert_wei(owed.assets[1].owed, 5);
    assert_wei(owed.assets[2].owed, 77);
    assert_wei(owed.assets[2].due, 7);
    assert_int_equal(owed.matured_count, 3);
    assert_sums(f);
}

static void more_times_than_are_looked_at_are_said_to_be_more(void **state)
{
    struct fixture *f = *state;
    char sql[512];
    see_final(f, 1000000, 0);
    (void)snprintf(sql, sizeof sql,
                   "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) "
                   "INSERT INTO disbursement (treasury, state, schedule, schedule_value, ref, content_hash, "
                   "destination, amount, memo) SELECT 1, 3, 1, i, i, zeroblob(32), zeroblob(20), "
                   "CAST(zeroblob(31) || x'01' AS BLOB), '' FROM n",
                   OWED_SUMS_MAX_COUNT);
    raw_run(f, sql);
    struct owed_view owed = owed_of(f);
    assert_true(owed.is_all);
    assert_wei(owed.assets[0].due, OWED_SUMS_MAX_COUNT);
    (void)import_rows(f, &(struct row){ .ref = "x", .schedule = SCHEDULE_TIME, .schedule_value = 999999 }, 1);
    owed = owed_of(f);
    assert_false(owed.is_all);
    assert_wei(owed.assets[0].due, OWED_SUMS_MAX_COUNT);
}

static void a_sum_of_more_than_an_amount_can_be_stops_nobody(void **state)
{
    struct fixture *f = *state;
    raw_run(
        f,
        "WITH n(i) AS (VALUES (1), (2)) INSERT INTO disbursement (treasury, state, schedule, schedule_value, "
        "ref, content_hash, destination, asset, amount, memo) SELECT 1, 3, 0, 0, i, zeroblob(32), "
        "zeroblob(20), zeroblob(20), x'ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff', '' FROM n");
    struct owed_view owed = owed_of(f);
    assert_false(owed.is_all);
    assert_int_equal(owed.assets[1].owed.limb[3], UINT64_MAX);
    raw_run(f, "UPDATE disbursement SET state = 7 WHERE ref = '1'");
    assert_true(owed_of(f).is_all);
    assert_int_equal(owed_of(f).assets[1].owed.limb[0], UINT64_MAX);
}

static void a_row_is_due_since_its_time_when_that_is_later(void **state)
{
    struct fixture *f = *state;
    uint64_t later_s = NOW_MS / 1000 + 60;
    const struct row rows[] = { { .ref = "later", .schedule = SCHEDULE_TIME, .schedule_value = later_s },
                                { .ref = "latest", .schedule = SCHEDULE_TIME, .schedule_value = later_s + 1 } };
    int64_t first = import_rows(f, rows, 2);
    see_final(f, later_s + 5, 0);
    assert_int_equal(owed_of(f).oldest_ms, later_s * 1000);
    struct block_decision decision = { .disbursement = first, .version = 1, .code = BLOCK_FUNDS };
    OK(f, block, f->fence, &decision, 1);
    assert_int_equal(owed_of(f).oldest_ms, later_s * 1000); /* passed over, and the oldest all the same */
    (void)import_one(f, "now");
    assert_int_equal(owed_of(f).oldest_ms, NOW_MS);
}

static void what_funds_do_not_cover_is_due_all_the_same_and_what_is_paid_is_not(void **state)
{
    struct fixture *f = *state;
    int64_t first = import_many(f, "r", 3, NULL);
    struct block_decision decision = { .disbursement = first, .version = 1, .code = BLOCK_FUNDS };
    OK(f, block, f->fence, &decision, 1);
    (void)pay_row(f, first + 1, true);
    assert_int_equal(owed_of(f).matured_count, 2);
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
        cmocka_unit_test_setup_teardown(what_is_owed_is_told_apart_from_what_is_due, set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(what_is_paid_cancelled_or_failed_is_not_owed_and_a_retry_is_again,
                                        set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(a_dependent_that_is_woken_or_cancelled_moves_with_its_sum, set_up_leased,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_reorg_brings_back_what_is_owed, set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(what_is_scheduled_or_a_token_moves_within_its_own_sums, set_up_leased,
                                        tear_down),
        cmocka_unit_test_setup_teardown(each_asset_is_added_up_by_itself_the_coin_first, set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(more_times_than_are_looked_at_are_said_to_be_more, set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(a_sum_of_more_than_an_amount_can_be_stops_nobody, set_up_leased, tear_down),
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

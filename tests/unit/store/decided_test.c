/* What people decide: cancelling what is queued, retrying what failed, and everything that must be refused. */
#include "store_fixture.h"

static const struct decision BY_ALICE = { .actor = "alice", .reason = "a good reason", .at_ms = NOW_MS + 5 };

static uint64_t version_of(struct fixture *f, int64_t id)
{
    return (uint64_t)raw_number_of(f, "SELECT version FROM disbursement WHERE id = ?1", id);
}

static size_t due_count(struct fixture *f)
{
    struct due_row due[8];
    size_t count = 4711;
    OK(f, due_select, f->treasury, true, UINT32_MAX, UINT32_MAX, 8, due, &count);
    return count;
}

/* What a call must leave exactly as it was. */
static void refused_unchanged(struct fixture *f, bool is_retry, int64_t id, const char *because)
{
    char *before = dump(f);
    f->err = (struct bursar_error){ 0 };
    if (is_retry)
        EXPECT(f, BURSAR_EREFUSED, retry, f->treasury, id, &BY_ALICE);
    else
        EXPECT(f, BURSAR_EREFUSED, cancel, f->treasury, id, &BY_ALICE);
    assert_contains(f->err.message, because);
    char *after = dump(f);
    assert_string_equal(after, before);
    free(before);
    free(after);
}

static void a_queued_one_is_cancelled_at_once_with_who_and_why(void **state)
{
    struct fixture *f = *state;
    int64_t id = import_one(f, "a");
    assert_int_equal(due_count(f), 1);
    OK(f, cancel, f->treasury, id, &BY_ALICE);
    assert_int_equal(state_of(f, id), STATE_CANCELLED);
    assert_int_equal(due_count(f), 0);
    assert_int_equal(raw_number(f,
                                "SELECT count(*) FROM event WHERE disbursement = 1 AND cause = 11 AND from_state = 3 "
                                "AND to_state = 7 AND actor = 'alice' AND detail = 'a good reason'"),
                     1);
    assert_int_equal(raw_number(f, "SELECT at_ms FROM event ORDER BY seq DESC LIMIT 1"), NOW_MS + 5);
    assert_int_equal(check_event_chain(f), 2);
    refused_unchanged(f, false, id, "already");
}

static void drafts_and_votes_are_cancelled_too(void **state)
{
    struct fixture *f = *state;
    int64_t id = import_many(f, "r", 2, NULL);
    raw_run(f,
            "UPDATE disbursement SET state = 1 WHERE ref = 'r0'; UPDATE disbursement SET state = 2 WHERE ref = 'r1'");
    OK(f, cancel, f->treasury, id, &BY_ALICE);
    OK(f, cancel, f->treasury, id + 1, &BY_ALICE);
    assert_int_equal(raw_number(f, "SELECT count(*) FROM disbursement WHERE state = 7"), 2);
}

static void what_a_cancel_was_faster_than_is_not_bound(void **state)
{
    struct fixture *f = *state;
    int64_t id = import_one(f, "a");
    struct binding binding = binding_of(f, id, FIRST_NONCE); /* as an executor has selected it */
    OK(f, cancel, f->treasury, id, &BY_ALICE);
    EXPECT(f, BURSAR_ESTALE, bind, f->fence, NOW_MS, &binding, 1);
    assert_int_equal(state_of(f, id), STATE_CANCELLED);
    assert_int_equal(raw_number(f, "SELECT count(*) FROM intent"), 0);
}

static void what_is_bound_is_not_cancelled_and_its_payment_goes_on(void **state)
{
    struct fixture *f = *state;
    int64_t id = import_one(f, "a"), intent = bind_row(f, id);
    refused_unchanged(f, false, id, "goes on being paid"); /* also before there are bytes: its nonce is taken */
    int64_t attempt = sign_intent(f, intent, 42);
    refused_unchanged(f, false, id, "goes on being paid");
    include_attempt(f, attempt, mark_at(105, 0));
    refused_unchanged(f, false, id, "goes on being paid");
    finish_attempt(f, attempt, true);
    refused_unchanged(f, false, id, "it is paid");
    assert_int_equal(raw_number(f, "SELECT count(*) FROM request"), 0);
}

static void a_failed_one_is_not_cancelled(void **state)
{
    struct fixture *f = *state;
    int64_t id = import_one(f, "a");
    (void)pay_row(f, id, false);
    refused_unchanged(f, false, id, "nothing was paid");
}

static void a_cancelled_ref_stays_used(void **state)
{
    struct fixture *f = *state;
    const struct row row = { .ref = "a", .content = 1 }, other = { .ref = "a", .content = 2 };
    int64_t id = import_rows(f, &row, 1), again = 0;
    uint64_t line = 0;
    bool committed = false;
    OK(f, cancel, f->treasury, id, &BY_ALICE);
    OK(f, import_begin, f->treasury, "rows.csv", "tester", NOW_MS);
    assert_int_equal(add_row(f, &row, 2, &again, &line), IMPORT_EXISTING);
    assert_int_equal(again, id);
    assert_int_equal(add_row(f, &other, 3, &again, &line), IMPORT_OTHER_CONTENT);
    OK(f, import_end, true, NULL, NULL, &committed);
    assert_int_equal(state_of(f, id), STATE_CANCELLED);
    assert_int_equal(due_count(f), 0);
}

static enum bursar_status note_blocked(void *ctx, const struct disbursement_record *record)
{
    struct disbursement_record *last = ctx;
    *last = *record;
    return BURSAR_OK;
}

static void what_depends_on_a_cancelled_one_is_blocked_by_it(void **state)
{
    struct fixture *f = *state;
    const struct row rows[] = { { .ref = "first" }, { .ref = "second", .depends_on = { "first" } } };
    const struct list_filter blocked = { .limit = 8, .only_blocked = true };
    struct disbursement_record record = { 0 };
    size_t woken = 4711;
    int64_t first = import_rows(f, rows, COUNT_OF(rows));
    OK(f, cancel, f->treasury, first, &BY_ALICE);
    OK(f, dependents_wake, f->fence, 8, &woken);
    assert_int_equal(woken, 0);
    assert_int_equal(due_count(f), 0);
    OK(f, list, f->treasury, &blocked, note_blocked, &record);
    assert_int_equal(record.id, first + 1);
    assert_int_equal(record.blocked, BLOCK_DEPENDENCY);
    assert_int_equal(record.blocked_on_state, STATE_CANCELLED);
}

static void a_cancelled_one_does_not_wait_any_more(void **state)
{
    struct fixture *f = *state;
    const struct row rows[] = { { .ref = "first" }, { .ref = "second", .depends_on = { "first" } } };
    int64_t first = import_rows(f, rows, COUNT_OF(rows));
    struct work_left left;
    OK(f, cancel, f->treasury, first + 1, &BY_ALICE);
    assert_int_equal(raw_number(f, "SELECT count(*) FROM disbursement WHERE waits_on IS NOT NULL"), 0);
    (void)pay_row(f, first, true);
    OK(f, work_left, f->treasury, &left);
    assert_false(left.to_wake || left.ready || left.unfinished);
    assert_int_equal(state_of(f, first + 1), STATE_CANCELLED);
}

static void a_failed_one_is_retried_with_another_nonce_and_paid(void **state)
{
    struct fixture *f = *state;
    int64_t id = import_one(f, "a");
    (void)pay_row(f, id, false);
    assert_int_equal(due_count(f), 0);
    OK(f, retry, f->treasury, id, &BY_ALICE);
    assert_int_equal(state_of(f, id), STATE_QUEUED);
    assert_int_equal(raw_number(f, "SELECT count(*) FROM event WHERE cause = 13 AND from_state = 8 AND to_state = 3 "
                                   "AND actor = 'alice' AND detail = 'a good reason'"),
                     1);
    assert_int_equal(due_count(f), 1);
    int64_t attempt = sign_intent(f, bind_row(f, id), 77);
    assert_int_equal(raw_number(f, "SELECT max(nonce) FROM intent"), FIRST_NONCE + 1);
    assert_int_equal(raw_number(f, "SELECT count(*) FROM intent_item WHERE live = 0 AND outcome = 8"), 1);
    include_attempt(f, attempt, mark_at(106, 0));
    finish_attempt(f, attempt, true);
    assert_int_equal(state_of(f, id), STATE_FINALIZED);
    refused_unchanged(f, true, id, "it is paid");
    assert_int_equal(raw_number(f, "SELECT count(*) FROM intent_item WHERE live = 1"), 1);
    assert_int_equal(check_event_chain(f), 8);
}

static void only_what_failed_is_retried(void **state)
{
    struct fixture *f = *state;
    int64_t id = import_one(f, "a"), cancelled = import_one(f, "b");
    refused_unchanged(f, true, id, "has not failed");
    int64_t intent = bind_row(f, id);
    refused_unchanged(f, true, id, "has not failed");
    int64_t attempt = sign_intent(f, intent, 42);
    include_attempt(f, attempt, mark_at(105, 0));
    refused_unchanged(f, true, id, "final block decides");
    finish_attempt(f, attempt, true);
    refused_unchanged(f, true, id, "it is paid");
    OK(f, cancel, f->treasury, cancelled, &BY_ALICE);
    refused_unchanged(f, true, cancelled, "another ref");
}

/* INV-1 */
static void a_failed_one_whose_nonce_still_counts_is_not_retried(void **state)
{
    struct fixture *f = *state;
    int64_t id = import_one(f, "a");
    (void)pay_row(f, id, false);
    raw_run(f, "UPDATE intent_item SET live = 1");
    refused_unchanged(f, true, id, "reconcile");
}

static void dependents_wait_again_for_what_is_retried(void **state)
{
    struct fixture *f = *state;
    const struct row rows[] = { { .ref = "first" }, { .ref = "second", .depends_on = { "first" } } };
    const struct list_filter blocked = { .limit = 8, .only_blocked = true };
    struct disbursement_record record = { 0 };
    size_t woken = 0;
    int64_t first = import_rows(f, rows, COUNT_OF(rows));
    (void)pay_row(f, first, false);
    OK(f, retry, f->treasury, first, &BY_ALICE);
    OK(f, list, f->treasury, &blocked, note_blocked, &record);
    assert_int_equal(record.id, 0); /* nothing is blocked: it waits */
    assert_int_equal(due_count(f), 1);
    int64_t attempt = sign_intent(f, bind_row(f, first), 78);
    include_attempt(f, attempt, mark_at(106, 0));
    finish_attempt(f, attempt, true);
    OK(f, dependents_wake, f->fence, 8, &woken);
    assert_int_equal(woken, 1);
    assert_int_equal(due_count(f), 1);
}

static void a_retried_one_waits_for_what_was_reversed_meanwhile(void **state)
{
    struct fixture *f = *state;
    const struct row rows[] = { { .ref = "first" }, { .ref = "second", .depends_on = { "first" } } };
    size_t woken = 0;
    int64_t first = import_rows(f, rows, COUNT_OF(rows));
    (void)pay_row(f, first, true);
    OK(f, dependents_wake, f->fence, 8, &woken);
    (void)pay_row(f, first + 1, false);
    raw_run(f, "UPDATE disbursement SET state = 9 WHERE ref = 'first'");
    OK(f, retry, f->treasury, first + 1, &BY_ALICE);
    assert_int_equal(due_count(f), 0);
}

struct intents_seen {
    struct intent_record records[4];
    size_t count;
};

static enum bursar_status note_intent(void *ctx, const struct intent_record *record)
{
    struct intents_seen *seen = ctx;
    assert_in_range(seen->count, 0, COUNT_OF(seen->records) - 1);
    seen->records[seen->count++] = *record;
    return BURSAR_OK;
}

static void each_intent_says_how_it_ended_itself(void **state)
{
    struct fixture *f = *state;
    struct intents_seen seen = { 0 };
    int64_t id = import_one(f, "a");
    (void)pay_row(f, id, false);
    OK(f, retry, f->treasury, id, &BY_ALICE);
    OK(f, intents, f->treasury, FIRST_NONCE, 4, note_intent, &seen);
    assert_int_equal(seen.count, 1);
    assert_true(seen.records[0].is_newest);
    assert_int_equal(seen.records[0].state, STATE_QUEUED);
    int64_t attempt = sign_intent(f, bind_row(f, id), 79);
    seen.count = 0;
    OK(f, intents, f->treasury, FIRST_NONCE, 4, note_intent, &seen);
    assert_int_equal(seen.count, 2);
    assert_false(seen.records[0].is_live || seen.records[0].is_newest);
    assert_int_equal(seen.records[0].outcome, CAUSE_FINAL_REVERT);
    assert_true(seen.records[1].is_live && seen.records[1].is_newest);
    assert_int_equal(seen.records[1].outcome, 0);
    include_attempt(f, attempt, mark_at(106, 0));
    finish_attempt(f, attempt, true);
    seen.count = 0;
    OK(f, intents, f->treasury, FIRST_NONCE, 4, note_intent, &seen);
    assert_int_equal(seen.records[1].outcome, CAUSE_FINAL_SUCCESS);
    assert_true(seen.records[1].is_live);
}

static struct disbursement_record shown(struct fixture *f)
{
    struct disbursement_record record = { 0 };
    const struct list_filter everything = { .limit = 8 };
    OK(f, list, f->treasury, &everything, note_blocked, &record);
    return record;
}

static void a_retried_one_does_not_show_the_transaction_that_failed(void **state)
{
    struct fixture *f = *state;
    int64_t id = import_one(f, "a");
    assert_int_equal(shown(f).ended_ms, 0);
    (void)pay_row(f, id, false);
    assert_true(shown(f).has_nonce && shown(f).has_transaction && shown(f).has_fee);
    assert_int_equal(shown(f).ended_ms, NOW_MS);
    OK(f, retry, f->treasury, id, &BY_ALICE);
    assert_false(shown(f).has_nonce || shown(f).has_transaction || shown(f).has_block || shown(f).has_fee);
    assert_int_equal(shown(f).ended_ms, 0);
    OK(f, cancel, f->treasury, id, &BY_ALICE);
    assert_false(shown(f).has_nonce || shown(f).has_transaction);
    assert_int_equal(shown(f).ended_ms, NOW_MS + 5);
}

static void a_decision_needs_who_and_why(void **state)
{
    struct fixture *f = *state;
    char long_reason[REASON_MAX_BYTES + 2];
    int64_t id = import_one(f, "a");
    uint64_t version = version_of(f, id);
    memset(long_reason, 'x', sizeof long_reason - 1);
    long_reason[sizeof long_reason - 1] = 0;
    const struct decision nobody = { .actor = "", .reason = "x" }, no_reason = { .actor = "a", .reason = "" },
                          too_long = { .actor = "a", .reason = long_reason },
                          just_right = { .actor = "a", .reason = long_reason + 1 };
    EXPECT(f, BURSAR_EINVAL, cancel, f->treasury, id, &nobody);
    EXPECT(f, BURSAR_EINVAL, cancel, f->treasury, id, &no_reason);
    EXPECT(f, BURSAR_EINVAL, cancel, f->treasury, id, &too_long);
    EXPECT(f, BURSAR_EINVAL, retry, f->treasury, id, &no_reason);
    EXPECT(f, BURSAR_EINVAL, breaker_force, f->treasury, BREAKER_COMMAND_OPEN, 0, &no_reason);
    assert_int_equal(version_of(f, id), version);
    OK(f, cancel, f->treasury, id, &just_right);
}

static void another_treasurys_rows_are_not_decided_here(void **state)
{
    struct fixture *f = *state;
    const struct bursar_address account = { { 0xbb } };
    int64_t other = 0, id = import_one(f, "a");
    OK(f, treasury_add, "other", CHAIN_ID, &account, "block/120", &other);
    EXPECT(f, BURSAR_ENOTFOUND, cancel, other, id, &BY_ALICE);
    EXPECT(f, BURSAR_ENOTFOUND, retry, other, id, &BY_ALICE);
    EXPECT(f, BURSAR_ENOTFOUND, cancel, f->treasury, id + 1, &BY_ALICE);
    assert_int_equal(state_of(f, id), STATE_QUEUED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_queued_one_is_cancelled_at_once_with_who_and_why, set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(drafts_and_votes_are_cancelled_too, set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(what_a_cancel_was_faster_than_is_not_bound, set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(what_is_bound_is_not_cancelled_and_its_payment_goes_on, set_up_leased,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_failed_one_is_not_cancelled, set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(a_cancelled_ref_stays_used, set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(what_depends_on_a_cancelled_one_is_blocked_by_it, set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(a_cancelled_one_does_not_wait_any_more, set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(a_failed_one_is_retried_with_another_nonce_and_paid, set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(only_what_failed_is_retried, set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(a_failed_one_whose_nonce_still_counts_is_not_retried, set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(dependents_wait_again_for_what_is_retried, set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(a_retried_one_waits_for_what_was_reversed_meanwhile, set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(each_intent_says_how_it_ended_itself, set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(a_retried_one_does_not_show_the_transaction_that_failed, set_up_leased,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_decision_needs_who_and_why, set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(another_treasurys_rows_are_not_decided_here, set_up_leased, tear_down),
    };
    return cmocka_run_group_tests_name("store decided", tests, NULL, NULL);
}

/* What the chain showed becomes state: inclusion, reorgs, finality, anchors (INV-7, INV-8). */
#include "store_fixture.h"

static size_t included_up_to(struct fixture *f, uint64_t number, size_t limit, struct included_attempt *ret)
{
    size_t count = 4711;
    OK(f, included_select, f->treasury, number, limit, ret, &count);
    return count;
}

static void fork_at(struct fixture *f, uint64_t number)
{
    struct settlement settlement = { .has_fork = true, .fork_number = number };
    OK(f, settle, f->fence, NOW_MS, &settlement);
}

static void an_included_payment_is_executed_and_watched(void **state)
{
    struct fixture *f = *state;
    struct included_attempt included[4];
    struct lane lane;
    int64_t id = import_one(f, "a"), intent = bind_row(f, id), attempt = sign_intent(f, intent, 42);
    const struct block_mark block = mark_at(105, 0);
    include_attempt(f, attempt, block);
    assert_int_equal(state_of(f, id), STATE_EXECUTED);
    assert_int_equal(included_up_to(f, 104, 4, included), 0);
    assert_int_equal(included_up_to(f, 105, 4, included), 1);
    const struct bursar_hash hash = hash_of(42);
    assert_int_equal(included[0].attempt, attempt);
    assert_int_equal(included[0].intent, intent);
    assert_int_equal(included[0].nonce, FIRST_NONCE);
    assert_true(hash_equal(&included[0].hash, &hash));
    assert_int_equal(included[0].block.number, 105);
    assert_true(hash_equal(&included[0].block.hash, &block.hash));
    OK(f, lane_read, f->treasury, &lane);
    assert_int_equal(lane.in_flight, 0);
    assert_int_equal(lane.lowest_unfinished_nonce, FIRST_NONCE);
}

static void what_is_included_comes_lowest_block_first(void **state)
{
    struct fixture *f = *state;
    struct included_attempt included[4];
    int64_t first = import_many(f, "r", 3, NULL);
    const uint64_t numbers[] = { 107, 105, 106 };
    for (int i = 0; i < 3; i++)
        include_attempt(f, sign_intent(f, bind_row(f, first + i), 10 + (uint64_t)i), mark_at(numbers[i], 0));
    assert_int_equal(included_up_to(f, 107, 4, included), 3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(included[i].block.number, 105 + i);
    assert_int_equal(included_up_to(f, 106, 4, included), 2);
    assert_int_equal(included_up_to(f, 107, 1, included), 1);
}

static void a_reorg_takes_a_payment_back_to_staged_with_the_same_intent(void **state)
{
    struct fixture *f = *state;
    struct flight flight;
    struct included_attempt included[2];
    size_t count = 0;
    int64_t id = import_one(f, "a"), intent = bind_row(f, id), attempt = sign_intent(f, intent, 42);
    const struct submission sent = { attempt, 1, "ok" };
    OK(f, submissions_record, f->fence, NOW_MS, &sent, 1);
    include_attempt(f, attempt, mark_at(105, 0));
    fork_at(f, 105); /* 105 itself is still canonical */
    assert_int_equal(state_of(f, id), STATE_EXECUTED);
    fork_at(f, 104);
    assert_int_equal(state_of(f, id), STATE_STAGED);
    assert_int_equal(included_up_to(f, UINT32_MAX, 2, included), 0);
    OK(f, flights_select, f->treasury, 0, 1, &flight, &count);
    assert_int_equal(count, 1);
    assert_int_equal(flight.intent, intent);
    assert_int_equal(flight.attempt, attempt);
    assert_int_equal(flight.last_sent_ms, 0); /* the same bytes are to be handed over again */
    include_attempt(f, attempt, mark_at(106, 1));
    assert_int_equal(state_of(f, id), STATE_EXECUTED);
    assert_int_equal(included_up_to(f, 106, 2, included), 1);
    finish_attempt(f, attempt, true);
    assert_int_equal(state_of(f, id), STATE_FINALIZED);
    assert_int_equal(
        raw_number(f, "SELECT group_concat(cause) = '1,4,5,6,5,7' FROM (SELECT cause FROM event ORDER BY seq)"), 1);
    assert_int_equal(check_event_chain(f), 6);
}

static void a_reorg_may_let_another_attempt_win(void **state)
{
    struct fixture *f = *state;
    int64_t id = import_one(f, "a"), intent = bind_row(f, id);
    int64_t first = sign_intent(f, intent, 1), second = sign_intent(f, intent, 2);
    include_attempt(f, first, mark_at(105, 0));
    struct included_attempt other = { .attempt = second, .intent = intent, .block = mark_at(105, 1) };
    struct settlement both_at_once = { .has_fork = true, .fork_number = 104, .included = &other, .included_count = 1 };
    OK(f, settle, f->fence, NOW_MS, &both_at_once);
    assert_int_equal(state_of(f, id), STATE_EXECUTED);
    finish_attempt(f, second, true);
    assert_int_equal(state_of(f, id), STATE_FINALIZED);
    assert_int_equal(raw_number(f, "SELECT count(*) FROM attempt WHERE status = 1 AND block_no IS NULL AND id = 1"), 1);
}

static void a_deep_reorg_takes_back_everything_above_the_fork(void **state)
{
    struct fixture *f = *state;
    struct new_attempt attempts[600];
    struct binding bindings[600];
    struct included_attempt included[600];
    int64_t first = import_many(f, "r", 600, NULL);
    for (int i = 0; i < 600; i++)
        bindings[i] = binding_of(f, first + i, FIRST_NONCE + (uint64_t)i);
    OK(f, bind, f->fence, NOW_MS, bindings, 600);
    for (int i = 0; i < 600; i++)
        attempts[i] = attempt_of(1 + i, (uint64_t)i);
    OK(f, attempts_add, f->fence, NOW_MS, attempts, 600);
    for (int i = 0; i < 600; i++)
        included[i] =
            (struct included_attempt){ .attempt = 1 + i, .intent = 1 + i, .block = mark_at(101 + (uint64_t)i / 6, 0) };
    struct settlement settlement = { .included = included, .included_count = 600 };
    OK(f, settle, f->fence, NOW_MS, &settlement);
    fork_at(f, 101);
    assert_int_equal(raw_number(f, "SELECT count(*) FROM disbursement WHERE state = 5"), 6);
    assert_int_equal(raw_number(f, "SELECT count(*) FROM disbursement WHERE state = 4"), 594);
    assert_int_equal(raw_number(f, "SELECT count(*) FROM intent WHERE status = 2"), 594);
}

static void a_final_payment_is_never_bound_again(void **state) /* INV-1 */
{
    struct fixture *f = *state;
    struct lane lane;
    int64_t id = import_one(f, "a");
    (void)pay_row(f, id, true);
    assert_int_equal(state_of(f, id), STATE_FINALIZED);
    assert_int_equal(raw_number(f, "SELECT live FROM intent_item WHERE outcome = 7"), 1);
    OK(f, lane_read, f->treasury, &lane);
    assert_int_equal(lane.lowest_unfinished_nonce, lane.next_nonce);
    /* Even a row that somebody forced back to queued is refused, by the schema itself. */
    raw_run(f, "UPDATE disbursement SET state = 3");
    struct binding again = binding_of(f, id, FIRST_NONCE + 1);
    char *before = dump(f);
    EXPECT(f, BURSAR_ESTORAGE, bind, f->fence, NOW_MS, &again, 1);
    assert_contains(f->err.message, "UNIQUE");
    char *after = dump(f);
    assert_string_equal(after, before);
    free(before);
    free(after);
}

static void a_final_revert_fails_the_payment_and_ends_its_item(void **state)
{
    struct fixture *f = *state;
    int64_t id = import_one(f, "a");
    (void)pay_row(f, id, false);
    assert_int_equal(state_of(f, id), STATE_FAILED);
    assert_int_equal(raw_number(f, "SELECT live FROM intent_item WHERE outcome = 8"), 0);
    assert_int_equal(raw_number(f, "SELECT status FROM intent"), INTENT_FINAL);
    raw_run(f, "UPDATE disbursement SET state = 3, version = version + 1"); /* as a retry does */
    (void)bind_row(f, id);
    assert_int_equal(raw_number(f, "SELECT count(*) FROM intent_item WHERE live = 1"), 1);
}

static void what_is_final_stays_final(void **state)
{
    struct fixture *f = *state;
    int64_t id = import_one(f, "a");
    int64_t attempt = pay_row(f, id, true);
    fork_at(f, 0);
    assert_int_equal(state_of(f, id), STATE_FINALIZED);
    struct final_attempt final = { .attempt = attempt,
                                   .intent = intent_of(f, attempt),
                                   .purpose = 1,
                                   .succeeded = false,
                                   .gas_used = 1,
                                   .effective_gas_price_wei = 1 };
    struct settlement again = { .final = &final, .final_count = 1 };
    EXPECT(f, BURSAR_ESTALE, settle, f->fence, NOW_MS, &again);
}

static void what_was_not_included_can_not_become_final(void **state) /* INV-7 */
{
    struct fixture *f = *state;
    int64_t first = import_many(f, "r", 2, NULL);
    int64_t a = sign_intent(f, bind_row(f, first), 1), b = sign_intent(f, bind_row(f, first + 1), 2);
    struct final_attempt final = { .attempt = a,
                                   .intent = intent_of(f, a),
                                   .purpose = 1,
                                   .succeeded = true,
                                   .gas_used = 21000,
                                   .effective_gas_price_wei = 1 };
    struct included_attempt crossed = { .attempt = a, .intent = intent_of(f, b), .block = mark_at(101, 0) };
    struct included_attempt good = { .attempt = b, .intent = intent_of(f, b), .block = mark_at(101, 0) };
    struct settlement early = { .included = &good, .included_count = 1, .final = &final, .final_count = 1 };
    struct settlement mixed_up = { .included = &crossed, .included_count = 1 };
    char *before = dump(f);
    EXPECT(f, BURSAR_ESTALE, settle, f->fence, NOW_MS, &early); /* all or none */
    EXPECT(f, BURSAR_ESTALE, settle, f->fence, NOW_MS, &mixed_up);
    char *after = dump(f);
    assert_string_equal(after, before);
    free(before);
    free(after);
}

static void a_fee_that_can_not_be_stored_is_refused(void **state)
{
    struct fixture *f = *state;
    int64_t attempt = sign_intent(f, bind_row(f, import_one(f, "a")), 1);
    include_attempt(f, attempt, mark_at(101, 0));
    struct final_attempt final = { .attempt = attempt,
                                   .intent = intent_of(f, attempt),
                                   .purpose = 1,
                                   .succeeded = true,
                                   .gas_used = 21000,
                                   .effective_gas_price_wei = UINT64_MAX };
    struct settlement settlement = { .final = &final, .final_count = 1 };
    EXPECT(f, BURSAR_ESTORAGE, settle, f->fence, NOW_MS, &settlement);
}

static void a_lane_is_its_treasurys_own(void **state)
{
    struct fixture *f = *state;
    const struct bursar_address account = { { 0xbb } };
    const struct bursar_hash genesis = hash_of(1);
    const struct block_mark anchor = mark_at(ANCHOR_NUMBER, 0);
    struct fence other = { 0 };
    int64_t second;
    int64_t id = import_one(f, "a"), attempt = sign_intent(f, bind_row(f, id), 1);
    OK(f, treasury_add, "second", CHAIN_ID, &account, "block/120", &second);
    OK(f, treasury_pin, second, &genesis, 0, &anchor, &anchor);
    OK(f, lease_take, second, "tester", 15000, NOW_MS, &other);
    struct included_attempt included = { .attempt = attempt,
                                         .intent = intent_of(f, attempt),
                                         .block = mark_at(101, 0) };
    struct settlement settlement = { .included = &included, .included_count = 1 };
    EXPECT(f, BURSAR_ESTALE, settle, other, NOW_MS, &settlement);
    OK(f, settle, f->fence, NOW_MS, &settlement);
    struct settlement fork = { .has_fork = true, .fork_number = 0 };
    OK(f, settle, other, NOW_MS, &fork);
    assert_int_equal(state_of(f, id), STATE_EXECUTED);
}

static void the_window_of_read_blocks_follows_forks_and_the_anchor(void **state)
{
    struct fixture *f = *state;
    struct block_mark marks[10], got[20];
    size_t count = 0;
    for (unsigned i = 0; i < 10; i++)
        marks[i] = mark_at(101 + i, 0);
    struct settlement read_on = { .scanned = marks, .scanned_count = 10, .has_scan = true, .scan = marks[9] };
    OK(f, settle, f->fence, NOW_MS, &read_on);
    OK(f, scanned_select, f->treasury, 105, 20, got, &count);
    assert_int_equal(count, 6);
    assert_int_equal(got[0].number, 105);
    assert_true(hash_equal(&got[5].hash, &marks[9].hash));
    OK(f, scanned_select, f->treasury, 0, 3, got, &count);
    assert_int_equal(count, 3);
    assert_int_equal(got[2].number, 103);
    const struct block_mark replaced = mark_at(109, 1);
    struct settlement fork = { .has_fork = true,
                               .fork_number = 108,
                               .scanned = &replaced,
                               .scanned_count = 1,
                               .has_scan = true,
                               .scan = replaced };
    OK(f, settle, f->fence, NOW_MS, &fork);
    OK(f, scanned_select, f->treasury, 108, 20, got, &count);
    assert_int_equal(count, 2);
    assert_true(hash_equal(&got[1].hash, &replaced.hash));
    struct treasury treasury;
    OK(f, treasury_get, f->treasury, &treasury);
    assert_int_equal(treasury.scan.number, 109);
    assert_true(hash_equal(&treasury.scan.hash, &replaced.hash));
    struct settlement final = { .has_anchor = true, .anchor = marks[4] };
    OK(f, settle, f->fence, NOW_MS, &final);
    OK(f, scanned_select, f->treasury, 0, 20, got, &count);
    assert_int_equal(count, 5); /* 105 ... 109: the anchor's own mark stays */
    assert_int_equal(got[0].number, 105);
}

static void the_anchor_only_moves_forward(void **state) /* INV-8 */
{
    struct fixture *f = *state;
    struct treasury treasury;
    const struct block_mark newer = mark_at(150, 0), older = mark_at(120, 9), same = mark_at(150, 9);
    struct settlement settlement = { .has_anchor = true, .anchor = newer };
    OK(f, settle, f->fence, NOW_MS, &settlement);
    settlement.anchor = older;
    OK(f, settle, f->fence, NOW_MS, &settlement);
    settlement.anchor = same;
    OK(f, settle, f->fence, NOW_MS, &settlement);
    OK(f, treasury_get, f->treasury, &treasury);
    assert_int_equal(treasury.anchor.number, 150);
    assert_true(hash_equal(&treasury.anchor.hash, &newer.hash));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_included_payment_is_executed_and_watched, set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(what_is_included_comes_lowest_block_first, set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(a_reorg_takes_a_payment_back_to_staged_with_the_same_intent, set_up_leased,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_reorg_may_let_another_attempt_win, set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(a_deep_reorg_takes_back_everything_above_the_fork, set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(a_final_payment_is_never_bound_again, set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(a_final_revert_fails_the_payment_and_ends_its_item, set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(what_is_final_stays_final, set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(what_was_not_included_can_not_become_final, set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(a_fee_that_can_not_be_stored_is_refused, set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(a_lane_is_its_treasurys_own, set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(the_window_of_read_blocks_follows_forks_and_the_anchor, set_up_leased,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_anchor_only_moves_forward, set_up_leased, tear_down),
    };
    return cmocka_run_group_tests_name("store settle", tests, NULL, NULL);
}

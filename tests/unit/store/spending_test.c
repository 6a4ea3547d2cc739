/* Binding nonces for life, keeping signed bytes, and what is in flight. */
#include "store_fixture.h"

static void unchanged(struct fixture *f, char *before)
{
    char *after = dump(f);
    assert_string_equal(after, before);
    free(after);
    free(before);
}

static void nonces_go_on_from_the_treasurys_first(void **state) /* INV-1 */
{
    struct fixture *f = *state;
    struct lane lane;
    int64_t first = import_many(f, "r", 3, NULL);
    OK(f, lane_read, f->treasury, &lane);
    assert_false(lane.has_intents);
    assert_int_equal(lane.next_nonce, FIRST_NONCE);
    assert_int_equal(lane.lowest_unfinished_nonce, FIRST_NONCE);
    const struct binding two[] = { binding_of(f, first, FIRST_NONCE), binding_of(f, first + 1, FIRST_NONCE + 1) };
    OK(f, bind, f->fence, NOW_MS, two, 2);
    OK(f, lane_read, f->treasury, &lane);
    assert_true(lane.has_intents);
    assert_int_equal(lane.next_nonce, FIRST_NONCE + 2);
    assert_int_equal(lane.lowest_unfinished_nonce, FIRST_NONCE);
    assert_int_equal(lane.in_flight, 2);
    assert_int_equal(state_of(f, first), STATE_STAGED);
    assert_int_equal(state_of(f, first + 2), STATE_QUEUED);
    assert_int_equal(raw_number(f, "SELECT count(*) FROM event WHERE cause = 4 AND from_state = 3 AND to_state = 4 AND "
                                   "actor = 'tester' AND intent IS NOT NULL AND detail LIKE 'nonce %'"),
                     2);
    (void)check_event_chain(f);
}

static void a_gap_a_repeat_and_a_wrong_start_bind_nothing(void **state) /* INV-1 */
{
    struct fixture *f = *state;
    int64_t first = import_many(f, "r", 4, NULL);
    const uint64_t wrong_starts[] = { 0, FIRST_NONCE - 1, FIRST_NONCE + 1, INT64_MAX };
    for (size_t i = 0; i < COUNT_OF(wrong_starts); i++) {
        struct binding wrong = binding_of(f, first, wrong_starts[i]);
        char *before = dump(f);
        EXPECT(f, BURSAR_ESTALE, bind, f->fence, NOW_MS, &wrong, 1);
        unchanged(f, before);
    }
    (void)bind_row(f, first);
    const struct binding gap[] = { binding_of(f, first + 1, FIRST_NONCE + 1),
                                   binding_of(f, first + 2, FIRST_NONCE + 3) };
    const struct binding repeat[] = { binding_of(f, first + 1, FIRST_NONCE + 1),
                                      binding_of(f, first + 2, FIRST_NONCE + 1) };
    char *before = dump(f);
    EXPECT(f, BURSAR_ESTALE, bind, f->fence, NOW_MS, gap, 2); /* all or none */
    EXPECT(f, BURSAR_ESTALE, bind, f->fence, NOW_MS, repeat, 2);
    assert_contains(f->err.message, "not the lane's next");
    unchanged(f, before);
}

static void a_row_that_changed_meanwhile_binds_nothing(void **state)
{
    struct fixture *f = *state;
    int64_t first = import_many(f, "r", 2, NULL);
    const struct binding both[] = { binding_of(f, first, FIRST_NONCE), binding_of(f, first + 1, FIRST_NONCE + 1) };
    raw_run(f, "UPDATE disbursement SET version = 2 WHERE ref = 'r1'");
    char *before = dump(f);
    EXPECT(f, BURSAR_ESTALE, bind, f->fence, NOW_MS, both, 2);
    assert_contains(f->err.message, "moved by somebody else");
    unchanged(f, before);
}

static void a_disbursement_is_bound_once(void **state) /* INV-1 */
{
    struct fixture *f = *state;
    int64_t id = import_one(f, "a");
    struct binding stale = binding_of(f, id, FIRST_NONCE + 1);
    (void)bind_row(f, id);
    struct binding fresh = binding_of(f, id, FIRST_NONCE + 1);
    const struct binding twice[] = { stale, stale };
    char *before = dump(f);
    EXPECT(f, BURSAR_ESTALE, bind, f->fence, NOW_MS, &stale, 1);
    EXPECT(f, BURSAR_ESTALE, bind, f->fence, NOW_MS, &fresh, 1);
    EXPECT(f, BURSAR_ESTALE, bind, f->fence, NOW_MS, twice, 2);
    unchanged(f, before);
}

static void a_treasury_that_is_not_pinned_binds_nothing(void **state)
{
    struct fixture *f = *state;
    const struct bursar_address account = { { 0xbb } };
    OK(f, treasury_add, "second", CHAIN_ID, &account, "block/120", &f->treasury);
    OK(f, lease_take, f->treasury, "tester", 15000, NOW_MS, &f->fence);
    struct binding binding = binding_of(f, import_one(f, "a"), 0);
    char *before = dump(f);
    EXPECT(f, BURSAR_EINTERNAL, bind, f->fence, NOW_MS, &binding, 1);
    unchanged(f, before);
}

static void flights_show_what_is_bound_with_and_without_bytes(void **state)
{
    struct fixture *f = *state;
    struct flight flights[10];
    size_t count = 0;
    int64_t first = import_many(f, "r", 3, NULL);
    int64_t a = bind_row(f, first), b = bind_row(f, first + 1), c = bind_row(f, first + 2);
    int64_t attempt = sign_intent(f, b, 99);
    OK(f, flights_select, f->treasury, 0, 10, flights, &count);
    assert_int_equal(count, 3);
    assert_int_equal(flights[0].intent, a);
    assert_int_equal(flights[0].nonce, FIRST_NONCE);
    assert_int_equal(flights[0].kind, INTENT_PAYMENT);
    assert_int_equal(flights[0].gas_limit, 21000);
    assert_int_equal(flights[0].to.bytes[1], 0xd1);
    assert_int_equal(bursar_amount_compare(flights[0].value, bursar_amount_from_u64(1000)), 0);
    assert_false(flights[0].has_attempt);
    assert_true(flights[1].has_attempt);
    assert_int_equal(flights[1].attempt, attempt);
    assert_int_equal(flights[1].max_fee_per_gas_wei, 200);
    assert_int_equal(flights[1].sends, 0);
    const struct bursar_hash hash = hash_of(99);
    assert_true(hash_equal(&flights[1].hash, &hash));
    OK(f, flights_select, f->treasury, FIRST_NONCE + 1, 1, flights, &count);
    assert_int_equal(count, 1);
    assert_int_equal(flights[0].intent, b);
    include_attempt(f, attempt, mark_at(101, 0));
    OK(f, flights_select, f->treasury, 0, 10, flights, &count);
    assert_int_equal(count, 2); /* what is included is not in flight */
    assert_int_equal(flights[1].intent, c);
}

static void a_replacement_is_another_attempt_of_the_same_intent(void **state) /* INV-3 */
{
    struct fixture *f = *state;
    struct flight flight;
    size_t count = 0;
    int64_t intent = bind_row(f, import_one(f, "a"));
    int64_t first = sign_intent(f, intent, 1), second = sign_intent(f, intent, 2);
    OK(f, flights_select, f->treasury, 0, 1, &flight, &count);
    assert_int_equal(count, 1);
    assert_int_equal(flight.attempt, second);   /* the newest */
    include_attempt(f, first, mark_at(101, 0)); /* but the older one may win */
    struct new_attempt late = attempt_of(intent, 3);
    char *before = dump(f);
    EXPECT(f, BURSAR_ESTALE, attempts_add, f->fence, NOW_MS, &late, 1);
    unchanged(f, before);
}

static void bytes_come_back_as_they_were_signed(void **state)
{
    struct fixture *f = *state;
    uint8_t *raw = NULL;
    size_t raw_bytes = 0;
    int64_t intent = bind_row(f, import_one(f, "a"));
    struct new_attempt attempt = attempt_of(intent, 1);
    int64_t id = sign_intent(f, intent, 1);
    OK(f, attempt_raw, id, &raw, &raw_bytes);
    assert_int_equal(raw_bytes, attempt.raw_bytes);
    assert_memory_equal(raw, attempt.raw, raw_bytes);
    free(raw);
    EXPECT(f, BURSAR_ENOTFOUND, attempt_raw, id + 1, &raw, &raw_bytes);
}

static void attempts_are_stored_all_or_none(void **state)
{
    struct fixture *f = *state;
    int64_t first = import_many(f, "r", 2, NULL);
    int64_t a = bind_row(f, first), b = bind_row(f, first + 1);
    const struct new_attempt unknown[] = { attempt_of(a, 1), attempt_of(b + 100, 2) };
    const struct new_attempt same_hash[] = { attempt_of(a, 1), attempt_of(b, 1) };
    char *before = dump(f);
    EXPECT(f, BURSAR_ESTALE, attempts_add, f->fence, NOW_MS, unknown, 2);
    EXPECT(f, BURSAR_ESTORAGE, attempts_add, f->fence, NOW_MS, same_hash, 2);
    unchanged(f, before);
    const struct new_attempt both[] = { attempt_of(a, 1), attempt_of(b, 2) };
    OK(f, attempts_add, f->fence, NOW_MS, both, 2);
    assert_int_equal(raw_number(f, "SELECT count(*) FROM intent WHERE status = 2"), 2);
}

static void what_a_node_said_is_recorded(void **state)
{
    struct fixture *f = *state;
    struct flight flight;
    size_t count = 0;
    int64_t attempt = sign_intent(f, bind_row(f, import_one(f, "a")), 1);
    const struct submission submissions[] = { { attempt, 3, "already known" }, { attempt, 5, "timeout" } };
    OK(f, submissions_record, f->fence, NOW_MS + 10, submissions, 1);
    OK(f, submissions_record, f->fence, NOW_MS + 20, submissions + 1, 1);
    OK(f, flights_select, f->treasury, 0, 1, &flight, &count);
    assert_int_equal(flight.sends, 2);
    assert_int_equal(flight.last_sent_ms, NOW_MS + 20);
    assert_int_equal(raw_number(f, "SELECT count(*) FROM attempt WHERE verdict = 5 AND message = 'timeout'"), 1);
}

static void numbers_that_do_not_fit_are_refused_not_cut(void **state)
{
    struct fixture *f = *state;
    int64_t intent = bind_row(f, import_one(f, "a"));
    struct new_attempt attempt = attempt_of(intent, 1);
    attempt.max_fee_per_gas_wei = (uint64_t)INT64_MAX + 1;
    char *before = dump(f);
    EXPECT(f, BURSAR_ESTORAGE, attempts_add, f->fence, NOW_MS, &attempt, 1);
    unchanged(f, before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nonces_go_on_from_the_treasurys_first, set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(a_gap_a_repeat_and_a_wrong_start_bind_nothing, set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(a_row_that_changed_meanwhile_binds_nothing, set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(a_disbursement_is_bound_once, set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(a_treasury_that_is_not_pinned_binds_nothing, set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(flights_show_what_is_bound_with_and_without_bytes, set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(a_replacement_is_another_attempt_of_the_same_intent, set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(bytes_come_back_as_they_were_signed, set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(attempts_are_stored_all_or_none, set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(what_a_node_said_is_recorded, set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(numbers_that_do_not_fit_are_refused_not_cut, set_up_leased, tear_down),
    };
    return cmocka_run_group_tests_name("store spending", tests, NULL, NULL);
}

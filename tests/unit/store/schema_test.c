/* What the database itself refuses, whoever asks: statements over a second connection that knows none of our code. */
#include "store_fixture.h"

static void a_nonce_is_bound_once_in_a_treasury(void **state) /* INV-1 */
{
    struct fixture *f = *state;
    (void)bind_row(f, import_one(f, "a"));
    raw_refused(f,
                "INSERT INTO intent (treasury, nonce, kind, status, to_address, value, data, gas_limit, lease_epoch, "
                "bound_ms) SELECT treasury, nonce, 2, 1, zeroblob(20), zeroblob(32), x'', 21000, 1, 1 FROM intent",
                "UNIQUE constraint failed: intent.treasury, intent.nonce");
}

static void a_disbursement_has_one_live_intent_item(void **state) /* INV-1 */
{
    struct fixture *f = *state;
    (void)bind_row(f, import_one(f, "a"));
    (void)bind_row(f, import_one(f, "b"));
    raw_refused(f, "INSERT INTO intent_item VALUES (2, 1, 1, NULL, NULL)",
                "UNIQUE constraint failed: intent_item.disbursement");
    raw_run(f, "INSERT INTO intent_item VALUES (2, 1, 0, NULL, NULL)"); /* one that has ended is history */
    raw_refused(f, "UPDATE intent_item SET live = 1 WHERE intent = 2",
                "UNIQUE constraint failed: intent_item.disbursement");
    raw_refused(f, "DELETE FROM intent_item", "never deleted");
}

static void what_an_intent_is_bound_to_never_changes(void **state)
{
    struct fixture *f = *state;
    static const char *const changes[] = { "treasury = 1", "nonce = nonce + 1",         "kind = 2",
                                           "data = x'00'", "to_address = zeroblob(20)", "value = zeroblob(32)",
                                           "gas_limit = 1" };
    (void)bind_row(f, import_one(f, "a"));
    for (size_t i = 0; i < COUNT_OF(changes); i++) {
        char sql[128];
        (void)snprintf(sql, sizeof sql, "UPDATE intent SET %s", changes[i]);
        raw_refused(f, sql, "bound for life");
    }
    raw_run(f, "UPDATE intent SET status = 2");
    raw_refused(f, "DELETE FROM intent", "never deleted");
}

static void what_a_disbursement_owes_never_changes(void **state)
{
    struct fixture *f = *state;
    static const char *const changes[] = { "ref = 'b'",          "destination = zeroblob(20)",  "amount = zeroblob(32)",
                                           "memo = ''",          "content_hash = zeroblob(32)", "schedule = 1",
                                           "schedule_value = 1", "asset = zeroblob(20)",        "treasury = 1" };
    (void)import_one(f, "a");
    for (size_t i = 0; i < COUNT_OF(changes); i++) {
        char sql[128];
        (void)snprintf(sql, sizeof sql, "UPDATE disbursement SET %s", changes[i]);
        raw_refused(f, sql, "never changes");
    }
    raw_refused(f, "DELETE FROM disbursement", "never deleted");
}

static void signed_bytes_never_change(void **state) /* INV-3 */
{
    struct fixture *f = *state;
    static const char *const changes[] = {
        "raw = x'00'", "hash = zeroblob(32)", "max_fee_per_gas = 201", "max_priority_fee_per_gas = 1", "seq = 9",
        "intent = 1",  "purpose = 3"
    };
    (void)sign_intent(f, bind_row(f, import_one(f, "a")), 1);
    for (size_t i = 0; i < COUNT_OF(changes); i++) {
        char sql[128];
        (void)snprintf(sql, sizeof sql, "UPDATE attempt SET %s", changes[i]);
        raw_refused(f, sql, "never change");
    }
    raw_refused(f, "DELETE FROM attempt", "never deleted");
    raw_refused(f, "UPDATE attempt SET status = 2", "CHECK constraint failed"); /* included, but where? */
    raw_refused(f, "UPDATE attempt SET status = 3, block_no = 1, block_hash = zeroblob(32)",
                "CHECK constraint failed"); /* final, but at what cost? */
}

static void history_is_append_only(void **state)
{
    struct fixture *f = *state;
    (void)import_one(f, "a");
    raw_refused(f, "DELETE FROM event", "append only");
    raw_refused(f, "UPDATE event SET actor = 'nobody'", "append only");
    assert_int_equal(check_event_chain(f), 1);
}

static void references_must_exist(void **state)
{
    struct fixture *f = *state;
    (void)import_one(f, "a");
    raw_refused(f, "INSERT INTO dependency VALUES (1, 4711)", "FOREIGN KEY");
    raw_refused(f, "INSERT INTO intent_item VALUES (4711, 1, 1, NULL, NULL)", "FOREIGN KEY");
    raw_refused(f, "UPDATE disbursement SET waits_on = 4711", "FOREIGN KEY");
    raw_refused(f, "DELETE FROM treasury", "FOREIGN KEY");
}

static void values_out_of_shape_are_refused(void **state)
{
    struct fixture *f = *state;
    (void)import_one(f, "a");
    raw_refused(f, "UPDATE disbursement SET state = 10", "CHECK");
    raw_refused(f, "UPDATE disbursement SET state = 'paid'", "cannot store TEXT");
    raw_refused(f, "UPDATE treasury SET genesis = NULL", "CHECK");
    raw_refused(f, "UPDATE treasury SET anchor_hash = x'00'", "CHECK");
    raw_refused(f,
                "INSERT INTO disbursement (treasury, state, schedule, schedule_value, ref, content_hash, destination, "
                "amount, memo) VALUES (1, 3, 0, 5, 'at once, but later', zeroblob(32), zeroblob(20), zeroblob(32), '')",
                "CHECK"); /* it would never be due */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_nonce_is_bound_once_in_a_treasury, set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(a_disbursement_has_one_live_intent_item, set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(what_an_intent_is_bound_to_never_changes, set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(what_a_disbursement_owes_never_changes, set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(signed_bytes_never_change, set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(history_is_append_only, set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(references_must_exist, set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(values_out_of_shape_are_refused, set_up_leased, tear_down),
    };
    return cmocka_run_group_tests_name("store schema", tests, NULL, NULL);
}

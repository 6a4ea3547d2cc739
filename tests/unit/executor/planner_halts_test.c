/* When the planner lets a tick go on, holds it, or halts: chain, account, nonces and signing log. */
#include "planner_fixture.h"

#include "eth/keccak.h"

static void the_right_chain_is_recognised(void **state)
{
    (void)state;
    struct treasury treasury = a_treasury();
    struct chain_view view = a_view();
    struct verdict verdict;
    plan_identity(&treasury, &view, &verdict);
    assert_int_equal(verdict.halt, HALT_NONE);
    assert_false(verdict.holds);
}

static void another_chain_id_halts_without_latching(void **state)
{
    (void)state;
    struct treasury treasury = a_treasury();
    struct chain_view view = a_view();
    struct verdict verdict;
    view.chain_id = 1;
    plan_identity(&treasury, &view, &verdict);
    assert_int_equal(verdict.halt, HALT_WRONG_CHAIN);
    assert_false(halt_latches(verdict.halt));
}

static void another_genesis_or_anchor_hash_latches(void **state)
{
    (void)state;
    struct treasury treasury = a_treasury();
    struct chain_view view = a_view();
    struct verdict verdict;
    view.genesis_hash = hash_of(77);
    plan_identity(&treasury, &view, &verdict);
    assert_int_equal(verdict.halt, HALT_GENESIS_MISMATCH);
    assert_true(halt_latches(verdict.halt));
    view = a_view();
    view.anchor_hash = hash_of(77);
    plan_identity(&treasury, &view, &verdict);
    assert_int_equal(verdict.halt, HALT_ANCHOR_MISMATCH);
    assert_true(halt_latches(verdict.halt));
}

static void a_missing_anchor_block_only_holds(void **state)
{
    (void)state;
    struct treasury treasury = a_treasury();
    struct chain_view view = a_view();
    struct verdict verdict;
    view.has_anchor_block = false;
    plan_identity(&treasury, &view, &verdict);
    assert_int_equal(verdict.halt, HALT_NONE);
    assert_true(verdict.holds);
}

/* A node that lags may be on a branch that the others have left: what it has there was never final to it. */
static void another_hash_of_a_node_to_which_the_anchor_is_not_final_only_holds(void **state)
{
    (void)state;
    struct treasury treasury = a_treasury();
    struct chain_view view = a_view();
    struct verdict verdict;
    view.anchor_hash = hash_of(77);
    view.final.block.number = treasury.anchor.number - 1;
    plan_identity(&treasury, &view, &verdict);
    assert_int_equal(verdict.halt, HALT_NONE);
    assert_true(verdict.holds);
    view.has_final = false;
    plan_identity(&treasury, &view, &verdict);
    assert_int_equal(verdict.halt, HALT_NONE);
    view.has_final = true;
    view.final.block.number = treasury.anchor.number;
    plan_identity(&treasury, &view, &verdict);
    assert_int_equal(verdict.halt, HALT_ANCHOR_MISMATCH);
}

static void an_account_with_unrecorded_history_is_not_adopted(void **state)
{
    (void)state;
    struct chain_view view = a_view();
    struct signing_log_extent log = { 0 };
    struct verdict verdict;
    view.nonce_latest = 0;
    view.nonce_pending = 1;
    plan_adoption(&view, &log, &verdict);
    assert_int_equal(verdict.halt, HALT_ACCOUNT_HISTORY);
    log = (struct signing_log_extent){ .entries = 1, .first_nonce = 0, .next_nonce = 1 };
    plan_adoption(&view, &log, &verdict);
    assert_int_equal(verdict.halt, HALT_NONE);
    view.nonce_pending = 0;
    log = (struct signing_log_extent){ 0 };
    plan_adoption(&view, &log, &verdict);
    assert_int_equal(verdict.halt, HALT_NONE);
}

struct nonce_case {
    struct treasury treasury;
    struct lane lane;
    struct signing_log_extent log;
    struct chain_view view;
    struct flight flights[3];
};

/* Nonces 5, 6, 7 bound and signed, none included. */
static struct nonce_case three_in_flight(void)
{
    struct nonce_case c = {
        .treasury = a_treasury(),
        .lane = { .has_intents = true, .lowest_unfinished_nonce = 5, .next_nonce = 8, .in_flight = 3 },
        .log = { .entries = 3, .first_nonce = 5, .next_nonce = 8 },
        .view = a_view()
    };
    for (size_t i = 0; i < 3; i++)
        c.flights[i] =
            (struct flight){ .intent = (int64_t)i + 1, .nonce = 5 + i, .kind = INTENT_PAYMENT, .has_attempt = true };
    c.view.nonce_pending = 8;
    return c;
}

static struct verdict judged(const struct nonce_case *c, bool is_current)
{
    struct verdict verdict;
    plan_nonces(&c->treasury, &c->lane, &c->log, &c->view, is_current, c->flights, 3, &verdict);
    return verdict;
}

static void payments_waiting_in_the_pool_hold_nothing_up(void **state)
{
    (void)state;
    struct nonce_case c = three_in_flight();
    struct verdict verdict = judged(&c, true);
    assert_int_equal(verdict.halt, HALT_NONE);
    assert_false(verdict.holds);
}

static void a_signature_the_store_does_not_know_halts(void **state)
{
    (void)state;
    struct nonce_case c = three_in_flight();
    c.log.next_nonce = 9;
    assert_int_equal(judged(&c, true).halt, HALT_STORE_BEHIND_LOG);
    c = three_in_flight();
    c.log.first_nonce = 4;
    assert_int_equal(judged(&c, true).halt, HALT_STORE_BEHIND_LOG);
}

static void a_gap_below_what_is_in_flight_is_named(void **state)
{
    (void)state;
    struct nonce_case c = three_in_flight();
    c.treasury.first_nonce = 5;
    c.view.nonce_latest = c.view.nonce_final = 3;
    struct verdict verdict = judged(&c, true);
    assert_int_equal(verdict.halt, HALT_NONE);
    assert_true(verdict.holds);
    assert_non_null(strstr(verdict.reason, "nonces 3 to 4 of the account are not used"));
    c.treasury.first_nonce = 0;
    assert_true(judged(&c, true).holds);
}

static void a_chain_that_knows_more_nonces_halts(void **state)
{
    (void)state;
    struct nonce_case c = three_in_flight();
    c.view.nonce_latest = 9;
    c.view.nonce_pending = 5;
    assert_int_equal(judged(&c, false).halt, HALT_STORE_BEHIND_CHAIN);
}

static void a_used_nonce_without_our_transaction_holds_until_it_is_final_then_halts(void **state)
{
    (void)state;
    struct nonce_case c = three_in_flight();
    c.view.nonce_latest = 6;
    struct verdict verdict = judged(&c, true);
    assert_int_equal(verdict.halt, HALT_NONE);
    assert_true(verdict.holds);
    c.view.nonce_final = 6;
    assert_int_equal(judged(&c, true).halt, HALT_FOREIGN_NONCE);
}

static void a_nonce_refused_as_low_or_underpriced_holds_what_is_above(void **state)
{
    (void)state;
    static const enum submit_verdict contested[] = { SUBMIT_NONCE_TOO_LOW, SUBMIT_UNDERPRICED, SUBMIT_CONTESTED };
    for (size_t i = 0; i < sizeof contested / sizeof contested[0]; i++) {
        struct nonce_case c = three_in_flight();
        c.flights[1].verdict = contested[i];
        struct verdict verdict = judged(&c, true);
        assert_int_equal(verdict.halt, HALT_NONE);
        assert_true(verdict.holds);
        c.flights[1].verdict = SUBMIT_KNOWN;
        assert_false(judged(&c, true).holds);
    }
}

static void nothing_is_called_foreign_before_all_blocks_are_read(void **state)
{
    (void)state;
    struct nonce_case c = three_in_flight();
    c.view.nonce_latest = c.view.nonce_final = 6;
    struct verdict verdict = judged(&c, false);
    assert_int_equal(verdict.halt, HALT_NONE);
    assert_true(verdict.holds);
}

static void a_stored_attempt_that_the_signing_log_lacks_means_the_log_was_lost(void **state)
{
    (void)state;
    struct intent_record intent = { .nonce = 5, .kind = INTENT_PAYMENT, .has_attempt = true, .value = wei(7) };
    struct signed_payload payload = { 0 };
    struct verdict verdict;
    plan_signature_known(&intent, false, &payload, &verdict);
    assert_int_equal(verdict.halt, HALT_SIGNING_LOG_LOST);
    intent.has_attempt = false;
    plan_signature_known(&intent, false, &payload, &verdict);
    assert_int_equal(verdict.halt, HALT_NONE);
}

static void another_payload_in_the_signing_log_halts(void **state)
{
    (void)state;
    struct intent_record intent = { .nonce = 5, .kind = INTENT_PAYMENT, .has_attempt = false, .value = wei(7) };
    struct signed_payload payload = { .nonce = 5, .has_payment = true, .value = wei(7) };
    struct verdict verdict;
    keccak256("", 0, &payload.data_hash);
    plan_signature_known(&intent, true, &payload, &verdict);
    assert_int_equal(verdict.halt, HALT_NONE);
    intent.data.length_bytes = 1;
    plan_signature_known(&intent, true, &payload, &verdict);
    assert_int_equal(verdict.halt, HALT_STORE_BEHIND_LOG);
    intent.data.length_bytes = 0;
    payload.value = wei(8);
    plan_signature_known(&intent, true, &payload, &verdict);
    assert_int_equal(verdict.halt, HALT_STORE_BEHIND_LOG);
    payload.value = wei(7);
    payload.to.bytes[19] = 1;
    plan_signature_known(&intent, true, &payload, &verdict);
    assert_int_equal(verdict.halt, HALT_STORE_BEHIND_LOG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_right_chain_is_recognised),
        cmocka_unit_test(another_chain_id_halts_without_latching),
        cmocka_unit_test(another_genesis_or_anchor_hash_latches),
        cmocka_unit_test(a_missing_anchor_block_only_holds),
        cmocka_unit_test(another_hash_of_a_node_to_which_the_anchor_is_not_final_only_holds),
        cmocka_unit_test(an_account_with_unrecorded_history_is_not_adopted),
        cmocka_unit_test(payments_waiting_in_the_pool_hold_nothing_up),
        cmocka_unit_test(a_signature_the_store_does_not_know_halts),
        cmocka_unit_test(a_gap_below_what_is_in_flight_is_named),
        cmocka_unit_test(a_chain_that_knows_more_nonces_halts),
        cmocka_unit_test(a_used_nonce_without_our_transaction_holds_until_it_is_final_then_halts),
        cmocka_unit_test(a_nonce_refused_as_low_or_underpriced_holds_what_is_above),
        cmocka_unit_test(nothing_is_called_foreign_before_all_blocks_are_read),
        cmocka_unit_test(a_stored_attempt_that_the_signing_log_lacks_means_the_log_was_lost),
        cmocka_unit_test(another_payload_in_the_signing_log_halts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

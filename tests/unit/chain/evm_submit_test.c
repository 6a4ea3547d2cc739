/* The EVM driver handing over transactions: the verdicts, and the lanes that bring them later. */
#include "evm_fixture.h"

static const uint8_t raw_bytes[3] = { 0x02, 0xc0, 0x01 };

static enum bursar_status hand_over(struct fixture *f, struct submit_result *ret)
{
    struct raw_transaction tx = { .bytes = raw_bytes, .length_bytes = sizeof raw_bytes };
    memset(tx.hash.bytes, 0x11, sizeof tx.hash.bytes);
    f->err = (struct bursar_error){ 0 };
    return f->chain.submit(f->chain.ctx, &tx, 1, ret, &f->err);
}

static void a_submission_is_accepted_when_the_node_names_our_hash(void **state)
{
    struct fixture *f = *state;
    struct submit_result result;
    script_result(&f->script, "eth_sendRawTransaction", "[\"0x02c001\"]", HASH("1"));
    assert_int_equal(hand_over(f, &result), BURSAR_OK);
    assert_int_equal(result.verdict, SUBMIT_ACCEPTED);
    assert_string_equal(result.message, "");
}

static void a_submission_answered_with_another_hash_or_garbage_is_unknown(void **state)
{
    struct fixture *f = *state;
    static const char *const answers[] = { HASH("2"), "null", "true", "\"0x\"", "{}", "\"ok\"" };
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        struct submit_result result;
        script_result(&f->script, "eth_sendRawTransaction", NULL, answers[i]);
        assert_int_equal(hand_over(f, &result), BURSAR_EUNKNOWN);
        assert_int_equal(result.verdict, SUBMIT_UNKNOWN);
        assert_true(strlen(result.message) > 0);
    }
}

static void a_refusal_is_a_verdict_with_the_nodes_words(void **state)
{
    struct fixture *f = *state;
    struct submit_result result;
    script_error(&f->script, "eth_sendRawTransaction", NULL, -32003, "nonce too low");
    assert_int_equal(hand_over(f, &result), BURSAR_OK);
    assert_int_equal(result.verdict, SUBMIT_NONCE_TOO_LOW);
    assert_string_equal(result.message, "nonce too low");
    script_error(&f->script, "eth_sendRawTransaction", NULL, -32603, "Internal error");
    assert_int_equal(hand_over(f, &result), BURSAR_EUNKNOWN);
    assert_int_equal(result.verdict, SUBMIT_UNKNOWN);
}

static void a_line_fault_tells_unsent_from_unknown(void **state)
{
    struct fixture *f = *state;
    struct submit_result result;
    f->script.fault = BURSAR_EUNREACHABLE;
    f->script.fault_outcome = RPC_UNSENT;
    assert_int_equal(hand_over(f, &result), BURSAR_EUNREACHABLE);
    assert_int_equal(result.verdict, SUBMIT_UNSENT);
    f->script.fault = BURSAR_EUNKNOWN;
    f->script.fault_outcome = RPC_UNKNOWN;
    assert_int_equal(hand_over(f, &result), BURSAR_EUNKNOWN);
    assert_int_equal(result.verdict, SUBMIT_UNKNOWN);
    assert_string_equal(result.message, "the line is down");
}

static enum bursar_status start_and_finish(struct fixture *f, size_t lane, struct submit_result *ret)
{
    struct raw_transaction tx = { .bytes = raw_bytes, .length_bytes = sizeof raw_bytes };
    memset(tx.hash.bytes, 0x11, sizeof tx.hash.bytes);
    f->err = (struct bursar_error){ 0 };
    enum bursar_status status = f->chain.submit_start(f->chain.ctx, lane, &tx, 1, &f->err);
    return status == BURSAR_OK ? f->chain.submit_finish(f->chain.ctx, lane, &tx, 1, ret, &f->err) : status;
}

static void a_lane_brings_the_verdicts_when_it_is_finished(void **state)
{
    struct fixture *f = *state;
    struct submit_result result = { 0 };
    assert_int_equal(f->chain.lanes, 0);
    assert_int_equal(evm_chain_add_lane(f->evm, script_interface(&f->script), &f->err), BURSAR_OK);
    f->chain = evm_chain_interface(f->evm);
    assert_int_equal(f->chain.lanes, 1);
    script_result(&f->script, "eth_sendRawTransaction", "[\"0x02c001\"]", HASH("1"));
    assert_int_equal(start_and_finish(f, 0, &result), BURSAR_OK);
    assert_int_equal(result.verdict, SUBMIT_ACCEPTED);
    script_error(&f->script, "eth_sendRawTransaction", NULL, -32003, "nonce too low");
    assert_int_equal(start_and_finish(f, 0, &result), BURSAR_OK);
    assert_int_equal(result.verdict, SUBMIT_NONCE_TOO_LOW);
    f->script.fault = BURSAR_EUNKNOWN;
    f->script.fault_outcome = RPC_UNKNOWN;
    assert_int_equal(start_and_finish(f, 0, &result), BURSAR_EUNKNOWN);
    assert_int_equal(result.verdict, SUBMIT_UNKNOWN);
    assert_int_equal(start_and_finish(f, 1, &result), BURSAR_EINTERNAL);
}

static void there_are_only_so_many_lanes(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < CHAIN_LANES_MAX_COUNT; i++)
        assert_int_equal(evm_chain_add_lane(f->evm, script_interface(&f->script), &f->err), BURSAR_OK);
    assert_int_equal(evm_chain_add_lane(f->evm, script_interface(&f->script), &f->err), BURSAR_ELIMIT);
}

#define LOOK(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LOOK(a_submission_is_accepted_when_the_node_names_our_hash),
        LOOK(a_submission_answered_with_another_hash_or_garbage_is_unknown),
        LOOK(a_refusal_is_a_verdict_with_the_nodes_words),
        LOOK(a_line_fault_tells_unsent_from_unknown),
        LOOK(a_lane_brings_the_verdicts_when_it_is_finished),
        LOOK(there_are_only_so_many_lanes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

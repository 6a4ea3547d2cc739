/* The EVM driver asked what calls would use, and what contracts say. */
#include "evm_fixture.h"

#define ADDRESS(d) "0x" d d d d d d d d d d d d d d d d d d d d
#define CALL(to, value)                                                                                                \
    "[{\"from\":\"" ADDRESS("aa") "\",\"to\":\"" ADDRESS(to) "\",\"value\":\"" value                                   \
                                                             "\",\"gas\":\"0xf4240\"},{\"blockHash\":" HASH("e") "}]"

static enum bursar_status estimate(struct fixture *f, size_t count, struct chain_estimate *ret)
{
    struct chain_trial trial = { .at.number = 8, .gas_max = 1000000 };
    struct chain_payload calls[2] = { { .value = bursar_amount_from_u64(1000) }, { .data_bytes = 0 } };
    memset(trial.at.hash.bytes, 0xee, sizeof trial.at.hash.bytes);
    memset(trial.from.bytes, 0xaa, sizeof trial.from.bytes);
    memset(calls[0].to.bytes, 0x44, sizeof calls[0].to.bytes);
    memset(calls[1].to.bytes, 0x55, sizeof calls[1].to.bytes);
    f->err = (struct bursar_error){ 0 };
    return f->chain.estimate(f->chain.ctx, &trial, calls, count, ret, &f->err);
}

static void each_estimate_is_an_answer_of_its_own(void **state)
{
    struct fixture *f = *state;
    struct chain_estimate got[2];
    script_result(&f->script, "eth_estimateGas", CALL("44", "0x3e8"), "\"0x7530\"");
    script_error(&f->script, "eth_estimateGas", CALL("55", "0x0"), 3, "execution reverted: not today");
    assert_int_equal(estimate(f, 2, got), BURSAR_OK);
    assert_int_equal(got[0].outcome, ESTIMATE_GAS);
    assert_int_equal(got[0].gas, 30000);
    assert_int_equal(got[1].outcome, ESTIMATE_REVERTS);
    assert_string_equal(got[1].words, "execution reverted: not today");
    assert_int_equal(f->script.batches, 1);
    script_error(&f->script, "eth_estimateGas", NULL, -32000, "gas required exceeds allowance (1000000)");
    assert_int_equal(estimate(f, 1, got), BURSAR_OK);
    assert_int_equal(got[0].outcome, ESTIMATE_EXCEEDS);
}

static void what_a_contract_says_is_decoded(void **state)
{
    struct fixture *f = *state;
    struct chain_estimate got;
    script_refusal(
        &f->script, "eth_estimateGas", 3, "execution reverted",
        "0x08c379a0000000000000000000000000000000000000000000000000000000000000002000000000000000000000000000000000"
        "000000000000000000000000000000046e6f706500000000000000000000000000000000000000000000000000000000");
    assert_int_equal(estimate(f, 1, &got), BURSAR_OK);
    assert_string_equal(got.words, "nope");
    script_refusal(&f->script, "eth_estimateGas", -32000, "execution reverted", "Reverted 0x08c379a0");
    assert_int_equal(estimate(f, 1, &got), BURSAR_OK);
    assert_int_equal(got.outcome, ESTIMATE_REVERTS);
    assert_string_equal(got.words, "execution reverted");
}

static void an_estimate_that_fails_is_no_fact(void **state)
{
    struct fixture *f = *state;
    struct chain_estimate got;
    static const char *const results[] = { "null", "\"0x0\"", "\"0xzz\"", "7" };
    for (size_t i = 0; i < sizeof results / sizeof results[0]; i++) {
        script_result(&f->script, "eth_estimateGas", NULL, results[i]);
        assert_int_equal(estimate(f, 1, &got), BURSAR_OK);
        assert_int_equal(got.outcome, ESTIMATE_UNKNOWN);
    }
    script_error(&f->script, "eth_estimateGas", NULL, -32005, "limit exceeded");
    assert_int_equal(estimate(f, 1, &got), BURSAR_OK);
    assert_int_equal(got.outcome, ESTIMATE_UNKNOWN);
    assert_non_null(strstr(got.words, "limit exceeded"));
    script_error(&f->script, "eth_estimateGas", NULL, -32001, "Resource not found");
    assert_int_equal(estimate(f, 1, &got), BURSAR_ESTALE);
    f->script.fault = BURSAR_EUNREACHABLE;
    f->script.fault_outcome = RPC_UNSENT;
    assert_int_equal(estimate(f, 1, &got), BURSAR_EUNREACHABLE);
}

static void a_node_that_lets_no_block_be_named_estimates_without(void **state)
{
    struct fixture *f = *state;
    struct chain_estimate got;
    script_error(&f->script, "eth_estimateGas", NULL, -32602, "too many arguments, want at most 1");
    script_result(
        &f->script, "eth_estimateGas",
        "[{\"from\":\"" ADDRESS("aa") "\",\"to\":\"" ADDRESS("44") "\",\"value\":\"0x3e8\",\"gas\":\"0xf4240\"}]",
        "\"0x7530\"");
    assert_int_equal(estimate(f, 1, &got), BURSAR_OK);
    assert_int_equal(got.outcome, ESTIMATE_GAS);
    assert_int_equal(f->script.calls, 3);
    assert_int_equal(estimate(f, 1, &got), BURSAR_OK);
    assert_int_equal(f->script.calls, 4); /* it is remembered */
}

#define LOOK(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LOOK(each_estimate_is_an_answer_of_its_own),
        LOOK(what_a_contract_says_is_decoded),
        LOOK(an_estimate_that_fails_is_no_fact),
        LOOK(a_node_that_lets_no_block_be_named_estimates_without),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

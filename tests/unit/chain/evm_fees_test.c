/* What is suggested as a fee. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "chain/evm_codec.h"
#include "chain/evm_fees.h"

#define GWEI UINT64_C(1000000000)

static enum bursar_status read_text(const char *text, uint64_t latest_base_fee, struct evm_fees *ret)
{
    struct bursar_error err = { 0 };
    json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);
    assert_non_null(value);
    enum bursar_status status = evm_read_fees(value, latest_base_fee, ret, &err);
    json_decref(value);
    return status;
}

static void the_median_of_the_tips_that_were_paid_is_suggested(void **state)
{
    (void)state;
    uint64_t odd[] = { 0, 9 * GWEI, 0, 3 * GWEI, 5 * GWEI };
    assert_true(evm_priority_fee(odd, 5, 0) == 5 * GWEI);
    uint64_t even[] = { 9 * GWEI, 3 * GWEI, 5 * GWEI, 7 * GWEI };
    assert_true(evm_priority_fee(even, 4, 0) == 5 * GWEI);
}

static void without_tips_a_tenth_of_the_base_fee_up_to_a_gwei_is_suggested(void **state)
{
    (void)state;
    uint64_t zeros[] = { 0, 0, 0 };
    assert_true(evm_priority_fee(zeros, 3, 5 * GWEI) == GWEI / 2);
    assert_true(evm_priority_fee(zeros, 3, 500 * GWEI) == GWEI);
    assert_true(evm_priority_fee(NULL, 0, 7) == 1);
    assert_true(evm_priority_fee(NULL, 0, 0) == 1);
}

static void a_tip_below_the_floor_is_raised_to_it(void **state)
{
    (void)state;
    uint64_t tiny[] = { 1, 1, 1 };
    assert_true(evm_priority_fee(tiny, 3, 50 * GWEI) == GWEI);
}

static void the_last_base_fee_is_that_of_the_next_block(void **state)
{
    (void)state;
    struct evm_fees fees;
    assert_int_equal(read_text("{\"oldestBlock\":\"0x1\",\"baseFeePerGas\":[\"0x64\",\"0x65\",\"0x66\"],"
                               "\"gasUsedRatio\":[0.5,1.0],\"reward\":[[\"0x14\"],[\"0x15\"]]}",
                               0x65, &fees),
                     BURSAR_OK);
    assert_int_equal(fees.next_base_fee_per_gas_wei, 0x66);
    assert_int_equal(fees.suggested_priority_fee_per_gas_wei, 0x14);
}

static void a_node_without_history_gets_the_most_that_the_base_fee_can_rise_to(void **state)
{
    (void)state;
    struct evm_fees fees;
    assert_int_equal(read_text("{\"baseFeePerGas\":[],\"reward\":null}", 800, &fees), BURSAR_OK);
    assert_int_equal(fees.next_base_fee_per_gas_wei, 901);
    assert_int_equal(read_text("{\"baseFeePerGas\":[]}", EVM_NUMBER_MAX, &fees), BURSAR_OK);
    assert_true(fees.next_base_fee_per_gas_wei == EVM_NUMBER_MAX);
}

static void more_history_than_asked_for_is_bounded_to_the_newest(void **state)
{
    (void)state;
    struct evm_fees fees;
    struct bursar_error err = { 0 };
    json_t *rewards = json_array();
    for (int i = 0; i < 1000; i++)
        json_array_append_new(rewards, json_pack("[s]", i < 980 ? "0xff" : "0x7"));
    json_t *history = json_pack("{s:[s],s:o}", "baseFeePerGas", "0x0", "reward", rewards);
    assert_int_equal(evm_read_fees(history, 0, &fees, &err), BURSAR_OK);
    assert_int_equal(fees.suggested_priority_fee_per_gas_wei, 7);
    json_decref(history);
}

static void malformed_history_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "null",
        "7",
        "{}",
        "{\"baseFeePerGas\":null}",
        "{\"baseFeePerGas\":\"0x1\"}",
        "{\"baseFeePerGas\":[1]}",
        "{\"baseFeePerGas\":[\"0x8000000000000000\"]}",
        "{\"baseFeePerGas\":[\"0x1\"],\"reward\":7}",
        "{\"baseFeePerGas\":[\"0x1\"],\"reward\":[\"0x1\"]}",
        "{\"baseFeePerGas\":[\"0x1\"],\"reward\":[[]]}",
        "{\"baseFeePerGas\":[\"0x1\"],\"reward\":[[\"0x1\",\"0x2\"]]}",
        "{\"baseFeePerGas\":[\"0x1\"],\"reward\":[[\"0xffffffffffffffffffff\"]]}",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct evm_fees fees;
        if (read_text(texts[i], 1, &fees) != BURSAR_EPROTOCOL)
            fail_msg("%s was taken", texts[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_median_of_the_tips_that_were_paid_is_suggested),
        cmocka_unit_test(without_tips_a_tenth_of_the_base_fee_up_to_a_gwei_is_suggested),
        cmocka_unit_test(a_tip_below_the_floor_is_raised_to_it),
        cmocka_unit_test(the_last_base_fee_is_that_of_the_next_block),
        cmocka_unit_test(a_node_without_history_gets_the_most_that_the_base_fee_can_rise_to),
        cmocka_unit_test(more_history_than_asked_for_is_bounded_to_the_newest),
        cmocka_unit_test(malformed_history_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

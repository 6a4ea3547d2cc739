/* What is stuck: one cause and one action each, with exact amounts. */
#include "doctor/blocked.h"

#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct bursar_address ACCOUNT = { { 0xaa } };

static struct bursar_amount wei(uint64_t value)
{
    return bursar_amount_from_u64(value);
}

static void missing_funds_are_named_to_the_wei(void **state)
{
    (void)state;
    struct disbursement_record record = { .blocked = BLOCK_FUNDS, .amount = wei(1000) };
    struct snapshot snapshot = { .has_available = true, .available = wei(300), .gas_cost = wei(21) };
    struct blocked_text text;
    assert_true(blocked_describe(&record, &snapshot, &ACCOUNT, &text));
    assert_non_null(strstr(text.cause, "0.000000000000000721 ETH missing")); /* 1000 + 21 - 300 */
    assert_non_null(strstr(text.action, "0.000000000000000721 ETH"));
    assert_non_null(strcasestr(text.action, "0xaa00000000000000000000000000000000000000"));
}

static void enough_funds_by_now_ask_for_nothing(void **state)
{
    (void)state;
    struct disbursement_record record = { .blocked = BLOCK_FUNDS, .amount = wei(1000) };
    struct snapshot snapshot = { .has_available = true, .available = wei(1021), .gas_cost = wei(21) };
    struct blocked_text text;
    assert_true(blocked_describe(&record, &snapshot, &ACCOUNT, &text));
    assert_non_null(strstr(text.action, "nothing"));
    snapshot.available = wei(1020);
    assert_true(blocked_describe(&record, &snapshot, &ACCOUNT, &text));
    assert_non_null(strstr(text.action, "0.000000000000000001 ETH"));
}

static void a_contract_needs_more_for_its_fee(void **state)
{
    (void)state;
    struct disbursement_record record = { .blocked = BLOCK_FUNDS, .amount = wei(1000), .blocked_gas = 50000 };
    struct snapshot snapshot = { .has_available = true, .available = wei(300), .gas_cost = wei(2 * 21000) };
    struct blocked_text text;
    assert_true(blocked_describe(&record, &snapshot, &ACCOUNT, &text));
    assert_non_null(strstr(text.cause, "0.0000000000001007 ETH missing")); /* 1000 + 100000 - 300 */
}

static void a_refusal_says_the_contracts_words_and_when_it_is_asked_again(void **state)
{
    (void)state;
    struct disbursement_record record = { .blocked = BLOCK_REVERTS,
                                          .blocked_note = "not before May",
                                          .recheck_number = 1234 };
    struct snapshot snapshot = { 0 };
    struct blocked_text text;
    assert_true(blocked_describe(&record, &snapshot, &ACCOUNT, &text));
    assert_non_null(strstr(text.cause, "not before May"));
    assert_non_null(strstr(text.action, "1234"));
}

static void a_dependency_is_named_with_its_state(void **state)
{
    (void)state;
    struct disbursement_record record = { .blocked = BLOCK_DEPENDENCY,
                                          .blocked_on_ref = "salary-7",
                                          .blocked_on_state = STATE_CANCELLED };
    struct snapshot snapshot = { 0 };
    struct blocked_text text;
    assert_true(blocked_describe(&record, &snapshot, &ACCOUNT, &text));
    assert_non_null(strstr(text.cause, "salary-7"));
    assert_non_null(strstr(text.cause, "cancelled"));
}

static void what_is_not_blocked_has_no_text(void **state)
{
    (void)state;
    struct disbursement_record record = { .blocked = BLOCK_NONE };
    struct snapshot snapshot = { 0 };
    struct blocked_text text;
    assert_false(blocked_describe(&record, &snapshot, &ACCOUNT, &text));
}

static void every_reason_has_a_cause_and_an_action(void **state)
{
    (void)state;
    struct snapshot snapshot = { 0 };
    static const enum block_code codes[] = { BLOCK_FUNDS, BLOCK_DESTINATION_CODE, BLOCK_DEPENDENCY, BLOCK_FAILED,
                                             BLOCK_TOKEN };
    for (size_t i = 0; i < COUNT_OF(codes); i++) {
        struct disbursement_record record = { .id = 4, .blocked = codes[i] };
        struct blocked_text text = { 0 };
        assert_true(blocked_describe(&record, &snapshot, &ACCOUNT, &text));
        assert_true(strlen(text.cause) > 10 && strlen(text.action) > 10);
    }
    for (int code = HALT_WRONG_CHAIN; code <= HALT_CHAIN_UNSUITABLE; code++)
        assert_true(strlen(halt_action((enum halt_code)code)) > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(missing_funds_are_named_to_the_wei),
        cmocka_unit_test(enough_funds_by_now_ask_for_nothing),
        cmocka_unit_test(a_dependency_is_named_with_its_state),
        cmocka_unit_test(what_is_not_blocked_has_no_text),
        cmocka_unit_test(every_reason_has_a_cause_and_an_action),
        cmocka_unit_test(a_contract_needs_more_for_its_fee),
        cmocka_unit_test(a_refusal_says_the_contracts_words_and_when_it_is_asked_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What a payment says to the chain, from what its tokens are paid, and what their logs say was paid. */
#include "planner_fixture.h"

#include "base/cleanup.h"
#include "eth/abi.h"

#define TOKEN_A                                                                                                        \
    {                                                                                                                  \
        .is_token = true, .token = { { 0xa0 } }                                                                        \
    }
#define TOKEN_B                                                                                                        \
    {                                                                                                                  \
        .is_token = true, .token = { { 0xb0 } }                                                                        \
    }

static void a_token_is_told_to_move_what_is_owed(void **state)
{
    (void)state;
    const struct due_row row = { .asset = TOKEN_A, .destination = { { 7 } }, .amount = wei(500) };
    struct bursar_address to, recipient;
    struct bursar_amount value, amount;
    struct call_data data;
    plan_payment(&row, false, &to, &value, &data);
    assert_int_equal(to.bytes[0], 0xa0);
    assert_true(bursar_amount_is_zero(value));
    assert_true(abi_transfer_decode(data.bytes, data.length_bytes, &recipient, &amount));
    assert_int_equal(recipient.bytes[0], 7);
    assert_int_equal(bursar_amount_compare(amount, wei(500)), 0);
}

static void a_tag_follows_what_is_paid_and_takes_its_gas(void **state)
{
    (void)state;
    struct due_row rows[2] = {
        { .id = 1, .destination = { { 7 } }, .amount = wei(500), .content_hash = { { 0xcc, 1 } } },
        { .id = 2, .destination = { { 7 } }, .amount = wei(500), .content_hash = { { 0xcc, 2 } } }
    };
    struct bursar_address to;
    struct bursar_amount value;
    struct call_data data;
    plan_payment(&rows[0], true, &to, &value, &data);
    assert_int_equal(data.length_bytes, TAG_BYTES);
    assert_memory_equal(data.bytes, rows[0].content_hash.bytes, TAG_BYTES);
    struct outlook outlooks[2] = { { .kind = OUTLOOK_TRANSFER }, { .kind = OUTLOOK_TRANSFER } };
    struct binding bindings[2];
    struct block_decision blocks[2];
    struct spending_plan plan = { .bindings = bindings, .blocks = blocks };
    const struct spending_terms terms = { .max_fee_per_gas_wei = 1, .available = wei(100000), .tags = true };
    plan_spending(rows, outlooks, 2, &terms, &plan);
    assert_int_equal(plan.binding_count, 2);
    assert_int_equal(bindings[1].gas_limit, TRANSFER_GAS + TAG_GAS);
    assert_int_equal(bindings[1].data.bytes[1], 2);
    rows[0].asset = (struct asset)TOKEN_A;
    plan_payment(&rows[0], true, &to, &value, &data);
    assert_int_equal(data.length_bytes, ABI_TRANSFER_BYTES + TAG_BYTES);
    assert_memory_equal(data.bytes + ABI_TRANSFER_BYTES, rows[0].content_hash.bytes, TAG_BYTES);
}

static void each_token_has_a_purse_of_its_own_and_all_need_coins_for_gas(void **state)
{
    (void)state;
    const struct due_row rows[6] = {
        { .id = 1, .asset = TOKEN_A, .amount = wei(60) },
        { .id = 2, .asset = TOKEN_A, .amount = wei(60) },
        { .id = 3, .asset = TOKEN_B, .amount = wei(60) },
        { .id = 4, .asset = TOKEN_A, .amount = wei(40) },
        { .id = 5, .amount = wei(60) },
        { .id = 6, .asset = TOKEN_A, .amount = wei(101) },
    };
    const bool has_code[6] = { false };
    const struct flight flight = { .to = { { 0xb0 } } };
    struct purse purses[PURSES_MAX_COUNT];
    struct outlook outlooks[6];
    struct binding bindings[6];
    struct block_decision blocks[6];
    struct spending_plan plan = { .bindings = bindings, .blocks = blocks };
    const struct bursar_amount balance = wei(100);
    assert_int_equal(plan_purses(rows, 6, purses), 2);
    plan_purse_available(&purses[0], &balance, &flight, 1);
    struct spending_terms terms = { .next_nonce = 3,
                                    .head_number = 70,
                                    .max_fee_per_gas_wei = 1,
                                    .available = wei(2 * 70000 + 21000 + 60),
                                    .purses = purses,
                                    .purse_count = 2 };
    plan_outlooks(rows, has_code, 6, true, 9, 1, &terms.available, purses, 2, outlooks);
    assert_int_equal(outlooks[2].kind, OUTLOOK_UNKNOWN); /* its balance was not told */
    assert_int_equal(outlooks[4].kind, OUTLOOK_TRANSFER);
    assert_int_equal(outlooks[5].kind, OUTLOOK_NO_TOKENS);
    for (size_t i = 0; i < 6; i++) {
        if (outlooks[i].kind == OUTLOOK_ESTIMATED)
            outlooks[i].estimate = (struct chain_estimate){ .outcome = ESTIMATE_GAS, .gas = 50000 };
    }
    plan_spending(rows, outlooks, 6, &terms, &plan);
    assert_int_equal(plan.binding_count, 3); /* 60 + 40 of A, and the coins */
    assert_int_equal(bindings[0].disbursement, 1);
    assert_int_equal(bindings[0].to.bytes[0], 0xa0);
    assert_int_equal(bindings[0].data.length_bytes, ABI_TRANSFER_BYTES);
    assert_int_equal(bindings[1].disbursement, 4);
    assert_int_equal(bindings[2].disbursement, 5);
    assert_int_equal(bindings[2].data.length_bytes, 0);
    assert_int_equal(bindings[2].nonce, 5);
    assert_int_equal(plan.block_count, 3);
    assert_int_equal(blocks[0].disbursement, 2);
    assert_int_equal(blocks[0].code, BLOCK_FUNDS);
    assert_int_equal(blocks[0].recheck_number, 0);
    assert_string_equal(blocks[0].note, "20");
    assert_int_equal(blocks[1].code, BLOCK_UNESTIMATED);
    assert_int_equal(blocks[2].code, BLOCK_FUNDS);
    assert_int_equal(blocks[2].recheck_number, 0); /* woken by tokens */
    assert_string_equal(blocks[2].note, "1");      /* is missing */
    assert_true(bursar_amount_is_zero(plan.available));
    plan_outlooks(rows, has_code, 6, false, 9, 1, &balance, purses, 2, outlooks);
    plan_spending(rows, outlooks, 1, &terms, &plan);
    assert_int_equal(blocks[0].code, BLOCK_TOKEN); /* this chain can't try it out */
}

static void tokens_in_flight_are_reserved(void **state)
{
    (void)state;
    struct flight flights[3] = { { .to = { { 0xa0 } } },
                                 { .to = { { 0xb0 } } },
                                 { .to = { { 0xa0 } }, .value = wei(9) } };
    struct purse purse = { .token = { { 0xa0 } } };
    const struct bursar_address anybody = { { 1 } };
    struct bursar_amount balance = wei(100);
    for (size_t i = 0; i < 2; i++) {
        abi_transfer_encode(&anybody, wei(30), flights[i].data.bytes);
        flights[i].data.length_bytes = ABI_TRANSFER_BYTES;
    }
    plan_purse_available(&purse, &balance, flights, 3);
    assert_int_equal(bursar_amount_compare(purse.available, wei(70)), 0);
    balance = wei(29);
    plan_purse_available(&purse, &balance, flights, 3);
    assert_true(bursar_amount_is_zero(purse.available));
}

static struct final_attempt final_of(uint64_t moved, bool succeeded, bool has_more)
{
    const struct bursar_address to = { { 7 } };
    struct included_attempt included = { .purpose = SIGN_PAYMENT, .to = { { 0xa0 } } };
    struct chain_receipt receipt = { .is_present = true,
                                     .succeeded = succeeded,
                                     .transfers = { { { { 9 } }, wei(5000) }, { to, wei(moved) } },
                                     .transfer_count = moved ? 2 : 1,
                                     .has_more_transfers = has_more };
    struct final_attempt final;
    abi_transfer_encode(&to, wei(500), included.data.bytes);
    included.data.length_bytes = ABI_TRANSFER_BYTES;
    plan_final(&included, &receipt, &final);
    return final;
}

static void of_a_token_the_logs_say_what_was_paid(void **state)
{
    (void)state;
    struct final_attempt final = final_of(500, true, false);
    assert_true(final.succeeded && !final.is_short && !final.is_unpaid);
    final = final_of(495, true, false);
    assert_true(final.succeeded && final.is_short && !final.is_unpaid);
    assert_int_equal(bursar_amount_compare(final.short_by, wei(5)), 0);
    final = final_of(0, true, false);
    assert_true(final.is_unpaid && !final.is_short);
    final = final_of(0, true, true); /* may have been among the others: nobody pays it again unasked */
    assert_true(final.is_short && !final.is_unpaid);
    final = final_of(0, false, false);
    assert_true(!final.succeeded && !final.is_short && !final.is_unpaid);
}

static void what_left_the_account_is_value_and_fees_or_fees_alone(void **state)
{
    (void)state;
    const struct {
        int purpose;
        bool succeeded;
        uint64_t paid;
    } cases[] = { { SIGN_PAYMENT, true, 21000 * 9 + 70 + 500 },
                  { SIGN_REPLACEMENT, true, 21000 * 9 + 70 + 500 },
                  { SIGN_PAYMENT, false, 21000 * 9 + 70 },
                  { SIGN_SELF, true, 21000 * 9 + 70 } };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct included_attempt included = { .nonce = 4, .purpose = cases[i].purpose, .value = wei(500) };
        const struct chain_receipt receipt = { .is_present = true,
                                               .succeeded = cases[i].succeeded,
                                               .gas_used = 21000,
                                               .effective_gas_price_wei = 9,
                                               .other_fee_wei = wei(70) };
        struct final_attempt final;
        plan_final(&included, &receipt, &final);
        assert_int_equal(final.nonce, 4);
        assert_int_equal(bursar_amount_compare(final.paid, wei(cases[i].paid)), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_is_told_to_move_what_is_owed),
        cmocka_unit_test(a_tag_follows_what_is_paid_and_takes_its_gas),
        cmocka_unit_test(each_token_has_a_purse_of_its_own_and_all_need_coins_for_gas),
        cmocka_unit_test(tokens_in_flight_are_reserved),
        cmocka_unit_test(of_a_token_the_logs_say_what_was_paid),
        cmocka_unit_test(what_left_the_account_is_value_and_fees_or_fees_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What the planner has to do with the money breaker: how much is bound before a limit, and what a final transaction has
 * taken out of the account. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "eth/abi.h"
#include "executor/planner.h"

static struct bursar_amount wei(uint64_t value)
{
    return bursar_amount_from_u64(value);
}

static void assert_amount(struct bursar_amount amount, uint64_t value)
{
    assert_int_equal(bursar_amount_compare(amount, wei(value)), 0);
}

/* -- limits ---------------------------------------------------------------------------------------------- */

struct spending {
    struct money_limits limits;
    struct money_spent spent;
    struct binding bindings[4];
    struct block_decision blocks[4];
    struct spending_plan plan;
};

/* Four rows of 100 wei; the second is more than there is. */
static void plan_rows(struct spending *s)
{
    static const struct due_row rows[4] = { { .id = 1, .amount = { { 100 } } },
                                            { .id = 2, .amount = { { 1000000 } } },
                                            { .id = 3, .amount = { { 100 } } },
                                            { .id = 4, .amount = { { 100 } } } };
    struct outlook outlooks[4] = { 0 };
    const struct spending_terms terms = {
        .next_nonce = 9, .max_fee_per_gas_wei = 1, .available = wei(4 * 21100), .limits = &s->limits, .spent = &s->spent
    };
    s->plan = (struct spending_plan){ .bindings = s->bindings, .blocks = s->blocks };
    plan_spending(rows, outlooks, 4, &terms, &s->plan);
}

static void rows_up_to_the_limit_are_bound_and_the_one_above_is_named(void **state)
{
    (void)state;
    struct spending s = { .limits = { .rates = { { .per_hour = wei(250) } }, .rate_count = 1 },
                          .spent = { .spent = { wei(50) } } };
    plan_rows(&s);
    assert_int_equal(s.plan.binding_count, 2);
    assert_int_equal(s.bindings[1].disbursement, 3);
    assert_amount(s.bindings[1].amount, 100);
    assert_false(s.bindings[1].asset.is_token);
    assert_int_equal(s.plan.over, 4);
    assert_ptr_equal(s.plan.over_rate, &s.limits.rates[0]);
    assert_int_equal(s.plan.block_count, 1); /* what can't be afforded is not what exceeds */
    assert_amount(s.plan.available, 2 * 21100);
    s.limits = (struct money_limits){ .payments_per_hour = 2 };
    s.spent = (struct money_spent){ .payments = 1 };
    plan_rows(&s);
    assert_int_equal(s.plan.binding_count, 1);
    assert_int_equal(s.plan.over, 3);
    assert_null(s.plan.over_rate);
    assert_amount(s.plan.available, 3 * 21100);
}

static void rows_that_just_fit_exceed_nothing(void **state)
{
    (void)state;
    struct spending s = { .limits = {
                              .payments_per_hour = 3, .rates = { { .per_hour = wei(300) } }, .rate_count = 1 } };
    plan_rows(&s);
    assert_int_equal(s.plan.binding_count, 3);
    assert_int_equal(s.plan.over, 0);
    assert_int_equal(s.spent.payments, 3);
    assert_amount(s.spent.spent[0], 300);
    plan_rows(&s);
    assert_int_equal(s.plan.binding_count, 0);
    assert_int_equal(s.plan.over, 1);
}

/* -- what was taken -------------------------------------------------------------------------------------- */

static const struct chain_receipt MINED = {
    .is_present = true, .succeeded = true, .gas_used = 21000, .effective_gas_price_wei = 3
};

static struct bursar_amount paid(int purpose, struct bursar_amount value, const struct chain_receipt *receipt)
{
    const struct included_attempt included = { .purpose = purpose, .value = value };
    struct final_attempt final;
    plan_final(&included, receipt, &final);
    return final.paid;
}

static void a_payment_takes_its_value_and_its_fees(void **state)
{
    (void)state;
    struct chain_receipt receipt = MINED;
    assert_amount(paid(SIGN_PAYMENT, wei(500), &receipt), 63500);
    assert_amount(paid(SIGN_REPLACEMENT, wei(500), &receipt), 63500);
    receipt.other_fee_wei = wei(7);
    assert_amount(paid(SIGN_PAYMENT, wei(500), &receipt), 63507);
}

static void a_reverted_one_and_a_transfer_to_self_take_their_fees(void **state)
{
    (void)state;
    struct chain_receipt receipt = MINED;
    receipt.other_fee_wei = wei(7);
    assert_amount(paid(SIGN_SELF, wei(500), &receipt), 63007); /* its intent's value stays where it is */
    receipt.succeeded = false;
    assert_amount(paid(SIGN_SELF, wei(500), &receipt), 63007);
    assert_amount(paid(SIGN_PAYMENT, wei(500), &receipt), 63007);
}

static void a_tokens_payment_takes_none_of_the_coin_but_fees(void **state)
{
    (void)state;
    const struct bursar_address to = { { 7 } };
    struct included_attempt included = { .purpose = SIGN_PAYMENT, .to = { { 0xa0 } } };
    struct final_attempt final;
    abi_transfer_encode(&to, wei(500), included.data.bytes);
    included.data.length_bytes = ABI_TRANSFER_BYTES;
    plan_final(&included, &MINED, &final);
    assert_amount(final.paid, 63000);
}

static void what_no_amount_can_hold_is_the_largest_there_is(void **state)
{
    (void)state;
    struct bursar_amount largest;
    struct chain_receipt receipt = MINED;
    memset(&largest, 0xff, sizeof largest);
    assert_int_equal(bursar_amount_compare(paid(SIGN_PAYMENT, largest, &receipt), largest), 0);
    receipt.other_fee_wei = largest;
    assert_int_equal(bursar_amount_compare(paid(SIGN_PAYMENT, wei(0), &receipt), largest), 0);
    receipt = MINED;
    receipt.gas_used = receipt.effective_gas_price_wei = UINT64_MAX; /* fits */
    assert_true(bursar_amount_compare(paid(SIGN_SELF, largest, &receipt), largest) < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_up_to_the_limit_are_bound_and_the_one_above_is_named),
        cmocka_unit_test(rows_that_just_fit_exceed_nothing),
        cmocka_unit_test(a_payment_takes_its_value_and_its_fees),
        cmocka_unit_test(a_reverted_one_and_a_transfer_to_self_take_their_fees),
        cmocka_unit_test(a_tokens_payment_takes_none_of_the_coin_but_fees),
        cmocka_unit_test(what_no_amount_can_hold_is_the_largest_there_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What of the rows due is bound, and why the others are passed over, and the epoch it counts in. */
#include "planner_fixture.h"

static void affordable_rows_go_on_behind_unaffordable_ones(void **state)
{
    (void)state;
    struct due_row rows[4] = { { .id = 1, .version = 1, .amount = wei(100) },
                               { .id = 2, .version = 1, .amount = wei(1000000) },
                               { .id = 3, .version = 4, .amount = wei(100) },
                               { .id = 4, .version = 1, .amount = wei(101) } };
    struct outlook outlooks[4] = { 0 };
    struct binding bindings[4];
    struct block_decision blocks[4];
    struct spending_plan plan = { .bindings = bindings, .blocks = blocks };
    const struct spending_terms terms = {
        .next_nonce = 9, .head_number = 50, .max_fee_per_gas_wei = 1, .available = wei(2 * (21000 + 100) + 21000 + 100)
    };
    plan_spending(rows, outlooks, 4, &terms, &plan);
    assert_int_equal(plan.binding_count, 2);
    assert_int_equal(bindings[0].disbursement, 1);
    assert_int_equal(bindings[0].nonce, 9);
    assert_int_equal(bindings[1].disbursement, 3);
    assert_int_equal(bindings[1].version, 4);
    assert_int_equal(bindings[1].nonce, 10);
    assert_int_equal(plan.block_count, 2);
    assert_int_equal(blocks[0].disbursement, 2);
    assert_int_equal(blocks[0].code, BLOCK_FUNDS);
    assert_int_equal(blocks[0].recheck_number, 0); /* money wakes it */
    assert_int_equal(blocks[1].disbursement, 4);
    assert_int_equal(bursar_amount_compare(plan.available, wei(21100)), 0);
}

static struct outlook estimated(enum estimate_outcome outcome, uint64_t gas)
{
    return (struct outlook){ .kind = OUTLOOK_ESTIMATED,
                             .estimate = { .outcome = outcome, .gas = gas, .words = "because" } };
}

static void what_is_refused_is_passed_over_and_costs_nothing(void **state)
{
    (void)state;
    struct due_row rows[7] = {
        { .id = 1 }, { .id = 2, .looks = 2 }, { .id = 3, .looks = 60 }, { .id = 4 }, { .id = 5 }, { .id = 6 },
        { .id = 7 }
    };
    struct outlook outlooks[7] = { estimated(ESTIMATE_REVERTS, 0), estimated(ESTIMATE_UNKNOWN, 0),
                                   estimated(ESTIMATE_EXCEEDS, 0), { .kind = OUTLOOK_IMPOSSIBLE },
                                   { .kind = OUTLOOK_LATER },      { .kind = OUTLOOK_UNFUNDED },
                                   { .kind = OUTLOOK_TRANSFER } };
    static const struct block_decision wanted[] = { { 1, 0, BLOCK_REVERTS, 1005, 0, "because" },
                                                    { 2, 0, BLOCK_UNESTIMATED, 1004, 0, "because" },
                                                    { 3, 0, BLOCK_GAS, 1320, 0, "because" },
                                                    { 4, 0, BLOCK_DESTINATION_CODE, 0, 0, NULL },
                                                    { 6, 0, BLOCK_FUNDS, 1005, 0, NULL } };
    struct binding bindings[7];
    struct block_decision blocks[7];
    struct spending_plan plan = { .bindings = bindings, .blocks = blocks };
    const struct spending_terms terms = {
        .next_nonce = 0, .head_number = 1000, .max_fee_per_gas_wei = 1, .available = wei(21000)
    };
    plan_spending(rows, outlooks, 7, &terms, &plan);
    assert_int_equal(plan.block_count, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(blocks[i].disbursement, wanted[i].disbursement);
        assert_int_equal(blocks[i].code, wanted[i].code);
        assert_int_equal(blocks[i].recheck_number, wanted[i].recheck_number);
        assert_string_equal(blocks[i].note ? blocks[i].note : "", wanted[i].note ? wanted[i].note : "");
    }
    assert_int_equal(plan.binding_count, 1);
    assert_int_equal(bindings[0].disbursement, 7);
    assert_int_equal(bindings[0].gas_limit, 21000);
}

static void a_contract_is_bound_with_more_gas_than_was_estimated_and_pays_for_it(void **state)
{
    (void)state;
    struct due_row rows[2] = { { .id = 1, .amount = wei(7) }, { .id = 2, .amount = wei(7) } };
    struct outlook outlooks[2] = { estimated(ESTIMATE_GAS, 30000), estimated(ESTIMATE_GAS, 200000) };
    struct binding bindings[2];
    struct block_decision blocks[2];
    struct spending_plan plan = { .bindings = bindings, .blocks = blocks };
    struct spending_terms terms = { .next_nonce = 0,
                                    .head_number = 1000,
                                    .max_fee_per_gas_wei = 2,
                                    .available = wei(7 + 2 * 50000 + 7 + 2 * 250000 - 1) };
    plan_spending(rows, outlooks, 2, &terms, &plan);
    assert_int_equal(plan.binding_count, 1);
    assert_int_equal(bindings[0].gas_limit, 50000);
    assert_int_equal(blocks[0].code, BLOCK_FUNDS);
    assert_int_equal(blocks[0].gas_limit, 250000);
    assert_int_equal(blocks[0].recheck_number, 1005);
    terms.available = wei(7 + 2 * 50000 + 7 + 2 * 250000);
    plan_spending(rows, outlooks, 2, &terms, &plan);
    assert_int_equal(plan.binding_count, 2);
    assert_true(bursar_amount_is_zero(plan.available));
}

static void no_gas_limit_is_above_the_highest(void **state)
{
    (void)state;
    assert_int_equal(plan_gas_limit(1), GAS_MARGIN_MIN + 1);
    assert_int_equal(plan_gas_limit(400000), 500000);
    assert_int_equal(plan_gas_limit(900000), GAS_LIMIT_MAX);
    assert_int_equal(plan_gas_limit(UINT64_MAX), GAS_LIMIT_MAX);
    struct due_row row = { .id = 1 };
    struct outlook outlook = estimated(ESTIMATE_GAS, GAS_LIMIT_MAX + 1);
    struct binding binding;
    struct block_decision block;
    struct spending_plan plan = { .bindings = &binding, .blocks = &block };
    const struct spending_terms terms = {
        .next_nonce = 0, .head_number = 0, .max_fee_per_gas_wei = 0, .available = wei(1)
    };
    plan_spending(&row, &outlook, 1, &terms, &plan);
    assert_int_equal(plan.binding_count, 0);
    assert_int_equal(block.code, BLOCK_GAS);
}

static void only_what_holds_code_and_is_funded_is_tried_out(void **state)
{
    (void)state;
    const struct due_row rows[5] = {
        { .amount = wei(1) }, { .amount = wei(2) }, { .amount = wei(1) }, { .amount = wei(1) }, { .amount = wei(1) }
    };
    const bool has_code[5] = { false, true, true, true, true };
    const struct bursar_amount available = wei(21001);
    struct outlook got[5];
    plan_outlooks(rows, has_code, 5, true, 2, 1, &available, NULL, 0, got);
    const enum outlook_kind wanted[] = { OUTLOOK_TRANSFER, OUTLOOK_UNFUNDED, OUTLOOK_ESTIMATED, OUTLOOK_ESTIMATED,
                                         OUTLOOK_LATER };
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(got[i].kind, wanted[i]);
    plan_outlooks(rows, has_code, 5, false, 2, 1, &available, NULL, 0, got);
    assert_int_equal(got[1].kind, OUTLOOK_IMPOSSIBLE);
}

static void an_amount_near_256_bits_is_unaffordable_not_wrapped_around(void **state)
{
    (void)state;
    struct due_row row = { .id = 1, .amount = { { UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX } } };
    struct outlook outlook = { .kind = OUTLOOK_TRANSFER };
    struct binding binding;
    struct block_decision block;
    struct spending_plan plan = { .bindings = &binding, .blocks = &block };
    const struct spending_terms terms = {
        .next_nonce = 0, .head_number = 0, .max_fee_per_gas_wei = 1, .available = row.amount
    };
    plan_spending(&row, &outlook, 1, &terms, &plan);
    assert_int_equal(plan.binding_count, 0);
    assert_int_equal(block.code, BLOCK_FUNDS);
}

static void epochs_count_final_blocks_or_final_time(void **state)
{
    (void)state;
    struct chain_view view = a_view();
    struct epoch_source blocks = { EPOCH_BLOCK, 10 }, time = { EPOCH_TIME, 3600 };
    assert_int_equal(plan_epoch(&blocks, &view.final), 13);
    assert_int_equal(plan_epoch(&time, &view.final), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(affordable_rows_go_on_behind_unaffordable_ones),
        cmocka_unit_test(what_is_refused_is_passed_over_and_costs_nothing),
        cmocka_unit_test(a_contract_is_bound_with_more_gas_than_was_estimated_and_pays_for_it),
        cmocka_unit_test(no_gas_limit_is_above_the_highest),
        cmocka_unit_test(only_what_holds_code_and_is_funded_is_tried_out),
        cmocka_unit_test(an_amount_near_256_bits_is_unaffordable_not_wrapped_around),
        cmocka_unit_test(epochs_count_final_blocks_or_final_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

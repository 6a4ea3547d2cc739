/* What the planner offers for gas, at first and when it is not mined in time. */
#include "planner_fixture.h"

static void fees_leave_room_for_the_base_fee_to_double_and_never_exceed_the_caps(void **state)
{
    (void)state;
    struct chain_view view = a_view();
    struct fee_caps caps = { 200 * GWEI, 2 * GWEI };
    struct fees fees;
    plan_fees(&view, &caps, &fees);
    assert_true(fees.max_fee_per_gas_wei == 21 * GWEI);
    assert_true(fees.max_priority_fee_per_gas_wei == GWEI);
    assert_false(fees.above_cap);

    view.suggested_priority_fee_per_gas_wei = 50 * GWEI;
    view.next_base_fee_per_gas_wei = 150 * GWEI;
    plan_fees(&view, &caps, &fees);
    assert_true(fees.max_fee_per_gas_wei == 200 * GWEI);
    assert_true(fees.max_priority_fee_per_gas_wei == 2 * GWEI);
    assert_false(fees.above_cap);

    view.next_base_fee_per_gas_wei = 200 * GWEI + 1;
    plan_fees(&view, &caps, &fees);
    assert_true(fees.above_cap);
    assert_true(fees.max_fee_per_gas_wei == 200 * GWEI);

    view.next_base_fee_per_gas_wei = UINT64_MAX;
    plan_fees(&view, &caps, &fees);
    assert_true(fees.max_fee_per_gas_wei == 200 * GWEI);

    caps = (struct fee_caps){ GWEI, 2 * GWEI };
    plan_fees(&view, &caps, &fees);
    assert_true(fees.max_priority_fee_per_gas_wei <= fees.max_fee_per_gas_wei);
}

/* Stuck since block 100 at 1000 / 10 wei per gas, and now it is block 110. */
struct stuck {
    struct flight flight;
    struct patience patience;
    struct chain_view view;
    struct fee_caps caps;
    struct fees fees;
};

static struct stuck a_stuck_flight(void)
{
    return (struct stuck){ .flight = { .nonce = 5,
                                       .has_attempt = true,
                                       .seq = 1,
                                       .purpose = SIGN_PAYMENT,
                                       .max_fee_per_gas_wei = 1000,
                                       .max_priority_fee_per_gas_wei = 10,
                                       .head_number = 100,
                                       .verdict = SUBMIT_ACCEPTED },
                           .patience = { .after_blocks = 10, .is_lowest = true },
                           .view = { .latest.block.number = 110,
                                     .nonce_latest = 5,
                                     .next_base_fee_per_gas_wei = 100,
                                     .suggested_priority_fee_per_gas_wei = 4 },
                           .caps = { 5000, 10 } };
}

static enum replacement decide(struct stuck *stuck)
{
    return plan_replacement(&stuck->flight, &stuck->patience, &stuck->view, &stuck->caps, &stuck->fees);
}

static void what_is_not_mined_in_time_is_replaced_with_both_fees_a_tenth_higher(void **state)
{
    (void)state;
    struct stuck stuck = a_stuck_flight();
    assert_int_equal(decide(&stuck), REPLACE_NOW);
    assert_int_equal(stuck.fees.max_fee_per_gas_wei, 1100);
    assert_int_equal(stuck.fees.max_priority_fee_per_gas_wei, 11); /* above its cap, as far as the bump demands */
    stuck.flight.max_fee_per_gas_wei = 1001;
    stuck.flight.max_priority_fee_per_gas_wei = 0;
    assert_int_equal(decide(&stuck), REPLACE_NOW);
    assert_int_equal(stuck.fees.max_fee_per_gas_wei, 1102); /* rounded up */
    assert_int_equal(stuck.fees.max_priority_fee_per_gas_wei, 4);
    stuck.view.next_base_fee_per_gas_wei = 2000; /* what it would take now is more than the bump */
    assert_int_equal(decide(&stuck), REPLACE_NOW);
    assert_int_equal(stuck.fees.max_fee_per_gas_wei, 4004);
}

static void what_may_still_be_mined_is_given_time(void **state)
{
    (void)state;
    struct stuck stuck = a_stuck_flight();
    stuck.view.latest.block.number = 109;
    assert_int_equal(decide(&stuck), REPLACE_NOT);
    stuck = a_stuck_flight();
    stuck.patience.progress_number = 105; /* others of ours were mined meanwhile */
    assert_int_equal(decide(&stuck), REPLACE_NOT);
    stuck = a_stuck_flight();
    stuck.patience.is_lowest = false; /* it waits for a lower nonce, not for fees */
    assert_int_equal(decide(&stuck), REPLACE_NOT);
    stuck.view.next_base_fee_per_gas_wei = 1001; /* for fees as well */
    assert_int_equal(decide(&stuck), REPLACE_NOW);
    stuck = a_stuck_flight();
    stuck.view.nonce_latest = 6; /* used: one of its attempts is in a block, or somebody else's is */
    assert_int_equal(decide(&stuck), REPLACE_NOT);
    stuck = a_stuck_flight();
    stuck.patience.after_blocks = 0;
    assert_int_equal(decide(&stuck), REPLACE_NOT);
    stuck = a_stuck_flight();
    stuck.view.latest.block.number = 90; /* a node that lags */
    assert_int_equal(decide(&stuck), REPLACE_NOT);
}

static void nothing_is_offered_above_the_cap(void **state)
{
    (void)state;
    struct stuck stuck = a_stuck_flight();
    stuck.caps.max_fee_per_gas_wei = 1100;
    assert_int_equal(decide(&stuck), REPLACE_NOW);
    stuck.caps.max_fee_per_gas_wei = 1099;
    assert_int_equal(decide(&stuck), REPLACE_AT_CAP);
    stuck = a_stuck_flight();
    stuck.view.next_base_fee_per_gas_wei = 5001; /* it would not be mined either */
    assert_int_equal(decide(&stuck), REPLACE_AT_CAP);
    stuck = a_stuck_flight();
    stuck.flight.max_fee_per_gas_wei = UINT64_MAX - 5;
    stuck.caps.max_fee_per_gas_wei = UINT64_MAX;
    assert_int_equal(decide(&stuck), REPLACE_AT_CAP);
}

static void a_replacement_that_was_called_underpriced_is_doubled_at_the_next_block(void **state)
{
    (void)state;
    struct stuck stuck = a_stuck_flight();
    stuck.flight.seq = 2;
    stuck.flight.verdict = SUBMIT_UNDERPRICED;
    stuck.view.latest.block.number = 101;
    assert_int_equal(decide(&stuck), REPLACE_NOW);
    assert_int_equal(stuck.fees.max_fee_per_gas_wei, 2000);
    assert_int_equal(stuck.fees.max_priority_fee_per_gas_wei, 20);
    stuck.flight.head_number = 101;
    assert_int_equal(decide(&stuck), REPLACE_NOT);
    stuck.flight.head_number = 100;
    stuck.flight.seq = 1; /* the first one: not ours is what holds the nonce */
    assert_int_equal(decide(&stuck), REPLACE_NOT);
}

static void what_a_person_wants_cancelled_is_replaced_at_once(void **state)
{
    (void)state;
    struct stuck stuck = a_stuck_flight();
    stuck.view.latest.block.number = 100;
    stuck.patience.is_lowest = false;
    stuck.flight.cancel_wanted = true;
    assert_int_equal(decide(&stuck), REPLACE_NOW);
    stuck.flight.purpose = SIGN_SELF; /* it is: from now on it waits like any other */
    assert_int_equal(decide(&stuck), REPLACE_NOT);
    stuck.flight.purpose = SIGN_PAYMENT;
    stuck.view.nonce_latest = 6; /* too late */
    assert_int_equal(decide(&stuck), REPLACE_NOT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fees_leave_room_for_the_base_fee_to_double_and_never_exceed_the_caps),
        cmocka_unit_test(what_is_not_mined_in_time_is_replaced_with_both_fees_a_tenth_higher),
        cmocka_unit_test(what_may_still_be_mined_is_given_time),
        cmocka_unit_test(nothing_is_offered_above_the_cap),
        cmocka_unit_test(a_replacement_that_was_called_underpriced_is_doubled_at_the_next_block),
        cmocka_unit_test(what_a_person_wants_cancelled_is_replaced_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

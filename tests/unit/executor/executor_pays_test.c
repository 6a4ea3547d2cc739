/* What an executor does on a good day: order, schedules, limits, funds, fees. */
#include "executor/planner.h"
#include "world.h"

static int set_up(void **state)
{
    *state = world_new();
    return 0;
}

static int tear_down(void **state)
{
    world_free(*state);
    return 0;
}

static void each_of_250_rows_is_paid_once_and_then_it_is_idle(void **state)
{
    struct world *world = *state;
    world_add_many(world, 250);
    world_run_until_idle(world, 60);
    assert_int_equal(world->first.report.halt, HALT_NONE);
    assert_true(world->first.report.holds_lease);
    world_check_all_paid(world);
}

static void with_nothing_to_pay_it_is_idle_at_once(void **state)
{
    struct world *world = *state;
    world_step(world);
    assert_true(world->first.report.is_idle);
    assert_int_equal(world->chain->calls[CALL_SUBMIT], 0);
    world_check_all_paid(world);
}

static void it_is_not_idle_before_the_last_payment_is_final(void **state)
{
    struct world *world = *state;
    world_add_many(world, 1);
    world_settle(world);
    memory_chain_mine(world->chain, 1);
    world_settle(world);
    assert_int_equal(state_of(world, 0), STATE_EXECUTED);
    assert_false(world->first.report.is_idle);
    memory_chain_mine(world->chain, world->chain->finality_depth - 1);
    world_settle(world);
    assert_int_equal(state_of(world, 0), STATE_EXECUTED);
    assert_false(world->first.report.is_idle);
    memory_chain_mine(world->chain, 1);
    world_settle(world);
    assert_int_equal(state_of(world, 0), STATE_FINALIZED);
    assert_true(world->first.report.is_idle);
    world_check_all_paid(world);
}

static void rows_added_later_are_paid_as_well(void **state)
{
    struct world *world = *state;
    world_add_many(world, 3);
    world_run_until_idle(world, 30);
    uint64_t reads = world->chain->calls[CALL_BLOCKS];
    memory_chain_mine(world->chain, 2000); /* long after: blocks with nothing of ours in them, and nobody reads them */
    world_step(world);
    assert_int_equal(world->chain->calls[CALL_BLOCKS], reads);
    world_add_many(world, 3);
    world_run_until_idle(world, 30);
    world_check_all_paid(world);
}

static uint64_t final_time_s(const struct world *world)
{
    uint64_t head = memory_chain_head(world->chain), depth = world->chain->finality_depth;
    return head < depth ? 0 : world->chain->blocks[head - depth].timestamp_s;
}

static void a_row_with_a_time_is_bound_when_the_final_head_has_reached_it(void **state)
{
    struct world *world = *state;
    uint64_t due_s = world->chain->blocks[0].timestamp_s + 15 * world->chain->seconds_per_block;
    world_add(world, &(struct wish){ .schedule = SCHEDULE_TIME, .schedule_value = due_s });
    world_add(world, &(struct wish){ .schedule = SCHEDULE_TIME, .schedule_value = due_s + 1 });
    for (int i = 0; i < 30; i++) {
        world_settle(world);
        assert_int_equal(state_of(world, 0) != STATE_QUEUED, final_time_s(world) >= due_s);
        assert_int_equal(state_of(world, 1) != STATE_QUEUED, final_time_s(world) >= due_s + 1);
        if (state_of(world, 1) == STATE_QUEUED)
            assert_false(world->first.report.is_idle); /* time will bring it on */
        memory_chain_mine(world->chain, 1);
    }
    world_check_all_paid(world);
}

static void a_row_with_an_epoch_is_bound_when_the_final_head_has_reached_it(void **state)
{
    struct world *world = *state;
    world_add(world, &(struct wish){ .schedule = SCHEDULE_EPOCH, .schedule_value = 2 });
    for (int i = 0; i < 30; i++) {
        world_settle(world);
        uint64_t final = memory_chain_head(world->chain) - world->chain->finality_depth;
        assert_int_equal(state_of(world, 0) != STATE_QUEUED, final >= 20);
        memory_chain_mine(world->chain, 1);
    }
    world_check_all_paid(world);
}

static void nothing_scheduled_is_due_before_anything_is_final(void **state)
{
    struct world *world = *state;
    world->chain->finality_depth = 50;
    world_add(world, &(struct wish){ .schedule = SCHEDULE_TIME, .schedule_value = 1 });
    world_add(world, &(struct wish){ .schedule = SCHEDULE_EPOCH, .schedule_value = 0 });
    world_add_many(world, 1);
    world_run(world, 20);
    assert_int_equal(state_of(world, 0), STATE_QUEUED);
    assert_int_equal(state_of(world, 1), STATE_QUEUED);
    assert_int_equal(state_of(world, 2), STATE_EXECUTED);
    world_run(world, 100);
    world_check_all_paid(world);
}

static void a_dependent_is_bound_only_after_all_it_waits_for_is_final(void **state)
{
    struct world *world = *state;
    world_add_many(world, 2);
    world_add(world, &(struct wish){ .dependency_count = 2, .dependencies = { 0, 1 } });
    world_add(world, &(struct wish){ .dependency_count = 1, .dependencies = { 2 } });
    world->chain->block_capacity = 1; /* so that 0 and 1 become final one after the other */
    for (int i = 0; i < 40; i++) {
        world_settle(world);
        bool both = state_of(world, 0) == STATE_FINALIZED && state_of(world, 1) == STATE_FINALIZED;
        assert_int_equal(state_of(world, 2) != STATE_QUEUED, both);
        assert_int_equal(state_of(world, 3) != STATE_QUEUED, state_of(world, 2) == STATE_FINALIZED);
        memory_chain_mine(world->chain, 1);
    }
    assert_true(world->first.report.is_idle);
    world_check_all_paid(world);
}

static void what_the_balance_covers_goes_on_and_a_deposit_brings_on_the_rest(void **state)
{
    struct world *world = *state;
    world_add(world, &(struct wish){ .amount_wei = 2 * PLENTY_WEI });
    world_add_many(world, 5);
    world_add(world, &(struct wish){ .amount_wei = 3 * PLENTY_WEI });
    world_run_until_idle(world, 30);
    assert_int_equal(rows_in(world, STATE_FINALIZED), 5);
    assert_int_equal(blocked_of(world, 0), BLOCK_FUNDS);
    assert_int_equal(blocked_of(world, 6), BLOCK_FUNDS);
    world_check(world);
    memory_chain_deposit(world->chain, 2 * PLENTY_WEI);
    world_run_until_idle(world, 30);
    assert_int_equal(state_of(world, 0), STATE_FINALIZED);
    assert_int_equal(blocked_of(world, 6), BLOCK_FUNDS);
    memory_chain_deposit(world->chain, 3 * PLENTY_WEI);
    world_run_until_idle(world, 30);
    world_check_all_paid(world);
}

static void the_balance_is_never_promised_twice(void **state)
{
    struct world *world = *state;
    const uint64_t gas = 21000 * 21; /* base fee 10, twice, and a tip of 1 */
    world->chain->deposited = bursar_amount_from_u64(3 * (100000 + gas) + 99999);
    for (int i = 0; i < 6; i++)
        world_add(world, &(struct wish){ .amount_wei = 100000 });
    world->config.batch_size = 2;
    world_settle(world);
    assert_int_equal(rows_in(world, STATE_STAGED), 3);
    assert_int_equal(memory_chain_pooled(world->chain), 3);
    assert_int_equal(world_number(world, "SELECT count(*) FROM disbursement WHERE blocked = 1"), 3);
    world_run_until_idle(world, 60); /* the gas that was not used pays for more */
    assert_true(rows_in(world, STATE_FINALIZED) >= 3);
    world_check(world);
    memory_chain_deposit(world->chain, 10 * (100000 + gas));
    world_run_until_idle(world, 60);
    world_check_all_paid(world);
}

static void a_contract_is_paid_with_the_gas_that_it_takes(void **state)
{
    struct world *world = *state;
    world_add_many(world, 3);
    struct bursar_address contract = destination_of(1);
    memory_chain_put_code(world->chain, &contract);
    world_run_until_idle(world, 30);
    world_check_all_paid(world);
    assert_int_equal(world_number(world, "SELECT gas_limit FROM intent WHERE nonce = 1"), 31000 + 20000);
    assert_int_equal(world_number(world, "SELECT count(*) FROM intent WHERE gas_limit = 21000"), 2);
    assert_int_equal(world->chain->calls[CALL_ESTIMATE], 1);
}

static void what_would_revert_is_blocked_until_it_does_no_longer(void **state)
{
    struct world *world = *state;
    world_add_many(world, 3);
    struct bursar_address contract = destination_of(1);
    memory_chain_put_code(world->chain, &contract);
    memory_chain_make_revert(world->chain, &contract);
    world_run_until_idle(world, 30);
    assert_int_equal(state_of(world, 1), STATE_QUEUED);
    assert_int_equal(blocked_of(world, 1), BLOCK_REVERTS);
    assert_int_equal(world_number(world, "SELECT block_note = 'not today' FROM disbursement WHERE blocked > 0"), 1);
    assert_int_equal(rows_in(world, STATE_FINALIZED), 2);
    world_check(world);
    uint64_t asked = world->chain->calls[CALL_ESTIMATE];
    for (int i = 0; i < 40; i++) { /* ticks in one block ask no more often */
        world_step(world);
        assert_in_range(world->chain->calls[CALL_ESTIMATE], asked, asked + 1);
    }
    memory_chain_mine(world->chain, 200);
    asked = world->chain->calls[CALL_ESTIMATE];
    world_step(world);
    assert_int_equal(world->chain->calls[CALL_ESTIMATE], asked + 1);
    memory_chain_repair(world->chain, &contract);
    memory_chain_mine(world->chain, RECHECK_MAX_BLOCKS);
    world_step(world);
    world_run_until_idle(world, 30);
    world_check_all_paid(world);
}

static void what_could_not_be_estimated_is_asked_about_again(void **state)
{
    struct world *world = *state;
    world_add_many(world, 3);
    struct bursar_address contract = destination_of(1);
    memory_chain_put_code(world->chain, &contract);
    memory_chain_fail(world->chain, CALL_ESTIMATE, BURSAR_EUNREACHABLE, 0, 3);
    for (int i = 0; i < 3; i++)
        world_step(world);
    assert_int_equal(rows_in(world, STATE_STAGED), 2); /* the neighbours */
    assert_int_equal(state_of(world, 1), STATE_QUEUED);
    assert_int_equal(blocked_of(world, 1), BLOCK_UNESTIMATED);
    assert_false(world->first.report.is_idle);
    for (int i = 0; i < 4; i++) /* no block has come */
        world_step(world);
    assert_int_equal(state_of(world, 1), STATE_STAGED);
    world_run_until_idle(world, 30);
    world_check_all_paid(world);
}

static void no_more_is_in_flight_than_allowed_at_any_step(void **state)
{
    struct world *world = *state;
    world->config.max_in_flight = 7;
    world->config.batch_size = 3;
    world->chain->block_capacity = 2;
    world_add_many(world, 40);
    int64_t bound = 0, most = 0;
    for (int i = 0; i < 200 && !world->first.report.is_idle; i++) {
        world_step(world);
        int64_t bound_now = world_number(world, "SELECT count(*) FROM intent");
        int64_t in_flight = world_number(world, "SELECT count(*) FROM intent WHERE status < 3");
        assert_in_range(bound_now - bound, 0, 3);
        assert_in_range(in_flight, 0, 7);
        most = in_flight > most ? in_flight : most;
        bound = bound_now;
        if (world->first.next_wake_ms)
            memory_chain_mine(world->chain, 1);
    }
    assert_int_equal(most, 7);
    world_check_all_paid(world);
}

static void a_base_fee_above_the_cap_holds_and_its_fall_ends_that(void **state)
{
    struct world *world = *state;
    world_add_many(world, 2);
    world_settle(world); /* two are out, at 21 wei per gas */
    world_add_many(world, 2);
    world->chain->base_fee_wei = world->config.max_fee_per_gas_wei + 1;
    world_run(world, 10);
    assert_int_equal(rows_in(world, STATE_QUEUED), 2);
    assert_int_equal(rows_in(world, STATE_STAGED), 2);
    assert_int_equal(world->first.report.halt, HALT_NONE);
    assert_false(world->first.report.is_idle);
    assert_true(world_number(world, "SELECT length(hold) > 0 FROM treasury"));
    world->chain->base_fee_wei = 10;
    world_run_until_idle(world, 30);
    assert_int_equal(world_number(world, "SELECT length(hold) FROM treasury"), 0);
    world_check_all_paid(world);
}

static void no_attempt_offers_more_than_the_cap(void **state)
{
    struct world *world = *state;
    world->chain->base_fee_wei = world->config.max_fee_per_gas_wei - 1;
    world_add_many(world, 3);
    world_run_until_idle(world, 30);
    assert_int_equal(world_number(world, "SELECT max(max_fee_per_gas) FROM attempt"),
                     world->config.max_fee_per_gas_wei);
    world_check_all_paid(world);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(each_of_250_rows_is_paid_once_and_then_it_is_idle),
        TEST(with_nothing_to_pay_it_is_idle_at_once),
        TEST(it_is_not_idle_before_the_last_payment_is_final),
        TEST(rows_added_later_are_paid_as_well),
        TEST(a_row_with_a_time_is_bound_when_the_final_head_has_reached_it),
        TEST(a_row_with_an_epoch_is_bound_when_the_final_head_has_reached_it),
        TEST(nothing_scheduled_is_due_before_anything_is_final),
        TEST(a_dependent_is_bound_only_after_all_it_waits_for_is_final),
        TEST(what_the_balance_covers_goes_on_and_a_deposit_brings_on_the_rest),
        TEST(the_balance_is_never_promised_twice),
        TEST(a_contract_is_paid_with_the_gas_that_it_takes),
        TEST(what_would_revert_is_blocked_until_it_does_no_longer),
        TEST(what_could_not_be_estimated_is_asked_about_again),
        TEST(no_more_is_in_flight_than_allowed_at_any_step),
        TEST(a_base_fee_above_the_cap_holds_and_its_fall_ends_that),
        TEST(no_attempt_offers_more_than_the_cap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The circuit breaker at work in the executor: what opens it, what an open one stops and what it never stops, how it
 * finds out that a node is back, and that neither a crash nor another process gets around it. */
#include "world.h"

#include <string.h>

#define ROWS 6

static const struct bursar_breaker_config breaker_config = {
    .failure_threshold = 3, .success_threshold = 2, .timeout_ms = 60000, .window_ms = 300000
};

static int set_up(void **state)
{
    struct world *world = world_new();
    world->breaker = &breaker_config;
    world->config.batch_size = 2;
    process_start(&world->first, world, "first");
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    world_free(*state);
    return 0;
}

static void pass(struct world *world, uint64_t ms)
{
    world->monotonic_ms += ms;
    world->wall_ms += ms;
}

static enum bursar_breaker_state breaker_state(struct world *world)
{
    return bursar_breaker_state(world->first.breaker, world->monotonic_ms);
}

static void fail_submits(struct world *world, enum bursar_status status, uint64_t count)
{
    memory_chain_fail(world->chain, CALL_SUBMIT, status, 0, count);
}

/* Failing submissions until the breaker is open. */
static void trip(struct world *world, enum bursar_status status)
{
    world_add_many(world, ROWS);
    fail_submits(world, status, 1000);
    for (int i = 0; i < 20 && breaker_state(world) == BURSAR_BREAKER_CLOSED; i++) {
        process_step(&world->first);
        pass(world, 2000);
    }
    assert_int_equal(breaker_state(world), BURSAR_BREAKER_OPEN);
}

static void heal(struct world *world)
{
    fail_submits(world, BURSAR_EUNREACHABLE, 0);
}

static uint64_t submits(const struct world *world)
{
    return world->chain->calls[CALL_SUBMIT];
}

static void force_for(struct world *world, enum breaker_command command, uint64_t for_ms)
{
    struct sqlite_store *other = NULL;
    struct decision decision = { "ops", "a test", world->wall_ms };
    assert_int_equal(sqlite_store_open(world->store_path, SQLITE_MODE_WRITE, NULL, NULL, &other, NULL), BURSAR_OK);
    struct store store = sqlite_store_interface(other);
    assert_int_equal(store.breaker_force(store.ctx, 1, command, for_ms, &decision, NULL), BURSAR_OK);
    sqlite_store_close(other);
}

static void force(struct world *world, enum breaker_command command)
{
    force_for(world, command, 0);
}

static void it_opens_after_as_many_failed_requests_as_configured_however_many_transactions_each_carried(void **state)
{
    struct world *world = *state;
    trip(world, BURSAR_EUNREACHABLE);
    assert_int_equal(submits(world), breaker_config.failure_threshold);
    heal(world);
    pass(world, breaker_config.timeout_ms);
    world_run_until_idle(world, 60);
    world_check_all_paid(world);
}

static void unknown_outcomes_count_like_certain_failures(void **state)
{
    struct world *world = *state;
    trip(world, BURSAR_EUNKNOWN);
    assert_int_equal(submits(world), breaker_config.failure_threshold);
}

static void while_it_is_open_nothing_is_bound_or_sent_and_observing_goes_on(void **state)
{
    struct world *world = *state;
    world_add_many(world, 2);
    process_step(&world->first); /* these two are in the pool */
    trip(world, BURSAR_EUNREACHABLE);
    uint64_t before = submits(world), queued = rows_in(world, STATE_QUEUED);
    heal(world);
    memory_chain_mine(world->chain, 1);
    for (int i = 0; i < 5; i++)
        process_step(&world->first);
    assert_int_equal(submits(world), before);
    assert_int_equal(rows_in(world, STATE_QUEUED), queued);
    assert_int_equal(state_of(world, 0), STATE_EXECUTED); /* seen in its block */
    assert_false(world->first.report.is_idle);
}

static void a_tick_cut_short_says_so_in_the_snapshot_and_to_the_telemetry(void **state)
{
    struct world *world = *state;
    trip(world, BURSAR_EUNREACHABLE);
    size_t reports = world->reports;
    process_step(&world->first);
    assert_int_equal(world->reports, reports + 1);
    assert_int_equal(world->reported_state, BURSAR_BREAKER_OPEN);
    assert_int_equal(world->reported_failures, breaker_config.failure_threshold);
    assert_int_equal(world_number(world, "SELECT last_error LIKE 'circuit_breaker_open state=open%' FROM treasury"), 1);
    assert_true(rows_in(world, STATE_STAGED) > 0);
}

static void meters_are_told_of_every_tick_fault_signature_and_submission(void **state)
{
    struct world *world = *state;
    world->config.max_in_flight = 4;
    world_add_many(world, 2);
    process_step(&world->first);
    assert_int_equal(world->ticks[TICK_COMPLETE], 1);
    assert_int_equal(world->signatures, 2);
    assert_int_equal(world->submissions[SUBMIT_ACCEPTED], 2);
    trip(world, BURSAR_EUNREACHABLE);
    assert_true(world->faults[EXECUTOR_FAULT_UNREACHABLE] > 0);
    size_t cut_short = world->ticks[TICK_CUT_SHORT], faults = world->faults[EXECUTOR_FAULT_BREAKER_OPEN];
    process_step(&world->first);
    assert_int_equal(world->ticks[TICK_CUT_SHORT], cut_short + 1);
    assert_int_equal(world->faults[EXECUTOR_FAULT_BREAKER_OPEN], faults + 1);
}

static void
half_open_lets_through_one_transaction_a_request_from_the_lowest_nonce_up_and_closes_after_successes(void **state)
{
    struct world *world = *state;
    world->config.max_in_flight = 4;
    trip(world, BURSAR_EUNREACHABLE);
    heal(world);
    uint64_t before = submits(world);
    pass(world, breaker_config.timeout_ms);
    assert_int_equal(breaker_state(world), BURSAR_BREAKER_HALF_OPEN);
    process_step(&world->first);
    assert_int_equal(breaker_state(world), BURSAR_BREAKER_CLOSED);
    assert_int_equal(submits(world), before + breaker_config.success_threshold);
    assert_int_equal(memory_chain_pooled(world->chain), breaker_config.success_threshold); /* one each */
    world_run_until_idle(world, 60);
    world_check_all_paid(world);
}

static void a_failing_trial_opens_it_again_at_once(void **state)
{
    struct world *world = *state;
    trip(world, BURSAR_EUNREACHABLE);
    uint64_t before = submits(world);
    pass(world, breaker_config.timeout_ms);
    process_step(&world->first);
    assert_int_equal(submits(world), before + 1);
    assert_int_equal(breaker_state(world), BURSAR_BREAKER_OPEN);
    pass(world, breaker_config.timeout_ms - 1);
    process_step(&world->first);
    assert_int_equal(submits(world), before + 1);
}

static void with_nothing_in_flight_half_open_binds_one_row_for_its_trial(void **state)
{
    struct world *world = *state;
    world_add_many(world, 3 * ROWS);
    fail_submits(world, BURSAR_EUNKNOWN, breaker_config.failure_threshold);
    world->chain->faults[CALL_SUBMIT].delivered = 100; /* they arrived, nobody was told */
    for (int i = 0; i < 10; i++) {
        process_step(&world->first);
        memory_chain_mine(world->chain, 1);
    }
    assert_int_equal(breaker_state(world), BURSAR_BREAKER_OPEN);
    assert_int_equal(rows_in(world, STATE_STAGED), 0);
    size_t queued = rows_in(world, STATE_QUEUED);
    assert_true(queued > 2);
    pass(world, breaker_config.timeout_ms);
    process_step(&world->first);
    assert_int_equal(rows_in(world, STATE_QUEUED), queued - 1);
    assert_int_equal(breaker_state(world), BURSAR_BREAKER_HALF_OPEN);
    world_run_until_idle(world, 60);
    world_check_all_paid(world);
}

static void verdicts_on_our_transactions_and_failed_reads_never_count(void **state)
{
    struct world *world = *state;
    world_add_many(world, ROWS);
    memory_chain_fail(world->chain, CALL_OBSERVE, BURSAR_EUNREACHABLE, 0, 10);
    for (int i = 0; i < 10; i++)
        process_step(&world->first);
    memory_chain_fail(world->chain, CALL_BLOCKS, BURSAR_EUNKNOWN, 0, 10);
    for (int i = 0; i < 12; i++)
        world_run(world, 1);
    assert_int_equal(bursar_breaker_failure_count(world->first.breaker, world->monotonic_ms), 0);
    world->chain->base_fee_wei = 1900; /* refused as too low by the node: its verdict, and a success */
    world_add_many(world, 1);
    world_run(world, 5);
    assert_int_equal(bursar_breaker_failure_count(world->first.breaker, world->monotonic_ms), 0);
    assert_int_equal(breaker_state(world), BURSAR_BREAKER_CLOSED);
}

static void a_crash_loop_does_not_close_it(void **state)
{
    struct world *world = *state;
    trip(world, BURSAR_EUNREACHABLE);
    uint64_t before = submits(world);
    for (int i = 0; i < 5; i++) {
        world->first.is_dead = true; /* no word of farewell */
        process_stop(&world->first);
        pass(world, 1000);
        process_start(&world->first, world, "first again");
        process_step(&world->first);
        assert_int_equal(breaker_state(world), BURSAR_BREAKER_OPEN);
    }
    assert_int_equal(submits(world), before);
    heal(world);
    pass(world, breaker_config.timeout_ms);
    world_run_until_idle(world, 60);
    world_check_all_paid(world);
}

static void a_person_opens_it_and_only_a_person_closes_it(void **state)
{
    struct world *world = *state;
    force(world, BREAKER_COMMAND_OPEN);
    world_add_many(world, ROWS);
    for (int i = 0; i < 5; i++) {
        process_step(&world->first);
        assert_true(world->first.report.forced_open);
        pass(world, 10 * breaker_config.timeout_ms);
    }
    assert_int_equal(submits(world), 0);
    assert_int_equal(rows_in(world, STATE_QUEUED), ROWS);
    process_stop(&world->first);
    process_start(&world->first, world, "first again");
    process_step(&world->first);
    assert_true(world->first.report.forced_open);
    force(world, BREAKER_COMMAND_CLOSE);
    world_run_until_idle(world, 60);
    assert_false(world->first.report.forced_open);
    world_check_all_paid(world);
}

static void held_closed_it_goes_on_sending_whatever_fails_also_after_a_restart_until_the_time_is_up(void **state)
{
    struct world *world = *state;
    const uint64_t hold_ms = 100000;
    trip(world, BURSAR_EUNREACHABLE);
    force_for(world, BREAKER_COMMAND_CLOSE, hold_ms);
    uint64_t until_ms = world->monotonic_ms + hold_ms, sent = submits(world);
    for (int i = 0; world->monotonic_ms < until_ms; i++) {
        if (i == 20) {
            process_stop(&world->first);
            process_start(&world->first, world, "first again");
        }
        process_step(&world->first);
        assert_int_equal(breaker_state(world), BURSAR_BREAKER_CLOSED);
        assert_true(submits(world) > sent);
        sent = submits(world);
        pass(world, 2000);
    }
    assert_int_equal(bursar_breaker_failure_count(world->first.breaker, world->monotonic_ms), 3);
    process_step(&world->first); /* the first failure after it */
    assert_int_equal(breaker_state(world), BURSAR_BREAKER_OPEN);
    assert_int_equal(world_number(world, "SELECT count(*) FROM event WHERE cause = 15"), 2);
    heal(world);
    pass(world, breaker_config.timeout_ms);
    world_run_until_idle(world, 60);
    world_check_all_paid(world);
}

static void a_hold_that_ended_with_nothing_to_do_does_not_come_back_with_a_clock_that_is_set_back(void **state)
{
    struct world *world = *state;
    struct bursar_breaker_view view;
    force_for(world, BREAKER_COMMAND_CLOSE, 100000);
    process_step(&world->first);
    pass(world, 99999);
    process_step(&world->first);
    assert_int_equal(world_number(world, "SELECT held_left_ms > 0 FROM breaker"), 1);
    pass(world, 1);
    process_step(&world->first);
    assert_int_equal(world_number(world, "SELECT held_left_ms FROM breaker"), 0);
    uint64_t version = (uint64_t)world_number(world, "SELECT version FROM breaker");
    process_step(&world->first);
    assert_int_equal(world_number(world, "SELECT version FROM breaker"), version); /* once */
    process_stop(&world->first);
    world->wall_ms -= 60000;
    process_start(&world->first, world, "first again");
    process_step(&world->first);
    bursar_breaker_look(world->first.breaker, world->monotonic_ms, &view);
    assert_false(view.forced);
}

static void what_is_bound_already_is_not_signed_while_a_person_keeps_it_open(void **state)
{
    struct world *world = *state;
    world_add_many(world, ROWS);
    world->first.signer.fail_at = 1;
    process_step(&world->first);
    assert_true(rows_in(world, STATE_STAGED) > 0);
    force(world, BREAKER_COMMAND_OPEN);
    for (int i = 0; i < 5; i++) {
        process_step(&world->first);
        pass(world, 61000);
    }
    assert_int_equal(world_number(world, "SELECT count(*) FROM attempt"), 0);
    force(world, BREAKER_COMMAND_CLOSE);
    world_run_until_idle(world, 50);
    world_check_all_paid(world);
}

static void what_an_executor_has_counted_does_not_overwrite_a_persons_change(void **state)
{
    struct world *world = *state;
    trip(world, BURSAR_EUNREACHABLE);
    pass(world, breaker_config.timeout_ms);
    force(world, BREAKER_COMMAND_OPEN); /* it has half-opened for the executor, which does not know yet */
    heal(world);
    uint64_t before = submits(world);
    for (int i = 0; i < 3; i++)
        process_step(&world->first);
    assert_int_equal(submits(world), before);
    assert_true(world->first.report.forced_open);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_opens_after_as_many_failed_requests_as_configured_however_many_transactions_each_carried),
        TEST(unknown_outcomes_count_like_certain_failures),
        TEST(while_it_is_open_nothing_is_bound_or_sent_and_observing_goes_on),
        TEST(a_tick_cut_short_says_so_in_the_snapshot_and_to_the_telemetry),
        TEST(meters_are_told_of_every_tick_fault_signature_and_submission),
        TEST(half_open_lets_through_one_transaction_a_request_from_the_lowest_nonce_up_and_closes_after_successes),
        TEST(a_failing_trial_opens_it_again_at_once),
        TEST(with_nothing_in_flight_half_open_binds_one_row_for_its_trial),
        TEST(verdicts_on_our_transactions_and_failed_reads_never_count),
        TEST(a_crash_loop_does_not_close_it),
        TEST(a_person_opens_it_and_only_a_person_closes_it),
        TEST(held_closed_it_goes_on_sending_whatever_fails_also_after_a_restart_until_the_time_is_up),
        TEST(a_hold_that_ended_with_nothing_to_do_does_not_come_back_with_a_clock_that_is_set_back),
        TEST(what_is_bound_already_is_not_signed_while_a_person_keeps_it_open),
        TEST(what_an_executor_has_counted_does_not_overwrite_a_persons_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

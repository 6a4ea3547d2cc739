/* What opens the money breaker by figures: what is paid within an hour, and what the account should have. */
#include "money_world.h"

#define ROWS 10

/* -- spending rate --------------------------------------------------------------------------------------- */

static void as_many_payments_as_an_hour_may_have_are_bound_and_then_it_opens(void **state)
{
    (void)state;
    static const uint32_t batches[] = { 1, 2, 5, 6, 100 };
    for (size_t i = 0; i < sizeof batches / sizeof *batches; i++) {
        struct world *world = world_new();
        world->config.batch_size = batches[i];
        world->config.money.payments_per_hour = 5;
        world_add_many(world, 12);
        run_until_open(world, "spending_rate");
        world_run(world, 8);
        assert_int_equal(bound(world), 5);
        pass(world, 2 * MONEY_HOUR_MS);
        world_run(world, 3);
        assert_int_equal(bound(world), 5); /* no time closes it */
        force(world, false);
        run_until_open(world, "spending_rate");
        world_run(world, 8);
        assert_int_equal(bound(world), 10);
        force(world, false);
        world_run_until_idle(world, IDLE_LIMIT);
        world_check_all_paid(world);
        world_free(world);
    }
}

static void what_keeps_within_the_limits_of_each_hour_opens_nothing(void **state)
{
    struct world *world = *state;
    world->config.money.payments_per_hour = 5;
    world->config.money.rate_count = 1;
    world->config.money.rates[0].per_hour = bursar_amount_from_u64(5 * AMOUNT_WEI + 100);
    for (int hour = 0; hour < 4; hour++) {
        world_add_many(world, 5);
        run_and_stay_closed(world, IDLE_LIMIT);
        pass(world, MONEY_HOUR_MS + MONEY_SLICE_MS);
    }
    world_check_all_paid(world);
}

static void what_was_paid_up_to_an_hour_ago_counts(void **state)
{
    struct world *world = *state;
    world->config.money.payments_per_hour = 5;
    world_add_many(world, 3);
    run_and_stay_closed(world, IDLE_LIMIT);
    pass(world, MONEY_HOUR_MS - 60000);
    process_stop(&world->first); /* nor does a restart forget it */
    world_add_many(world, 3);
    run_until_open(world, "spending_rate");
    assert_int_equal(bound(world), 5);
}

static void an_assets_rate_is_reached_to_the_unit(void **state)
{
    (void)state;
    for (uint64_t less = 0; less < 2; less++) {
        struct world *world = world_new();
        world->config.money.rate_count = 1;
        world->config.money.rates[0].per_hour = bursar_amount_from_u64(3 * AMOUNT_WEI + 3 - less);
        world_add_many(world, 5); /* 1000 + 1001 + 1002 + ... */
        run_until_open(world, "spending_rate");
        assert_int_equal(bound(world), 3 - less);
        assert_int_equal(world_number(world, "SELECT hold LIKE '%max_spend_per_hour%' FROM treasury"), 1);
        world_free(world);
    }
}

static void a_clock_that_goes_back_lets_no_more_through(void **state)
{
    struct world *world = *state;
    world->config.money.payments_per_hour = 5;
    world_add_many(world, 3);
    run_and_stay_closed(world, IDLE_LIMIT);
    world->wall_ms -= 2 * MONEY_HOUR_MS;
    world_add_many(world, 3);
    run_until_open(world, "spending_rate");
    assert_int_equal(bound(world), 5);
}

static void without_limits_nothing_opens_it(void **state)
{
    struct world *world = *state;
    world->config.money = (struct money_limits){ 0 };
    make_revert(world, 10, 20);
    send_foreign(world);
    world_add_many(world, 36);
    memory_chain_take(world->chain, 1000);
    run_and_stay_closed(world, 3 * IDLE_LIMIT);
    assert_int_equal(rows_in(world, STATE_FAILED), 20);
    assert_int_equal(rows_in(world, STATE_FINALIZED), 20);
}

/* -- balance --------------------------------------------------------------------------------------------- */

static void watch_the_balance(struct world *world, uint64_t tolerance_wei)
{
    world->config.money =
        (struct money_limits){ .watches_balance = true, .balance_tolerance = bursar_amount_from_u64(tolerance_wei) };
    world_add_many(world, ROWS);
}

static void one_wei_that_nothing_explains_opens_it_at_the_next_final_block(void **state)
{
    struct world *world = *state;
    watch_the_balance(world, 0);
    run_and_stay_closed(world, IDLE_LIMIT);
    memory_chain_take(world->chain, 1);
    world_run(world, 1);
    assert_true(is_open(world, "balance_mismatch"));
    assert_int_equal(world_number(world, "SELECT hold LIKE '%: 1 wei left the account between blocks %' FROM treasury"),
                     1);
    world_add_many(world, 2);
    world_run(world, 5);
    assert_int_equal(bound(world), ROWS);
    force(world, false);
    world_run_until_idle(world, IDLE_LIMIT); /* what is gone is gone, and said once */
    world_check_all_paid(world);
    assert_int_equal(openings(world), 1);
}

static void as_much_as_is_tolerated_opens_nothing_and_a_wei_more_does(void **state)
{
    struct world *world = *state;
    watch_the_balance(world, 50);
    run_and_stay_closed(world, IDLE_LIMIT);
    memory_chain_take(world->chain, 50);
    world_run(world, 3);
    assert_int_equal(openings(world), 0);
    memory_chain_take(world->chain, 51);
    run_until_open(world, "balance_mismatch");
}

static void what_left_while_the_balance_was_not_watched_is_not_missed(void **state)
{
    struct world *world = *state;
    watch_the_balance(world, 0);
    run_and_stay_closed(world, IDLE_LIMIT);
    world->config.money.watches_balance = false;
    executor_reconfigure(world->first.executor, &world->config);
    memory_chain_take(world->chain, 7);
    world_run(world, 3);
    world->config.money.watches_balance = true;
    executor_reconfigure(world->first.executor, &world->config);
    world_run(world, 3);
    assert_int_equal(openings(world), 0);
    memory_chain_take(world->chain, 1);
    run_until_open(world, "balance_mismatch");
}

static void money_that_leaves_while_payments_are_made_or_nobody_looks_is_missed_all_the_same(void **state)
{
    struct world *world = *state;
    watch_the_balance(world, 0);
    world_run(world, 8);
    assert_true(world_number(world, "SELECT mark_no FROM money_breaker") > 0);
    process_stop(&world->first);
    memory_chain_take(world->chain, 1);
    memory_chain_mine(world->chain, 50);
    run_until_open(world, "balance_mismatch");
}

static void where_the_final_balance_is_not_shown_nothing_is_concluded_until_it_is(void **state)
{
    struct world *world = *state;
    watch_the_balance(world, 0);
    world_run(world, 8);
    world->chain->hides_balance_final = true;
    memory_chain_take(world->chain, 1);
    run_and_stay_closed(world, IDLE_LIMIT);
    world->chain->hides_balance_final = false;
    run_until_open(world, "balance_mismatch");
}

static void deposits_fees_reverts_cancels_reorgs_and_restarts_explain_themselves(void **state)
{
    struct world *world = *state;
    watch_the_balance(world, 0);
    world->config.replace_after_blocks = 3;
    world->chain->finality_depth = 5;
    make_revert(world, 1, 3);
    world_run(world, 8);
    world_add_many(world, 4);
    world->chain->base_fee_wei = 100;
    world_step(world);
    for (size_t row = 0; row < world->row_count; row++) {
        if (state_of(world, row) == STATE_STAGED) {
            ask_to_cancel(world, row);
            break;
        }
    }
    for (int i = 0; i < 30; i++) {
        world->chain->base_fee_wei = 10 + (uint64_t)i % 7;
        world_run(world, 1);
        assert_false(world->first.report.money_open);
        if (i % 4 == 0)
            memory_chain_reorg(world->chain, 1 + (uint64_t)i % 4, i % 8 ? ORPHANS_DROPPED : ORPHANS_REPOOLED);
        if (i % 5 == 0)
            memory_chain_deposit(world->chain, 1 + (uint64_t)i);
        if (i % 3 == 0)
            process_stop(&world->first);
    }
    run_and_stay_closed(world, IDLE_LIMIT);
    world_check(world);
    assert_int_equal(rows_in(world, STATE_FAILED), 3);
    assert_int_equal(rows_in(world, STATE_CANCELLED), 1);
    world_run(world, 2);
    memory_chain_take(world->chain, 1); /* and all that was to the wei */
    run_until_open(world, "balance_mismatch");
}

/* -- deaths ---------------------------------------------------------------------------------------------- */

/* What opens it, each set up so that the next steps will; the cause that they open it for. */
static const char *prepare(struct world *world, int which)
{
    switch (which) {
    case 0:
        world->config.money.payments_per_hour = 5;
        world_add_many(world, 12);
        world_run(world, 1);
        return "spending_rate";
    case 1:
        world->config.money.watches_foreign_nonce = true;
        send_foreign(world);
        memory_chain_mine(world->chain, 1 + world->chain->finality_depth);
        world_add_many(world, 8);
        return "foreign_nonce";
    default:
        watch_the_balance(world, 0);
        run_and_stay_closed(world, IDLE_LIMIT);
        world_add_many(world, 2);
        memory_chain_take(world->chain, 1);
        return "balance_mismatch";
    }
}

static void live_or_die(struct world *world)
{
    for (int i = 0; i < 5 && !world->first.is_dead; i++) {
        (void)process_try_step(&world->first);
        memory_chain_mine(world->chain, 1);
        pass(world, 1000);
    }
}

static void whatever_opens_it_does_so_through_death_at_any_write(void **state)
{
    (void)state;
    for (int which = 0; which < 3; which++) {
        bool lived = false;
        for (uint64_t k = 1; !lived; k++) {
            void *fresh;
            assert_int_equal(set_up(&fresh), 0);
            struct world *world = fresh;
            const char *cause = prepare(world, which);
            world->first.store.die_at = world->first.store.writes + (k + 1) / 2;
            world->first.store.die_after = k % 2 == 0;
            live_or_die(world);
            lived = !world->first.is_dead;
            process_stop(&world->first);
            run_until_open(world, cause);
            const int64_t before = bound(world);
            if (which == 0)
                assert_int_equal(before, 5);
            world_run(world, 5);
            assert_int_equal(bound(world), before);
            assert_int_equal(openings(world), 1);
            world->config.money = (struct money_limits){ 0 };
            process_stop(&world->first);
            force(world, false);
            world_run_until_idle(world, IDLE_LIMIT);
            world_check_all_paid(world);
            world_free(world);
        }
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_many_payments_as_an_hour_may_have_are_bound_and_then_it_opens),
        TEST(what_keeps_within_the_limits_of_each_hour_opens_nothing),
        TEST(what_was_paid_up_to_an_hour_ago_counts),
        cmocka_unit_test(an_assets_rate_is_reached_to_the_unit),
        TEST(a_clock_that_goes_back_lets_no_more_through),
        TEST(without_limits_nothing_opens_it),
        TEST(one_wei_that_nothing_explains_opens_it_at_the_next_final_block),
        TEST(as_much_as_is_tolerated_opens_nothing_and_a_wei_more_does),
        TEST(what_left_while_the_balance_was_not_watched_is_not_missed),
        TEST(money_that_leaves_while_payments_are_made_or_nobody_looks_is_missed_all_the_same),
        TEST(where_the_final_balance_is_not_shown_nothing_is_concluded_until_it_is),
        TEST(deposits_fees_reverts_cancels_reorgs_and_restarts_explain_themselves),
        cmocka_unit_test(whatever_opens_it_does_so_through_death_at_any_write),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

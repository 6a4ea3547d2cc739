/* The money breaker at work in the executor (INV-10): what opens it, that an open one spends nothing and observes all,
 * that only a person closes it, and that neither a crash nor another process gets around it. */
#include "world.h"

#include <string.h>

#define ROWS 10
#define IDLE_LIMIT 100

static int set_up(void **state)
{
    struct world *world = world_new();
    world->config.batch_size = 2;
    world->config.max_in_flight = 4;
    world->config.money = (struct money_limits){ .reverts = 2, .window_ms = MONEY_HOUR_MS };
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    world_free(*state);
    return 0;
}

static void force(struct world *world, bool opens)
{
    struct sqlite_store *other = NULL;
    const struct decision decision = { "ops", "a test", world->wall_ms };
    assert_int_equal(sqlite_store_open(world->store_path, SQLITE_MODE_WRITE, NULL, NULL, &other, NULL), BURSAR_OK);
    struct store store = sqlite_store_interface(other);
    assert_int_equal(store.money_force(store.ctx, 1, opens, &decision, NULL), BURSAR_OK);
    sqlite_store_close(other);
}

static void person_opens(void *ctx)
{
    force(ctx, true);
}

static void ask_to_cancel(struct world *world, size_t row)
{
    struct store store = sqlite_store_interface(world->first.sqlite);
    const struct decision decision = { "ops", "paid by hand", world->wall_ms };
    assert_int_equal(store.cancel_request(store.ctx, 1, (int64_t)row + 1, &decision, NULL), BURSAR_OK);
}

static void make_revert(struct world *world, size_t first, size_t count)
{
    for (size_t row = first; row < first + count; row++) {
        const struct bursar_address destination = destination_of(row);
        memory_chain_make_revert(world->chain, &destination);
    }
}

static void pass(struct world *world, uint64_t ms)
{
    world->wall_ms += ms;
    world->monotonic_ms += ms;
}

static int64_t bound(struct world *world)
{
    return world_number(world, "SELECT count(*) FROM intent");
}

static int64_t attempts(struct world *world)
{
    return world_number(world, "SELECT count(*) FROM attempt");
}

static int64_t openings(struct world *world)
{
    return world_number(world, "SELECT count(*) FROM event WHERE cause = 21");
}

static bool is_open(struct world *world, const char *cause)
{
    char sql[128];
    (void)snprintf(sql, sizeof sql, "SELECT hold LIKE 'money_breaker_open cause=%s: %%' FROM treasury", cause);
    return world->first.report.money_open && world_number(world, sql) == 1;
}

static void run_until_open(struct world *world, const char *cause)
{
    for (int i = 0; i < IDLE_LIMIT; i++) {
        world_run(world, 1);
        if (!world->first.report.money_open)
            continue;
        assert_true(is_open(world, cause));
        assert_false(world->first.report.is_idle);
        return;
    }
    fail_msg("it did not open");
}

static void run_and_stay_closed(struct world *world, size_t limit)
{
    world_run_until_idle(world, limit);
    assert_false(world->first.report.money_open);
    assert_int_equal(openings(world), 0);
}

/* -- reverts --------------------------------------------------------------------------------------------- */

static void payments_that_fail_open_it_and_what_is_in_flight_goes_on_to_its_end(void **state)
{
    struct world *world = *state;
    make_revert(world, 0, 2);
    world_add_many(world, ROWS);
    run_until_open(world, "reverts");
    const int64_t before = bound(world);
    assert_in_range(before, 3, ROWS - 1);
    const int64_t anchor = world_number(world, "SELECT anchor_no FROM treasury");
    for (int i = 0; i < 15; i++) {
        world_run(world, 1);
        assert_true(is_open(world, "reverts"));
    }
    assert_int_equal(bound(world), before);
    assert_int_equal(rows_in(world, STATE_FAILED), 2);
    assert_int_equal(rows_in(world, STATE_FINALIZED), before - 2);
    assert_int_equal(rows_in(world, STATE_QUEUED), ROWS - before);
    assert_true(world_number(world, "SELECT anchor_no FROM treasury") >= anchor + 14);
    assert_int_equal(world_number(world, "SELECT hold LIKE '%: 2 payments failed on chain within 3600 s; the last: "
                                         "nonce 1: %' FROM treasury"),
                     1);
    assert_int_equal(openings(world), 1);
    force(world, false);
    world_run_until_idle(world, IDLE_LIMIT);
    world_check(world);
    assert_int_equal(rows_in(world, STATE_FINALIZED), ROWS - 2);
    assert_int_equal(bound(world), ROWS);
    assert_int_equal(world_number(world, "SELECT hold = '' FROM treasury"), 1);
    assert_int_equal(openings(world), 1);
}

static void one_revert_or_two_far_apart_open_nothing(void **state)
{
    struct world *world = *state;
    make_revert(world, 0, 1);
    world_add_many(world, 3);
    run_and_stay_closed(world, IDLE_LIMIT);
    pass(world, MONEY_HOUR_MS);
    make_revert(world, 3, 1);
    world_add_many(world, 3);
    run_and_stay_closed(world, IDLE_LIMIT);
    assert_int_equal(rows_in(world, STATE_FAILED), 2);
    make_revert(world, 6, 1); /* the second within its hour */
    world_add_many(world, 1);
    run_until_open(world, "reverts");
}

static void a_closed_one_is_judged_by_what_happens_from_then_on(void **state)
{
    struct world *world = *state;
    make_revert(world, 0, 4);
    world_add_many(world, 2);
    run_until_open(world, "reverts");
    force(world, false);
    world_add_many(world, 1);
    world_run_until_idle(world, IDLE_LIMIT);
    assert_int_equal(openings(world), 1);
    world_add_many(world, 1);
    run_until_open(world, "reverts");
    assert_int_equal(openings(world), 2);
}

/* Before and after every write, from the moment when the second revert is final. */
static void death_at_any_write_leaves_it_open_before_anything_else_is_bound(void **state)
{
    (void)state;
    for (int after = 0; after < 2; after++) {
        bool lived = false;
        for (uint64_t k = 1; !lived; k++) {
            void *fresh;
            assert_int_equal(set_up(&fresh), 0);
            struct world *world = fresh;
            world->config.max_in_flight = 2;
            make_revert(world, 0, 2);
            world_add_many(world, ROWS);
            world_run(world, world->chain->finality_depth);
            assert_int_equal(rows_in(world, STATE_FAILED), 0);
            world->first.store.die_at = world->first.store.writes + k;
            world->first.store.die_after = after;
            for (int i = 0; i < 4 && !world->first.is_dead; i++) {
                (void)process_try_step(&world->first);
                memory_chain_mine(world->chain, 1);
                pass(world, 1000);
            }
            lived = !world->first.is_dead;
            process_stop(&world->first);
            run_until_open(world, "reverts"); /* an heir */
            world_run(world, 3);
            assert_int_equal(openings(world), 1);
            assert_int_equal(world_number(world, "SELECT count(*) FROM event WHERE cause = 4 AND seq > "
                                                 "(SELECT min(seq) FROM event WHERE cause = 8)"),
                             0);
            assert_int_equal(rows_in(world, STATE_FAILED), 2);
            force(world, false);
            world_run_until_idle(world, IDLE_LIMIT);
            world_check(world);
            assert_int_equal(rows_in(world, STATE_FINALIZED), ROWS - 2);
            world_free(world);
        }
    }
}

static void an_heir_finds_it_open_and_a_person_need_not_wait_for_anybody(void **state)
{
    struct world *world = *state;
    make_revert(world, 0, 2);
    world_add_many(world, ROWS);
    run_until_open(world, "reverts");
    const int64_t before = bound(world);
    process_stop(&world->first);
    world_step(world);
    assert_true(is_open(world, "reverts"));
    process_stop(&world->first);
    force(world, false);
    world_run_until_idle(world, IDLE_LIMIT);
    assert_true(bound(world) > before);
    world_check(world);
    assert_int_equal(rows_in(world, STATE_FINALIZED), ROWS - 2);
}

static void lose_the_lease(struct world *world)
{
    world_sql(world, "UPDATE treasury SET lease_epoch = lease_epoch + 1, lease_holder = 'somebody'");
    process_step(&world->first);
    assert_false(world->first.report.holds_lease);
    process_step(&world->first);
    assert_true(world->first.report.holds_lease);
}

static void who_has_lost_the_lease_and_taken_it_again_still_opens_it(void **state)
{
    struct world *world = *state;
    make_revert(world, 0, 2);
    world_add_many(world, ROWS);
    world_run(world, 1);
    lose_the_lease(world);
    run_until_open(world, "reverts");
}

/* -- what an open one stops, and what it does not --------------------------------------------------------- */

static void while_it_is_open_nothing_is_replaced_and_what_a_person_cancels_is(void **state)
{
    struct world *world = *state;
    world->config.replace_after_blocks = 3;
    world_add_many(world, 3);
    world_settle(world);
    assert_int_equal(memory_chain_pooled(world->chain), 3);
    world->chain->base_fee_wei = 100; /* what they offer is too little now */
    force(world, true);
    world_run(world, 12);
    assert_true(is_open(world, "person"));
    assert_int_equal(attempts(world), 3);
    ask_to_cancel(world, 0);
    world_run(world, 12);
    assert_int_equal(state_of(world, 0), STATE_CANCELLED);
    assert_int_equal(attempts(world), 4);
    assert_int_equal(world_number(world, "SELECT purpose FROM attempt WHERE seq = 2"), SIGN_SELF);
    memory_chain_drop_pool(world->chain);
    world->chain->base_fee_wei = 10; /* and enough again */
    pass(world, 120000);
    world_run(world, 12);
    assert_int_equal(rows_in(world, STATE_FINALIZED), 2);
    assert_int_equal(attempts(world), 4);
    assert_true(world->first.report.money_open);
    world_check(world);
}

static void once_it_is_closed_what_is_stuck_is_replaced(void **state)
{
    struct world *world = *state;
    world->config.replace_after_blocks = 3;
    world_add_many(world, 2);
    world_settle(world);
    world->chain->base_fee_wei = 100;
    force(world, true);
    world_run(world, 8);
    assert_int_equal(attempts(world), 2);
    force(world, false);
    world_run_until_idle(world, IDLE_LIMIT);
    assert_int_equal(attempts(world), 4);
    world_check_all_paid(world);
}

static void what_is_bound_already_is_not_signed_before_it_is_closed(void **state)
{
    struct world *world = *state;
    process_start(&world->first, world, "first");
    world_add_many(world, 4);
    world->first.signer.fail_at = 1;
    process_step(&world->first);
    const int64_t before = bound(world);
    assert_true(before > 1);
    force(world, true);
    world_run(world, 6);
    assert_int_equal(attempts(world), 0);
    assert_int_equal(bound(world), before);
    ask_to_cancel(world, 0); /* that is signed, as anybody's cancel is */
    world_run(world, 8);
    assert_int_equal(state_of(world, 0), STATE_CANCELLED);
    assert_int_equal(attempts(world), 1);
    force(world, false);
    world_run_until_idle(world, IDLE_LIMIT);
    world_check(world);
    assert_int_equal(rows_in(world, STATE_FINALIZED), 3);
}

/* INV-6 */
static void a_person_who_opens_it_after_rows_were_selected_stops_their_binding(void **state)
{
    struct world *world = *state;
    for (int retaken = 0; retaken < 2; retaken++) {
        world_run_until_idle(world, IDLE_LIMIT);
        if (retaken)
            lose_the_lease(world);
        const int64_t before = bound(world);
        world_add_many(world, 3);
        world->first.store.interlude_at = "bind";
        world->first.store.interlude = person_opens;
        world->first.store.interlude_ctx = world;
        process_step(&world->first);
        assert_null(world->first.store.interlude); /* it had come to that */
        world_run(world, 5);
        assert_true(is_open(world, "person"));
        assert_int_equal(bound(world), before);
        assert_int_equal(rows_in(world, STATE_QUEUED), 3);
        force(world, false);
        world_run_until_idle(world, IDLE_LIMIT);
        world_check_all_paid(world);
    }
}

static void a_person_who_opens_it_while_they_are_signed_stops_their_staging(void **state)
{
    struct world *world = *state;
    world_run(world, 1);
    world_add_many(world, 2);
    world->first.signer.interlude = person_opens;
    world->first.signer.interlude_ctx = world;
    world_run(world, 6);
    assert_null(world->first.signer.interlude);
    assert_true(is_open(world, "person"));
    assert_int_equal(attempts(world), 0);
    assert_int_equal(world->chain->calls[CALL_SUBMIT], 0);
    force(world, false);
    world_run_until_idle(world, IDLE_LIMIT);
    assert_int_equal(world->first.report.halt, HALT_NONE);
    world_check_all_paid(world);
}

/* -- a stranger ------------------------------------------------------------------------------------------ */

static void send_foreign(struct world *world)
{
    const struct bursar_address stranger = { .bytes = { 0xee } };
    world_add_many(world, 4);
    world_settle(world);
    memory_chain_send_foreign(world->chain, 1, &stranger, 5);
}

static void a_stranger_that_was_exhibited_opens_it(void **state)
{
    struct world *world = *state;
    world->config.money.watches_foreign_nonce = true;
    send_foreign(world);
    run_until_open(world, "foreign_nonce");
    world_run(world, 10);
    assert_int_equal(state_of(world, 1), STATE_QUEUED); /* freed, and not bound again */
    assert_int_equal(bound(world), 4);
    assert_int_equal(rows_in(world, STATE_FINALIZED), 3);
    force(world, false);
    world_run_until_idle(world, IDLE_LIMIT);
    world_check_all_paid(world);
}

static void where_strangers_are_not_watched_for_it_stays_closed(void **state)
{
    struct world *world = *state;
    world->config.money.watches_balance = true; /* what a stranger takes by our nonce is no riddle */
    send_foreign(world);
    run_and_stay_closed(world, IDLE_LIMIT);
    world_check_all_paid(world);
}

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

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(payments_that_fail_open_it_and_what_is_in_flight_goes_on_to_its_end),
        TEST(one_revert_or_two_far_apart_open_nothing),
        TEST(a_closed_one_is_judged_by_what_happens_from_then_on),
        cmocka_unit_test(death_at_any_write_leaves_it_open_before_anything_else_is_bound),
        TEST(an_heir_finds_it_open_and_a_person_need_not_wait_for_anybody),
        TEST(who_has_lost_the_lease_and_taken_it_again_still_opens_it),
        TEST(while_it_is_open_nothing_is_replaced_and_what_a_person_cancels_is),
        TEST(once_it_is_closed_what_is_stuck_is_replaced),
        TEST(what_is_bound_already_is_not_signed_before_it_is_closed),
        TEST(a_person_who_opens_it_after_rows_were_selected_stops_their_binding),
        TEST(a_person_who_opens_it_while_they_are_signed_stops_their_staging),
        TEST(a_stranger_that_was_exhibited_opens_it),
        TEST(where_strangers_are_not_watched_for_it_stays_closed),
        cmocka_unit_test(as_many_payments_as_an_hour_may_have_are_bound_and_then_it_opens),
        TEST(what_keeps_within_the_limits_of_each_hour_opens_nothing),
        cmocka_unit_test(an_assets_rate_is_reached_to_the_unit),
        TEST(a_clock_that_goes_back_lets_no_more_through),
        TEST(without_limits_nothing_opens_it),
        TEST(one_wei_that_nothing_explains_opens_it_at_the_next_final_block),
        TEST(as_much_as_is_tolerated_opens_nothing_and_a_wei_more_does),
        TEST(money_that_leaves_while_payments_are_made_or_nobody_looks_is_missed_all_the_same),
        TEST(where_the_final_balance_is_not_shown_nothing_is_concluded_until_it_is),
        TEST(deposits_fees_reverts_cancels_reorgs_and_restarts_explain_themselves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

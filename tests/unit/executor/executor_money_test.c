/* The money breaker at work in the executor (INV-10): what opens it, that an open one spends nothing and observes all,
 * that only a person closes it, and that neither a crash nor another process gets around it. */
#include "money_world.h"

#define ROWS 10

static void person_opens(void *ctx)
{
    force(ctx, true);
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
    assert_false(world->first.report.money_waits); /* some are on their way */
    const int64_t anchor = world_number(world, "SELECT anchor_no FROM treasury");
    for (int i = 0; i < 15; i++) {
        world_run(world, 1);
        assert_true(is_open(world, "reverts"));
    }
    assert_true(world->first.report.money_waits);
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
    assert_false(world->first.report.money_waits);
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

/* -- a person is faster ---------------------------------------------------------------------------------- */

static void person_closes(void *ctx)
{
    force(ctx, false);
}

/* Two reverts are final, and it is about to open. */
static void step_up_to_its_opening(struct world *world, void (*interlude)(void *))
{
    process_start(&world->first, world, "first");
    world->first.store.interlude_at = "money_trip";
    world->first.store.interlude = interlude;
    world->first.store.interlude_ctx = world;
    make_revert(world, 0, 2);
    world_add_many(world, ROWS);
    for (int i = 0; i < IDLE_LIMIT && world->first.store.interlude; i++)
        world_run(world, 1);
    assert_null(world->first.store.interlude);
}

static void a_person_who_opens_it_first_is_who_has_opened_it(void **state)
{
    struct world *world = *state;
    step_up_to_its_opening(world, person_opens);
    const int64_t before = bound(world);
    world_run(world, 5);
    assert_true(is_open(world, "person"));
    assert_int_equal(openings(world), 1);
    assert_int_equal(bound(world), before);
}

static void a_person_who_closes_it_first_has_seen_what_there_was(void **state)
{
    struct world *world = *state;
    step_up_to_its_opening(world, person_closes);
    run_and_stay_closed(world, IDLE_LIMIT);
    world_check(world);
    assert_int_equal(rows_in(world, STATE_FINALIZED), ROWS - 2);
}

static void limits_that_were_lowered_hold_from_the_next_tick_on(void **state)
{
    struct world *world = *state;
    make_revert(world, 0, 1);
    world_add_many(world, ROWS);
    world_run(world, world->chain->finality_depth + 2);
    assert_int_equal(rows_in(world, STATE_FAILED), 1);
    assert_false(world->first.report.money_open);
    world->config.money.reverts = 1;
    executor_reconfigure(world->first.executor, &world->config);
    world_step(world);
    assert_true(is_open(world, "reverts"));
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

static void what_is_signed_and_was_never_handed_over_waits_as_well(void **state)
{
    struct world *world = *state;
    world_add_many(world, 2);
    world_settle(world);
    memory_chain_drop_pool(world->chain);
    world_sql(world, "UPDATE attempt SET sends = 0, last_sent_ms = 0 WHERE id = 1"); /* as if it had died before */
    force(world, true);
    pass(world, 120000);
    world_run(world, 5);
    assert_int_equal(memory_chain_pooled(world->chain), 1); /* the other is handed over again */
    assert_true(world->first.report.money_waits);
    force(world, false);
    world_run_until_idle(world, IDLE_LIMIT);
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
    assert_true(world->first.report.money_waits);
    ask_to_cancel(world, 0); /* that is signed, as anybody's cancel is */
    world_run(world, 1);
    assert_false(world->first.report.money_waits);
    world_run(world, 8);
    assert_true(world->first.report.money_waits);
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
        TEST(a_person_who_opens_it_first_is_who_has_opened_it),
        TEST(a_person_who_closes_it_first_has_seen_what_there_was),
        TEST(limits_that_were_lowered_hold_from_the_next_tick_on),
        TEST(while_it_is_open_nothing_is_replaced_and_what_a_person_cancels_is),
        TEST(once_it_is_closed_what_is_stuck_is_replaced),
        TEST(what_is_signed_and_was_never_handed_over_waits_as_well),
        TEST(what_is_bound_already_is_not_signed_before_it_is_closed),
        TEST(a_person_who_opens_it_after_rows_were_selected_stops_their_binding),
        TEST(a_person_who_opens_it_while_they_are_signed_stops_their_staging),
        TEST(a_stranger_that_was_exhibited_opens_it),
        TEST(where_strangers_are_not_watched_for_it_stays_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What stops an executor from binding: another chain, another history, somebody else's transactions. Each halt and each
 * hold lasts as long as its reason, but for those that only a person ends. */
#include "world.h"

#include "executor/planner.h"

#define ROWS 4

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

static enum halt_code stored_halt(struct world *world)
{
    return (enum halt_code)world_number(world, "SELECT halt_code FROM treasury");
}

static struct bursar_address a_stranger(void)
{
    return (struct bursar_address){ .bytes = { 0xee } };
}

static void look_for_a_while(struct world *world)
{
    for (uint64_t until_ms = world->monotonic_ms + PENDING_SETTLES_MS; world->monotonic_ms <= until_ms;)
        world_step(world);
}

static void restart(struct world *world)
{
    process_stop(&world->first);
    process_start(&world->first, world, "first again");
}

/* -- somebody else's transactions ------------------------------------------------------------------------ */

static void a_foreign_transaction_at_our_nonce_holds_until_it_is_final(void **state)
{
    struct world *world = *state;
    struct bursar_address stranger = a_stranger();
    world_add_many(world, ROWS);
    world_settle(world);
    memory_chain_send_foreign(world->chain, 1, &stranger, 5);
    memory_chain_mine(world->chain, 1);
    world_add_many(world, ROWS);
    for (uint64_t i = 0; i < world->chain->finality_depth; i++) {
        world_settle(world);
        assert_int_equal(world->first.report.halt, HALT_NONE);
        assert_true(world_number(world, "SELECT length(hold) > 0 FROM treasury"));
        assert_int_equal(rows_in(world, STATE_QUEUED), ROWS);
        memory_chain_mine(world->chain, 1);
    }
    world_run_until_idle(world, 30); /* then what was bound there is free: executor_exhibit_test.c */
    world_check_all_paid(world);
}

static void while_the_pool_keeps_somebody_elses_transaction_in_place_of_ours_nothing_is_bound_above(void **state)
{
    struct world *world = *state;
    struct bursar_address stranger = a_stranger();
    process_start(&world->first, world, "first");
    world_add_many(world, 1);
    process_step(&world->first); /* bound and sent */
    memory_chain_send_foreign(world->chain, 0, &stranger, 5);
    world->monotonic_ms += REBROADCAST_MS;
    world->wall_ms += REBROADCAST_MS;
    process_step(&world->first); /* offered again, refused as underpriced */
    world_add_many(world, ROWS);
    for (int i = 0; i < 5; i++)
        world_step(world);
    assert_int_equal(world->first.report.halt, HALT_NONE);
    assert_true(world_number(world, "SELECT length(hold) > 0 FROM treasury"));
    assert_int_equal(rows_in(world, STATE_QUEUED), ROWS);
    memory_chain_drop_pool(world->chain);
    world_run_until_idle(world, 30);
    world_check_all_paid(world);
}

static void a_halt_does_not_end_because_the_node_cannot_be_read(void **state)
{
    struct world *world = *state;
    process_start(&world->first, world, "first");
    world->chain->chain_id = 5;
    process_step(&world->first);
    assert_int_equal(world->first.report.halt, HALT_WRONG_CHAIN);
    memory_chain_fail(world->chain, CALL_OBSERVE, BURSAR_EUNREACHABLE, 0, 3);
    for (int i = 0; i < 3; i++) {
        world_step(world);
        assert_int_equal(stored_halt(world), HALT_WRONG_CHAIN);
        assert_int_equal(world->first.report.halt, HALT_NONE); /* not seen now: worth waiting for the node */
        assert_false(world->first.report.is_idle);
    }
    world->chain->chain_id = WORLD_CHAIN_ID;
    world_step(world);
    assert_int_equal(stored_halt(world), HALT_NONE);
}

static void a_halt_does_not_end_because_the_node_lags_behind_what_was_final(void **state)
{
    struct world *world = *state;
    struct bursar_address stranger = a_stranger();
    world_add_many(world, ROWS);
    world_run_until_idle(world, 30);
    memory_chain_send_foreign(world->chain, ROWS, &stranger, 5);
    look_for_a_while(world);
    assert_int_equal(stored_halt(world), HALT_STORE_BEHIND_CHAIN);
    world->chain->lag_blocks = world->chain->finality_depth + 5;
    world->chain->lag_calls = UINT64_MAX;
    for (int i = 0; i < 3; i++) {
        world_step(world);
        assert_int_equal(stored_halt(world), HALT_STORE_BEHIND_CHAIN);
    }
    world_check(world);
}

static void a_foreign_transaction_that_is_reorganised_away_ends_the_hold(void **state)
{
    struct world *world = *state;
    struct bursar_address stranger = a_stranger();
    world_add_many(world, ROWS);
    world_settle(world);
    memory_chain_send_foreign(world->chain, 0, &stranger, 5);
    memory_chain_mine(world->chain, 1);
    world_settle(world);
    memory_chain_reorg(world->chain, 1, ORPHANS_DROPPED);
    world_run_until_idle(world, 90); /* a pool that had taken it is offered our bytes again once a minute */
    world_check_all_paid(world);
}

static void a_foreign_transaction_beyond_our_last_nonce_halts_while_it_is_there(void **state)
{
    struct world *world = *state;
    struct bursar_address stranger = a_stranger();
    world_add_many(world, ROWS);
    world_settle(world);
    memory_chain_send_foreign(world->chain, ROWS, &stranger, 5);
    world_add_many(world, 1);
    world_step(world);
    assert_int_equal(world->first.report.halt, HALT_NONE); /* one look at a pool proves nothing, and binds nothing */
    look_for_a_while(world);
    assert_int_equal(world->first.report.halt, HALT_STORE_BEHIND_CHAIN);
    assert_int_equal(state_of(world, ROWS), STATE_QUEUED);
    memory_chain_drop_pool(world->chain);
    world_run_until_idle(world, 90);
    assert_int_equal(stored_halt(world), HALT_NONE);
    world_check_all_paid(world);
}

/* The node's pool loses sight of it for one look: that is no moment to bind anything. */
static void a_pool_that_shows_less_for_one_look_lets_nothing_be_bound(void **state)
{
    struct world *world = *state;
    struct bursar_address stranger = a_stranger();
    world_add_many(world, ROWS);
    world_run_until_idle(world, 30);
    memory_chain_send_foreign(world->chain, ROWS, &stranger, 5);
    look_for_a_while(world);
    world_add_many(world, 1);
    world->chain->transactions[world->chain->transaction_count - 1].is_pooled = false;
    world_step(world);
    world->chain->transactions[world->chain->transaction_count - 1].is_pooled = true;
    assert_int_equal(state_of(world, ROWS), STATE_QUEUED);
    restart(world);
    world->chain->transactions[world->chain->transaction_count - 1].is_pooled = false;
    world_step(world);
    assert_int_equal(state_of(world, ROWS), STATE_QUEUED); /* nor after a restart */
    world_run_until_idle(world, 30);
    world_check_all_paid(world);
}

static void a_foreign_transaction_mined_beyond_our_last_nonce_halts_for_good(void **state)
{
    struct world *world = *state;
    struct bursar_address stranger = a_stranger();
    world_add_many(world, ROWS);
    world_run_until_idle(world, 30);
    memory_chain_send_foreign(world->chain, ROWS, &stranger, 5);
    memory_chain_mine(world->chain, 1);
    world_add_many(world, 2);
    world_run(world, 20);
    restart(world);
    world_run(world, 20);
    assert_int_equal(world->first.report.halt, HALT_STORE_BEHIND_CHAIN);
    assert_int_equal(rows_in(world, STATE_QUEUED), 2);
    world_check(world);
}

static void an_account_with_history_that_nobody_acknowledged_is_not_taken(void **state)
{
    struct world *world = *state;
    world->chain->first_nonce = 12;
    world_add_many(world, ROWS);
    world_run(world, 10);
    assert_int_equal(world->first.report.halt, HALT_ACCOUNT_HISTORY);
    assert_int_equal(stored_halt(world), HALT_ACCOUNT_HISTORY);
    assert_int_equal(world_number(world, "SELECT genesis IS NULL FROM treasury"), 1);
    assert_int_equal(world->chain->transaction_count, 0);
}

static void an_account_with_history_that_was_acknowledged_pays_from_its_next_nonce(void **state)
{
    struct world *world = *state;
    world->chain->first_nonce = 12;
    struct sqlite_store *sqlite = NULL;
    const struct memory_block *genesis = &world->chain->blocks[0];
    const struct block_mark mark = { 0, genesis->hash };
    assert_int_equal(sqlite_store_open(world->store_path, SQLITE_MODE_WRITE, NULL, NULL, &sqlite, NULL), BURSAR_OK);
    struct store store = sqlite_store_interface(sqlite);
    assert_int_equal(store.treasury_pin(store.ctx, world->config.treasury, &genesis->hash, 12, &mark, &mark, NULL),
                     BURSAR_OK);
    sqlite_store_close(sqlite);
    world_add_many(world, ROWS);
    world_run_until_idle(world, 30);
    assert_int_equal(world_number(world, "SELECT min(nonce) FROM intent"), 12);
    world_check_all_paid(world);
}

/* -- other chains ---------------------------------------------------------------------------------------- */

static void a_node_of_another_chain_halts_until_the_right_one_is_back(void **state)
{
    struct world *world = *state;
    world_add_many(world, ROWS);
    world_settle(world);
    world_add_many(world, ROWS);
    world->chain->chain_id = 1;
    uint64_t submits = world->chain->calls[CALL_SUBMIT];
    memory_chain_drop_pool(world->chain);
    world_run(world, 10);
    assert_int_equal(world->first.report.halt, HALT_WRONG_CHAIN);
    assert_int_equal(stored_halt(world), HALT_WRONG_CHAIN);
    assert_int_equal(world->chain->calls[CALL_SUBMIT], submits);
    assert_int_equal(rows_in(world, STATE_QUEUED), ROWS);
    world->chain->chain_id = WORLD_CHAIN_ID;
    world_run_until_idle(world, 30);
    assert_int_equal(stored_halt(world), HALT_NONE);
    world_check_all_paid(world);
}

static void another_genesis_block_latches(void **state)
{
    struct world *world = *state;
    world_step(world);
    world->chain->blocks[0].hash.bytes[0] ^= 1;
    world_step(world);
    assert_int_equal(world->first.report.halt, HALT_GENESIS_MISMATCH);
    world->chain->blocks[0].hash.bytes[0] ^= 1;
    world_add_many(world, ROWS);
    restart(world);
    world_run(world, 10);
    assert_int_equal(world->first.report.halt, HALT_GENESIS_MISMATCH);
    assert_int_equal(rows_in(world, STATE_QUEUED), ROWS);
}

static void a_final_block_that_changed_latches_through_restarts_until_a_person_reconciles(void **state)
{
    struct world *world = *state;
    world_add_many(world, ROWS);
    world_run_until_idle(world, 30);
    uint64_t anchor = (uint64_t)world_number(world, "SELECT anchor_no FROM treasury");
    world->chain->blocks[anchor].hash.bytes[0] ^= 1;
    world_step(world);
    assert_int_equal(world->first.report.halt, HALT_ANCHOR_MISMATCH);
    assert_int_equal(stored_halt(world), HALT_ANCHOR_MISMATCH);
    world->chain->blocks[anchor].hash.bytes[0] ^= 1;
    world_add_many(world, ROWS);
    world_run(world, 10);
    assert_int_equal(world->first.report.halt, HALT_ANCHOR_MISMATCH);
    restart(world);
    world->chain->chain_id = 1; /* a halt that passes does not replace it */
    world_run(world, 3);
    world->chain->chain_id = WORLD_CHAIN_ID;
    world_run(world, 10);
    assert_int_equal(world->first.report.halt, HALT_ANCHOR_MISMATCH);
    assert_int_equal(rows_in(world, STATE_QUEUED), ROWS);
    world_check(world);
    world_sql(world, "UPDATE treasury SET halt_code = 0, halt_reason = ''");
    world_run_until_idle(world, 30);
    world_check_all_paid(world);
}

static void under_a_latched_halt_what_is_bound_is_not_signed_and_what_is_out_is_still_observed(void **state)
{
    struct world *world = *state;
    world->config.batch_size = 2;
    world_add_many(world, ROWS);
    process_start(&world->first, world, "first");
    world->first.signer.fail_at = 2;
    world_run(world, 2); /* two are out; two are bound, and the signer had a bad moment */
    assert_int_equal(world_number(world, "SELECT count(*) FROM intent WHERE status = 1"), 2);
    world_sql(world, "UPDATE treasury SET halt_code = 3, halt_reason = 'test'");
    world_run(world, 10);
    assert_int_equal(world->first.report.halt, HALT_ANCHOR_MISMATCH);
    assert_int_equal(world_number(world, "SELECT count(*) FROM attempt"), 2);
    assert_int_equal(rows_in(world, STATE_FINALIZED), 2);
    world_sql(world, "UPDATE treasury SET halt_code = 0, halt_reason = ''");
    world_run_until_idle(world, 30);
    world_check_all_paid(world);
}

static void a_history_that_was_replaced_altogether_halts_and_pays_nobody_again(void **state)
{
    struct world *world = *state;
    world_add_many(world, ROWS);
    world_run_until_idle(world, 30);
    memory_chain_replace_all(world->chain, 40);
    world_add_many(world, ROWS);
    world_run(world, 20);
    assert_int_equal(world->first.report.halt, HALT_ANCHOR_MISMATCH);
    assert_int_equal(memory_chain_nonce(world->chain), 0);
    assert_int_equal(rows_in(world, STATE_QUEUED), ROWS);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_foreign_transaction_at_our_nonce_holds_until_it_is_final),
        TEST(while_the_pool_keeps_somebody_elses_transaction_in_place_of_ours_nothing_is_bound_above),
        TEST(a_halt_does_not_end_because_the_node_cannot_be_read),
        TEST(a_halt_does_not_end_because_the_node_lags_behind_what_was_final),
        TEST(a_foreign_transaction_that_is_reorganised_away_ends_the_hold),
        TEST(a_foreign_transaction_beyond_our_last_nonce_halts_while_it_is_there),
        TEST(a_pool_that_shows_less_for_one_look_lets_nothing_be_bound),
        TEST(a_foreign_transaction_mined_beyond_our_last_nonce_halts_for_good),
        TEST(an_account_with_history_that_nobody_acknowledged_is_not_taken),
        TEST(an_account_with_history_that_was_acknowledged_pays_from_its_next_nonce),
        TEST(a_node_of_another_chain_halts_until_the_right_one_is_back),
        TEST(another_genesis_block_latches),
        TEST(a_final_block_that_changed_latches_through_restarts_until_a_person_reconciles),
        TEST(under_a_latched_halt_what_is_bound_is_not_signed_and_what_is_out_is_still_observed),
        TEST(a_history_that_was_replaced_altogether_halts_and_pays_nobody_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

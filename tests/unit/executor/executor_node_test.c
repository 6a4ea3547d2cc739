/* What an executor makes of nodes that fail, lag, forget and reorganise: it looks again, sends the same bytes again,
 * and pays each row once. */
#include "world.h"

#define ROWS 6

static int set_up(void **state)
{
    struct world *world = world_new();
    world->config.batch_size = 4;
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    world_free(*state);
    return 0;
}

/* -- calls that fail ------------------------------------------------------------------------------------- */

struct failure {
    enum chain_call call;
    enum bursar_status status;
    size_t delivered;
};

/* One run per k: the k-th call of this kind fails, `in_a_row` times. Ends when there is no k-th call any more. */
static void fail_each_call_in_turn(const struct failure *failure, uint64_t in_a_row)
{
    uint64_t k = 0, seen = 0;
    do {
        struct world *world = world_new();
        world->config.batch_size = 4;
        world->chain->finality_depth = 1;
        world_add_many(world, ROWS);
        memory_chain_fail(world->chain, failure->call, failure->status, k, in_a_row);
        world->chain->faults[failure->call].delivered = failure->delivered;
        world_run_until_idle(world, 40 + in_a_row);
        assert_int_equal(world->first.report.halt, HALT_NONE);
        world_check_all_paid(world);
        seen = world->chain->calls[failure->call];
        world_free(world);
    } while (++k < seen);
    assert_true(k > 1);
}

static void any_look_at_the_node_may_fail(void **state)
{
    (void)state;
    fail_each_call_in_turn(&(struct failure){ CALL_OBSERVE, BURSAR_EUNREACHABLE, 0 }, 1);
    fail_each_call_in_turn(&(struct failure){ CALL_OBSERVE, BURSAR_EPROTOCOL, 0 }, 3);
}

static void any_read_of_blocks_may_fail(void **state)
{
    (void)state;
    fail_each_call_in_turn(&(struct failure){ CALL_BLOCKS, BURSAR_EUNREACHABLE, 0 }, 1);
    fail_each_call_in_turn(&(struct failure){ CALL_BLOCKS, BURSAR_EUNKNOWN, 0 }, 5);
}

static void any_read_of_receipts_may_fail(void **state)
{
    (void)state;
    fail_each_call_in_turn(&(struct failure){ CALL_RECEIPTS, BURSAR_EUNREACHABLE, 0 }, 1);
    fail_each_call_in_turn(&(struct failure){ CALL_RECEIPTS, BURSAR_EPROTOCOL, 0 }, 4);
}

static void any_look_for_code_may_fail(void **state)
{
    (void)state;
    fail_each_call_in_turn(&(struct failure){ CALL_HAS_CODE, BURSAR_EUNREACHABLE, 0 }, 1);
    fail_each_call_in_turn(&(struct failure){ CALL_HAS_CODE, BURSAR_EUNKNOWN, 0 }, 4);
}

static void a_submission_that_certainly_did_not_arrive_is_made_again(void **state)
{
    (void)state;
    fail_each_call_in_turn(&(struct failure){ CALL_SUBMIT, BURSAR_EUNREACHABLE, 0 }, 1);
    fail_each_call_in_turn(&(struct failure){ CALL_SUBMIT, BURSAR_EUNREACHABLE, 2 }, 3);
}

static void a_submission_of_unknown_outcome_that_arrived_in_full_in_part_or_not_at_all_pays_once(void **state)
{
    (void)state;
    for (size_t delivered = 0; delivered <= 4; delivered += 2) {
        fail_each_call_in_turn(&(struct failure){ CALL_SUBMIT, BURSAR_EUNKNOWN, delivered }, 1);
        fail_each_call_in_turn(&(struct failure){ CALL_SUBMIT, BURSAR_EUNKNOWN, delivered }, 3);
    }
}

static void what_is_bound_is_signed_also_while_receipts_cannot_be_read(void **state)
{
    struct world *world = *state;
    world_add_many(world, 1);
    world_settle(world);
    memory_chain_mine(world->chain, 1 + world->chain->finality_depth); /* its receipt is wanted from now on */
    memory_chain_fail(world->chain, CALL_RECEIPTS, BURSAR_EUNREACHABLE, 0, UINT64_MAX);
    world_add_many(world, 8);
    world_run(world, 6);
    assert_int_equal(rows_in(world, STATE_EXECUTED), 9);
    memory_chain_fail(world->chain, CALL_RECEIPTS, BURSAR_OK, 0, 0);
    world_run_until_idle(world, 20);
    world_check_all_paid(world);
}

static void a_node_that_is_down_for_long_halts_nothing(void **state)
{
    struct world *world = *state;
    world_add_many(world, ROWS);
    world_settle(world);
    for (int call = 0; call < CALL_COUNT; call++)
        memory_chain_fail(world->chain, (enum chain_call)call, BURSAR_EUNREACHABLE, 0, 50);
    world_run(world, 50);
    assert_int_equal(world->first.report.halt, HALT_NONE);
    assert_false(world->first.report.observed);
    assert_false(world->first.report.is_idle);
    world_run_until_idle(world, 400); /* each kind of call fails for a while yet */
    world_check_all_paid(world);
}

/* -- pools that forget ----------------------------------------------------------------------------------- */

static void a_dropped_pool_is_given_the_same_bytes_again(void **state)
{
    struct world *world = *state;
    world_add_many(world, ROWS);
    world_settle(world);
    assert_int_equal(memory_chain_pooled(world->chain), ROWS);
    for (int times = 0; times < 3; times++) {
        memory_chain_drop_pool(world->chain);
        world_step(world);
        world_step(world);
        world_step(world);
        assert_int_equal(memory_chain_pooled(world->chain), ROWS);
    }
    assert_int_equal(world->chain->transaction_count, ROWS); /* other bytes would be other transactions */
    assert_true(world->chain->transactions[0].hand_overs >= 4);
    world_run_until_idle(world, 20);
    assert_int_equal(world_number(world, "SELECT count(*) FROM attempt"), ROWS);
    world_check_all_paid(world);
}

static void a_pool_is_not_flooded_with_what_it_holds(void **state)
{
    struct world *world = *state;
    world_add_many(world, ROWS);
    for (int i = 0; i < 30; i++)
        world_step(world); /* half a minute, without a block */
    assert_int_equal(world->chain->transactions[0].hand_overs, 1);
    world_run_until_idle(world, 20);
    world_check_all_paid(world);
}

/* -- reorgs ---------------------------------------------------------------------------------------------- */

static void a_reorg_takes_payments_back_to_staged_and_the_same_intent_pays_them(enum orphans orphans, uint64_t depth)
{
    struct world *world = world_new();
    world->chain->finality_depth = 6;
    world_add_many(world, ROWS);
    world_settle(world);
    memory_chain_mine(world->chain, 1);
    for (uint64_t i = 1; i < depth; i++) {
        world_settle(world);
        memory_chain_mine(world->chain, 1);
    }
    world_settle(world);
    assert_int_equal(rows_in(world, STATE_EXECUTED), ROWS);
    memory_chain_reorg(world->chain, depth, orphans);
    world_settle(world);
    assert_int_equal(rows_in(world, STATE_STAGED), ROWS);
    world_step(world); /* the same bytes are out again */
    assert_int_equal(memory_chain_pooled(world->chain), ROWS);
    memory_chain_mine(world->chain, 1);
    world_settle(world);
    assert_int_equal(rows_in(world, STATE_EXECUTED), ROWS);
    world_run_until_idle(world, 30);
    assert_int_equal(world->chain->transaction_count, ROWS);
    assert_int_equal(world_number(world, "SELECT count(*) FROM event WHERE cause = 6"), ROWS);
    world_check_all_paid(world);
    world_free(world);
}

static void a_reorg_of_any_depth_below_finality_pays_nobody_twice(void **state)
{
    (void)state;
    for (uint64_t depth = 1; depth <= 5; depth++) {
        a_reorg_takes_payments_back_to_staged_and_the_same_intent_pays_them(ORPHANS_DROPPED, depth);
        a_reorg_takes_payments_back_to_staged_and_the_same_intent_pays_them(ORPHANS_REPOOLED, depth);
    }
}

static void reorgs_at_every_block_end_in_every_row_paid_once(void **state)
{
    struct world *world = *state;
    world->chain->finality_depth = 4;
    world->chain->block_capacity = 2;
    world->config.max_in_flight = 5;
    world_add_many(world, 20);
    for (uint64_t i = 0; i < 80; i++) {
        world_step(world);
        if (i % 3 == 2)
            memory_chain_reorg(world->chain, 1 + i % 3, i % 2 ? ORPHANS_DROPPED : ORPHANS_REPOOLED);
        memory_chain_mine(world->chain, 1);
        world_check(world);
    }
    world_run_until_idle(world, 60);
    world_check_all_paid(world);
}

static void a_reorg_while_nothing_is_unfinished_harms_nothing(void **state)
{
    struct world *world = *state;
    world_run(world, 5);
    memory_chain_mine(world->chain, 40); /* read over: the executor skips to the head */
    world_step(world);
    memory_chain_reorg(world->chain, 2, ORPHANS_DROPPED);
    world_add_many(world, 2);
    world_run_until_idle(world, 30);
    world_check_all_paid(world);
}

/* While blocks can't be read, finality comes to lie right below the last block read, which is not canonical any more:
 * nothing may be pinned there before the blocks in its place were read. */
static void finality_that_overtakes_the_reading_of_a_reorg_hides_no_payment(void **state)
{
    (void)state;
    for (uint64_t stride = 1; stride <= 2; stride++) { /* 2: with nothing unfinished, every other block is skipped */
        struct world *world = world_new();
        world->chain->finality_depth = 4;
        for (int i = 0; i < 4; i++) {
            memory_chain_mine(world->chain, stride);
            world_step(world);
        }
        world_add_many(world, 1);
        world_settle(world);
        uint64_t read = memory_chain_head(world->chain);
        memory_chain_lose(world->chain, 3, ORPHANS_DROPPED);
        memory_chain_mine(world->chain, 3 + 3); /* our payment is in the first of them */
        memory_chain_fail(world->chain, CALL_BLOCKS, BURSAR_EUNREACHABLE, 0, 2);
        assert_int_equal(memory_chain_head(world->chain) - world->chain->finality_depth, read - 1);
        world_run_until_idle(world, 30);
        assert_int_equal(world->first.report.halt, HALT_NONE);
        world_check_all_paid(world);
        world_free(world);
    }
}

static void a_reorg_that_leaves_the_head_at_its_height_is_noticed_without_another_block(void **state)
{
    struct world *world = *state;
    world_add_many(world, ROWS);
    world_settle(world);
    memory_chain_mine(world->chain, 1);
    world_settle(world);
    assert_int_equal(rows_in(world, STATE_EXECUTED), ROWS);
    memory_chain_lose(world->chain, 1, ORPHANS_DROPPED);
    memory_chain_mine(world->chain, 1);
    world_settle(world);
    assert_int_equal(rows_in(world, STATE_STAGED), ROWS);
    world_run_until_idle(world, 30);
    world_check_all_paid(world);
}

static void a_reorg_between_two_reads_of_one_step_is_noticed(void **state)
{
    struct world *world = *state;
    world->chain->finality_depth = 6;
    world_add_many(world, ROWS);
    world_settle(world);
    memory_chain_mine(world->chain, 2);
    world->chain->lag_blocks = 1; /* the head is seen from one block behind, the blocks from the newest */
    world->chain->lag_calls = 1;
    world_step(world);
    memory_chain_reorg(world->chain, 2, ORPHANS_DROPPED);
    world_settle(world);
    world_run_until_idle(world, 40);
    world_check_all_paid(world);
}

/* -- heads that go back ---------------------------------------------------------------------------------- */

static void a_chain_that_lost_blocks_is_followed_from_where_it_is(void **state)
{
    struct world *world = *state;
    world->chain->finality_depth = 6;
    world_add_many(world, ROWS);
    world_settle(world);
    memory_chain_mine(world->chain, 1);
    world_settle(world);
    memory_chain_mine(world->chain, 2);
    world_settle(world);
    assert_int_equal(rows_in(world, STATE_EXECUTED), ROWS);
    memory_chain_lose(world->chain, 3, ORPHANS_DROPPED);
    for (int i = 0; i < 6; i++)
        world_step(world); /* no block comes, and yet the payments are handed over again */
    assert_int_equal(rows_in(world, STATE_STAGED), ROWS);
    assert_int_equal(memory_chain_pooled(world->chain), ROWS);
    world_run_until_idle(world, 30);
    assert_int_equal(world->chain->transaction_count, ROWS);
    world_check_all_paid(world);
}

static void a_node_that_lags_for_a_moment_takes_nothing_back(void **state)
{
    struct world *world = *state;
    world->chain->finality_depth = 6;
    world_add_many(world, ROWS);
    world_settle(world);
    memory_chain_mine(world->chain, 1);
    world_settle(world);
    for (int times = 0; times < 4; times++) {
        world->chain->lag_blocks = 2;
        world->chain->lag_calls = UINT64_MAX;
        world_step(world);
        world_step(world);
        world->chain->lag_calls = 0;
        world_step(world);
        memory_chain_mine(world->chain, 1);
    }
    assert_int_equal(world_number(world, "SELECT count(*) FROM event WHERE cause = 6"), 0);
    world_run_until_idle(world, 30);
    world_check_all_paid(world);
}

static void a_node_that_lags_for_long_pays_nobody_twice(void **state)
{
    struct world *world = *state;
    world->chain->finality_depth = 6;
    world_add_many(world, ROWS);
    world_settle(world);
    memory_chain_mine(world->chain, 1);
    world_settle(world);
    world->chain->lag_blocks = 3;
    world->chain->lag_calls = 40;
    world_run_until_idle(world, 60);
    world_check_all_paid(world);
}

static void nodes_that_take_turns_behind_one_address_pay_nobody_twice(void **state)
{
    struct world *world = *state;
    world->chain->finality_depth = 6;
    world->chain->block_capacity = 3;
    world->config.max_in_flight = 8;
    world_add_many(world, 30);
    for (uint64_t i = 0; i < 120; i++) {
        world->chain->lag_blocks = i % 5;
        world->chain->lag_calls = i % 7; /* so many calls go to the one that is behind, then the other answers */
        world_run(world, 1);
        world_check(world);
        assert_int_equal(world->first.report.halt, HALT_NONE);
    }
    world_run_until_idle(world, 60);
    world_check_all_paid(world);
}

static void a_lag_below_what_was_final_decides_nothing(void **state)
{
    struct world *world = *state;
    world_add_many(world, 2);
    world_run_until_idle(world, 30);
    world_add_many(world, 2);
    world->chain->lag_blocks = 8; /* final is 3 behind */
    world->chain->lag_calls = UINT64_MAX;
    for (int i = 0; i < 10; i++)
        world_step(world);
    assert_int_equal(world->first.report.halt, HALT_NONE);
    assert_int_equal(rows_in(world, STATE_QUEUED), 2);
    world->chain->lag_calls = 0;
    world_run_until_idle(world, 30);
    world_check_all_paid(world);
}

/* -- transactions that fail ------------------------------------------------------------------------------ */

static void a_reverted_payment_has_failed_only_when_that_is_final(void **state)
{
    struct world *world = *state;
    world_add_many(world, 3);
    struct bursar_address destination = destination_of(1);
    memory_chain_make_revert(world->chain, &destination);
    world_settle(world);
    memory_chain_mine(world->chain, 1);
    world_settle(world);
    for (uint64_t i = 0; i < world->chain->finality_depth; i++) {
        assert_int_equal(state_of(world, 1), STATE_EXECUTED);
        memory_chain_mine(world->chain, 1);
        world_settle(world);
    }
    assert_int_equal(state_of(world, 1), STATE_FAILED);
    assert_int_equal(rows_in(world, STATE_FINALIZED), 2);
    assert_true(world->first.report.is_idle);
    world_check(world);
}

static void a_revert_that_is_reorganised_into_a_success_is_a_payment(void **state)
{
    struct world *world = *state;
    world_add_many(world, 2);
    struct bursar_address destination = destination_of(1);
    memory_chain_make_revert(world->chain, &destination);
    world_settle(world);
    memory_chain_mine(world->chain, 1);
    world_settle(world);
    memory_chain_reorg(world->chain, 1, ORPHANS_REPOOLED);
    world->chain->reverting_count = 0;
    world_run_until_idle(world, 30);
    world_check_all_paid(world);
}

static void a_receipt_from_a_block_that_was_not_read_ends_nothing(void **state)
{
    struct world *world = *state;
    world_add_many(world, 3);
    world->chain->strange_receipts = 5;
    world_run(world, 8);
    assert_int_equal(rows_in(world, STATE_EXECUTED), 3);
    assert_false(world->first.report.is_idle);
    world_run_until_idle(world, 30);
    assert_int_equal(world->chain->strange_receipts, 0);
    world_check_all_paid(world);
}

static void a_dependent_of_a_failed_payment_is_never_bound(void **state)
{
    struct world *world = *state;
    world_add_many(world, 1);
    world_add(world, &(struct wish){ .dependency_count = 1, .dependencies = { 0 } });
    struct bursar_address destination = destination_of(0);
    memory_chain_make_revert(world->chain, &destination);
    world_run_until_idle(world, 30);
    world_run(world, 5);
    assert_int_equal(state_of(world, 0), STATE_FAILED);
    assert_int_equal(state_of(world, 1), STATE_QUEUED);
    world_check(world);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_look_at_the_node_may_fail),
        cmocka_unit_test(any_read_of_blocks_may_fail),
        cmocka_unit_test(any_read_of_receipts_may_fail),
        cmocka_unit_test(any_look_for_code_may_fail),
        cmocka_unit_test(a_submission_that_certainly_did_not_arrive_is_made_again),
        cmocka_unit_test(a_submission_of_unknown_outcome_that_arrived_in_full_in_part_or_not_at_all_pays_once),
        TEST(what_is_bound_is_signed_also_while_receipts_cannot_be_read),
        TEST(a_node_that_is_down_for_long_halts_nothing),
        TEST(a_dropped_pool_is_given_the_same_bytes_again),
        TEST(a_pool_is_not_flooded_with_what_it_holds),
        cmocka_unit_test(a_reorg_of_any_depth_below_finality_pays_nobody_twice),
        TEST(reorgs_at_every_block_end_in_every_row_paid_once),
        TEST(a_reorg_while_nothing_is_unfinished_harms_nothing),
        cmocka_unit_test(finality_that_overtakes_the_reading_of_a_reorg_hides_no_payment),
        TEST(a_reorg_that_leaves_the_head_at_its_height_is_noticed_without_another_block),
        TEST(a_reorg_between_two_reads_of_one_step_is_noticed),
        TEST(a_chain_that_lost_blocks_is_followed_from_where_it_is),
        TEST(a_node_that_lags_for_a_moment_takes_nothing_back),
        TEST(a_node_that_lags_for_long_pays_nobody_twice),
        TEST(nodes_that_take_turns_behind_one_address_pay_nobody_twice),
        TEST(a_lag_below_what_was_final_decides_nothing),
        TEST(a_reverted_payment_has_failed_only_when_that_is_final),
        TEST(a_revert_that_is_reorganised_into_a_success_is_a_payment),
        TEST(a_receipt_from_a_block_that_was_not_read_ends_nothing),
        TEST(a_dependent_of_a_failed_payment_is_never_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

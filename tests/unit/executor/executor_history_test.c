/* What blocks and receipts have said may be otherwise at the next look: only what is final counts, and what was final
 * stays (INV-7, INV-8). */
#include "world.h"

#include "base/bytes.h"

#define ROWS 3

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

/* All rows are in one block, `depth` blocks below the head, and none of them is final. */
static void executed_below(struct world *world, uint64_t depth)
{
    world->chain->finality_depth = 10;
    world_add_many(world, ROWS);
    world_settle(world);
    memory_chain_mine(world->chain, 1 + depth);
    world_settle(world);
    assert_int_equal(rows_in(world, STATE_EXECUTED), ROWS);
}

static void see_the_reorg(struct world *world)
{
    world_step(world); /* goes back */
    world_step(world); /* and reads on */
}

static uint64_t block_of_first(struct world *world)
{
    return (uint64_t)world_number(world, "SELECT block_no FROM attempt WHERE id = 1");
}

static void a_receipt_that_vanishes_from_a_final_block_ends_nothing(void **state)
{
    struct world *world = *state;
    executed_below(world, 0);
    world->chain->missing_receipts = 5;
    memory_chain_mine(world->chain, world->chain->finality_depth);
    while (world->chain->missing_receipts) {
        world_step(world);
        assert_int_equal(rows_in(world, STATE_EXECUTED), ROWS);
        assert_false(world->first.report.is_idle);
        assert_true(world_number(world, "SELECT length(last_error) > 0 FROM treasury"));
    }
    world_run_until_idle(world, 30);
    world_check_all_paid(world);
    assert_int_equal(world_number(world, "SELECT count(*) FROM attempt"), ROWS);
}

static void a_payment_that_moves_to_an_older_block_is_paid_there(void **state)
{
    struct world *world = *state;
    executed_below(world, 2);
    const uint64_t first = block_of_first(world);
    memory_chain_lose(world->chain, 6, ORPHANS_REPOOLED); /* the three below it too */
    memory_chain_mine(world->chain, 7);                   /* the first of these takes them all */
    see_the_reorg(world);
    assert_int_equal(rows_in(world, STATE_EXECUTED), ROWS);
    assert_true(block_of_first(world) < first);
    world_run_until_idle(world, 30);
    world_check_all_paid(world);
    assert_int_equal(block_of_first(world), first - 3);
}

static void a_payment_that_moves_to_a_younger_block_waits_for_that_one_to_be_final(void **state)
{
    struct world *world = *state;
    executed_below(world, 2);
    const uint64_t first = block_of_first(world);
    memory_chain_lose(world->chain, 3, ORPHANS_DROPPED);
    memory_chain_mine(world->chain, 5);
    world_settle(world);
    assert_int_equal(rows_in(world, STATE_STAGED), ROWS);
    world_run_until_idle(world, 90);
    world_check_all_paid(world);
    assert_true(block_of_first(world) > first);
}

static void a_success_that_is_reorganised_into_a_revert_has_failed(void **state)
{
    struct world *world = *state;
    const struct bursar_address destination = destination_of(1);
    executed_below(world, 1);
    memory_chain_make_revert(world->chain, &destination);
    memory_chain_lose(world->chain, 2, ORPHANS_REPOOLED);
    memory_chain_mine(world->chain, 3);
    see_the_reorg(world);
    assert_int_equal(state_of(world, 1), STATE_EXECUTED); /* included, however it ended */
    world_run_until_idle(world, 30);
    assert_int_equal(state_of(world, 1), STATE_FAILED);
    assert_int_equal(rows_in(world, STATE_FINALIZED), ROWS - 1);
    world_check(world);
}

static void a_final_number_that_goes_back_takes_nothing_back(void **state)
{
    struct world *world = *state;
    world_add_many(world, ROWS);
    world_run_until_idle(world, 30);
    const int64_t anchor = world_number(world, "SELECT anchor_no FROM treasury");
    world->chain->finality_depth += 4;
    world_add_many(world, ROWS);
    world_run(world, 3);
    assert_int_equal(world_number(world, "SELECT anchor_no FROM treasury"), anchor);
    assert_true(rows_in(world, STATE_FINALIZED) >= ROWS);
    assert_int_equal(world->first.report.halt, HALT_NONE);
    world_run_until_idle(world, 30);
    world_check_all_paid(world);
}

/* The same chain id and genesis, and nothing of what was paid: at first it only seems to be behind. */
static void another_history_pays_nobody_when_it_has_grown_past_what_was_final(void **state)
{
    struct world *world = *state;
    world_add_many(world, ROWS);
    world_run_until_idle(world, 30);
    const uint64_t anchor = (uint64_t)world_number(world, "SELECT anchor_no FROM treasury");
    memory_chain_replace_all(world->chain, anchor - 2);
    world_add_many(world, ROWS);
    for (int i = 0; i < 3; i++)
        world_step(world);
    assert_int_equal(world->first.report.halt, HALT_NONE); /* a lagging read decides nothing */
    assert_int_equal(rows_in(world, STATE_FINALIZED), ROWS);
    world_run(world, 10);
    assert_int_equal(world->first.report.halt, HALT_ANCHOR_MISMATCH);
    assert_int_equal(rows_in(world, STATE_QUEUED), ROWS);
    assert_int_equal(memory_chain_nonce(world->chain), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_receipt_that_vanishes_from_a_final_block_ends_nothing),
        TEST(a_payment_that_moves_to_an_older_block_is_paid_there),
        TEST(a_payment_that_moves_to_a_younger_block_waits_for_that_one_to_be_final),
        TEST(a_success_that_is_reorganised_into_a_revert_has_failed),
        TEST(a_final_number_that_goes_back_takes_nothing_back),
        TEST(another_history_pays_nobody_when_it_has_grown_past_what_was_final),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Somebody else uses the key: what is freed, what is held for a person, and what is the payment after all (INV-4). */
#include "world.h"

#include "base/bytes.h"
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

static struct bursar_address a_stranger(void)
{
    return (struct bursar_address){ .bytes = { 0xee } };
}

static enum halt_code stored_halt(struct world *world)
{
    return (enum halt_code)world_number(world, "SELECT halt_code FROM treasury");
}

static uint64_t wei_of(size_t row)
{
    return AMOUNT_WEI + row;
}

/* Rows are bound to nonces 0 to ROWS - 1 and sent; then somebody else's takes nonce `nonce`, in a block. */
static void take_nonce(struct world *world, uint64_t nonce, const struct bursar_address *to, uint64_t value_wei)
{
    world_add_many(world, ROWS);
    world_settle(world);
    memory_chain_send_foreign(world->chain, nonce, to, value_wei);
    memory_chain_mine(world->chain, 1);
}

static size_t foreign_attempts(struct world *world)
{
    return (size_t)world_number(world, "SELECT count(*) FROM attempt WHERE purpose = 4 AND status = 3");
}

/* -- freed ----------------------------------------------------------------------------------------------- */

static void what_a_stranger_took_the_nonce_of_is_paid_with_another_once_that_is_final(void **state)
{
    struct world *world = *state;
    const struct bursar_address stranger = a_stranger();
    take_nonce(world, 1, &stranger, 5);
    for (uint64_t i = 0; i < world->chain->finality_depth; i++) {
        world_settle(world);
        assert_int_equal(foreign_attempts(world), 0);
        assert_int_equal(state_of(world, 1), STATE_STAGED);
        memory_chain_mine(world->chain, 1);
    }
    world_settle(world);
    assert_int_equal(foreign_attempts(world), 1);
    world_run_until_idle(world, 30);
    assert_int_equal(stored_halt(world), HALT_NONE);
    world_check_all_paid(world);
    assert_int_equal(world_number(world, "SELECT count(*) FROM event WHERE cause = 10 AND from_state = 4 AND to_state "
                                         "= 3 AND detail LIKE 'nonce 1 was used by 0x%'"),
                     1);
    assert_int_equal(world_number(world, "SELECT i.nonce FROM intent i JOIN intent_item t ON t.intent = i.id WHERE "
                                         "t.disbursement = 2 AND t.live = 1"),
                     ROWS);
}

static void a_stranger_that_takes_every_nonce_delays_and_loses_nothing(void **state)
{
    struct world *world = *state;
    const struct bursar_address stranger = a_stranger();
    world_add_many(world, ROWS);
    world_settle(world);
    for (uint64_t nonce = 0; nonce < ROWS; nonce++)
        memory_chain_send_foreign(world->chain, nonce, &stranger, nonce);
    memory_chain_mine(world->chain, 1);
    world_run_until_idle(world, 40);
    assert_int_equal(foreign_attempts(world), ROWS);
    world_check_all_paid(world);
}

static void strangers_are_found_far_below_a_final_block_that_went_on_without_us(void **state)
{
    struct world *world = *state;
    const struct bursar_address stranger = a_stranger();
    take_nonce(world, 0, &stranger, 5);
    memory_chain_mine(world->chain, 400);
    world_run_until_idle(world, 60);
    world_check_all_paid(world);
}

static void a_strangers_transfer_of_nothing_to_the_treasury_frees_as_well(void **state)
{
    struct world *world = *state;
    take_nonce(world, 2, &world->account, 0);
    world_run_until_idle(world, 40);
    assert_int_equal(foreign_attempts(world), 1);
    world_check_all_paid(world);
}

static void what_is_freed_is_paid_once_also_through_reads_that_fail(void **state)
{
    (void)state;
    static const enum chain_call calls[] = { CALL_BODIES, CALL_RECEIPTS, CALL_BLOCKS, CALL_OBSERVE };
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        struct world *world = world_new();
        const struct bursar_address stranger = a_stranger();
        take_nonce(world, 1, &stranger, 5);
        memory_chain_mine(world->chain, world->chain->finality_depth);
        memory_chain_fail(world->chain, calls[i], BURSAR_EUNREACHABLE, 0, 4);
        while (world->chain->faults[calls[i]].count > 0) {
            world_step(world);
            assert_int_equal(world->first.report.halt, HALT_NONE);
        }
        world_run_until_idle(world, 40);
        world_check_all_paid(world);
        world_free(world);
    }
}

/* Before and after every write, from the moment when the stranger is final. */
static void death_at_any_write_frees_once_and_pays_once(void **state)
{
    (void)state;
    bool lived = false;
    for (int after = 0; after < 2; after++) {
        lived = false;
        for (uint64_t k = 1; !lived; k++) {
            struct world *world = world_new();
            const struct bursar_address stranger = a_stranger();
            take_nonce(world, 1, &stranger, 5);
            memory_chain_mine(world->chain, world->chain->finality_depth);
            world->first.store.die_at = world->first.store.writes + k;
            world->first.store.die_after = after;
            for (int i = 0; i < 20 && !world->first.is_dead; i++) {
                (void)process_try_step(&world->first);
                world->monotonic_ms += 1000;
                world->wall_ms += 1000;
                memory_chain_mine(world->chain, 1);
            }
            lived = !world->first.is_dead;
            process_stop(&world->first);
            world_check(world);
            process_start(&world->first, world, "heir");
            world->first.store.die_at = 0;
            world_run_until_idle(world, 60);
            world_check_all_paid(world);
            assert_int_equal(foreign_attempts(world), 1);
            world_free(world);
        }
    }
}

/* -- the payment after all ------------------------------------------------------------------------------- */

static void what_pays_the_same_is_the_payment_whatever_its_hash(void **state)
{
    struct world *world = *state;
    const struct bursar_address destination = destination_of(1);
    take_nonce(world, 1, &destination, wei_of(1));
    world_run_until_idle(world, 40);
    assert_int_equal(foreign_attempts(world), 0);
    assert_int_equal(world_number(world, "SELECT count(*) FROM attempt WHERE purpose = 5 AND status = 3"), 1);
    world_check_all_paid(world);
    process_stop(&world->first);
    world_add_many(world, 1);
    world_run_until_idle(world, 40); /* and the next look at log and store agrees */
    world_check_all_paid(world);
}

static void what_pays_the_same_and_reverted_has_failed(void **state)
{
    struct world *world = *state;
    const struct bursar_address destination = destination_of(1);
    memory_chain_make_revert(world->chain, &destination);
    take_nonce(world, 1, &destination, wei_of(1));
    world_run_until_idle(world, 40);
    assert_int_equal(state_of(world, 1), STATE_FAILED);
    assert_int_equal(rows_in(world, STATE_FINALIZED), ROWS - 1);
    world_check(world);
}

/* -- held for a person ----------------------------------------------------------------------------------- */

static void expect_held(struct world *world, size_t row)
{
    world_run(world, 20);
    assert_int_equal(world->first.report.halt, HALT_FOREIGN_NONCE);
    assert_int_equal(stored_halt(world), HALT_FOREIGN_NONCE);
    assert_false(world->first.report.is_idle);
    assert_int_equal(state_of(world, row), STATE_STAGED);
    assert_int_equal(foreign_attempts(world), 0);
}

static void what_pays_another_that_is_unpaid_is_held_until_a_person_gives_that_one_up(void **state)
{
    struct world *world = *state;
    const struct bursar_address destination = destination_of(ROWS); /* which will be imported, and not bound */
    world_add(world, &(struct wish){ 0 });
    world_add(world, &(struct wish){ 0 });
    world_settle(world);
    memory_chain_send_foreign(world->chain, 1, &destination, wei_of(ROWS));
    memory_chain_mine(world->chain, 1);
    world_add_many(world, ROWS - 1); /* rows 2 to 4 */
    expect_held(world, 1);
    assert_int_equal(
        world_number(world, "SELECT halt_reason LIKE '%pays what disbursement 5 still owes%' FROM treasury"), 1);
    process_stop(&world->first);
    expect_held(world, 1);
    struct sqlite_store *sqlite = NULL;
    assert_int_equal(sqlite_store_open(world->store_path, SQLITE_MODE_WRITE, NULL, NULL, &sqlite, NULL), BURSAR_OK);
    struct store store = sqlite_store_interface(sqlite);
    const struct decision decision = { .actor = "alice", .reason = "it was paid by hand", .at_ms = world->wall_ms };
    assert_int_equal(store.cancel(store.ctx, world->config.treasury, ROWS + 1, &decision, NULL), BURSAR_OK);
    sqlite_store_close(sqlite);
    world_run_until_idle(world, 40);
    assert_int_equal(foreign_attempts(world), 1);
    assert_int_equal(rows_in(world, STATE_FINALIZED), ROWS);
    assert_int_equal(memory_chain_payments_to(world->chain, &destination), 1); /* the stranger's */
}

static void what_pays_another_that_is_on_its_way_is_held(void **state)
{
    struct world *world = *state;
    const struct bursar_address destination = destination_of(3);
    world->chain->block_capacity = 2; /* nonces 0 and 1: the other two wait */
    take_nonce(world, 1, &destination, wei_of(3));
    world->chain->base_fee_wei = 100000; /* for as long as the fee stays up */
    expect_held(world, 1);
}

static void where_finality_is_a_number_of_confirmations_a_person_frees(void **state)
{
    struct world *world = *state;
    const struct bursar_address stranger = a_stranger();
    world->config.finality_blocks = 3;
    take_nonce(world, 1, &stranger, 5);
    expect_held(world, 1);
    assert_int_equal(world_number(world, "SELECT halt_reason LIKE '%confirmations%' FROM treasury"), 1);
    assert_int_equal(rows_in(world, STATE_FINALIZED), ROWS - 1);
}

static void with_confirmations_too_what_pays_the_same_is_the_payment(void **state)
{
    struct world *world = *state;
    const struct bursar_address destination = destination_of(1);
    world->config.finality_blocks = 3;
    take_nonce(world, 1, &destination, wei_of(1));
    world_run_until_idle(world, 40);
    world_check_all_paid(world);
}

/* -- not found: no proof --------------------------------------------------------------------------------- */

static void what_no_body_shows_frees_nothing_until_a_node_shows_it(void **state)
{
    struct world *world = *state;
    const struct bursar_address stranger = a_stranger();
    world->chain->omits_foreign = true;
    take_nonce(world, 1, &stranger, 5);
    world_add_many(world, ROWS);
    expect_held(world, 1);
    assert_int_equal(rows_in(world, STATE_QUEUED), ROWS);
    assert_int_equal(world_number(world, "SELECT halt_reason LIKE '%nothing is freed%' FROM treasury"), 1);
    world->chain->omits_foreign = false;
    world_run_until_idle(world, 120);
    world_check_all_paid(world);
}

static void a_node_without_the_old_bodies_frees_nothing(void **state)
{
    struct world *world = *state;
    const struct bursar_address stranger = a_stranger();
    take_nonce(world, 1, &stranger, 5);
    memory_chain_mine(world->chain, 100);
    world->chain->oldest_body = 50;
    expect_held(world, 1);
    world->chain->oldest_body = 0;
    world_run_until_idle(world, 120);
    world_check_all_paid(world);
}

static void bodies_of_another_chain_than_the_final_one_show_nothing(void **state)
{
    struct world *world = *state;
    const struct bursar_address stranger = a_stranger();
    take_nonce(world, 1, &stranger, 5);
    memory_chain_mine(world->chain, world->chain->finality_depth);
    world->chain->strange_bodies = UINT64_MAX;
    expect_held(world, 1);
    world->chain->strange_bodies = 0;
    world_run_until_idle(world, 120);
    world_check_all_paid(world);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(what_a_stranger_took_the_nonce_of_is_paid_with_another_once_that_is_final),
        TEST(a_stranger_that_takes_every_nonce_delays_and_loses_nothing),
        TEST(strangers_are_found_far_below_a_final_block_that_went_on_without_us),
        TEST(a_strangers_transfer_of_nothing_to_the_treasury_frees_as_well),
        cmocka_unit_test(what_is_freed_is_paid_once_also_through_reads_that_fail),
        cmocka_unit_test(death_at_any_write_frees_once_and_pays_once),
        TEST(what_pays_the_same_is_the_payment_whatever_its_hash),
        TEST(what_pays_the_same_and_reverted_has_failed),
        TEST(what_pays_another_that_is_unpaid_is_held_until_a_person_gives_that_one_up),
        TEST(what_pays_another_that_is_on_its_way_is_held),
        TEST(where_finality_is_a_number_of_confirmations_a_person_frees),
        TEST(with_confirmations_too_what_pays_the_same_is_the_payment),
        TEST(what_no_body_shows_frees_nothing_until_a_node_shows_it),
        TEST(a_node_without_the_old_bodies_frees_nothing),
        TEST(bodies_of_another_chain_than_the_final_one_show_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

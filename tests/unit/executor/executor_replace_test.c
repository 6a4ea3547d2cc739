/* Stuck payments are replaced, sent ones cancelled, and whichever attempt is mined is what is recorded: through the
 * whole executor, on a chain whose pool takes a replacement only for a tenth more of both fees. */
#include "world.h"

#define AFTER_BLOCKS 3
#define IDLE_LIMIT 200

static struct world *a_world(size_t rows)
{
    struct world *world = world_new();
    world->config.replace_after_blocks = AFTER_BLOCKS;
    world_add_many(world, rows);
    return world;
}

/* Handed over at a base fee of 10, and then it is `base_fee_wei`. */
static struct world *a_stuck_world(size_t rows, uint64_t base_fee_wei)
{
    struct world *world = a_world(rows);
    world_settle(world);
    assert_int_equal(memory_chain_pooled(world->chain), rows);
    world->chain->base_fee_wei = base_fee_wei;
    return world;
}

static void ask_to_cancel(struct world *world, size_t row, enum bursar_status expected)
{
    struct bursar_error err = { 0 };
    struct store store = sqlite_store_interface(world->first.sqlite);
    const struct decision decision = { .actor = "a person", .reason = "paid by hand", .at_ms = world->wall_ms };
    assert_int_equal(store.cancel_request(store.ctx, world->config.treasury, (int64_t)row + 1, &decision, &err),
                     expected);
}

static int64_t attempts(struct world *world)
{
    return world_number(world, "SELECT count(*) FROM attempt");
}

static void a_stuck_payment_is_replaced_and_paid_once(void **state)
{
    (void)state;
    struct world *world = a_stuck_world(5, 100);
    world_run(world, AFTER_BLOCKS);
    assert_int_equal(attempts(world), 5);
    world_run_until_idle(world, IDLE_LIMIT);
    assert_int_equal(attempts(world), 10);
    world_check_all_paid(world);
    world_free(world);
}

static void what_was_sent_at_the_genesis_block_waits_no_longer_than_others(void **state)
{
    (void)state;
    struct world *world = a_world(1);
    memory_chain_replace_all(world->chain, 0);
    world->chain->finality_depth = 0;
    world_settle(world);
    assert_int_equal(memory_chain_head(world->chain), 0);
    assert_int_equal(memory_chain_pooled(world->chain), 1);
    world->chain->base_fee_wei = 100;
    world_run(world, AFTER_BLOCKS);
    assert_int_equal(attempts(world), 1);
    world_step(world);
    assert_int_equal(memory_chain_head(world->chain), AFTER_BLOCKS);
    assert_int_equal(attempts(world), 2);
    world_free(world);
}

static void whichever_attempt_is_mined_is_the_one_recorded(void **state)
{
    (void)state;
    struct world *world = a_stuck_world(1, 100);
    for (int i = 0; i < 10 && attempts(world) < 2; i++) {
        world_step(world);
        if (attempts(world) < 2)
            memory_chain_mine(world->chain, 1);
    }
    memory_chain_drop_pool(world->chain); /* another node's pool still holds the first one, and fees have fallen */
    world->chain->base_fee_wei = 10;
    world->chain->transactions[0].is_pooled = true;
    memory_chain_mine(world->chain, 1);
    assert_true(world->chain->transactions[0].block != MEMORY_CHAIN_NO_BLOCK);
    world_run_until_idle(world, IDLE_LIMIT);
    world_check_all_paid(world);
    assert_int_equal(world_number(world, "SELECT seq FROM attempt WHERE status = 3"), 1);
    world_free(world);
}

static void at_the_cap_the_same_bytes_are_offered_until_fees_fall(void **state)
{
    (void)state;
    struct world *world = a_stuck_world(3, 1001); /* the cap is 1000 */
    world_run(world, 4 * AFTER_BLOCKS);
    assert_int_equal(attempts(world), 3);
    assert_int_equal(world_number(world, "SELECT hold LIKE '%max_fee_per_gas%' FROM treasury"), 1);
    memory_chain_drop_pool(world->chain);
    world->chain->base_fee_wei = 10;
    world_run_until_idle(world, IDLE_LIMIT);
    world_check_all_paid(world);
    assert_int_equal(world_number(world, "SELECT max(max_fee_per_gas) <= 1000 FROM attempt"), 1);
    world_free(world);
}

/* Whatever is offered, the base fee is above it before the next block. */
static void run_behind_rising_fees(struct world *world, uint64_t up_to_wei)
{
    for (int round = 0; round < 40 && world->chain->base_fee_wei * 3 < up_to_wei; round++) {
        int64_t before = attempts(world);
        world_step(world);
        if (attempts(world) > before)
            world->chain->base_fee_wei *= 3;
        memory_chain_mine(world->chain, 1);
        world_check(world);
    }
}

static void fees_that_go_on_rising_are_followed_up_to_the_cap(void **state)
{
    (void)state;
    struct world *world = a_stuck_world(2, 25);
    run_behind_rising_fees(world, 900);
    assert_int_equal(attempts(world), 8);
    assert_int_equal(rows_in(world, STATE_STAGED), 2);
    world_run_until_idle(world, IDLE_LIMIT);
    world_check_all_paid(world);
    world_free(world);
}

static void a_pool_that_asks_for_the_double_gets_it(void **state)
{
    (void)state;
    struct world *world = a_stuck_world(2, 60);
    world->chain->bump_percent = 100;
    world->chain->base_fee_wei = 30; /* twice that and the tip is less than twice what was offered */
    world_run_until_idle(world, IDLE_LIMIT);
    world_check_all_paid(world);
    world_free(world);
}

static void what_was_sent_is_cancelled_by_a_transfer_to_self(void **state)
{
    (void)state;
    struct world *world = a_stuck_world(3, 100);
    ask_to_cancel(world, 1, BURSAR_OK);
    ask_to_cancel(world, 1, BURSAR_EEXIST);
    world_run_until_idle(world, IDLE_LIMIT);
    world_check(world);
    struct bursar_address cancelled = destination_of(1);
    assert_int_equal(memory_chain_payments_to(world->chain, &cancelled), 0);
    assert_int_equal(state_of(world, 1), STATE_CANCELLED);
    assert_int_equal(rows_in(world, STATE_FINALIZED), 2);
    assert_int_equal(world_number(world, "SELECT count(*) FROM request WHERE done_ms IS NULL"), 0);
    assert_int_equal(world_number(world, "SELECT count(*) FROM event WHERE cause = 9"), 1);
    ask_to_cancel(world, 1, BURSAR_EREFUSED);
    world_free(world);
}

static void a_cancel_that_comes_too_late_says_that_the_payment_was_mined_first(void **state)
{
    (void)state;
    struct world *world = a_stuck_world(2, 100);
    ask_to_cancel(world, 0, BURSAR_OK);
    world->chain->base_fee_wei = 10;
    memory_chain_mine(world->chain, 1); /* before the executor's next look */
    world_run_until_idle(world, IDLE_LIMIT);
    world_check_all_paid(world);
    assert_int_equal(world_number(world, "SELECT count(*) FROM event WHERE detail LIKE '%mined first%'"), 1);
    assert_int_equal(world_number(world, "SELECT count(*) FROM request WHERE done_ms IS NULL"), 0);
    world_free(world);
}

static void after_a_cancel_attempt_no_payment_is_signed_at_its_nonce(void **state) /* INV-7 */
{
    (void)state;
    struct world *world = a_stuck_world(1, 30);
    ask_to_cancel(world, 0, BURSAR_OK);
    run_behind_rising_fees(world, 900);
    assert_true(attempts(world) > 2);
    assert_int_equal(world_number(world, "SELECT count(*) FROM attempt WHERE seq > 1 AND purpose <> 3"), 0);
    world->chain->base_fee_wei = 10;
    world_run_until_idle(world, IDLE_LIMIT);
    assert_int_equal(state_of(world, 0), STATE_CANCELLED);
    world_check(world);
    world_free(world);
}

/* The cancel is in a block, a reorg takes it out, and the payment gets in after all. */
static void a_reorg_between_cancel_and_payment_decides_by_what_is_final(void **state)
{
    (void)state;
    struct world *world = a_stuck_world(1, 100);
    world->chain->finality_depth = 6;
    ask_to_cancel(world, 0, BURSAR_OK);
    world_run(world, 3);
    assert_int_equal(state_of(world, 0), STATE_STAGED); /* included is not cancelled yet */
    assert_int_equal(world_number(world, "SELECT count(*) FROM attempt WHERE status = 2 AND purpose = 3"), 1);
    memory_chain_reorg(world->chain, 3, ORPHANS_DROPPED);
    world->chain->base_fee_wei = 10;
    world->chain->transactions[0].is_pooled = true;
    memory_chain_mine(world->chain, 1);
    world_run_until_idle(world, IDLE_LIMIT);
    world_check_all_paid(world);
    world_free(world);
}

/* At every write, signature and submission on the way through a replacement and a cancel. */
static void death_at_any_point_of_replacing_and_cancelling_pays_nobody_twice(void **state)
{
    (void)state;
    for (int kind = 0; kind < 6; kind++) {
        bool lived = false;
        for (uint64_t k = 1; !lived; k++) {
            struct world *world = a_stuck_world(4, 100);
            ask_to_cancel(world, 2, BURSAR_OK);
            struct process *process = &world->first;
            process->store.die_at = kind < 2 ? process->store.writes + k : 0;
            process->store.die_after = kind % 2;
            process->signer.fail_at = kind / 2 == 1 ? process->signer.batches + k : 0;
            process->signer.fail_after = kind % 2;
            process->signer.dies = true;
            world->chain->die_at_submit = kind / 2 == 2 ? world->chain->calls[CALL_SUBMIT] + k : 0;
            world->chain->die_after_submit = kind % 2;
            for (int i = 0; i < 40 && !process->is_dead && !lived; i++) {
                (void)process_try_step(process);
                memory_chain_mine(world->chain, 1);
                world->wall_ms += 1000;
                world->monotonic_ms += 1000;
                lived = !process->is_dead && process->report.is_idle;
            }
            world->chain->die_at_submit = 0;
            process_stop(process);
            world_check(world);
            world_run_until_idle(world, IDLE_LIMIT);
            world_check(world);
            assert_int_equal(rows_in(world, STATE_FINALIZED), 3);
            assert_int_equal(state_of(world, 2), STATE_CANCELLED);
            world_free(world);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stuck_payment_is_replaced_and_paid_once),
        cmocka_unit_test(what_was_sent_at_the_genesis_block_waits_no_longer_than_others),
        cmocka_unit_test(whichever_attempt_is_mined_is_the_one_recorded),
        cmocka_unit_test(at_the_cap_the_same_bytes_are_offered_until_fees_fall),
        cmocka_unit_test(fees_that_go_on_rising_are_followed_up_to_the_cap),
        cmocka_unit_test(a_pool_that_asks_for_the_double_gets_it),
        cmocka_unit_test(what_was_sent_is_cancelled_by_a_transfer_to_self),
        cmocka_unit_test(a_cancel_that_comes_too_late_says_that_the_payment_was_mined_first),
        cmocka_unit_test(after_a_cancel_attempt_no_payment_is_signed_at_its_nonce),
        cmocka_unit_test(a_reorg_between_cancel_and_payment_decides_by_what_is_final),
        cmocka_unit_test(death_at_any_point_of_replacing_and_cancelling_pays_nobody_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

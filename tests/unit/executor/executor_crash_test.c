/* The crash matrix: an executor dies before or after its k-th write, signature or submission, for every k, and another
 * one finishes what it began. The chain judges: each row was paid once. */
#include "world.h"

#define ROWS 20
#define ROUNDS_MAX_COUNT 120

/* Where a process dies; 0: not there. */
struct death {
    uint64_t write, signing, submission;
    bool after;
};

/* How requests travel: answered at once, or under way while the executor goes on, arriving early or late. */
static const struct ways {
    size_t lanes;
    bool late;
} ways[] = { { 0, false }, { 2, false }, { 2, true } };
static struct ways way;

static struct world *a_small_world(void)
{
    struct world *world = world_new();
    world->config.batch_size = 7;
    world->config.max_in_flight = 14;
    world->chain->finality_depth = 1;
    world->chain->block_capacity = 9;
    world->chain->lane_count = way.lanes;
    world->chain->lanes_are_late = way.late;
    world_add_many(world, ROWS - 2);
    world_add(world, &(struct wish){ .dependency_count = 2, .dependencies = { 0, ROWS - 3 } });
    world_add(world, &(struct wish){ .schedule = SCHEDULE_EPOCH, .schedule_value = 1 });
    return world;
}

static void arm(struct process *process, struct world *world, const struct death *death)
{
    process->store.die_at = death->write;
    process->store.die_after = death->after;
    process->signer.fail_at = death->signing;
    process->signer.fail_after = death->after;
    process->signer.dies = true;
    world->chain->die_at_submit = death->submission;
    world->chain->die_after_submit = death->after;
}

/* Steps until it is idle (true) or dead. */
static bool run(struct world *world, struct process *process)
{
    for (int i = 0; i < ROUNDS_MAX_COUNT; i++) {
        enum bursar_status status = process_try_step(process);
        if (process->is_dead)
            return false;
        assert_int_equal(status, BURSAR_OK);
        assert_int_equal(process->report.halt, HALT_NONE);
        memory_chain_mine(world->chain, 1);
        world->wall_ms += process->next_wake_ms;
        world->monotonic_ms += process->next_wake_ms;
        if (process->report.is_idle)
            return true;
    }
    fail_msg("not idle after %d rounds", ROUNDS_MAX_COUNT);
    return false;
}

static void finish(struct world *world, const char *name)
{
    world->chain->die_at_submit = 0;
    process_start(&world->first, world, name);
    assert_true(run(world, &world->first));
    process_stop(&world->first);
    world_check_all_paid(world);
}

/* False once the process came to its end before it came to its death. */
static bool dies_and_is_finished_by_another(const struct death *death)
{
    struct world *world = a_small_world();
    process_start(&world->first, world, "mortal");
    arm(&world->first, world, death);
    bool lived = run(world, &world->first);
    process_stop(&world->first);
    world_check(world);
    finish(world, "heir");
    world_free(world);
    return !lived;
}

/* How many of the `k`-th ones there are, is found by running out of them. */
static uint64_t matrix(struct death *death, uint64_t *k)
{
    uint64_t deaths = 0;
    for (size_t i = 0; i < 2 * sizeof ways / sizeof *ways; i++) {
        way = ways[i / 2];
        death->after = i % 2;
        for (*k = 1; dies_and_is_finished_by_another(death); ++*k)
            deaths++;
    }
    way = ways[0];
    return deaths;
}

static void death_at_any_write_to_the_store_leaves_each_row_paid_once(void **state)
{
    (void)state;
    struct death death = { 0 };
    assert_true(matrix(&death, &death.write) > 120);
}

static void death_at_any_signing_leaves_each_row_paid_once(void **state)
{
    (void)state;
    struct death death = { 0 };
    assert_true(matrix(&death, &death.signing) >= 18);
}

static void death_at_any_submission_leaves_each_row_paid_once(void **state)
{
    (void)state;
    struct death death = { 0 };
    assert_true(matrix(&death, &death.submission) >= 18);
}

/* Each heir dies as well, a little later than the one before it. */
static void a_line_of_executors_that_all_die_early_gets_there_in_the_end(void **state)
{
    (void)state;
    for (int after = 0; after < 2; after++) {
        struct world *world = a_small_world();
        bool lived = false;
        for (uint64_t k = 1; k < 60 && !lived; k++) {
            process_start(&world->first, world, "mortal");
            arm(&world->first, world, &(struct death){ .write = k, .after = after });
            lived = run(world, &world->first);
            process_stop(&world->first);
            world_check(world);
        }
        finish(world, "heir");
        world_free(world);
    }
}

/* The chain goes on without us: blocks, a reorg, an emptied pool between death and heir. */
static void death_and_a_reorg_before_the_heir_comes_leave_each_row_paid_once(void **state)
{
    (void)state;
    bool lived = false;
    for (uint64_t k = 1; !lived; k++) {
        struct world *world = a_small_world();
        world->chain->finality_depth = 4;
        process_start(&world->first, world, "mortal");
        arm(&world->first, world, &(struct death){ .write = k, .after = true });
        lived = run(world, &world->first);
        process_stop(&world->first);
        memory_chain_mine(world->chain, k % 3);
        memory_chain_reorg(world->chain, 1 + k % 3, k % 2 ? ORPHANS_DROPPED : ORPHANS_REPOOLED);
        if (k % 4 == 0)
            memory_chain_drop_pool(world->chain);
        finish(world, "heir");
        world_free(world);
    }
}

/* After death the store may have been found locked, the node down: nothing of a dead process reaches the chain. */
static void a_dead_process_sends_nothing_more(void **state)
{
    (void)state;
    struct world *world = a_small_world();
    process_start(&world->first, world, "mortal");
    arm(&world->first, world, &(struct death){ .signing = 1, .after = true });
    assert_false(run(world, &world->first));
    assert_int_equal(world->chain->calls[CALL_SUBMIT], 0);
    for (int i = 0; i < 5; i++)
        assert_int_equal(process_try_step(&world->first), BURSAR_ESTORAGE);
    assert_int_equal(world->chain->calls[CALL_SUBMIT], 0);
    process_stop(&world->first);
    finish(world, "heir");
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(death_at_any_write_to_the_store_leaves_each_row_paid_once),
        cmocka_unit_test(death_at_any_signing_leaves_each_row_paid_once),
        cmocka_unit_test(death_at_any_submission_leaves_each_row_paid_once),
        cmocka_unit_test(a_line_of_executors_that_all_die_early_gets_there_in_the_end),
        cmocka_unit_test(death_and_a_reorg_before_the_heir_comes_leave_each_row_paid_once),
        cmocka_unit_test(a_dead_process_sends_nothing_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

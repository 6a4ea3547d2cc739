/* Two executors on one store: one works, the other stands by; and who lost the lease writes and sends nothing more. */
#include "world.h"

#define ROWS 5

static int set_up(void **state)
{
    struct world *world = world_new();
    world->config.batch_size = 2;
    process_start(&world->first, world, "first");
    process_start(&world->second, world, "second");
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    world_free(*state);
    return 0;
}

static void run_until_idle(struct world *world, struct process *process)
{
    for (int i = 0; i < 60; i++) {
        process_step(process);
        memory_chain_mine(world->chain, 1);
        world->wall_ms += 1000;
        world->monotonic_ms += 1000;
        if (process->report.is_idle)
            return;
    }
    fail_msg("not idle");
}

static void a_second_executor_stands_by_and_touches_nothing(void **state)
{
    struct world *world = *state;
    world_add_many(world, ROWS);
    for (int i = 0; i < 30; i++) {
        process_step(&world->first);
        int64_t changes = world_number(world, "SELECT count(*) FROM event");
        uint64_t calls = world->chain->calls[CALL_OBSERVE];
        process_step(&world->second);
        assert_true(world->first.report.holds_lease);
        assert_false(world->second.report.holds_lease);
        assert_false(world->second.report.is_idle);
        assert_true(world->second.next_wake_ms > 0);
        assert_int_equal(world_number(world, "SELECT count(*) FROM event"), changes);
        assert_int_equal(world->chain->calls[CALL_OBSERVE], calls);
        world->monotonic_ms += 1000;
        world->wall_ms += 1000;
        memory_chain_mine(world->chain, 1);
    }
    assert_int_equal(world_number(world, "SELECT lease_epoch FROM treasury"), 1);
    assert_true(world_number(world, "SELECT renewals FROM treasury") > 2);
    world_check_all_paid(world);
}

static void a_standby_takes_over_at_once_when_the_holder_is_gone(void **state)
{
    struct world *world = *state;
    world_add_many(world, ROWS);
    process_step(&world->first);
    process_step(&world->second);
    assert_false(world->second.report.holds_lease);
    process_stop(&world->first);
    process_step(&world->second);
    assert_true(world->second.report.holds_lease);
    run_until_idle(world, &world->second);
    world_check_all_paid(world);
}

static void a_standby_takes_over_at_once_when_the_holder_was_killed(void **state)
{
    struct world *world = *state;
    world_add_many(world, ROWS);
    process_step(&world->first);
    world->first.is_dead = true; /* its lease is still in the store; its locks went with it */
    process_stop(&world->first);
    assert_int_equal(world_number(world, "SELECT lease_holder = 'first' FROM treasury"), 1);
    process_step(&world->second);
    assert_true(world->second.report.holds_lease);
    run_until_idle(world, &world->second);
    world_check_all_paid(world);
}

static void taking_turns_pays_each_row_once(void **state)
{
    struct world *world = *state;
    world_add_many(world, 20);
    for (int i = 0; i < 40; i++) {
        struct process *mine = i % 2 ? &world->second : &world->first;
        if (!mine->executor)
            process_start(mine, world, i % 2 ? "second" : "first");
        process_step(mine);
        process_step(mine);
        assert_true(mine->report.holds_lease);
        mine->is_dead = i % 3 == 0;
        process_stop(mine);
        memory_chain_mine(world->chain, 1);
        world->monotonic_ms += 1000;
        world->wall_ms += 1000;
        world_check(world);
    }
    world_check_all_paid(world);
}

static void fence_off(void *ctx)
{
    world_sql(ctx, "UPDATE treasury SET lease_epoch = lease_epoch + 1, lease_holder = 'somebody'");
}

static void whoever_is_fenced_off_sends_nothing_again(void **state)
{
    struct world *world = *state;
    world_add_many(world, 2);
    process_step(&world->first);
    memory_chain_drop_pool(world->chain); /* to be handed over again: the only thing there is to do */
    fence_off(world);
    world->wall_ms += 120000;
    process_step(&world->first);
    assert_false(world->first.report.holds_lease);
    assert_int_equal(world->chain->calls[CALL_SUBMIT], 1);
    process_step(&world->second);
    assert_int_equal(world->chain->calls[CALL_SUBMIT], 2);
    run_until_idle(world, &world->second);
    world_check_all_paid(world);
}

static void whoever_is_fenced_off_writes_nothing_and_stands_by(void **state)
{
    struct world *world = *state;
    process_step(&world->first);
    world_add_many(world, ROWS);
    fence_off(world);
    process_step(&world->first);
    assert_false(world->first.report.holds_lease);
    assert_int_equal(rows_in(world, STATE_QUEUED), ROWS);
    assert_int_equal(world_number(world, "SELECT count(*) FROM intent"), 0);
    assert_int_equal(world->chain->transaction_count, 0);
    process_step(&world->second); /* lease and signing log were both given back */
    assert_true(world->second.report.holds_lease);
    process_step(&world->first);
    assert_false(world->first.report.holds_lease);
    run_until_idle(world, &world->second);
    world_check_all_paid(world);
}

static void what_was_signed_when_the_lease_had_passed_on_is_never_sent(void **state)
{
    struct world *world = *state;
    world_add_many(world, ROWS);
    world->first.signer.interlude = fence_off;
    world->first.signer.interlude_ctx = world;
    process_step(&world->first);
    assert_false(world->first.report.holds_lease);
    assert_int_equal(world_number(world, "SELECT count(*) FROM intent"), 2); /* bound before, signed and not staged */
    assert_int_equal(world_number(world, "SELECT count(*) FROM attempt"), 0);
    assert_int_equal(world->chain->calls[CALL_SUBMIT], 0);
    process_step(&world->second);
    assert_true(world->second.report.holds_lease);
    run_until_idle(world, &world->second);
    assert_int_equal(world->second.report.halt, HALT_NONE);
    world_check_all_paid(world);
}

static void whoever_lacks_the_signing_log_does_not_take_the_lease(void **state)
{
    struct world *world = *state;
    struct signing_log *log = NULL;
    world_add_many(world, ROWS);
    assert_int_equal(signing_log_open(world->log_path, WORLD_CHAIN_ID, &world->account, &log, NULL), BURSAR_OK);
    process_step(&world->first);
    assert_false(world->first.report.holds_lease);
    assert_int_equal(world_number(world, "SELECT lease_epoch FROM treasury"), 0);
    signing_log_close(log);
    run_until_idle(world, &world->first);
    world_check_all_paid(world);
}

static void whoever_lacks_the_lease_does_not_keep_the_signing_log(void **state)
{
    struct world *world = *state;
    struct signing_log *log = NULL;
    struct sqlite_store *sqlite = NULL;
    struct fence fence;
    assert_int_equal(sqlite_store_open(world->store_path, SQLITE_MODE_WRITE, NULL, NULL, &sqlite, NULL), BURSAR_OK);
    struct store store = sqlite_store_interface(sqlite);
    assert_int_equal(store.lease_take(store.ctx, world->config.treasury, "other", 1000, 0, &fence, NULL), BURSAR_OK);
    process_step(&world->first);
    assert_false(world->first.report.holds_lease);
    assert_int_equal(signing_log_open(world->log_path, WORLD_CHAIN_ID, &world->account, &log, NULL), BURSAR_OK);
    signing_log_close(log);
    sqlite_store_close(sqlite);
    process_step(&world->first);
    assert_true(world->first.report.holds_lease);
}

static void a_holder_that_slept_for_long_goes_on_when_nobody_took_over(void **state)
{
    struct world *world = *state;
    world_add_many(world, ROWS);
    process_step(&world->first);
    world->monotonic_ms += 100 * world->config.lease_ttl_ms;
    world->wall_ms += 100 * world->config.lease_ttl_ms;
    process_step(&world->second); /* on one host the lock says that the holder lives */
    assert_false(world->second.report.holds_lease);
    run_until_idle(world, &world->first);
    world_check_all_paid(world);
}

static void a_wall_clock_that_jumps_changes_nothing(void **state)
{
    struct world *world = *state;
    world_add_many(world, ROWS);
    process_step(&world->first);
    memory_chain_drop_pool(world->chain);
    world->wall_ms -= 86400000;
    process_step(&world->first);
    assert_int_equal(memory_chain_pooled(world->chain), 4);
    world->wall_ms += 10ull * 86400000;
    run_until_idle(world, &world->first);
    world_check_all_paid(world);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_second_executor_stands_by_and_touches_nothing),
        TEST(a_standby_takes_over_at_once_when_the_holder_is_gone),
        TEST(a_standby_takes_over_at_once_when_the_holder_was_killed),
        TEST(taking_turns_pays_each_row_once),
        TEST(whoever_is_fenced_off_sends_nothing_again),
        TEST(whoever_is_fenced_off_writes_nothing_and_stands_by),
        TEST(what_was_signed_when_the_lease_had_passed_on_is_never_sent),
        TEST(whoever_lacks_the_signing_log_does_not_take_the_lease),
        TEST(whoever_lacks_the_lease_does_not_keep_the_signing_log),
        TEST(a_holder_that_slept_for_long_goes_on_when_nobody_took_over),
        TEST(a_wall_clock_that_jumps_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Persons, reverts and strangers for the money breaker, and what it has come to. */
#include "money_world.h"

int set_up(void **state)
{
    struct world *world = world_new();
    world->config.batch_size = 2;
    world->config.max_in_flight = 4;
    world->config.money = (struct money_limits){ .reverts = 2, .window_ms = MONEY_HOUR_MS };
    *state = world;
    return 0;
}

int tear_down(void **state)
{
    world_free(*state);
    return 0;
}

void force(struct world *world, bool opens)
{
    struct sqlite_store *other = NULL;
    const struct decision decision = { "ops", "a test", world->wall_ms };
    assert_int_equal(sqlite_store_open(world->store_path, SQLITE_MODE_WRITE, NULL, NULL, &other, NULL), BURSAR_OK);
    struct store store = sqlite_store_interface(other);
    assert_int_equal(store.money_force(store.ctx, 1, opens, &decision, NULL), BURSAR_OK);
    sqlite_store_close(other);
}

void ask_to_cancel(struct world *world, size_t row)
{
    struct store store = sqlite_store_interface(world->first.sqlite);
    const struct decision decision = { "ops", "paid by hand", world->wall_ms };
    assert_int_equal(store.cancel_request(store.ctx, 1, (int64_t)row + 1, &decision, NULL), BURSAR_OK);
}

void make_revert(struct world *world, size_t first, size_t count)
{
    for (size_t row = first; row < first + count; row++) {
        const struct bursar_address destination = destination_of(row);
        memory_chain_make_revert(world->chain, &destination);
    }
}

void pass(struct world *world, uint64_t ms)
{
    world->wall_ms += ms;
    world->monotonic_ms += ms;
}

int64_t bound(struct world *world)
{
    return world_number(world, "SELECT count(*) FROM intent");
}

int64_t attempts(struct world *world)
{
    return world_number(world, "SELECT count(*) FROM attempt");
}

int64_t openings(struct world *world)
{
    return world_number(world, "SELECT count(*) FROM event WHERE cause = 21");
}

bool is_open(struct world *world, const char *cause)
{
    char sql[128];
    (void)snprintf(sql, sizeof sql, "SELECT hold LIKE 'money_breaker_open cause=%s: %%' FROM treasury", cause);
    return world->first.report.money_open && world_number(world, sql) == 1;
}

void run_until_open(struct world *world, const char *cause)
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

void run_and_stay_closed(struct world *world, size_t limit)
{
    world_run_until_idle(world, limit);
    assert_false(world->first.report.money_open);
    assert_int_equal(openings(world), 0);
}

void send_foreign(struct world *world)
{
    const struct bursar_address stranger = { .bytes = { 0xee } };
    world_add_many(world, 4);
    world_settle(world);
    memory_chain_send_foreign(world->chain, 1, &stranger, 5);
}

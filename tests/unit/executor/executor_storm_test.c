/* Everything at once, from a seed: reorgs, lost blocks, lags, failing calls, forgetful pools, fee spikes, deaths,
 * poverty (the chain does not mine what is not covered, it stops the test). After each storm comes a calm, and in it
 * every row must get paid; at no time may one be paid twice. The balance explains itself to the wei all the while: the
 * money breaker opens when something is taken afterwards, and not before. A failing seed is printed; BURSAR_STORM_SEED
 * runs from another one, BURSAR_STORMS so many. */
#include "world.h"

#include "base/bytes.h"

#include <string.h>

#define ROWS 25
#define ROUNDS 90
#define STORMS 40

struct storm {
    uint64_t random;
    struct world *world;
    uint64_t final; /* the highest block that was final: nothing reorganises it */
};

/* xorshift64*: good enough for weather. */
static uint64_t below(struct storm *storm, uint64_t limit)
{
    storm->random ^= storm->random >> 12;
    storm->random ^= storm->random << 25;
    storm->random ^= storm->random >> 27;
    return (storm->random * 0x2545f4914f6cdd1dull >> 33) % limit;
}

static bool one_in(struct storm *storm, uint64_t chances)
{
    return below(storm, chances) == 0;
}

static void notice_final(struct storm *storm)
{
    uint64_t head = memory_chain_head(storm->world->chain), depth = storm->world->chain->finality_depth;
    if (head >= depth && head - depth > storm->final)
        storm->final = head - depth;
}

static void weather_of_the_chain(struct storm *storm)
{
    struct memory_chain *chain = storm->world->chain;
    enum orphans orphans = one_in(storm, 2) ? ORPHANS_DROPPED : ORPHANS_REPOOLED;
    uint64_t loose = memory_chain_head(chain) - storm->final;
    if (loose && one_in(storm, 6))
        memory_chain_reorg(chain, 1 + below(storm, loose), orphans);
    else if (loose && one_in(storm, 12))
        memory_chain_lose(chain, 1 + below(storm, loose), orphans);
    if (one_in(storm, 8))
        memory_chain_drop_pool(chain);
    if (one_in(storm, 10))
        memory_chain_deposit(chain, 1 + below(storm, 40000000)); /* a payment at the fee cap may need 21,000,000 wei */
    if (one_in(storm, 10))
        chain->base_fee_wei = one_in(storm, 3) ? 2000 : 5 + below(storm, 10);
    if (!one_in(storm, 4))
        memory_chain_mine(chain, 1 + below(storm, 3));
    notice_final(storm);
}

static void weather_of_the_node(struct storm *storm)
{
    static const enum bursar_status faults[] = { BURSAR_EUNREACHABLE, BURSAR_EUNKNOWN, BURSAR_EPROTOCOL };
    struct memory_chain *chain = storm->world->chain;
    if (one_in(storm, 5)) {
        chain->lag_blocks = below(storm, 8);
        chain->lag_calls = below(storm, 12);
    }
    if (one_in(storm, 10))
        chain->hides_balance_final = !chain->hides_balance_final;
    if (!one_in(storm, 3))
        return;
    enum chain_call call = (enum chain_call)below(storm, CALL_COUNT);
    memory_chain_fail(chain, call, faults[below(storm, 3)], below(storm, 4), 1 + below(storm, 4));
    chain->faults[call].delivered = below(storm, 5);
}

static void weather_of_the_process(struct storm *storm)
{
    struct process *process = &storm->world->first;
    if (one_in(storm, 9)) {
        process->store.die_at = process->store.writes + 1 + below(storm, 8);
        process->store.die_after = one_in(storm, 2);
    }
    if (one_in(storm, 12)) {
        process->signer.fail_at = process->signer.batches + 1;
        process->signer.fail_after = one_in(storm, 2);
        process->signer.dies = one_in(storm, 2);
    }
}

static void step(struct storm *storm)
{
    struct world *world = storm->world;
    if (!world->first.executor)
        process_start(&world->first, world, "in the storm");
    weather_of_the_process(storm);
    enum bursar_status status = process_try_step(&world->first);
    if (world->first.is_dead)
        process_stop(&world->first);
    else
        assert_int_equal(status, BURSAR_OK);
    assert_int_equal(world->first.report.halt, HALT_NONE);
    assert_false(world->first.report.money_open);
    uint64_t ms = one_in(storm, 5) ? 61000 : 1000;
    world->wall_ms += ms;
    world->monotonic_ms += ms;
}

static void calm(struct storm *storm)
{
    struct world *world = storm->world;
    memset(world->chain->faults, 0, sizeof world->chain->faults);
    world->chain->lag_calls = 0;
    world->chain->base_fee_wei = 10;
    memory_chain_deposit(world->chain, PLENTY_WEI);
    process_stop(&world->first);
    world_run_until_idle(world, 200);
    world_check_all_paid(world);
    assert_int_equal(world_number(world, "SELECT count(*) FROM money_incident"), 0);
}

/* Final blocks that were read on another branch than theirs decide nothing: at most as many as a reorg reaches. */
static void theft(struct world *world)
{
    const uint64_t rounds = world->chain->finality_depth + 3;
    world->chain->hides_balance_final = false;
    world_run(world, rounds);
    assert_false(world->first.report.money_open);
    memory_chain_take(world->chain, 1);
    for (uint64_t i = 0; i < rounds && !world->first.report.money_open; i++)
        world_run(world, 1);
    assert_true(world->first.report.money_open);
    assert_int_equal(world_number(world, "SELECT cause FROM money_breaker"), MONEY_BALANCE_MISMATCH);
}

static void one_storm(uint64_t seed)
{
    struct storm storm = { .random = seed * 0x9e3779b97f4a7c15ull + 1, .world = world_new() };
    struct world *world = storm.world;
    static const struct bursar_breaker_config nervous = {
        .failure_threshold = 2, .success_threshold = 2, .timeout_ms = 5000, .window_ms = 60000
    };
    world->breaker = one_in(&storm, 2) ? &nervous : NULL;
    world->chain->finality_depth = 1 + below(&storm, 6);
    world->chain->block_capacity = below(&storm, 6);
    world->chain->lane_count = below(&storm, 4);
    world->chain->lanes_are_late = one_in(&storm, 2);
    world->config.replace_after_blocks = below(&storm, 5);
    world->config.money.watches_balance = true;
    world->chain->bump_percent = one_in(&storm, 4) ? 100 : 10;
    world->config.batch_size = (uint32_t)(1 + below(&storm, 9));
    world->config.max_in_flight = (uint32_t)(1 + below(&storm, 15));
    world->chain->deposited = bursar_amount_from_u64(below(&storm, 100000000));
    world_add_many(world, ROWS - 1);
    world_add(world, &(struct wish){ .dependency_count = 2, .dependencies = { 3, 7 } });
    notice_final(&storm);
    for (int i = 0; i < ROUNDS; i++) {
        weather_of_the_node(&storm);
        step(&storm);
        weather_of_the_chain(&storm);
        if (i % 8 == 0)
            world_check(world);
        if (i == 40)
            world_add_many(world, 5);
    }
    calm(&storm);
    theft(world);
    world_free(world);
}

static uint64_t number_from_environment(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    uint64_t number;
    return text && u64_from_text(text, strlen(text), 0, UINT64_MAX, &number) ? number : otherwise;
}

static uint64_t seed_now;

static void after_any_storm_every_row_has_been_paid_once(void **state)
{
    (void)state;
    uint64_t first = number_from_environment("BURSAR_STORM_SEED", 1);
    uint64_t count = number_from_environment("BURSAR_STORMS", STORMS);
    for (seed_now = first; seed_now < first + count; seed_now++)
        one_storm(seed_now);
    seed_now = 0;
}

static int tell_seed(void **state)
{
    (void)state;
    if (seed_now)
        print_error("BURSAR_STORM_SEED=%llu BURSAR_STORMS=1 shows it\n", (unsigned long long)seed_now);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(after_any_storm_every_row_has_been_paid_once, tell_seed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

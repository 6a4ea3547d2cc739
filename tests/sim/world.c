/* Makes a world from a seed, and takes it apart. */
#include "world.h"

#include "signer/private_key.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define START_MS 1800000000000ull
#define STORE_NAME "store.db"
#define STORE_PATH DISK_ROOT "/" STORE_NAME
#define PLENTY_WEI 1000000000000000000ull
#define CALM_BASE_FEE_WEI 10
#define MAX_FEE_WEI 1000
#define MAX_TIP_WEI 2
#define EPOCH_BLOCKS 10
#define OFFICE_NUMBER 100

static bool fails(enum bursar_status status, const struct bursar_error *err)
{
    if (status != BURSAR_OK)
        (void)fprintf(stderr, "bursar-sim: %s: %s\n", bursar_status_text(status), err->message);
    return status != BURSAR_OK;
}

static void make_chain(struct world *world, struct random *random)
{
    struct sim_chain_settings settings = { .chain_id = WORLD_CHAIN_ID,
                                           .finality_depth_blocks = 1 + random_below(random, 10),
                                           .genesis_time_s = START_MS / 1000 - 60,
                                           .seconds_per_block = 1,
                                           .base_fee_per_gas_wei = CALM_BASE_FEE_WEI,
                                           .tip_wei = 1 + random_below(random, 3),
                                           .replacement_percent = 10,
                                           .pool_max_per_account = SIM_NO_LIMIT };
    world->base_fee_wei = CALM_BASE_FEE_WEI;
    world->chain = sim_chain_new(&settings);
    for (enum sim_token token = SIM_TOKEN_HONEST; token < SIM_TOKENS; token++) {
        const struct bursar_address address = sim_token_address(token);
        sim_chain_put_code(world->chain, &address);
    }
    world->steps_a_block = random_chance(random, 1, 4) ? 1 + (uint32_t)random_below(random, 4) : 1;
    if (random_chance(random, 1, 4))
        sim_chain_set_capacity(world->chain, 5 + (uint32_t)random_below(random, 40));
}

static struct executor_config draw_config(struct world *world, struct random *random)
{
    static const uint32_t batches[] = { 2, 7, 20, 50, 100 }, flights[] = { 3, 16, 64, 200 },
                          patience[] = { 0, 1, 5, 10 };
    uint32_t finality =
        random_chance(random, 1, 5)
            ? (uint32_t)(sim_chain_settings(world->chain)->finality_depth_blocks + random_below(random, 3))
            : 0;
    return (struct executor_config){ .poll_interval_ms = 1000,
                                     .lease_ttl_ms = 15000,
                                     .batch_size = batches[random_below(random, 5)],
                                     .max_in_flight = flights[random_below(random, 4)],
                                     .finality_blocks = finality,
                                     .epoch = { EPOCH_BLOCK, EPOCH_BLOCKS },
                                     .replace_after_blocks = patience[random_below(random, 4)],
                                     .max_fee_per_gas_wei = MAX_FEE_WEI,
                                     .max_priority_fee_per_gas_wei = MAX_TIP_WEI };
}

/* Key, signing log, node, and what its processes share. */
static bool make_treasury(struct world *world, struct random *random, unsigned number)
{
    struct sim_treasury *treasury = &world->treasuries[number];
    struct process_setup *setup = &treasury->setup;
    struct private_key *key = NULL;
    struct bursar_error err = { 0 };
    treasury->number = number;
    (void)snprintf(treasury->log_name, sizeof treasury->log_name, "key%u.signlog", number);
    (void)snprintf(treasury->log_path, sizeof treasury->log_path, DISK_ROOT "/key%u.signlog", number);
    treasury->nodes.nodes[0] = sim_node_new(world->chain, (enum sim_node_kind)random_below(random, SIM_NODE_KINDS),
                                            (unsigned)random_below(random, SIM_POOLS_MAX_COUNT));
    struct random of_nodes = random_stream(&world->random, "node set", number);
    node_set_grow(&treasury->nodes, world->chain, &of_nodes);
    treasury->witness = (struct witness){ .finding = &world->finding, .step = &world->step };
    treasury->witness.money = (struct money_witness){ .finding = &world->finding,
                                                      .step = &world->step,
                                                      .chain = world->chain,
                                                      .nodes = &treasury->nodes,
                                                      .limits = &setup->config.money };
    *setup = (struct process_setup){ .trace = &world->trace,
                                     .disk = world->disk,
                                     .true_chain = world->chain,
                                     .nodes = &treasury->nodes,
                                     .now_ms = &world->now_ms,
                                     .witness = &treasury->witness,
                                     .store_path = STORE_PATH,
                                     .log_path = treasury->log_path,
                                     .chain_id = WORLD_CHAIN_ID,
                                     .config = draw_config(world, random),
                                     .has_breaker = random_chance(random, 1, 2),
                                     .breaker = { .failure_threshold = 2 + (uint32_t)random_below(random, 4),
                                                  .success_threshold = 1 + (uint32_t)random_below(random, 2),
                                                  .timeout_ms = 3000 + random_below(random, 20000),
                                                  .window_ms = 60000 },
                                     .lanes = random_below(random, PROCESS_LANES_MAX_COUNT + 1) };
    random_fill(random, setup->secret, sizeof setup->secret);
    setup->secret[0] = 1; /* surely a key */
    if (fails(private_key_new(setup->secret, &key, &err), &err))
        return false;
    private_key_address(key, &treasury->payer.address);
    treasury->witness.money.account = treasury->payer.address;
    private_key_free(key);
    if (random_chance(random, 1, 4)) {
        treasury->first_nonce = 1 + random_below(random, 50);
        sim_chain_set_first_nonce(world->chain, &treasury->payer.address, treasury->first_nonce);
    }
    uint64_t deposit = random_chance(random, 1, 3) ? random_below(random, 100000000) : PLENTY_WEI;
    sim_chain_deposit(world->chain, &treasury->payer.address, bursar_amount_from_u64(deposit));
    return !fails(signing_log_create(treasury->log_path, WORLD_CHAIN_ID, &treasury->payer.address, &err), &err);
}

/* As `bursar init` does; some are left for the executor to pin. */
static enum bursar_status add_treasury(struct world *world, struct random *random, const struct store *store,
                                       struct sim_treasury *treasury, struct bursar_error *err)
{
    char name[16];
    (void)snprintf(name, sizeof name, "t%u", treasury->number);
    enum bursar_status status = store->treasury_add(store->ctx, name, WORLD_CHAIN_ID, &treasury->payer.address,
                                                    WORLD_EPOCH_TEXT, &treasury->payer.id, err);
    treasury->setup.config.treasury = treasury->payer.id;
    if (status != BURSAR_OK || (treasury->first_nonce == 0 && random_chance(random, 1, 3)))
        return status;
    struct block_mark genesis = {
        0, sim_chain_block(world->chain, sim_chain_at(world->chain, sim_chain_head(world->chain), 0))->hash
    };
    return store->treasury_pin(store->ctx, treasury->payer.id, &genesis.hash, treasury->first_nonce, &genesis, &genesis,
                               err);
}

static bool make_store(struct world *world, struct random *random)
{
    struct sqlite_store *sqlite = NULL;
    struct bursar_error err = { 0 };
    enum bursar_status status = sqlite_store_create(STORE_PATH, &sqlite, &err);
    if (fails(status, &err))
        return false;
    struct store store = sqlite_store_interface(sqlite);
    for (size_t i = 0; i < world->treasury_count && status == BURSAR_OK; i++)
        status = add_treasury(world, random, &store, &world->treasuries[i], &err);
    sqlite_store_close(sqlite);
    return !fails(status, &err);
}

static bool make_processes(struct world *world, struct random *random)
{
    size_t spare = PROCESSES_MAX_COUNT - world->treasury_count;
    world->process_count = world->treasury_count + random_between(random, spare > 0 ? 1 : 0, spare);
    for (size_t i = 0; i < world->process_count; i++) {
        world->owner[i] = (unsigned)(i % world->treasury_count);
        if (!process_init(&world->processes[i], &world->treasuries[world->owner[i]].setup, i))
            return false;
        const struct way *way = &world->processes[i].way;
        enum sim_network_lanes lanes = random_chance(random, 1, 2) ? SIM_LANES_AT_START : SIM_LANES_AT_FINISH;
        bool last_words_arrive = random_chance(random, 1, 2);
        for (size_t node = 0; node < way->count; node++) {
            sim_network_set_lanes(way->networks[node], lanes);
            sim_network_set_last_words(way->networks[node], last_words_arrive);
        }
    }
    return true;
}

static bool make(struct world *world)
{
    struct random random = random_stream(&world->random, "world", 0);
    world->treasury_count = random_chance(&random, 1, 2) ? 1 : 1 + random_below(&random, TREASURIES_MAX_COUNT);
    world->stays_poor = random_chance(&random, 1, 6);
    world->stays_open = random_chance(&random, 1, 10);
    make_chain(world, &random);
    for (unsigned i = 0; i < world->treasury_count; i++) {
        if (!make_treasury(world, &random, i))
            return false;
    }
    world->office = (struct office){ .trace = &world->trace,
                                     .finding = &world->finding,
                                     .now_ms = &world->now_ms,
                                     .step = &world->step,
                                     .store_path = STORE_PATH,
                                     .disk = world->disk,
                                     .user = &world->office_user,
                                     .chain_id = WORLD_CHAIN_ID };
    world->office_user.number = OFFICE_NUMBER;
    bool ok = make_store(world, &random) && make_processes(world, &random);
    sim_chain_mine(world->chain, 1 + random_below(&random, 5));
    return ok;
}

struct world *world_new(uint64_t seed, const struct trace *trace)
{
    struct world *world = calloc(1, sizeof *world);
    if (!world)
        return NULL;
    world->seed = seed;
    world->random = random_new(seed);
    world->trace = *trace;
    trace_begin(&world->trace);
    world->now_ms = START_MS;
    struct random on_disk = random_stream(&world->random, "disk", 0);
    world->disk = disk_new(NULL, &on_disk);
    if (!world->disk) {
        (void)fprintf(stderr, "bursar-sim: the disk can't be made: %s\n", strerror(errno));
        world_free(world);
        return NULL;
    }
    if (!make(world)) {
        world_free(world);
        return NULL;
    }
    return world;
}

static uint64_t read_clock(void *ctx)
{
    return ((const struct world *)ctx)->now_ms;
}

struct clock world_clock(struct world *world)
{
    return (struct clock){ world, read_clock, read_clock };
}

void world_free(struct world *world)
{
    if (!world)
        return;
    for (size_t i = 0; i < world->process_count; i++)
        process_free(&world->processes[i]);
    for (size_t i = 0; i < world->treasury_count; i++) {
        node_set_free(&world->treasuries[i].nodes);
        witness_free(&world->treasuries[i].witness);
    }
    inputs_free(&world->inputs);
    sim_chain_free(world->other_chain);
    sim_chain_free(world->chain);
    disk_free(world->disk);
    free(world);
}

/* Sets up and steps the world. The oracle is oracle.c's. */
#include "world.h"

#include "signer/private_key.h"

#include <sqlite3.h>
#include <dirent.h>
#include <unistd.h>

#define START_WALL_MS 1800000000000ull

static uint64_t wall_ms(void *ctx)
{
    return ((struct world *)ctx)->wall_ms;
}

static uint64_t monotonic_ms(void *ctx)
{
    return ((struct world *)ctx)->monotonic_ms;
}

static void expect(enum bursar_status status, const struct bursar_error *err)
{
    if (status != BURSAR_OK)
        fail_msg("%s: %s", bursar_status_text(status), err->message);
}

static struct private_key *a_key(void)
{
    struct private_key *key = NULL;
    struct bursar_error err = { 0 };
    uint8_t secret[32];
    memset(secret, 7, sizeof secret);
    expect(private_key_new(secret, &key, &err), &err);
    return key;
}

struct bursar_address destination_of(size_t row)
{
    struct bursar_address address = { .bytes = { 0xd0 } };
    address.bytes[18] = (uint8_t)(row >> 8);
    address.bytes[19] = (uint8_t)row;
    return address;
}

/* Memory where there is some: no test here cuts the power, and syncs to a disk are most of their time. */
static const char *temporary_directory(void)
{
    const char *named = getenv("TMPDIR");
    return named ? named : access("/dev/shm", W_OK | X_OK) == 0 ? "/dev/shm" : "/tmp";
}

static void create_files(struct world *world)
{
    struct bursar_error err = { 0 };
    struct sqlite_store *sqlite = NULL;
    struct store store;
    (void)snprintf(world->directory, sizeof world->directory, "%s/bursar-executor-XXXXXX", temporary_directory());
    assert_non_null(mkdtemp(world->directory));
    (void)snprintf(world->store_path, sizeof world->store_path, "%.4000s/store.db", world->directory);
    (void)snprintf(world->log_path, sizeof world->log_path, "%.4000s/key.signlog", world->directory);
    struct private_key *key = a_key();
    private_key_address(key, &world->account);
    private_key_free(key);
    expect(signing_log_create(world->log_path, WORLD_CHAIN_ID, &world->account, &err), &err);
    expect(sqlite_store_create(world->store_path, &sqlite, &err), &err);
    store = sqlite_store_interface(sqlite);
    expect(store.treasury_add(store.ctx, "main", WORLD_CHAIN_ID, &world->account, "block/10", &world->config.treasury,
                              &err),
           &err);
    sqlite_store_close(sqlite);
}

struct world *world_new(void)
{
    struct world *world = calloc(1, sizeof *world);
    assert_non_null(world);
    world->wall_ms = START_WALL_MS;
    world->monotonic_ms = 5000;
    world->config = (struct executor_config){ .poll_interval_ms = 1000,
                                              .lease_ttl_ms = 15000,
                                              .batch_size = 100,
                                              .max_in_flight = 64,
                                              .epoch = { EPOCH_BLOCK, 10 },
                                              .max_fee_per_gas_wei = 1000,
                                              .max_priority_fee_per_gas_wei = 2 };
    create_files(world);
    world->chain = memory_chain_new(WORLD_CHAIN_ID, &world->account, PLENTY_WEI);
    memory_chain_mine(world->chain, 5);
    return world;
}

static void remove_directory(const char *path)
{
    DIR *directory = opendir(path);
    char name[WORLD_PATH_BYTES + 300];
    for (struct dirent *entry; directory && (entry = readdir(directory));) {
        (void)snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        if (entry->d_name[0] != '.')
            (void)unlink(name);
    }
    if (directory)
        (void)closedir(directory);
    (void)rmdir(path);
}

void world_free(struct world *world)
{
    process_stop(&world->first);
    process_stop(&world->second);
    world_close_database(world);
    remove_directory(world->directory);
    memory_chain_free(world->chain);
    free(world->amounts);
    free(world);
}

/* -- processes ------------------------------------------------------------------------------------------- */

static void meter_tick(void *ctx, enum tick_outcome outcome, uint64_t took_ms, const struct chain_view *view)
{
    struct world *world = ctx;
    (void)took_ms;
    (void)view;
    world->ticks[outcome]++;
}

static void meter_fault(void *ctx, enum executor_fault fault)
{
    struct world *world = ctx;
    world->faults[fault]++;
}

static void meter_signing(void *ctx, int purpose, bool is_signed)
{
    struct world *world = ctx;
    (void)purpose;
    world->signatures += is_signed;
}

static void meter_submission(void *ctx, uint64_t nonce, enum submit_verdict verdict)
{
    struct world *world = ctx;
    (void)nonce;
    world->submissions[verdict]++;
}

static void take_report(void *ctx, enum bursar_breaker_state state, uint64_t failures, uint64_t successes)
{
    struct world *world = ctx;
    world->reports++;
    world->reported_state = state;
    world->reported_failures = failures;
    world->reported_successes = successes;
}

void process_start(struct process *process, struct world *world, const char *identity)
{
    struct bursar_error err = { 0 };
    struct executor_config config = world->config;
    *process = (struct process){ .world = world };
    world->chain->is_dead = &process->is_dead;
    expect(sqlite_store_open(world->store_path, SQLITE_MODE_WRITE, NULL, NULL, &process->sqlite, &err), &err);
    process->store =
        (struct crashing_store){ .inner = sqlite_store_interface(process->sqlite), .is_dead = &process->is_dead };
    expect(local_signer_new(WORLD_CHAIN_ID, a_key(), world->log_path, &process->local_signer, &err), &err);
    process->signer =
        (struct faulty_signer){ .inner = local_signer_interface(process->local_signer), .is_dead = &process->is_dead };
    if (world->breaker)
        expect(bursar_breaker_new(world->breaker, &process->breaker, &err), &err);
    struct executor_env env = { .breaker = process->breaker,
                                .telemetry = { world, take_report },
                                .meters = { .ctx = world,
                                            .tick = meter_tick,
                                            .fault = meter_fault,
                                            .signing = meter_signing,
                                            .submission = meter_submission },
                                .store = crashing_store_interface(&process->store),
                                .chain = memory_chain_interface(world->chain),
                                .signer = faulty_signer_interface(&process->signer),
                                .clock = { world, wall_ms, monotonic_ms } };
    config.identity = identity;
    expect(executor_new(&config, &env, &process->executor, &err), &err);
}

void process_stop(struct process *process)
{
    executor_free(process->executor);
    bursar_breaker_free(process->breaker);
    local_signer_free(process->local_signer);
    sqlite_store_close(process->sqlite);
    if (process->world && process->world->chain->is_dead == &process->is_dead)
        process->world->chain->is_dead = NULL;
    *process = (struct process){ 0 };
}

enum bursar_status process_try_step(struct process *process)
{
    struct bursar_error err = { 0 };
    process->world->chain->is_dead = &process->is_dead;
    return executor_step(process->executor, &process->next_wake_ms, &process->report, &err);
}

void process_step(struct process *process)
{
    struct bursar_error err = { 0 };
    process->world->chain->is_dead = &process->is_dead;
    expect(executor_step(process->executor, &process->next_wake_ms, &process->report, &err), &err);
}

static void pass_time(struct world *world, uint64_t ms)
{
    world->wall_ms += ms;
    world->monotonic_ms += ms;
}

void world_step(struct world *world)
{
    if (!world->first.executor)
        process_start(&world->first, world, "first");
    process_step(&world->first);
    pass_time(world, world->first.next_wake_ms);
}

void world_run(struct world *world, size_t times)
{
    for (size_t i = 0; i < times; i++) {
        world_step(world);
        memory_chain_mine(world->chain, 1);
    }
}

void world_run_until_idle(struct world *world, size_t limit)
{
    for (size_t i = 0; i < limit; i++) {
        world_run(world, 1);
        if (world->first.report.is_idle)
            return;
    }
    fail_msg("not idle after %zu rounds", limit);
}

void world_settle(struct world *world)
{
    for (int i = 0; i < 1000; i++) {
        world_step(world);
        if (world->first.next_wake_ms != 0)
            return;
    }
    fail_msg("there is always more to do at once");
}

/* -- rows ------------------------------------------------------------------------------------------------ */

static void import_row(struct world *world, struct store *store, const struct wish *wish)
{
    char ref[32], dependency_refs[4][32];
    const char *dependencies[4], *field = NULL;
    struct bursar_error err = { 0 };
    enum import_outcome outcome;
    int64_t id;
    uint64_t line;
    size_t row = world->row_count++;
    world->amounts = realloc(world->amounts, world->row_count * sizeof *world->amounts);
    assert_non_null(world->amounts);
    world->amounts[row] = bursar_amount_from_u64(wish->amount_wei ? wish->amount_wei : AMOUNT_WEI + row);
    (void)snprintf(ref, sizeof ref, "row-%zu", row);
    for (size_t i = 0; i < wish->dependency_count; i++) {
        (void)snprintf(dependency_refs[i], sizeof dependency_refs[i], "row-%zu", wish->dependencies[i]);
        dependencies[i] = dependency_refs[i];
    }
    struct import_row import = { .line = row + 2,
                                 .obligation = { .ref = ref,
                                                 .destination = destination_of(row),
                                                 .amount = world->amounts[row],
                                                 .schedule = wish->schedule,
                                                 .schedule_value = wish->schedule_value,
                                                 .memo = "",
                                                 .dependencies = dependencies,
                                                 .dependency_count = wish->dependency_count } };
    expect(obligation_normalise(&import.obligation, &field, &err), &err);
    obligation_hash(&import.obligation, WORLD_CHAIN_ID, &world->account, &import.content_hash);
    expect(store->import_add(store->ctx, &import, &outcome, &id, &line, &err), &err);
    assert_int_equal(outcome, IMPORT_ADDED);
    assert_int_equal(id, row + 1);
}

static void import_rows(struct world *world, const struct wish *wish, size_t count)
{
    struct bursar_error err = { 0 };
    struct sqlite_store *sqlite = NULL;
    bool committed = false;
    expect(sqlite_store_open(world->store_path, SQLITE_MODE_WRITE, NULL, NULL, &sqlite, &err), &err);
    struct store store = sqlite_store_interface(sqlite);
    expect(store.import_begin(store.ctx, world->config.treasury, "test.csv", "test", world->wall_ms, &err), &err);
    for (size_t i = 0; i < count; i++)
        import_row(world, &store, wish);
    expect(store.import_end(store.ctx, true, NULL, NULL, &committed, &err), &err);
    assert_true(committed);
    sqlite_store_close(sqlite);
}

size_t world_add(struct world *world, const struct wish *wish)
{
    import_rows(world, wish, 1);
    return world->row_count - 1;
}

void world_add_many(struct world *world, size_t count)
{
    const struct wish plain = { 0 };
    import_rows(world, &plain, count);
}

/* -- files ----------------------------------------------------------------------------------------------- */

/* Nothing at `from` leaves nothing at `to`. */
static void copy_file(const char *from, const char *to)
{
    char bytes[65536];
    FILE *in = fopen(from, "rb");
    if (!in) {
        (void)unlink(to);
        return;
    }
    FILE *out = fopen(to, "wb");
    assert_non_null(out);
    for (size_t count; (count = fread(bytes, 1, sizeof bytes, in)) > 0;)
        assert_int_equal(fwrite(bytes, 1, count, out), count);
    assert_int_equal(fclose(out), 0);
    (void)fclose(in);
}

static void copy_store(struct world *world, const char *name, bool back)
{
    static const char *const parts[] = { "", "-wal" };
    char there[WORLD_PATH_BYTES + 64], aside[WORLD_PATH_BYTES + 64];
    for (size_t i = 0; i < 2; i++) {
        (void)snprintf(there, sizeof there, "%s%s", world->store_path, parts[i]);
        (void)snprintf(aside, sizeof aside, "%s.%s%s", world->store_path, name, parts[i]);
        copy_file(back ? aside : there, back ? there : aside);
    }
}

void world_keep_store(struct world *world, const char *name)
{
    copy_store(world, name, false);
}

void world_put_back_store(struct world *world, const char *name)
{
    char index[WORLD_PATH_BYTES + 8];
    assert_null(world->first.executor);
    assert_null(world->second.executor);
    world_close_database(world);
    (void)snprintf(index, sizeof index, "%s-shm", world->store_path);
    (void)unlink(index);
    copy_store(world, name, true);
}

void world_keep_log(struct world *world, const char *name)
{
    char aside[WORLD_PATH_BYTES + 64];
    (void)snprintf(aside, sizeof aside, "%s.%s", world->log_path, name);
    copy_file(world->log_path, aside);
}

void world_put_back_log(struct world *world, const char *name)
{
    char aside[WORLD_PATH_BYTES + 64];
    (void)snprintf(aside, sizeof aside, "%s.%s", world->log_path, name);
    copy_file(aside, world->log_path);
}

/* -- looking --------------------------------------------------------------------------------------------- */

static sqlite3 *database(struct world *world)
{
    if (!world->database) {
        sqlite3 *db = NULL;
        assert_int_equal(sqlite3_open(world->store_path, &db), SQLITE_OK);
        world->database = db;
    }
    return world->database;
}

void world_close_database(struct world *world)
{
    (void)sqlite3_close(world->database);
    world->database = NULL;
}

int64_t world_number(struct world *world, const char *sql)
{
    sqlite3_stmt *stmt = NULL;
    if (sqlite3_prepare_v2(database(world), sql, -1, &stmt, NULL) != SQLITE_OK || sqlite3_step(stmt) != SQLITE_ROW)
        fail_msg("%s: %s", sql, sqlite3_errmsg(database(world)));
    int64_t number = sqlite3_column_int64(stmt, 0);
    (void)sqlite3_finalize(stmt);
    return number;
}

void world_sql(struct world *world, const char *sql)
{
    if (sqlite3_exec(database(world), sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(database(world)));
}

size_t rows_in(struct world *world, enum disbursement_state state)
{
    char sql[96];
    (void)snprintf(sql, sizeof sql, "SELECT count(*) FROM disbursement WHERE state = %d", (int)state);
    return (size_t)world_number(world, sql);
}

enum disbursement_state state_of(struct world *world, size_t row)
{
    char sql[96];
    (void)snprintf(sql, sizeof sql, "SELECT state FROM disbursement WHERE id = %zu", row + 1);
    return (enum disbursement_state)world_number(world, sql);
}

enum block_code blocked_of(struct world *world, size_t row)
{
    char sql[96];
    (void)snprintf(sql, sizeof sql, "SELECT blocked FROM disbursement WHERE id = %zu", row + 1);
    return (enum block_code)world_number(world, sql);
}

/* Sets up, ticks and checks the host. */
#include "host.h"

#include "base/bytes.h"
#include "eth/keccak.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define START_WALL_MS 1800000000000ull

void host_expect(enum bursar_status status, const struct bursar_error *err)
{
    if (status != BURSAR_OK)
        fail_msg("%s: %s", bursar_status_text(status), err->message);
}

static uint64_t wall_ms(void *ctx)
{
    return ((struct host *)ctx)->wall_ms;
}

static uint64_t monotonic_ms(void *ctx)
{
    return ((struct host *)ctx)->monotonic_ms;
}

struct clock host_clock(struct host *host)
{
    return (struct clock){ host, wall_ms, monotonic_ms };
}

/* Memory where there is some: no test here cuts the power, and syncs to a disk are most of their time. */
static const char *temporary_directory(void)
{
    const char *named = getenv("TMPDIR");
    return named ? named : access("/dev/shm", W_OK | X_OK) == 0 ? "/dev/shm" : "/tmp";
}

struct host *host_new(void)
{
    const struct bursar_breaker_config breaker = BURSAR_BREAKER_DEFAULTS;
    struct bursar_error err = { 0 };
    struct host *host = mmap(NULL, sizeof *host, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(host, MAP_FAILED);
    (void)snprintf(host->directory, sizeof host->directory, "%s/bursar-embed-XXXXXX", temporary_directory());
    assert_non_null(mkdtemp(host->directory));
    (void)snprintf(host->url, sizeof host->url, "sqlite:%.4000s/host.db", host->directory);
    (void)snprintf(host->log_path, sizeof host->log_path, "%.4000s/key.signlog", host->directory);
    host->wall_ms = START_WALL_MS;
    host->monotonic_ms = 5000;
    host->pays_when_accepted = true;
    host->epoch = 7;
    host->head.height = 100;
    assert_int_equal(pthread_mutex_init(&host->lock, NULL), 0);
    host_expect(bursar_store_open(host->url, BURSAR_STORE_CREATE, &host->store, &err), &err);
    host->registration = (struct bursar_treasury){ .size = sizeof host->registration,
                                                   .name = "main",
                                                   .chain_id = HOST_CHAIN_ID,
                                                   .account = { { 0xac } },
                                                   .epoch_source = "days",
                                                   .first_nonce = HOST_FIRST_NONCE,
                                                   .signing_log = host->log_path };
    host_expect(bursar_store_treasury(host->store, &host->registration, &host->treasury, &err), &err);
    host->config = (struct bursar_executor_config){
        .size = sizeof host->config, .identity = "host", .poll_interval = 1000, .lease_ttl = 15000
    };
    host_fill_callbacks(host);
    host_expect(bursar_breaker_new(&breaker, &host->config.circuit_breaker, &err), &err);
    return host;
}

static void remove_directory(const char *path)
{
    DIR *directory = opendir(path);
    char name[HOST_PATH_BYTES + 300];
    for (struct dirent *entry; directory && (entry = readdir(directory));) {
        (void)snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        if (entry->d_name[0] != '.')
            (void)unlink(name);
    }
    if (directory)
        (void)closedir(directory);
    (void)rmdir(path);
}

void host_free(struct host *host)
{
    host_stop(host);
    (void)bursar_store_close(host->store);
    (void)bursar_breaker_free(host->config.circuit_breaker);
    (void)pthread_mutex_destroy(&host->lock);
    remove_directory(host->directory);
    (void)munmap(host, sizeof *host);
}

void host_start(struct host *host, const char *identity)
{
    struct bursar_error err = { 0 };
    const struct clock clock = host_clock(host);
    host->config.identity = identity;
    host_expect(embed_executor_new(host->store, host->treasury, &host->config, &clock, &host->executor, &err), &err);
}

void host_stop(struct host *host)
{
    host->executor = bursar_executor_free(host->executor);
}

void host_tick(struct host *host, uint64_t ms)
{
    struct bursar_error err = { 0 };
    if (!host->executor)
        host_start(host, "host");
    host->report.size = sizeof host->report;
    host_expect(bursar_executor_tick(host->executor, &host->next_wake_ms, &host->report, &err), &err);
    host->wall_ms += ms;
    host->monotonic_ms += ms;
}

void host_run(struct host *host)
{
    for (int i = 0; i < HOST_TICKS_MAX; i++) {
        host_tick(host, 0);
        if (host->report.is_idle)
            return;
        host->wall_ms += host->next_wake_ms;
        host->monotonic_ms += host->next_wake_ms;
    }
    fail_msg("not idle after %d ticks", HOST_TICKS_MAX);
}

/* -- payments ------------------------------------------------------------------------------------------------------ */

struct bursar_address host_destination(const char *ref)
{
    struct bursar_hash hash;
    struct bursar_address address;
    keccak256(ref, strlen(ref), &hash);
    memcpy(address.bytes, hash.bytes, sizeof address.bytes);
    return address;
}

struct bursar_payment host_payment(const char *ref, uint64_t amount)
{
    return (struct bursar_payment){ .size = sizeof(struct bursar_payment),
                                    .ref = ref,
                                    .destination = host_destination(ref),
                                    .amount = bursar_amount_from_u64(amount) };
}

void host_submit(struct host *host, size_t count)
{
    struct bursar_error err = { 0 };
    char ref[32];
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(ref, sizeof ref, "pay-%zu", host->payment_count);
        struct bursar_payment payment = host_payment(ref, 1000 + host->payment_count++);
        host_expect(bursar_store_submit(host->store, host->treasury, &payment, 1, "test", NULL, &err), &err);
    }
}

void host_include(struct host *host, uint64_t height, bool is_final)
{
    for (size_t i = 0; i < host->ledger_count; i++) {
        struct host_entry *entry = &host->ledger[i];
        if (entry->sighting.state < BURSAR_SIGHTING_INCLUDED)
            entry->sighting.height = height;
        if (entry->sighting.state < BURSAR_SIGHTING_FINAL_SUCCESS)
            entry->sighting.state = is_final ? BURSAR_SIGHTING_FINAL_SUCCESS : BURSAR_SIGHTING_INCLUDED;
        entry->is_paid = true;
    }
    if (host->head.height < height)
        host->head.height = height;
}

/* -- looking ------------------------------------------------------------------------------------------------------- */

struct host_entry *host_find(struct host *host, uint64_t nonce)
{
    for (size_t i = 0; i < host->ledger_count; i++) {
        if (host->ledger[i].nonce == nonce)
            return &host->ledger[i];
    }
    return NULL;
}

unsigned host_paid(struct host *host, const char *ref)
{
    struct bursar_address destination = host_destination(ref);
    unsigned paid = 0;
    for (size_t i = 0; i < host->ledger_count; i++)
        paid += host->ledger[i].is_paid && address_equal(&host->ledger[i].destination, &destination);
    return paid;
}

static bool take_state(void *ctx, const struct bursar_disbursement *disbursement)
{
    *(enum bursar_state *)ctx = disbursement->state;
    return true;
}

enum bursar_state host_state(struct host *host, int64_t id)
{
    struct bursar_error err = { 0 };
    enum bursar_state state = 0;
    const struct bursar_show show = { .size = sizeof show, .ctx = &state, .disbursement = take_state };
    host_expect(bursar_store_show(host->store, host->treasury, id, &show, &err), &err);
    return state;
}

struct bursar_snapshot host_snapshot(struct host *host)
{
    struct bursar_error err = { 0 };
    struct bursar_snapshot snapshot = { .size = sizeof snapshot };
    host_expect(bursar_store_snapshot(host->store, host->treasury, &snapshot, &err), &err);
    return snapshot;
}

void host_check_all_paid(struct host *host)
{
    char ref[32];
    for (size_t i = 0; i < host->payment_count; i++) {
        (void)snprintf(ref, sizeof ref, "pay-%zu", i);
        assert_int_equal(host_paid(host, ref), 1);
    }
    for (size_t i = 0; i < host->ledger_count; i++)
        assert_ptr_equal(host_find(host, host->ledger[i].nonce), &host->ledger[i]); /* one payload a nonce */
    assert_int_equal(host_snapshot(host).states[BURSAR_STATE_FINALIZED], host->payment_count);
}

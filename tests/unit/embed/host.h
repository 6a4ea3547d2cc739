/* A host that embeds the library, as its tests need one: a ledger in memory that pays a nonce once, callbacks that do
 * as they are told, a store and a signing log in a directory of their own, a clock that only moves when told. */
#ifndef TESTS_EMBED_HOST_H
#define TESTS_EMBED_HOST_H

#include "embed/embed_executor.h"

#include <bursar/bursar.h>

#include <pthread.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#define HOST_CHAIN_ID 77
#define HOST_FIRST_NONCE 5
#define HOST_PATH_BYTES 4200
#define HOST_LEDGER_MAX 512
#define HOST_TICKS_MAX 400

struct host;

/* What the ledger has of one transaction. */
struct host_entry {
    struct bursar_hash transaction;
    uint64_t nonce;
    struct bursar_address destination;
    struct bursar_amount amount;
    unsigned submissions;
    bool is_paid; /* carried out */
    struct bursar_sighting sighting;
};

struct host {
    char directory[HOST_PATH_BYTES], url[HOST_PATH_BYTES + 16], log_path[HOST_PATH_BYTES];
    struct bursar_store *store;
    struct bursar_treasury registration;
    int64_t treasury;
    uint64_t wall_ms, monotonic_ms;
    struct bursar_executor_config config;
    struct bursar_executor *executor;
    uint64_t next_wake_ms;
    struct bursar_tick_report report;
    size_t payment_count;

    pthread_mutex_t lock; /* of all below: callbacks run on the executor's thread */
    struct host_entry ledger[HOST_LEDGER_MAX];
    size_t ledger_count;
    bool pays_when_accepted; /* else when it is included */
    uint64_t epoch;
    bool epoch_unknown;
    uint64_t nonce_floor;
    struct bursar_chain_head head;
    enum bursar_status observer_fails;
    enum bursar_status signer_fails;
    uint64_t signer_fails_at;                        /* nonce, with signer_fails */
    enum bursar_submit_verdict says;                 /* 0: accepts */
    uint64_t says_from;                              /* nonce, with `says` */
    bool applies_anyway;                             /* says `says`, but has taken it */
    enum bursar_dependency answers[HOST_LEDGER_MAX]; /* by disbursement id; 0: ready */
    unsigned checks[HOST_LEDGER_MAX];
    unsigned signatures, submissions, looks, reports;
    enum bursar_breaker_state told_state;
    uint64_t told_failures, told_successes;
    bool goes_on; /* each look at the head: a block more, what was included is final, what was pending in */
    unsigned callbacks, die_at;           /* ends the process behind the effect of this callback */
    void (*at_submit)(struct host *host); /* without the lock */
};

/* Lives in memory that a forked process shares. A store with a treasury, a configuration with all callbacks but the
 * observer, no executor yet. */
struct host *host_new(void);
void host_free(struct host *host);     /* nothing of it is left on disk */
void host_observes(struct host *host); /* with an observer: pays when included */

void host_start(struct host *host, const char *identity);
void host_stop(struct host *host); /* in good order */
/* One tick, expected OK; the clock moves on by `ms`. */
void host_tick(struct host *host, uint64_t ms);
/* Ticks until nothing is left; fails the test when that takes too long. */
void host_run(struct host *host);

struct bursar_payment host_payment(const char *ref, uint64_t amount);
/* Submits `count` plain payments, refs pay-0 and so on, amounts 1000 + i. */
void host_submit(struct host *host, size_t count);
struct bursar_address host_destination(const char *ref);
void host_include(struct host *host, uint64_t height, bool is_final); /* everything in the ledger that is not */
struct host_entry *host_find(struct host *host, uint64_t nonce);      /* the first, or NULL */
unsigned host_paid(struct host *host, const char *ref);               /* how often */
enum bursar_state host_state(struct host *host, int64_t id);
struct bursar_snapshot host_snapshot(struct host *host);
/* Every payment submitted so far was paid once, at a nonce of its own, and the store says so. */
void host_check_all_paid(struct host *host);

void host_expect(enum bursar_status status, const struct bursar_error *err);
void host_fill_callbacks(struct host *host);
struct clock host_clock(struct host *host);

#endif

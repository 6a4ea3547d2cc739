/* A world for an executor: a real store and a real signing log in a directory of their own, a chain in memory, a clock
 * that only moves when told. Processes of it can be started, stepped and killed. And the oracle: every destination is
 * paid exactly never or once, counted on the chain. */
#ifndef TESTS_EXECUTOR_WORLD_H
#define TESTS_EXECUTOR_WORLD_H

#include "crashing_store.h"
#include "faulty_signer.h"
#include "memory_chain.h"

#include "executor/executor.h"
#include "signer/local_signer.h"
#include "store/sqlite_store.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#define WORLD_CHAIN_ID 31337
#define WORLD_PATH_BYTES 4200
#define PLENTY_WEI 1000000000000000000ull
#define AMOUNT_WEI 1000 /* row i is paid AMOUNT_WEI + i, unless it says otherwise */

struct world;

/* An executor with store handle, signer and fate of its own. */
struct process {
    struct world *world;
    bool is_dead;
    struct sqlite_store *sqlite;
    struct crashing_store store;
    struct local_signer *local_signer;
    struct faulty_signer signer;
    struct executor *executor;
    struct bursar_breaker *breaker; /* when the world has one */
    struct executor_report report;  /* of the last step */
    uint64_t next_wake_ms;
};

struct world {
    char directory[WORLD_PATH_BYTES], store_path[WORLD_PATH_BYTES], log_path[WORLD_PATH_BYTES];
    struct bursar_address account;
    struct memory_chain *chain;
    uint64_t wall_ms, monotonic_ms;
    struct executor_config config;
    const struct bursar_breaker_config *breaker; /* NULL: processes have no circuit breaker */
    size_t reports;                              /* how often telemetry was called, and what it said last */
    enum bursar_breaker_state reported_state;
    uint64_t reported_failures, reported_successes;
    size_t ticks[TICK_OUTCOME_COUNT], faults[EXECUTOR_FAULT_COUNT]; /* what meters were told of */
    size_t signatures, submissions[SUBMIT_CONTESTED + 1];
    struct process first, second;
    void *database; /* a handle for looking */
    size_t row_count;
    struct bursar_amount *amounts; /* of row i */
};

struct world *world_new(void);
void world_free(struct world *world); /* nothing of it is left on disk */

/* A disbursement to be imported; zero: at once, AMOUNT_WEI + its index. */
struct wish {
    uint64_t amount_wei;
    enum schedule_kind schedule;
    uint64_t schedule_value;
    size_t dependency_count;
    size_t dependencies[4]; /* indices of earlier rows */
};
size_t world_add(struct world *world, const struct wish *wish); /* its index */
void world_add_many(struct world *world, size_t count);
struct bursar_address destination_of(size_t row);

/* Opens store and signer, starts an executor that has not stepped yet. */
void process_start(struct process *process, struct world *world, const char *identity);
/* Ends it, in good order or (when it is dead) without a word. */
void process_stop(struct process *process);
enum bursar_status process_try_step(struct process *process);
void process_step(struct process *process); /* expects OK */

/* Steps the first process; the clock moves on by what it asked for. */
void world_step(struct world *world);
/* A step and a block, `times`. */
void world_run(struct world *world, size_t times);
/* ... until the executor says it is idle; fails the test when that takes more than `limit` rounds. */
void world_run_until_idle(struct world *world, size_t limit);
/* Steps (without blocks) while there is more to do at once. */
void world_settle(struct world *world);

/* The files of the store and the signing log, kept aside under a name and put back later. Nobody may have them open
 * when they are put back. */
void world_keep_store(struct world *world, const char *name);
void world_put_back_store(struct world *world, const char *name);
void world_keep_log(struct world *world, const char *name);
void world_put_back_log(struct world *world, const char *name);

/* The first number of a query on the store, and a statement behind everyone's back. */
int64_t world_number(struct world *world, const char *sql);
void world_sql(struct world *world, const char *sql);
void world_close_database(struct world *world);
size_t rows_in(struct world *world, enum disbursement_state state);
enum disbursement_state state_of(struct world *world, size_t row);
enum block_code blocked_of(struct world *world, size_t row);

/* The oracle, at any time: nobody is paid twice or wrongly, no nonce ever meant two payments, no payment two nonces,
 * and the store says nothing final that the chain does not show. */
void world_check(struct world *world);
/* And at the end: each row is paid once, and the store says so. */
void world_check_all_paid(struct world *world);

#endif

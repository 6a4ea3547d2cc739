/* The executor of one treasury: turns due disbursements into paid ones, each exactly once.
 *
 * executor_step runs one tick, without threads or sleeps of its own. All the world comes through the environment's
 * seams. Not thread-safe: one thread steps an executor. */
#ifndef EXECUTOR_EXECUTOR_H
#define EXECUTOR_EXECUTOR_H

#include "base/note.h"
#include "base/time.h"
#include "chain/chain.h"
#include "executor/meters.h"
#include "signer/signer.h"
#include "store/store.h"

#include <bursar/breaker.h>

enum epoch_kind {
    EPOCH_BLOCK = 1, /* epoch = final block number / length */
    EPOCH_TIME = 2,  /* epoch = final block timestamp / length (seconds) */
};

struct epoch_source {
    enum epoch_kind kind;
    uint64_t length;
};

/* Texts are copied. Bounds are the configuration's; the caller has checked them. */
struct executor_config {
    int64_t treasury; /* id in the store */
    const char *identity;
    uint64_t poll_interval_ms;
    uint64_t lease_ttl_ms;
    uint32_t batch_size;
    uint32_t max_in_flight;
    uint32_t finality_blocks; /* 0: the node's finalized tag */
    struct epoch_source epoch;
    uint64_t max_fee_per_gas_wei;
    uint64_t max_priority_fee_per_gas_wei;
    uint64_t replace_after_blocks; /* 0: never */
    bool tags;                     /* payments carry the hash of what they pay */
    struct money_limits money;     /* all zero: nothing trips, but a person may open the money breaker */
};

/* Told after every step, also one that was cut short; counts as in struct bursar_breaker_view. Without a breaker never.
 */
struct breaker_telemetry {
    void *ctx;
    void (*report)(void *ctx, enum bursar_breaker_state state, uint64_t failures, uint64_t successes);
};

enum host_answer {
    HOST_READY = 1,
    HOST_WAIT = 2,      /* not in this tick */
    HOST_ERROR = 3,     /* not known: not in this tick, and told */
    HOST_CANCELLED = 4, /* never: the disbursement is cancelled */
};

/* What an embedder has a say in. Each may be NULL. */
struct executor_host {
    void *ctx;
    /* In place of config.epoch; false: not known now. */
    bool (*epoch)(void *ctx, uint64_t *ret);
    /* About each due row, immediately before it is bound (INV-9). The message says why (ERROR, CANCELLED). */
    enum host_answer (*check)(void *ctx, const struct due_row *row, struct bursar_error *ret_why);
    /* While the next nonce is below it, nothing is bound: it can only veto (INV-1). False: bind nothing now. */
    bool (*nonce_floor)(void *ctx, uint64_t *ret);
};

/* Borrowed; must outlive the executor. */
struct executor_env {
    struct store store;
    struct chain chain;
    struct signer signer;
    struct clock clock;
    struct note_sink notes;
    struct bursar_breaker *breaker; /* NULL: nothing trips. Asked before every request that hands over transactions */
    struct breaker_telemetry telemetry; /* report NULL: nobody listens */
    struct executor_meters meters;
    struct executor_host host;
};

/* What a step left behind. */
struct executor_report {
    bool holds_lease;
    bool observed;       /* the chain was seen in this step */
    enum halt_code halt; /* nothing is bound until a person has looked; as seen in this step, or latched */
    bool is_idle;        /* observed, holds the lease, and nothing is left that time alone will bring on */
    bool forced_open;    /* a person has opened the circuit breaker: nothing is sent until a person closes it */
    bool money_open;     /* the money breaker is: nothing is bound until a person closes it; */
    bool money_waits;    /* and nothing is left that time alone brings on before that */
};

struct executor;

BURSAR_MUST_CHECK enum bursar_status executor_new(const struct executor_config *config, const struct executor_env *env,
                                                  struct executor **ret, struct bursar_error *err);
/* Takes over what may change between two steps: poll_interval_ms, batch_size, max_in_flight, both fee caps,
 * replace_after_blocks and money. The rest stays as it is. */
void executor_reconfigure(struct executor *executor, const struct executor_config *config);
/* One tick. Faults of the node or the signer end up in the snapshot, not here: OK means "call again after
 * *ret_next_wake_ms". ESTORAGE or EINTERNAL: the store can't be relied on; nothing was sent that is not durable. */
BURSAR_MUST_CHECK enum bursar_status executor_step(struct executor *executor, uint64_t *ret_next_wake_ms,
                                                   struct executor_report *ret, struct bursar_error *err);
/* Releases lease and signing log, frees; NULL is fine. */
void executor_free(struct executor *executor);

#endif

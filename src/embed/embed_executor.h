/* Inside the embedding API: an executor with all that it borrows. */
#ifndef EMBED_EMBED_EXECUTOR_H
#define EMBED_EMBED_EXECUTOR_H

#include "embed/embed_store.h"
#include "embed/host_chain.h"
#include "embed/host_signer.h"

#include "executor/executor.h"

#include <bursar/executor.h>

struct bursar_executor {
    struct bursar_executor_config config; /* texts are copied below */
    char identity[LEASE_HOLDER_MAX_BYTES];
    int64_t treasury;
    struct clock clock;
    atomic_bool stop;
    _Atomic uint64_t stopped_at_ms; /* monotonic; 0: not yet seen */
    struct sqlite_store *sqlite;
    struct store store;
    struct host_chain *chain;
    struct host_signer *signer;
    struct executor *executor;
};

/* bursar_executor_new with a clock of the caller's: for tests. */
BURSAR_MUST_CHECK enum bursar_status embed_executor_new(const struct bursar_store *store, int64_t treasury,
                                                        const struct bursar_executor_config *config,
                                                        const struct clock *clock, struct bursar_executor **ret,
                                                        struct bursar_error *err);
/* No callback is called any more but the telemetry's. Any thread. */
void embed_executor_stop(struct bursar_executor *executor);

#endif

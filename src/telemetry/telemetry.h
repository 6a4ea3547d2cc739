/* What one process counts and shows to Prometheus: meters that are fed while things happen, and pages of text that are
 * made of them and of the store.
 *
 * Meters are atomics: executors write them on their thread, pages are written on any other, and nobody waits. Pages are
 * written one at a time. What the store holds is read through the handle of whoever asks, never an executor's. */
#ifndef TELEMETRY_TELEMETRY_H
#define TELEMETRY_TELEMETRY_H

#include "base/bytes.h"
#include "chain/nodes.h"
#include "executor/executor.h"
#include "rpc/http_rpc.h"
#include "store/sqlite_store.h"
#include "telemetry/metrics.h"

#define TELEMETRY_EVENTS_MAX_COUNT 20000 /* a page: the rest is counted with the next */

/* Of a token on the treasury's chain. */
struct telemetry_asset {
    char name[48];
    struct bursar_address token;
};

struct telemetry_treasury {
    char name[TREASURY_NAME_MAX_BYTES];
    int64_t id; /* in the store */
    struct telemetry_asset assets[TELEMETRY_ASSETS_MAX_COUNT];
    size_t asset_count;
};

struct telemetry;

/* Of `count` treasuries. Moves are counted from behind event `after_seq` on. */
BURSAR_MUST_CHECK enum bursar_status telemetry_new(size_t count, uint64_t after_seq, struct clock clock,
                                                   struct telemetry **ret, struct bursar_error *err);
void telemetry_free(struct telemetry *telemetry); /* NULL is fine */
/* Which one `index` is; before anything else of it, and before the first page. */
void telemetry_set_treasury(struct telemetry *telemetry, size_t index, const struct telemetry_treasury *treasury);
/* What may be paid by it within an hour. Any thread, any time. */
void telemetry_set_limits(struct telemetry *telemetry, size_t index, const struct money_limits *limits);

/* -- meters of treasury `index`, valid as long as the telemetry -- */
struct executor_meters telemetry_executor_meters(struct telemetry *telemetry, size_t index);
/* Reports to set_circuit_breaker_state. */
struct breaker_telemetry telemetry_breaker(struct telemetry *telemetry, size_t index);
struct commit_meter telemetry_commit_meter(struct telemetry *telemetry);
/* `name` is shown: no secrets. Copied; before the first page is written. */
struct rpc_meter telemetry_node_meter(struct telemetry *telemetry, size_t index, size_t node, const char *name);
void telemetry_node_seen(struct telemetry *telemetry, size_t index, size_t node, const struct node_health *health);

/* A page. `store` NULL: it can't be had, and what comes from it is left out. False: out of memory, or over the buffer's
 * limit. */
BURSAR_MUST_CHECK bool telemetry_write(struct telemetry *telemetry, const struct store *store, struct buf *out);

#endif

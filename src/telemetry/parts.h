/* What the files of telemetry share. Not for other rooms. */
#ifndef TELEMETRY_PARTS_H
#define TELEMETRY_PARTS_H

#include "telemetry/exposition.h"
#include "telemetry/telemetry.h"

#include <pthread.h>

struct telemetry;

/* A gauge that is not known before it is set. */
struct gauge {
    atomic_bool is_set;
    atomic_uint_fast64_t value;
};

struct node_meter {
    struct telemetry *telemetry;
    char name[NODE_NAME_MAX_BYTES]; /* "": there is no such node */
    struct histogram requests;
    atomic_uint_fast64_t errors;
    struct gauge is_healthy, latest_block;
};

/* One treasury's. */
struct meters {
    struct telemetry *telemetry;
    struct telemetry_treasury treasury;
    /* Counters, by metric and label value; written by the executor, or by whoever counts the log. */
    atomic_uint_fast64_t counters[METRIC_COUNT][METRIC_LABEL_VALUES_MAX_COUNT];
    struct histogram tick_duration, lag;
    struct bursar_amount fees_spent_wei;                                    /* under the telemetry's lock */
    uint64_t max_payments_per_hour;                                         /* likewise; 0: any */
    struct bursar_amount max_spend_per_hour[METRIC_LABEL_VALUES_MAX_COUNT]; /* likewise, by asset, in base units */
    /* The executor's last words. */
    struct gauge breaker_state, breaker_failures, breaker_successes;
    struct gauge is_held; /* the lease is ours */
    struct gauge last_tick_ms, last_success_ms, last_error_ms;
    struct gauge head_number, final_number, final_time_s, chain_nonce, submitted_nonce;
    struct node_meter nodes[NODES_MAX_COUNT];
};

struct telemetry {
    struct clock clock;
    uint64_t started_ms;
    pthread_mutex_t lock; /* of what pages change */
    uint64_t counted_seq; /* the newest event that is counted */
    uint64_t behind_count;
    struct histogram store_commit;
    size_t count;
    struct meters meters[];
};

static inline void gauge_set(struct gauge *gauge, uint64_t value)
{
    atomic_store_explicit(&gauge->value, value, memory_order_relaxed);
    atomic_store_explicit(&gauge->is_set, true, memory_order_release);
}

static inline void gauge_unset(struct gauge *gauge)
{
    atomic_store_explicit(&gauge->is_set, false, memory_order_release);
}

static inline bool gauge_get(struct gauge *gauge, uint64_t *ret)
{
    if (!atomic_load_explicit(&gauge->is_set, memory_order_acquire))
        return false;
    *ret = atomic_load_explicit(&gauge->value, memory_order_relaxed);
    return true;
}

static inline void count_up(struct meters *meters, enum metric_id metric, size_t label, uint64_t by)
{
    if (label < METRIC_LABEL_VALUES_MAX_COUNT)
        atomic_fetch_add_explicit(&meters->counters[metric][label], by, memory_order_relaxed);
}

/* A treasury as one page shows it. */
struct reading {
    struct metric_value values[METRIC_COUNT][METRIC_LABEL_VALUES_MAX_COUNT];
};

/* Counts what the event log has gained; under the lock. */
BURSAR_MUST_CHECK enum bursar_status log_count(struct telemetry *telemetry, const struct store *store,
                                               struct bursar_error *err);
/* Of label `asset`: the coin, then the configured ones in their order, then all others. */
#define ASSET_LABEL_NATIVE 0
#define ASSET_LABEL_OTHER (TELEMETRY_ASSETS_MAX_COUNT + 1)
size_t asset_label(const struct meters *meters, const struct asset *asset);
/* What is owed; under the lock. */
BURSAR_MUST_CHECK enum bursar_status reading_take_owed(struct reading *reading, struct meters *meters,
                                                       const struct store *store, uint64_t now_ms,
                                                       struct bursar_error *err);
/* What meters say. */
void reading_take_meters(struct reading *reading, struct meters *meters, uint64_t now_ms);
/* What the store says, which goes before what meters say unless the lease is this process's. */
BURSAR_MUST_CHECK enum bursar_status reading_take_store(struct reading *reading, struct meters *meters,
                                                        const struct store *store, uint64_t now_ms,
                                                        struct bursar_error *err);

/* The money breaker's part of it. */
void reading_take_limits(struct reading *reading, const struct meters *meters);
BURSAR_MUST_CHECK enum bursar_status reading_take_money(struct reading *reading, const struct meters *meters,
                                                        const struct store *store, uint64_t now_ms,
                                                        struct bursar_error *err);

static inline void read_number(struct reading *reading, enum metric_id metric, size_t label, uint64_t number)
{
    reading->values[metric][label] = (struct metric_value){ .kind = METRIC_VALUE_NUMBER, .number = number };
}

static inline void read_ms(struct reading *reading, enum metric_id metric, uint64_t ms)
{
    reading->values[metric][0] = (struct metric_value){ .kind = METRIC_VALUE_MILLISECONDS, .number = ms };
}

/* Base units of the asset that the label names. */
static inline void read_amount(struct reading *reading, enum metric_id metric, size_t label,
                               const struct bursar_amount *base_units)
{
    reading->values[metric][label] = (struct metric_value){ .kind = METRIC_VALUE_WEI, .wei = *base_units };
}

static inline void read_wei(struct reading *reading, enum metric_id metric, const struct bursar_amount *wei)
{
    reading->values[metric][0] = (struct metric_value){ .kind = METRIC_VALUE_WEI, .wei = *wei };
}

#endif

/* See histogram.h. */
#include "telemetry/histogram.h"

static const uint64_t FAST_US[HISTOGRAM_BUCKETS_COUNT] = {
    500,    1000,   2500,    5000,    10000,   25000,    50000,    100000,
    250000, 500000, 1000000, 2500000, 5000000, 10000000, 30000000, 60000000,
};
#define S UINT64_C(1000000)
static const uint64_t SLOW_US[HISTOGRAM_BUCKETS_COUNT] = {
    1 * S,    5 * S,    15 * S,   30 * S,    60 * S,    120 * S,   300 * S,    600 * S,
    1800 * S, 3600 * S, 7200 * S, 14400 * S, 28800 * S, 86400 * S, 259200 * S, 604800 * S,
};
#undef S

const uint64_t *histogram_bounds_us(enum metric_type type)
{
    return type == METRIC_HISTOGRAM_SLOW ? SLOW_US : FAST_US;
}

void histogram_observe(struct histogram *histogram, enum metric_type type, uint64_t took_us)
{
    const uint64_t *bounds_us = histogram_bounds_us(type);
    size_t bucket = 0;
    while (bucket < HISTOGRAM_BUCKETS_COUNT && took_us > bounds_us[bucket])
        bucket++;
    atomic_fetch_add_explicit(&histogram->buckets[bucket], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&histogram->sum_us, took_us, memory_order_relaxed);
}

/* Histograms of durations: counted on one thread, read on others, without locks. */
#ifndef TELEMETRY_HISTOGRAM_H
#define TELEMETRY_HISTOGRAM_H

#include "telemetry/metrics.h"

#include <stdatomic.h>

#define HISTOGRAM_BUCKETS_COUNT 16 /* with an upper bound; one more has none */

struct histogram {
    atomic_uint_fast64_t buckets[HISTOGRAM_BUCKETS_COUNT + 1]; /* not cumulative */
    atomic_uint_fast64_t sum_us;
};

/* Upper bounds in microseconds, ascending. */
const uint64_t *histogram_bounds_us(enum metric_type type);
void histogram_observe(struct histogram *histogram, enum metric_type type, uint64_t took_us);

#endif

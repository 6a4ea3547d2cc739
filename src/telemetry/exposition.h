/* Prometheus' text format 0.0.4. Pure: values in, text out, numbers exact. */
#ifndef TELEMETRY_EXPOSITION_H
#define TELEMETRY_EXPOSITION_H

#include "base/bytes.h"
#include "telemetry/histogram.h"

#include <bursar/amount.h>

enum metric_value_kind {
    METRIC_VALUE_NONE = 0, /* not known: no line */
    METRIC_VALUE_NUMBER = 1,
    METRIC_VALUE_MILLISECONDS = 2, /* written as seconds */
    METRIC_VALUE_WEI = 3,
};

struct metric_value {
    enum metric_value_kind kind;
    uint64_t number;
    struct bursar_amount wei;
};

/* One series' labels; NULL: it has no such label. */
struct metric_labels {
    const char *treasury;
    const char *key, *value;
};

/* All return false on the buffer's limit or lack of memory. */

/* The lines before a metric's series. */
BURSAR_MUST_CHECK bool exposition_head(struct buf *out, const struct metric *metric);
BURSAR_MUST_CHECK bool exposition_value(struct buf *out, const struct metric *metric,
                                        const struct metric_labels *labels, const struct metric_value *value);
/* Buckets are cumulative, and the last of them is the count, also while another thread counts on. */
BURSAR_MUST_CHECK bool exposition_histogram(struct buf *out, const struct metric *metric,
                                            const struct metric_labels *labels, struct histogram *histogram);

#endif

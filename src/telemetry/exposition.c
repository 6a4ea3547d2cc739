/* See exposition.h. */
#include "telemetry/exposition.h"

#include <inttypes.h>
#include <string.h>

#define SECONDS_TEXT_BYTES 32

/* In help a backslash and a line break are escaped, in a label's value a quote as well. */
static bool append_escaped(struct buf *out, const char *text, bool is_value)
{
    bool good = true;
    for (; *text && good; text++) {
        if (*text == '\\')
            good = buf_append_text(out, "\\\\");
        else if (*text == '\n')
            good = buf_append_text(out, "\\n");
        else if (*text == '"' && is_value)
            good = buf_append_text(out, "\\\"");
        else
            good = buf_append(out, text, 1);
    }
    return good;
}

bool exposition_head(struct buf *out, const struct metric *metric)
{
    return buf_append_format(out, "# HELP %s ", metric->name) && append_escaped(out, metric->help, false) &&
           buf_append_format(out, "\n# TYPE %s %s\n", metric->name, metric_type_name(metric->type));
}

static bool append_label(struct buf *out, bool *is_first, const char *key, const char *value)
{
    bool good = buf_append_format(out, "%s%s=\"", *is_first ? "{" : ",", key) && append_escaped(out, value, true) &&
                buf_append_text(out, "\"");
    *is_first = false;
    return good;
}

/* Name, labels, and the space before the value. */
static bool append_series(struct buf *out, const struct metric *metric, const char *suffix,
                          const struct metric_labels *labels, const char *bound)
{
    bool is_first = true;
    bool good = buf_append_format(out, "%s%s", metric->name, suffix);
    if (labels->treasury)
        good = good && append_label(out, &is_first, "treasury", labels->treasury);
    if (labels->key && labels->value)
        good = good && append_label(out, &is_first, labels->key, labels->value);
    if (bound)
        good = good && append_label(out, &is_first, "le", bound);
    return good && buf_append_text(out, is_first ? " " : "} ");
}

/* Whole when it is, as bounds of buckets are written. */
static void seconds_from_us(uint64_t us, char ret[SECONDS_TEXT_BYTES])
{
    int length = snprintf(ret, SECONDS_TEXT_BYTES, "%" PRIu64 ".%06" PRIu64, us / 1000000, us % 1000000);
    while (length > 0 && ret[length - 1] == '0')
        ret[--length] = '\0';
    if (length > 0 && ret[length - 1] == '.')
        ret[length - 1] = '\0';
}

bool exposition_value(struct buf *out, const struct metric *metric, const struct metric_labels *labels,
                      const struct metric_value *value)
{
    char text[BURSAR_AMOUNT_TEXT_BYTES];
    switch (value->kind) {
    case METRIC_VALUE_NONE:
        return true;
    case METRIC_VALUE_NUMBER:
        (void)snprintf(text, sizeof text, "%" PRIu64, value->number);
        break;
    case METRIC_VALUE_MILLISECONDS:
        (void)snprintf(text, sizeof text, "%" PRIu64 ".%03" PRIu64, value->number / 1000, value->number % 1000);
        break;
    case METRIC_VALUE_WEI:
        bursar_amount_to_text(value->wei, text);
        break;
    }
    return append_series(out, metric, "", labels, NULL) && buf_append_format(out, "%s\n", text);
}

bool exposition_histogram(struct buf *out, const struct metric *metric, const struct metric_labels *labels,
                          struct histogram *histogram)
{
    const uint64_t *bounds_us = histogram_bounds_us(metric->type);
    char text[SECONDS_TEXT_BYTES];
    uint64_t count = 0;
    bool good = true;
    for (size_t i = 0; i <= HISTOGRAM_BUCKETS_COUNT && good; i++) {
        count += atomic_load_explicit(&histogram->buckets[i], memory_order_relaxed);
        if (i < HISTOGRAM_BUCKETS_COUNT)
            seconds_from_us(bounds_us[i], text);
        good = append_series(out, metric, "_bucket", labels, i < HISTOGRAM_BUCKETS_COUNT ? text : "+Inf") &&
               buf_append_format(out, "%" PRIu64 "\n", count);
    }
    seconds_from_us(atomic_load_explicit(&histogram->sum_us, memory_order_relaxed), text);
    return good && append_series(out, metric, "_sum", labels, NULL) && buf_append_format(out, "%s\n", text) &&
           append_series(out, metric, "_count", labels, NULL) && buf_append_format(out, "%" PRIu64 "\n", count);
}

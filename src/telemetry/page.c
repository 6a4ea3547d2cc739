/* A page of metrics: the table from top to bottom, each with the series of all treasuries. */
#include "telemetry/parts.h"

#include <stdlib.h>

/* NULL: it is another metric, or there is no such node. */
static struct histogram *histogram_of(struct meters *meters, enum metric_id id, size_t label)
{
    if (id == METRIC_TICK_DURATION)
        return &meters->tick_duration;
    if (id == METRIC_LAG)
        return &meters->lag;
    return id == METRIC_NODE_REQUESTS && meters->nodes[label].name[0] ? &meters->nodes[label].requests : NULL;
}

/* What the configuration names is named by it. */
static const char *label_value(const struct meters *meters, enum metric_label label, size_t index)
{
    if (label == METRIC_LABEL_NODE)
        return meters->nodes[index].name;
    if (label != METRIC_LABEL_ASSET)
        return metric_label_value(label, index);
    if (index == ASSET_LABEL_NATIVE)
        return "native";
    return index == ASSET_LABEL_OTHER ? "other" : meters->treasury.assets[index - 1].name;
}

static bool write_treasury(struct meters *meters, const struct reading *reading, enum metric_id id, struct buf *out)
{
    const struct metric *metric = &METRIC_TABLE[id];
    struct metric_labels labels = { .treasury = meters->treasury.name };
    bool good = true;
    if (metric_label_key(metric->label)[0])
        labels.key = metric_label_key(metric->label);
    for (size_t i = 0; i < metric_label_count(metric->label) && good; i++) {
        struct histogram *histogram = metric_is_histogram(metric) ? histogram_of(meters, id, i) : NULL;
        labels.value = label_value(meters, metric->label, i);
        good = histogram ? exposition_histogram(out, metric, &labels, histogram)
                         : exposition_value(out, metric, &labels, &reading->values[id][i]);
    }
    return good;
}

/* What is of no treasury. */
static bool write_process(struct telemetry *telemetry, enum metric_id id, bool is_readable, struct buf *out)
{
    const struct metric *metric = &METRIC_TABLE[id];
    struct metric_labels labels = { 0 };
    struct metric_value value = { .kind = METRIC_VALUE_NUMBER };
    if (metric_is_histogram(metric))
        return exposition_histogram(out, metric, &labels, &telemetry->store_commit);
    if (id == METRIC_STARTED) {
        value = (struct metric_value){ .kind = METRIC_VALUE_MILLISECONDS, .number = telemetry->started_ms };
    } else if (id == METRIC_BUILD) {
        labels.key = metric_label_key(metric->label);
        labels.value = metric_label_value(metric->label, 0);
        value.number = 1;
    } else {
        value.number = id == METRIC_STORE_READABLE ? is_readable : telemetry->behind_count;
    }
    return exposition_value(out, metric, &labels, &value);
}

static bool write_page(struct telemetry *telemetry, const struct reading *readings, bool is_readable, struct buf *out)
{
    bool good = true;
    for (size_t id = 0; id < METRIC_COUNT && good; id++) {
        const struct metric *metric = &METRIC_TABLE[id];
        good = exposition_head(out, metric);
        if (!metric_is_of_treasury(metric->label))
            good = good && write_process(telemetry, (enum metric_id)id, is_readable, out);
        else
            for (size_t i = 0; i < telemetry->count && good; i++)
                good = write_treasury(&telemetry->meters[i], &readings[i], (enum metric_id)id, out);
    }
    return good;
}

bool telemetry_write(struct telemetry *telemetry, const struct store *store, struct buf *out)
{
    struct bursar_error ignored = { 0 }; /* the page says that the store could not be read */
    uint64_t now_ms = telemetry->clock.wall_ms(telemetry->clock.ctx);
    struct reading *readings = calloc(telemetry->count + 1, sizeof *readings);
    if (!readings)
        return false;
    (void)pthread_mutex_lock(&telemetry->lock);
    bool is_readable = store && log_count(telemetry, store, &ignored) == BURSAR_OK;
    for (size_t i = 0; i < telemetry->count; i++) {
        struct meters *meters = &telemetry->meters[i];
        is_readable = is_readable && reading_take_store(&readings[i], meters, store, now_ms, &ignored) == BURSAR_OK;
        reading_take_meters(&readings[i], meters, now_ms);
    }
    bool good = write_page(telemetry, readings, is_readable, out);
    (void)pthread_mutex_unlock(&telemetry->lock);
    free(readings);
    return good;
}

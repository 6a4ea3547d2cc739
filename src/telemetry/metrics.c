/* The table of metrics, and the values of their labels. */
#include "telemetry/metrics.h"

#include "chain/nodes.h"
#include "executor/executor.h"
#include "store/records.h"

#include <string.h>

_Static_assert(NODES_MAX_COUNT <= METRIC_LABEL_VALUES_MAX_COUNT &&
                   TELEMETRY_ASSETS_MAX_COUNT + 2 <= METRIC_LABEL_VALUES_MAX_COUNT &&
                   STATE_LAST <= METRIC_LABEL_VALUES_MAX_COUNT &&
                   HALT_CHAIN_UNSUITABLE <= METRIC_LABEL_VALUES_MAX_COUNT &&
                   MONEY_PERSON <= METRIC_LABEL_VALUES_MAX_COUNT && SUBMIT_CONTESTED <= METRIC_LABEL_VALUES_MAX_COUNT &&
                   EXECUTOR_FAULT_COUNT <= METRIC_LABEL_VALUES_MAX_COUNT,
               "every value of a label has its place");

const struct metric METRIC_TABLE[METRIC_COUNT] = {
#define X(id, name, type, source, labels, unit, help)                                                                  \
    { name, METRIC_##type, METRIC_OF_##source, METRIC_LABEL_##labels, unit, help },
    METRICS(X)
#undef X
};

const char *metric_type_name(enum metric_type type)
{
    switch (type) {
    case METRIC_COUNTER:
        return "counter";
    case METRIC_GAUGE:
        return "gauge";
    case METRIC_HISTOGRAM_FAST:
    case METRIC_HISTOGRAM_SLOW:
        return "histogram";
    }
    return NULL;
}

const char *metric_source_name(enum metric_source source)
{
    switch (source) {
    case METRIC_OF_PROCESS:
        return "process";
    case METRIC_OF_LOG:
        return "log";
    case METRIC_OF_STORE:
        return "store";
    }
    return NULL;
}

static const char *label_build(size_t index)
{
    return index == 0 ? BURSAR_VERSION : NULL;
}

static const char *label_status(size_t index)
{
    return state_name((enum disbursement_state)(index + STATE_FIRST));
}

static const char *label_reason(size_t index)
{
    return executor_fault_name((enum executor_fault)index);
}

static const char *label_failure(size_t index)
{
    static const char *const names[DEPENDENCY_FAILURE_COUNT] = { "failed", "cancelled", "error", "refused" };
    return index < DEPENDENCY_FAILURE_COUNT ? names[index] : NULL;
}

static const char *label_outcome(size_t index)
{
    return tick_outcome_name((enum tick_outcome)index);
}

static const char *label_result(size_t index)
{
    static const char *const names[SIGNING_RESULT_COUNT] = { "signed", "refused" };
    return index < SIGNING_RESULT_COUNT ? names[index] : NULL;
}

static const char *label_purpose(size_t index)
{
    static const char *const names[SIGN_SELF] = { "payment", "replacement", "self_transfer" };
    return index < SIGN_SELF ? names[index] : NULL;
}

static const char *label_verdict(size_t index)
{
    return submit_verdict_name((enum submit_verdict)(index + 1));
}

static const char *label_state(size_t index)
{
    return bursar_breaker_state_name((enum bursar_breaker_state)index);
}

static const char *label_money_cause(size_t index)
{
    return money_cause_name((enum money_cause)(index + MONEY_REVERTS));
}

static const char *label_halt(size_t index)
{
    return halt_code_name((enum halt_code)(index + 1));
}

static const struct {
    const char *key;
    size_t count;
    const char *(*name)(size_t index);
} LABELS[] = {
#define L(id, key, count, name) { key, (size_t)(count), name },
    METRIC_LABELS(L)
#undef L
};

const char *metric_label_key(enum metric_label label)
{
    return LABELS[label].key;
}

size_t metric_label_count(enum metric_label label)
{
    return LABELS[label].count;
}

const char *metric_label_value(enum metric_label label, size_t index)
{
    if (!LABELS[label].name || index >= LABELS[label].count)
        return NULL;
    return LABELS[label].name(index);
}

bool metric_is_of_treasury(enum metric_label label)
{
    return label != METRIC_LABEL_PROCESS && label != METRIC_LABEL_BUILD;
}

/* Prints docs/METRICS.md from the table of metrics, so that the page can't say anything else than /metrics does. */
#include "telemetry/metrics.h"

#include <stdio.h>

/* Names of label values in one cell. */
static void print_labels(enum metric_label label)
{
    const char *key = metric_label_key(label);
    if (metric_is_of_treasury(label))
        printf("`treasury`");
    if (!key[0])
        return;
    printf("%s`%s`: ", metric_is_of_treasury(label) ? ", " : "", key);
    if (!metric_label_value(label, 0)) {
        if (label == METRIC_LABEL_NODE)
            printf("scheme, host and port of each URL in `rpc`");
        else
            printf("native, each [asset NAME] of its chain (%d at most), other", TELEMETRY_ASSETS_MAX_COUNT);
        return;
    }
    if (label == METRIC_LABEL_BUILD) {
        printf("the version");
        return;
    }
    for (size_t i = 0; metric_label_value(label, i); i++)
        printf("%s%s", i > 0 ? ", " : "", metric_label_value(label, i));
}

int main(void)
{
    printf(
        "<!-- Generated from src/telemetry/metrics.h by `./scripts/generate`: do not edit. -->\n\n"
        "# Metrics\n\n"
        "What `/metrics` serves, in Prometheus' text format. Times are in seconds, amounts in wei. *Source*: `process` "
        "is counted\nsince this process began, on what it did itself; `log` is counted since then from the event log, "
        "whoever wrote it;\n`store` is as the store has it, the same from every process that is asked.\n\n"
        "| metric | type | unit | source | labels | |\n|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < METRIC_COUNT; i++) {
        const struct metric *metric = &METRIC_TABLE[i];
        printf("| `%s` | %s | %s | %s | ", metric->name, metric_type_name(metric->type), metric->unit,
               metric_source_name(metric->source));
        print_labels(metric->label);
        printf(" | %s |\n", metric->help);
    }
    return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
}

/* The table of metrics: names as Prometheus wants them, labels that are bounded and complete. */
#include "chain/chain.h"
#include "store/records.h"
#include "telemetry/histogram.h"
#include "telemetry/metrics.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static bool ends_in(const char *text, const char *end)
{
    size_t length = strlen(text), end_length = strlen(end);
    return length > end_length && strcmp(text + length - end_length, end) == 0;
}

static void names_are_unique_and_say_type_and_unit(void **state)
{
    (void)state;
    for (size_t i = 0; i < METRIC_COUNT; i++) {
        const struct metric *metric = &METRIC_TABLE[i];
        for (const char *c = metric->name; *c; c++)
            assert_true(islower((unsigned char)*c) || *c == '_');
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(metric->name, METRIC_TABLE[k].name);
        assert_int_equal(ends_in(metric->name, "_total"), metric->type == METRIC_COUNTER);
        assert_int_equal(ends_in(metric->name, "_seconds"), strcmp(metric->unit, "seconds") == 0);
        assert_null(strstr(metric->name, "_ms"));
        assert_true(strlen(metric->help) > 10);
        assert_true(ends_in(metric->help, "."));
    }
}

/* One more state, halt or verdict somewhere would otherwise never be shown. */
static void every_value_of_a_label_has_a_name_and_its_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < METRIC_COUNT; i++) {
        enum metric_label label = METRIC_TABLE[i].label;
        size_t count = metric_label_count(label);
        assert_in_range(count, 1, METRIC_LABEL_VALUES_MAX_COUNT);
        if (!metric_label_value(label, 0))
            continue;
        for (size_t k = 0; k < count; k++)
            assert_non_null(metric_label_value(label, k));
        assert_null(metric_label_value(label, count));
    }
}

static void labels_cover_what_they_name(void **state)
{
    (void)state;
    assert_null(state_name(STATE_LAST + 1));
    assert_null(halt_code_name((enum halt_code)(metric_label_count(METRIC_LABEL_HALT) + 1)));
    assert_null(submit_verdict_name((enum submit_verdict)(metric_label_count(METRIC_LABEL_VERDICT) + 1)));
    assert_null(bursar_breaker_state_name((enum bursar_breaker_state)metric_label_count(METRIC_LABEL_STATE)));
}

static void bounds_of_buckets_ascend(void **state)
{
    (void)state;
    for (size_t i = 1; i < HISTOGRAM_BUCKETS_COUNT; i++) {
        assert_true(histogram_bounds_us(METRIC_HISTOGRAM_FAST)[i] > histogram_bounds_us(METRIC_HISTOGRAM_FAST)[i - 1]);
        assert_true(histogram_bounds_us(METRIC_HISTOGRAM_SLOW)[i] > histogram_bounds_us(METRIC_HISTOGRAM_SLOW)[i - 1]);
    }
}

static void names_that_operators_know_are_kept(void **state)
{
    (void)state;
    static const char *const kept[] = {
        "treasury_circuit_breaker_state",          "treasury_circuit_breaker_failures",
        "treasury_circuit_breaker_successes",      "governance_disbursements_total",
        "treasury_execution_errors_total",         "treasury_balance",
        "treasury_disbursement_backlog",           "treasury_disbursement_lag_seconds",
        "treasury_executor_tick_duration_seconds", "treasury_dependency_failures_total",
        "treasury_executor_pending_matured",       "treasury_executor_staged_intents",
        "treasury_executor_last_submitted_nonce",  "treasury_executor_lease_last_nonce",
        "treasury_executor_lease_released",        "treasury_executor_last_tick_seconds",
        "treasury_executor_last_success_seconds",  "treasury_executor_last_error_seconds",
    };
    for (size_t k = 0; k < sizeof kept / sizeof *kept; k++) {
        size_t found = 0;
        for (size_t i = 0; i < METRIC_COUNT; i++)
            found += strcmp(METRIC_TABLE[i].name, kept[k]) == 0;
        assert_int_equal(found, 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_unique_and_say_type_and_unit),
        cmocka_unit_test(every_value_of_a_label_has_a_name_and_its_place),
        cmocka_unit_test(labels_cover_what_they_name),
        cmocka_unit_test(bounds_of_buckets_ascend),
        cmocka_unit_test(names_that_operators_know_are_kept),
    };
    return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}

/* Prometheus' text format: what is escaped, how numbers are written, and that buckets add up. */
#include "telemetry/exposition.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct buf out;
static const struct metric GAUGE = { .name = "some_gauge",
                                     .type = METRIC_GAUGE,
                                     .source = METRIC_OF_PROCESS,
                                     .label = METRIC_LABEL_TREASURY,
                                     .unit = "",
                                     .help = "A \\ and \"quotes\"\nin two lines." };
static const struct metric HISTOGRAM = { .name = "some_seconds",
                                         .type = METRIC_HISTOGRAM_FAST,
                                         .source = METRIC_OF_PROCESS,
                                         .label = METRIC_LABEL_TREASURY,
                                         .unit = "seconds",
                                         .help = "" };

static int set_up(void **state)
{
    (void)state;
    buf_free(&out);
    return 0;
}

static void help_is_escaped_but_for_quotes(void **state)
{
    (void)state;
    assert_true(exposition_head(&out, &GAUGE));
    assert_string_equal(out.data, "# HELP some_gauge A \\\\ and \"quotes\"\\nin two lines.\n# TYPE some_gauge gauge\n");
}

static void label_values_are_escaped(void **state)
{
    (void)state;
    struct metric_labels labels = { .treasury = "main", .key = "node", .value = "a\\b\"c\nd" };
    struct metric_value value = { .kind = METRIC_VALUE_NUMBER, .number = UINT64_MAX };
    assert_true(exposition_value(&out, &GAUGE, &labels, &value));
    assert_string_equal(out.data, "some_gauge{treasury=\"main\",node=\"a\\\\b\\\"c\\nd\"} 18446744073709551615\n");
}

static void numbers_are_exact_and_unknown_ones_have_no_line(void **state)
{
    (void)state;
    struct metric_labels none = { 0 };
    struct metric_value values[] = { { .kind = METRIC_VALUE_MILLISECONDS, .number = 60005 },
                                     { .kind = METRIC_VALUE_NONE },
                                     { .kind = METRIC_VALUE_WEI, .wei = { { 0, 1, 0, 0 } } } };
    for (size_t i = 0; i < 3; i++)
        assert_true(exposition_value(&out, &GAUGE, &none, &values[i]));
    assert_string_equal(out.data, "some_gauge 60.005\nsome_gauge 18446744073709551616\n");
}

static void buckets_are_cumulative_and_the_last_one_is_the_count(void **state)
{
    (void)state;
    struct metric_labels labels = { .treasury = "main" };
    static struct histogram histogram;
    histogram_observe(&histogram, HISTOGRAM.type, 500); /* a bound belongs to its bucket */
    histogram_observe(&histogram, HISTOGRAM.type, 501);
    histogram_observe(&histogram, HISTOGRAM.type, 90000000);
    assert_true(exposition_histogram(&out, &HISTOGRAM, &labels, &histogram));
    assert_non_null(strstr(out.data, "some_seconds_bucket{treasury=\"main\",le=\"0.0005\"} 1\n"));
    assert_non_null(strstr(out.data, "some_seconds_bucket{treasury=\"main\",le=\"0.001\"} 2\n"));
    assert_non_null(strstr(out.data, "some_seconds_bucket{treasury=\"main\",le=\"60\"} 2\n"));
    assert_non_null(strstr(out.data, "some_seconds_bucket{treasury=\"main\",le=\"+Inf\"} 3\n"
                                     "some_seconds_sum{treasury=\"main\"} 90.001001\n"
                                     "some_seconds_count{treasury=\"main\"} 3\n"));
}

static void what_does_not_fit_is_told(void **state)
{
    (void)state;
    struct metric_labels labels = { .treasury = "main" };
    static struct histogram histogram;
    out.limit_bytes = 300;
    assert_false(exposition_histogram(&out, &HISTOGRAM, &labels, &histogram));
    out.limit_bytes = 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(help_is_escaped_but_for_quotes, set_up),
        cmocka_unit_test_setup(label_values_are_escaped, set_up),
        cmocka_unit_test_setup(numbers_are_exact_and_unknown_ones_have_no_line, set_up),
        cmocka_unit_test_setup(buckets_are_cumulative_and_the_last_one_is_the_count, set_up),
        cmocka_unit_test_setup(what_does_not_fit_is_told, set_up),
    };
    int failed = cmocka_run_group_tests_name("exposition", tests, NULL, NULL);
    buf_free(&out);
    return failed;
}

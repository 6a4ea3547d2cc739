/* A page: what meters were told is on it, also while they are being told more. */
#include "telemetry/telemetry.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static uint64_t now_ms = 1700000001000;
static struct telemetry *telemetry;
static struct executor_meters meters;
static struct buf page;

static uint64_t clock_ms(void *ctx)
{
    (void)ctx;
    return now_ms;
}

static int set_up(void **state)
{
    (void)state;
    struct bursar_error err = { 0 };
    struct clock clock = { .wall_ms = clock_ms, .monotonic_ms = clock_ms };
    assert_int_equal(telemetry_new(2, 0, clock, &telemetry, &err), BURSAR_OK);
    for (size_t i = 0; i < 2; i++) {
        struct telemetry_treasury treasury = { .id = (int64_t)i + 1 };
        (void)snprintf(treasury.name, sizeof treasury.name, "%s", i ? "other" : "main");
        telemetry_set_treasury(telemetry, i, &treasury);
    }
    meters = telemetry_executor_meters(telemetry, 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    telemetry_free(telemetry);
    buf_free(&page);
    return 0;
}

static bool page_has(const char *line)
{
    buf_clear(&page);
    assert_true(telemetry_write(telemetry, NULL, &page));
    const char *found = strstr(page.data, line);
    return found && (found == page.data || found[-1] == '\n') && found[strlen(line)] == '\n';
}

static void without_a_store_the_page_says_so_and_shows_the_rest(void **state)
{
    (void)state;
    assert_true(page_has("bursar_store_readable 0"));
    assert_true(page_has("treasury_executor_ticks_total{treasury=\"main\",outcome=\"complete\"} 0"));
    assert_true(page_has("process_start_time_seconds 1700000001.000"));
    assert_null(strstr(page.data, "\ntreasury_disbursements{"));
}

static void an_hours_limits_are_shown_as_they_were_told_last(void **state)
{
    (void)state;
    struct money_limits limits = { .payments_per_hour = 7, .rate_count = 3 };
    struct telemetry_treasury treasury = { .name = "main", .id = 1, .asset_count = 1 };
    treasury.assets[0] = (struct telemetry_asset){ .name = "usdc", .token.bytes = { 1 } };
    telemetry_set_treasury(telemetry, 0, &treasury);
    limits.rates[0].per_hour = bursar_amount_from_u64(5);
    limits.rates[1] = (struct money_rate){ { true, { { 1 } } }, bursar_amount_from_u64(9) };
    limits.rates[2] = (struct money_rate){ { true, { { 2 } } }, bursar_amount_from_u64(11) }; /* of no known name */
    telemetry_set_limits(telemetry, 0, &limits);
    assert_true(page_has("treasury_max_payments_per_hour{treasury=\"main\"} 7"));
    assert_true(page_has("treasury_max_spend_per_hour{treasury=\"main\",asset=\"native\"} 5"));
    assert_true(page_has("treasury_max_spend_per_hour{treasury=\"main\",asset=\"usdc\"} 9"));
    assert_null(strstr(page.data, "} 11\n"));
    assert_null(strstr(page.data, "treasury_max_payments_per_hour{treasury=\"other\"}"));
    limits = (struct money_limits){ 0 };
    telemetry_set_limits(telemetry, 0, &limits);
    assert_false(page_has("treasury_max_payments_per_hour{treasury=\"main\"} 7"));
    assert_null(strstr(page.data, "\ntreasury_max_spend_per_hour{"));
}

static void ticks_and_faults_are_counted_also_of_ticks_that_are_cut_short(void **state)
{
    (void)state;
    struct chain_view view = { .nonce_latest = 5, .has_final = true };
    view.latest.block.number = 12;
    view.final.block.number = 10;
    view.final.timestamp_s = 1700000000;
    meters.tick(meters.ctx, TICK_COMPLETE, 3, &view);
    meters.fault(meters.ctx, EXECUTOR_FAULT_BREAKER_OPEN);
    meters.tick(meters.ctx, TICK_CUT_SHORT, 7, &view);
    assert_true(page_has("treasury_executor_ticks_total{treasury=\"main\",outcome=\"cut_short\"} 1"));
    assert_true(page_has("treasury_execution_errors_total{treasury=\"main\",reason=\"circuit_breaker_open\"} 1"));
    assert_true(page_has("treasury_executor_tick_duration_seconds_sum{treasury=\"main\"} 0.01"));
    assert_true(page_has("treasury_executor_tick_duration_seconds_count{treasury=\"main\"} 2"));
    assert_true(page_has("treasury_executor_ticks_total{treasury=\"other\",outcome=\"cut_short\"} 0"));
    assert_true(page_has("treasury_chain_nonce{treasury=\"main\"} 5"));
    assert_true(page_has("treasury_finality_lag_seconds{treasury=\"main\"} 1.000"));
}

static void whoever_stands_by_shows_nothing_of_what_it_saw_before(void **state)
{
    (void)state;
    struct chain_view view = { .nonce_latest = 5 };
    meters.tick(meters.ctx, TICK_COMPLETE, 3, &view);
    assert_true(page_has("treasury_executor_lease_held{treasury=\"main\"} 1"));
    meters.tick(meters.ctx, TICK_STANDBY, 1, NULL);
    assert_true(page_has("treasury_executor_lease_held{treasury=\"main\"} 0"));
    assert_false(page_has("treasury_chain_nonce{treasury=\"main\"} 5"));
    assert_true(page_has("treasury_executor_tick_duration_seconds_count{treasury=\"main\"} 1"));
}

static void signatures_submissions_and_checks_are_counted_by_what_came_of_them(void **state)
{
    (void)state;
    meters.signing(meters.ctx, SIGN_PAYMENT, true);
    meters.signing(meters.ctx, SIGN_REPLACEMENT, true);
    meters.signing(meters.ctx, SIGN_REPLACEMENT, false);
    meters.submission(meters.ctx, 7, SUBMIT_UNKNOWN);
    meters.host_check(meters.ctx, true);
    assert_true(page_has("treasury_signatures_total{treasury=\"main\",result=\"signed\"} 2"));
    assert_true(page_has("treasury_signatures_total{treasury=\"main\",result=\"refused\"} 1"));
    assert_true(page_has("treasury_attempts_total{treasury=\"main\",purpose=\"replacement\"} 1"));
    assert_true(page_has("treasury_submissions_total{treasury=\"main\",verdict=\"unknown\"} 1"));
    assert_true(page_has("treasury_dependency_failures_total{treasury=\"main\",failure_type=\"refused\"} 1"));
}

static void nodes_are_shown_by_name(void **state)
{
    (void)state;
    struct rpc_meter meter = telemetry_node_meter(telemetry, 0, 0, "https://a.example:443");
    struct node_health health = { .state = NODE_LAGGING, .has_latest = true, .latest_block = 9 };
    meter.took(meter.ctx, 1500, BURSAR_OK);
    meter.took(meter.ctx, 2000, BURSAR_EUNKNOWN);
    telemetry_node_seen(telemetry, 0, 0, &health);
    assert_true(page_has("treasury_node_errors_total{treasury=\"main\",node=\"https://a.example:443\"} 1"));
    assert_true(page_has("treasury_node_healthy{treasury=\"main\",node=\"https://a.example:443\"} 0"));
    assert_true(page_has("treasury_node_latest_block{treasury=\"main\",node=\"https://a.example:443\"} 9"));
    assert_true(page_has(
        "treasury_node_request_duration_seconds_sum{treasury=\"main\",node=\"https://a.example:443\"} 0.0035"));
}

#define ROUNDS 2000

static void *feed(void *ctx)
{
    struct commit_meter commits = telemetry_commit_meter(telemetry);
    struct breaker_telemetry breaker = telemetry_breaker(telemetry, 0);
    struct rpc_meter *node = ctx;
    struct chain_view view = { .nonce_latest = 1, .has_final = true };
    for (int i = 0; i < ROUNDS; i++) {
        meters.tick(meters.ctx, TICK_COMPLETE, 1, &view);
        meters.fault(meters.ctx, EXECUTOR_FAULT_OTHER);
        commits.took(commits.ctx, 100);
        breaker.report(breaker.ctx, BURSAR_BREAKER_OPEN, 1, 2);
        node->took(node->ctx, 1, BURSAR_OK);
    }
    return NULL;
}

static void pages_are_written_while_meters_run(void **state)
{
    (void)state;
    struct rpc_meter node = telemetry_node_meter(telemetry, 0, 0, "http://a.example:80");
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, feed, &node), 0);
    for (int i = 0; i < 50; i++)
        (void)page_has("");
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(page_has("bursar_store_commit_duration_seconds_count 2000"));
    assert_true(page_has("treasury_execution_errors_total{treasury=\"main\",reason=\"other\"} 2000"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(without_a_store_the_page_says_so_and_shows_the_rest, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_hours_limits_are_shown_as_they_were_told_last, set_up, tear_down),
        cmocka_unit_test_setup_teardown(ticks_and_faults_are_counted_also_of_ticks_that_are_cut_short, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(whoever_stands_by_shows_nothing_of_what_it_saw_before, set_up, tear_down),
        cmocka_unit_test_setup_teardown(signatures_submissions_and_checks_are_counted_by_what_came_of_them, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(nodes_are_shown_by_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(pages_are_written_while_meters_run, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("page", tests, NULL, NULL);
}

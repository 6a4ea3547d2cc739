/* A host's money breaker: what opens it, that nothing is paid while it is open, and who closes it. */
#include "host.h"

#include <string.h>

static struct bursar_error err;

static int set_up(void **state)
{
    err = (struct bursar_error){ 0 };
    *state = host_new();
    return 0;
}

static int tear_down(void **state)
{
    host_free(*state);
    return 0;
}

static struct bursar_money_breaker look(struct host *host)
{
    struct bursar_money_breaker money = { .size = sizeof money };
    host_expect(bursar_store_money_breaker(host->store, host->treasury, &money, &err), &err);
    return money;
}

static void assert_open(struct host *host, const char *cause, const char *detail, const char *actor)
{
    const struct bursar_money_breaker money = look(host);
    assert_true(money.is_open);
    assert_string_equal(money.cause, cause);
    assert_string_equal(money.actor, actor);
    assert_true(money.changed_ms > 0);
    if (!strstr(money.detail, detail))
        fail_msg("'%s' has no '%s'", money.detail, detail);
}

static void assert_closed(struct host *host, const char *detail, const char *actor)
{
    const struct bursar_money_breaker money = look(host);
    assert_false(money.is_open);
    assert_string_equal(money.cause, "");
    assert_string_equal(money.detail, detail);
    assert_string_equal(money.actor, actor);
}

static void close_it(struct host *host)
{
    host_expect(bursar_store_money_close(host->store, host->treasury, "alice", "looked at", &err), &err);
    assert_closed(host, "looked at", "alice");
}

/* Submits two, which fail for ever. */
static void let_two_fail(struct host *host)
{
    host_observes(host);
    host_submit(host, 2);
    host_tick(host, 1000);
    assert_int_equal(host->ledger_count, 2);
    for (size_t i = 0; i < 2; i++)
        host->ledger[i].sighting =
            (struct bursar_sighting){ .state = BURSAR_SIGHTING_FINAL_FAILURE, .height = host->head.height };
    host_tick(host, 1000);
    assert_int_equal(host_state(host, 1), BURSAR_STATE_FAILED);
    assert_int_equal(host_state(host, 2), BURSAR_STATE_FAILED);
}

static void failures_open_it_and_nothing_is_paid_until_a_person_closes_it(void **state)
{
    struct host *host = *state;
    host->config.money_breaker.max_reverts = 2;
    let_two_fail(host);
    host_submit(host, 1);
    for (int i = 0; i < 3; i++)
        host_tick(host, 1000);
    assert_open(host, "reverts", "2 payments failed on chain within 3600 s", "host");
    assert_true(host->report.holds_lease && host->report.is_money_open);
    assert_int_equal(host_state(host, 3), BURSAR_STATE_QUEUED);
    assert_int_equal(host->signatures, 2);
    assert_non_null(strstr(host_snapshot(host).hold, "money_breaker_open cause=reverts"));
    host_stop(host);
    host_start(host, "another"); /* a restart does not close it */
    host_tick(host, 1000);
    assert_true(host->report.is_money_open);
    assert_int_equal(host_state(host, 3), BURSAR_STATE_QUEUED);
    close_it(host);
    host_tick(host, 1000);
    assert_false(host->report.is_money_open);
    assert_int_equal(host_state(host, 3), BURSAR_STATE_STAGED);
    host_include(host, 101, true);
    host_tick(host, 1000);
    assert_int_equal(host_paid(host, "pay-2"), 1);
}

static void failures_further_apart_than_the_window_do_not(void **state)
{
    struct host *host = *state;
    host->config.money_breaker = (struct bursar_money_limits){ .max_reverts = 3, .window_ms = 60000 };
    let_two_fail(host);
    host_tick(host, 60000);
    host_submit(host, 1);
    host_tick(host, 1000);
    assert_int_equal(host->ledger_count, 3);
    host->ledger[2].sighting =
        (struct bursar_sighting){ .state = BURSAR_SIGHTING_FINAL_FAILURE, .height = host->head.height };
    host_tick(host, 1000);
    host_tick(host, 1000);
    assert_int_equal(host_state(host, 3), BURSAR_STATE_FAILED);
    assert_closed(host, "", "");
}

static void without_limits_nothing_opens_it(void **state)
{
    struct host *host = *state;
    let_two_fail(host);
    host_submit(host, 30);
    host_tick(host, 1000);
    assert_false(host->report.is_money_open);
    assert_int_equal(host_state(host, 32), BURSAR_STATE_STAGED);
    assert_closed(host, "", "");
}

static void more_payments_within_an_hour_open_it_before_they_are_bound(void **state)
{
    struct host *host = *state;
    host->config.money_breaker.max_payments_per_hour = 3;
    host_submit(host, 5);
    for (int i = 0; i < 3; i++)
        host_tick(host, 1000);
    assert_int_equal(host->ledger_count, 3);
    assert_open(host, "spending_rate", "max_payments_per_hour, 3", "host");
    assert_true(host->report.is_money_open);
    close_it(host);
    host_run(host);
    host_check_all_paid(host);
}

static void a_person_opens_it_for_an_executor_that_watches_nothing(void **state)
{
    struct host *host = *state;
    host_tick(host, 1000);
    host_expect(bursar_store_money_open(host->store, host->treasury, "bob", "an audit", &err), &err);
    assert_open(host, "person", "an audit", "bob");
    host_submit(host, 2);
    host_tick(host, 1000);
    assert_true(host->report.is_money_open);
    assert_int_equal(host->signatures, 0);
    host_expect(bursar_store_money_open(host->store, host->treasury, "carol", "a longer audit", &err), &err);
    assert_open(host, "person", "a longer audit", "carol");
    close_it(host);
    close_it(host); /* again is nothing wrong */
    host_run(host);
    assert_false(host->report.is_money_open);
    host_check_all_paid(host);
}

static void who_and_why_are_needed_and_a_treasury(void **state)
{
    struct host *host = *state;
    char long_reason[300];
    struct bursar_money_breaker money = { .size = sizeof money };
    memset(long_reason, 'x', sizeof long_reason - 1);
    long_reason[sizeof long_reason - 1] = '\0';
    assert_int_equal(bursar_store_money_open(host->store, host->treasury, "", "why", &err), BURSAR_EUSAGE);
    assert_int_equal(bursar_store_money_open(host->store, host->treasury, NULL, "why", &err), BURSAR_EUSAGE);
    assert_int_equal(bursar_store_money_open(host->store, host->treasury, "bob", NULL, &err), BURSAR_EUSAGE);
    assert_int_equal(bursar_store_money_close(host->store, host->treasury, "bob", long_reason, &err), BURSAR_EUSAGE);
    assert_int_equal(bursar_store_money_open(host->store, 99, "bob", "why", &err), BURSAR_ENOTFOUND);
    assert_int_equal(bursar_store_money_close(host->store, 99, "bob", "why", &err), BURSAR_ENOTFOUND);
    assert_int_equal(bursar_store_money_breaker(host->store, 99, &money, &err), BURSAR_ENOTFOUND);
    money.size = 8;
    assert_int_equal(bursar_store_money_breaker(host->store, host->treasury, &money, &err), BURSAR_EUSAGE);
    assert_closed(host, "", "");
}

static void limits_out_of_range_are_named(void **state)
{
    struct host *host = *state;
    struct bursar_executor *executor = NULL;
    const struct {
        struct bursar_money_limits limits;
        const char *named;
    } cases[] = { { { .max_reverts = 1001 }, "money_breaker.max_reverts is 1001; 0 to 1000" },
                  { { .window_ms = 999 }, "money_breaker.window_ms is 999 ms; 1000 to 86400000" },
                  { { .window_ms = 86400001 }, "money_breaker.window_ms" },
                  { { .max_payments_per_hour = 1000000001 }, "money_breaker.max_payments_per_hour" } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bursar_executor_config config = host->config;
        config.money_breaker = cases[i].limits;
        assert_int_equal(bursar_executor_new(host->store, host->treasury, &config, &executor, &err), BURSAR_EINVAL);
        assert_non_null(strstr(err.message, cases[i].named));
        assert_null(executor);
    }
}

/* A host built with the header of before there was a money breaker. */
static void an_older_host_works_as_before_and_a_person_still_stops_it(void **state)
{
    struct host *host = *state;
    struct bursar_tick_report report;
    uint64_t wake_ms;
    host->config.size = offsetof(struct bursar_executor_config, money_breaker);
    host->config.money_breaker = (struct bursar_money_limits){ .max_payments_per_hour = 1 }; /* behind its end */
    host_start(host, "older");
    host_submit(host, 3);
    host_run(host);
    host_check_all_paid(host);
    assert_closed(host, "", "");
    host_expect(bursar_store_money_open(host->store, host->treasury, "bob", "an audit", &err), &err);
    memset(&report, 0x55, sizeof report);
    report.size = offsetof(struct bursar_tick_report, is_money_open);
    host_expect(bursar_executor_tick(host->executor, &wake_ms, &report, &err), &err);
    assert_true(report.holds_lease);
    assert_memory_equal((const uint8_t *)&report + report.size, "\x55", 1); /* not its own */
    host_submit(host, 1);
    host_tick(host, 1000);
    assert_true(host->report.is_money_open);
    assert_int_equal(host_state(host, 4), BURSAR_STATE_QUEUED);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(failures_open_it_and_nothing_is_paid_until_a_person_closes_it),
        TEST(failures_further_apart_than_the_window_do_not),
        TEST(without_limits_nothing_opens_it),
        TEST(more_payments_within_an_hour_open_it_before_they_are_bound),
        TEST(a_person_opens_it_for_an_executor_that_watches_nothing),
        TEST(who_and_why_are_needed_and_a_treasury),
        TEST(limits_out_of_range_are_named),
        TEST(an_older_host_works_as_before_and_a_person_still_stops_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

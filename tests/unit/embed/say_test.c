/* What a host has a say in: dependency_check, nonce_floor, epoch_source, the circuit breaker and its telemetry. */
#include "host.h"

#include <string.h>

static int set_up(void **state)
{
    *state = host_new();
    return 0;
}

static int tear_down(void **state)
{
    host_free(*state);
    return 0;
}

/* -- dependency_check ---------------------------------------------------------------------------------------------- */

static void one_that_waits_is_asked_again_and_hides_nobody(void **state)
{
    struct host *host = *state;
    host_submit(host, 3);
    host->answers[1] = BURSAR_DEPENDENCY_WAIT;
    for (int i = 0; i < 4; i++)
        host_tick(host, 1000);
    assert_int_equal(host_state(host, 1), BURSAR_STATE_QUEUED);
    assert_int_equal(host_state(host, 2), BURSAR_STATE_FINALIZED);
    assert_int_equal(host_state(host, 3), BURSAR_STATE_FINALIZED);
    assert_true(host->checks[1] >= 3);
    assert_string_equal(host_snapshot(host).last_error, "");
    host->answers[1] = BURSAR_DEPENDENCY_READY;
    host_run(host);
    host_check_all_paid(host);
}

static void an_error_holds_up_its_item_and_is_said(void **state)
{
    struct host *host = *state;
    host_submit(host, 3);
    host->answers[2] = BURSAR_DEPENDENCY_ERROR;
    for (int i = 0; i < 3; i++)
        host_tick(host, 1000);
    assert_int_equal(host_state(host, 1), BURSAR_STATE_FINALIZED);
    assert_int_equal(host_state(host, 2), BURSAR_STATE_QUEUED);
    assert_int_equal(host_state(host, 3), BURSAR_STATE_FINALIZED);
    assert_non_null(strstr(host_snapshot(host).last_error, "the host's word on pay-1"));
    assert_int_equal(bursar_breaker_failure_count(host->config.circuit_breaker, host->monotonic_ms), 0);
    host->answers[2] = BURSAR_DEPENDENCY_READY;
    host_run(host);
    host_check_all_paid(host);
}

static void an_answer_that_is_none_is_an_error(void **state)
{
    struct host *host = *state;
    host_submit(host, 1);
    host->answers[1] = (enum bursar_dependency)77;
    host_tick(host, 1000);
    assert_int_equal(host_state(host, 1), BURSAR_STATE_QUEUED);
    assert_non_null(strstr(host_snapshot(host).last_error, "77"));
}

static bool take_cause(void *ctx, const struct bursar_event *event)
{
    (void)snprintf(ctx, 200, "%s by %s: %s", event->cause, event->actor, event->detail);
    return true;
}

static void a_refusal_before_binding_cancels_for_good_and_counts_for_nothing(void **state)
{
    struct host *host = *state;
    struct bursar_error err = { 0 };
    char last[200] = "";
    const struct bursar_show show = { .size = sizeof show, .ctx = last, .event = take_cause };
    host_submit(host, 2);
    host->answers[1] = BURSAR_DEPENDENCY_CANCELLED;
    host_run(host);
    assert_int_equal(host_state(host, 1), BURSAR_STATE_CANCELLED);
    assert_int_equal(host_paid(host, "pay-0"), 0);
    assert_int_equal(host_paid(host, "pay-1"), 1);
    assert_int_equal(host->signatures, 1);
    assert_int_equal(bursar_breaker_failure_count(host->config.circuit_breaker, host->monotonic_ms), 0);
    assert_string_equal(host_snapshot(host).last_error, "");
    host_expect(bursar_store_show(host->store, host->treasury, 1, &show, &err), &err);
    assert_string_equal(last, "host_refused by host: the host's word on pay-0");
}

/* INV-6, at the store itself: a paused executor that wakes up cancels nothing, and nobody cancels what has moved on. */
static void a_refusal_is_fenced_and_compares_the_version(void **state)
{
    struct host *host = *state;
    struct bursar_error err = { 0 };
    const struct store *store = &host->store->store;
    host_submit(host, 1);
    struct fence fence = { 0 };
    host_expect(store->lease_take(store->ctx, host->treasury, "one", 1000, host->wall_ms, &fence, &err), &err);
    struct fence old = fence;
    old.lease_epoch--;
    assert_int_equal(store->host_refuse(store->ctx, old, 1, 1, 1, "no", &err), BURSAR_EFENCED);
    assert_int_equal(store->host_refuse(store->ctx, fence, 1, 1, 2, "no", &err), BURSAR_ESTALE);
    assert_int_equal(host_state(host, 1), BURSAR_STATE_QUEUED);
    host_expect(store->host_refuse(store->ctx, fence, 1, 1, 1, "no", &err), &err);
    assert_int_equal(host_state(host, 1), BURSAR_STATE_CANCELLED);
    assert_int_equal(store->host_refuse(store->ctx, fence, 1, 1, 2, "no", &err), BURSAR_ESTALE);
    host_expect(store->lease_release(store->ctx, fence, &err), &err);
}

/* Whole windows of rows that wait: those behind them are reached, and paid. */
static void rows_behind_many_that_wait_are_reached(void **state)
{
    enum { WAITING = 2100, BEHIND = 5 };
    struct host *host = *state;
    struct bursar_error err = { 0 };
    struct bursar_payment *payments = calloc(WAITING + BEHIND, sizeof *payments);
    char(*refs)[16] = calloc(WAITING + BEHIND, sizeof *refs);
    assert_true(payments && refs);
    for (size_t i = 0; i < WAITING + BEHIND; i++) {
        (void)snprintf(refs[i], sizeof refs[i], "row-%zu", i);
        payments[i] = host_payment(refs[i], 1);
    }
    host_expect(bursar_store_submit(host->store, host->treasury, payments, WAITING + BEHIND, "test", NULL, &err), &err);
    for (size_t i = 0; i < HOST_LEDGER_MAX; i++)
        host->answers[i] = BURSAR_DEPENDENCY_WAIT;
    /* answers are by id modulo HOST_LEDGER_MAX: these five come late in the fifth round through them */
    for (size_t id = WAITING + 1; id <= WAITING + BEHIND; id++)
        host->answers[id % HOST_LEDGER_MAX] = BURSAR_DEPENDENCY_READY;
    for (int i = 0; i < 12; i++)
        host_tick(host, 0);
    for (int64_t id = WAITING + 1; id <= WAITING + BEHIND; id++)
        assert_int_equal(host_state(host, id), BURSAR_STATE_FINALIZED);
    assert_int_equal(host->next_wake_ms, 1000); /* and then it rests */
    free(refs);
    free(payments);
}

/* -- nonce_floor and epoch_source ---------------------------------------------------------------------------------- */

static void below_the_floor_nothing_is_bound_and_the_snapshot_says_why(void **state)
{
    struct host *host = *state;
    host_submit(host, 1);
    host->nonce_floor = HOST_FIRST_NONCE + 1;
    host_tick(host, 1000);
    host_tick(host, 1000);
    assert_int_equal(host_state(host, 1), BURSAR_STATE_QUEUED);
    assert_int_equal(host->signatures, 0);
    assert_string_equal(host_snapshot(host).hold,
                        "nonce_floor is 6 and the next nonce 5: nothing is bound below the floor");
    host->nonce_floor = HOST_FIRST_NONCE;
    host_run(host);
    host_check_all_paid(host);
    assert_string_equal(host_snapshot(host).hold, "");
    assert_non_null(host_find(host, HOST_FIRST_NONCE)); /* it vetoes, and moves no nonce */
}

static void a_floor_does_not_hold_up_what_is_bound(void **state)
{
    struct host *host = *state;
    host_submit(host, 1);
    host->says = BURSAR_SUBMIT_UNKNOWN;
    host_tick(host, 2000);
    host->nonce_floor = 1000;
    host->says = 0;
    host_tick(host, 1000);
    host_tick(host, 1000);
    assert_int_equal(host_state(host, 1), BURSAR_STATE_FINALIZED);
}

static void a_schedule_by_epoch_follows_the_hosts_epochs(void **state)
{
    struct host *host = *state;
    struct bursar_error err = { 0 };
    struct bursar_payment payment = host_payment("pay-0", 1000);
    payment.schedule = BURSAR_SCHEDULE_EPOCH;
    payment.schedule_value = 8;
    host->payment_count = 1;
    host_expect(bursar_store_submit(host->store, host->treasury, &payment, 1, "test", NULL, &err), &err);
    host_tick(host, 1000);
    assert_int_equal(host_state(host, 1), BURSAR_STATE_QUEUED);
    host->epoch = 8;
    host->epoch_unknown = true;
    host_tick(host, 1000);
    assert_int_equal(host_state(host, 1), BURSAR_STATE_QUEUED);
    host->epoch_unknown = false;
    host_run(host);
    host_check_all_paid(host);
}

/* -- circuit_breaker and its telemetry ----------------------------------------------------------------------------- */

static void telemetry_is_told_after_every_tick_also_one_that_stands_by(void **state)
{
    struct host *host = *state;
    struct bursar_error err = { 0 };
    struct bursar_executor *second = NULL;
    const struct clock clock = host_clock(host);
    uint64_t wake_ms;
    for (unsigned i = 1; i <= 3; i++) {
        host_tick(host, 1000);
        assert_int_equal(host->reports, i);
    }
    assert_int_equal(host->told_state, BURSAR_BREAKER_CLOSED);
    host_expect(embed_executor_new(host->store, host->treasury, &host->config, &clock, &second, &err), &err);
    host_expect(bursar_executor_tick(second, &wake_ms, NULL, &err), &err);
    assert_int_equal(host->reports, 4);
    (void)bursar_executor_free(second);
}

static void failing_submissions_open_the_breaker_and_trials_close_it(void **state)
{
    struct host *host = *state;
    host_submit(host, 4);
    host->says = BURSAR_SUBMIT_UNSENT;
    for (int i = 0; i < 5; i++)
        host_tick(host, 2000);
    assert_int_equal(host->told_state, BURSAR_BREAKER_OPEN);
    assert_int_equal(host->told_failures, 5);
    assert_non_null(strstr(host_snapshot(host).last_error, "circuit_breaker_open state=open"));
    assert_int_equal(host_snapshot(host).staged, 4);
    unsigned submissions = host->submissions;
    host_submit(host, 1);
    host_tick(host, 2000);
    assert_int_equal(host->submissions, submissions);
    assert_int_equal(host_state(host, 5), BURSAR_STATE_QUEUED);
    host->says = 0;
    host->wall_ms += 60000;
    host->monotonic_ms += 60000;
    host_run(host);
    assert_int_equal(host->told_state, BURSAR_BREAKER_CLOSED);
    host_check_all_paid(host);
}

static void verdicts_are_no_failures(void **state)
{
    static const enum bursar_submit_verdict verdicts[] = { BURSAR_SUBMIT_KNOWN, BURSAR_SUBMIT_FEE_TOO_LOW,
                                                           BURSAR_SUBMIT_INSUFFICIENT_FUNDS, BURSAR_SUBMIT_REFUSED };
    struct host *host = *state;
    host_submit(host, 1);
    for (size_t i = 1; i < sizeof verdicts / sizeof *verdicts; i++) {
        host->says = verdicts[i];
        host_tick(host, 2000);
        assert_int_equal(host->told_failures, 0);
    }
    host->says = verdicts[0];
    host->applies_anyway = true;
    host_run(host);
    host_check_all_paid(host);
}

static void an_open_breaker_survives_a_restart_with_a_new_breaker(void **state)
{
    const struct bursar_breaker_config defaults = BURSAR_BREAKER_DEFAULTS;
    struct host *host = *state;
    struct bursar_error err = { 0 };
    host_submit(host, 1);
    host->says = BURSAR_SUBMIT_UNKNOWN;
    for (int i = 0; i < 5; i++)
        host_tick(host, 2000);
    host_stop(host);
    host->config.circuit_breaker = bursar_breaker_free(host->config.circuit_breaker);
    host_expect(bursar_breaker_new(&defaults, &host->config.circuit_breaker, &err), &err);
    host_tick(host, 0);
    assert_int_equal(host->told_state, BURSAR_BREAKER_OPEN);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(one_that_waits_is_asked_again_and_hides_nobody),
        T(an_error_holds_up_its_item_and_is_said),
        T(an_answer_that_is_none_is_an_error),
        T(a_refusal_before_binding_cancels_for_good_and_counts_for_nothing),
        T(a_refusal_is_fenced_and_compares_the_version),
        T(rows_behind_many_that_wait_are_reached),
        T(below_the_floor_nothing_is_bound_and_the_snapshot_says_why),
        T(a_floor_does_not_hold_up_what_is_bound),
        T(a_schedule_by_epoch_follows_the_hosts_epochs),
        T(telemetry_is_told_after_every_tick_also_one_that_stands_by),
        T(failing_submissions_open_the_breaker_and_trials_close_it),
        T(verdicts_are_no_failures),
        T(an_open_breaker_survives_a_restart_with_a_new_breaker),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

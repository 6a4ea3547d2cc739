/* The breaker on a clock that the test turns: what a caller sees in each state and at each change. */
#include <bursar/breaker.h>

#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define TIMEOUT_MS 60000
#define WINDOW_MS 300000
#define START_MS 1000

static const struct bursar_breaker_config defaults = BURSAR_BREAKER_DEFAULTS;

static int fresh(void **state)
{
    struct bursar_breaker *breaker = NULL;
    if (bursar_breaker_new(&defaults, &breaker, NULL) != BURSAR_OK)
        return -1;
    *state = breaker;
    return 0;
}

static int freed(void **state)
{
    *state = bursar_breaker_free(*state);
    return 0;
}

static struct bursar_breaker_ticket let_through(struct bursar_breaker *breaker, uint64_t now_ms)
{
    struct bursar_breaker_ticket ticket;
    if (!bursar_breaker_allow_request(breaker, now_ms, &ticket))
        fail_msg("refused at %llu ms", (unsigned long long)now_ms);
    return ticket;
}

static bool refuses(struct bursar_breaker *breaker, uint64_t now_ms)
{
    struct bursar_breaker_ticket ticket;
    return !bursar_breaker_allow_request(breaker, now_ms, &ticket);
}

static void fail_once(struct bursar_breaker *breaker, uint64_t now_ms)
{
    bursar_breaker_record_failure(breaker, let_through(breaker, now_ms), now_ms);
}

static void succeed_once(struct bursar_breaker *breaker, uint64_t now_ms)
{
    bursar_breaker_record_success(breaker, let_through(breaker, now_ms), now_ms);
}

static void fail_times(struct bursar_breaker *breaker, unsigned times, uint64_t now_ms)
{
    for (unsigned i = 0; i < times; i++)
        fail_once(breaker, now_ms);
}

/* Open since START_MS. */
static void trip(struct bursar_breaker *breaker)
{
    fail_times(breaker, defaults.failure_threshold, START_MS);
    assert_int_equal(bursar_breaker_state(breaker, START_MS), BURSAR_BREAKER_OPEN);
}

static struct bursar_breaker_view look(struct bursar_breaker *breaker, uint64_t now_ms)
{
    struct bursar_breaker_view view;
    bursar_breaker_look(breaker, now_ms, &view);
    return view;
}

/* Opens after failures (D22, D23, D27). */

static void opens_after_failures(void **state)
{
    fail_times(*state, 4, START_MS);
    assert_int_equal(bursar_breaker_state(*state, START_MS), BURSAR_BREAKER_CLOSED);
    assert_int_equal(bursar_breaker_failure_count(*state, START_MS), 4);
    fail_once(*state, START_MS);
    assert_int_equal(bursar_breaker_state(*state, START_MS), BURSAR_BREAKER_OPEN);
    assert_true(refuses(*state, START_MS));
    assert_true(refuses(*state, START_MS + TIMEOUT_MS - 1));
}

static void failures_that_left_the_window_do_not_open_it(void **state)
{
    for (unsigned i = 0; i < 100; i++) /* four a window, for ever: the fifth comes as the first has left */
        fail_once(*state, START_MS + i * (WINDOW_MS / 4));
    assert_int_equal(bursar_breaker_state(*state, START_MS + 99 * (WINDOW_MS / 4)), BURSAR_BREAKER_CLOSED);
    assert_int_equal(bursar_breaker_failure_count(*state, START_MS + 99 * (WINDOW_MS / 4)), 4);
}

static void the_window_slides_and_has_no_fixed_edges(void **state)
{
    fail_once(*state, START_MS); /* leaves before the others come together */
    fail_times(*state, 2, START_MS + WINDOW_MS - 2);
    fail_times(*state, 2, START_MS + WINDOW_MS);
    assert_int_equal(bursar_breaker_state(*state, START_MS + WINDOW_MS), BURSAR_BREAKER_CLOSED);
    assert_int_equal(bursar_breaker_failure_count(*state, START_MS + WINDOW_MS), 4);
    fail_once(*state, START_MS + 2 * WINDOW_MS - 3); /* the last moment of the first two */
    assert_int_equal(bursar_breaker_state(*state, START_MS + 2 * WINDOW_MS - 3), BURSAR_BREAKER_OPEN);
}

static void a_failure_counts_until_its_window_is_over_to_the_millisecond(void **state)
{
    fail_once(*state, START_MS);
    assert_int_equal(bursar_breaker_failure_count(*state, START_MS + WINDOW_MS - 1), 1);
    assert_int_equal(bursar_breaker_failure_count(*state, START_MS + WINDOW_MS), 0);
}

static void a_success_does_not_wipe_failures_that_are_still_in_the_window(void **state)
{
    for (unsigned i = 0; i < 4; i++) {
        fail_once(*state, START_MS + i);
        for (unsigned j = 0; j < 10; j++)
            succeed_once(*state, START_MS + i);
    }
    assert_int_equal(bursar_breaker_failure_count(*state, START_MS + 4), 4);
    fail_once(*state, START_MS + 4);
    assert_int_equal(bursar_breaker_state(*state, START_MS + 4), BURSAR_BREAKER_OPEN);
}

static void it_refuses_the_rest_of_a_batch_in_which_it_opened(void **state)
{
    unsigned sent = 0;
    struct bursar_breaker_ticket ticket;
    for (unsigned i = 0; i < 60; i++) {
        if (bursar_breaker_allow_request(*state, START_MS, &ticket)) {
            sent++;
            bursar_breaker_record_failure(*state, ticket, START_MS);
        }
    }
    assert_int_equal(sent, 5);
}

/* Half-open after the timeout (D24). */

static void half_opens_after_the_timeout(void **state)
{
    trip(*state);
    assert_int_equal(bursar_breaker_next_change_at_ms(*state, START_MS), START_MS + TIMEOUT_MS);
    assert_int_equal(bursar_breaker_state(*state, START_MS + TIMEOUT_MS - 1), BURSAR_BREAKER_OPEN);
    assert_int_equal(bursar_breaker_state(*state, START_MS + TIMEOUT_MS), BURSAR_BREAKER_HALF_OPEN);
    assert_int_equal(bursar_breaker_next_change_at_ms(*state, START_MS + TIMEOUT_MS), BURSAR_BREAKER_NEVER);
}

static void half_open_lets_through_only_as_many_trials_as_it_needs_successes(void **state)
{
    uint64_t now = START_MS + TIMEOUT_MS;
    trip(*state);
    struct bursar_breaker_ticket first = let_through(*state, now);
    struct bursar_breaker_ticket second = let_through(*state, now);
    assert_true(refuses(*state, now)); /* two out, two needed */
    bursar_breaker_record_success(*state, first, now);
    assert_true(refuses(*state, now)); /* one came back, one out: that is the two */
    bursar_breaker_record_success(*state, second, now);
    assert_false(bursar_breaker_ticket_is_trial(let_through(*state, now)));
}

static void a_trial_that_never_answers_expires_and_frees_its_place_without_counting(void **state)
{
    uint64_t now = START_MS + TIMEOUT_MS;
    trip(*state);
    struct bursar_breaker_ticket lost = let_through(*state, now);
    struct bursar_breaker_ticket lost_too = let_through(*state, now + 10);
    assert_int_equal(look(*state, now + 10).next_allow_at_ms, now + TIMEOUT_MS);
    assert_true(refuses(*state, now + TIMEOUT_MS - 1));
    struct bursar_breaker_ticket third = let_through(*state, now + TIMEOUT_MS);
    assert_true(refuses(*state, now + TIMEOUT_MS + 9)); /* one place, taken again */
    struct bursar_breaker_ticket fourth = let_through(*state, now + TIMEOUT_MS + 10);
    now += TIMEOUT_MS + 10;
    bursar_breaker_record_success(*state, lost, now); /* their places belong to others now */
    bursar_breaker_record_failure(*state, lost_too, now);
    assert_int_equal(bursar_breaker_state(*state, now), BURSAR_BREAKER_HALF_OPEN);
    assert_int_equal(bursar_breaker_success_count(*state, now), 0);
    bursar_breaker_record_success(*state, third, now);
    bursar_breaker_record_success(*state, fourth, now);
    assert_int_equal(bursar_breaker_state(*state, now), BURSAR_BREAKER_CLOSED);
}

static void an_endpoint_slower_than_the_timeout_can_still_close_it(void **state)
{
    uint64_t now = START_MS + TIMEOUT_MS;
    trip(*state);
    for (unsigned i = 0; i < defaults.success_threshold; i++) {
        struct bursar_breaker_ticket slow = let_through(*state, now);
        now += 2 * TIMEOUT_MS; /* nobody took its place meanwhile */
        bursar_breaker_record_success(*state, slow, now);
    }
    assert_int_equal(bursar_breaker_state(*state, now), BURSAR_BREAKER_CLOSED);
}

static void an_abandoned_trial_gives_its_place_back_and_counts_neither_way(void **state)
{
    uint64_t now = START_MS + TIMEOUT_MS;
    trip(*state);
    for (unsigned i = 0; i < 10; i++)
        bursar_breaker_abandon(*state, let_through(*state, now));
    struct bursar_breaker_view view = look(*state, now);
    assert_int_equal(view.state, BURSAR_BREAKER_HALF_OPEN);
    assert_int_equal(view.successes, 0);
    assert_int_equal(view.trials, 0);
    assert_int_equal(view.next_allow_at_ms, now);
    succeed_once(*state, now);
    succeed_once(*state, now);
    assert_int_equal(bursar_breaker_state(*state, now), BURSAR_BREAKER_CLOSED);
}

/* Closes after successes. */

static void closes_after_successes(void **state)
{
    uint64_t now = START_MS + TIMEOUT_MS;
    trip(*state);
    succeed_once(*state, now);
    assert_int_equal(bursar_breaker_state(*state, now), BURSAR_BREAKER_HALF_OPEN);
    assert_int_equal(bursar_breaker_success_count(*state, now), 1);
    assert_int_equal(bursar_breaker_failure_count(*state, now), 5);
    succeed_once(*state, now + 1);
    struct bursar_breaker_view view = look(*state, now + 1);
    assert_int_equal(view.state, BURSAR_BREAKER_CLOSED);
    assert_int_equal(view.failures, 0); /* else the next failure would open it at once */
    assert_int_equal(view.successes, 0);
    fail_times(*state, 4, now + 2);
    assert_int_equal(bursar_breaker_state(*state, now + 2), BURSAR_BREAKER_CLOSED);
}

/* Reopens on a half-open failure. */

static void reopens_on_a_half_open_failure_with_a_fresh_timeout(void **state)
{
    uint64_t now = START_MS + TIMEOUT_MS + 500;
    trip(*state);
    succeed_once(*state, now);
    fail_once(*state, now + 7);
    struct bursar_breaker_view view = look(*state, now + 7);
    assert_int_equal(view.state, BURSAR_BREAKER_OPEN);
    assert_int_equal(view.successes, 0);
    assert_int_equal(view.next_change_at_ms, now + 7 + TIMEOUT_MS);
    assert_true(refuses(*state, now + 7 + TIMEOUT_MS - 1));
    succeed_once(*state, now + 7 + TIMEOUT_MS); /* one success of the former half-open is not kept */
    assert_int_equal(bursar_breaker_state(*state, now + 7 + TIMEOUT_MS), BURSAR_BREAKER_HALF_OPEN);
}

/* Counting only what is counted. */

static void counts_only_what_is_counted(void **state)
{
    struct bursar_breaker_ticket nothing = { 0 };
    for (unsigned i = 0; i < 10; i++) {
        bursar_breaker_abandon(*state, let_through(*state, START_MS)); /* refused before it was sent */
        (void)let_through(*state, START_MS);                           /* dropped */
        bursar_breaker_record_failure(*state, nothing, START_MS);      /* never allowed */
        succeed_once(*state, START_MS);
    }
    struct bursar_breaker_view view = look(*state, START_MS);
    assert_int_equal(view.state, BURSAR_BREAKER_CLOSED);
    assert_int_equal(view.failures, 0);
    assert_int_equal(view.successes, 0);
    assert_true(view.since_failure_ms == BURSAR_BREAKER_NEVER);
}

static void a_refusals_ticket_counts_for_nothing(void **state)
{
    struct bursar_breaker_ticket ticket = let_through(*state, START_MS);
    trip(*state);
    assert_false(bursar_breaker_allow_request(*state, START_MS, &ticket));
    bursar_breaker_force_close(*state, START_MS);
    bursar_breaker_record_failure(*state, ticket, START_MS);
    assert_int_equal(bursar_breaker_failure_count(*state, START_MS), 0);
}

static void a_ticket_from_before_it_opened_counts_for_nothing_while_open(void **state)
{
    struct bursar_breaker_ticket late = let_through(*state, START_MS);
    trip(*state);
    bursar_breaker_record_failure(*state, late, START_MS + TIMEOUT_MS - 1);
    struct bursar_breaker_view view = look(*state, START_MS + TIMEOUT_MS - 1);
    assert_int_equal(view.failures, 5);
    assert_int_equal(view.next_change_at_ms, START_MS + TIMEOUT_MS); /* and does not prolong it */
    assert_int_equal(view.since_failure_ms, TIMEOUT_MS - 1);
}

static void a_ticket_from_before_it_opened_counts_for_nothing_while_half_open(void **state)
{
    uint64_t now = START_MS + TIMEOUT_MS;
    struct bursar_breaker_ticket late_success = let_through(*state, START_MS);
    struct bursar_breaker_ticket late_failure = let_through(*state, START_MS);
    trip(*state);
    bursar_breaker_record_success(*state, late_success, now);
    assert_int_equal(bursar_breaker_success_count(*state, now), 0);
    bursar_breaker_record_failure(*state, late_failure, now);
    assert_int_equal(bursar_breaker_state(*state, now), BURSAR_BREAKER_HALF_OPEN);
}

static void a_failure_from_before_it_opened_counts_for_nothing_when_it_is_closed_again(void **state)
{
    uint64_t now = START_MS + TIMEOUT_MS;
    struct bursar_breaker_ticket late = let_through(*state, START_MS);
    trip(*state);
    succeed_once(*state, now);
    succeed_once(*state, now);
    bursar_breaker_record_failure(*state, late, now);
    assert_int_equal(bursar_breaker_failure_count(*state, now), 0);
}

static void a_trial_of_a_former_half_open_counts_for_nothing_in_the_next(void **state)
{
    uint64_t now = START_MS + TIMEOUT_MS;
    trip(*state);
    struct bursar_breaker_ticket late = let_through(*state, now);
    fail_once(*state, now);
    now += TIMEOUT_MS;
    struct bursar_breaker_ticket trial = let_through(*state, now);
    bursar_breaker_record_success(*state, late, now);
    assert_int_equal(bursar_breaker_success_count(*state, now), 0);
    bursar_breaker_abandon(*state, late); /* nor does it free a place that it does not have */
    assert_int_equal(look(*state, now).trials, 1);
    bursar_breaker_record_failure(*state, late, now);
    assert_int_equal(bursar_breaker_state(*state, now), BURSAR_BREAKER_HALF_OPEN);
    bursar_breaker_record_success(*state, trial, now);
    assert_int_equal(bursar_breaker_success_count(*state, now), 1);
}

static void a_trial_handed_back_twice_counts_once(void **state)
{
    uint64_t now = START_MS + TIMEOUT_MS;
    trip(*state);
    struct bursar_breaker_ticket trial = let_through(*state, now);
    bursar_breaker_record_success(*state, trial, now);
    bursar_breaker_record_success(*state, trial, now);
    bursar_breaker_record_failure(*state, trial, now);
    bursar_breaker_abandon(*state, trial);
    struct bursar_breaker_view view = look(*state, now);
    assert_int_equal(view.state, BURSAR_BREAKER_HALF_OPEN);
    assert_int_equal(view.successes, 1);
    assert_int_equal(view.trials, 0);
}

/* Manual intervention (D29). */

static void manual_intervention_forced_open_stays_until_a_person_closes_it(void **state)
{
    uint64_t year_ms = UINT64_C(365) * 86400000;
    bursar_breaker_force_open(*state, START_MS);
    struct bursar_breaker_view view = look(*state, START_MS + year_ms);
    assert_int_equal(view.state, BURSAR_BREAKER_OPEN);
    assert_true(view.forced);
    assert_true(view.next_change_at_ms == BURSAR_BREAKER_NEVER);
    assert_true(view.next_allow_at_ms == BURSAR_BREAKER_NEVER);
    assert_true(refuses(*state, START_MS + year_ms));
    assert_true(refuses(*state, UINT64_MAX));
    bursar_breaker_force_close(*state, START_MS + year_ms);
    view = look(*state, START_MS + year_ms);
    assert_int_equal(view.state, BURSAR_BREAKER_CLOSED);
    assert_false(view.forced);
    succeed_once(*state, START_MS + year_ms);
}

static void forcing_an_open_breaker_open_takes_its_timer_away(void **state)
{
    trip(*state);
    bursar_breaker_force_open(*state, START_MS + 1);
    assert_int_equal(bursar_breaker_state(*state, START_MS + 2 * TIMEOUT_MS), BURSAR_BREAKER_OPEN);
    assert_true(refuses(*state, START_MS + 2 * TIMEOUT_MS));
}

static void forcing_a_half_open_breaker_open_voids_its_trials(void **state)
{
    uint64_t now = START_MS + TIMEOUT_MS;
    trip(*state);
    struct bursar_breaker_ticket one = let_through(*state, now), two = let_through(*state, now);
    bursar_breaker_force_open(*state, now);
    bursar_breaker_record_success(*state, one, now);
    bursar_breaker_record_success(*state, two, now);
    assert_true(refuses(*state, now + 10 * TIMEOUT_MS));
    assert_int_equal(look(*state, now).trials, 0);
}

static void after_being_forced_open_once_it_opens_by_failures_with_a_timer_again(void **state)
{
    bursar_breaker_force_open(*state, 10);
    bursar_breaker_force_close(*state, 20);
    trip(*state);
    assert_false(look(*state, START_MS).forced);
    assert_int_equal(bursar_breaker_state(*state, START_MS + TIMEOUT_MS), BURSAR_BREAKER_HALF_OPEN);
}

static void force_close_closes_with_counters_at_zero_and_forgets_requests_in_flight(void **state)
{
    fail_times(*state, 3, START_MS);
    struct bursar_breaker_ticket in_flight = let_through(*state, START_MS);
    bursar_breaker_force_close(*state, START_MS);
    bursar_breaker_record_failure(*state, in_flight, START_MS);
    struct bursar_breaker_view view = look(*state, START_MS + 5);
    assert_int_equal(view.state, BURSAR_BREAKER_CLOSED);
    assert_int_equal(view.failures, 0);
    assert_int_equal(view.since_failure_ms, 5); /* history stays */
    fail_times(*state, 4, START_MS);
    assert_int_equal(bursar_breaker_state(*state, START_MS), BURSAR_BREAKER_CLOSED);
}

static void reset_makes_it_as_new(void **state)
{
    trip(*state);
    struct bursar_breaker_ticket trial = let_through(*state, START_MS + TIMEOUT_MS);
    bursar_breaker_reset(*state, START_MS + TIMEOUT_MS);
    bursar_breaker_record_failure(*state, trial, START_MS + TIMEOUT_MS);
    struct bursar_breaker_view view = look(*state, START_MS + TIMEOUT_MS + 1);
    assert_int_equal(view.state, BURSAR_BREAKER_CLOSED);
    assert_int_equal(view.failures + view.successes + view.trials, 0);
    assert_true(view.since_failure_ms == BURSAR_BREAKER_NEVER);
    assert_true(view.since_change_ms == BURSAR_BREAKER_NEVER);
}

/* Production configuration. */

static void production_configuration(void **state)
{
    (void)state;
    assert_int_equal(defaults.failure_threshold, 5);
    assert_int_equal(defaults.success_threshold, 2);
    assert_int_equal(defaults.timeout_ms, 60000);
    assert_int_equal(defaults.window_ms, 300000);
    assert_int_equal(bursar_breaker_config_check(&defaults, NULL), BURSAR_OK);
    assert_int_equal(BURSAR_BREAKER_CLOSED, 0);
    assert_int_equal(BURSAR_BREAKER_OPEN, 1);
    assert_int_equal(BURSAR_BREAKER_HALF_OPEN, 2);
    assert_string_equal(bursar_breaker_state_name(BURSAR_BREAKER_CLOSED), "closed");
    assert_string_equal(bursar_breaker_state_name(BURSAR_BREAKER_OPEN), "open");
    assert_string_equal(bursar_breaker_state_name(BURSAR_BREAKER_HALF_OPEN), "half_open");
    assert_null(bursar_breaker_state_name((enum bursar_breaker_state)3));
}

static void expect_refused(struct bursar_breaker_config config, const char *field)
{
    struct bursar_error err = { 0 };
    struct bursar_breaker *breaker = NULL;
    assert_int_equal(bursar_breaker_new(&config, &breaker, &err), BURSAR_EINVAL);
    assert_null(breaker);
    assert_non_null(strstr(err.message, field));
}

static void a_configuration_out_of_range_is_refused_by_the_name_of_its_field(void **state)
{
    (void)state;
    struct bursar_breaker_config config;
#define WITH(field, value) (config = defaults, config.field = (value), config)
    expect_refused(WITH(failure_threshold, 0), "failure_threshold is 0; it must be 1-1000");
    expect_refused(WITH(failure_threshold, 1001), "failure_threshold");
    expect_refused(WITH(success_threshold, 0), "success_threshold");
    expect_refused(WITH(success_threshold, 1001), "success_threshold");
    expect_refused(WITH(timeout_ms, 0), "timeout_ms");
    expect_refused(WITH(timeout_ms, 86400001), "timeout_ms is 86400001; it must be 1-86400000");
    expect_refused(WITH(window_ms, 0), "window_ms");
    expect_refused(WITH(window_ms, 86400001), "window_ms");
#undef WITH
}

static void the_largest_and_the_smallest_configuration_work(void **state)
{
    (void)state;
    const struct bursar_breaker_config configs[] = {
        { .failure_threshold = 1, .success_threshold = 1, .timeout_ms = 1, .window_ms = 1 },
        { .failure_threshold = 1000, .success_threshold = 1000, .timeout_ms = 86400000, .window_ms = 86400000 }
    };
    for (size_t i = 0; i < COUNT_OF(configs); i++) {
        struct bursar_breaker *breaker = NULL;
        assert_int_equal(bursar_breaker_new(&configs[i], &breaker, NULL), BURSAR_OK);
        uint64_t now = START_MS;
        for (unsigned round = 0; round < 2; round++) { /* opened by its threshold, then by one trial */
            fail_times(breaker, round ? 1 : configs[i].failure_threshold, now);
            assert_int_equal(bursar_breaker_state(breaker, now), BURSAR_BREAKER_OPEN);
            assert_int_equal(bursar_breaker_failure_count(breaker, now), round ? 1 : configs[i].failure_threshold);
            now += configs[i].timeout_ms; /* as long as the window: the first failures leave with it */
        }
        struct bursar_breaker_ticket trials[1000];
        for (unsigned j = 0; j < configs[i].success_threshold; j++)
            trials[j] = let_through(breaker, now);
        assert_true(refuses(breaker, now));
        for (unsigned j = configs[i].success_threshold; j-- > 0;)
            bursar_breaker_record_success(breaker, trials[j], now);
        assert_int_equal(bursar_breaker_state(breaker, now), BURSAR_BREAKER_CLOSED);
        assert_null(bursar_breaker_free(breaker));
    }
    assert_null(bursar_breaker_free(NULL));
}

/* Time tracking (D25). */

static void time_tracking(void **state)
{
    assert_true(bursar_breaker_since_failure_ms(*state, START_MS) == BURSAR_BREAKER_NEVER);
    assert_true(bursar_breaker_since_change_ms(*state, START_MS) == BURSAR_BREAKER_NEVER);
    fail_times(*state, 4, START_MS);
    assert_int_equal(bursar_breaker_since_failure_ms(*state, START_MS + 30), 30);
    assert_true(bursar_breaker_since_change_ms(*state, START_MS + 30) == BURSAR_BREAKER_NEVER);
    fail_once(*state, START_MS + 40);
    assert_int_equal(bursar_breaker_since_failure_ms(*state, START_MS + 41), 1);
    assert_int_equal(bursar_breaker_since_change_ms(*state, START_MS + 42), 2);
    bursar_breaker_force_open(*state, START_MS + 50); /* open already: not another state */
    assert_int_equal(bursar_breaker_since_change_ms(*state, START_MS + 50), 10);
    bursar_breaker_force_close(*state, START_MS + 60);
    assert_int_equal(bursar_breaker_since_change_ms(*state, START_MS + 61), 1);
}

static void it_half_opened_when_it_was_due_whoever_looks_first_and_when(void **state)
{
    trip(*state);
    assert_int_equal(bursar_breaker_since_change_ms(*state, START_MS + TIMEOUT_MS + 12345), 12345);
}

static void time_that_stands_still_or_goes_back_is_taken_as_the_latest_seen(void **state)
{
    trip(*state);
    assert_int_equal(bursar_breaker_state(*state, START_MS + TIMEOUT_MS), BURSAR_BREAKER_HALF_OPEN);
    assert_int_equal(bursar_breaker_state(*state, 0), BURSAR_BREAKER_HALF_OPEN);
    assert_int_equal(bursar_breaker_since_change_ms(*state, 0), 0);
    assert_int_equal(bursar_breaker_since_failure_ms(*state, START_MS), TIMEOUT_MS);
    fail_once(*state, 3); /* reopens as of the latest time, not of 3 ms */
    assert_int_equal(bursar_breaker_next_change_at_ms(*state, 3), START_MS + 2 * TIMEOUT_MS);
    assert_true(refuses(*state, 3 + TIMEOUT_MS));
}

static void the_end_of_time_harms_nothing(void **state)
{
    trip(*state);
    assert_true(bursar_breaker_ticket_is_trial(let_through(*state, UINT64_MAX)));
    fail_once(*state, UINT64_MAX);
    assert_int_equal(bursar_breaker_state(*state, UINT64_MAX), BURSAR_BREAKER_OPEN);
    assert_int_equal(bursar_breaker_since_change_ms(*state, UINT64_MAX), 0);
    bursar_breaker_reset(*state, UINT64_MAX);
    succeed_once(*state, UINT64_MAX);
}

static void looking_often_changes_nothing_and_news_to_save_show(void **state)
{
    uint64_t changes = look(*state, START_MS).changes;
    succeed_once(*state, START_MS);
    assert_int_equal(look(*state, START_MS + 1).changes, changes);
    fail_times(*state, 4, START_MS + 1);
    assert_int_equal(look(*state, START_MS + WINDOW_MS).changes, changes + 4); /* ageing is no news */
    bursar_breaker_force_open(*state, START_MS + WINDOW_MS);
    assert_true(look(*state, START_MS + WINDOW_MS).changes > changes + 4);
    bursar_breaker_reset(*state, START_MS + WINDOW_MS);
    fail_times(*state, 5, START_MS + WINDOW_MS);
    changes = look(*state, START_MS + WINDOW_MS + TIMEOUT_MS).changes;
    struct bursar_breaker_ticket trial = let_through(*state, START_MS + WINDOW_MS + TIMEOUT_MS);
    assert_true(look(*state, START_MS + WINDOW_MS + TIMEOUT_MS).changes > changes); /* a crash must not give it again */
    changes++;
    bursar_breaker_record_success(*state, trial, START_MS + WINDOW_MS + TIMEOUT_MS);
    assert_true(look(*state, START_MS + WINDOW_MS + TIMEOUT_MS).changes > changes);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fresh, freed)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(opens_after_failures),
        TEST(failures_that_left_the_window_do_not_open_it),
        TEST(the_window_slides_and_has_no_fixed_edges),
        TEST(a_failure_counts_until_its_window_is_over_to_the_millisecond),
        TEST(a_success_does_not_wipe_failures_that_are_still_in_the_window),
        TEST(it_refuses_the_rest_of_a_batch_in_which_it_opened),
        TEST(half_opens_after_the_timeout),
        TEST(half_open_lets_through_only_as_many_trials_as_it_needs_successes),
        TEST(a_trial_that_never_answers_expires_and_frees_its_place_without_counting),
        TEST(an_endpoint_slower_than_the_timeout_can_still_close_it),
        TEST(an_abandoned_trial_gives_its_place_back_and_counts_neither_way),
        TEST(closes_after_successes),
        TEST(reopens_on_a_half_open_failure_with_a_fresh_timeout),
        TEST(counts_only_what_is_counted),
        TEST(a_refusals_ticket_counts_for_nothing),
        TEST(a_ticket_from_before_it_opened_counts_for_nothing_while_open),
        TEST(a_ticket_from_before_it_opened_counts_for_nothing_while_half_open),
        TEST(a_failure_from_before_it_opened_counts_for_nothing_when_it_is_closed_again),
        TEST(a_trial_of_a_former_half_open_counts_for_nothing_in_the_next),
        TEST(a_trial_handed_back_twice_counts_once),
        TEST(manual_intervention_forced_open_stays_until_a_person_closes_it),
        TEST(forcing_an_open_breaker_open_takes_its_timer_away),
        TEST(forcing_a_half_open_breaker_open_voids_its_trials),
        TEST(after_being_forced_open_once_it_opens_by_failures_with_a_timer_again),
        TEST(force_close_closes_with_counters_at_zero_and_forgets_requests_in_flight),
        TEST(reset_makes_it_as_new),
        TEST(production_configuration),
        TEST(a_configuration_out_of_range_is_refused_by_the_name_of_its_field),
        TEST(the_largest_and_the_smallest_configuration_work),
        TEST(time_tracking),
        TEST(it_half_opened_when_it_was_due_whoever_looks_first_and_when),
        TEST(time_that_stands_still_or_goes_back_is_taken_as_the_latest_seen),
        TEST(the_end_of_time_harms_nothing),
        TEST(looking_often_changes_nothing_and_news_to_save_show),
    };
    return cmocka_run_group_tests_name("domain breaker", tests, NULL, NULL);
}

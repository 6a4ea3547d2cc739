/* How long a breaker stays open, and what trips it beside a number of failures: rates and slow calls. */
#include <bursar/breaker.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cleanup.h"

#define TIMEOUT_MS 60000

static void free_breaker(struct bursar_breaker **breaker)
{
    bursar_breaker_free(*breaker);
}
#define SCOPED cleanup(free_breaker) struct bursar_breaker

static const struct bursar_breaker_config defaults = BURSAR_BREAKER_DEFAULTS;

static struct bursar_breaker *breaker_with(const struct bursar_breaker_config *config)
{
    struct bursar_breaker *breaker = NULL;
    assert_int_equal(bursar_breaker_new(config, &breaker, NULL), BURSAR_OK);
    return breaker;
}

static struct bursar_breaker_view look(struct bursar_breaker *breaker, uint64_t now_ms)
{
    struct bursar_breaker_view view;
    bursar_breaker_look(breaker, now_ms, &view);
    return view;
}

/* One call that takes `took_ms`. */
static void call(struct bursar_breaker *breaker, bool succeeds, uint64_t now_ms, uint64_t took_ms)
{
    struct bursar_breaker_ticket ticket;
    assert_true(bursar_breaker_allow_request(breaker, now_ms, &ticket));
    if (succeeds)
        bursar_breaker_record_success(breaker, ticket, now_ms + took_ms);
    else
        bursar_breaker_record_failure(breaker, ticket, now_ms + took_ms);
}

/* Fails the next trial as soon as one is let through; returns how long it was open. */
static uint64_t fail_again(struct bursar_breaker *breaker, uint64_t *now_ms)
{
    struct bursar_breaker_view view = look(breaker, *now_ms);
    assert_int_equal(view.state, BURSAR_BREAKER_OPEN);
    uint64_t open_ms = view.next_change_at_ms - *now_ms;
    *now_ms = view.next_change_at_ms;
    call(breaker, false, *now_ms, 0);
    return open_ms;
}

static void trip(struct bursar_breaker *breaker, uint64_t now_ms)
{
    for (uint32_t i = 0; i < defaults.failure_threshold; i++)
        call(breaker, false, now_ms, 0);
}

static void each_time_it_opens_again_it_stays_open_twice_as_long_up_to_the_ceiling(void **state)
{
    (void)state;
    struct bursar_breaker_config config = defaults;
    config.timeout_max_ms = 300000;
    SCOPED *breaker = breaker_with(&config);
    uint64_t now_ms = 1000;
    trip(breaker, now_ms);
    const uint64_t expected[] = { 60000, 120000, 240000, 300000, 300000 };
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        assert_int_equal(look(breaker, now_ms).openings, i + 1);
        assert_int_equal(fail_again(breaker, &now_ms), expected[i]);
    }
}

static void once_it_has_closed_it_starts_with_the_shortest_time_again(void **state)
{
    (void)state;
    struct bursar_breaker_config config = defaults;
    config.timeout_max_ms = 300000;
    SCOPED *breaker = breaker_with(&config);
    uint64_t now_ms = 1000;
    trip(breaker, now_ms);
    (void)fail_again(breaker, &now_ms);
    now_ms = look(breaker, now_ms).next_change_at_ms;
    call(breaker, true, now_ms, 0);
    call(breaker, true, now_ms, 0);
    assert_int_equal(look(breaker, now_ms).state, BURSAR_BREAKER_CLOSED);
    assert_int_equal(look(breaker, now_ms).openings, 0);
    trip(breaker, now_ms);
    assert_int_equal(fail_again(breaker, &now_ms), TIMEOUT_MS);
}

static void a_restart_does_not_shorten_the_next_time(void **state)
{
    (void)state;
    struct bursar_breaker_config config = defaults;
    config.timeout_max_ms = 300000;
    SCOPED *before = breaker_with(&config), *after = breaker_with(&config);
    struct bursar_breaker_memory memory;
    uint64_t now_ms = 1000;
    trip(before, now_ms);
    (void)fail_again(before, &now_ms);
    bursar_breaker_save(before, now_ms, 5000, &memory);
    now_ms = 7;
    assert_int_equal(bursar_breaker_restore(after, &memory, now_ms, 5000, NULL), BURSAR_OK);
    assert_int_equal(fail_again(after, &now_ms), 120000);
    assert_int_equal(fail_again(after, &now_ms), 240000);
}

static void jitter_lengthens_by_no_more_than_its_share_and_differs_between_breakers(void **state)
{
    (void)state;
    struct bursar_breaker_config config = defaults;
    config.jitter_percent = 20;
    uint64_t seen[8];
    unsigned different = 0;
    for (size_t i = 0; i < 8; i++) {
        config.jitter_seed = i;
        SCOPED *breaker = breaker_with(&config);
        trip(breaker, 0);
        seen[i] = look(breaker, 0).next_change_at_ms;
        assert_in_range(seen[i], TIMEOUT_MS, TIMEOUT_MS * 12 / 10);
        different += i > 0 && seen[i] != seen[i - 1];
    }
    assert_int_equal(different, 7);
}

static void a_rate_opens_it_by_the_share_of_failures_not_by_their_number(void **state)
{
    (void)state;
    struct bursar_breaker_config config = defaults;
    config.failure_rate_percent = 20;
    config.rate_min_calls = 50;
    SCOPED *breaker = breaker_with(&config);
    for (unsigned i = 0; i < 100; i++) /* 10 of 100: more than failure_threshold */
        call(breaker, i % 10 != 0, 1000 + i, 0);
    assert_int_equal(look(breaker, 1100).state, BURSAR_BREAKER_CLOSED);
    assert_int_equal(look(breaker, 1100).rate_calls, 100);
    assert_int_equal(look(breaker, 1100).rate_failures, 10);
    unsigned more = 0;
    for (; look(breaker, 1100).state == BURSAR_BREAKER_CLOSED; more++)
        call(breaker, false, 1100, 0);
    assert_int_equal(more, 13); /* 23 of 113 */
    assert_int_equal(look(breaker, 1100).rate_calls, 0);
}

static void a_rate_says_nothing_before_there_were_enough_calls(void **state)
{
    (void)state;
    struct bursar_breaker_config config = defaults;
    config.failure_rate_percent = 50;
    config.rate_min_calls = 20;
    SCOPED *breaker = breaker_with(&config);
    for (unsigned i = 0; i < 19; i++)
        call(breaker, false, 1000, 0);
    assert_int_equal(look(breaker, 1000).state, BURSAR_BREAKER_CLOSED);
    assert_int_equal(look(breaker, 1000 + config.window_ms * 2).rate_calls, 0);
    call(breaker, false, 1000, 0);
    assert_int_equal(look(breaker, 1000).state, BURSAR_BREAKER_CLOSED); /* the nineteen have left the window */
    for (unsigned i = 0; i < 19; i++)
        call(breaker, false, 1000 + config.window_ms * 2, 0);
    assert_int_equal(look(breaker, 1000 + config.window_ms * 2).state, BURSAR_BREAKER_OPEN);
}

static void a_restart_remembers_the_calls_of_the_window(void **state)
{
    (void)state;
    struct bursar_breaker_config config = defaults;
    config.failure_rate_percent = 50;
    config.rate_min_calls = 10;
    SCOPED *before = breaker_with(&config), *after = breaker_with(&config);
    struct bursar_breaker_memory memory;
    for (unsigned i = 0; i < 5; i++)
        call(before, true, 1000, 0);
    for (unsigned i = 0; i < 4; i++)
        call(before, false, 1000, 0);
    bursar_breaker_save(before, 1000, 9000, &memory);
    assert_int_equal(bursar_breaker_restore(after, &memory, 50, 9000, NULL), BURSAR_OK);
    assert_int_equal(look(after, 50).rate_calls, 9);
    assert_int_equal(look(after, 50).rate_failures, 4);
    call(after, false, 50, 0);
    assert_int_equal(look(after, 50).state, BURSAR_BREAKER_OPEN);
}

static void a_slow_success_is_a_failure_also_as_a_trial(void **state)
{
    (void)state;
    struct bursar_breaker_config config = defaults;
    config.slow_call_ms = 2000;
    SCOPED *breaker = breaker_with(&config);
    for (unsigned i = 0; i < 4; i++)
        call(breaker, true, 1000, 2000);
    call(breaker, true, 1000, 1999);
    assert_int_equal(look(breaker, 3000).failures, 4);
    call(breaker, true, 1000, 2000);
    assert_int_equal(look(breaker, 3000).state, BURSAR_BREAKER_OPEN);
    uint64_t now_ms = look(breaker, 3000).next_change_at_ms;
    call(breaker, true, now_ms, 2500);
    assert_int_equal(look(breaker, now_ms + 2500).state, BURSAR_BREAKER_OPEN);
}

static void forced_open_for_a_time_ends_half_open_and_survives_a_restart(void **state)
{
    (void)state;
    SCOPED *before = breaker_with(&defaults), *after = breaker_with(&defaults);
    struct bursar_breaker_memory memory;
    bursar_breaker_force_open_for(before, 1000, 7200000);
    assert_true(look(before, 1000).forced);
    assert_int_equal(look(before, 1000).next_change_at_ms, 7201000);
    bursar_breaker_save(before, 2000, 10000, &memory);
    assert_int_equal(bursar_breaker_restore(after, &memory, 0, 10000, NULL), BURSAR_OK);
    assert_true(look(after, 7198999).forced);
    assert_int_equal(look(after, 7198999).state, BURSAR_BREAKER_OPEN);
    assert_int_equal(look(after, 7199000).state, BURSAR_BREAKER_HALF_OPEN);
    assert_false(look(after, 7199000).forced);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_time_it_opens_again_it_stays_open_twice_as_long_up_to_the_ceiling),
        cmocka_unit_test(once_it_has_closed_it_starts_with_the_shortest_time_again),
        cmocka_unit_test(a_restart_does_not_shorten_the_next_time),
        cmocka_unit_test(jitter_lengthens_by_no_more_than_its_share_and_differs_between_breakers),
        cmocka_unit_test(a_rate_opens_it_by_the_share_of_failures_not_by_their_number),
        cmocka_unit_test(a_rate_says_nothing_before_there_were_enough_calls),
        cmocka_unit_test(a_restart_remembers_the_calls_of_the_window),
        cmocka_unit_test(a_slow_success_is_a_failure_also_as_a_trial),
        cmocka_unit_test(forced_open_for_a_time_ends_half_open_and_survives_a_restart),
    };
    return cmocka_run_group_tests_name("domain breaker backoff", tests, NULL, NULL);
}

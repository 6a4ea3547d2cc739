/* What a restart keeps of the breaker, under wall clocks that run, stand, jump back and jump ahead (D26). */
#include <bursar/breaker.h>

#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define TIMEOUT_MS 60000
#define WINDOW_MS 300000
#define DAY_MS 86400000
#define WALL_MS UINT64_C(1790000000000)
#define BEFORE_MS 5000000 /* the clock of the process that ends */
#define AFTER_MS 700      /* of the one that starts: the machine booted anew */

static const struct bursar_breaker_config defaults = BURSAR_BREAKER_DEFAULTS;

static struct bursar_breaker *breaker_with(struct bursar_breaker_config config)
{
    struct bursar_breaker *breaker = NULL;
    assert_int_equal(bursar_breaker_new(&config, &breaker, NULL), BURSAR_OK);
    return breaker;
}

static void breaker_drop(struct bursar_breaker **breaker)
{
    *breaker = bursar_breaker_free(*breaker);
}
#define SCOPED cleanup(breaker_drop) struct bursar_breaker

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

static void fail_times(struct bursar_breaker *breaker, unsigned times, uint64_t now_ms)
{
    for (unsigned i = 0; i < times; i++)
        bursar_breaker_record_failure(breaker, let_through(breaker, now_ms), now_ms);
}

static struct bursar_breaker_view look(struct bursar_breaker *breaker, uint64_t now_ms)
{
    struct bursar_breaker_view view;
    bursar_breaker_look(breaker, now_ms, &view);
    return view;
}

/* Saved at (now, WALL_MS), restored by a new process at (AFTER_MS, wall). */
static struct bursar_breaker *restarted(struct bursar_breaker *breaker, uint64_t now_ms, uint64_t wall_ms)
{
    struct bursar_breaker_memory memory;
    bursar_breaker_save(breaker, now_ms, WALL_MS, &memory);
    struct bursar_breaker *next = breaker_with(defaults);
    assert_int_equal(bursar_breaker_restore(next, &memory, AFTER_MS, wall_ms, NULL), BURSAR_OK);
    return next;
}

static void state_persists_open_with_its_deadline(void **state)
{
    (void)state;
    SCOPED *before = breaker_with(defaults);
    fail_times(before, 5, BEFORE_MS);
    SCOPED *after = restarted(before, BEFORE_MS + 10000, WALL_MS + 20000); /* 10 s up, 20 s down */
    struct bursar_breaker_view view = look(after, AFTER_MS);
    assert_int_equal(view.state, BURSAR_BREAKER_OPEN);
    assert_int_equal(view.next_change_at_ms, AFTER_MS + TIMEOUT_MS - 30000);
    assert_int_equal(view.since_change_ms, 30000);
    assert_int_equal(view.since_failure_ms, 30000);
    assert_int_equal(view.failures, 5);
    assert_true(refuses(after, AFTER_MS + TIMEOUT_MS - 30001));
    assert_true(bursar_breaker_ticket_is_trial(let_through(after, AFTER_MS + TIMEOUT_MS - 30000)));
}

static void a_timeout_that_ended_while_down_leaves_it_half_open_never_closed(void **state)
{
    (void)state;
    SCOPED *before = breaker_with(defaults);
    fail_times(before, 5, BEFORE_MS);
    SCOPED *after = restarted(before, BEFORE_MS, WALL_MS + TIMEOUT_MS + 5000);
    struct bursar_breaker_view view = look(after, AFTER_MS);
    assert_int_equal(view.state, BURSAR_BREAKER_HALF_OPEN);
    assert_int_equal(view.since_change_ms, 5000);
    (void)let_through(after, AFTER_MS);
    (void)let_through(after, AFTER_MS);
    assert_true(refuses(after, AFTER_MS));
}

static void failures_in_the_window_persist_and_age_while_down(void **state)
{
    (void)state;
    SCOPED *before = breaker_with(defaults);
    fail_times(before, 2, BEFORE_MS);
    fail_times(before, 2, BEFORE_MS + 1000);
    SCOPED *after = restarted(before, BEFORE_MS + 1000, WALL_MS + WINDOW_MS - 1500); /* 500 ms of the first are left */
    assert_int_equal(bursar_breaker_failure_count(after, AFTER_MS + 499), 4);
    assert_int_equal(bursar_breaker_failure_count(after, AFTER_MS + 500), 2);
    fail_times(after, 2, AFTER_MS + 501);
    assert_int_equal(bursar_breaker_state(after, AFTER_MS + 501), BURSAR_BREAKER_CLOSED);
    fail_times(after, 1, AFTER_MS + 502);
    assert_int_equal(bursar_breaker_state(after, AFTER_MS + 502), BURSAR_BREAKER_OPEN);
}

static void a_process_that_fails_once_and_dies_opens_it_all_the_same(void **state)
{
    (void)state;
    struct bursar_breaker_memory memory;
    uint64_t wall = WALL_MS;
    for (unsigned life = 1; life <= 5; life++, wall += 1000) {
        SCOPED *breaker = breaker_with(defaults);
        if (life > 1)
            assert_int_equal(bursar_breaker_restore(breaker, &memory, AFTER_MS, wall, NULL), BURSAR_OK);
        fail_times(breaker, 1, AFTER_MS);
        assert_int_equal(bursar_breaker_failure_count(breaker, AFTER_MS), life);
        bursar_breaker_save(breaker, AFTER_MS, wall, &memory);
    }
    assert_int_equal(memory.state, BURSAR_BREAKER_OPEN);
}

static void a_crash_loop_neither_closes_an_open_breaker_nor_keeps_it_open(void **state)
{
    (void)state;
    struct bursar_breaker_memory memory;
    uint64_t wall = WALL_MS;
    {
        SCOPED *first = breaker_with(defaults);
        fail_times(first, 5, AFTER_MS);
        bursar_breaker_save(first, AFTER_MS, wall, &memory);
    }
    for (uint64_t life = 0; life < 59; life++) {
        wall += 1000;
        SCOPED *breaker = breaker_with(defaults);
        assert_int_equal(bursar_breaker_restore(breaker, &memory, AFTER_MS, wall, NULL), BURSAR_OK);
        assert_true(refuses(breaker, AFTER_MS));
        bursar_breaker_save(breaker, AFTER_MS, wall, &memory);
    }
    SCOPED *last = breaker_with(defaults);
    assert_int_equal(bursar_breaker_restore(last, &memory, AFTER_MS, wall + 1000, NULL), BURSAR_OK);
    assert_int_equal(bursar_breaker_state(last, AFTER_MS), BURSAR_BREAKER_HALF_OPEN);
}

static void a_process_that_dies_in_its_trials_gets_no_new_ones_by_starting_again(void **state)
{
    (void)state;
    uint64_t now = BEFORE_MS + TIMEOUT_MS;
    SCOPED *before = breaker_with(defaults);
    fail_times(before, 5, BEFORE_MS);
    struct bursar_breaker_ticket lost = let_through(before, now);
    (void)let_through(before, now + 1000);
    SCOPED *after = restarted(before, now + 2000, WALL_MS + 3000); /* the youngest is 4 s old */
    assert_int_equal(look(after, AFTER_MS).trials, 2);
    bursar_breaker_record_success(after, lost, AFTER_MS); /* a ticket of another process, of another breaker */
    assert_int_equal(bursar_breaker_success_count(after, AFTER_MS), 0);
    bursar_breaker_record_success(after, (struct bursar_breaker_ticket){ 0 }, AFTER_MS);
    assert_true(refuses(after, AFTER_MS + TIMEOUT_MS - 4001));
    (void)let_through(after, AFTER_MS + TIMEOUT_MS - 4000);
    (void)let_through(after, AFTER_MS + TIMEOUT_MS - 4000);
    assert_true(refuses(after, AFTER_MS + TIMEOUT_MS - 4000));
}

static void half_open_keeps_its_successes_but_is_not_closed_by_restarting(void **state)
{
    (void)state;
    uint64_t now = BEFORE_MS + TIMEOUT_MS;
    struct bursar_breaker_memory memory;
    SCOPED *before = breaker_with((struct bursar_breaker_config){
        .failure_threshold = 5, .success_threshold = 3, .timeout_ms = TIMEOUT_MS, .window_ms = WINDOW_MS });
    fail_times(before, 5, BEFORE_MS);
    bursar_breaker_record_success(before, let_through(before, now), now);
    bursar_breaker_record_success(before, let_through(before, now), now);
    bursar_breaker_save(before, now, WALL_MS, &memory);
    assert_int_equal(memory.successes, 2);
    SCOPED *after = breaker_with(defaults); /* wants two only: it has two, but not from this process */
    assert_int_equal(bursar_breaker_restore(after, &memory, AFTER_MS, WALL_MS, NULL), BURSAR_OK);
    assert_int_equal(bursar_breaker_state(after, AFTER_MS), BURSAR_BREAKER_HALF_OPEN);
    assert_int_equal(bursar_breaker_success_count(after, AFTER_MS), 1);
    struct bursar_breaker_ticket trial = let_through(after, AFTER_MS);
    assert_true(refuses(after, AFTER_MS));
    bursar_breaker_record_success(after, trial, AFTER_MS);
    assert_int_equal(bursar_breaker_state(after, AFTER_MS), BURSAR_BREAKER_CLOSED);
}

static void forced_open_persists_without_a_timer(void **state)
{
    (void)state;
    SCOPED *before = breaker_with(defaults);
    bursar_breaker_force_open(before, BEFORE_MS);
    SCOPED *after = restarted(before, BEFORE_MS + 1, WALL_MS + 400 * (uint64_t)DAY_MS);
    assert_true(look(after, AFTER_MS + DAY_MS).forced);
    assert_true(refuses(after, AFTER_MS + DAY_MS));
    bursar_breaker_force_close(after, AFTER_MS + DAY_MS);
    (void)let_through(after, AFTER_MS + DAY_MS);
}

static void never_persists_as_never(void **state)
{
    (void)state;
    SCOPED *before = breaker_with(defaults);
    SCOPED *after = restarted(before, BEFORE_MS, WALL_MS + 1);
    struct bursar_breaker_view view = look(after, AFTER_MS);
    assert_int_equal(view.state, BURSAR_BREAKER_CLOSED);
    assert_true(view.since_failure_ms == BURSAR_BREAKER_NEVER);
    assert_true(view.since_change_ms == BURSAR_BREAKER_NEVER);
}

static void a_wall_clock_that_jumped_back_keeps_it_open_for_a_timeout_at_most(void **state)
{
    (void)state;
    SCOPED *before = breaker_with(defaults);
    fail_times(before, 5, BEFORE_MS);
    SCOPED *after = restarted(before, BEFORE_MS + 10000, WALL_MS - 10 * (uint64_t)DAY_MS);
    assert_int_equal(bursar_breaker_next_change_at_ms(after, AFTER_MS), AFTER_MS + TIMEOUT_MS - 10000);
    assert_int_equal(bursar_breaker_failure_count(after, AFTER_MS), 5);
    SCOPED *at_zero = restarted(before, BEFORE_MS + 10000, 0);
    assert_int_equal(bursar_breaker_next_change_at_ms(at_zero, AFTER_MS), AFTER_MS + TIMEOUT_MS - 10000);
}

static void a_wall_clock_that_jumped_far_ahead_costs_a_few_trials_and_closes_nothing(void **state)
{
    (void)state;
    SCOPED *before = breaker_with(defaults);
    fail_times(before, 5, BEFORE_MS);
    SCOPED *after = restarted(before, BEFORE_MS, UINT64_MAX);
    assert_int_equal(bursar_breaker_state(after, AFTER_MS), BURSAR_BREAKER_HALF_OPEN);
    (void)let_through(after, AFTER_MS);
    bursar_breaker_record_failure(after, let_through(after, AFTER_MS), AFTER_MS);
    assert_int_equal(bursar_breaker_next_change_at_ms(after, AFTER_MS), AFTER_MS + TIMEOUT_MS);
    assert_int_equal(bursar_breaker_since_failure_ms(after, AFTER_MS), 0);
}

static void open_lasts_no_longer_than_the_timeout_that_is_configured_now(void **state)
{
    (void)state;
    struct bursar_breaker_memory memory;
    SCOPED *before = breaker_with((struct bursar_breaker_config){
        .failure_threshold = 5, .success_threshold = 2, .timeout_ms = DAY_MS, .window_ms = WINDOW_MS });
    fail_times(before, 5, BEFORE_MS);
    bursar_breaker_save(before, BEFORE_MS, WALL_MS, &memory);
    SCOPED *after = breaker_with(defaults);
    assert_int_equal(bursar_breaker_restore(after, &memory, AFTER_MS, WALL_MS, NULL), BURSAR_OK);
    assert_int_equal(bursar_breaker_next_change_at_ms(after, AFTER_MS), AFTER_MS + TIMEOUT_MS);
}

static void with_a_lower_threshold_that_is_already_reached_the_next_failure_opens_it(void **state)
{
    (void)state;
    struct bursar_breaker_memory memory;
    SCOPED *before = breaker_with(defaults);
    fail_times(before, 4, BEFORE_MS);
    bursar_breaker_save(before, BEFORE_MS, WALL_MS, &memory);
    SCOPED *after = breaker_with((struct bursar_breaker_config){
        .failure_threshold = 3, .success_threshold = 2, .timeout_ms = TIMEOUT_MS, .window_ms = WINDOW_MS });
    assert_int_equal(bursar_breaker_restore(after, &memory, AFTER_MS, WALL_MS + 1000, NULL), BURSAR_OK);
    assert_int_equal(bursar_breaker_state(after, AFTER_MS), BURSAR_BREAKER_CLOSED); /* restarting decides nothing */
    fail_times(after, 1, AFTER_MS);
    assert_true(refuses(after, AFTER_MS + TIMEOUT_MS - 1));
    assert_int_equal(bursar_breaker_state(after, AFTER_MS + TIMEOUT_MS), BURSAR_BREAKER_HALF_OPEN);
}

static void of_too_many_failures_the_newest_are_kept(void **state)
{
    (void)state;
    struct bursar_breaker_memory memory;
    SCOPED *before = breaker_with(defaults);
    for (unsigned i = 0; i < 4; i++)
        fail_times(before, 1, BEFORE_MS + i * 1000);
    bursar_breaker_save(before, BEFORE_MS + 3000, WALL_MS, &memory);
    SCOPED *after = breaker_with((struct bursar_breaker_config){
        .failure_threshold = 2, .success_threshold = 2, .timeout_ms = TIMEOUT_MS, .window_ms = WINDOW_MS });
    assert_int_equal(bursar_breaker_restore(after, &memory, AFTER_MS, WALL_MS, NULL), BURSAR_OK);
    assert_int_equal(bursar_breaker_failure_count(after, AFTER_MS + WINDOW_MS - 1001), 2);
    assert_int_equal(bursar_breaker_failure_count(after, AFTER_MS + WINDOW_MS - 1000), 1);
}

static void tickets_from_before_a_restore_count_for_nothing_after_it(void **state)
{
    (void)state;
    struct bursar_breaker_memory memory;
    SCOPED *breaker = breaker_with(defaults);
    struct bursar_breaker_ticket late = let_through(breaker, BEFORE_MS);
    bursar_breaker_save(breaker, BEFORE_MS, WALL_MS, &memory);
    assert_int_equal(bursar_breaker_restore(breaker, &memory, BEFORE_MS, WALL_MS, NULL), BURSAR_OK);
    bursar_breaker_record_failure(breaker, late, BEFORE_MS);
    assert_int_equal(bursar_breaker_failure_count(breaker, BEFORE_MS), 0);
}

static void expect_damaged(struct bursar_breaker_memory memory, const char *why)
{
    struct bursar_error err = { 0 };
    SCOPED *breaker = breaker_with(defaults);
    fail_times(breaker, 3, AFTER_MS);
    assert_int_equal(bursar_breaker_restore(breaker, &memory, AFTER_MS, WALL_MS, &err), BURSAR_EINVAL);
    if (!strstr(err.message, why))
        fail_msg("\"%s\" does not say \"%s\"", err.message, why);
    assert_int_equal(bursar_breaker_failure_count(breaker, AFTER_MS), 3);
}

static void a_damaged_memory_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    struct bursar_breaker_memory good = { .failed_ago_ms = 1, .changed_ago_ms = BURSAR_BREAKER_NEVER, .failures = 2 };
    good.failure_ago_ms[0] = 9;
    good.failure_ago_ms[1] = 1;
    SCOPED *breaker = breaker_with(defaults);
    assert_int_equal(bursar_breaker_restore(breaker, &good, AFTER_MS, WALL_MS, NULL), BURSAR_OK);
    struct bursar_breaker_memory bad;
#define WITH(field, value) (bad = good, bad.field = (value), bad)
    expect_damaged(WITH(state, (enum bursar_breaker_state)3), "no such state");
    expect_damaged(WITH(forced, true), "forced, but not open");
    expect_damaged(WITH(open_left_ms, 2 * DAY_MS + 1), "longer than any");
    expect_damaged(WITH(openings, 1), "not closed since");
    expect_damaged(WITH(held_left_ms, DAY_MS + 1), "for longer than can be");
    expect_damaged(WITH(slices, BURSAR_BREAKER_SLICES + 1), "more slices");
    expect_damaged(WITH(successes, 1), "not half-open");
    expect_damaged(WITH(trials, 1), "not half-open");
    expect_damaged(WITH(failures, 1001), "more failures");
    expect_damaged(WITH(failure_ago_ms[1], 10), "out of order");
    expect_damaged(WITH(failure_ago_ms[0], DAY_MS + 1), "older than any window");
    good.state = BURSAR_BREAKER_HALF_OPEN;
    expect_damaged(WITH(successes, 1001), "more trials");
    expect_damaged(WITH(trials, 1001), "more trials");
    expect_damaged(WITH(held_left_ms, 1), "held closed, but not closed");
#undef WITH
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(state_persists_open_with_its_deadline),
        cmocka_unit_test(a_timeout_that_ended_while_down_leaves_it_half_open_never_closed),
        cmocka_unit_test(failures_in_the_window_persist_and_age_while_down),
        cmocka_unit_test(a_process_that_fails_once_and_dies_opens_it_all_the_same),
        cmocka_unit_test(a_crash_loop_neither_closes_an_open_breaker_nor_keeps_it_open),
        cmocka_unit_test(a_process_that_dies_in_its_trials_gets_no_new_ones_by_starting_again),
        cmocka_unit_test(half_open_keeps_its_successes_but_is_not_closed_by_restarting),
        cmocka_unit_test(forced_open_persists_without_a_timer),
        cmocka_unit_test(never_persists_as_never),
        cmocka_unit_test(a_wall_clock_that_jumped_back_keeps_it_open_for_a_timeout_at_most),
        cmocka_unit_test(a_wall_clock_that_jumped_far_ahead_costs_a_few_trials_and_closes_nothing),
        cmocka_unit_test(open_lasts_no_longer_than_the_timeout_that_is_configured_now),
        cmocka_unit_test(with_a_lower_threshold_that_is_already_reached_the_next_failure_opens_it),
        cmocka_unit_test(of_too_many_failures_the_newest_are_kept),
        cmocka_unit_test(tickets_from_before_a_restore_count_for_nothing_after_it),
        cmocka_unit_test(a_damaged_memory_is_refused_and_changes_nothing),
    };
    return cmocka_run_group_tests_name("domain breaker memory", tests, NULL, NULL);
}

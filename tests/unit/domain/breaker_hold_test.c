/* Held closed by a person for a time: nothing opens it, everything is seen, and it never lasts longer than asked for.
 */
#include <bursar/breaker.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cleanup.h"

#define START_MS 1000
#define HOUR_MS 3600000
#define WINDOW_MS 300000
#define END_MS (START_MS + HOUR_MS)
#define WALL_MS UINT64_C(1790000000000)
#define AFTER_MS 700 /* the clock of a process that starts later */

static const struct bursar_breaker_config defaults = BURSAR_BREAKER_DEFAULTS;

static void free_breaker(struct bursar_breaker **breaker)
{
    bursar_breaker_free(*breaker);
}
#define SCOPED cleanup(free_breaker) struct bursar_breaker

static struct bursar_breaker *breaker_with(const struct bursar_breaker_config *config)
{
    struct bursar_breaker *breaker = NULL;
    assert_int_equal(bursar_breaker_new(config, &breaker, NULL), BURSAR_OK);
    return breaker;
}

static struct bursar_breaker *held(void)
{
    struct bursar_breaker *breaker = breaker_with(&defaults);
    bursar_breaker_force_close_for(breaker, START_MS, HOUR_MS);
    return breaker;
}

static struct bursar_breaker_view look(struct bursar_breaker *breaker, uint64_t now_ms)
{
    struct bursar_breaker_view view;
    bursar_breaker_look(breaker, now_ms, &view);
    return view;
}

static void fail_times(struct bursar_breaker *breaker, unsigned times, uint64_t now_ms)
{
    for (unsigned i = 0; i < times; i++) {
        struct bursar_breaker_ticket ticket;
        assert_true(bursar_breaker_allow_request(breaker, now_ms, &ticket));
        bursar_breaker_record_failure(breaker, ticket, now_ms);
    }
}

static void succeed_times(struct bursar_breaker *breaker, unsigned times, uint64_t now_ms)
{
    for (unsigned i = 0; i < times; i++) {
        struct bursar_breaker_ticket ticket;
        assert_true(bursar_breaker_allow_request(breaker, now_ms, &ticket));
        bursar_breaker_record_success(breaker, ticket, now_ms);
    }
}

static void failures_are_counted_and_seen_but_do_not_open_it(void **state)
{
    (void)state;
    SCOPED *breaker = breaker_with(&defaults);
    fail_times(breaker, 5, START_MS - 1);
    assert_int_equal(bursar_breaker_state(breaker, START_MS), BURSAR_BREAKER_OPEN);
    bursar_breaker_force_close_for(breaker, START_MS, HOUR_MS);
    struct bursar_breaker_view view = look(breaker, START_MS);
    assert_int_equal(view.state, BURSAR_BREAKER_CLOSED);
    assert_true(view.forced);
    assert_int_equal(view.failures, 0);
    assert_int_equal(view.next_change_at_ms, END_MS);
    assert_int_equal(view.next_allow_at_ms, START_MS);
    uint64_t changes = view.changes;
    fail_times(breaker, 50, END_MS - 1);
    view = look(breaker, END_MS - 1);
    assert_int_equal(view.state, BURSAR_BREAKER_CLOSED);
    assert_int_equal(view.failures, 5);
    assert_int_equal(view.since_failure_ms, 0);
    assert_int_equal(view.changes, changes + 50); /* a restart must not forget them */
}

static void once_it_is_over_the_next_failure_judges_what_is_in_the_window(void **state)
{
    (void)state;
    SCOPED *breaker = held();
    fail_times(breaker, 9, END_MS - 10);
    struct bursar_breaker_view before = look(breaker, END_MS - 1), view = look(breaker, END_MS);
    assert_true(before.forced);
    assert_false(view.forced);
    assert_int_equal(view.state, BURSAR_BREAKER_CLOSED); /* time alone opens nothing */
    assert_true(view.next_change_at_ms == BURSAR_BREAKER_NEVER);
    assert_int_equal(view.failures, 5);
    assert_true(view.changes > before.changes); /* news to save */
    succeed_times(breaker, 3, END_MS + 1);
    assert_int_equal(bursar_breaker_state(breaker, END_MS + 1), BURSAR_BREAKER_CLOSED);
    fail_times(breaker, 1, END_MS + 2);
    assert_int_equal(bursar_breaker_state(breaker, END_MS + 2), BURSAR_BREAKER_OPEN);
    assert_int_equal(look(breaker, END_MS + 2).openings, 1);
}

static void what_failed_in_it_ages_as_ever(void **state)
{
    (void)state;
    SCOPED *breaker = held();
    fail_times(breaker, 9, END_MS - 10);
    assert_int_equal(look(breaker, END_MS - 11 + WINDOW_MS).failures, 5);
    fail_times(breaker, 4, END_MS - 10 + WINDOW_MS);
    assert_int_equal(bursar_breaker_state(breaker, END_MS + WINDOW_MS), BURSAR_BREAKER_CLOSED);
    fail_times(breaker, 1, END_MS + WINDOW_MS);
    assert_int_equal(bursar_breaker_state(breaker, END_MS + WINDOW_MS), BURSAR_BREAKER_OPEN);
}

static void a_failure_at_its_very_end_is_after_it_whoever_looks_first(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 2; round++) {
        SCOPED *breaker = held();
        struct bursar_breaker_ticket in_it;
        fail_times(breaker, 4, END_MS - 1);
        assert_true(bursar_breaker_allow_request(breaker, END_MS - 1, &in_it));
        if (round)
            (void)look(breaker, END_MS);
        bursar_breaker_record_failure(breaker, in_it, END_MS); /* asked in it: counts all the same */
        assert_int_equal(bursar_breaker_state(breaker, END_MS), BURSAR_BREAKER_OPEN);
    }
}

static void it_ends_with_the_next_change_by_hand(void **state)
{
    (void)state;
    void (*const changes[])(struct bursar_breaker *, uint64_t) = { bursar_breaker_force_close, bursar_breaker_reset };
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        SCOPED *breaker = held();
        fail_times(breaker, 9, START_MS);
        changes[i](breaker, START_MS + 1);
        assert_false(look(breaker, START_MS + 1).forced);
        assert_int_equal(look(breaker, START_MS + 1).failures, 0);
        fail_times(breaker, 5, START_MS + 2);
        assert_int_equal(bursar_breaker_state(breaker, START_MS + 2), BURSAR_BREAKER_OPEN);
    }
    SCOPED *breaker = held();
    bursar_breaker_force_open(breaker, START_MS + 1);
    assert_int_equal(look(breaker, END_MS + 1).state, BURSAR_BREAKER_OPEN); /* and stays so */
    assert_true(look(breaker, END_MS + 1).next_change_at_ms == BURSAR_BREAKER_NEVER);
}

static void a_new_hold_takes_the_place_of_the_old_one(void **state)
{
    (void)state;
    SCOPED *breaker = held();
    bursar_breaker_force_close_for(breaker, START_MS + 10, 500);
    assert_int_equal(look(breaker, START_MS + 10).next_change_at_ms, START_MS + 510);
    bursar_breaker_force_close_for(breaker, START_MS + 10, 0);
    assert_false(look(breaker, START_MS + 10).forced);
}

static void it_is_cut_to_a_day(void **state)
{
    (void)state;
    SCOPED *breaker = breaker_with(&defaults);
    bursar_breaker_force_close_for(breaker, START_MS, UINT64_MAX);
    assert_int_equal(look(breaker, START_MS).next_change_at_ms, START_MS + BURSAR_BREAKER_HELD_MAX_MS);
    bursar_breaker_force_close_for(breaker, UINT64_MAX, UINT64_MAX); /* the end of time */
    assert_true(look(breaker, UINT64_MAX).forced);
}

static void a_rate_and_slow_calls_do_not_open_it_either(void **state)
{
    (void)state;
    struct bursar_breaker_config config = defaults;
    config.failure_rate_percent = 50;
    config.rate_min_calls = 10;
    config.slow_call_ms = 2000;
    SCOPED *breaker = breaker_with(&config);
    struct bursar_breaker_ticket slow;
    bursar_breaker_force_close_for(breaker, START_MS, HOUR_MS);
    succeed_times(breaker, 5, END_MS - 5000);
    fail_times(breaker, 14, END_MS - 5000);
    assert_true(bursar_breaker_allow_request(breaker, END_MS - 5000, &slow));
    bursar_breaker_record_success(breaker, slow, END_MS - 3000);
    struct bursar_breaker_view view = look(breaker, END_MS);
    assert_int_equal(view.state, BURSAR_BREAKER_CLOSED);
    assert_int_equal(view.rate_calls, 20);
    assert_int_equal(view.rate_failures, 15);
    fail_times(breaker, 1, END_MS);
    assert_int_equal(bursar_breaker_state(breaker, END_MS), BURSAR_BREAKER_OPEN);
}

static void another_configuration_neither_ends_it_nor_opens_it(void **state)
{
    (void)state;
    struct bursar_breaker_config stricter = defaults;
    stricter.failure_threshold = 2;
    SCOPED *breaker = held();
    fail_times(breaker, 4, END_MS - 10);
    assert_int_equal(bursar_breaker_reconfigure(breaker, &stricter, END_MS - 9, NULL), BURSAR_OK);
    fail_times(breaker, 1, END_MS - 1);
    struct bursar_breaker_view view = look(breaker, END_MS - 1);
    assert_int_equal(view.state, BURSAR_BREAKER_CLOSED);
    assert_int_equal(view.next_change_at_ms, END_MS);
    assert_int_equal(view.failures, 2);
    assert_int_equal(bursar_breaker_reconfigure(breaker, &defaults, END_MS, NULL), BURSAR_OK);
    assert_false(look(breaker, END_MS).forced);
}

/* Saved 20 minutes into an hour, at WALL_MS; restored by a new process at (AFTER_MS, wall). */
static struct bursar_breaker *restarted(struct bursar_breaker *breaker, uint64_t wall_ms)
{
    struct bursar_breaker_memory memory;
    bursar_breaker_save(breaker, START_MS + HOUR_MS / 3, WALL_MS, &memory);
    assert_false(memory.forced);
    assert_int_equal(memory.held_left_ms, HOUR_MS / 3 * 2);
    struct bursar_breaker *next = breaker_with(&defaults);
    assert_int_equal(bursar_breaker_restore(next, &memory, AFTER_MS, wall_ms, NULL), BURSAR_OK);
    return next;
}

static void a_restart_keeps_what_is_left_of_it(void **state)
{
    (void)state;
    SCOPED *before = held();
    fail_times(before, 9, START_MS + HOUR_MS / 3);
    SCOPED *after = restarted(before, WALL_MS + 60000);
    uint64_t end_ms = AFTER_MS + HOUR_MS / 3 * 2 - 60000;
    assert_true(look(after, AFTER_MS).forced);
    assert_int_equal(look(after, AFTER_MS).next_change_at_ms, end_ms);
    assert_int_equal(look(after, AFTER_MS).failures, 5);
    fail_times(after, 5, end_ms - 1);
    fail_times(after, 1, end_ms);
    assert_int_equal(bursar_breaker_state(after, end_ms), BURSAR_BREAKER_OPEN);
}

static void one_that_ended_while_down_is_over_and_the_restart_itself_opens_nothing(void **state)
{
    (void)state;
    struct bursar_breaker_config long_window = defaults;
    long_window.window_ms = BURSAR_BREAKER_DURATION_MAX_MS;
    SCOPED *before = breaker_with(&long_window), *after = breaker_with(&long_window);
    struct bursar_breaker_memory memory;
    bursar_breaker_force_close_for(before, START_MS, HOUR_MS);
    fail_times(before, 9, START_MS);
    bursar_breaker_save(before, START_MS, WALL_MS, &memory);
    assert_int_equal(bursar_breaker_restore(after, &memory, AFTER_MS, WALL_MS + HOUR_MS, NULL), BURSAR_OK);
    assert_false(look(after, AFTER_MS).forced);
    assert_int_equal(look(after, AFTER_MS).state, BURSAR_BREAKER_CLOSED); /* as it was without a restart */
    assert_int_equal(look(after, AFTER_MS).failures, 5);
    fail_times(after, 1, AFTER_MS);
    assert_int_equal(bursar_breaker_state(after, AFTER_MS), BURSAR_BREAKER_OPEN);
}

static void however_the_wall_clock_jumps_it_only_becomes_shorter(void **state)
{
    (void)state;
    const uint64_t left_ms = HOUR_MS / 3 * 2;
    const struct {
        uint64_t wall_ms, left_ms;
    } jumps[] = {
        { WALL_MS, left_ms },
        { WALL_MS - 1000, left_ms - 1000 }, /* another machine's, that lags */
        { WALL_MS + left_ms - 1, 1 },
        { WALL_MS - left_ms + 1, 1 },
        { WALL_MS + left_ms, 0 },
        { WALL_MS - left_ms, 0 },
        { 0, 0 },
        { UINT64_MAX, 0 },
    };
    for (size_t i = 0; i < sizeof jumps / sizeof *jumps; i++) {
        SCOPED *before = held();
        SCOPED *after = restarted(before, jumps[i].wall_ms);
        struct bursar_breaker_view view = look(after, AFTER_MS);
        assert_int_equal(view.state, BURSAR_BREAKER_CLOSED);
        assert_int_equal(view.forced, jumps[i].left_ms > 0);
        if (view.forced)
            assert_int_equal(view.next_change_at_ms - AFTER_MS, jumps[i].left_ms);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failures_are_counted_and_seen_but_do_not_open_it),
        cmocka_unit_test(once_it_is_over_the_next_failure_judges_what_is_in_the_window),
        cmocka_unit_test(what_failed_in_it_ages_as_ever),
        cmocka_unit_test(a_failure_at_its_very_end_is_after_it_whoever_looks_first),
        cmocka_unit_test(it_ends_with_the_next_change_by_hand),
        cmocka_unit_test(a_new_hold_takes_the_place_of_the_old_one),
        cmocka_unit_test(it_is_cut_to_a_day),
        cmocka_unit_test(a_rate_and_slow_calls_do_not_open_it_either),
        cmocka_unit_test(another_configuration_neither_ends_it_nor_opens_it),
        cmocka_unit_test(a_restart_keeps_what_is_left_of_it),
        cmocka_unit_test(one_that_ended_while_down_is_over_and_the_restart_itself_opens_nothing),
        cmocka_unit_test(however_the_wall_clock_jumps_it_only_becomes_shorter),
    };
    return cmocka_run_group_tests_name("domain breaker hold", tests, NULL, NULL);
}

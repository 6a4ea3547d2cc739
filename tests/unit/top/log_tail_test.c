/* The end of the log: how many payments got on in the last minute, and the last events. */
#include "top/log_tail.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define NOW_S 1760000000u

static struct log_tail tail;

static int set_up(void **state)
{
    (void)state;
    tail = (struct log_tail){ 0 };
    return 0;
}

static void move(uint64_t at_s, int from, int to)
{
    struct event_record event = { .at_ms = at_s * 1000 + 500, .from_state = from, .to_state = to, .ref = "r" };
    log_tail_add(&tail, &event);
}

static void assert_rate(uint64_t now_s, uint64_t wanted_included, uint64_t wanted_final)
{
    uint64_t included, final;
    log_tail_rate(&tail, now_s * 1000, &included, &final);
    assert_int_equal(included, wanted_included);
    assert_int_equal(final, wanted_final);
}

static void a_minute_is_counted_and_no_more(void **state)
{
    (void)state;
    move(NOW_S, STATE_QUEUED, STATE_STAGED);
    assert_rate(NOW_S, 0, 0);
    move(NOW_S, STATE_STAGED, STATE_EXECUTED);
    move(NOW_S + 1, STATE_STAGED, STATE_EXECUTED);
    move(NOW_S + 1, STATE_EXECUTED, STATE_FINALIZED);
    assert_rate(NOW_S + 1, 2, 1);
    assert_rate(NOW_S + 59, 2, 1);
    assert_rate(NOW_S + 60, 1, 1);
    assert_rate(NOW_S + 61, 0, 0);
    move(NOW_S + 61, STATE_STAGED, STATE_FINALIZED); /* where accepted is final */
    assert_rate(NOW_S + 61, 1, 1);
}

static void a_clock_that_was_put_back_counts_nothing_twice(void **state)
{
    (void)state;
    move(NOW_S, STATE_STAGED, STATE_EXECUTED);
    move(NOW_S - 60, STATE_STAGED, STATE_EXECUTED); /* the same place in the ring */
    assert_rate(NOW_S, 1, 0);
    assert_rate(NOW_S - 60, 0, 0);
}

static void the_newest_comes_first_and_the_oldest_is_forgotten(void **state)
{
    (void)state;
    assert_null(log_tail_event(&tail, 0));
    for (uint64_t i = 0; i < LOG_TAIL_EVENTS_COUNT + 5; i++)
        move(i, STATE_QUEUED, STATE_STAGED);
    assert_int_equal(log_tail_event(&tail, 0)->at_ms, (LOG_TAIL_EVENTS_COUNT + 4) * 1000 + 500);
    assert_int_equal(log_tail_event(&tail, LOG_TAIL_EVENTS_COUNT - 1)->at_ms, 5500);
    assert_null(log_tail_event(&tail, LOG_TAIL_EVENTS_COUNT));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_minute_is_counted_and_no_more, set_up),
        cmocka_unit_test_setup(a_clock_that_was_put_back_counts_nothing_twice, set_up),
        cmocka_unit_test_setup(the_newest_comes_first_and_the_oldest_is_forgotten, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

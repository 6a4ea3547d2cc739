/* Order, backoff, and where a webhook stands. */
#include "webhook/queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct hook_queue queue;
static uint64_t kept[HOOK_PENDING_MAX_COUNT];

static int set_up(void **state)
{
    (void)state;
    queue = (struct hook_queue){ .retry_ms = 1000, .retry_max_ms = 60000 };
    return 0;
}

static void add(uint64_t seq, int64_t lane)
{
    assert_true(hook_queue_add(&queue, seq, lane));
    queue.read_seq = seq;
}

/* 0: none */
static uint64_t next(uint64_t now_ms)
{
    uint64_t seq = 0;
    return hook_queue_next(&queue, now_ms, &seq) ? seq : 0;
}

static void assert_position(uint64_t wanted, size_t wanted_kept)
{
    uint64_t seq;
    size_t count;
    hook_position(&queue, &seq, kept, &count);
    assert_int_equal(seq, wanted);
    assert_int_equal(count, wanted_kept);
}

static void waits_double_up_to_a_ceiling_with_jitter(void **state)
{
    (void)state;
    static const uint64_t wanted[] = { 1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000 };
    for (unsigned i = 0; i < 8; i++) {
        assert_int_equal(hook_backoff_ms(1000, 60000, i + 1, 0), wanted[i] / 2);
        assert_int_equal(hook_backoff_ms(1000, 60000, i + 1, wanted[i] / 2), wanted[i]);
        assert_int_equal(hook_backoff_ms(1000, 60000, i + 1, wanted[i] / 2 + 1), wanted[i] / 2);
    }
    assert_in_range(hook_backoff_ms(1000, 60000, 4000000000U, UINT64_MAX), 30000, 60000);
    assert_in_range(hook_backoff_ms(10, 10, 3, 12345), 5, 10);
}

static void a_lane_is_delivered_one_by_one_and_others_beside_it(void **state)
{
    (void)state;
    add(1, 7);
    add(2, 7);
    add(3, 8);
    assert_int_equal(next(0), 1);
    assert_int_equal(next(0), 3);
    assert_int_equal(next(0), 0);
    hook_queue_delivered(&queue, 3, 0);
    assert_int_equal(next(0), 0);
    hook_queue_delivered(&queue, 1, 0);
    assert_int_equal(next(0), 2);
    hook_queue_put_back(&queue, 2);
    assert_int_equal(next(0), 2);
}

static void no_more_than_a_few_at_once(void **state)
{
    (void)state;
    for (uint64_t i = 1; i <= 10; i++)
        add(i, (int64_t)i);
    for (uint64_t i = 1; i <= HOOK_SENDING_MAX_COUNT; i++)
        assert_int_equal(next(0), i);
    assert_int_equal(next(0), 0);
}

static void what_fails_holds_back_its_lane_only(void **state)
{
    (void)state;
    add(1, 7);
    add(2, 7);
    add(3, 8);
    add(4, 8);
    assert_int_equal(next(0), 1);
    hook_queue_failed(&queue, 1, 0, 0); /* due again at 500 */
    assert_int_equal(next(0), 3);
    hook_queue_delivered(&queue, 3, 0);
    assert_int_equal(next(0), 4);
    hook_queue_delivered(&queue, 4, 0);
    assert_int_equal(next(499), 0);
    assert_int_equal(hook_queue_wake_ms(&queue), 500);
    assert_int_equal(next(500), 1);
    hook_queue_failed(&queue, 1, 500, 0);
    assert_int_equal(hook_queue_wake_ms(&queue), 1500);
    add(10, 10);
    assert_int_equal(hook_queue_retry_ms(&queue), 1500); /* whatever else is to be sent */
    assert_int_equal(next(500), 10);
    hook_queue_delivered(&queue, 10, 500);
    assert_int_equal(next(1500), 1);
    assert_int_equal(hook_queue_retry_ms(&queue), 1500); /* being tried */
    hook_queue_delivered(&queue, 1, 1500);
    assert_int_equal(hook_queue_retry_ms(&queue), UINT64_MAX);
    assert_int_equal(next(1500), 2);
}

static void one_that_is_never_taken_slows_nobody_down(void **state)
{
    (void)state;
    uint64_t now_ms = 0;
    add(1, 7);
    for (int i = 0; i < 20; i++, now_ms += 60000) {
        assert_int_equal(next(now_ms), 1);
        hook_queue_failed(&queue, 1, now_ms, 0);
    }
    add(2, 8);
    add(3, 9);
    now_ms -= 60000;
    assert_int_equal(next(now_ms), 2); /* at once, and beside each other */
    assert_int_equal(next(now_ms), 3);
}

static void a_receiver_that_is_down_is_tried_with_one_at_a_time(void **state)
{
    (void)state;
    for (uint64_t i = 1; i <= 10; i++)
        add(i, (int64_t)i);
    for (uint64_t i = 1; i <= HOOK_SENDING_MAX_COUNT; i++)
        assert_int_equal(next(0), i);
    for (uint64_t i = 1; i <= HOOK_SENDING_MAX_COUNT; i++)
        hook_queue_failed(&queue, i, 0, 0);
    assert_int_equal(next(999), 0); /* 4 failures: the second wait */
    assert_int_equal(hook_queue_wake_ms(&queue), 1000);
    assert_int_equal(hook_queue_retry_ms(&queue), 1000); /* though the first of them would be due at 500 */
    assert_int_equal(next(1000), 5);
    assert_int_equal(next(1000), 0);
    hook_queue_failed(&queue, 5, 1000, 0);
    assert_int_equal(next(2999), 0);
    assert_int_equal(next(3000), 6);
    hook_queue_delivered(&queue, 6, 3000); /* it is back: all at once, those that had failed too */
    assert_int_equal(next(3000), 1);
    assert_int_equal(next(3000), 2);
    assert_int_equal(next(3000), 3);
    assert_int_equal(next(3000), 4);
}

static void a_receiver_that_is_another_is_tried_at_once(void **state)
{
    (void)state;
    for (uint64_t i = 1; i <= HOOK_DOWN_FAILURES; i++) {
        add(i, (int64_t)i);
        assert_int_equal(next(0), i);
        hook_queue_failed(&queue, i, 0, 0);
    }
    assert_int_equal(next(100), 0);
    hook_queue_try_now(&queue, 100);
    for (uint64_t i = 1; i <= HOOK_DOWN_FAILURES; i++)
        assert_int_equal(next(100), i);
}

static void where_it_stands_leaves_out_nothing(void **state)
{
    (void)state;
    assert_position(0, 0);
    add(11, 7);
    add(12, 8);
    add(13, 7);
    queue.read_seq = 20; /* others that are not meant for it */
    assert_position(10, 0);
    assert_int_equal(next(0), 11);
    assert_int_equal(next(0), 12);
    hook_queue_delivered(&queue, 12, 0);
    assert_position(10, 0);
    hook_queue_failed(&queue, 11, 0, 0); /* and 13 waits for it: both are kept, and all else goes on */
    assert_position(20, 2);
    assert_int_equal(kept[0], 11);
    assert_int_equal(kept[1], 13);
    add(21, 9);
    add(22, 7);
    assert_position(20, 2);
    assert_int_equal(next(0), 21);
    hook_queue_delivered(&queue, 21, 0);
    assert_position(22, 3);
}

static void after_a_restart_what_was_kept_comes_first(void **state)
{
    (void)state;
    queue.read_seq = 20;
    assert_true(hook_queue_add_kept(&queue, 11, 7));
    assert_true(hook_queue_add_kept(&queue, 13, 7));
    add(21, 7);
    assert_position(21, 3);
    assert_int_equal(next(0), 11);
    hook_queue_delivered(&queue, 11, 0);
    assert_int_equal(next(0), 13);
    hook_queue_delivered(&queue, 13, 0);
    assert_int_equal(next(0), 21);
    hook_queue_delivered(&queue, 21, 0);
    assert_position(21, 0);
}

static void a_full_queue_takes_no_more(void **state)
{
    (void)state;
    for (uint64_t i = 1; i <= HOOK_PENDING_MAX_COUNT; i++)
        add(i, 7);
    assert_false(hook_queue_add(&queue, 1000, 8));
    assert_position(0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(waits_double_up_to_a_ceiling_with_jitter, set_up),
        cmocka_unit_test_setup(a_lane_is_delivered_one_by_one_and_others_beside_it, set_up),
        cmocka_unit_test_setup(no_more_than_a_few_at_once, set_up),
        cmocka_unit_test_setup(what_fails_holds_back_its_lane_only, set_up),
        cmocka_unit_test_setup(one_that_is_never_taken_slows_nobody_down, set_up),
        cmocka_unit_test_setup(a_receiver_that_is_down_is_tried_with_one_at_a_time, set_up),
        cmocka_unit_test_setup(a_receiver_that_is_another_is_tried_at_once, set_up),
        cmocka_unit_test_setup(where_it_stands_leaves_out_nothing, set_up),
        cmocka_unit_test_setup(after_a_restart_what_was_kept_comes_first, set_up),
        cmocka_unit_test_setup(a_full_queue_takes_no_more, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

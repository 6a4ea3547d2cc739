/* How many requests a client may make. */
#include "http/rate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct rate rate;
static uint8_t alice[RATE_CLIENT_BYTES] = { 1 }, bob[RATE_CLIENT_BYTES] = { 2 };
static uint64_t wait_ms;

static int set_up(void **state)
{
    (void)state;
    rate = (struct rate){ .requests_per_s = 10 };
    return 0;
}

static int allowed(const uint8_t *client, uint64_t now_ms, int tries)
{
    int count = 0;
    for (int i = 0; i < tries; i++)
        count += rate_allow(&rate, client, now_ms, &wait_ms);
    return count;
}

static void as_many_at_once_as_in_a_second_and_then_one_by_one(void **state)
{
    (void)state;
    assert_int_equal(allowed(alice, 5000, 30), 10);
    assert_int_equal(wait_ms, 100);
    assert_int_equal(allowed(alice, 5099, 1), 0);
    assert_int_equal(wait_ms, 1);
    assert_int_equal(allowed(alice, 5100, 2), 1);
    assert_int_equal(allowed(alice, 5600, 30), 5);
    assert_int_equal(allowed(alice, 500000, 30), 10);
    assert_int_equal(allowed(alice, 400000, 1), 0); /* a clock that goes back gives nothing */
}

static void one_client_does_not_use_up_anothers(void **state)
{
    (void)state;
    assert_int_equal(allowed(alice, 5000, 30), 10);
    assert_int_equal(allowed(bob, 5000, 30), 10);
}

static void with_too_many_clients_the_quietest_is_forgotten(void **state)
{
    (void)state;
    assert_int_equal(allowed(alice, 1000, 30), 10);
    for (unsigned i = 0; i < RATE_CLIENTS_MAX_COUNT - 1; i++) {
        uint8_t other[RATE_CLIENT_BYTES] = { 3, (uint8_t)i, (uint8_t)(i >> 8) };
        assert_int_equal(allowed(other, 1001, 1), 1);
    }
    assert_int_equal(allowed(alice, 1001, 1), 0); /* is still known */
    assert_int_equal(allowed(bob, 1002, 1), 1);
    assert_int_equal(allowed(bob, 1002, 30), 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(as_many_at_once_as_in_a_second_and_then_one_by_one, set_up),
        cmocka_unit_test_setup(one_client_does_not_use_up_anothers, set_up),
        cmocka_unit_test_setup(with_too_many_clients_the_quietest_is_forgotten, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What the planner makes of what is in flight: reserved, handed over again, found by its hash. */
#include "planner_fixture.h"

static void everything_in_flight_is_reserved_at_its_worst_case(void **state)
{
    (void)state;
    struct flight flights[2] = {
        { .nonce = 5, .value = wei(1000), .gas_limit = 21000, .has_attempt = true, .max_fee_per_gas_wei = 3 },
        { .nonce = 6, .value = wei(500), .gas_limit = 21000, .has_attempt = false },
    };
    struct bursar_amount balance = wei(1000 + 63000 + 500 + 21000 * 7 + 42), available;
    plan_available(&balance, flights, 2, 7, &available);
    assert_int_equal(bursar_amount_compare(available, wei(42)), 0);
    balance = wei(1000);
    plan_available(&balance, flights, 2, 7, &available);
    assert_true(bursar_amount_is_zero(available));
}

static void bytes_are_handed_over_again_only_when_a_pool_lacks_them_or_after_long(void **state)
{
    (void)state;
    struct flight flight = { .nonce = 5, .has_attempt = false };
    const uint64_t now_ms = 10000000;
    assert_false(plan_broadcast(&flight, 5, now_ms));
    flight.has_attempt = true;
    assert_true(plan_broadcast(&flight, 5, now_ms));
    flight.sends = 1;
    flight.last_sent_ms = now_ms - REBROADCAST_GRACE_MS + 1;
    assert_false(plan_broadcast(&flight, 5, now_ms));
    flight.last_sent_ms = now_ms - REBROADCAST_GRACE_MS;
    assert_true(plan_broadcast(&flight, 5, now_ms));
    assert_false(plan_broadcast(&flight, 6, now_ms));
    flight.last_sent_ms = now_ms - REBROADCAST_MS;
    assert_true(plan_broadcast(&flight, 6, now_ms));
    flight.last_sent_ms = now_ms + 5000; /* the wall clock jumped back */
    assert_true(plan_broadcast(&flight, 6, now_ms));
}

static void flights_are_found_by_their_hash(void **state)
{
    (void)state;
    struct flight flights[5];
    struct watched watched[5];
    static const uint8_t bytes[5] = { 9, 3, 7, 1, 5 };
    for (size_t i = 0; i < 5; i++) {
        flights[i] = (struct flight){ .nonce = i, .hash = hash_of(bytes[i]) };
        watched[i] = (struct watched){ .hash = flights[i].hash, .flight = &flights[i] };
    }
    plan_sort_watched(watched, 5);
    for (size_t i = 0; i < 5; i++)
        assert_ptr_equal(plan_find_watched(watched, 5, &flights[i].hash)->flight, &flights[i]);
    struct bursar_hash other = hash_of(4);
    assert_null(plan_find_watched(watched, 5, &other));
    assert_null(plan_find_watched(watched, 0, &other));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_in_flight_is_reserved_at_its_worst_case),
        cmocka_unit_test(bytes_are_handed_over_again_only_when_a_pool_lacks_them_or_after_long),
        cmocka_unit_test(flights_are_found_by_their_hash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

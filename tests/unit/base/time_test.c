/* RFC 3339 text: a schedule must never be read earlier than it was written. */
#include "base/time.h"

#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define SECONDS_PER_DAY 86400
#define LAST_SECOND 253402300799ull

static uint64_t seconds(const char *text)
{
    uint64_t value;
    if (!rfc3339_to_seconds(text, strlen(text), &value))
        fail_msg("refused: %s", text);
    return value;
}

static void known_moments_are_read(void **state)
{
    (void)state;
    assert_int_equal(seconds("1970-01-01T00:00:00Z"), 0);
    assert_int_equal(seconds("1970-01-01T00:00:01Z"), 1);
    assert_int_equal(seconds("2000-02-29T12:00:00Z"), 951825600);
    assert_int_equal(seconds("2024-02-29T23:59:59Z"), 1709251199);
    assert_int_equal(seconds("2024-03-01T00:00:00Z"), 1709251200);
    assert_int_equal(seconds("2026-01-31T12:00:00Z"), 1769860800);
    assert_int_equal(seconds("2038-01-19T03:14:08Z"), 2147483648);
    assert_int_equal(seconds("2100-02-28T00:00:00Z"), 4107456000);
    assert_int_equal(seconds("9999-12-31T23:59:59Z"), LAST_SECOND);
    assert_int_equal(seconds("2026-01-31t12:00:00z"), 1769860800);
}

static void a_zone_is_subtracted(void **state)
{
    (void)state;
    assert_int_equal(seconds("2026-01-31T12:00:00+00:00"), 1769860800);
    assert_int_equal(seconds("2026-01-31T12:00:00-00:00"), 1769860800);
    assert_int_equal(seconds("2026-01-31T13:30:00+01:30"), 1769860800);
    assert_int_equal(seconds("2026-01-31T04:00:00-08:00"), 1769860800);
    assert_int_equal(seconds("2026-02-01T11:59:00+23:59"), 1769860800);
    assert_int_equal(seconds("1970-01-01T01:00:00+01:00"), 0);
}

static void a_fraction_is_rounded_up_so_that_nothing_is_early(void **state)
{
    (void)state;
    assert_int_equal(seconds("2026-01-31T12:00:00.0Z"), 1769860800);
    assert_int_equal(seconds("2026-01-31T12:00:00.000000Z"), 1769860800);
    assert_int_equal(seconds("2026-01-31T12:00:00.000000000000000000001Z"), 1769860801);
    assert_int_equal(seconds("2026-01-31T12:00:00.5+00:00"), 1769860801);
    assert_int_equal(seconds("2026-01-31T12:00:59.999Z"), 1769860860);
}

static void a_leap_second_is_the_next_minute(void **state)
{
    (void)state;
    assert_int_equal(seconds("2016-12-31T23:59:60Z"), seconds("2017-01-01T00:00:00Z"));
}

static void what_is_no_moment_is_refused_and_leaves_the_output_alone(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "2026-01-31",
        "2026-01-31T12:00:00",      /* no zone */
        "2026-01-31T12:00Z",        /* no seconds */
        "2026-01-31T12:00:00+01",   /* half a zone */
        "2026-01-31T12:00:00+0100", /* ISO 8601, not RFC 3339 */
        "2026-01-31T12:00:00 Z",
        "2026-01-31T12:00:00Z ",
        " 2026-01-31T12:00:00Z",
        "2026-01-31T12:00:00ZZ",
        "2026-01-31T12:00:00.Z", /* a point without digits */
        "2026-01-31T12:00:00.5",
        "2026-01-31T12:00:00,5Z",
        "2026-1-31T12:00:00Z",
        "26-01-31T12:00:00Z",
        "2026-00-31T12:00:00Z",
        "2026-13-31T12:00:00Z",
        "2026-01-00T12:00:00Z",
        "2026-01-32T12:00:00Z",
        "2026-04-31T12:00:00Z",
        "2026-02-29T12:00:00Z", /* no leap year */
        "2100-02-29T12:00:00Z", /* no leap year either */
        "2024-02-30T12:00:00Z",
        "2026-01-31T24:00:00Z",
        "2026-01-31T12:60:00Z",
        "2026-01-31T12:00:61Z",
        "2026-01-31T12:00:00+24:00",
        "2026-01-31T12:00:00+01:60",
        "2026-01-31T12:00:00*01:00",
        "2026-01-31X12:00:00Z",
        "2026/01/31T12:00:00Z",
        "1969-12-31T23:59:59Z",
        "1970-01-01T00:59:59+01:00", /* before 1970 */
        "-026-01-31T12:00:00Z",
        "+026-01-31T12:00:00Z",
        "20260-01-31T12:00:00Z",
        "1769860800",
        "next tuesday at about noon",
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        uint64_t value = 77;
        if (rfc3339_to_seconds(bad[i], strlen(bad[i]), &value))
            fail_msg("accepted: %s", bad[i]);
        assert_int_equal(value, 77);
    }
}

static void every_day_follows_the_day_before_and_round_trips(void **state)
{
    (void)state;
    static const unsigned lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    uint64_t day_number = 0;
    for (unsigned year = 1970; year <= 2400; year++) {
        bool leap = year % 400 == 0 || (year % 4 == 0 && year % 100 != 0);
        for (unsigned month = 1; month <= 12; month++) {
            unsigned days = lengths[month - 1] + (month == 2 && leap);
            for (unsigned day = 1; day <= days; day++, day_number++) {
                char expected[64], shown[RFC3339_TEXT_BYTES];
                (void)snprintf(expected, sizeof expected, "%04u-%02u-%02uT23:59:59Z", year, month, day);
                rfc3339_from_seconds(day_number * SECONDS_PER_DAY + SECONDS_PER_DAY - 1, shown);
                assert_string_equal(shown, expected);
                assert_int_equal(seconds(expected), day_number * SECONDS_PER_DAY + SECONDS_PER_DAY - 1);
            }
        }
    }
}

static void the_last_second_of_9999_is_shown_and_what_is_later_too(void **state)
{
    (void)state;
    char shown[RFC3339_TEXT_BYTES];
    rfc3339_from_seconds(LAST_SECOND, shown);
    assert_string_equal(shown, "9999-12-31T23:59:59Z");
    rfc3339_from_seconds(UINT64_MAX, shown);
    assert_string_equal(shown, "9999-12-31T23:59:59Z");
}

static void the_system_clock_is_after_2020_and_its_monotonic_side_never_goes_back(void **state)
{
    (void)state;
    struct clock clock = system_clock();
    assert_true(clock.wall_ms(clock.ctx) > 1577836800000u);
    uint64_t last = clock.monotonic_ms(clock.ctx);
    for (int i = 0; i < 1000; i++) {
        uint64_t now = clock.monotonic_ms(clock.ctx);
        assert_true(now >= last);
        last = now;
    }
}

static void a_duration_is_a_number_with_its_unit_and_nothing_else(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t ms;
    } good[] = { { "1s", 1000 }, { "45s", 45000 }, { "30m", 1800000 }, { "2h", 7200000 }, { "30d", 2592000000 } };
    static const char *const bad[] = { "", "5", "s", "0s", "-1s", "1.5h", "1h ", " 1h", "1w", "1hm", "9999999999s" };
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        uint64_t ms = 0;
        assert_true(duration_to_ms(good[i].text, &ms));
        assert_int_equal(ms, good[i].ms);
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        uint64_t ms = 4711;
        assert_false(duration_to_ms(bad[i], &ms));
        assert_int_equal(ms, 4711);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_moments_are_read),
        cmocka_unit_test(a_zone_is_subtracted),
        cmocka_unit_test(a_fraction_is_rounded_up_so_that_nothing_is_early),
        cmocka_unit_test(a_leap_second_is_the_next_minute),
        cmocka_unit_test(what_is_no_moment_is_refused_and_leaves_the_output_alone),
        cmocka_unit_test(every_day_follows_the_day_before_and_round_trips),
        cmocka_unit_test(the_last_second_of_9999_is_shown_and_what_is_later_too),
        cmocka_unit_test(a_duration_is_a_number_with_its_unit_and_nothing_else),
        cmocka_unit_test(the_system_clock_is_after_2020_and_its_monotonic_side_never_goes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

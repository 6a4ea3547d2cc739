/* The system clock, and civil dates by the days-since-epoch arithmetic of the proleptic Gregorian calendar. */
#include "base/time.h"

#include "base/bytes.h"

#include <stdio.h>
#include <time.h>

#define SECONDS_PER_DAY 86400
#define LAST_SECOND 253402300799ull /* 9999-12-31T23:59:59Z */

static uint64_t read_ms(clockid_t id)
{
    struct timespec now;
    if (clock_gettime(id, &now) != 0)
        return 0;
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static uint64_t system_wall_ms(void *ctx)
{
    (void)ctx;
    return read_ms(CLOCK_REALTIME);
}

static uint64_t system_monotonic_ms(void *ctx)
{
    (void)ctx;
    return read_ms(CLOCK_MONOTONIC);
}

uint64_t measured_us(void)
{
    struct timespec now;
    if (clock_gettime(CLOCK_MONOTONIC, &now) != 0)
        return 0;
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

struct clock system_clock(void)
{
    return (struct clock){ .wall_ms = system_wall_ms, .monotonic_ms = system_monotonic_ms };
}

static bool is_leap(unsigned year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static unsigned days_in_month(unsigned year, unsigned month)
{
    static const unsigned days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

static uint64_t days_before_year(unsigned year)
{
    uint64_t past = year - 1;
    uint64_t days = past * 365 + past / 4 - past / 100 + past / 400;
    return days - 719162; /* days from 0001-01-01 to 1970-01-01 */
}

void rfc3339_from_seconds(uint64_t seconds, char ret[RFC3339_TEXT_BYTES])
{
    if (seconds > LAST_SECOND)
        seconds = LAST_SECOND;
    uint64_t days = seconds / SECONDS_PER_DAY;
    unsigned rest = (unsigned)(seconds % SECONDS_PER_DAY);
    unsigned year = 1970 + (unsigned)(days / 366);
    while (days_before_year(year + 1) <= days)
        year++;
    unsigned day = (unsigned)(days - days_before_year(year)), month = 1;
    while (day >= days_in_month(year, month))
        day -= days_in_month(year, month++);
    (void)snprintf(ret, RFC3339_TEXT_BYTES, "%04u-%02u-%02uT%02u:%02u:%02uZ", year % 10000, month % 100,
                   (day + 1) % 100, rest / 3600 % 100, rest / 60 % 60, rest % 60);
}

static bool digits(const char *text, size_t count, unsigned minimum, unsigned maximum, unsigned *ret)
{
    uint64_t value;
    if (!u64_from_text(text, count, minimum, maximum, &value))
        return false;
    *ret = (unsigned)value;
    return true;
}

bool rfc3339_to_seconds(const char *text, size_t length, uint64_t *ret_seconds)
{
    unsigned year, month, day, hour, minute, second, round_up = 0;
    if (length < 20 || text[4] != '-' || text[7] != '-' || (text[10] != 'T' && text[10] != 't' && text[10] != ' ') ||
        text[13] != ':' || text[16] != ':')
        return false;
    if (!digits(text, 4, 1970, 9999, &year) || !digits(text + 5, 2, 1, 12, &month) ||
        !digits(text + 8, 2, 1, days_in_month(year, month), &day) || !digits(text + 11, 2, 0, 23, &hour) ||
        !digits(text + 14, 2, 0, 59, &minute) || !digits(text + 17, 2, 0, 60, &second))
        return false;
    size_t at = 19;
    if (text[at] == '.') {
        size_t start = ++at;
        while (at < length && text[at] >= '0' && text[at] <= '9')
            round_up |= text[at++] != '0';
        if (at == start)
            return false;
    }
    uint64_t days = days_before_year(year);
    for (unsigned m = 1; m < month; m++)
        days += days_in_month(year, m);
    uint64_t seconds = (days + day - 1) * SECONDS_PER_DAY + hour * 3600 + minute * 60 + second + round_up;
    if (length - at == 1 && (text[at] == 'Z' || text[at] == 'z')) {
        *ret_seconds = seconds;
        return true;
    }
    unsigned zone_hour, zone_minute;
    if (length - at != 6 || (text[at] != '+' && text[at] != '-') || text[at + 3] != ':' ||
        !digits(text + at + 1, 2, 0, 23, &zone_hour) || !digits(text + at + 4, 2, 0, 59, &zone_minute))
        return false;
    uint64_t offset = zone_hour * 3600 + zone_minute * 60;
    if (text[at] == '+') {
        if (offset > seconds)
            return false;
        seconds -= offset;
    } else {
        seconds += offset;
    }
    *ret_seconds = seconds;
    return true;
}

bool duration_to_ms(const char *text, uint64_t *ret_ms)
{
    static const struct {
        char unit;
        uint64_t ms;
    } units[] = { { 's', 1000 }, { 'm', 60000 }, { 'h', 3600000 }, { 'd', 86400000 } };
    uint64_t number = 0;
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 9 || strlen(text) != digits + 1)
        return false;
    for (size_t i = 0; i < digits; i++)
        number = number * 10 + (uint64_t)(text[i] - '0');
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (text[digits] == units[i].unit && number > 0) {
            *ret_ms = number * units[i].ms;
            return true;
        }
    }
    return false;
}

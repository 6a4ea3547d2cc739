/* Time as values: the clock seam, and RFC 3339 text. Nothing else in the code reads a clock. */
#ifndef BASE_TIME_H
#define BASE_TIME_H

#include <bursar/status.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* wall_ms: milliseconds since 1970-01-01T00:00:00Z, for showing and recording; it may jump.
 * monotonic_ms: never goes back; all waiting and expiry is measured on it. */
struct clock {
    void *ctx;
    uint64_t (*wall_ms)(void *ctx);
    uint64_t (*monotonic_ms)(void *ctx);
};
struct clock system_clock(void);
/* For measuring how long something took. Nothing is decided by it. */
uint64_t measured_us(void);

/* "2026-01-31T12:00:00Z" + NUL; milliseconds are cut off. Years 1970-9999. */
#define RFC3339_TEXT_BYTES 24
void rfc3339_from_seconds(uint64_t seconds, char ret[RFC3339_TEXT_BYTES]);
/* RFC 3339 date-time with zone (Z or +hh:mm); a fraction of a second is rounded up, so that nothing is early. */
BURSAR_MUST_CHECK bool rfc3339_to_seconds(const char *text, size_t length, uint64_t *ret_seconds);

/* "45s", "30m", "2h", "1d": a whole number from 1 on with its unit. */
BURSAR_MUST_CHECK bool duration_to_ms(const char *text, uint64_t *ret_ms);

#endif

/* Money: unsigned 256-bit integers of an asset's smallest unit (wei), with checked operations only.
 *
 * Every operation that can leave the range returns false and does not touch its output. No floating
 * point, no silent wrap-around. All functions are pure and safe on any thread. */
#ifndef BURSAR_AMOUNT_H
#define BURSAR_AMOUNT_H

#include <bursar/status.h>

#include <stdbool.h>
#include <stdint.h>

struct bursar_amount {
    uint64_t limb[4]; /* little-endian: limb[0] is the least significant */
};

/* 2^256-1 has 78 decimal digits; with sign-free text and NUL. */
#define BURSAR_AMOUNT_TEXT_BYTES 80
#define BURSAR_AMOUNT_BE_BYTES 32

struct bursar_amount bursar_amount_from_u64(uint64_t value);
/* True and `*ret` set when the amount fits 64 bits. */
BURSAR_MUST_CHECK bool bursar_amount_to_u64(struct bursar_amount amount, uint64_t *ret);
bool bursar_amount_is_zero(struct bursar_amount amount);
/* <0, 0, >0 like memcmp. */
int bursar_amount_compare(struct bursar_amount a, struct bursar_amount b);
BURSAR_MUST_CHECK bool bursar_amount_add(struct bursar_amount a, struct bursar_amount b, struct bursar_amount *ret);
BURSAR_MUST_CHECK bool bursar_amount_subtract(struct bursar_amount a, struct bursar_amount b,
                                              struct bursar_amount *ret);
BURSAR_MUST_CHECK bool bursar_amount_multiply(struct bursar_amount a, uint64_t factor, struct bursar_amount *ret);

/* Big-endian bytes: the form stored and compared (memcmp order = numeric order). */
struct bursar_amount bursar_amount_from_be(const uint8_t bytes[BURSAR_AMOUNT_BE_BYTES]);
void bursar_amount_to_be(struct bursar_amount amount, uint8_t ret[BURSAR_AMOUNT_BE_BYTES]);

/* Base units as a decimal string, no sign, no leading zeros. */
void bursar_amount_to_text(struct bursar_amount amount, char ret[BURSAR_AMOUNT_TEXT_BYTES]);
/* `[0-9]+` in base units, `length_bytes` long. */
BURSAR_MUST_CHECK bool bursar_amount_from_text(const char *text, size_t length_bytes, struct bursar_amount *ret);

/* `[0-9]+(\.[0-9]+)?` in whole units of an asset with `decimals` (0-77), exact: digits beyond `decimals`
 * are refused, also when they are zeros. On failure returns the reason in `err`. */
BURSAR_MUST_CHECK enum bursar_status bursar_amount_from_units(const char *text, size_t length_bytes, unsigned decimals,
                                                              struct bursar_amount *ret, struct bursar_error *err);
/* Whole units with the fraction's trailing zeros dropped: "1.5", "0.000000000000000001". */
#define BURSAR_AMOUNT_UNITS_TEXT_BYTES 84
void bursar_amount_to_units(struct bursar_amount amount, unsigned decimals, char ret[BURSAR_AMOUNT_UNITS_TEXT_BYTES]);

#endif

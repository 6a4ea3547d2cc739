/* 256-bit amounts. Division by ten is only used for printing; nothing here ever rounds. */
#include <bursar/amount.h>

#include <stdio.h>
#include <string.h>

typedef unsigned __int128 wide;

#define LIMBS 4
#define MAX_DIGITS 78
#define MAX_DECIMALS 77

struct bursar_amount bursar_amount_from_u64(uint64_t value)
{
    return (struct bursar_amount){ .limb = { value } };
}

bool bursar_amount_to_u64(struct bursar_amount amount, uint64_t *ret)
{
    if (amount.limb[1] || amount.limb[2] || amount.limb[3])
        return false;
    *ret = amount.limb[0];
    return true;
}

bool bursar_amount_is_zero(struct bursar_amount amount)
{
    return !(amount.limb[0] | amount.limb[1] | amount.limb[2] | amount.limb[3]);
}

int bursar_amount_compare(struct bursar_amount a, struct bursar_amount b)
{
    for (int i = LIMBS - 1; i >= 0; i--) {
        if (a.limb[i] != b.limb[i])
            return a.limb[i] < b.limb[i] ? -1 : 1;
    }
    return 0;
}

bool bursar_amount_add(struct bursar_amount a, struct bursar_amount b, struct bursar_amount *ret)
{
    struct bursar_amount sum;
    wide carry = 0;
    for (int i = 0; i < LIMBS; i++) {
        carry += (wide)a.limb[i] + b.limb[i];
        sum.limb[i] = (uint64_t)carry;
        carry >>= 64;
    }
    if (carry)
        return false;
    *ret = sum;
    return true;
}

bool bursar_amount_subtract(struct bursar_amount a, struct bursar_amount b, struct bursar_amount *ret)
{
    if (bursar_amount_compare(a, b) < 0)
        return false;
    uint64_t borrow = 0;
    for (int i = 0; i < LIMBS; i++) {
        wide take = (wide)b.limb[i] + borrow;
        borrow = a.limb[i] < take;
        ret->limb[i] = (uint64_t)(a.limb[i] - take);
    }
    return true;
}

bool bursar_amount_multiply(struct bursar_amount a, uint64_t factor, struct bursar_amount *ret)
{
    struct bursar_amount product;
    wide carry = 0;
    for (int i = 0; i < LIMBS; i++) {
        carry += (wide)a.limb[i] * factor;
        product.limb[i] = (uint64_t)carry;
        carry >>= 64;
    }
    if (carry)
        return false;
    *ret = product;
    return true;
}

struct bursar_amount bursar_amount_from_be(const uint8_t bytes[BURSAR_AMOUNT_BE_BYTES])
{
    struct bursar_amount amount = { 0 };
    for (int i = 0; i < BURSAR_AMOUNT_BE_BYTES; i++) {
        int limb = LIMBS - 1 - i / 8;
        amount.limb[limb] = amount.limb[limb] << 8 | bytes[i];
    }
    return amount;
}

void bursar_amount_to_be(struct bursar_amount amount, uint8_t ret[BURSAR_AMOUNT_BE_BYTES])
{
    for (int i = 0; i < BURSAR_AMOUNT_BE_BYTES; i++)
        ret[i] = (uint8_t)(amount.limb[LIMBS - 1 - i / 8] >> (8 * (7 - i % 8)));
}

static bool append_digit(struct bursar_amount *amount, char digit)
{
    struct bursar_amount ten_times;
    return bursar_amount_multiply(*amount, 10, &ten_times) &&
           bursar_amount_add(ten_times, bursar_amount_from_u64((uint64_t)(digit - '0')), amount);
}

static unsigned divide_by_ten(struct bursar_amount *amount)
{
    wide remainder = 0;
    for (int i = LIMBS - 1; i >= 0; i--) {
        wide part = remainder << 64 | amount->limb[i];
        amount->limb[i] = (uint64_t)(part / 10);
        remainder = part % 10;
    }
    return (unsigned)remainder;
}

/* Writes the digits at the end of a MAX_DIGITS buffer and returns how many there are (at least one). */
static size_t digits_of(struct bursar_amount amount, char digits[MAX_DIGITS])
{
    size_t count = 0;
    do {
        count++;
        digits[MAX_DIGITS - count] = (char)('0' + divide_by_ten(&amount));
    } while (!bursar_amount_is_zero(amount));
    return count;
}

void bursar_amount_to_text(struct bursar_amount amount, char ret[BURSAR_AMOUNT_TEXT_BYTES])
{
    char digits[MAX_DIGITS];
    size_t count = digits_of(amount, digits);
    memcpy(ret, digits + MAX_DIGITS - count, count);
    ret[count] = '\0';
}

bool bursar_amount_from_text(const char *text, size_t length_bytes, struct bursar_amount *ret)
{
    if (length_bytes == 0)
        return false;
    struct bursar_amount amount = { 0 };
    for (size_t i = 0; i < length_bytes; i++) {
        if (text[i] < '0' || text[i] > '9' || !append_digit(&amount, text[i]))
            return false;
    }
    *ret = amount;
    return true;
}

enum bursar_status bursar_amount_from_units(const char *text, size_t length_bytes, unsigned decimals,
                                            struct bursar_amount *ret, struct bursar_error *err)
{
    struct bursar_amount amount = { 0 };
    size_t whole = 0, fraction = 0;
    bool point = false;
    if (decimals > MAX_DECIMALS)
        return bursar_fail(err, BURSAR_EINVAL, "an asset can have at most %d decimals", MAX_DECIMALS);
    for (size_t i = 0; i < length_bytes; i++) {
        if (text[i] == '.' && !point && whole > 0) {
            point = true;
            continue;
        }
        if (text[i] < '0' || text[i] > '9')
            return bursar_fail(err, BURSAR_EINVAL, "is not a decimal number such as 12 or 0.5");
        if (point)
            fraction++;
        else
            whole++;
        if (fraction > decimals)
            return bursar_fail(err, BURSAR_EINVAL, "has more than %u decimals", decimals);
        if (!append_digit(&amount, text[i]))
            return bursar_fail(err, BURSAR_EINVAL, "does not fit 256 bits");
    }
    if (whole == 0 || (point && fraction == 0))
        return bursar_fail(err, BURSAR_EINVAL, "is not a decimal number such as 12 or 0.5");
    for (; fraction < decimals; fraction++) {
        if (!append_digit(&amount, '0'))
            return bursar_fail(err, BURSAR_EINVAL, "does not fit 256 bits");
    }
    *ret = amount;
    return BURSAR_OK;
}

void bursar_amount_to_units(struct bursar_amount amount, unsigned decimals, char ret[BURSAR_AMOUNT_UNITS_TEXT_BYTES])
{
    char digits[MAX_DIGITS];
    size_t count = digits_of(amount, digits);
    memset(digits, '0', MAX_DIGITS - count);
    if (decimals > MAX_DECIMALS)
        decimals = MAX_DECIMALS;
    size_t whole_end = MAX_DIGITS - decimals;
    size_t whole_start = count > decimals ? MAX_DIGITS - count : whole_end - 1;
    size_t end = MAX_DIGITS;
    while (end > whole_end && digits[end - 1] == '0')
        end--;
    size_t at = 0;
    for (size_t i = whole_start; i < end; i++) {
        if (i == whole_end)
            ret[at++] = '.';
        ret[at++] = digits[i];
    }
    ret[at] = '\0';
}

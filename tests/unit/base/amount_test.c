/* Money: every operation at its edges, and against 128-bit arithmetic where that reaches. */
#include <bursar/amount.h>

#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

typedef unsigned __int128 wide;

/* 2^256 - 1, 2^256, 2^255 and so on, computed with another program. */
#define TWO_256_MINUS_1 "115792089237316195423570985008687907853269984665640564039457584007913129639935"
#define TWO_256 "115792089237316195423570985008687907853269984665640564039457584007913129639936"
#define TWO_255 "57896044618658097711785492504343953926634992332820282019728792003956564819968"
#define TWO_128 "340282366920938463463374607431768211456"
#define TWO_64 "18446744073709551616"

static const struct bursar_amount max = { { UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX } };

static struct bursar_amount amount(const char *text)
{
    struct bursar_amount value;
    assert_true(bursar_amount_from_text(text, strlen(text), &value));
    return value;
}

static void assert_amount(struct bursar_amount value, const char *text)
{
    char shown[BURSAR_AMOUNT_TEXT_BYTES];
    bursar_amount_to_text(value, shown);
    assert_string_equal(shown, text);
}

static struct bursar_amount amount_from_wide(wide value)
{
    return (struct bursar_amount){ { (uint64_t)value, (uint64_t)(value >> 64) } };
}

/* splitmix64: the same numbers in every run. */
static uint64_t next_random(uint64_t *seed)
{
    uint64_t z = *seed += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* Of any length from 0 to 256 bits, so that carries and short numbers are as frequent as long ones. */
static struct bursar_amount random_amount(uint64_t *seed)
{
    struct bursar_amount value;
    unsigned bits = (unsigned)(next_random(seed) % 257);
    for (unsigned i = 0; i < 4; i++) {
        uint64_t limb = next_random(seed) % 4 ? next_random(seed) : UINT64_MAX;
        unsigned left = bits > i * 64 ? bits - i * 64 : 0;
        value.limb[i] = left >= 64 ? limb : left ? limb & ((UINT64_C(1) << left) - 1) : 0;
    }
    return value;
}

static void decimal_text_round_trips_at_every_edge_of_a_limb(void **state)
{
    (void)state;
    static const char *const texts[] = { "0",
                                         "1",
                                         "9",
                                         "10",
                                         "18446744073709551615",
                                         TWO_64,
                                         "340282366920938463463374607431768211455",
                                         TWO_128,
                                         TWO_255,
                                         TWO_256_MINUS_1 };
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        assert_amount(amount(texts[i]), texts[i]);
    assert_int_equal(bursar_amount_compare(amount(TWO_256_MINUS_1), max), 0);
    assert_int_equal(amount(TWO_64).limb[1], 1);
    assert_int_equal(amount(TWO_128).limb[2], 1);
    assert_amount(amount("000000000000000000000000000000000000000000000000000000000000000000000000000000000000000007"),
                  "7");
}

static void text_that_is_no_plain_decimal_number_is_refused_and_leaves_the_output_alone(void **state)
{
    (void)state;
    static const char *const bad[] = { "",      " ",    "-1",  "+1", "1 ",  " 1",    "1.0",
                                       "1,000", "0x10", "1e3", "١",  "12a", TWO_256, TWO_256_MINUS_1 "0" };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct bursar_amount value = bursar_amount_from_u64(77);
        assert_false(bursar_amount_from_text(bad[i], strlen(bad[i]), &value));
        assert_amount(value, "77");
    }
}

static void a_number_ends_where_its_length_says(void **state)
{
    (void)state;
    struct bursar_amount value;
    assert_true(bursar_amount_from_text("12345", 3, &value));
    assert_amount(value, "123");
}

static void a_sum_beyond_256_bits_is_refused_and_leaves_the_output_alone(void **state)
{
    (void)state;
    struct bursar_amount sum = bursar_amount_from_u64(77);
    assert_false(bursar_amount_add(max, bursar_amount_from_u64(1), &sum));
    assert_false(bursar_amount_add(bursar_amount_from_u64(1), max, &sum));
    assert_false(bursar_amount_add(amount(TWO_255), amount(TWO_255), &sum));
    assert_false(bursar_amount_add(max, max, &sum));
    assert_amount(sum, "77");
    assert_true(bursar_amount_add(max, bursar_amount_from_u64(0), &sum));
    assert_amount(sum, TWO_256_MINUS_1);
    assert_true(bursar_amount_add(amount("340282366920938463463374607431768211455"), bursar_amount_from_u64(1), &sum));
    assert_amount(sum, TWO_128);
}

static void a_difference_below_zero_is_refused_and_leaves_the_output_alone(void **state)
{
    (void)state;
    struct bursar_amount rest = bursar_amount_from_u64(77);
    assert_false(bursar_amount_subtract(bursar_amount_from_u64(0), bursar_amount_from_u64(1), &rest));
    assert_false(bursar_amount_subtract(amount(TWO_128), max, &rest));
    assert_amount(rest, "77");
    assert_true(bursar_amount_subtract(amount(TWO_128), bursar_amount_from_u64(1), &rest));
    assert_amount(rest, "340282366920938463463374607431768211455");
    assert_true(bursar_amount_subtract(max, max, &rest));
    assert_true(bursar_amount_is_zero(rest));
    /* A borrow out of a limb that is itself all ones. */
    struct bursar_amount a = { { 0, 0, 1, 0 } }, b = { { 1, UINT64_MAX, 0, 0 } };
    assert_true(bursar_amount_subtract(a, b, &rest));
    assert_amount(rest, "18446744073709551615");
}

static void a_product_beyond_256_bits_is_refused_and_leaves_the_output_alone(void **state)
{
    (void)state;
    struct bursar_amount product = bursar_amount_from_u64(77);
    assert_false(bursar_amount_multiply(amount(TWO_255), 2, &product));
    assert_false(bursar_amount_multiply(max, UINT64_MAX, &product));
    assert_amount(product, "77");
    assert_true(bursar_amount_multiply(max, 1, &product));
    assert_amount(product, TWO_256_MINUS_1);
    assert_true(bursar_amount_multiply(max, 0, &product));
    assert_true(bursar_amount_is_zero(product));
    assert_true(bursar_amount_multiply(amount(TWO_64), UINT64_MAX, &product));
    assert_amount(product, "340282366920938463444927863358058659840");
}

static void only_amounts_of_64_bits_become_a_u64(void **state)
{
    (void)state;
    uint64_t value = 77;
    assert_false(bursar_amount_to_u64(amount(TWO_64), &value));
    assert_false(bursar_amount_to_u64(amount(TWO_128), &value));
    assert_false(bursar_amount_to_u64(amount(TWO_255), &value));
    assert_int_equal(value, 77);
    assert_true(bursar_amount_to_u64(amount("18446744073709551615"), &value));
    assert_true(value == UINT64_MAX);
}

static void small_amounts_agree_with_128_bit_arithmetic(void **state)
{
    (void)state;
    uint64_t seed = 1;
    for (int i = 0; i < 20000; i++) {
        uint64_t a = next_random(&seed) >> (next_random(&seed) % 64), b = next_random(&seed);
        struct bursar_amount left = bursar_amount_from_u64(a), right = bursar_amount_from_u64(b), got;
        assert_true(bursar_amount_add(left, right, &got));
        assert_int_equal(bursar_amount_compare(got, amount_from_wide((wide)a + b)), 0);
        assert_true(bursar_amount_multiply(left, b, &got));
        assert_int_equal(bursar_amount_compare(got, amount_from_wide((wide)a * b)), 0);
        assert_int_equal(bursar_amount_subtract(left, right, &got), a >= b);
        if (a >= b)
            assert_int_equal(bursar_amount_compare(got, bursar_amount_from_u64(a - b)), 0);
        assert_int_equal(bursar_amount_compare(left, right), (a > b) - (a < b));
    }
}

static void random_amounts_keep_the_laws_of_arithmetic(void **state)
{
    (void)state;
    uint64_t seed = 2;
    for (int i = 0; i < 20000; i++) {
        struct bursar_amount a = random_amount(&seed), b = random_amount(&seed), sum, back, room;
        assert_true(bursar_amount_subtract(max, a, &room));
        bool fits = bursar_amount_compare(b, room) <= 0;
        assert_int_equal(bursar_amount_add(a, b, &sum), fits);
        if (fits) {
            assert_true(bursar_amount_subtract(sum, b, &back));
            assert_int_equal(bursar_amount_compare(back, a), 0);
        }
        uint8_t a_be[BURSAR_AMOUNT_BE_BYTES], b_be[BURSAR_AMOUNT_BE_BYTES];
        bursar_amount_to_be(a, a_be);
        bursar_amount_to_be(b, b_be);
        int by_bytes = memcmp(a_be, b_be, sizeof a_be), by_value = bursar_amount_compare(a, b);
        assert_int_equal((by_bytes > 0) - (by_bytes < 0), (by_value > 0) - (by_value < 0));
        assert_int_equal(bursar_amount_compare(bursar_amount_from_be(a_be), a), 0);
        char text[BURSAR_AMOUNT_TEXT_BYTES], units[BURSAR_AMOUNT_UNITS_TEXT_BYTES];
        bursar_amount_to_text(a, text);
        assert_int_equal(bursar_amount_compare(amount(text), a), 0);
        unsigned decimals = (unsigned)(next_random(&seed) % 78);
        bursar_amount_to_units(a, decimals, units);
        assert_int_equal(bursar_amount_from_units(units, strlen(units), decimals, &back, NULL), BURSAR_OK);
        assert_int_equal(bursar_amount_compare(back, a), 0);
    }
}

static void multiplying_is_repeated_adding(void **state)
{
    (void)state;
    uint64_t seed = 3;
    for (int i = 0; i < 500; i++) {
        struct bursar_amount a = random_amount(&seed), sum = { { 0 } }, product;
        uint64_t factor = next_random(&seed) % 40;
        bool fits = true;
        for (uint64_t n = 0; n < factor && fits; n++)
            fits = bursar_amount_add(sum, a, &sum);
        assert_int_equal(bursar_amount_multiply(a, factor, &product), fits);
        if (fits)
            assert_int_equal(bursar_amount_compare(product, sum), 0);
    }
}

static void big_endian_bytes_put_the_most_significant_byte_first(void **state)
{
    (void)state;
    uint8_t bytes[BURSAR_AMOUNT_BE_BYTES];
    for (int i = 0; i < BURSAR_AMOUNT_BE_BYTES; i++)
        bytes[i] = (uint8_t)(i + 1);
    struct bursar_amount value = bursar_amount_from_be(bytes);
    assert_true(value.limb[3] == 0x0102030405060708u && value.limb[0] == 0x191a1b1c1d1e1f20u);
    assert_amount(value, "455867356320691211509944977504407603390036387149619137164185182714736811808");
}

static void whole_units_become_base_units_exactly(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned decimals;
        const char *base;
    } cases[] = {
        { "1", 18, "1000000000000000000" },
        { "1.5", 18, "1500000000000000000" },
        { "0.000000000000000001", 18, "1" },
        { "0.1", 18, "100000000000000000" },
        { "0.30000000000000004", 18, "300000000000000040" }, /* what floating point would make of 0.1 + 0.2 */
        { "9007199254740993", 0, "9007199254740993" },       /* 2^53 + 1: no double holds it */
        { "007.50", 2, "750" },
        { "0", 18, "0" },
        { "0.0", 1, "0" },
        { "115792089237316195423570985008687907853269984665640564039457.584007913129639935", 18, TWO_256_MINUS_1 },
        { "1.15792089237316195423570985008687907853269984665640564039457584007913129639935", 77, TWO_256_MINUS_1 },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct bursar_amount value;
        assert_int_equal(
            bursar_amount_from_units(cases[i].text, strlen(cases[i].text), cases[i].decimals, &value, NULL), BURSAR_OK);
        assert_amount(value, cases[i].base);
    }
}

static void units_that_are_no_exact_amount_are_refused_with_the_reason(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned decimals;
        const char *reason;
    } cases[] = {
        { "", 18, "not a decimal number" },
        { ".", 18, "not a decimal number" },
        { ".5", 18, "not a decimal number" },
        { "5.", 18, "not a decimal number" },
        { "1.2.3", 18, "not a decimal number" },
        { "1..2", 18, "not a decimal number" },
        { "-1", 18, "not a decimal number" },
        { "+1", 18, "not a decimal number" },
        { "1e18", 18, "not a decimal number" },
        { "1,5", 18, "not a decimal number" },
        { "0x1", 18, "not a decimal number" },
        { " 1", 18, "not a decimal number" },
        { "nan", 18, "not a decimal number" },
        { "1.0", 0, "more than 0 decimals" },
        { "0.0000000000000000001", 18, "more than 18 decimals" },
        { "0.0000000000000000000", 18, "more than 18 decimals" },
        { "1.000", 2, "more than 2 decimals" },
        { "115792089237316195423570985008687907853269984665640564039457.584007913129639936", 18, "256 bits" },
        { "115792089237316195423570985008687907853269984665640564039458", 18, "256 bits" },
        { TWO_256, 0, "256 bits" },
        { "1", 78, "at most 77 decimals" },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct bursar_amount value = bursar_amount_from_u64(77);
        struct bursar_error err = { 0 };
        assert_int_equal(
            bursar_amount_from_units(cases[i].text, strlen(cases[i].text), cases[i].decimals, &value, &err),
            BURSAR_EINVAL);
        assert_non_null(strstr(err.message, cases[i].reason));
        assert_amount(value, "77");
    }
}

static void whole_units_are_shown_without_trailing_zeros(void **state)
{
    (void)state;
    static const struct {
        const char *base;
        unsigned decimals;
        const char *units;
    } cases[] = {
        { "0", 18, "0" },
        { "1", 18, "0.000000000000000001" },
        { "1500000000000000000", 18, "1.5" },
        { "1000000000000000000", 18, "1" },
        { "100", 0, "100" },
        { "10", 1, "1" },
        { "120", 3, "0.12" },
        { TWO_256_MINUS_1, 0, TWO_256_MINUS_1 },
        { TWO_256_MINUS_1, 18, "115792089237316195423570985008687907853269984665640564039457.584007913129639935" },
        { TWO_256_MINUS_1, 77, "1.15792089237316195423570985008687907853269984665640564039457584007913129639935" },
        { "1", 77, "0.00000000000000000000000000000000000000000000000000000000000000000000000000001" },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char units[BURSAR_AMOUNT_UNITS_TEXT_BYTES];
        bursar_amount_to_units(amount(cases[i].base), cases[i].decimals, units);
        assert_string_equal(units, cases[i].units);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decimal_text_round_trips_at_every_edge_of_a_limb),
        cmocka_unit_test(text_that_is_no_plain_decimal_number_is_refused_and_leaves_the_output_alone),
        cmocka_unit_test(a_number_ends_where_its_length_says),
        cmocka_unit_test(a_sum_beyond_256_bits_is_refused_and_leaves_the_output_alone),
        cmocka_unit_test(a_difference_below_zero_is_refused_and_leaves_the_output_alone),
        cmocka_unit_test(a_product_beyond_256_bits_is_refused_and_leaves_the_output_alone),
        cmocka_unit_test(only_amounts_of_64_bits_become_a_u64),
        cmocka_unit_test(small_amounts_agree_with_128_bit_arithmetic),
        cmocka_unit_test(random_amounts_keep_the_laws_of_arithmetic),
        cmocka_unit_test(multiplying_is_repeated_adding),
        cmocka_unit_test(big_endian_bytes_put_the_most_significant_byte_first),
        cmocka_unit_test(whole_units_become_base_units_exactly),
        cmocka_unit_test(units_that_are_no_exact_amount_are_refused_with_the_reason),
        cmocka_unit_test(whole_units_are_shown_without_trailing_zeros),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

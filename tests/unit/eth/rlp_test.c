/* RLP: the examples of its specification, and every way in which bytes can almost be RLP. */
#include "eth/rlp.h"

#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void assert_bytes(const struct buf *out, const char *expected_hex)
{
    uint8_t expected[256];
    size_t length = strlen(expected_hex) / 2;
    assert_true(hex_decode(expected_hex, 2 * length, expected, length));
    assert_int_equal(out->length_bytes, length);
    assert_memory_equal(out->data, expected, length);
}

static struct rlp_reader reader_of(const char *hex, uint8_t bytes[256])
{
    size_t length = strlen(hex) / 2;
    assert_true(length <= 256 && hex_decode(hex, 2 * length, bytes, length));
    return (struct rlp_reader){ .at = bytes, .left_bytes = length };
}

static void strings_are_encoded_as_the_specification_shows(void **state)
{
    (void)state;
    cleanup(buf_free) struct buf out = { 0 };
    assert_true(rlp_append_string(&out, (const uint8_t *)"dog", 3));
    assert_bytes(&out, "83646f67");
    buf_clear(&out);
    assert_true(rlp_append_string(&out, NULL, 0));
    assert_bytes(&out, "80");
    buf_clear(&out);
    assert_true(rlp_append_string(&out, (const uint8_t *)"\x00", 1));
    assert_bytes(&out, "00");
    buf_clear(&out);
    assert_true(rlp_append_string(&out, (const uint8_t *)"\x7f", 1));
    assert_bytes(&out, "7f");
    buf_clear(&out);
    assert_true(rlp_append_string(&out, (const uint8_t *)"\x80", 1));
    assert_bytes(&out, "8180");
}

static void headers_grow_at_56_bytes_and_at_each_power_of_256(void **state)
{
    (void)state;
    static const uint8_t bytes[65536] = { 1 };
    static const struct {
        size_t length;
        const char *header;
    } cases[] = { { 55, "b7" },      { 56, "b838" },      { 255, "b8ff" },
                  { 256, "b90100" }, { 65535, "b9ffff" }, { 65536, "ba010000" } };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        cleanup(buf_free) struct buf out = { 0 };
        assert_true(rlp_append_string(&out, bytes, cases[i].length));
        assert_int_equal(out.length_bytes, cases[i].length + strlen(cases[i].header) / 2);
        out.length_bytes -= cases[i].length;
        assert_bytes(&out, cases[i].header);
    }
    cleanup(buf_free) struct buf list = { 0 };
    assert_true(rlp_append_list_header(&list, 0) && rlp_append_list_header(&list, 55) &&
                rlp_append_list_header(&list, 56) && rlp_append_list_header(&list, 1024));
    assert_bytes(&list, "c0f7f838f90400");
}

static void integers_have_no_leading_zeros(void **state)
{
    (void)state;
    cleanup(buf_free) struct buf out = { 0 };
    uint8_t wide[32] = { 0 };
    assert_true(rlp_append_u64(&out, 0) && rlp_append_u64(&out, 15) && rlp_append_u64(&out, 127) &&
                rlp_append_u64(&out, 128) && rlp_append_u64(&out, 1024) && rlp_append_u64(&out, UINT64_MAX) &&
                rlp_append_integer(&out, wide, sizeof wide));
    wide[31] = 1;
    assert_true(rlp_append_integer(&out, wide, sizeof wide));
    wide[0] = 0x80;
    assert_true(rlp_append_integer(&out, wide, sizeof wide));
    assert_bytes(&out, "80"
                       "0f"
                       "7f"
                       "8180"
                       "820400"
                       "88ffffffffffffffff"
                       "80"
                       "01"
                       "a08000000000000000000000000000000000000000000000000000000000000001");
}

static void what_was_appended_is_read_back_in_order(void **state)
{
    (void)state;
    static const uint64_t numbers[] = { 0, 1, 127, 128, 255, 256, 1ull << 53, UINT64_MAX };
    cleanup(buf_free) struct buf out = { 0 };
    for (size_t i = 0; i < COUNT_OF(numbers); i++)
        assert_true(rlp_append_u64(&out, numbers[i]));
    struct rlp_reader reader = { .at = (const uint8_t *)out.data, .left_bytes = out.length_bytes };
    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        uint64_t number;
        assert_true(rlp_read_u64(&reader, &number));
        assert_true(number == numbers[i]);
    }
    assert_int_equal(reader.left_bytes, 0);
}

static void strings_that_are_not_canonical_or_cut_short_are_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",                   /* nothing */
        "8100",               /* a byte below 0x80 needs no header */
        "817f",               /* the same */
        "81",                 /* cut off */
        "83646f",             /* cut off */
        "b8",                 /* no length */
        "b800",               /* long form of the empty string */
        "b837",               /* long form of 55, and cut off */
        "b90038",             /* length with a leading zero */
        "b838",               /* cut off */
        "bfffffffffffffffff", /* 2^64 - 1 bytes */
        "bf8000000000000000", /* a length that is negative when signed */
        "bb00000001ff",       /* leading zeros in the length */
        "c0",                 /* a list */
        "f838",               /* a list */
    };
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        uint8_t bytes[256];
        struct rlp_reader reader = reader_of(wrong[i], bytes);
        size_t before = reader.left_bytes, length;
        const uint8_t *string;
        assert_false(rlp_read_string(&reader, &string, &length));
        assert_int_equal(reader.left_bytes, before);
    }
}

static void a_long_string_may_not_use_a_longer_header_than_it_needs(void **state)
{
    (void)state;
    uint8_t bytes[64] = { 0xb8, 55 };
    struct rlp_reader reader = { .at = bytes, .left_bytes = 2 + 55 };
    const uint8_t *string;
    size_t length;
    assert_false(rlp_read_string(&reader, &string, &length));
    bytes[1] = 56;
    reader.left_bytes = 2 + 56;
    assert_true(rlp_read_string(&reader, &string, &length));
    assert_int_equal(length, 56);

    uint8_t padded[64] = { 0xb9, 0, 56 }; /* the length itself has a leading zero */
    reader = (struct rlp_reader){ .at = padded, .left_bytes = 3 + 56 };
    assert_false(rlp_read_string(&reader, &string, &length));
}

static void lists_that_are_not_canonical_or_cut_short_are_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "", "80", "00", "c1", "f8", "f800", "f837", "f90038", "f838", "ffffffffffffffffff", "ff8000000000000000",
    };
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        uint8_t bytes[256];
        struct rlp_reader reader = reader_of(wrong[i], bytes), items;
        assert_false(rlp_read_list(&reader, &items));
    }
    uint8_t padded[64] = { 0xf8, 55 }; /* 55 bytes fit the short form */
    struct rlp_reader reader = { .at = padded, .left_bytes = 2 + 55 }, items;
    assert_false(rlp_read_list(&reader, &items));
}

static void integers_with_leading_zeros_or_too_many_bytes_are_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = { "00", "820001", "89010000000000000000", "c0" };
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        uint8_t bytes[256];
        struct rlp_reader reader = reader_of(wrong[i], bytes);
        uint64_t number = 42;
        assert_false(rlp_read_u64(&reader, &number));
        assert_true(number == 42);
        assert_int_equal(reader.left_bytes, strlen(wrong[i]) / 2);
    }
}

static void a_fixed_string_must_have_exactly_its_length(void **state)
{
    (void)state;
    uint8_t bytes[256], got[3];
    struct rlp_reader shorter = reader_of("826161", bytes);
    assert_false(rlp_read_fixed(&shorter, got, sizeof got));
    struct rlp_reader longer = reader_of("8461616161", bytes);
    assert_false(rlp_read_fixed(&longer, got, sizeof got));
    struct rlp_reader right = reader_of("83616263", bytes);
    assert_true(rlp_read_fixed(&right, got, sizeof got));
    assert_memory_equal(got, "abc", 3);
}

static void a_list_hands_out_only_its_own_items(void **state)
{
    (void)state;
    uint8_t bytes[256];
    struct rlp_reader whole = reader_of("c3010203"
                                        "05",
                                        bytes),
                      items;
    uint64_t number;
    assert_true(rlp_read_list(&whole, &items));
    for (uint64_t i = 1; i <= 3; i++)
        assert_true(rlp_read_u64(&items, &number) && number == i);
    assert_false(rlp_read_u64(&items, &number));
    assert_true(rlp_read_u64(&whole, &number) && number == 5);
}

static void a_string_that_reaches_beyond_its_list_is_refused(void **state)
{
    (void)state;
    uint8_t bytes[256];
    struct rlp_reader whole = reader_of("c2"
                                        "8261"
                                        "61",
                                        bytes),
                      items;
    const uint8_t *string;
    size_t length;
    assert_true(rlp_read_list(&whole, &items));
    assert_false(rlp_read_string(&items, &string, &length));
}

static void a_full_buffer_is_reported(void **state)
{
    (void)state;
    cleanup(buf_free) struct buf out = { .limit_bytes = 3 };
    assert_false(rlp_append_string(&out, (const uint8_t *)"dog", 3));
    cleanup(buf_free) struct buf room = { .limit_bytes = 4 };
    assert_true(rlp_append_string(&room, (const uint8_t *)"dog", 3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings_are_encoded_as_the_specification_shows),
        cmocka_unit_test(headers_grow_at_56_bytes_and_at_each_power_of_256),
        cmocka_unit_test(integers_have_no_leading_zeros),
        cmocka_unit_test(what_was_appended_is_read_back_in_order),
        cmocka_unit_test(strings_that_are_not_canonical_or_cut_short_are_refused),
        cmocka_unit_test(a_long_string_may_not_use_a_longer_header_than_it_needs),
        cmocka_unit_test(lists_that_are_not_canonical_or_cut_short_are_refused),
        cmocka_unit_test(integers_with_leading_zeros_or_too_many_bytes_are_refused),
        cmocka_unit_test(a_fixed_string_must_have_exactly_its_length),
        cmocka_unit_test(a_list_hands_out_only_its_own_items),
        cmocka_unit_test(a_string_that_reaches_beyond_its_list_is_refused),
        cmocka_unit_test(a_full_buffer_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

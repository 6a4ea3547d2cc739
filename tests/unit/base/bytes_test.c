/* Hexadecimal text, growing buffers, small numbers and UTF-8. */
#include "base/bytes.h"

#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void hex_round_trips_every_byte(void **state)
{
    (void)state;
    uint8_t bytes[256], back[256];
    char text[2 * sizeof bytes + 1];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)i;
    hex_encode(bytes, sizeof bytes, text);
    assert_int_equal(strlen(text), 2 * sizeof bytes);
    assert_memory_equal(text, "000102", 6);
    assert_string_equal(text + sizeof text - 7, "fdfeff");
    assert_true(hex_decode(text, strlen(text), back, sizeof back));
    assert_memory_equal(bytes, back, sizeof bytes);
    assert_true(hex_decode("AbCd", 4, back, 2));
    assert_int_equal(back[0] << 8 | back[1], 0xabcd);
}

static void hex_of_the_wrong_length_or_with_another_character_is_refused_and_nothing_is_written(void **state)
{
    (void)state;
    static const char *const bad[] = { "", "ab", "abcdef", "abc", "0xab", "abcg", "ab d", "/:@G", "`g  ", "-123" };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        uint8_t bytes[2] = { 7, 7 };
        assert_false(hex_decode(bad[i], strlen(bad[i]), bytes, sizeof bytes));
        assert_int_equal(bytes[0] << 8 | bytes[1], 0x0707);
    }
}

static void a_hash_is_read_back_from_its_text_and_only_with_its_0x(void **state)
{
    (void)state;
    struct bursar_hash hash, back;
    char text[HASH_TEXT_BYTES];
    for (size_t i = 0; i < sizeof hash.bytes; i++)
        hash.bytes[i] = (uint8_t)(0xf0 - i);
    hash_to_text(&hash, text);
    assert_int_equal(strlen(text), HASH_TEXT_BYTES - 1);
    assert_true(hash_from_text(text, &back));
    assert_true(hash_equal(&hash, &back));
    back.bytes[31] ^= 1;
    assert_false(hash_equal(&hash, &back));
    assert_false(hash_from_text(text + 2, &back));
    text[HASH_TEXT_BYTES - 2] = '\0';
    assert_false(hash_from_text(text, &back));
    assert_false(hash_from_text("", &back));
    assert_false(hash_from_text("0x", &back));
    assert_false(hash_from_text(NULL, &back));
}

static void addresses_are_equal_by_all_their_bytes(void **state)
{
    (void)state;
    struct bursar_address a = { { 0 } }, b = { { 0 } };
    assert_true(address_equal(&a, &b));
    b.bytes[BURSAR_ADDRESS_BYTES - 1] = 1;
    assert_false(address_equal(&a, &b));
}

static void a_buffer_refuses_to_pass_its_limit_and_keeps_what_it_has(void **state)
{
    (void)state;
    cleanup(buf_free) struct buf buf = { .limit_bytes = 10 };
    assert_true(buf_append_text(&buf, "12345"));
    assert_true(buf_append_format(&buf, "%d%s", 678, "9"));
    assert_false(buf_append(&buf, "ab", 2));
    assert_false(buf_append_format(&buf, "%s", "ab"));
    assert_string_equal(buf.data, "123456789");
    assert_true(buf_append(&buf, "0", 1));
    assert_false(buf_append(&buf, "x", 1));
    assert_true(buf_append(&buf, "", 0));
    assert_false(buf_append(&buf, "x", SIZE_MAX));
    assert_int_equal(buf.length_bytes, 10);
    buf_clear(&buf);
    assert_int_equal(buf.length_bytes, 0);
    assert_string_equal(buf.data, "");
    assert_true(buf_append_text(&buf, "again"));
    assert_string_equal(buf.data, "again");
}

static void a_buffer_grows_and_may_hold_nul_bytes(void **state)
{
    (void)state;
    struct buf buf = { 0 };
    for (int i = 0; i < 100000; i++) {
        char byte = (char)(i % 256);
        assert_true(buf_append(&buf, &byte, 1));
    }
    assert_int_equal(buf.length_bytes, 100000);
    for (int i = 0; i < 100000; i++)
        assert_int_equal(buf.data[i], (char)(i % 256));
    assert_int_equal(buf.data[100000], 0);
    buf_free(&buf);
    assert_null(buf.data);
    buf_free(&buf);
}

static void a_number_is_taken_only_within_its_bounds(void **state)
{
    (void)state;
    uint64_t value = 7;
    assert_true(u64_from_text("18446744073709551615", 20, 0, UINT64_MAX, &value));
    assert_true(value == UINT64_MAX);
    assert_true(u64_from_text("0", 1, 0, 0, &value));
    assert_int_equal(value, 0);
    assert_true(u64_from_text("00012x", 5, 12, 12, &value));
    assert_int_equal(value, 12);
    static const char *const bad[] = { "18446744073709551616",
                                       "18446744073709551620",
                                       "99999999999999999999",
                                       "184467440737095516150",
                                       "",
                                       "-1",
                                       "+1",
                                       " 1",
                                       "1 ",
                                       "1.0",
                                       "0x1",
                                       "1e1" };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_false(u64_from_text(bad[i], strlen(bad[i]), 0, UINT64_MAX, &value));
        assert_int_equal(value, 12);
    }
    assert_false(u64_from_text("9", 1, 10, 20, &value));
    assert_false(u64_from_text("21", 2, 10, 20, &value));
    assert_true(u64_from_text("10", 2, 10, 20, &value));
    assert_true(u64_from_text("20", 2, 10, 20, &value));
}

static void well_formed_utf8_is_accepted(void **state)
{
    (void)state;
    static const char *const good[] = { "",
                                        "plain",
                                        "\x7f",
                                        "\xc2\x80",
                                        "\xdf\xbf",
                                        "\xe0\xa0\x80",
                                        "\xed\x9f\xbf",
                                        "\xee\x80\x80",
                                        "\xef\xbf\xbf",
                                        "\xf0\x90\x80\x80",
                                        "\xf4\x8f\xbf\xbf",
                                        "Z\xc3\xbcrich \xe2\x82\xac \xf0\x9f\x92\xb8" };
    for (size_t i = 0; i < COUNT_OF(good); i++)
        assert_true(utf8_is_valid(good[i], strlen(good[i])));
    assert_true(utf8_is_valid("a\0b", 3));
}

static void malformed_utf8_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "\x80",             /* a continuation byte alone */
        "\xc3",             /* cut */
        "\xe2\x82",         /* cut */
        "\xf0\x9f\x92",     /* cut */
        "\xc0\xaf",         /* overlong */
        "\xc1\xbf",         /* overlong */
        "\xe0\x9f\xbf",     /* overlong */
        "\xf0\x8f\xbf\xbf", /* overlong */
        "\xed\xa0\x80",     /* surrogate */
        "\xed\xbf\xbf",     /* surrogate */
        "\xf4\x90\x80\x80", /* above U+10FFFF */
        "\xf5\x80\x80\x80",
        "\xff",
        "\xfe",
        "\xc3(",
        "\xe2(\xa1",
        "\xe2\x82(",
        "\xf0(\x8c\xbc",
        "\xf0\x90(\xbc",
        "\xf0\x90\x8c(",
        "caf\xe9",
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_false(utf8_is_valid(bad[i], strlen(bad[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hex_round_trips_every_byte),
        cmocka_unit_test(hex_of_the_wrong_length_or_with_another_character_is_refused_and_nothing_is_written),
        cmocka_unit_test(a_hash_is_read_back_from_its_text_and_only_with_its_0x),
        cmocka_unit_test(addresses_are_equal_by_all_their_bytes),
        cmocka_unit_test(a_buffer_refuses_to_pass_its_limit_and_keeps_what_it_has),
        cmocka_unit_test(a_buffer_grows_and_may_hold_nul_bytes),
        cmocka_unit_test(a_number_is_taken_only_within_its_bounds),
        cmocka_unit_test(well_formed_utf8_is_accepted),
        cmocka_unit_test(malformed_utf8_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

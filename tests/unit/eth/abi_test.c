/* What contracts say when they refuse, and what they might try to say. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/bytes.h"
#include "eth/abi.h"

#include <string.h>

#define ERROR_STRING "08c379a0"
#define PANIC "4e487b71"
#define WORD_0 "00000000000000000000000000000000000000000000000000000000000000"
#define WORD(last) WORD_0 last
#define ONES "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"

static const char *said(const char *hex)
{
    static char text[64];
    uint8_t data[512];
    size_t length = strlen(hex) / 2;
    assert_true(hex_decode(hex, strlen(hex), data, length));
    memset(text, '!', sizeof text);
    abi_revert_text(data, length, text, sizeof text);
    return text;
}

static void the_text_of_an_error_is_read(void **state)
{
    (void)state;
    assert_string_equal(said(ERROR_STRING WORD("20") WORD("04") "6e6f7065"), "nope");
    assert_string_equal(said(ERROR_STRING WORD("20") WORD("04") "6e6f706500000000000000000000"), "nope");
    assert_string_equal(said(ERROR_STRING WORD("20") WORD("00")), "");
}

static void a_panic_is_explained(void **state)
{
    (void)state;
    assert_string_equal(said(PANIC WORD("11")), "panic 0x11: arithmetic overflow");
    assert_string_equal(said(PANIC WORD("99")), "panic 0x99: an error of its compiler's");
}

static void other_data_shows_its_selector(void **state)
{
    (void)state;
    assert_string_equal(said("deadbeef"), "error 0xdeadbeef");
    assert_string_equal(said("deadbeef" WORD("01")), "error 0xdeadbeef");
    assert_string_equal(said(""), "");
    assert_string_equal(said("0102"), "");
}

static void offsets_and_lengths_are_not_trusted(void **state)
{
    (void)state;
    assert_string_equal(said(ERROR_STRING), "error 0x08c379a0");
    assert_string_equal(said(ERROR_STRING WORD("20") WORD("05") "6e6f7065"), "error 0x08c379a0");
    assert_string_equal(said(ERROR_STRING ONES WORD("04") "6e6f7065"), "error 0x08c379a0");
    assert_string_equal(said(ERROR_STRING WORD("40") WORD("04")), "error 0x08c379a0");
    assert_string_equal(said(ERROR_STRING WORD("20") ONES "6e6f7065"), "error 0x08c379a0");
    assert_string_equal(said(PANIC ONES), "error 0x4e487b71");
}

static void what_would_move_a_terminal_or_does_not_fit_is_not_passed_on(void **state)
{
    (void)state;
    assert_string_equal(said(ERROR_STRING WORD("20") WORD("04") "1b5b4aff"), "?[J?");
    char hex[2 * 300 + 1] = ERROR_STRING WORD("20") WORD("64");
    size_t used = strlen(hex);
    memset(hex + used, '6', (size_t)2 * 100);
    assert_int_equal(strlen(said(hex)), 63);
}

static void a_transfer_is_written_as_tokens_read_it_and_read_back(void **state)
{
    (void)state;
    struct bursar_address to, got;
    struct bursar_amount amount;
    uint8_t data[ABI_TRANSFER_BYTES];
    char hex[2 * sizeof data + 1];
    memset(to.bytes, 0x5a, sizeof to.bytes);
    abi_transfer_encode(&to, bursar_amount_from_u64(258), data);
    hex_encode(data, sizeof data, hex);
    assert_string_equal(hex, "a9059cbb0000000000000000000000005a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a"
                             "0000000000000000000000000000000000000000000000000000000000000102");
    assert_true(abi_transfer_decode(data, sizeof data, &got, &amount));
    assert_true(address_equal(&got, &to) && amount.limb[0] == 258);
    assert_false(abi_transfer_decode(data, sizeof data - 1, &got, &amount));
    uint8_t tagged[sizeof data + ABI_WORD_BYTES + 1] = { 0 }; /* a word may follow, nothing else */
    memcpy(tagged, data, sizeof data);
    assert_true(abi_transfer_decode(tagged, sizeof data + ABI_WORD_BYTES, &got, &amount));
    assert_true(address_equal(&got, &to) && amount.limb[0] == 258);
    assert_false(abi_transfer_decode(tagged, sizeof data + ABI_WORD_BYTES + 1, &got, &amount));
    data[5] = 1; /* no address */
    assert_false(abi_transfer_decode(data, sizeof data, &got, &amount));
    data[5] = 0;
    data[0] = 0;
    assert_false(abi_transfer_decode(data, sizeof data, &got, &amount));
    assert_false(abi_transfer_decode(NULL, 0, &got, &amount));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_text_of_an_error_is_read),
        cmocka_unit_test(a_panic_is_explained),
        cmocka_unit_test(a_transfer_is_written_as_tokens_read_it_and_read_back),
        cmocka_unit_test(other_data_shows_its_selector),
        cmocka_unit_test(offsets_and_lengths_are_not_trusted),
        cmocka_unit_test(what_would_move_a_terminal_or_does_not_fit_is_not_passed_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Addresses as people type them: EIP-55 catches what it can catch, everything else must be plain 0x and 40 digits. */
#include "eth/address.h"

#include "base/bytes.h"
#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* From EIP-55: all capitals, all lower case, and mixed. */
static const char *const checksummed[] = {
    "0x52908400098527886E0F7030069857D2E4169EE7", "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
    "0xde709f2102306220921060314715629080e2fb77", "0x27b1fdb04752bbc536007a920d24acb045561c26",
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB", "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
};

static enum bursar_status parse(const char *text, struct bursar_address *ret, struct bursar_error *err)
{
    return address_from_text(text, strlen(text), ret, err);
}

static void the_addresses_of_eip_55_are_read_and_written_the_same(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(checksummed); i++) {
        struct bursar_address address;
        char text[ADDRESS_TEXT_BYTES];
        assert_int_equal(parse(checksummed[i], &address, NULL), BURSAR_OK);
        address_to_text(&address, text);
        assert_string_equal(text, checksummed[i]);
    }
}

static char other_case(char c)
{
    if (c >= 'a' && c <= 'f')
        return (char)(c - 'a' + 'A');
    return c >= 'A' && c <= 'F' ? (char)(c - 'A' + 'a') : c;
}

static void every_letter_in_the_wrong_case_is_caught(void **state)
{
    (void)state;
    for (size_t i = 4; i < COUNT_OF(checksummed); i++) {
        for (size_t at = 2; at < ADDRESS_TEXT_BYTES - 1; at++) {
            struct bursar_address address = { { 0 } }, untouched = { { 0 } };
            struct bursar_error err = { 0 };
            char text[ADDRESS_TEXT_BYTES];
            memcpy(text, checksummed[i], sizeof text);
            text[at] = other_case(text[at]);
            if (text[at] == checksummed[i][at])
                continue;
            assert_int_equal(parse(text, &address, &err), BURSAR_EINVAL);
            assert_non_null(strstr(err.message, "EIP-55"));
            assert_true(address_equal(&address, &untouched));
        }
    }
}

static void an_address_in_one_case_carries_no_checksum(void **state)
{
    (void)state;
    struct bursar_address mixed, lower, upper;
    assert_int_equal(parse("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", &mixed, NULL), BURSAR_OK);
    assert_int_equal(parse("0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed", &lower, NULL), BURSAR_OK);
    assert_int_equal(parse("0x5AAEB6053F3E94C9B9A09F33669435E7EF1BEAED", &upper, NULL), BURSAR_OK);
    assert_true(address_equal(&mixed, &lower) && address_equal(&mixed, &upper));
}

static void what_is_not_an_address_is_refused_as_such(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "0x",
        "5aaeb6053f3e94c9b9a09f33669435e7ef1beaed",
        "0X5aaeb6053f3e94c9b9a09f33669435e7ef1beaed",
        "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beae",
        "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed0",
        "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaeg",
        " 0x5aaeb6053f3e94c9b9a09f33669435e7ef1beae",
        "vitalik.eth",
    };
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        struct bursar_address address;
        struct bursar_error err = { 0 };
        assert_int_equal(parse(wrong[i], &address, &err), BURSAR_EINVAL);
        assert_null(strstr(err.message, "EIP-55"));
    }
}

static void only_the_given_length_of_a_text_is_read(void **state)
{
    (void)state;
    struct bursar_address address;
    const char *text = "0xde709f2102306220921060314715629080e2fb77,rest";
    assert_int_equal(address_from_text(text, 42, &address, NULL), BURSAR_OK);
    assert_int_equal(address_from_text(text, 43, &address, NULL), BURSAR_EINVAL);
}

static void the_public_key_of_private_key_one_has_its_known_address(void **state)
{
    (void)state;
    /* The generator of secp256k1. */
    const char *point = "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
                        "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8";
    uint8_t public_key[64];
    struct bursar_address address;
    char text[ADDRESS_TEXT_BYTES];
    assert_true(hex_decode(point, strlen(point), public_key, sizeof public_key));
    address_from_public_key(public_key, &address);
    address_to_text(&address, text);
    assert_string_equal(text, "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_addresses_of_eip_55_are_read_and_written_the_same),
        cmocka_unit_test(every_letter_in_the_wrong_case_is_caught),
        cmocka_unit_test(an_address_in_one_case_carries_no_checksum),
        cmocka_unit_test(what_is_not_an_address_is_refused_as_such),
        cmocka_unit_test(only_the_given_length_of_a_text_is_read),
        cmocka_unit_test(the_public_key_of_private_key_one_has_its_known_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

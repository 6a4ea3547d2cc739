/* Tokens: written, read, and recognised by their hash alone. */
#include "service/token.h"

#include "base/bytes.h"
#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t SECRET[TOKEN_SECRET_BYTES] = { 0xab, 1, 2, 3, [31] = 0xff };

static void a_token_is_read_as_it_was_written(void **state)
{
    (void)state;
    char text[TOKEN_TEXT_BYTES];
    uint8_t secret[TOKEN_SECRET_BYTES];
    int64_t id;
    token_text(INT64_MAX, SECRET, text);
    assert_true(token_parse(text, &id, secret));
    assert_true(id == INT64_MAX);
    assert_memory_equal(secret, SECRET, sizeof secret);
}

static void what_is_not_exactly_a_token_is_none(void **state)
{
    (void)state;
    char text[TOKEN_TEXT_BYTES], longer[TOKEN_TEXT_BYTES + 1];
    uint8_t secret[TOKEN_SECRET_BYTES];
    int64_t id;
    static const char *const bad[] = { "",           "bursar_",     "bursar_1",    "bursar_1_",
                                       "bursar__00", "bursar_0_00", "Bursar_1_00", "bursar_1_00" };
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_false(token_parse(bad[i], &id, secret));
    token_text(7, SECRET, text);
    (void)snprintf(longer, sizeof longer, "%s0", text);
    assert_false(token_parse(longer, &id, secret));
    (void)snprintf(longer, sizeof longer, "%s ", text);
    assert_false(token_parse(longer, &id, secret));
    text[strlen(text) - 1] = 'g';
    assert_false(token_parse(text, &id, secret));
}

/* FIPS 180-4: SHA-256 of 32 zero bytes. */
static void the_hash_is_sha_256(void **state)
{
    (void)state;
    static const uint8_t zeros[TOKEN_SECRET_BYTES];
    struct bursar_hash hash;
    char text[HASH_TEXT_BYTES];
    token_hash(zeros, &hash);
    hash_to_text(&hash, text);
    assert_string_equal(text, "0x66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925");
}

static void scopes_are_words_and_reading_is_always_one(void **state)
{
    (void)state;
    unsigned scopes = 0;
    char text[TOKEN_SCOPES_TEXT_BYTES];
    assert_true(token_scopes_parse("read", &scopes));
    assert_int_equal(scopes, TOKEN_SCOPE_READ);
    assert_true(token_scopes_parse("operate,pay", &scopes));
    assert_int_equal(scopes, TOKEN_SCOPES_ALL);
    token_scopes_text(scopes, text);
    assert_string_equal(text, "read,pay,operate");
    static const char *const bad[] = { "", ",", "pay,", ",pay", "Pay", "pay operate", "payx", "all" };
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_false(token_scopes_parse(bad[i], &scopes));
}

static void one_bit_of_the_secret_is_another_token(void **state)
{
    (void)state;
    struct token_record token = { .expires_ms = 1000 };
    uint8_t other[TOKEN_SECRET_BYTES];
    token_hash(SECRET, &token.hash);
    assert_int_equal(token_check(&token, SECRET, 999), TOKEN_GOOD);
    for (size_t i = 0; i < sizeof other * 8; i++) {
        memcpy(other, SECRET, sizeof other);
        other[i / 8] ^= (uint8_t)(1U << (i % 8));
        assert_int_equal(token_check(&token, other, 999), TOKEN_UNKNOWN);
    }
}

static void expired_and_revoked_is_told_to_its_owner_only(void **state)
{
    (void)state;
    struct token_record token = { .expires_ms = 1000 };
    uint8_t other[TOKEN_SECRET_BYTES] = { 0 };
    token_hash(SECRET, &token.hash);
    assert_int_equal(token_check(&token, SECRET, 1000), TOKEN_EXPIRED);
    token.revoked_ms = 5;
    assert_int_equal(token_check(&token, SECRET, 10), TOKEN_REVOKED);
    assert_int_equal(token_check(&token, other, 10), TOKEN_UNKNOWN);
}

static void a_name_is_a_word(void **state)
{
    (void)state;
    char longest[TOKEN_NAME_MAX_BYTES + 2];
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = 0;
    assert_non_null(token_name_problem(longest));
    longest[TOKEN_NAME_MAX_BYTES] = 0;
    assert_null(token_name_problem(longest));
    assert_null(token_name_problem("ops.deploy-2_A"));
    static const char *const bad[] = { "", "a b", "a/b", "\xc3\xbc", "a\n" };
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_non_null(token_name_problem(bad[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_is_read_as_it_was_written),
        cmocka_unit_test(what_is_not_exactly_a_token_is_none),
        cmocka_unit_test(the_hash_is_sha_256),
        cmocka_unit_test(scopes_are_words_and_reading_is_always_one),
        cmocka_unit_test(one_bit_of_the_secret_is_another_token),
        cmocka_unit_test(expired_and_revoked_is_told_to_its_owner_only),
        cmocka_unit_test(a_name_is_a_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Signatures, against vectors that openssl has computed: `printf '1700000000.BODY' | openssl dgst -sha256 -hmac KEY`.
 */
#include "webhook/sign.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static char signature[WEBHOOK_SIGNATURE_TEXT_BYTES];

static void assert_signed(const void *secret, size_t secret_bytes, uint64_t time_s, const char *body,
                          const char *wanted)
{
    webhook_sign(secret, secret_bytes, time_s, body, strlen(body), signature);
    assert_string_equal(signature, wanted);
}

static void signatures_are_those_of_openssl(void **state)
{
    (void)state;
    static const uint8_t binary[] = { 0x00, 0xff, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e };
    char longer[200];
    memset(longer, 'k', sizeof longer);
    assert_signed("correct horse battery staple", 28, 1700000000, "{\"seq\":1}",
                  "t=1700000000,v1=ff5e967ead756fbd42dba892d6e4f996446616f0047ed7a3a2d54dbc1f59a327");
    assert_signed(longer, sizeof longer, 1, "", /* a key longer than a block */
                  "t=1,v1=cc7208793f7f90b2924b7a894307d0cc8ed71b07c4966359a75ba322f1f2da36");
    assert_signed(binary, sizeof binary, UINT64_MAX, "\xc3\xa4",
                  "t=18446744073709551615,v1=c44c67dd1191c261dd79aefdae205798c962e2ccc0ea0a56e6f4f23e4d1cb490");
}

static void every_part_counts(void **state)
{
    (void)state;
    char first[WEBHOOK_SIGNATURE_TEXT_BYTES];
    webhook_sign((const uint8_t *)"secret", 6, 12, "3", 1, first);
    webhook_sign((const uint8_t *)"secret", 6, 1, "2.3", 3, signature); /* the same bytes on both sides of the dot */
    assert_string_not_equal(strchr(first, ','), strchr(signature, ','));
    webhook_sign((const uint8_t *)"Secret", 6, 12, "3", 1, signature);
    assert_string_not_equal(first, signature);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signatures_are_those_of_openssl),
        cmocka_unit_test(every_part_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

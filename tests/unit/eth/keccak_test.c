/* Keccak-256 against values computed by another implementation, around every edge of its 136-byte blocks. */
#include "eth/keccak.h"

#include "base/bytes.h"
#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void assert_keccak(const void *bytes, size_t length, const char *expected)
{
    struct bursar_hash hash;
    char text[HASH_TEXT_BYTES];
    keccak256(bytes, length, &hash);
    hash_to_text(&hash, text);
    assert_string_equal(text + 2, expected);
}

static void well_known_texts_have_their_published_hashes(void **state)
{
    (void)state;
    assert_keccak(NULL, 0, "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470");
    assert_keccak("abc", 3, "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45");
    const char *fox = "The quick brown fox jumps over the lazy dog";
    assert_keccak(fox, strlen(fox), "4d741b6f1eb29cb2a9b9911c82f56fa8d73b04959d3d9d222895df6c0b28aa15");
}

static void lengths_around_a_block_are_padded_right(void **state)
{
    (void)state;
    static const struct {
        size_t length;
        const char *hash;
    } vectors[] = {
        { 1, "bc36789e7a1e281436464229828f817d6612f7b477d66591ff96a9e064bcc98a" },
        { 135, "cbdfd9dee5faad3818d6b06f95a219fd290b0e1706f6a82e5a595b9ce9faca62" },
        { 136, "7ce759f1ab7f9ce437719970c26b0a66ff11fe3e38e17df89cf5d29c7d7f807e" },
        { 137, "ac73d4fae68b8453f764007c1a20ce95994187861f0c3227a3a8e99a73a3b1db" },
        { 271, "7c974895b2a88303ff2dc6b58f438ceb0b298cac91099ac0539cc0f477506191" },
        { 272, "fdf2ec49e749960d3c8521a0219af8d03e30e2b3bf19bd16150ee0eaf133d66e" },
        { 273, "4f707289a9c3ccd0c4a51f2f17339f5dd171d371c04ff7783b735b5b22682eaf" },
        { 1000, "aca79e4146e30eb1c733f6d6060d72471c36ea4e01ebf45d7f4916249c2bbd82" },
    };
    uint8_t bytes[1000];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)i;
    for (size_t i = 0; i < COUNT_OF(vectors); i++)
        assert_keccak(bytes, vectors[i].length, vectors[i].hash);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(well_known_texts_have_their_published_hashes),
        cmocka_unit_test(lengths_around_a_block_are_padded_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* ROMix over rows of 128 bytes, with the Salsa20/8 core (RFC 7914, sections 3 to 5). */
#include "signer/scrypt_row.h"

#include <openssl/crypto.h>

#include <string.h>
#include <sys/mman.h>

#define ROW_WORDS (SCRYPT_ROW_BYTES / 4)
#define CORE_WORDS 16
#define DOUBLE_ROUNDS 4

static uint32_t rotate(uint32_t word, int bits)
{
    return word << bits | word >> (32 - bits);
}

static void quarter_round(uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d)
{
    *b ^= rotate(*a + *d, 7);
    *c ^= rotate(*b + *a, 9);
    *d ^= rotate(*c + *b, 13);
    *a ^= rotate(*d + *c, 18);
}

/* x = salsa20_8(x ^ with) */
static void mix_core(uint32_t x[CORE_WORDS], const uint32_t with[CORE_WORDS])
{
    uint32_t w[CORE_WORDS];
    for (int i = 0; i < CORE_WORDS; i++)
        w[i] = x[i] ^= with[i];
    for (int i = 0; i < DOUBLE_ROUNDS; i++) {
        quarter_round(&w[0], &w[4], &w[8], &w[12]); /* the columns, each from its diagonal element on */
        quarter_round(&w[5], &w[9], &w[13], &w[1]);
        quarter_round(&w[10], &w[14], &w[2], &w[6]);
        quarter_round(&w[15], &w[3], &w[7], &w[11]);
        quarter_round(&w[0], &w[1], &w[2], &w[3]); /* the rows */
        quarter_round(&w[5], &w[6], &w[7], &w[4]);
        quarter_round(&w[10], &w[11], &w[8], &w[9]);
        quarter_round(&w[15], &w[12], &w[13], &w[14]);
    }
    for (int i = 0; i < CORE_WORDS; i++)
        x[i] += w[i];
}

/* BlockMix for two halves of 64 bytes, which for r = 1 stay where they are. */
static void mix_row(uint32_t row[ROW_WORDS])
{
    uint32_t x[CORE_WORDS];
    memcpy(x, row + CORE_WORDS, sizeof x);
    mix_core(x, row);
    memcpy(row, x, sizeof x);
    mix_core(x, row + CORE_WORDS);
    memcpy(row + CORE_WORDS, x, sizeof x);
}

static void mix_with_table(uint32_t row[ROW_WORDS], uint32_t *table, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        memcpy(table + i * ROW_WORDS, row, SCRYPT_ROW_BYTES);
        mix_row(row);
    }
    for (uint64_t i = 0; i < n; i++) {
        const uint32_t *other = table + (row[CORE_WORDS] & (n - 1)) * ROW_WORDS; /* n < 2^32: one word is enough */
        for (size_t j = 0; j < ROW_WORDS; j++)
            row[j] ^= other[j];
        mix_row(row);
    }
}

bool scrypt_row_mix(uint8_t block[SCRYPT_ROW_BYTES], uint64_t n)
{
    uint32_t row[ROW_WORDS];
    if (n > UINT32_MAX)
        return false;
    size_t table_bytes = (size_t)n * SCRYPT_ROW_BYTES;
    uint32_t *table = mmap(NULL, table_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (table == MAP_FAILED)
        return false;
    for (size_t i = 0; i < ROW_WORDS; i++)
        row[i] = (uint32_t)block[4 * i] | (uint32_t)block[4 * i + 1] << 8 | (uint32_t)block[4 * i + 2] << 16 |
                 (uint32_t)block[4 * i + 3] << 24;
    mix_with_table(row, table, n);
    for (size_t i = 0; i < SCRYPT_ROW_BYTES; i++)
        block[i] = (uint8_t)(row[i / 4] >> (8 * (i % 4)));
    OPENSSL_cleanse(row, sizeof row);
    OPENSSL_cleanse(table, table_bytes);
    (void)munmap(table, table_bytes);
    return true;
}

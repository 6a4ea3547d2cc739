/* scrypt with r = 1 and a large n. RFC 7914 wants n < 2^(16 r) and OpenSSL insists on it, but keystores exist that do
 * not keep to it: the format's own published example has n = 2^18, r = 1. */
#ifndef SIGNER_SCRYPT_ROW_H
#define SIGNER_SCRYPT_ROW_H

#include <bursar/status.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of a row, and of a block, when r is 1. */
#define SCRYPT_ROW_BYTES ((size_t)128)

/* Mixes one block in place, as scrypt's ROMix does. `n` is a power of two. Needs n rows of memory; false without. */
BURSAR_MUST_CHECK bool scrypt_row_mix(uint8_t block[SCRYPT_ROW_BYTES], uint64_t n);

#endif

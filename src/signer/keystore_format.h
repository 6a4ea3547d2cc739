/* What a version 3 keystore file says, checked: every number in range, every byte string of its length. No secrets. */
#ifndef SIGNER_KEYSTORE_FORMAT_H
#define SIGNER_KEYSTORE_FORMAT_H

#include "signer/keystore.h"

#include <stddef.h>
#include <stdint.h>

#define KEYSTORE_SALT_MAX_BYTES 256
#define KEYSTORE_SECRET_BYTES 32
/* n * r * p: with the largest values a slow machine takes about a minute. */
#define SCRYPT_WORK_MAX_BLOCKS ((uint64_t)1 << 26)
#define PBKDF2_MAX_ROUNDS ((uint64_t)1 << 26)

enum keystore_kdf { KDF_SCRYPT = 1, KDF_PBKDF2 = 2 };

struct keystore_file {
    bool has_address;
    struct bursar_address address;
    enum keystore_kdf kdf;
    uint64_t scrypt_n;
    uint32_t scrypt_r;
    uint32_t scrypt_p;
    uint64_t memory_bytes; /* what scrypt needs, at most KDF_MEMORY_MAX_BYTES */
    uint64_t pbkdf2_rounds;
    uint8_t salt[KEYSTORE_SALT_MAX_BYTES];
    size_t salt_bytes;
    uint8_t iv[16];
    uint8_t ciphertext[KEYSTORE_SECRET_BYTES];
    uint8_t mac[32];
};

/* EINVAL, naming `path` and what is wrong; `ret` is then undefined. */
BURSAR_MUST_CHECK enum bursar_status keystore_file_read(const char *path, struct keystore_file *ret,
                                                        struct bursar_error *err);
/* Reads a whole file of at most `capacity_bytes`; a longer one is EINVAL. */
BURSAR_MUST_CHECK enum bursar_status small_file_read(const char *path, uint8_t *ret, size_t capacity_bytes,
                                                     size_t *ret_bytes, struct bursar_error *err);

#endif

/* Web3 Secret Storage version 3 keystores: scrypt or pbkdf2 (OpenSSL), AES-128-CTR, keccak256 MAC. */
#ifndef SIGNER_KEYSTORE_H
#define SIGNER_KEYSTORE_H

#include <bursar/status.h>
#include <bursar/types.h>

#include <stdbool.h>

/* A private key in a page of its own: locked in memory, left out of core dumps, wiped when freed. Opaque. */
struct private_key;

#define KEYSTORE_MAX_BYTES ((size_t)64 * 1024)
#define PASSWORD_MAX_BYTES ((size_t)4096)
#define KDF_MEMORY_MAX_BYTES ((uint64_t)4 << 30)

/* The account named in the file, without any password. ENOTFOUND when the file does not say (it is optional). */
BURSAR_MUST_CHECK enum bursar_status keystore_address(const char *path, struct bursar_address *ret,
                                                      struct bursar_error *err);
/* Decrypts with the password in `password_path` (one trailing newline is not part of it). A wrong password, a damaged
 * file, an address that does not belong to the key: EINVAL with what is wrong, naming the file; an unreadable file too.
 */
BURSAR_MUST_CHECK enum bursar_status keystore_open(const char *path, const char *password_path,
                                                   struct private_key **ret, struct bursar_error *err);
void private_key_address(const struct private_key *key, struct bursar_address *ret);
/* Wipes, unlocks, frees; NULL is fine. */
void private_key_free(struct private_key *key);

#endif

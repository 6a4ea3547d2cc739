/* A private key in use: signing 32-byte hashes, and finding out who signed. (Type and freeing: keystore.h.) */
#ifndef SIGNER_PRIVATE_KEY_H
#define SIGNER_PRIVATE_KEY_H

#include "eth/transaction.h"
#include "signer/keystore.h"

/* Copies the secret into locked memory; the caller wipes its own copy. EINVAL when it is no secp256k1 key. */
BURSAR_MUST_CHECK enum bursar_status private_key_new(const uint8_t secret[32], struct private_key **ret,
                                                     struct bursar_error *err);
/* Deterministic (RFC 6979), s in the lower half. EREFUSED in a child process: the key stayed with its parent. */
BURSAR_MUST_CHECK enum bursar_status private_key_sign(const struct private_key *key, const struct bursar_hash *hash,
                                                      struct eth_signature *ret, struct bursar_error *err);
/* The account whose key made `signature` over `hash`; EINVAL when there is none. */
BURSAR_MUST_CHECK enum bursar_status private_key_recover(const struct private_key *key, const struct bursar_hash *hash,
                                                         const struct eth_signature *signature,
                                                         struct bursar_address *ret, struct bursar_error *err);

#endif

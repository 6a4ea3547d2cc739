/* The one place where a private key is used. The key never leaves its locked page; libsecp256k1 does the arithmetic. */
#include "signer/private_key.h"

#include "eth/address.h"
#include "signer/locked_memory.h"

#include <openssl/crypto.h>
#include <secp256k1.h>
#include <secp256k1_recovery.h>

#include <string.h>
#include <unistd.h>

struct private_key {
    uint8_t secret[32];
    struct bursar_address address;
    secp256k1_context *context; /* blinded at random, against side channels */
};

static bool address_of(const secp256k1_context *context, const secp256k1_pubkey *public_key, struct bursar_address *ret)
{
    uint8_t bytes[65];
    size_t length = sizeof bytes;
    if (!secp256k1_ec_pubkey_serialize(context, bytes, &length, public_key, SECP256K1_EC_UNCOMPRESSED) ||
        length != sizeof bytes)
        return false;
    address_from_public_key(bytes + 1, ret);
    return true;
}

static enum bursar_status set_up(struct private_key *key, const uint8_t secret[32], struct bursar_error *err)
{
    uint8_t seed[32];
    secp256k1_pubkey public_key;
    key->context = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
    if (!key->context)
        return bursar_fail(err, BURSAR_ENOMEM, "no memory for a signing context");
    if (getentropy(seed, sizeof seed) != 0)
        return bursar_fail(err, BURSAR_EINTERNAL, "the system has no randomness to protect a key with");
    int blinded = secp256k1_context_randomize(key->context, seed);
    OPENSSL_cleanse(seed, sizeof seed);
    if (!blinded)
        return bursar_fail(err, BURSAR_EINTERNAL, "cannot protect the signing context");
    memcpy(key->secret, secret, sizeof key->secret);
    if (!secp256k1_ec_pubkey_create(key->context, &public_key, key->secret))
        return bursar_fail(err, BURSAR_EINVAL, "holds a number that is not a secp256k1 private key");
    if (!address_of(key->context, &public_key, &key->address))
        return bursar_fail(err, BURSAR_EINTERNAL, "cannot derive the address of a key");
    return BURSAR_OK;
}

enum bursar_status private_key_new(const uint8_t secret[32], struct private_key **ret, struct bursar_error *err)
{
    void *memory;
    enum bursar_status status = locked_memory_new(sizeof(struct private_key), &memory, err);
    if (status != BURSAR_OK)
        return status;
    struct private_key *key = memory;
    status = set_up(key, secret, err);
    if (status != BURSAR_OK) {
        private_key_free(key);
        return status;
    }
    *ret = key;
    return BURSAR_OK;
}

void private_key_address(const struct private_key *key, struct bursar_address *ret)
{
    *ret = key->address;
}

void private_key_free(struct private_key *key)
{
    if (!key)
        return;
    secp256k1_context_destroy(key->context); /* NULL is fine, and wipes its blinding */
    locked_memory_free(key, sizeof *key);
}

enum bursar_status private_key_sign(const struct private_key *key, const struct bursar_hash *hash,
                                    struct eth_signature *ret, struct bursar_error *err)
{
    secp256k1_ecdsa_recoverable_signature signature;
    uint8_t compact[64];
    int recovery_id;
    if (!key->context) /* the page reads as zeros after a fork */
        return bursar_fail(err, BURSAR_EREFUSED, "the key was opened by another process (this one is its child)");
    if (!secp256k1_ecdsa_sign_recoverable(key->context, &signature, hash->bytes, key->secret,
                                          secp256k1_nonce_function_rfc6979, NULL))
        return bursar_fail(err, BURSAR_EINTERNAL, "signing failed");
    if (!secp256k1_ecdsa_recoverable_signature_serialize_compact(key->context, compact, &recovery_id, &signature))
        return bursar_fail(err, BURSAR_EINTERNAL, "signing failed");
    /* Ids 2 and 3 (r over the order) occur once in 2^127 signatures and cannot be written as a y parity. */
    if (recovery_id != 0 && recovery_id != 1)
        return bursar_fail(err, BURSAR_EINTERNAL, "signing gave recovery id %d, which Ethereum cannot express",
                           recovery_id);
    memcpy(ret->r, compact, sizeof ret->r);
    memcpy(ret->s, compact + sizeof ret->r, sizeof ret->s);
    ret->y_parity = (uint8_t)recovery_id;
    return BURSAR_OK;
}

enum bursar_status private_key_recover(const struct private_key *key, const struct bursar_hash *hash,
                                       const struct eth_signature *signature, struct bursar_address *ret,
                                       struct bursar_error *err)
{
    secp256k1_ecdsa_recoverable_signature parsed;
    secp256k1_pubkey public_key;
    struct bursar_address address;
    uint8_t compact[64];
    memcpy(compact, signature->r, sizeof signature->r);
    memcpy(compact + sizeof signature->r, signature->s, sizeof signature->s);
    if (!key->context)
        return bursar_fail(err, BURSAR_EREFUSED, "the key was opened by another process (this one is its child)");
    if (signature->y_parity > 1 ||
        !secp256k1_ecdsa_recoverable_signature_parse_compact(key->context, &parsed, compact, signature->y_parity) ||
        !secp256k1_ecdsa_recover(key->context, &public_key, &parsed, hash->bytes) ||
        !address_of(key->context, &public_key, &address))
        return bursar_fail(err, BURSAR_EINVAL, "not a signature of any account");
    *ret = address;
    return BURSAR_OK;
}

/* The signer seam: what holds a key, and its own record of everything it ever signed.
 *
 * A signer distrusts the executor: whatever it is asked, it never signs two payloads (to, value, data) for one
 * nonce of its account (INV-1, INV-12). Its signing log is durable before a signature leaves it (INV-2). */
#ifndef SIGNER_SIGNER_H
#define SIGNER_SIGNER_H

#include <bursar/amount.h>
#include <bursar/status.h>
#include <bursar/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Stored numbers (signing log, store): pinned, append only. */
enum sign_purpose {
    SIGN_PAYMENT = 1,     /* first bytes for a payment intent, or the same again */
    SIGN_REPLACEMENT = 2, /* same payload, other fees */
    SIGN_SELF = 3,        /* transfer of 0 to self: cancel or gap fill */
};

/* What is wanted for one nonce. Fees are wei per gas. `lease_epoch` is the fencing token of the asking executor: a
 * signer refuses one lower than it has seen. `data` is borrowed. */
struct sign_request {
    uint64_t lease_epoch;
    uint64_t nonce;
    enum sign_purpose purpose;
    uint64_t max_priority_fee_per_gas_wei;
    uint64_t max_fee_per_gas_wei;
    uint64_t gas_limit;
    struct bursar_address to;
    struct bursar_amount value;
    const uint8_t *data;
    size_t data_bytes;
};

/* One answer. On status BURSAR_OK: raw bytes (malloc'd, owned by the receiver) and their hash. Else error.message says
 * why this item was refused; its neighbours are not affected. */
struct signed_transaction {
    uint8_t *raw;
    size_t raw_bytes;
    struct bursar_hash hash;
    struct bursar_error error;
};
/* Frees raw, zeroes; safe on a zeroed value. */
void signed_transaction_clear(struct signed_transaction *signed_transaction);

/* What the signing log knows of a nonce. */
struct signed_payload {
    uint64_t nonce;
    struct bursar_address to;
    struct bursar_amount value;
    struct bursar_hash data_hash; /* keccak256(data) */
    bool has_payment;             /* a payment payload was signed: the three fields above are it */
    bool has_self_transfer;       /* a transfer of 0 to self was signed */
};

/* The extent of the signing log: nonces [first_nonce, next_nonce); entries 0: nothing was ever signed. */
struct signing_log_extent {
    uint64_t entries;
    uint64_t first_nonce;
    uint64_t next_nonce;
};

#define SIGN_BATCH_MAX_ITEMS 1000

struct signer {
    void *ctx;
    /* Takes the signing log's lock: nobody else can sign for this account until release. EBUSY: another process has it.
     * ENOTFOUND: there is no log here. EREFUSED: it is damaged, or another account's. The three calls below need it. */
    enum bursar_status (*acquire)(void *ctx, struct bursar_error *err);
    void (*release)(void *ctx);
    /* Signs a batch for this signer's (chain id, account). One fsync of the signing log for all, before any signature
     * is returned. Returns OK when every item has an answer of its own (also refused ones); else nothing was signed
     * that left the signer, and every ret item is cleared. */
    enum bursar_status (*sign)(void *ctx, const struct sign_request *requests, size_t count,
                               struct signed_transaction *ret, struct bursar_error *err);
    enum bursar_status (*log_extent)(void *ctx, struct signing_log_extent *ret, struct bursar_error *err);
    /* ENOTFOUND when the nonce was never signed. */
    enum bursar_status (*log_find)(void *ctx, uint64_t nonce, struct signed_payload *ret, struct bursar_error *err);
};

#endif

/* EIP-1559 (type 2, EIP-2718) transactions: encoding, signing hash, and decoding of what was encoded. Pure. */
#ifndef ETH_TRANSACTION_H
#define ETH_TRANSACTION_H

#include "base/bytes.h"

#include <bursar/amount.h>
#include <bursar/types.h>

/* Borrowed `data`. The access list is always empty. */
struct eth_transaction {
    uint64_t chain_id;
    uint64_t nonce;
    uint64_t max_priority_fee_per_gas_wei;
    uint64_t max_fee_per_gas_wei;
    uint64_t gas_limit;
    struct bursar_address to;
    struct bursar_amount value_wei;
    const uint8_t *data;
    size_t data_bytes;
};

/* r and s big-endian, s in the lower half of the order (EIP-2); y_parity 0 or 1. */
struct eth_signature {
    uint8_t r[32];
    uint8_t s[32];
    uint8_t y_parity;
};

#define ETH_DATA_MAX_BYTES ((size_t)128 * 1024)

/* The 32 bytes that are signed: keccak256(0x02 || rlp([...9 fields])). */
BURSAR_MUST_CHECK enum bursar_status eth_transaction_signing_hash(const struct eth_transaction *tx,
                                                                  struct bursar_hash *ret, struct bursar_error *err);
/* Appends the raw signed transaction to `out` and returns its hash. */
BURSAR_MUST_CHECK enum bursar_status eth_transaction_encode(const struct eth_transaction *tx,
                                                            const struct eth_signature *signature, struct buf *out,
                                                            struct bursar_hash *ret_hash, struct bursar_error *err);
/* Parses raw signed bytes (strictly: canonical RLP, nothing behind the end). `ret_tx->data` points into `raw`. */
BURSAR_MUST_CHECK enum bursar_status eth_transaction_decode(const uint8_t *raw, size_t raw_bytes,
                                                            struct eth_transaction *ret_tx,
                                                            struct eth_signature *ret_signature,
                                                            struct bursar_error *err);

#endif

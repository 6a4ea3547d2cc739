/* Ethereum JSON-RPC values, in both directions. Every reader is strict: wrong type, wrong length, a foreign character
 * or a number beyond its bound is an error, never a guess. Pure. */
#ifndef CHAIN_EVM_CODEC_H
#define CHAIN_EVM_CODEC_H

#include "chain/chain.h"

#include <jansson.h>

/* Numbers are stored in signed 64-bit columns. */
#define EVM_NUMBER_MAX ((uint64_t)INT64_MAX)

/* "0x" and 1-64 hexadecimal digits (leading zeros are taken: some nodes pad). */
BURSAR_MUST_CHECK bool evm_read_number(const json_t *value, uint64_t *ret);
BURSAR_MUST_CHECK bool evm_read_amount(const json_t *value, struct bursar_amount *ret);
/* "0x" and exactly as many digits as the type has. */
BURSAR_MUST_CHECK bool evm_read_hash(const json_t *value, struct bursar_hash *ret);
BURSAR_MUST_CHECK bool evm_read_address(const json_t *value, struct bursar_address *ret);

struct evm_header {
    struct chain_head head;
    bool has_base_fee;
    uint64_t base_fee_per_gas_wei;
};
/* The following fail with EPROTOCOL and say which member is wrong. `value` may be anything. */
BURSAR_MUST_CHECK enum bursar_status evm_read_header(const json_t *value, struct evm_header *ret,
                                                     struct bursar_error *err);
/* A block listing transaction hashes, at number `asked`; JSON null: not present. `ret` is owned by the caller. */
BURSAR_MUST_CHECK enum bursar_status evm_read_block(const json_t *value, uint64_t asked, struct chain_block *ret,
                                                    struct bursar_error *err);
/* Receipt and transaction of hash `asked`; JSON null: not present. */
BURSAR_MUST_CHECK enum bursar_status evm_read_receipt(const json_t *value, const struct bursar_hash *asked,
                                                      struct chain_receipt *ret, struct bursar_error *err);
BURSAR_MUST_CHECK enum bursar_status evm_read_transaction(const json_t *value, const struct bursar_hash *asked,
                                                          struct chain_transaction *ret, struct bursar_error *err);
/* Code: "0x" is none. */
BURSAR_MUST_CHECK enum bursar_status evm_read_has_code(const json_t *value, bool *ret, struct bursar_error *err);

/* Parameters; NULL when out of memory. */
json_t *evm_write_number(uint64_t number);
json_t *evm_write_amount(struct bursar_amount amount);
json_t *evm_write_hash(const struct bursar_hash *hash);
json_t *evm_write_address(const struct bursar_address *address);
/* {"blockHash": ...} (EIP-1898) */
json_t *evm_write_block_hash(const struct bursar_hash *hash);

#endif

/* Whole transactions: those an account has sent, found in the bodies of blocks, and their signed bytes. For what no
 * hash is known of; following the chain never needs it. Private to the EVM driver. */
#ifndef CHAIN_EVM_BODIES_H
#define CHAIN_EVM_BODIES_H

#include "chain/evm_pin.h"

#include <jansson.h>

/* count <= CHAIN_BODIES_MAX_COUNT; every ret is cleared on failure */
BURSAR_MUST_CHECK enum bursar_status evm_bodies(const struct evm_chain *chain, const struct bursar_address *account,
                                                const uint64_t *numbers, size_t count, struct chain_body *ret,
                                                struct bursar_error *err);
/* count <= CHAIN_ITEMS_MAX_COUNT; every ret is cleared on failure */
BURSAR_MUST_CHECK enum bursar_status evm_raws(const struct evm_chain *chain, const struct bursar_hash *hashes,
                                              size_t count, struct chain_raw *ret, struct bursar_error *err);

/* A block listing whole transactions, at number `asked`; JSON null: not present. `ret` is owned by the caller. */
BURSAR_MUST_CHECK enum bursar_status evm_read_body(const json_t *value, uint64_t asked,
                                                   const struct bursar_address *account, struct chain_body *ret,
                                                   struct bursar_error *err);
/* The bytes of a transaction, put together from its members. None where JSON null, where it is no EIP-1559 transaction
 * with an empty access list, and where what comes out does not hash to `asked`. ENOMEM. */
BURSAR_MUST_CHECK enum bursar_status evm_read_raw(const json_t *value, const struct bursar_hash *asked,
                                                  struct chain_raw *ret, struct bursar_error *err);

#endif

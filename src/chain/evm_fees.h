/* What a transaction should offer to get into one of the next blocks, from eth_feeHistory. Pure. */
#ifndef CHAIN_EVM_FEES_H
#define CHAIN_EVM_FEES_H

#include <bursar/status.h>

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#define EVM_FEE_HISTORY_BLOCKS 20

struct evm_fees {
    uint64_t next_base_fee_per_gas_wei;
    uint64_t suggested_priority_fee_per_gas_wei;
};

/* Reads the answer to eth_feeHistory(EVM_FEE_HISTORY_BLOCKS, latest, [50]). `latest_base_fee_wei` is the newest block's
 * own, for nodes that have forgotten their history. EPROTOCOL when malformed. */
BURSAR_MUST_CHECK enum bursar_status evm_read_fees(const json_t *history, uint64_t latest_base_fee_wei,
                                                   struct evm_fees *ret, struct bursar_error *err);
/* The median of the non-zero `rewards`, but at least a tenth of the base fee or 1 gwei, whichever is less, and at least
 * 1 wei. Sorts `rewards`. */
uint64_t evm_priority_fee(uint64_t *rewards, size_t count, uint64_t base_fee_wei);

#endif

/* The EVM driver: the chain seam over Ethereum JSON-RPC. */
#ifndef CHAIN_EVM_H
#define CHAIN_EVM_H

#include "chain/chain.h"
#include "rpc/rpc.h"

struct evm_chain;

/* `rpc` is borrowed and must outlive the driver. */
BURSAR_MUST_CHECK enum bursar_status evm_chain_new(struct rpc rpc, struct evm_chain **ret, struct bursar_error *err);
/* Before evm_chain_interface: another connection to the same node, for transactions that are handed over while others
 * are asked about. ELIMIT beyond CHAIN_LANES_MAX_COUNT. Borrowed as well. */
BURSAR_MUST_CHECK enum bursar_status evm_chain_add_lane(struct evm_chain *chain, struct rpc rpc,
                                                        struct bursar_error *err);
/* What the connections have shown since this was last asked, all together. */
void evm_chain_take_trouble(struct evm_chain *chain, struct rpc_trouble *ret);
struct chain evm_chain_interface(struct evm_chain *chain);
void evm_chain_free(struct evm_chain *chain); /* NULL is fine */

#endif

/* Reading headers, and state at one given block (EIP-1898), also on nodes that only know block numbers. Private to the
 * EVM driver.
 */
#ifndef CHAIN_EVM_PIN_H
#define CHAIN_EVM_PIN_H

#include "chain/chain.h"
#include "chain/evm_batch.h"

/* All nodes use it alike. */
#define EVM_CODE_INVALID_PARAMS (-32602)

struct evm_chain {
    struct rpc rpc;
    struct rpc lanes[CHAIN_LANES_MAX_COUNT];
    size_t lane_count;
    /* The node refused {"blockHash": ...}: blocks are named by number, and afterwards evm_pin_confirm is needed. */
    bool pins_by_number;
    bool runs_no_programs; /* eth_call did not do what evm_code.c needs */
    /* How this node lets a block be named when gas is estimated. */
    enum { ESTIMATE_PIN_HASH = 0, ESTIMATE_PIN_NUMBER, ESTIMATE_PIN_NOT } estimate_pin;
    /* The call that names a block without listing its transactions, where this node has one; NULL: not asked yet. */
    const char *header_method;
};

/* Finds out once which call this node has for headers. A block's list of transactions is long, and a look at the node
 * has no use for it. */
void evm_header_probe(struct evm_chain *chain);
/* Adds a call for the header of `which` (taken), a number or a tag; read it with evm_read_header. */
size_t evm_header_add(const struct evm_chain *chain, struct evm_batch *batch, json_t *which);

/* The block parameter of a call; NULL when out of memory. */
json_t *evm_pin_parameter(const struct evm_chain *chain, const struct chain_block_ref *block);
/* True when the node has just shown that it does not know block hash parameters. `chain` remembers; read again. */
bool evm_pin_fell_back(struct evm_chain *chain, const struct rpc_reply *reply);
/* As evm_batch_result, with ESTALE when the node says that it has no such block (any more). */
BURSAR_MUST_CHECK enum bursar_status evm_pin_result(const struct evm_batch *batch, size_t index, const json_t **ret,
                                                    struct bursar_error *err);
/* Asks for the blocks by number: EPROTOCOL when one has another hash now. */
BURSAR_MUST_CHECK enum bursar_status evm_pin_confirm(const struct evm_chain *chain,
                                                     const struct chain_block_ref *blocks, size_t count,
                                                     struct bursar_error *err);

#endif

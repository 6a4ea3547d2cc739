/* A batch of JSON-RPC calls being put together, sent and read back: the plumbing that the EVM driver's functions share.
 */
#ifndef CHAIN_EVM_BATCH_H
#define CHAIN_EVM_BATCH_H

#include "rpc/rpc.h"

/* Zero-initialise; `cleanup(evm_batch_free)` gives everything back, whether it was sent or not. */
struct evm_batch {
    struct rpc_request *requests;
    struct rpc_reply *replies;
    size_t count;
    size_t capacity;
    bool is_sent;
    bool is_broken; /* a call could not be added */
};

/* Room for `capacity` calls. ENOMEM. */
BURSAR_MUST_CHECK enum bursar_status evm_batch_reserve(struct evm_batch *batch, size_t capacity,
                                                       struct bursar_error *err);
/* Adds a call and returns its index. Takes `params`; NULL (out of memory) makes evm_batch_send fail. */
size_t evm_batch_add(struct evm_batch *batch, const char *method, json_t *params);
/* Sends. The transport's status, or ENOMEM with nothing sent; `replies` are valid when is_sent. */
BURSAR_MUST_CHECK enum bursar_status evm_batch_send(struct evm_batch *batch, const struct rpc *rpc,
                                                    struct bursar_error *err);
/* Puts the batch on its way; the replies come by rpc->finish, not here. Fails with nothing sent. */
BURSAR_MUST_CHECK enum bursar_status evm_batch_start(struct evm_batch *batch, const struct rpc *rpc,
                                                     struct bursar_error *err);
/* As evm_batch_send, for reads: a read has no outcome that could be unknown, the node was just not reachable. */
BURSAR_MUST_CHECK enum bursar_status evm_batch_read(struct evm_batch *batch, const struct rpc *rpc,
                                                    struct bursar_error *err);
/* The result of a call that evm_batch_read answered (may be JSON null); borrowed. An error of the node's is
 * EUNREACHABLE: a failed read is never a negative fact (INV-5). */
BURSAR_MUST_CHECK enum bursar_status evm_batch_result(const struct evm_batch *batch, size_t index, const json_t **ret,
                                                      struct bursar_error *err);
void evm_batch_free(struct evm_batch *batch);

#endif

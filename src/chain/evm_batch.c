/* Plumbing for batches of calls: who owns what until when. */
#include "chain/evm_batch.h"

#include <stdlib.h>

enum bursar_status evm_batch_reserve(struct evm_batch *batch, size_t capacity, struct bursar_error *err)
{
    batch->requests = calloc(capacity, sizeof *batch->requests);
    batch->replies = calloc(capacity, sizeof *batch->replies);
    batch->capacity = capacity;
    if (batch->requests && batch->replies)
        return BURSAR_OK;
    return bursar_fail(err, BURSAR_ENOMEM, "out of memory");
}

size_t evm_batch_add(struct evm_batch *batch, const char *method, json_t *params)
{
    if (!params || batch->count == batch->capacity) {
        json_decref(params);
        batch->is_broken = true;
        return 0;
    }
    batch->requests[batch->count] = (struct rpc_request){ .method = method, .params = params };
    return batch->count++;
}

enum bursar_status evm_batch_send(struct evm_batch *batch, const struct rpc *rpc, struct bursar_error *err)
{
    if (batch->is_broken)
        return bursar_fail(err, BURSAR_ENOMEM, "out of memory");
    batch->is_sent = true;
    return rpc->call(rpc->ctx, batch->requests, batch->count, batch->replies, err);
}

enum bursar_status evm_batch_start(struct evm_batch *batch, const struct rpc *rpc, struct bursar_error *err)
{
    if (batch->is_broken)
        return bursar_fail(err, BURSAR_ENOMEM, "out of memory");
    batch->is_sent = true;
    return rpc->start(rpc->ctx, batch->requests, batch->count, err);
}

enum bursar_status evm_batch_read(struct evm_batch *batch, const struct rpc *rpc, struct bursar_error *err)
{
    struct bursar_error reason = { 0 };
    enum bursar_status status = evm_batch_send(batch, rpc, &reason);
    if (status == BURSAR_OK)
        return BURSAR_OK;
    return bursar_fail(err, status == BURSAR_EUNKNOWN ? BURSAR_EUNREACHABLE : status, "%s", reason.message);
}

enum bursar_status evm_batch_result(const struct evm_batch *batch, size_t index, const json_t **ret,
                                    struct bursar_error *err)
{
    const struct rpc_reply *reply = &batch->replies[index];
    if (reply->outcome == RPC_RESULT) {
        *ret = reply->result;
        return BURSAR_OK;
    }
    return bursar_fail(err, BURSAR_EUNREACHABLE, "the node did not answer %s: %s (%lld)", batch->requests[index].method,
                       reply->message, reply->code);
}

void evm_batch_free(struct evm_batch *batch)
{
    for (size_t i = 0; i < batch->count && !batch->is_sent; i++)
        json_decref(batch->requests[i].params);
    if (batch->is_sent)
        rpc_replies_clear(batch->replies, batch->count);
    free(batch->requests);
    free(batch->replies);
    *batch = (struct evm_batch){ 0 };
}

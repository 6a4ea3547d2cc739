/* Reading state at one given block. A number names another block after a reorg, a hash never does; so numbers are a
 * fall-back, and what was read by them counts only if they still name the same blocks afterwards. */
#include "chain/evm_pin.h"

#include "base/cleanup.h"
#include "chain/evm_codec.h"
#include "chain/node_errors.h"

#include <inttypes.h>

#define GET_BLOCK "eth_getBlockByNumber"

void evm_header_probe(struct evm_chain *chain)
{
    static const char *const methods[] = { "eth_getHeaderByNumber", "erigon_getHeaderByNumber" };
    cleanup(evm_batch_free) struct evm_batch batch = { 0 };
    struct bursar_error ignored = { 0 };
    const json_t *value;
    struct evm_header header;
    if (chain->header_method || evm_batch_reserve(&batch, COUNT_OF(methods), &ignored) != BURSAR_OK)
        return;
    for (size_t i = 0; i < COUNT_OF(methods); i++)
        (void)evm_batch_add(&batch, methods[i], json_pack("[o]", evm_write_number(0)));
    if (evm_batch_read(&batch, &chain->rpc, &ignored) != BURSAR_OK)
        return; /* asked again with the next look */
    chain->header_method = GET_BLOCK;
    for (size_t i = COUNT_OF(methods); i-- > 0;) {
        if (evm_batch_result(&batch, i, &value, &ignored) == BURSAR_OK &&
            evm_read_header(value, &header, &ignored) == BURSAR_OK)
            chain->header_method = methods[i];
    }
}

size_t evm_header_add(const struct evm_chain *chain, struct evm_batch *batch, json_t *which)
{
    const char *method = chain->header_method ? chain->header_method : GET_BLOCK;
    return evm_batch_add(batch, method,
                         strcmp(method, GET_BLOCK) == 0 ? json_pack("[ob]", which, 0) : json_pack("[o]", which));
}

json_t *evm_pin_parameter(const struct evm_chain *chain, const struct chain_block_ref *block)
{
    return chain->pins_by_number ? evm_write_number(block->number) : evm_write_block_hash(&block->hash);
}

bool evm_pin_fell_back(struct evm_chain *chain, const struct rpc_reply *reply)
{
    if (chain->pins_by_number || reply->outcome != RPC_ERROR || reply->code != EVM_CODE_INVALID_PARAMS)
        return false;
    chain->pins_by_number = true;
    return true;
}

static bool block_is_gone(const struct rpc_reply *reply)
{
    enum read_fault fault = read_fault_of_error(reply->code, reply->message);
    return fault == READ_FAULT_BLOCK_GONE || fault == READ_FAULT_UNKNOWN_BLOCK;
}

enum bursar_status evm_pin_result(const struct evm_batch *batch, size_t index, const json_t **ret,
                                  struct bursar_error *err)
{
    const struct rpc_reply *reply = &batch->replies[index];
    if (reply->outcome == RPC_ERROR && block_is_gone(reply))
        return bursar_fail(err, BURSAR_ESTALE, "the block that was being read is gone (reorg, or another node): %s",
                           reply->message);
    return evm_batch_result(batch, index, ret, err);
}

enum bursar_status evm_pin_confirm(const struct evm_chain *chain, const struct chain_block_ref *blocks, size_t count,
                                   struct bursar_error *err)
{
    cleanup(evm_batch_free) struct evm_batch batch = { 0 };
    enum bursar_status status = evm_batch_reserve(&batch, count, err);
    if (status != BURSAR_OK)
        return status;
    for (size_t i = 0; i < count; i++)
        (void)evm_header_add(chain, &batch, evm_write_number(blocks[i].number));
    status = evm_batch_read(&batch, &chain->rpc, err);
    for (size_t i = 0; i < count && status == BURSAR_OK; i++) {
        const json_t *value;
        struct evm_header header = { 0 };
        status = evm_batch_result(&batch, i, &value, err);
        if (status != BURSAR_OK)
            break;
        if (!json_is_null(value))
            status = evm_read_header(value, &header, err);
        if (status == BURSAR_OK && memcmp(&header.head.block.hash, &blocks[i].hash, sizeof blocks[i].hash) != 0)
            status = bursar_fail(err, BURSAR_EPROTOCOL, "the head moved while reading (block %" PRIu64 ")",
                                 blocks[i].number);
    }
    return status;
}

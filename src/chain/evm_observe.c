/* One look at the node. First the heads are read, then everything about the account at exactly those heads' hashes, so
 * that no new block or reorg in between can make one view of two states (INV-4: a tick's reads are pinned). */
#include "chain/evm_observe.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "chain/evm_codec.h"
#include "chain/evm_fees.h"
#include "chain/node_errors.h"

#include <inttypes.h>

#define CALLS_MAX 8

static enum bursar_status read_header(const struct evm_batch *batch, size_t index, struct evm_header *ret,
                                      struct bursar_error *err)
{
    const json_t *value;
    enum bursar_status status = evm_batch_result(batch, index, &value, err);
    return status == BURSAR_OK ? evm_read_header(value, ret, err) : status;
}

/* A block asked for by number: *ret_is_present false where the node has none. */
static enum bursar_status read_numbered(const struct evm_batch *batch, size_t index, uint64_t number,
                                        bool *ret_is_present, struct chain_head *ret, struct bursar_error *err)
{
    const json_t *value;
    struct evm_header header;
    enum bursar_status status = evm_batch_result(batch, index, &value, err);
    if (status != BURSAR_OK)
        return status;
    *ret_is_present = !json_is_null(value);
    if (!*ret_is_present)
        return BURSAR_OK;
    status = evm_read_header(value, &header, err);
    if (status != BURSAR_OK)
        return status;
    if (header.head.block.number != number)
        return bursar_fail(err, BURSAR_EPROTOCOL, "the node sent block %" PRIu64 " when asked for block %" PRIu64,
                           header.head.block.number, number);
    *ret = header.head;
    return BURSAR_OK;
}

static bool nothing_is_final_yet(const struct rpc_reply *reply)
{
    if (reply->outcome != RPC_ERROR)
        return false;
    enum read_fault fault = read_fault_of_error(reply->code, reply->message);
    return fault == READ_FAULT_NOTHING_FINAL || fault == READ_FAULT_UNKNOWN_BLOCK;
}

static enum bursar_status read_finalized(const struct evm_batch *batch, size_t index, struct chain_view *view,
                                         struct bursar_error *err)
{
    const json_t *value;
    struct evm_header header;
    const struct rpc_reply *reply = &batch->replies[index];
    if (nothing_is_final_yet(reply))
        return BURSAR_OK;
    if (reply->outcome == RPC_ERROR && reply->code == EVM_CODE_INVALID_PARAMS)
        return bursar_fail(err, BURSAR_EREFUSED,
                           "the node does not know the block tag `finalized` (%s): set finality to a number of "
                           "confirmations",
                           reply->message);
    enum bursar_status status = evm_batch_result(batch, index, &value, err);
    if (status != BURSAR_OK || json_is_null(value))
        return status;
    status = evm_read_header(value, &header, err);
    if (status != BURSAR_OK)
        return status;
    view->has_final = true;
    view->final = header.head;
    return BURSAR_OK;
}

/* chain id, genesis, anchor, latest, and finalized where that is the node's to say. */
static enum bursar_status read_heads(const struct evm_chain *chain, const struct chain_query *query,
                                     struct chain_view *view, uint64_t *ret_base_fee, struct bursar_error *err)
{
    cleanup(evm_batch_free) struct evm_batch batch = { 0 };
    struct evm_header header;
    struct chain_head anchor = { 0 };
    const json_t *value;
    size_t finalized = 0, anchored = 0;
    enum bursar_status status = evm_batch_reserve(&batch, CALLS_MAX, err);
    if (status != BURSAR_OK)
        return status;
    size_t chain_id = evm_batch_add(&batch, "eth_chainId", json_array());
    size_t genesis = evm_header_add(chain, &batch, evm_write_number(0));
    if (query->has_anchor)
        anchored = evm_header_add(chain, &batch, evm_write_number(query->anchor_number));
    /* Before latest, so that the chain moving on in between does not put finalized above it. */
    if (query->finality_blocks == 0)
        finalized = evm_header_add(chain, &batch, json_string("finalized"));
    size_t latest = evm_header_add(chain, &batch, json_string("latest"));
    status = evm_batch_read(&batch, &chain->rpc, err);
    if (status == BURSAR_OK)
        status = evm_batch_result(&batch, chain_id, &value, err);
    if (status == BURSAR_OK && !evm_read_number(value, &view->chain_id))
        status = bursar_fail(err, BURSAR_EPROTOCOL, "the node sent a malformed chain id");
    if (status == BURSAR_OK)
        status = read_header(&batch, genesis, &header, err);
    if (status != BURSAR_OK)
        return status;
    if (header.head.block.number != 0)
        return bursar_fail(err, BURSAR_EPROTOCOL, "the node sent another block than block 0");
    view->genesis_hash = header.head.block.hash;
    if (query->has_anchor)
        status = read_numbered(&batch, anchored, query->anchor_number, &view->has_anchor_block, &anchor, err);
    view->anchor_hash = anchor.block.hash;
    if (status == BURSAR_OK && query->finality_blocks == 0)
        status = read_finalized(&batch, finalized, view, err);
    if (status == BURSAR_OK)
        status = read_header(&batch, latest, &header, err);
    if (status != BURSAR_OK)
        return status;
    if (!header.has_base_fee)
        return bursar_fail(err, BURSAR_EREFUSED, "chain has no EIP-1559 fees (no baseFeePerGas in block %" PRIu64 ")",
                           header.head.block.number);
    view->latest = header.head;
    *ret_base_fee = header.base_fee_per_gas_wei;
    return BURSAR_OK;
}

/* The block at `number` becomes the final one. */
static enum bursar_status read_final_at(const struct evm_chain *chain, uint64_t number, struct chain_view *view,
                                        struct bursar_error *err)
{
    cleanup(evm_batch_free) struct evm_batch batch = { 0 };
    bool is_present = false;
    enum bursar_status status = evm_batch_reserve(&batch, 1, err);
    if (status != BURSAR_OK)
        return status;
    size_t index = evm_header_add(chain, &batch, evm_write_number(number));
    status = evm_batch_read(&batch, &chain->rpc, err);
    if (status == BURSAR_OK)
        status = read_numbered(&batch, index, number, &is_present, &view->final, err);
    if (status != BURSAR_OK)
        return status;
    if (!is_present)
        return bursar_fail(err, BURSAR_ESTALE, "block %" PRIu64 " is gone (reorg, or another node)", number);
    view->has_final = true;
    return BURSAR_OK;
}

/* Where finality is a number of confirmations, and where the asker wants nothing above a limit. */
static enum bursar_status choose_final(const struct evm_chain *chain, const struct chain_query *query,
                                       struct chain_view *view, struct bursar_error *err)
{
    uint64_t latest = view->latest.block.number, confirmations = query->finality_blocks;
    if (confirmations > 0) {
        if (latest < confirmations)
            return BURSAR_OK;
        uint64_t number = latest - confirmations;
        return read_final_at(chain, query->has_final_limit && query->final_limit < number ? query->final_limit : number,
                             view, err);
    }
    if (!view->has_final || !query->has_final_limit || view->final.block.number <= query->final_limit)
        return BURSAR_OK;
    return read_final_at(chain, query->final_limit, view, err);
}

static bool is_genesis_or_above(const struct chain_view *view, const struct chain_block_ref *block)
{
    return block->number > 0 || hash_equal(&block->hash, &view->genesis_hash);
}

/* What is pinned from a look must not contradict itself. */
static enum bursar_status check_heads(const struct chain_query *query, const struct chain_view *view,
                                      struct bursar_error *err)
{
    const struct chain_block_ref *final = &view->final.block, *latest = &view->latest.block;
    const struct chain_block_ref anchor = { query->anchor_number, view->anchor_hash };
    if (!is_genesis_or_above(view, latest) || (view->has_final && !is_genesis_or_above(view, final)) ||
        (view->has_anchor_block && !is_genesis_or_above(view, &anchor)))
        return bursar_fail(err, BURSAR_EPROTOCOL, "the node names two different blocks as block 0");
    if (!view->has_final || final->number < latest->number ||
        (final->number == latest->number && hash_equal(&final->hash, &latest->hash)))
        return BURSAR_OK;
    return bursar_fail(err, BURSAR_ESTALE,
                       "the node's final block %" PRIu64 " does not lie below its latest block %" PRIu64, final->number,
                       latest->number);
}

static json_t *account_params(const struct chain_query *query, json_t *block)
{
    return json_pack("[oo]", evm_write_address(&query->account), block);
}

static enum bursar_status read_pinned_number(const struct evm_batch *batch, size_t index, const char *what,
                                             uint64_t *ret, struct bursar_error *err)
{
    const json_t *value;
    enum bursar_status status = evm_pin_result(batch, index, &value, err);
    if (status == BURSAR_OK && !evm_read_number(value, ret))
        return bursar_fail(err, BURSAR_EPROTOCOL, "the node sent a malformed %s", what);
    return status;
}

/* Nodes forget old states: without this one there is still everything that observing needs (INV-10). */
static void read_balance_final(const struct evm_batch *batch, size_t index, struct chain_view *view)
{
    const struct rpc_reply *reply = &batch->replies[index];
    view->has_balance_final = reply->outcome == RPC_RESULT && evm_read_amount(reply->result, &view->balance_final);
}

/* Nonces, balances and fees at the heads already in `view`. *ret_fell_back: nothing was read, try again. */
static enum bursar_status read_account(struct evm_chain *chain, const struct chain_query *query, uint64_t base_fee,
                                       struct chain_view *view, bool *ret_fell_back, struct bursar_error *err)
{
    cleanup(evm_batch_free) struct evm_batch batch = { 0 };
    const json_t *value;
    struct evm_fees fees = { 0 };
    size_t nonce_final = 0, balance_final = 0;
    enum bursar_status status = evm_batch_reserve(&batch, CALLS_MAX, err);
    if (status != BURSAR_OK)
        return status;
    size_t nonce_latest = evm_batch_add(&batch, "eth_getTransactionCount",
                                        account_params(query, evm_pin_parameter(chain, &view->latest.block)));
    size_t balance =
        evm_batch_add(&batch, "eth_getBalance", account_params(query, evm_pin_parameter(chain, &view->latest.block)));
    if (view->has_final) {
        nonce_final = evm_batch_add(&batch, "eth_getTransactionCount",
                                    account_params(query, evm_pin_parameter(chain, &view->final.block)));
        balance_final = evm_batch_add(&batch, "eth_getBalance",
                                      account_params(query, evm_pin_parameter(chain, &view->final.block)));
    }
    size_t nonce_pending =
        evm_batch_add(&batch, "eth_getTransactionCount", account_params(query, json_string("pending")));
    size_t history = evm_batch_add(&batch, "eth_feeHistory",
                                   json_pack("[oo[i]]", evm_write_number(EVM_FEE_HISTORY_BLOCKS),
                                             evm_write_number(view->latest.block.number), 50));
    status = evm_batch_read(&batch, &chain->rpc, err);
    if (status != BURSAR_OK)
        return status;
    *ret_fell_back = evm_pin_fell_back(chain, &batch.replies[nonce_latest]);
    if (*ret_fell_back)
        return BURSAR_OK;
    status = read_pinned_number(&batch, nonce_latest, "nonce", &view->nonce_latest, err);
    if (status == BURSAR_OK && view->has_final) {
        status = read_pinned_number(&batch, nonce_final, "nonce", &view->nonce_final, err);
        read_balance_final(&batch, balance_final, view);
    }
    if (status == BURSAR_OK)
        status = read_pinned_number(&batch, nonce_pending, "nonce", &view->nonce_pending, err);
    if (status == BURSAR_OK)
        status = evm_pin_result(&batch, balance, &value, err);
    if (status == BURSAR_OK && !evm_read_amount(value, &view->balance))
        status = bursar_fail(err, BURSAR_EPROTOCOL, "the node sent a malformed balance");
    if (status == BURSAR_OK)
        status = evm_batch_result(&batch, history, &value, err);
    if (status == BURSAR_OK)
        status = evm_read_fees(value, base_fee, &fees, err);
    if (status == BURSAR_OK && view->nonce_final > view->nonce_latest)
        status = bursar_fail(err, BURSAR_EPROTOCOL, "the node counts more final than latest transactions");
    view->next_base_fee_per_gas_wei = fees.next_base_fee_per_gas_wei;
    view->suggested_priority_fee_per_gas_wei = fees.suggested_priority_fee_per_gas_wei;
    return status;
}

enum bursar_status evm_observe(struct evm_chain *chain, const struct chain_query *query, struct chain_view *ret,
                               struct bursar_error *err)
{
    struct chain_view view = { 0 };
    uint64_t base_fee = 0;
    bool fell_back = false;
    evm_header_probe(chain);
    enum bursar_status status = read_heads(chain, query, &view, &base_fee, err);
    if (status == BURSAR_OK)
        status = choose_final(chain, query, &view, err);
    if (status == BURSAR_OK)
        status = check_heads(query, &view, err);
    if (status == BURSAR_OK)
        status = read_account(chain, query, base_fee, &view, &fell_back, err);
    if (status == BURSAR_OK && fell_back)
        status = read_account(chain, query, base_fee, &view, &fell_back, err);
    /* What was read by number is good only if the numbers still name the same blocks: a final block that was found by
     * counting back from latest lies below it only as long as latest is canonical. */
    if (status == BURSAR_OK && (chain->pins_by_number || query->finality_blocks > 0)) {
        const struct chain_block_ref blocks[] = { view.latest.block, view.final.block };
        status = evm_pin_confirm(chain, blocks, view.has_final ? 2 : 1, err);
    }
    if (status == BURSAR_OK)
        *ret = view;
    return status;
}

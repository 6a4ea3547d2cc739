/* The EVM driver: the chain seam's functions as JSON-RPC calls. What an answer means is decided in evm_codec.c
 * (values), evm_observe.c (one view of several answers) and node_errors.c (errors). */
#include "chain/evm.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "chain/evm_bodies.h"
#include "chain/evm_code.h"
#include "chain/evm_codec.h"
#include "chain/evm_estimate.h"
#include "chain/evm_observe.h"
#include "chain/evm_token.h"
#include "chain/node_errors.h"

/* So that the reply for blocks full of transactions stays well below the transport's limit. */
#define BLOCKS_PER_READ ((size_t)16)

enum bursar_status evm_chain_new(struct rpc rpc, struct evm_chain **ret, struct bursar_error *err)
{
    struct evm_chain *chain = calloc(1, sizeof *chain);
    if (!chain)
        return bursar_fail(err, BURSAR_ENOMEM, "out of memory");
    chain->rpc = rpc;
    *ret = chain;
    return BURSAR_OK;
}

enum bursar_status evm_chain_add_lane(struct evm_chain *chain, struct rpc rpc, struct bursar_error *err)
{
    if (chain->lane_count == CHAIN_LANES_MAX_COUNT)
        return bursar_fail(err, BURSAR_ELIMIT, "at most %d connections besides the first", CHAIN_LANES_MAX_COUNT);
    chain->lanes[chain->lane_count++] = rpc;
    return BURSAR_OK;
}

static void add_trouble(const struct rpc *rpc, struct rpc_trouble *sum)
{
    struct rpc_trouble trouble = { 0 };
    if (rpc->take_trouble)
        rpc->take_trouble(rpc->ctx, &trouble);
    sum->is_transport_fault = sum->is_transport_fault || trouble.is_transport_fault;
    if (trouble.retry_after_ms > sum->retry_after_ms)
        sum->retry_after_ms = trouble.retry_after_ms;
}

void evm_chain_take_trouble(struct evm_chain *chain, struct rpc_trouble *ret)
{
    *ret = (struct rpc_trouble){ 0 };
    add_trouble(&chain->rpc, ret);
    for (size_t i = 0; i < chain->lane_count; i++)
        add_trouble(&chain->lanes[i], ret);
}

void evm_chain_free(struct evm_chain *chain)
{
    free(chain);
}

static enum bursar_status check_count(size_t count, size_t maximum, struct bursar_error *err)
{
    if (count <= maximum)
        return BURSAR_OK;
    return bursar_fail(err, BURSAR_ELIMIT, "%zu items asked of the node at once, at most %zu are allowed", count,
                       maximum);
}

static enum bursar_status observe(void *ctx, const struct chain_query *query, struct chain_view *ret,
                                  struct bursar_error *err)
{
    return evm_observe(ctx, query, ret, err);
}

static enum bursar_status read_blocks(const struct evm_chain *chain, const uint64_t *numbers, size_t count,
                                      struct chain_block *ret, struct bursar_error *err)
{
    cleanup(evm_batch_free) struct evm_batch batch = { 0 };
    enum bursar_status status = evm_batch_reserve(&batch, count, err);
    if (status != BURSAR_OK)
        return status;
    for (size_t i = 0; i < count; i++)
        (void)evm_batch_add(&batch, "eth_getBlockByNumber", json_pack("[ob]", evm_write_number(numbers[i]), 0));
    status = evm_batch_read(&batch, &chain->rpc, err);
    for (size_t i = 0; i < count && status == BURSAR_OK; i++) {
        const json_t *value;
        status = evm_batch_result(&batch, i, &value, err);
        if (status == BURSAR_OK)
            status = evm_read_block(value, numbers[i], &ret[i], err);
    }
    return status;
}

static enum bursar_status blocks(void *ctx, const uint64_t *numbers, size_t count, struct chain_block *ret,
                                 struct bursar_error *err)
{
    enum bursar_status status = check_count(count, CHAIN_BLOCKS_MAX_COUNT, err);
    if (status != BURSAR_OK)
        return status;
    for (size_t i = 0; i < count; i++)
        ret[i] = (struct chain_block){ 0 };
    for (size_t done = 0; done < count && status == BURSAR_OK; done += BLOCKS_PER_READ) {
        size_t some = count - done < BLOCKS_PER_READ ? count - done : BLOCKS_PER_READ;
        status = read_blocks(ctx, numbers + done, some, ret + done, err);
    }
    if (status != BURSAR_OK)
        chain_blocks_clear(ret, count);
    return status;
}

/* Asks `method` about each hash. */
static enum bursar_status read_by_hash(const struct evm_chain *chain, const char *method,
                                       const struct bursar_hash *hashes, size_t count, struct evm_batch *batch,
                                       struct bursar_error *err)
{
    enum bursar_status status = check_count(count, CHAIN_ITEMS_MAX_COUNT, err);
    if (status == BURSAR_OK)
        status = evm_batch_reserve(batch, count, err);
    if (status != BURSAR_OK)
        return status;
    for (size_t i = 0; i < count; i++)
        (void)evm_batch_add(batch, method, json_pack("[o]", evm_write_hash(&hashes[i])));
    return evm_batch_read(batch, &chain->rpc, err);
}

static enum bursar_status receipts(void *ctx, const struct bursar_hash *hashes, size_t count, struct chain_receipt *ret,
                                   struct bursar_error *err)
{
    cleanup(evm_batch_free) struct evm_batch batch = { 0 };
    if (count == 0)
        return BURSAR_OK;
    enum bursar_status status = read_by_hash(ctx, "eth_getTransactionReceipt", hashes, count, &batch, err);
    for (size_t i = 0; i < count && status == BURSAR_OK; i++) {
        const json_t *value;
        status = evm_batch_result(&batch, i, &value, err);
        if (status == BURSAR_OK)
            status = evm_read_receipt(value, &hashes[i], &ret[i], err);
    }
    return status;
}

static enum bursar_status transactions(void *ctx, const struct bursar_hash *hashes, size_t count,
                                       struct chain_transaction *ret, struct bursar_error *err)
{
    cleanup(evm_batch_free) struct evm_batch batch = { 0 };
    if (count == 0)
        return BURSAR_OK;
    enum bursar_status status = read_by_hash(ctx, "eth_getTransactionByHash", hashes, count, &batch, err);
    for (size_t i = 0; i < count && status == BURSAR_OK; i++) {
        const json_t *value;
        status = evm_batch_result(&batch, i, &value, err);
        if (status == BURSAR_OK)
            status = evm_read_transaction(value, &hashes[i], &ret[i], err);
    }
    return status;
}

static enum bursar_status bodies(void *ctx, const struct bursar_address *account, const uint64_t *numbers, size_t count,
                                 struct chain_body *ret, struct bursar_error *err)
{
    enum bursar_status status = check_count(count, CHAIN_BODIES_MAX_COUNT, err);
    return status == BURSAR_OK ? evm_bodies(ctx, account, numbers, count, ret, err) : status;
}

static enum bursar_status raws(void *ctx, const struct bursar_hash *hashes, size_t count, struct chain_raw *ret,
                               struct bursar_error *err)
{
    enum bursar_status status = check_count(count, CHAIN_ITEMS_MAX_COUNT, err);
    return status == BURSAR_OK ? evm_raws(ctx, hashes, count, ret, err) : status;
}

static enum bursar_status has_code(void *ctx, const struct chain_block_ref *at, const struct bursar_address *addresses,
                                   size_t count, bool *ret, struct bursar_error *err)
{
    enum bursar_status status = check_count(count, CHAIN_ITEMS_MAX_COUNT, err);
    return status == BURSAR_OK && count ? evm_has_code(ctx, at, addresses, count, ret, err) : status;
}

static enum bursar_status tokens(void *ctx, const struct chain_block_ref *at, const struct bursar_address *list,
                                 size_t count, struct chain_token *ret, struct bursar_error *err)
{
    enum bursar_status status = check_count(count, CHAIN_TOKENS_MAX_COUNT, err);
    return status == BURSAR_OK && count ? evm_tokens(ctx, at, list, count, ret, err) : status;
}

static enum bursar_status token_balances(void *ctx, const struct chain_block_ref *at,
                                         const struct bursar_address *account, const struct bursar_address *list,
                                         size_t count, struct chain_token_balance *ret, struct bursar_error *err)
{
    enum bursar_status status = check_count(count, CHAIN_TOKENS_MAX_COUNT, err);
    return status == BURSAR_OK && count ? evm_token_balances(ctx, at, account, list, count, ret, err) : status;
}

static enum bursar_status estimate(void *ctx, const struct chain_trial *trial, const struct chain_payload *calls,
                                   size_t count, struct chain_estimate *ret, struct bursar_error *err)
{
    enum bursar_status status = check_count(count, CHAIN_ESTIMATES_MAX_COUNT, err);
    return status == BURSAR_OK ? evm_estimate(ctx, trial, calls, count, ret, err) : status;
}

static void set_verdict(struct submit_result *ret, enum submit_verdict verdict, const char *message)
{
    ret->verdict = verdict;
    (void)snprintf(ret->message, sizeof ret->message, "%s", message);
}

static void read_submit_reply(const struct rpc_reply *reply, const struct bursar_hash *ours, struct submit_result *ret)
{
    struct bursar_hash hash;
    switch (reply->outcome) {
    case RPC_RESULT:
        if (!evm_read_hash(reply->result, &hash))
            set_verdict(ret, SUBMIT_UNKNOWN, "the node answered with something that is no transaction hash");
        else if (!hash_equal(&hash, ours))
            set_verdict(ret, SUBMIT_UNKNOWN, "the node answered with the hash of another transaction");
        else
            set_verdict(ret, SUBMIT_ACCEPTED, "");
        return;
    case RPC_ERROR:
        set_verdict(ret, submit_verdict_of_error(reply->code, reply->message), reply->message);
        return;
    case RPC_UNSENT:
        set_verdict(ret, SUBMIT_UNSENT, reply->message);
        return;
    case RPC_UNKNOWN:
        set_verdict(ret, SUBMIT_UNKNOWN, reply->message);
        return;
    }
    set_verdict(ret, SUBMIT_UNKNOWN, "the transport gave no outcome");
}

/* [ "0x<bytes>" ]; NULL when out of memory. */
static json_t *write_raw(const struct raw_transaction *transaction)
{
    size_t length = 2 + 2 * transaction->length_bytes;
    char *text = malloc(length + 1);
    if (!text)
        return NULL;
    text[0] = '0';
    text[1] = 'x';
    hex_encode(transaction->bytes, transaction->length_bytes, text + 2);
    json_t *params = json_pack("[o]", json_stringn_nocheck(text, length));
    free(text);
    return params;
}

static enum bursar_status write_submission(const struct raw_transaction *list, size_t count, struct evm_batch *batch,
                                           struct bursar_error *err)
{
    enum bursar_status status = evm_batch_reserve(batch, count, err);
    for (size_t i = 0; i < count && status == BURSAR_OK; i++)
        (void)evm_batch_add(batch, "eth_sendRawTransaction", write_raw(&list[i]));
    return status;
}

/* INV-5: whatever is not clearly a verdict of the node on these bytes is unknown. */
static enum bursar_status read_submission(const struct rpc_reply *replies, const struct raw_transaction *list,
                                          size_t count, enum bursar_status status, struct submit_result *ret,
                                          struct bursar_error *err)
{
    for (size_t i = 0; i < count; i++) {
        read_submit_reply(&replies[i], &list[i].hash, &ret[i]);
        if (status == BURSAR_OK && ret[i].verdict == SUBMIT_UNKNOWN)
            status = bursar_fail(err, BURSAR_EUNKNOWN, "the node gave no verdict on a transaction: %s", ret[i].message);
    }
    return status;
}

static enum bursar_status submit(void *ctx, const struct raw_transaction *list, size_t count, struct submit_result *ret,
                                 struct bursar_error *err)
{
    const struct evm_chain *chain = ctx;
    cleanup(evm_batch_free) struct evm_batch batch = { 0 };
    for (size_t i = 0; i < count; i++)
        set_verdict(&ret[i], SUBMIT_UNSENT, "not sent");
    if (count == 0)
        return BURSAR_OK;
    enum bursar_status status = check_count(count, CHAIN_ITEMS_MAX_COUNT, err);
    if (status == BURSAR_OK)
        status = write_submission(list, count, &batch, err);
    if (status != BURSAR_OK)
        return status;
    status = evm_batch_send(&batch, &chain->rpc, err);
    return batch.is_sent ? read_submission(batch.replies, list, count, status, ret, err) : status;
}

static enum bursar_status check_lane(const struct evm_chain *chain, size_t lane, size_t count, struct bursar_error *err)
{
    if (lane >= chain->lane_count)
        return bursar_fail(err, BURSAR_EINTERNAL, "there is no lane %zu", lane);
    return check_count(count, CHAIN_LANE_ITEMS_MAX_COUNT, err);
}

static enum bursar_status submit_start(void *ctx, size_t lane, const struct raw_transaction *list, size_t count,
                                       struct bursar_error *err)
{
    const struct evm_chain *chain = ctx;
    cleanup(evm_batch_free) struct evm_batch batch = { 0 };
    enum bursar_status status = check_lane(chain, lane, count, err);
    if (status == BURSAR_OK)
        status = write_submission(list, count, &batch, err);
    return status == BURSAR_OK ? evm_batch_start(&batch, &chain->lanes[lane], err) : status;
}

static enum bursar_status submit_finish(void *ctx, size_t lane, const struct raw_transaction *list, size_t count,
                                        struct submit_result *ret, struct bursar_error *err)
{
    const struct evm_chain *chain = ctx;
    struct rpc_reply replies[CHAIN_LANE_ITEMS_MAX_COUNT] = { 0 };
    for (size_t i = 0; i < count; i++)
        set_verdict(&ret[i], SUBMIT_UNKNOWN, "not answered");
    enum bursar_status status = check_lane(chain, lane, count, err);
    if (status != BURSAR_OK)
        return status;
    status = chain->lanes[lane].finish(chain->lanes[lane].ctx, replies, err);
    status = read_submission(replies, list, count, status, ret, err);
    rpc_replies_clear(replies, count);
    return status;
}

struct chain evm_chain_interface(struct evm_chain *chain)
{
    return (struct chain){
        .ctx = chain,
        .observe = observe,
        .blocks = blocks,
        .receipts = receipts,
        .transactions = transactions,
        .bodies = bodies,
        .raws = raws,
        .has_code = has_code,
        .tokens = tokens,
        .token_balances = token_balances,
        .estimate = estimate,
        .submit = submit,
        .lanes = chain->lane_count,
        .submit_start = submit_start,
        .submit_finish = submit_finish,
    };
}

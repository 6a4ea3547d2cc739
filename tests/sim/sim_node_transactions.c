/* Answers about transactions, and taking them. */
#include "sim_node_parts.h"

#include "sim_token.h"

#include "base/bytes.h"

#include <string.h>

#define CODE_INTERNAL (-32603)
#define RAW_MAX_BYTES ((size_t)256 * 1024)

static bool read_hash(const json_t *params, struct bursar_hash *ret_hash, struct rpc_reply *ret)
{
    if (sim_read_bytes(json_array_get(params, 0), ret_hash->bytes, sizeof ret_hash->bytes))
        return true;
    sim_reply_invalid(ret);
    return false;
}

static json_t *make_word(const struct bursar_address *address)
{
    uint8_t word[32] = { 0 };
    memcpy(word + sizeof word - sizeof address->bytes, address->bytes, sizeof address->bytes);
    return sim_json_bytes(word, sizeof word);
}

/* What a token tells of what it moved. */
static json_t *make_logs(const struct sim_node *node, const struct sim_inclusion *inclusion)
{
    const struct sim_transaction *tx = sim_chain_transaction(node->chain, inclusion->transaction);
    struct bursar_address to;
    struct bursar_amount amount;
    uint8_t word[BURSAR_AMOUNT_BE_BYTES];
    if (bursar_amount_is_zero(inclusion->moved) || !sim_token_reads(tx->data, tx->data_bytes, &to, &amount))
        return json_array();
    bursar_amount_to_be(inclusion->moved, word);
    return json_pack("[{s:o,s:[s,o,o],s:o}]", "address", sim_json_bytes(&tx->to, sizeof tx->to), "topics",
                     "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef", make_word(&tx->from),
                     make_word(&to), "data", sim_json_bytes(word, sizeof word));
}

static json_t *make_receipt(struct sim_node *node, const struct bursar_hash *hash, uint32_t at, bool is_strange)
{
    const struct sim_inclusion *inclusion = sim_chain_inclusion(node->chain, at);
    const struct sim_block *block = sim_chain_block(node->chain, inclusion->block);
    struct bursar_hash block_hash = block->hash;
    bool succeeded = inclusion->succeeded && !is_strange;
    if (is_strange)
        block_hash.bytes[0] ^= 0xff;
    if (sim_node_lies(node, SIM_LIE_FALSE_OUTCOME))
        succeeded = !succeeded;
    const struct sim_transaction *tx = sim_chain_transaction(node->chain, inclusion->transaction);
    return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "from", sim_json_bytes(&tx->from, sizeof tx->from), "to",
                     sim_json_bytes(&tx->to, sizeof tx->to), "logs", make_logs(node, inclusion), "transactionHash",
                     sim_json_bytes(hash, sizeof *hash), "status", sim_json_number(succeeded), "blockHash",
                     sim_json_bytes(&block_hash, sizeof block_hash), "blockNumber", sim_json_number(block->number),
                     "gasUsed", sim_json_number(inclusion->gas_used), "effectiveGasPrice",
                     sim_json_number(inclusion->gas_price_wei));
}

void sim_answer_receipt(struct sim_node *node, const json_t *params, struct rpc_reply *ret)
{
    struct bursar_hash hash;
    if (!read_hash(params, &hash, ret))
        return;
    uint32_t tx = sim_chain_find(node->chain, &hash);
    uint32_t at = tx == SIM_NONE ? SIM_NONE : sim_chain_place(node->chain, sim_node_head(node, SIM_METHOD_RECEIPT), tx);
    if (at != SIM_NONE && sim_node_lies(node, SIM_LIE_NO_RECEIPT))
        at = SIM_NONE;
    if (at == SIM_NONE)
        sim_reply_result(ret, json_null());
    else
        sim_reply_result(ret, make_receipt(node, &hash, at, sim_node_lies(node, SIM_LIE_STRANGE_RECEIPT)));
}

/* What only a signed one has; NULL is no object. */
static void add_signature(json_t *object, const struct sim_node *node, const struct sim_transaction *tx)
{
    if (object && !tx->is_foreign)
        (void)json_object_update_new(object, json_pack("{s:o,s:o,s:o,s:o}", "chainId",
                                                       sim_json_number(sim_chain_settings(node->chain)->chain_id),
                                                       "yParity", sim_json_number(tx->y_parity), "r",
                                                       sim_json_amount(bursar_amount_from_be(tx->r)), "s",
                                                       sim_json_amount(bursar_amount_from_be(tx->s))));
}

json_t *sim_json_transaction(const struct sim_node *node, const struct sim_transaction *tx, uint32_t at)
{
    const struct sim_block *block =
        at == SIM_NONE ? NULL : sim_chain_block(node->chain, sim_chain_inclusion(node->chain, at)->block);
    json_t *object = json_pack("{s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "type", "0x2", "hash",
                               sim_json_bytes(&tx->hash, sizeof tx->hash), "blockHash",
                               block ? sim_json_bytes(&block->hash, sizeof block->hash) : json_null(), "blockNumber",
                               block ? sim_json_number(block->number) : json_null(), "from",
                               sim_json_bytes(&tx->from, sizeof tx->from), "nonce", sim_json_number(tx->nonce), "to",
                               tx->creates_contract ? json_null() : sim_json_bytes(&tx->to, sizeof tx->to), "value",
                               sim_json_amount(tx->value), "input", sim_json_bytes(tx->data, tx->data_bytes), "gas",
                               sim_json_number(tx->gas_limit), "maxFeePerGas", sim_json_number(tx->max_fee_per_gas_wei),
                               "maxPriorityFeePerGas", sim_json_number(tx->max_priority_fee_per_gas_wei));
    add_signature(object, node, tx);
    return object;
}

void sim_answer_transaction(struct sim_node *node, const json_t *params, struct rpc_reply *ret)
{
    struct bursar_hash hash;
    if (!read_hash(params, &hash, ret))
        return;
    uint32_t index = sim_chain_find(node->chain, &hash);
    if (index == SIM_NONE) {
        sim_reply_result(ret, json_null());
        return;
    }
    const struct sim_transaction *tx = sim_chain_transaction(node->chain, index);
    uint32_t head = sim_node_head(node, SIM_METHOD_TRANSACTION), at = sim_chain_place(node->chain, head, index);
    /* Who is behind still holds in its pool what others have mined. */
    bool is_pooled = (tx->pools & 1u << node->pool) || (tx->canonical != SIM_NONE && node->pool != SIM_POOL_MINER);
    if ((at == SIM_NONE && !is_pooled) || sim_node_lies(node, SIM_LIE_NO_TRANSACTION))
        sim_reply_result(ret, json_null());
    else
        sim_reply_result(ret, sim_json_transaction(node, tx, at));
}

/* What it does with the bytes, whatever it then says. */
static enum sim_pool_verdict take(struct sim_node *node, const uint8_t *raw, size_t raw_bytes,
                                  struct bursar_hash *ret_hash)
{
    struct sim_pool_rules rules = { .pool = node->pool,
                                    .head = sim_node_head(node, SIM_METHOD_SEND),
                                    .wants_base_fee = node->manner->wants_base_fee,
                                    .counts_all_costs = node->manner->counts_all_costs,
                                    .any_fee_rise_replaces = node->manner->any_fee_rise_replaces };
    return sim_chain_submit(node->chain, &rules, raw, raw_bytes, ret_hash);
}

static void answer_send(struct sim_node *node, const uint8_t *raw, size_t raw_bytes, struct rpc_reply *ret)
{
    struct bursar_hash hash;
    enum sim_pool_verdict verdict = take(node, raw, raw_bytes, &hash);
    if (verdict == SIM_POOL_ADDED && sim_node_lies(node, SIM_LIE_FORGETS))
        sim_chain_forget(node->chain, &hash);
    if (sim_node_lies(node, SIM_LIE_DENIES)) {
        sim_reply_error(ret, CODE_INTERNAL, "Internal error");
    } else if (verdict == SIM_POOL_ADDED) {
        if (sim_node_lies(node, SIM_LIE_OTHER_HASH))
            hash.bytes[0] ^= 0xff;
        sim_reply_result(ret, sim_json_bytes(&hash, sizeof hash));
    } else {
        sim_reply_words(ret, &node->manner->verdicts[verdict]);
    }
}

void sim_answer_send(struct sim_node *node, const json_t *params, struct rpc_reply *ret)
{
    const json_t *value = json_array_get(params, 0);
    size_t length = json_string_length(value);
    size_t raw_bytes = length > 2 ? (length - 2) / 2 : 0;
    uint8_t some[512];
    uint8_t *raw = raw_bytes <= sizeof some ? some : NULL;
    if (raw_bytes > 0 && raw_bytes <= RAW_MAX_BYTES && !raw)
        raw = sim_allocate(raw_bytes, 1);
    if (raw_bytes > 0 && raw && sim_read_bytes(value, raw, raw_bytes))
        answer_send(node, raw, raw_bytes, ret);
    else
        sim_reply_invalid(ret);
    if (raw != some)
        free(raw);
}

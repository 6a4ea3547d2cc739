/* Answers about blocks and fees. Blocks are asked for often and never change: their JSON is kept. */
#include "sim_node_parts.h"

#define BLOCK_GAS_LIMIT 30000000
#define FEE_HISTORY_MAX_BLOCKS 1024
#define CODE_INVALID_PARAMS (-32602)

void sim_answer_chain_id(struct sim_node *node, const json_t *params, struct rpc_reply *ret)
{
    uint64_t chain_id = sim_chain_settings(node->chain)->chain_id;
    (void)params;
    sim_reply_result(ret, sim_json_number(sim_node_lies(node, SIM_LIE_OTHER_CHAIN_ID) ? chain_id + 1 : chain_id));
}

static json_t *make_header(const struct sim_node *node, const struct sim_block *block)
{
    struct bursar_hash none = { { 0 } };
    const struct bursar_hash *parent = &none;
    if (block->parent != SIM_NONE)
        parent = &sim_chain_block(node->chain, block->parent)->hash;
    return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o}", "number", sim_json_number(block->number), "hash",
                     sim_json_bytes(&block->hash, sizeof block->hash), "parentHash",
                     sim_json_bytes(parent, sizeof *parent), "timestamp", sim_json_number(block->timestamp_s),
                     "baseFeePerGas", sim_json_number(block->base_fee_per_gas_wei), "gasLimit",
                     sim_json_number(BLOCK_GAS_LIMIT));
}

static json_t *make_full(const struct sim_node *node, const struct sim_block *block)
{
    json_t *full = make_header(node, block), *list = json_array();
    for (uint32_t i = 0; i < block->inclusion_count; i++) {
        const struct sim_inclusion *inclusion = sim_chain_inclusion(node->chain, block->first_inclusion + i);
        const struct sim_transaction *tx = sim_chain_transaction(node->chain, inclusion->transaction);
        (void)json_array_append_new(list, sim_json_bytes(&tx->hash, sizeof tx->hash));
    }
    if (json_object_set_new(full, "transactions", list) != 0 || json_array_size(list) != block->inclusion_count) {
        json_decref(full);
        return NULL;
    }
    return full;
}

/* A new reference. */
static json_t *block_json(struct sim_node *node, uint32_t index, bool is_full)
{
    struct sim_cached_block *cached = &node->blocks[index % SIM_CACHED_BLOCKS];
    const struct sim_block *block = sim_chain_block(node->chain, index);
    if (cached->block != index + 1) {
        json_decref(cached->header);
        json_decref(cached->full);
        *cached = (struct sim_cached_block){ .block = index + 1 };
    }
    json_t **place = is_full ? &cached->full : &cached->header;
    if (!*place)
        *place = is_full ? make_full(node, block) : make_header(node, block);
    return json_incref(*place);
}

/* A block of another chain, of which the node has no more than that. */
static json_t *other_block(const struct sim_node *node, uint32_t index, bool is_full)
{
    struct sim_block block = *sim_chain_block(node->chain, index);
    block.hash.bytes[0] ^= 0xff;
    return is_full ? make_full(node, &block) : make_header(node, &block);
}

/* As if it had held nothing. */
static json_t *empty_block(const struct sim_node *node, uint32_t index)
{
    struct sim_block block = *sim_chain_block(node->chain, index);
    block.inclusion_count = 0;
    return make_full(node, &block);
}

static void answer_finalized(struct sim_node *node, enum sim_method method, struct rpc_reply *ret)
{
    const struct sim_words *words = &node->manner->nothing_final;
    uint32_t index = sim_node_final(node, method);
    if (sim_node_lies(node, SIM_LIE_NO_FINALIZED)) {
        sim_reply_error(ret, CODE_INVALID_PARAMS, "invalid block tag: finalized");
        return;
    }
    if (sim_node_lies(node, SIM_LIE_NOTHING_FINAL))
        index = SIM_NONE;
    else if (sim_node_lies(node, SIM_LIE_FALSE_FINAL))
        index = sim_node_head(node, method);
    if (index == SIM_NONE && words->text && words->text[0] == '\0')
        index = 0;
    if (index != SIM_NONE)
        sim_reply_result(ret, block_json(node, index, method == SIM_METHOD_BLOCK));
    else if (words->text)
        sim_reply_words(ret, words);
    else
        sim_reply_result(ret, json_null());
}

/* Asked for by its number. */
static void answer_index(struct sim_node *node, uint32_t index, bool is_full, struct rpc_reply *ret)
{
    if (index == SIM_NONE)
        sim_reply_result(ret, json_null());
    else if (index > 0 && sim_node_lies(node, SIM_LIE_FALSE_BLOCK))
        sim_reply_result(ret, other_block(node, index, is_full));
    else if (is_full && sim_node_lies(node, SIM_LIE_EMPTY_BLOCK))
        sim_reply_result(ret, empty_block(node, index));
    else
        sim_reply_result(ret, block_json(node, index, is_full));
}

static void answer_block(struct sim_node *node, enum sim_method method, const json_t *params, struct rpc_reply *ret)
{
    const json_t *which = json_array_get(params, 0);
    const char *tag = json_string_value(which);
    uint32_t head = sim_node_head(node, method);
    bool is_full = method == SIM_METHOD_BLOCK;
    uint64_t number;
    if (!tag) {
        sim_reply_invalid(ret);
    } else if (strcmp(tag, "finalized") == 0) {
        answer_finalized(node, method, ret);
    } else if (strcmp(tag, "latest") == 0) {
        sim_reply_result(ret, block_json(node, head, is_full));
    } else if (!sim_read_number(which, &number)) {
        sim_reply_invalid(ret);
    } else if (number == 0 && sim_node_lies(node, SIM_LIE_OTHER_GENESIS)) {
        sim_reply_result(ret, other_block(node, 0, is_full));
    } else {
        uint32_t index = sim_chain_at(node->chain, head, number);
        if (index != SIM_NONE && number > 0 && sim_node_lies(node, SIM_LIE_NO_BLOCK))
            index = SIM_NONE;
        answer_index(node, index, is_full, ret);
    }
}

/* A block with whole transactions: asked for rarely, and by number only. */
static void answer_body(struct sim_node *node, const json_t *which, struct rpc_reply *ret)
{
    uint64_t number;
    if (!sim_read_number(which, &number)) {
        sim_reply_invalid(ret);
        return;
    }
    uint32_t index = sim_chain_at(node->chain, sim_node_head(node, SIM_METHOD_BLOCK), number);
    if (index == SIM_NONE || sim_node_lies(node, SIM_LIE_NO_BLOCK)) {
        sim_reply_result(ret, json_null());
        return;
    }
    const struct sim_block *block = sim_chain_block(node->chain, index);
    uint32_t count = sim_node_lies(node, SIM_LIE_EMPTY_BLOCK) ? 0 : block->inclusion_count;
    json_t *body = make_header(node, block), *list = json_array();
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = block->first_inclusion + i, tx = sim_chain_inclusion(node->chain, at)->transaction;
        (void)json_array_append_new(list, sim_json_transaction(node, sim_chain_transaction(node->chain, tx), at));
    }
    (void)json_object_set_new(body, "transactions", list);
    sim_reply_result(ret, json_array_size(list) == count ? body : NULL);
}

void sim_answer_block(struct sim_node *node, const json_t *params, struct rpc_reply *ret)
{
    if (json_is_false(json_array_get(params, 1)))
        answer_block(node, SIM_METHOD_BLOCK, params, ret);
    else
        answer_body(node, json_array_get(params, 0), ret);
}

void sim_answer_header(struct sim_node *node, const json_t *params, struct rpc_reply *ret)
{
    answer_block(node, SIM_METHOD_HEADER, params, ret);
}

static json_t *make_history(const struct sim_node *node, uint32_t newest, uint64_t length)
{
    uint64_t last = sim_chain_block(node->chain, newest)->number;
    uint64_t first = last + 1 > length ? last + 1 - length : 0;
    json_t *fees = json_array(), *rewards = json_array();
    for (uint64_t number = first; number <= last; number++) {
        const struct sim_block *block = sim_chain_block(node->chain, sim_chain_at(node->chain, newest, number));
        uint64_t tip = block->inclusion_count ? block->tip_wei : 0;
        (void)json_array_append_new(fees, sim_json_number(block->base_fee_per_gas_wei));
        (void)json_array_append_new(rewards, json_pack("[o]", sim_json_number(tip)));
    }
    (void)json_array_append_new(fees, sim_json_number(sim_chain_block(node->chain, newest)->next_base_fee_per_gas_wei));
    return json_pack("{s:o,s:o,s:o}", "oldestBlock", sim_json_number(first), "baseFeePerGas", fees, "reward", rewards);
}

void sim_answer_fee_history(struct sim_node *node, const json_t *params, struct rpc_reply *ret)
{
    uint64_t length, number;
    uint32_t head = sim_node_head(node, SIM_METHOD_FEE_HISTORY);
    if (!sim_read_number(json_array_get(params, 0), &length) || length == 0 || length > FEE_HISTORY_MAX_BLOCKS ||
        !sim_read_number(json_array_get(params, 1), &number) || json_array_size(json_array_get(params, 2)) != 1) {
        sim_reply_invalid(ret);
        return;
    }
    uint32_t newest = sim_chain_at(node->chain, head, number);
    if (newest == SIM_NONE) {
        sim_reply_error(ret, -32000, "request beyond head block: requested 2, head 1");
        return;
    }
    if (node->history_block != newest + 1 || node->history_length != length) {
        json_decref(node->history);
        node->history = make_history(node, newest, length);
        node->history_block = newest + 1;
        node->history_length = length;
    }
    sim_reply_result(ret, json_incref(node->history));
}

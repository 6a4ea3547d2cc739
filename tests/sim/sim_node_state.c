/* Answers about accounts at one block: nonce, balance, code. */
#include "sim_node_parts.h"

#include "sim_token.h"

#include "base/bytes.h"

#include <string.h>

#define CODE_INVALID_PARAMS (-32602)
#define PROGRAM_ADDRESSES_MAX_COUNT 1000

/* The only program that a node here runs: for each address behind it one byte, whether it has code. */
static const char PROGRAM[] = "60005b80601402602d01803811156028576014906"
                              "00c396000513b15158160200153600101600256"
                              "5b506020f3";

/* Which block a parameter names; false: answered with an error. */
static bool find_block(const struct sim_node *node, enum sim_method method, const json_t *which, uint32_t *ret_block,
                       struct rpc_reply *ret)
{
    struct bursar_hash hash;
    uint64_t number;
    uint32_t head = sim_node_head(node, method), block = SIM_NONE;
    const char *tag = json_string_value(which);
    if (json_is_object(which)) {
        if (!node->manner->knows_hash_pins ||
            !sim_read_bytes(json_object_get(which, "blockHash"), hash.bytes, sizeof hash.bytes)) {
            sim_reply_error(ret, CODE_INVALID_PARAMS, "Invalid block, unable to parse RPC parameter");
            return false;
        }
        block = sim_chain_block_by_hash(node->chain, &hash);
        uint64_t head_number = sim_chain_block(node->chain, head)->number;
        if (block != SIM_NONE &&
            sim_chain_at(node->chain, head, sim_chain_block(node->chain, block)->number) != block &&
            (!node->manner->serves_orphans || sim_chain_block(node->chain, block)->number > head_number))
            block = SIM_NONE;
    } else if (tag && (strcmp(tag, "latest") == 0 || strcmp(tag, "pending") == 0)) {
        block = head;
    } else if (sim_read_number(which, &number)) {
        block = sim_chain_at(node->chain, head, number);
    } else {
        sim_reply_invalid(ret);
        return false;
    }
    if (block == SIM_NONE)
        sim_reply_words(ret, &node->manner->unknown_block);
    *ret_block = block;
    return block != SIM_NONE;
}

/* Parameters (address, block). */
static bool find_account(const struct sim_node *node, enum sim_method method, const json_t *params,
                         struct bursar_address *ret_address, uint32_t *ret_block, struct rpc_reply *ret)
{
    if (!sim_read_bytes(json_array_get(params, 0), ret_address->bytes, sizeof ret_address->bytes)) {
        sim_reply_invalid(ret);
        return false;
    }
    return find_block(node, method, json_array_get(params, 1), ret_block, ret);
}

static uint64_t pending_nonce(struct sim_node *node, uint32_t block, const struct bursar_address *address)
{
    uint64_t nonce = sim_chain_pending_nonce(node->chain, node->pool, block, address);
    if (sim_node_lies(node, SIM_LIE_PENDING_LOW)) {
        uint64_t lower = node->lies[SIM_LIE_PENDING_LOW].amount;
        nonce = sim_chain_account(node->chain, block, address).nonce;
        return nonce > lower ? nonce - lower : 0;
    }
    return sim_node_lies(node, SIM_LIE_PENDING_HIGH) ? nonce + node->lies[SIM_LIE_PENDING_HIGH].amount : nonce;
}

void sim_answer_nonce(struct sim_node *node, const json_t *params, struct rpc_reply *ret)
{
    struct bursar_address address;
    uint32_t block;
    const char *tag = json_string_value(json_array_get(params, 1));
    if (!find_account(node, SIM_METHOD_NONCE, params, &address, &block, ret))
        return;
    uint64_t more = sim_node_lies(node, SIM_LIE_FALSE_NONCE) ? node->lies[SIM_LIE_FALSE_NONCE].amount : 0;
    sim_reply_result(ret, sim_json_number(more + (tag && strcmp(tag, "pending") == 0
                                                      ? pending_nonce(node, block, &address)
                                                      : sim_chain_account(node->chain, block, &address).nonce)));
}

/* One node is believed about its newest block: what it says there costs no more than time. */
static struct bursar_amount balance(struct sim_node *node, uint32_t block, const struct bursar_address *address)
{
    struct bursar_amount is = sim_chain_account(node->chain, block, address).balance, said;
    if (block == sim_node_head(node, SIM_METHOD_BALANCE) || !sim_node_lies(node, SIM_LIE_FALSE_BALANCE))
        return is;
    uint64_t amount = node->lies[SIM_LIE_FALSE_BALANCE].amount;
    bool ok = amount % 2 ? bursar_amount_subtract(is, bursar_amount_from_u64(amount), &said)
                         : bursar_amount_add(is, bursar_amount_from_u64(amount), &said);
    return ok ? said : is;
}

void sim_answer_balance(struct sim_node *node, const json_t *params, struct rpc_reply *ret)
{
    struct bursar_address address;
    uint32_t block;
    if (find_account(node, SIM_METHOD_BALANCE, params, &address, &block, ret))
        sim_reply_result(ret, sim_json_amount(balance(node, block, &address)));
}

static bool has_code(struct sim_node *node, uint32_t block, const struct bursar_address *address)
{
    bool is_so = sim_chain_account(node->chain, block, address).has_code;
    return sim_node_lies(node, SIM_LIE_FALSE_CODE) ? !is_so : is_so;
}

void sim_answer_code(struct sim_node *node, const json_t *params, struct rpc_reply *ret)
{
    struct bursar_address address;
    uint32_t block;
    if (find_account(node, SIM_METHOD_CODE, params, &address, &block, ret))
        sim_reply_result(ret, json_string(has_code(node, block, &address) ? "0x60806040" : "0x"));
}

#define ESTIMATE_DATA_MAX_BYTES 1024

/* A transaction as calls give it; false: it is not one. */
static bool read_call(const json_t *call, struct bursar_address *ret_from, struct bursar_address *ret_to,
                      struct bursar_amount *ret_value, uint64_t *ret_gas, uint8_t *ret_data, size_t *ret_data_bytes)
{
    const json_t *data = json_object_get(call, "data");
    size_t digits = data ? json_string_length(data) : 2;
    *ret_data_bytes = (digits - 2) / 2;
    return sim_read_bytes(json_object_get(call, "from"), ret_from->bytes, sizeof ret_from->bytes) &&
           sim_read_bytes(json_object_get(call, "to"), ret_to->bytes, sizeof ret_to->bytes) &&
           sim_read_amount(json_object_get(call, "value"), ret_value) &&
           sim_read_number(json_object_get(call, "gas"), ret_gas) && digits >= 2 && digits % 2 == 0 &&
           *ret_data_bytes <= ESTIMATE_DATA_MAX_BYTES && (!data || sim_read_bytes(data, ret_data, *ret_data_bytes));
}

void sim_answer_estimate(struct sim_node *node, const json_t *params, struct rpc_reply *ret)
{
    struct bursar_address from, to;
    struct bursar_amount value;
    uint8_t data[ESTIMATE_DATA_MAX_BYTES];
    size_t data_bytes;
    uint64_t gas_max, gas;
    uint32_t block;
    if (!read_call(json_array_get(params, 0), &from, &to, &value, &gas_max, data, &data_bytes)) {
        sim_reply_invalid(ret);
        return;
    }
    if (sim_node_lies(node, SIM_LIE_NO_ESTIMATE)) {
        sim_reply_error(ret, -32000, "execution aborted (timeout = 5s)");
        return;
    }
    if (!find_block(node, SIM_METHOD_ESTIMATE, json_array_get(params, 1), &block, ret))
        return;
    if (bursar_amount_compare(value, sim_chain_account(node->chain, block, &from).balance) > 0)
        sim_reply_words(ret, &node->manner->verdicts[SIM_POOL_NO_FUNDS]);
    else if (!sim_chain_try(node->chain, block, &to, data, data_bytes, &gas))
        sim_reply_error(ret, 3, "execution reverted: nonce too low"); /* a contract says what it likes */
    else if (gas > gas_max)
        sim_reply_error(ret, -32000, "gas required exceeds allowance (1000000)");
    else
        sim_reply_result(ret, sim_json_number(gas));
}

/* Does this call a token? Then it is answered. */
static bool answer_token(const struct sim_node *node, const json_t *call, struct rpc_reply *ret)
{
    static const uint8_t balance_of[4] = { 0x70, 0xa0, 0x82, 0x31 };
    uint8_t data[4 + 2 * 32], word[32] = { 0 };
    struct bursar_address token, to;
    struct bursar_amount amount;
    const json_t *text = json_object_get(call, "data");
    size_t data_bytes = json_string_length(text) > 2 ? (json_string_length(text) - 2) / 2 : 0;
    if (!sim_read_bytes(json_object_get(call, "to"), token.bytes, sizeof token.bytes) || !sim_token_at(&token) ||
        data_bytes < sizeof balance_of || data_bytes > sizeof data || !sim_read_bytes(text, data, data_bytes))
        return false;
    if (memcmp(data, balance_of, sizeof balance_of) == 0)
        word[16] = 1; /* more than will ever be paid */
    else if (!sim_token_reads(data, data_bytes, &to, &amount))
        return false;
    else if (sim_chain_reverts(node->chain, &token))
        sim_reply_error(ret, 3, "execution reverted");
    else
        word[31] = !sim_chain_refuses(node->chain, &token);
    if (ret->outcome != RPC_ERROR)
        sim_reply_result(ret, sim_json_bytes(word, sizeof word));
    return true;
}

void sim_answer_call(struct sim_node *node, const json_t *params, struct rpc_reply *ret)
{
    const json_t *data = json_object_get(json_array_get(params, 0), "data");
    const char *text = json_string_value(data);
    size_t length = json_string_length(data), program = sizeof PROGRAM - 1;
    size_t digits = (size_t)2 * BURSAR_ADDRESS_BYTES;
    uint8_t flags[PROGRAM_ADDRESSES_MAX_COUNT];
    uint32_t block;
    if (!find_block(node, SIM_METHOD_CALL, json_array_get(params, 1), &block, ret))
        return;
    if (answer_token(node, json_array_get(params, 0), ret))
        return;
    if (!node->manner->runs_programs || sim_node_lies(node, SIM_LIE_REFUSES_PROGRAM) || !text || length < 2 + program ||
        strncmp(text, "0x", 2) != 0 || strncmp(text + 2, PROGRAM, program) != 0 ||
        (length - 2 - program) % digits != 0 || (length - 2 - program) / digits > PROGRAM_ADDRESSES_MAX_COUNT) {
        sim_reply_error(ret, -32000, "invalid opcode: opcode 0x0c not defined");
        return;
    }
    size_t count = (length - 2 - program) / digits;
    for (size_t i = 0; i < count; i++) {
        struct bursar_address address;
        if (!hex_decode(text + 2 + program + i * digits, digits, address.bytes, sizeof address.bytes)) {
            sim_reply_invalid(ret);
            return;
        }
        flags[i] = has_code(node, block, &address);
    }
    sim_reply_result(ret, sim_json_bytes(flags, count));
}

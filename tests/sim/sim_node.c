/* A node as a whole: what it is behind in, what it lies about, and which function answers what. */
#include "sim_node_parts.h"

#include "base/bytes.h"

#define CODE_METHOD_NOT_FOUND (-32601)
#define CODE_INVALID_PARAMS (-32602)
#define CODE_INTERNAL (-32603)
#define CODE_LIMIT_EXCEEDED (-32005)

struct method {
    const char *name;
    sim_answer *answer;
};

static const struct method methods[SIM_METHODS] = {
    [SIM_METHOD_CHAIN_ID] = { "eth_chainId", sim_answer_chain_id },
    [SIM_METHOD_BLOCK] = { "eth_getBlockByNumber", sim_answer_block },
    [SIM_METHOD_HEADER] = { "eth_getHeaderByNumber", sim_answer_header },
    [SIM_METHOD_NONCE] = { "eth_getTransactionCount", sim_answer_nonce },
    [SIM_METHOD_BALANCE] = { "eth_getBalance", sim_answer_balance },
    [SIM_METHOD_CODE] = { "eth_getCode", sim_answer_code },
    [SIM_METHOD_CALL] = { "eth_call", sim_answer_call },
    [SIM_METHOD_ESTIMATE] = { "eth_estimateGas", sim_answer_estimate },
    [SIM_METHOD_FEE_HISTORY] = { "eth_feeHistory", sim_answer_fee_history },
    [SIM_METHOD_RECEIPT] = { "eth_getTransactionReceipt", sim_answer_receipt },
    [SIM_METHOD_TRANSACTION] = { "eth_getTransactionByHash", sim_answer_transaction },
    [SIM_METHOD_SEND] = { "eth_sendRawTransaction", sim_answer_send },
};

const char *sim_method_name(enum sim_method method)
{
    return methods[method].name;
}

const char *sim_lie_name(enum sim_lie lie)
{
    static const char *const names[SIM_LIES] = {
        [SIM_LIE_NO_RECEIPT] = "no_receipt",
        [SIM_LIE_NO_TRANSACTION] = "no_transaction",
        [SIM_LIE_NO_BLOCK] = "no_block",
        [SIM_LIE_PENDING_LOW] = "pending_low",
        [SIM_LIE_PENDING_HIGH] = "pending_high",
        [SIM_LIE_STRANGE_RECEIPT] = "strange_receipt",
        [SIM_LIE_FORGETS] = "forgets",
        [SIM_LIE_DENIES] = "denies",
        [SIM_LIE_OTHER_HASH] = "other_hash",
        [SIM_LIE_NOTHING_FINAL] = "nothing_final",
        [SIM_LIE_NO_FINALIZED] = "no_finalized",
        [SIM_LIE_OTHER_GENESIS] = "other_genesis",
        [SIM_LIE_OTHER_CHAIN_ID] = "other_chain_id",
        [SIM_LIE_REFUSES_PROGRAM] = "refuses_program",
        [SIM_LIE_RATE_LIMIT] = "rate_limit",
        [SIM_LIE_INTERNAL_ERROR] = "internal_error",
        [SIM_LIE_MALFORMED] = "malformed",
        [SIM_LIE_NO_ESTIMATE] = "no_estimate",
        [SIM_LIE_FALSE_OUTCOME] = "false_outcome",
        [SIM_LIE_FALSE_FINAL] = "false_final",
        [SIM_LIE_FALSE_NONCE] = "false_nonce",
        [SIM_LIE_FALSE_BLOCK] = "false_block",
        [SIM_LIE_EMPTY_BLOCK] = "empty_block",
        [SIM_LIE_FALSE_CODE] = "false_code",
        [SIM_LIE_FALSE_BALANCE] = "false_balance",
    };
    return names[lie];
}

struct sim_node *sim_node_new(struct sim_chain *chain, enum sim_node_kind kind, unsigned pool)
{
    struct sim_node *node = sim_allocate(1, sizeof *node);
    node->chain = chain;
    node->manner = sim_manner_of(kind);
    node->pool = pool;
    sim_node_heal(node);
    return node;
}

/* All that it answered was about one chain. */
static void forget_answers(struct sim_node *node)
{
    for (size_t i = 0; i < SIM_CACHED_BLOCKS; i++) {
        json_decref(node->blocks[i].header);
        json_decref(node->blocks[i].full);
        node->blocks[i] = (struct sim_cached_block){ 0 };
    }
    json_decref(node->history);
    node->history = NULL;
    node->history_block = 0;
}

void sim_node_move(struct sim_node *node, struct sim_chain *chain)
{
    if (node->chain == chain)
        return;
    forget_answers(node);
    sim_node_heal(node);
    node->chain = chain;
}

void sim_node_free(struct sim_node *node)
{
    if (!node)
        return;
    forget_answers(node);
    free(node);
}

void sim_node_set_lag(struct sim_node *node, uint64_t blocks)
{
    node->lag = blocks;
}

void sim_node_set_method_lag(struct sim_node *node, enum sim_method method, uint64_t blocks)
{
    node->method_lag[method] = blocks;
}

/* As far as `lag` says, without being stuck. */
static uint32_t behind(const struct sim_node *node, uint64_t lag)
{
    uint64_t height = sim_chain_height(node->chain);
    return sim_chain_at(node->chain, sim_chain_head(node->chain), height > lag ? height - lag : 0);
}

void sim_node_set_stuck(struct sim_node *node, bool is_stuck)
{
    node->stuck = is_stuck ? behind(node, node->lag) : SIM_NONE;
}

void sim_node_set_method_stuck(struct sim_node *node, enum sim_method method, bool is_stuck)
{
    node->method_stuck[method] = SIM_NONE;
    if (is_stuck)
        node->method_stuck[method] = sim_node_head(node, method);
}

void sim_node_script(struct sim_node *node, enum sim_lie lie, uint64_t skip, uint64_t count, uint64_t amount)
{
    node->lies[lie] = (struct sim_script){ .skip = skip, .count = count, .amount = amount };
}

void sim_node_set_reach(struct sim_node *node, enum sim_node_reach reach)
{
    node->reach = reach;
}

enum sim_node_reach sim_node_reach(const struct sim_node *node)
{
    return node->reach;
}

void sim_node_heal(struct sim_node *node)
{
    node->lag = 0;
    node->stuck = SIM_NONE;
    for (size_t i = 0; i < SIM_METHODS; i++) {
        node->method_lag[i] = 0;
        node->method_stuck[i] = SIM_NONE;
    }
    for (size_t i = 0; i < SIM_LIES; i++)
        node->lies[i] = (struct sim_script){ 0 };
}

uint32_t sim_node_head(const struct sim_node *node, enum sim_method method)
{
    uint64_t lag = node->method_lag[method];
    if (node->method_stuck[method] != SIM_NONE)
        return node->method_stuck[method];
    if (node->stuck != SIM_NONE)
        return node->stuck;
    return behind(node, lag > node->lag ? lag : node->lag);
}

uint32_t sim_node_final(const struct sim_node *node, enum sim_method method)
{
    uint32_t head = sim_node_head(node, method);
    uint64_t depth = sim_chain_settings(node->chain)->finality_depth_blocks;
    uint64_t number = sim_chain_block(node->chain, head)->number, final = sim_chain_final_number(node->chain);
    /* After a reorg the newest final block is not as deep below the head as it was. */
    if (node->lag == 0 && node->method_lag[method] == 0 && head == sim_chain_head(node->chain))
        return final ? sim_chain_at(node->chain, head, final) : SIM_NONE;
    return number > depth ? sim_chain_at(node->chain, head, number - depth) : SIM_NONE;
}

bool sim_node_lies(struct sim_node *node, enum sim_lie lie)
{
    struct sim_script *script = &node->lies[lie];
    if (script->count == 0)
        return false;
    if (script->skip) {
        script->skip--;
        return false;
    }
    script->count--;
    node->lies_told[lie]++;
    return true;
}

uint64_t sim_node_calls(const struct sim_node *node, enum sim_method method)
{
    return node->calls[method];
}

uint64_t sim_node_lies_told(const struct sim_node *node, enum sim_lie lie)
{
    return node->lies_told[lie];
}

struct sim_chain *sim_node_chain(const struct sim_node *node)
{
    return node->chain;
}

unsigned sim_node_pool(const struct sim_node *node)
{
    return node->pool;
}

/* --- replies --- */

void sim_reply_error(struct rpc_reply *ret, long long code, const char *text)
{
    ret->outcome = RPC_ERROR;
    ret->code = code;
    (void)snprintf(ret->message, sizeof ret->message, "%s", text);
}

void sim_reply_words(struct rpc_reply *ret, const struct sim_words *words)
{
    sim_reply_error(ret, words->code, words->text);
}

void sim_reply_result(struct rpc_reply *ret, json_t *result)
{
    if (!result)
        sim_allocate(SIZE_MAX, 1); /* ends the program */
    ret->outcome = RPC_RESULT;
    ret->result = result;
}

void sim_reply_invalid(struct rpc_reply *ret)
{
    sim_reply_error(ret, CODE_INVALID_PARAMS, "invalid argument");
}

json_t *sim_json_number(uint64_t number)
{
    char text[2 + 16 + 1];
    int length = snprintf(text, sizeof text, "0x%llx", (unsigned long long)number);
    return json_stringn_nocheck(text, (size_t)length);
}

json_t *sim_json_bytes(const void *bytes, size_t length_bytes)
{
    char some[2 + 2 * 64 + 1];
    char *text = length_bytes <= 64 ? some : sim_allocate(2 + 2 * length_bytes + 1, 1);
    text[0] = '0';
    text[1] = 'x';
    hex_encode(bytes, length_bytes, text + 2);
    json_t *value = json_stringn_nocheck(text, 2 + 2 * length_bytes);
    if (text != some)
        free(text);
    return value;
}

json_t *sim_json_amount(struct bursar_amount amount)
{
    uint8_t bytes[BURSAR_AMOUNT_BE_BYTES];
    char text[2 + 2 * BURSAR_AMOUNT_BE_BYTES + 1];
    size_t skip = 2;
    bursar_amount_to_be(amount, bytes);
    hex_encode(bytes, sizeof bytes, text + 2);
    while (skip < sizeof text - 2 && text[skip] == '0')
        skip++;
    text[skip - 1] = 'x';
    text[skip - 2] = '0';
    return json_stringn_nocheck(text + skip - 2, sizeof text - 1 - (skip - 2));
}

bool sim_read_number(const json_t *value, uint64_t *ret)
{
    const char *text = json_string_value(value);
    size_t length = json_string_length(value);
    uint64_t number = 0;
    /* As nodes do: no leading zeros, lower or upper case. */
    if (!text || length < 3 || length > 18 || text[0] != '0' || text[1] != 'x' || (text[2] == '0' && length > 3))
        return false;
    for (size_t i = 2; i < length; i++) {
        char c = text[i];
        int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (c >= 'A' && c <= 'F')
            digit = c - 'A' + 10;
        if (digit < 0)
            return false;
        number = number << 4 | (uint64_t)digit;
    }
    *ret = number;
    return true;
}

bool sim_read_amount(const json_t *value, struct bursar_amount *ret)
{
    const char *text = json_string_value(value);
    size_t length = json_string_length(value);
    uint8_t bytes[BURSAR_AMOUNT_BE_BYTES];
    char digits[2 * BURSAR_AMOUNT_BE_BYTES];
    if (!text || length < 3 || length > 2 + sizeof digits || text[0] != '0' || text[1] != 'x' ||
        (text[2] == '0' && length > 3))
        return false;
    size_t zeros = sizeof digits - (length - 2);
    memset(digits, '0', zeros);
    memcpy(digits + zeros, text + 2, length - 2);
    if (!hex_decode(digits, sizeof digits, bytes, sizeof bytes))
        return false;
    *ret = bursar_amount_from_be(bytes);
    return true;
}

bool sim_read_bytes(const json_t *value, uint8_t *ret, size_t length_bytes)
{
    const char *text = json_string_value(value);
    size_t length = json_string_length(value);
    return text && length >= 2 && text[0] == '0' && text[1] == 'x' &&
           hex_decode(text + 2, length - 2, ret, length_bytes);
}

/* --- dispatch --- */

static bool answers_oddly(struct sim_node *node, enum sim_method method, struct rpc_reply *ret)
{
    if (sim_node_lies(node, SIM_LIE_RATE_LIMIT)) {
        sim_reply_error(ret, CODE_LIMIT_EXCEEDED, "rate limit exceeded");
        return true;
    }
    if (sim_node_lies(node, SIM_LIE_INTERNAL_ERROR)) {
        sim_reply_error(ret, CODE_INTERNAL, "Internal error");
        return true;
    }
    if (method != SIM_METHOD_SEND && sim_node_lies(node, SIM_LIE_MALFORMED)) {
        sim_reply_result(ret, json_string("0xzz"));
        return true;
    }
    return false;
}

/* SIM_METHODS: this node has no such method. */
static enum sim_method method_of(const struct sim_node *node, const char *name)
{
    const char *header = node->manner->header_method;
    for (size_t i = 0; i < SIM_METHODS; i++) {
        if (i != SIM_METHOD_HEADER && strcmp(name, methods[i].name) == 0)
            return (enum sim_method)i;
    }
    return header && strcmp(name, header) == 0 ? SIM_METHOD_HEADER : SIM_METHODS;
}

void sim_node_answer(struct sim_node *node, const char *name, const json_t *params, struct rpc_reply *ret)
{
    enum sim_method method = method_of(node, name);
    ret->outcome = RPC_UNKNOWN;
    ret->result = NULL;
    ret->data = NULL;
    ret->code = 0;
    ret->message[0] = '\0';
    if (method == SIM_METHODS) {
        char text[128];
        (void)snprintf(text, sizeof text, "the method %s does not exist/is not available", name);
        sim_reply_error(ret, CODE_METHOD_NOT_FOUND, text);
        return;
    }
    node->calls[method]++;
    if (!answers_oddly(node, method, ret))
        methods[method].answer(node, params, ret);
}

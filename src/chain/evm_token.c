/* Asks tokens for their decimals, at one block. A contract may answer anything: only a number that a uint8 holds is
 * one, and only the EVM's own refusal means that there is none (INV-5). */
#include "chain/evm_token.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "chain/evm_code.h"
#include "chain/evm_codec.h"
#include "chain/node_errors.h"

#define DECIMALS_CALL "0x313ce567" /* decimals() */
#define WORD_BYTES 32

/* Exactly one word, whose first 31 bytes are zero. */
static bool read_decimals(const json_t *value, unsigned *ret)
{
    uint8_t word[WORD_BYTES];
    const char *text = json_string_value(value);
    if (!text || strncmp(text, "0x", 2) != 0 || !hex_decode(text + 2, json_string_length(value) - 2, word, sizeof word))
        return false;
    for (size_t i = 0; i < WORD_BYTES - 1; i++) {
        if (word[i])
            return false;
    }
    *ret = word[WORD_BYTES - 1];
    return true;
}

static bool is_refusal(const struct rpc_reply *reply)
{
    if (reply->outcome != RPC_ERROR)
        return false;
    enum read_fault fault = read_fault_of_error(reply->code, reply->message);
    return fault == READ_FAULT_REVERTED || fault == READ_FAULT_OUT_OF_GAS;
}

static enum bursar_status read_answer(const struct evm_batch *batch, size_t index, struct chain_token *ret,
                                      struct bursar_error *err)
{
    const json_t *value;
    if (is_refusal(&batch->replies[index]))
        return BURSAR_OK;
    enum bursar_status status = evm_pin_result(batch, index, &value, err);
    if (status != BURSAR_OK)
        return status;
    if (!json_is_string(value))
        return bursar_fail(err, BURSAR_EPROTOCOL, "eth_call: the result is no string");
    ret->has_decimals = read_decimals(value, &ret->decimals);
    return BURSAR_OK;
}

/* *ret_fell_back: nothing was read, try again. */
static enum bursar_status ask_each(struct evm_chain *chain, const struct chain_block_ref *at,
                                   const struct bursar_address *tokens, size_t count, struct chain_token *ret,
                                   bool *ret_fell_back, struct bursar_error *err)
{
    cleanup(evm_batch_free) struct evm_batch batch = { 0 };
    size_t calls[CHAIN_TOKENS_MAX_COUNT], asked = 0;
    enum bursar_status status = evm_batch_reserve(&batch, count, err);
    if (status != BURSAR_OK)
        return status;
    for (size_t i = 0; i < count; i++) {
        if (!ret[i].has_code)
            continue;
        calls[asked++] = i;
        (void)evm_batch_add(&batch, "eth_call",
                            json_pack("[{s:o,s:s}o]", "to", evm_write_address(&tokens[i]), "data", DECIMALS_CALL,
                                      evm_pin_parameter(chain, at)));
    }
    if (asked == 0)
        return BURSAR_OK;
    status = evm_batch_read(&batch, &chain->rpc, err);
    if (status != BURSAR_OK)
        return status;
    *ret_fell_back = evm_pin_fell_back(chain, &batch.replies[0]);
    for (size_t i = 0; i < asked && status == BURSAR_OK && !*ret_fell_back; i++)
        status = read_answer(&batch, i, &ret[calls[i]], err);
    return status;
}

enum bursar_status evm_tokens(struct evm_chain *chain, const struct chain_block_ref *at,
                              const struct bursar_address *tokens, size_t count, struct chain_token *ret,
                              struct bursar_error *err)
{
    bool has_code[CHAIN_TOKENS_MAX_COUNT], fell_back = false;
    struct chain_token found[CHAIN_TOKENS_MAX_COUNT];
    enum bursar_status status = evm_has_code(chain, at, tokens, count, has_code, err);
    if (status != BURSAR_OK)
        return status;
    for (size_t i = 0; i < count; i++)
        found[i] = (struct chain_token){ .has_code = has_code[i] };
    status = ask_each(chain, at, tokens, count, found, &fell_back, err);
    if (status == BURSAR_OK && fell_back)
        status = ask_each(chain, at, tokens, count, found, &fell_back, err);
    if (status == BURSAR_OK && chain->pins_by_number)
        status = evm_pin_confirm(chain, at, 1, err);
    if (status == BURSAR_OK)
        memcpy(ret, found, count * sizeof *ret);
    return status;
}

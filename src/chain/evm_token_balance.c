/* Asks tokens what an account holds of them, at one block. What a contract answers is no fault of the node's: a token
 * without a usable answer is one whose balance is not known. */
#include "chain/evm_token.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "chain/evm_codec.h"
#include "chain/node_errors.h"
#include "eth/abi.h"

/* "0x<call>"; NULL when out of memory. */
static json_t *write_data(const struct bursar_address *account)
{
    uint8_t data[ABI_BALANCE_OF_BYTES];
    char text[2 + 2 * sizeof data + 1] = "0x";
    abi_balance_of_encode(account, data);
    hex_encode(data, sizeof data, text + 2);
    return json_string(text);
}

static bool is_refusal(const struct rpc_reply *reply)
{
    if (reply->outcome != RPC_ERROR)
        return false;
    enum read_fault fault = read_fault_of_error(reply->code, reply->message);
    return fault == READ_FAULT_REVERTED || fault == READ_FAULT_OUT_OF_GAS;
}

/* Exactly one word. */
static bool read_balance(const json_t *value, struct bursar_amount *ret)
{
    uint8_t word[ABI_WORD_BYTES];
    const char *text = json_string_value(value);
    if (!text || strncmp(text, "0x", 2) != 0 || !hex_decode(text + 2, json_string_length(value) - 2, word, sizeof word))
        return false;
    *ret = bursar_amount_from_be(word);
    return true;
}

/* *ret_fell_back: nothing was read, try again. */
static enum bursar_status ask_each(struct evm_chain *chain, const struct chain_block_ref *at,
                                   const struct bursar_address *account, const struct bursar_address *tokens,
                                   size_t count, struct chain_token_balance *ret, bool *ret_fell_back,
                                   struct bursar_error *err)
{
    cleanup(evm_batch_free) struct evm_batch batch = { 0 };
    enum bursar_status status = evm_batch_reserve(&batch, count, err);
    if (status != BURSAR_OK)
        return status;
    for (size_t i = 0; i < count; i++)
        (void)evm_batch_add(&batch, "eth_call",
                            json_pack("[{s:o,s:o}o]", "to", evm_write_address(&tokens[i]), "data", write_data(account),
                                      evm_pin_parameter(chain, at)));
    status = evm_batch_read(&batch, &chain->rpc, err);
    if (status != BURSAR_OK)
        return status;
    *ret_fell_back = evm_pin_fell_back(chain, &batch.replies[0]);
    for (size_t i = 0; i < count && status == BURSAR_OK && !*ret_fell_back; i++) {
        const json_t *value;
        ret[i] = (struct chain_token_balance){ 0 };
        if (is_refusal(&batch.replies[i]))
            continue;
        status = evm_pin_result(&batch, i, &value, err);
        if (status == BURSAR_OK)
            ret[i].is_known = read_balance(value, &ret[i].amount);
    }
    return status;
}

enum bursar_status evm_token_balances(struct evm_chain *chain, const struct chain_block_ref *at,
                                      const struct bursar_address *account, const struct bursar_address *tokens,
                                      size_t count, struct chain_token_balance *ret, struct bursar_error *err)
{
    bool fell_back = false;
    enum bursar_status status = ask_each(chain, at, account, tokens, count, ret, &fell_back, err);
    if (status == BURSAR_OK && fell_back)
        status = ask_each(chain, at, account, tokens, count, ret, &fell_back, err);
    if (status == BURSAR_OK && chain->pins_by_number)
        status = evm_pin_confirm(chain, at, 1, err);
    return status;
}

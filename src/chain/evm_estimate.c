/* eth_estimateGas for a few transactions at once. Each is judged by itself: what a node says of one, even if it is not
 * understood, says nothing about its neighbours. */
#include "chain/evm_estimate.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "chain/evm_codec.h"
#include "chain/node_errors.h"
#include "eth/abi.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A node may try each out some twenty times: an answer must not take as long as a request may. */
#define ESTIMATES_PER_READ ((size_t)10)
#define REVERT_DATA_MAX_BYTES ((size_t)1024)

/* "0x<bytes>"; NULL when out of memory. */
static json_t *write_bytes(const uint8_t *bytes, size_t length_bytes)
{
    char *text = malloc(2 + 2 * length_bytes + 1);
    if (!text)
        return NULL;
    text[0] = '0';
    text[1] = 'x';
    hex_encode(bytes, length_bytes, text + 2);
    json_t *value = json_stringn_nocheck(text, 2 + 2 * length_bytes);
    free(text);
    return value;
}

/* [{transaction}, block]; NULL when out of memory. Nodes differ in how a block may be named here, and whether. */
static json_t *write_call(const struct evm_chain *chain, const struct chain_trial *trial,
                          const struct chain_payload *call)
{
    json_t *transaction =
        json_pack("{s:o,s:o,s:o,s:o}", "from", evm_write_address(&trial->from), "to", evm_write_address(&call->to),
                  "value", evm_write_amount(call->value), "gas", evm_write_number(trial->gas_max));
    if (transaction && call->data_bytes &&
        json_object_set_new(transaction, "data", write_bytes(call->data, call->data_bytes)) != 0) {
        json_decref(transaction);
        return NULL;
    }
    switch (chain->estimate_pin) {
    case ESTIMATE_PIN_HASH:
        return json_pack("[oo]", transaction, evm_write_block_hash(&trial->at.hash));
    case ESTIMATE_PIN_NUMBER:
        return json_pack("[oo]", transaction, evm_write_number(trial->at.number));
    case ESTIMATE_PIN_NOT:
        return json_pack("[o]", transaction);
    }
    json_decref(transaction);
    return NULL;
}

/* What the call itself returns, at the block where it is tried out. */
static json_t *write_try(const struct evm_chain *chain, const struct chain_trial *trial,
                         const struct chain_payload *call)
{
    json_t *params = write_call(chain, trial, call);
    if (params && chain->estimate_pin == ESTIMATE_PIN_NOT &&
        json_array_append_new(params, json_string("latest")) != 0) {
        json_decref(params);
        return NULL;
    }
    return params;
}

/* One word that is zero. Tokens that return nothing, or anything else, are taken to have done it: what they did is seen
 * in their logs. */
static bool returns_false(const struct rpc_reply *reply)
{
    uint8_t word[ABI_WORD_BYTES], zero[ABI_WORD_BYTES] = { 0 };
    const char *text = reply->outcome == RPC_RESULT ? json_string_value(reply->result) : NULL;
    return text && strncmp(text, "0x", 2) == 0 &&
           hex_decode(text + 2, json_string_length(reply->result) - 2, word, sizeof word) &&
           memcmp(word, zero, sizeof word) == 0;
}

/* Why it reverts: decoded from the data where there is some, else in the node's words. */
static void say_revert(const struct rpc_reply *reply, struct chain_estimate *ret)
{
    uint8_t data[REVERT_DATA_MAX_BYTES];
    const char *text = json_string_value(reply->data);
    size_t length = json_string_length(reply->data);
    ret->words[0] = '\0';
    if (text && length > 2 && length <= 2 + 2 * sizeof data && length % 2 == 0 && strncmp(text, "0x", 2) == 0 &&
        hex_decode(text + 2, length - 2, data, (length - 2) / 2))
        abi_revert_text(data, (length - 2) / 2, ret->words, sizeof ret->words);
    if (!ret->words[0])
        (void)snprintf(ret->words, sizeof ret->words, "%.*s", CHAIN_WORDS_MAX_BYTES - 1, reply->message);
}

/* ESTALE: the block is gone, nothing was tried out. */
static enum bursar_status read_reply(const struct rpc_reply *reply, struct chain_estimate *ret,
                                     struct bursar_error *err)
{
    *ret = (struct chain_estimate){ .outcome = ESTIMATE_UNKNOWN };
    if (reply->outcome == RPC_RESULT) {
        if (evm_read_number(reply->result, &ret->gas) && ret->gas > 0)
            ret->outcome = ESTIMATE_GAS;
        else
            (void)snprintf(ret->words, sizeof ret->words, "the node answered with something that is no amount of gas");
        return BURSAR_OK;
    }
    switch (read_fault_of_error(reply->code, reply->message)) {
    case READ_FAULT_REVERTED:
        ret->outcome = ESTIMATE_REVERTS;
        say_revert(reply, ret);
        return BURSAR_OK;
    case READ_FAULT_OUT_OF_GAS:
        ret->outcome = ESTIMATE_EXCEEDS;
        (void)snprintf(ret->words, sizeof ret->words, "%.*s", CHAIN_WORDS_MAX_BYTES - 1, reply->message);
        return BURSAR_OK;
    case READ_FAULT_BLOCK_GONE:
    case READ_FAULT_UNKNOWN_BLOCK:
        return bursar_fail(err, BURSAR_ESTALE, "the block that was being read is gone (reorg, or another node): %s",
                           reply->message);
    case READ_FAULT_NOTHING_FINAL:
    case READ_FAULT_OTHER:
        (void)snprintf(ret->words, sizeof ret->words, "%.*s (%lld)", CHAIN_WORDS_MAX_BYTES - 32, reply->message,
                       reply->code);
        return BURSAR_OK;
    }
    return BURSAR_OK;
}

/* The node has just shown that it does not take this way of naming a block here. */
static bool falls_back(struct evm_chain *chain, const struct rpc_reply *reply)
{
    if (chain->estimate_pin == ESTIMATE_PIN_NOT || reply->outcome != RPC_ERROR ||
        reply->code != EVM_CODE_INVALID_PARAMS || read_fault_of_error(reply->code, reply->message) != READ_FAULT_OTHER)
        return false;
    chain->estimate_pin = chain->estimate_pin == ESTIMATE_PIN_HASH ? ESTIMATE_PIN_NUMBER : ESTIMATE_PIN_NOT;
    return true;
}

/* *ret_again: nothing was read, ask in another way. */
static enum bursar_status estimate_some(struct evm_chain *chain, const struct chain_trial *trial,
                                        const struct chain_payload *calls, size_t count, struct chain_estimate *ret,
                                        bool *ret_again, struct bursar_error *err)
{
    cleanup(evm_batch_free) struct evm_batch batch = { 0 };
    size_t tries[ESTIMATES_PER_READ];
    enum bursar_status status = evm_batch_reserve(&batch, 2 * count, err);
    if (status != BURSAR_OK)
        return status;
    for (size_t i = 0; i < count; i++)
        (void)evm_batch_add(&batch, "eth_estimateGas", write_call(chain, trial, &calls[i]));
    for (size_t i = 0; i < count; i++) {
        if (calls[i].may_return_false)
            tries[i] = evm_batch_add(&batch, "eth_call", write_try(chain, trial, &calls[i]));
    }
    status = evm_batch_read(&batch, &chain->rpc, err);
    *ret_again = status == BURSAR_OK && falls_back(chain, &batch.replies[0]);
    for (size_t i = 0; i < count && status == BURSAR_OK && !*ret_again; i++) {
        status = read_reply(&batch.replies[i], &ret[i], err);
        if (calls[i].may_return_false && ret[i].outcome == ESTIMATE_GAS && returns_false(&batch.replies[tries[i]]))
            ret[i] = (struct chain_estimate){ .outcome = ESTIMATE_REVERTS,
                                              .words = "the token returns false, without a reason" };
    }
    return status;
}

enum bursar_status evm_estimate(struct evm_chain *chain, const struct chain_trial *trial,
                                const struct chain_payload *calls, size_t count, struct chain_estimate *ret,
                                struct bursar_error *err)
{
    enum bursar_status status = BURSAR_OK;
    bool again = false;
    for (size_t done = 0; done < count && status == BURSAR_OK;) {
        size_t some = count - done < ESTIMATES_PER_READ ? count - done : ESTIMATES_PER_READ;
        status = estimate_some(chain, trial, calls + done, some, ret + done, &again, err);
        done += again ? 0 : some;
    }
    return status;
}

/* Block bodies are long: a few are asked for at a time, and only what one account has sent is kept of them. The signed
 * bytes of a transaction are put together from its members, which every node shows: whatever was wrong with those, or
 * with how they were put together, the hash would be another. */
#include "chain/evm_bodies.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "chain/evm_codec.h"
#include "eth/transaction.h"

#include <stdlib.h>

/* A reply holds this many blocks with all that is in them, and stays below the transport's limits. */
#define BODIES_PER_READ ((size_t)4)
#define RAWS_PER_READ ((size_t)100)
#define TYPE_EIP1559 2

static bool is_sent_by(const json_t *transaction, const struct bursar_address *account)
{
    struct bursar_address from;
    return evm_read_address(json_object_get(transaction, "from"), &from) && address_equal(&from, account);
}

static enum bursar_status read_sent(const json_t *value, const struct chain_body *body, struct chain_sent *ret,
                                    struct bursar_error *err)
{
    struct chain_sent sent;
    if (!evm_read_hash(json_object_get(value, "hash"), &sent.hash))
        return bursar_fail(err, BURSAR_EPROTOCOL, "the node sent a block with a transaction without \"hash\"");
    enum bursar_status status = evm_read_transaction(value, &sent.hash, &sent.transaction, err);
    if (status != BURSAR_OK)
        return status;
    if (!sent.transaction.is_mined || sent.transaction.block.number != body->head.block.number ||
        !hash_equal(&sent.transaction.block.hash, &body->head.block.hash))
        return bursar_fail(err, BURSAR_EPROTOCOL, "the node sent block %llu with a transaction of another block",
                           (unsigned long long)body->head.block.number);
    *ret = sent;
    return BURSAR_OK;
}

/* One whose sender can't be read makes the whole block unreadable: it might be the one that is looked for. */
static enum bursar_status count_sent(const json_t *list, const struct bursar_address *account, size_t *ret,
                                     struct bursar_error *err)
{
    struct bursar_address from;
    size_t count = 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        if (!evm_read_address(json_object_get(item, "from"), &from))
            return bursar_fail(err, BURSAR_EPROTOCOL, "the node sent a block with a transaction without \"from\"");
        count += address_equal(&from, account);
    }
    *ret = count;
    return BURSAR_OK;
}

enum bursar_status evm_read_body(const json_t *value, uint64_t asked, const struct bursar_address *account,
                                 struct chain_body *ret, struct bursar_error *err)
{
    struct evm_header header;
    struct chain_body body = { 0 };
    size_t count = 0;
    if (json_is_null(value)) {
        *ret = body;
        return BURSAR_OK;
    }
    const json_t *list = json_object_get(value, "transactions");
    enum bursar_status status = evm_read_header(value, &header, err);
    if (status == BURSAR_OK && (header.head.block.number != asked || !json_is_array(list)))
        status = bursar_fail(err, BURSAR_EPROTOCOL, "the node sent something else when asked for block %llu",
                             (unsigned long long)asked);
    if (status == BURSAR_OK)
        status = count_sent(list, account, &count, err);
    if (status != BURSAR_OK)
        return status;
    body = (struct chain_body){ .is_present = true, .head = header.head };
    if (count && !(body.sent = calloc(count, sizeof *body.sent)))
        return bursar_fail(err, BURSAR_ENOMEM, "out of memory");
    for (size_t i = 0; i < json_array_size(list) && status == BURSAR_OK; i++) {
        const json_t *item = json_array_get(list, i);
        if (is_sent_by(item, account) && body.sent_count < count)
            status = read_sent(item, &body, &body.sent[body.sent_count++], err);
    }
    if (status != BURSAR_OK) {
        chain_bodies_clear(&body, 1);
        return status;
    }
    *ret = body;
    return BURSAR_OK;
}

static enum bursar_status read_bodies(const struct evm_chain *chain, const struct bursar_address *account,
                                      const uint64_t *numbers, size_t count, struct chain_body *ret,
                                      struct bursar_error *err)
{
    cleanup(evm_batch_free) struct evm_batch batch = { 0 };
    enum bursar_status status = evm_batch_reserve(&batch, count, err);
    if (status != BURSAR_OK)
        return status;
    for (size_t i = 0; i < count; i++)
        (void)evm_batch_add(&batch, "eth_getBlockByNumber", json_pack("[ob]", evm_write_number(numbers[i]), 1));
    status = evm_batch_read(&batch, &chain->rpc, err);
    for (size_t i = 0; i < count && status == BURSAR_OK; i++) {
        const json_t *value;
        status = evm_batch_result(&batch, i, &value, err);
        if (status == BURSAR_OK)
            status = evm_read_body(value, numbers[i], account, &ret[i], err);
    }
    return status;
}

enum bursar_status evm_bodies(const struct evm_chain *chain, const struct bursar_address *account,
                              const uint64_t *numbers, size_t count, struct chain_body *ret, struct bursar_error *err)
{
    enum bursar_status status = BURSAR_OK;
    for (size_t i = 0; i < count; i++)
        ret[i] = (struct chain_body){ 0 };
    for (size_t done = 0; done < count && status == BURSAR_OK; done += BODIES_PER_READ) {
        size_t some = count - done < BODIES_PER_READ ? count - done : BODIES_PER_READ;
        status = read_bodies(chain, account, numbers + done, some, ret + done, err);
    }
    if (status != BURSAR_OK)
        chain_bodies_clear(ret, count);
    return status;
}

static bool number_of(const json_t *object, const char *name, uint64_t *ret)
{
    return evm_read_number(json_object_get(object, name), ret);
}

static bool word_of(const json_t *object, const char *name, uint8_t ret[32])
{
    struct bursar_amount word;
    if (!evm_read_amount(json_object_get(object, name), &word))
        return false;
    bursar_amount_to_be(word, ret);
    return true;
}

/* The data, malloc'd; NULL when it is malformed, too long, or memory ran out. */
static uint8_t *data_of(const json_t *object, size_t *ret_bytes)
{
    const json_t *input = json_object_get(object, "input");
    const char *text = json_string_value(input);
    size_t length = json_string_length(input);
    if (!text || length < 2 || length % 2 != 0 || text[0] != '0' || text[1] != 'x' ||
        (length - 2) / 2 > ETH_DATA_MAX_BYTES)
        return NULL;
    uint8_t *data = malloc(length);
    if (data && !hex_decode(text + 2, length - 2, data, (length - 2) / 2)) {
        free(data);
        return NULL;
    }
    *ret_bytes = (length - 2) / 2;
    return data;
}

/* False: it is not of the type that this program signs. */
static bool read_members(const json_t *value, struct eth_transaction *tx, struct eth_signature *signature)
{
    uint64_t type = 0, y_parity = 0;
    const json_t *access_list = json_object_get(value, "accessList");
    if (!number_of(value, "type", &type) || type != TYPE_EIP1559 || (access_list && json_array_size(access_list) != 0))
        return false;
    if (!number_of(value, "yParity", &y_parity) && !number_of(value, "v", &y_parity)) /* older nodes have `v` only */
        return false;
    signature->y_parity = (uint8_t)(y_parity & 1);
    return y_parity <= 1 && number_of(value, "chainId", &tx->chain_id) && number_of(value, "nonce", &tx->nonce) &&
           number_of(value, "maxPriorityFeePerGas", &tx->max_priority_fee_per_gas_wei) &&
           number_of(value, "maxFeePerGas", &tx->max_fee_per_gas_wei) && number_of(value, "gas", &tx->gas_limit) &&
           evm_read_address(json_object_get(value, "to"), &tx->to) &&
           evm_read_amount(json_object_get(value, "value"), &tx->value_wei) && word_of(value, "r", signature->r) &&
           word_of(value, "s", signature->s);
}

enum bursar_status evm_read_raw(const json_t *value, const struct bursar_hash *asked, struct chain_raw *ret,
                                struct bursar_error *err)
{
    struct eth_transaction tx = { 0 };
    struct eth_signature signature = { 0 };
    struct bursar_hash hash;
    struct bursar_error reason = { 0 };
    cleanup(buf_free) struct buf raw = { 0 };
    *ret = (struct chain_raw){ 0 };
    if (!json_is_object(value) || !read_members(value, &tx, &signature))
        return BURSAR_OK;
    uint8_t *data = data_of(value, &tx.data_bytes);
    if (!data)
        return BURSAR_OK;
    tx.data = data;
    enum bursar_status status = eth_transaction_encode(&tx, &signature, &raw, &hash, &reason);
    free(data);
    if (status == BURSAR_ENOMEM)
        return bursar_fail(err, status, "%s", reason.message);
    if (status != BURSAR_OK || !hash_equal(&hash, asked))
        return BURSAR_OK;
    *ret = (struct chain_raw){ .bytes = (uint8_t *)raw.data, .length_bytes = raw.length_bytes };
    raw = (struct buf){ 0 }; /* now the receiver's */
    return BURSAR_OK;
}

static enum bursar_status read_raws(const struct evm_chain *chain, const struct bursar_hash *hashes, size_t count,
                                    struct chain_raw *ret, struct bursar_error *err)
{
    cleanup(evm_batch_free) struct evm_batch batch = { 0 };
    enum bursar_status status = evm_batch_reserve(&batch, count, err);
    if (status != BURSAR_OK)
        return status;
    for (size_t i = 0; i < count; i++)
        (void)evm_batch_add(&batch, "eth_getTransactionByHash", json_pack("[o]", evm_write_hash(&hashes[i])));
    status = evm_batch_read(&batch, &chain->rpc, err);
    for (size_t i = 0; i < count && status == BURSAR_OK; i++) {
        const json_t *value;
        status = evm_batch_result(&batch, i, &value, err);
        if (status == BURSAR_OK)
            status = evm_read_raw(value, &hashes[i], &ret[i], err);
    }
    return status;
}

enum bursar_status evm_raws(const struct evm_chain *chain, const struct bursar_hash *hashes, size_t count,
                            struct chain_raw *ret, struct bursar_error *err)
{
    enum bursar_status status = BURSAR_OK;
    for (size_t i = 0; i < count; i++)
        ret[i] = (struct chain_raw){ 0 };
    for (size_t done = 0; done < count && status == BURSAR_OK; done += RAWS_PER_READ) {
        size_t some = count - done < RAWS_PER_READ ? count - done : RAWS_PER_READ;
        status = read_raws(chain, hashes + done, some, ret + done, err);
    }
    if (status != BURSAR_OK)
        chain_raws_clear(ret, count);
    return status;
}

/* Ethereum JSON-RPC values. A node is not trusted to send what the specification says. */
#include "chain/evm_codec.h"

#include "base/bytes.h"
#include "eth/abi.h"
#include "eth/keccak.h"

#include <inttypes.h>

#define AMOUNT_DIGITS ((size_t)2 * BURSAR_AMOUNT_BE_BYTES)

/* The digits behind "0x"; false when `value` is no such text. A NUL inside makes the caller's digit check fail. */
static bool read_digits(const json_t *value, const char **ret_digits, size_t *ret_count)
{
    const char *text = json_string_value(value);
    size_t length = json_string_length(value);
    if (!text || length < 2 || text[0] != '0' || text[1] != 'x')
        return false;
    *ret_digits = text + 2;
    *ret_count = length - 2;
    return true;
}

bool evm_read_amount(const json_t *value, struct bursar_amount *ret)
{
    char padded[AMOUNT_DIGITS];
    uint8_t bytes[BURSAR_AMOUNT_BE_BYTES];
    const char *digits;
    size_t count;
    if (!read_digits(value, &digits, &count) || count == 0 || count > AMOUNT_DIGITS)
        return false;
    memset(padded, '0', AMOUNT_DIGITS - count);
    memcpy(padded + (AMOUNT_DIGITS - count), digits, count);
    if (!hex_decode(padded, AMOUNT_DIGITS, bytes, sizeof bytes))
        return false;
    *ret = bursar_amount_from_be(bytes);
    return true;
}

bool evm_read_number(const json_t *value, uint64_t *ret)
{
    struct bursar_amount amount;
    uint64_t number;
    if (!evm_read_amount(value, &amount) || !bursar_amount_to_u64(amount, &number) || number > EVM_NUMBER_MAX)
        return false;
    *ret = number;
    return true;
}

static bool read_fixed(const json_t *value, uint8_t *ret, size_t length_bytes)
{
    const char *digits;
    size_t count;
    return read_digits(value, &digits, &count) && hex_decode(digits, count, ret, length_bytes);
}

bool evm_read_hash(const json_t *value, struct bursar_hash *ret)
{
    return read_fixed(value, ret->bytes, sizeof ret->bytes);
}

bool evm_read_address(const json_t *value, struct bursar_address *ret)
{
    return read_fixed(value, ret->bytes, sizeof ret->bytes);
}

static enum bursar_status malformed(struct bursar_error *err, const char *what, const char *member)
{
    return bursar_fail(err, BURSAR_EPROTOCOL, "the node sent a %s with a missing or malformed \"%s\"", what, member);
}

static bool number_of(const json_t *object, const char *name, uint64_t *ret)
{
    return evm_read_number(json_object_get(object, name), ret);
}

static bool hash_of(const json_t *object, const char *name, struct bursar_hash *ret)
{
    return evm_read_hash(json_object_get(object, name), ret);
}

enum bursar_status evm_read_header(const json_t *value, struct evm_header *ret, struct bursar_error *err)
{
    struct evm_header header = { 0 };
    const json_t *base_fee = json_object_get(value, "baseFeePerGas");
    if (!json_is_object(value))
        return bursar_fail(err, BURSAR_EPROTOCOL, "the node sent something that is no block");
    if (!number_of(value, "number", &header.head.block.number))
        return malformed(err, "block", "number");
    if (!hash_of(value, "hash", &header.head.block.hash))
        return malformed(err, "block", "hash");
    if (!hash_of(value, "parentHash", &header.head.parent_hash))
        return malformed(err, "block", "parentHash");
    if (!number_of(value, "timestamp", &header.head.timestamp_s))
        return malformed(err, "block", "timestamp");
    header.has_base_fee = base_fee && !json_is_null(base_fee);
    if (header.has_base_fee && !evm_read_number(base_fee, &header.base_fee_per_gas_wei))
        return malformed(err, "block", "baseFeePerGas");
    *ret = header;
    return BURSAR_OK;
}

static enum bursar_status read_transaction_hashes(const json_t *list, struct chain_block *ret, struct bursar_error *err)
{
    size_t count = json_array_size(list);
    if (!json_is_array(list))
        return malformed(err, "block", "transactions");
    if (count == 0)
        return BURSAR_OK;
    struct bursar_hash *hashes = malloc(count * sizeof *hashes);
    if (!hashes)
        return bursar_fail(err, BURSAR_ENOMEM, "out of memory");
    for (size_t i = 0; i < count; i++) {
        if (!evm_read_hash(json_array_get(list, i), &hashes[i])) {
            free(hashes);
            return malformed(err, "block", "transactions");
        }
    }
    ret->transactions = hashes;
    ret->transaction_count = count;
    return BURSAR_OK;
}

enum bursar_status evm_read_block(const json_t *value, uint64_t asked, struct chain_block *ret,
                                  struct bursar_error *err)
{
    struct evm_header header;
    struct chain_block block = { 0 };
    if (json_is_null(value)) {
        *ret = block;
        return BURSAR_OK;
    }
    enum bursar_status status = evm_read_header(value, &header, err);
    if (status != BURSAR_OK)
        return status;
    if (header.head.block.number != asked)
        return bursar_fail(err, BURSAR_EPROTOCOL, "the node sent block %" PRIu64 " when asked for block %" PRIu64,
                           header.head.block.number, asked);
    status = read_transaction_hashes(json_object_get(value, "transactions"), &block, err);
    if (status != BURSAR_OK)
        return status;
    block.is_present = true;
    block.head = header.head;
    *ret = block;
    return BURSAR_OK;
}

static bool block_ref_of(const json_t *object, struct chain_block_ref *ret)
{
    return hash_of(object, "blockHash", &ret->hash) && number_of(object, "blockNumber", &ret->number);
}

/* False: out of the room there is for other recipients. */
static bool add_transfer(struct chain_receipt *receipt, const struct bursar_address *to, struct bursar_amount amount)
{
    for (size_t i = 0; i < receipt->transfer_count; i++) {
        struct chain_transfer *transfer = &receipt->transfers[i];
        if (memcmp(transfer->to.bytes, to->bytes, sizeof to->bytes) == 0) /* a sum beyond 256 bits is no token's */
            return bursar_amount_add(transfer->amount, amount, &transfer->amount);
    }
    if (receipt->transfer_count == CHAIN_TRANSFERS_MAX_COUNT)
        return false;
    receipt->transfers[receipt->transfer_count++] = (struct chain_transfer){ *to, amount };
    return true;
}

/* A log that is a transfer as ERC-20 has it: three topics, and one word of data. False: malformed. */
static bool read_log(const json_t *log, const struct bursar_address *token, const struct bursar_address *account,
                     struct chain_receipt *ret)
{
    struct bursar_address emitter, from, to;
    struct bursar_hash topic, amount;
    const json_t *topics = json_object_get(log, "topics");
    const char *data = json_string_value(json_object_get(log, "data"));
    if (!evm_read_address(json_object_get(log, "address"), &emitter) || !json_is_array(topics) || !data)
        return false;
    if (memcmp(emitter.bytes, token->bytes, sizeof emitter.bytes) != 0 || json_array_size(topics) != 3 ||
        !evm_read_hash(json_array_get(topics, 0), &topic) ||
        memcmp(topic.bytes, ABI_TRANSFER_TOPIC, sizeof topic.bytes) != 0 ||
        !evm_read_hash(json_array_get(topics, 1), &topic) || !abi_word_address(topic.bytes, &from) ||
        memcmp(from.bytes, account->bytes, sizeof from.bytes) != 0 ||
        !evm_read_hash(json_array_get(topics, 2), &topic) || !abi_word_address(topic.bytes, &to) ||
        !evm_read_hash(json_object_get(log, "data"), &amount))
        return true; /* none of ours */
    if (!add_transfer(ret, &to, bursar_amount_from_be(amount.bytes)))
        ret->has_more_transfers = true;
    return true;
}

/* Without logs nothing was moved; nodes always list them, if only as an empty array. */
static bool read_transfers(const json_t *value, struct chain_receipt *ret)
{
    struct bursar_address token, account;
    const json_t *logs = json_object_get(value, "logs"), *log;
    size_t index;
    if (!ret->succeeded || !logs || json_array_size(logs) == 0)
        return !logs || json_is_array(logs) || !ret->succeeded;
    if (!evm_read_address(json_object_get(value, "to"), &token) ||
        !evm_read_address(json_object_get(value, "from"), &account))
        return false;
    json_array_foreach(logs, index, log)
    {
        if (!read_log(log, &token, &account, ret))
            return false;
    }
    return true;
}

static bool has(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    return value && !json_is_null(value);
}

static bool optional_amount_of(const json_t *object, const char *name, struct bursar_amount *ret)
{
    *ret = (struct bursar_amount){ 0 };
    return !has(object, name) || evm_read_amount(json_object_get(object, name), ret);
}

/* The OP stack's: a constant, and a share of the gas. The share's unit changed with the fork that brought receipts
 * their daFootprintGasScalar. */
#define OPERATOR_SHARE_DIVISOR 1000000 /* before */
#define OPERATOR_SHARE_FACTOR 100      /* since */

static bool read_operator_fee(const json_t *value, uint64_t gas_used, struct bursar_amount *ret)
{
    struct bursar_amount scalar, constant;
    uint64_t share;
    if (!optional_amount_of(value, "operatorFeeScalar", &scalar) || !bursar_amount_to_u64(scalar, &share) ||
        !optional_amount_of(value, "operatorFeeConstant", &constant) || __builtin_mul_overflow(share, gas_used, &share))
        return false;
    struct bursar_amount fee = bursar_amount_from_u64(share / OPERATOR_SHARE_DIVISOR);
    if (has(value, "daFootprintGasScalar") &&
        !bursar_amount_multiply(bursar_amount_from_u64(share), OPERATOR_SHARE_FACTOR, &fee))
        return false;
    return bursar_amount_add(fee, constant, ret);
}

static enum bursar_status read_other_fees(const json_t *value, struct chain_receipt *ret, struct bursar_error *err)
{
    struct bursar_amount data_fee, operator_fee;
    if (!optional_amount_of(value, "l1Fee", &data_fee))
        return malformed(err, "receipt", "l1Fee");
    if (!read_operator_fee(value, ret->gas_used, &operator_fee) ||
        !bursar_amount_add(data_fee, operator_fee, &ret->other_fee_wei))
        return malformed(err, "receipt", "operatorFeeScalar/operatorFeeConstant");
    return BURSAR_OK;
}

enum bursar_status evm_read_receipt(const json_t *value, const struct bursar_hash *asked, struct chain_receipt *ret,
                                    struct bursar_error *err)
{
    struct bursar_hash hash;
    uint64_t status_number = 0;
    struct chain_receipt receipt = { 0 };
    if (json_is_null(value)) {
        *ret = receipt;
        return BURSAR_OK;
    }
    if (!hash_of(value, "transactionHash", &hash))
        return malformed(err, "receipt", "transactionHash");
    if (!hash_equal(&hash, asked))
        return bursar_fail(err, BURSAR_EPROTOCOL, "the node sent the receipt of another transaction");
    if (!number_of(value, "status", &status_number) || status_number > 1)
        return malformed(err, "receipt", "status");
    if (!block_ref_of(value, &receipt.block))
        return malformed(err, "receipt", "blockHash/blockNumber");
    if (!number_of(value, "gasUsed", &receipt.gas_used))
        return malformed(err, "receipt", "gasUsed");
    if (!number_of(value, "effectiveGasPrice", &receipt.effective_gas_price_wei))
        return malformed(err, "receipt", "effectiveGasPrice");
    receipt.is_present = true;
    receipt.succeeded = status_number == 1;
    if (!read_transfers(value, &receipt))
        return malformed(err, "receipt", "logs");
    enum bursar_status status = read_other_fees(value, &receipt, err);
    if (status == BURSAR_OK)
        *ret = receipt;
    return status;
}

/* keccak256 of bytes given as text; false when they are malformed or memory ran out. */
static bool read_data_hash(const json_t *value, struct bursar_hash *ret)
{
    const char *digits;
    size_t count;
    if (!read_digits(value, &digits, &count) || count % 2 != 0)
        return false;
    uint8_t *bytes = malloc(count / 2 + 1);
    bool ok = bytes && hex_decode(digits, count, bytes, count / 2);
    if (ok)
        keccak256(bytes, count / 2, ret);
    free(bytes);
    return ok;
}

/* Where the transaction is: mined has both members, pooled has neither. */
static bool read_place(const json_t *value, struct chain_transaction *ret)
{
    const json_t *hash = json_object_get(value, "blockHash"), *number = json_object_get(value, "blockNumber");
    if ((!hash || json_is_null(hash)) && (!number || json_is_null(number)))
        return true;
    ret->is_mined = true;
    return block_ref_of(value, &ret->block);
}

enum bursar_status evm_read_transaction(const json_t *value, const struct bursar_hash *asked,
                                        struct chain_transaction *ret, struct bursar_error *err)
{
    struct bursar_hash hash;
    struct chain_transaction tx = { 0 };
    const json_t *to = json_object_get(value, "to");
    if (json_is_null(value)) {
        *ret = tx;
        return BURSAR_OK;
    }
    if (!hash_of(value, "hash", &hash))
        return malformed(err, "transaction", "hash");
    if (!hash_equal(&hash, asked))
        return bursar_fail(err, BURSAR_EPROTOCOL, "the node sent another transaction than the one asked for");
    if (!read_place(value, &tx))
        return malformed(err, "transaction", "blockHash/blockNumber");
    if (!evm_read_address(json_object_get(value, "from"), &tx.from))
        return malformed(err, "transaction", "from");
    if (!number_of(value, "nonce", &tx.nonce))
        return malformed(err, "transaction", "nonce");
    tx.has_to = to && !json_is_null(to);
    if (tx.has_to && !evm_read_address(to, &tx.to))
        return malformed(err, "transaction", "to");
    if (!evm_read_amount(json_object_get(value, "value"), &tx.value))
        return malformed(err, "transaction", "value");
    if (!read_data_hash(json_object_get(value, "input"), &tx.data_hash))
        return malformed(err, "transaction", "input");
    tx.is_present = true;
    *ret = tx;
    return BURSAR_OK;
}

enum bursar_status evm_read_has_code(const json_t *value, bool *ret, struct bursar_error *err)
{
    struct bursar_hash hash;
    if (!read_data_hash(value, &hash))
        return bursar_fail(err, BURSAR_EPROTOCOL, "the node sent malformed code");
    *ret = json_string_length(value) > 2;
    return BURSAR_OK;
}

/* All that is written is hexadecimal: no need to look for what has to be escaped. */
static json_t *write_hex(const uint8_t *bytes, size_t length_bytes)
{
    char text[HASH_TEXT_BYTES] = "0x";
    hex_encode(bytes, length_bytes, text + 2);
    return json_stringn_nocheck(text, 2 + 2 * length_bytes);
}

json_t *evm_write_number(uint64_t number)
{
    char text[2 + 16 + 1];
    int length = snprintf(text, sizeof text, "0x%" PRIx64, number);
    return json_stringn_nocheck(text, (size_t)length);
}

json_t *evm_write_amount(struct bursar_amount amount)
{
    uint8_t bytes[BURSAR_AMOUNT_BE_BYTES];
    char digits[2 * BURSAR_AMOUNT_BE_BYTES + 1], text[2 + sizeof digits];
    bursar_amount_to_be(amount, bytes);
    hex_encode(bytes, sizeof bytes, digits);
    size_t zeros = strspn(digits, "0");
    int length = snprintf(text, sizeof text, "0x%s", zeros < sizeof digits - 1 ? digits + zeros : "0");
    return json_stringn_nocheck(text, (size_t)length);
}

json_t *evm_write_hash(const struct bursar_hash *hash)
{
    return write_hex(hash->bytes, sizeof hash->bytes);
}

json_t *evm_write_address(const struct bursar_address *address)
{
    return write_hex(address->bytes, sizeof address->bytes);
}

json_t *evm_write_block_hash(const struct bursar_hash *hash)
{
    return json_pack("{s:o}", "blockHash", evm_write_hash(hash));
}

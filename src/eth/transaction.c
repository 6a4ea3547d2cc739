/* EIP-1559 transactions to bytes and back. What encode produces, decode accepts, and the other way round: a
 * transaction that consensus would reject for its form (fees, nonce, signature range) is refused on both ways. */
#include "eth/transaction.h"

#include "base/cleanup.h"
#include "eth/keccak.h"
#include "eth/rlp.h"

#include <string.h>

#define TYPE_EIP1559 0x02
/* Room for the data, and for all other fields and headers many times over. */
#define FIELDS_MAX_BYTES (ETH_DATA_MAX_BYTES + 1024)

/* The order of secp256k1, and half of it (rounded down). */
static const uint8_t curve_order[32] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                         0xff, 0xff, 0xff, 0xff, 0xfe, 0xba, 0xae, 0xdc, 0xe6, 0xaf, 0x48,
                                         0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x41 };
static const uint8_t half_order[32] = { 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                        0xff, 0xff, 0xff, 0xff, 0xff, 0x5d, 0x57, 0x6e, 0x73, 0x57, 0xa4,
                                        0x50, 0x1d, 0xdf, 0xe9, 0x2f, 0x46, 0x68, 0x1b, 0x20, 0xa0 };
static const uint8_t zero[32] = { 0 };

static enum bursar_status check_fields(const struct eth_transaction *tx, struct bursar_error *err)
{
    if (tx->data_bytes > ETH_DATA_MAX_BYTES)
        return bursar_fail(err, BURSAR_ELIMIT, "transaction data of %zu bytes is over the limit of %zu", tx->data_bytes,
                           ETH_DATA_MAX_BYTES);
    if (tx->max_priority_fee_per_gas_wei > tx->max_fee_per_gas_wei)
        return bursar_fail(
            err, BURSAR_EINVAL, "the priority fee per gas (%llu wei) is higher than the maximum fee (%llu wei)",
            (unsigned long long)tx->max_priority_fee_per_gas_wei, (unsigned long long)tx->max_fee_per_gas_wei);
    if (tx->nonce == UINT64_MAX) /* EIP-2681 */
        return bursar_fail(err, BURSAR_EINVAL, "nonce 2^64-1 can never be mined");
    return BURSAR_OK;
}

static enum bursar_status check_signature(const struct eth_signature *signature, struct bursar_error *err)
{
    if (signature->y_parity > 1)
        return bursar_fail(err, BURSAR_EINVAL, "the signature's y parity is %u, not 0 or 1", signature->y_parity);
    if (memcmp(signature->r, zero, sizeof zero) == 0 || memcmp(signature->r, curve_order, sizeof curve_order) >= 0)
        return bursar_fail(err, BURSAR_EINVAL, "the signature's r is out of range");
    if (memcmp(signature->s, zero, sizeof zero) == 0 || memcmp(signature->s, half_order, sizeof half_order) > 0)
        return bursar_fail(err, BURSAR_EINVAL, "the signature's s is not in the lower half of the order (EIP-2)");
    return BURSAR_OK;
}

static bool append_fields(struct buf *out, const struct eth_transaction *tx)
{
    uint8_t value[BURSAR_AMOUNT_BE_BYTES];
    bursar_amount_to_be(tx->value_wei, value);
    return rlp_append_u64(out, tx->chain_id) && rlp_append_u64(out, tx->nonce) &&
           rlp_append_u64(out, tx->max_priority_fee_per_gas_wei) && rlp_append_u64(out, tx->max_fee_per_gas_wei) &&
           rlp_append_u64(out, tx->gas_limit) && rlp_append_string(out, tx->to.bytes, sizeof tx->to.bytes) &&
           rlp_append_integer(out, value, sizeof value) && rlp_append_string(out, tx->data, tx->data_bytes) &&
           rlp_append_list_header(out, 0);
}

static bool append_signature(struct buf *out, const struct eth_signature *signature)
{
    return rlp_append_u64(out, signature->y_parity) && rlp_append_integer(out, signature->r, sizeof signature->r) &&
           rlp_append_integer(out, signature->s, sizeof signature->s);
}

/* Appends type || list of fields, with the signature when there is one. On failure `out` is as it was. */
static bool append_envelope(struct buf *out, const struct eth_transaction *tx, const struct eth_signature *signature)
{
    static const uint8_t type = TYPE_EIP1559;
    cleanup(buf_free) struct buf fields = { .limit_bytes = FIELDS_MAX_BYTES };
    if (!append_fields(&fields, tx) || (signature && !append_signature(&fields, signature)))
        return false;
    size_t start = out->length_bytes;
    if (buf_append(out, &type, 1) && rlp_append_list_header(out, fields.length_bytes) &&
        buf_append(out, fields.data, fields.length_bytes))
        return true;
    out->length_bytes = start;
    if (out->data)
        out->data[start] = '\0';
    return false;
}

enum bursar_status eth_transaction_signing_hash(const struct eth_transaction *tx, struct bursar_hash *ret,
                                                struct bursar_error *err)
{
    cleanup(buf_free) struct buf unsigned_bytes = { 0 };
    enum bursar_status status = check_fields(tx, err);
    if (status != BURSAR_OK)
        return status;
    if (!append_envelope(&unsigned_bytes, tx, NULL))
        return bursar_fail(err, BURSAR_ENOMEM, "no memory to encode a transaction");
    keccak256(unsigned_bytes.data, unsigned_bytes.length_bytes, ret);
    return BURSAR_OK;
}

enum bursar_status eth_transaction_encode(const struct eth_transaction *tx, const struct eth_signature *signature,
                                          struct buf *out, struct bursar_hash *ret_hash, struct bursar_error *err)
{
    enum bursar_status status = check_fields(tx, err);
    if (status == BURSAR_OK)
        status = check_signature(signature, err);
    if (status != BURSAR_OK)
        return status;
    size_t start = out->length_bytes;
    if (!append_envelope(out, tx, signature))
        return bursar_fail(err, BURSAR_ENOMEM, "no memory, or no room in the buffer, to encode a transaction");
    keccak256(out->data + start, out->length_bytes - start, ret_hash);
    return BURSAR_OK;
}

static bool read_fields(struct rlp_reader *fields, struct eth_transaction *tx)
{
    uint8_t value[BURSAR_AMOUNT_BE_BYTES];
    if (!rlp_read_u64(fields, &tx->chain_id) || !rlp_read_u64(fields, &tx->nonce) ||
        !rlp_read_u64(fields, &tx->max_priority_fee_per_gas_wei) || !rlp_read_u64(fields, &tx->max_fee_per_gas_wei) ||
        !rlp_read_u64(fields, &tx->gas_limit) || !rlp_read_fixed(fields, tx->to.bytes, sizeof tx->to.bytes) ||
        !rlp_read_integer(fields, value, sizeof value) || !rlp_read_string(fields, &tx->data, &tx->data_bytes))
        return false;
    tx->value_wei = bursar_amount_from_be(value);
    return true;
}

static bool read_signature(struct rlp_reader *fields, struct eth_signature *signature)
{
    return rlp_read_integer(fields, &signature->y_parity, 1) &&
           rlp_read_integer(fields, signature->r, sizeof signature->r) &&
           rlp_read_integer(fields, signature->s, sizeof signature->s);
}

enum bursar_status eth_transaction_decode(const uint8_t *raw, size_t raw_bytes, struct eth_transaction *ret_tx,
                                          struct eth_signature *ret_signature, struct bursar_error *err)
{
    struct eth_transaction tx = { 0 };
    struct eth_signature signature;
    struct rlp_reader fields, access_list;
    if (raw_bytes == 0 || raw[0] != TYPE_EIP1559)
        return bursar_fail(err, BURSAR_EINVAL, "not an EIP-1559 transaction: it does not start with 0x02");
    struct rlp_reader whole = { .at = raw + 1, .left_bytes = raw_bytes - 1 };
    if (!rlp_read_list(&whole, &fields) || whole.left_bytes != 0)
        return bursar_fail(err, BURSAR_EINVAL, "not an EIP-1559 transaction: not one canonical RLP list");
    if (!read_fields(&fields, &tx))
        return bursar_fail(err, BURSAR_EINVAL, "not an EIP-1559 transaction: a field is missing, malformed or too big");
    if (!rlp_read_list(&fields, &access_list) || access_list.left_bytes != 0)
        return bursar_fail(err, BURSAR_EINVAL, "the transaction's access list is malformed or not empty");
    if (!read_signature(&fields, &signature) || fields.left_bytes != 0)
        return bursar_fail(err, BURSAR_EINVAL, "the transaction's signature is missing or malformed");
    enum bursar_status status = check_fields(&tx, err);
    if (status == BURSAR_OK)
        status = check_signature(&signature, err);
    if (status != BURSAR_OK)
        return status;
    *ret_tx = tx;
    *ret_signature = signature;
    return BURSAR_OK;
}

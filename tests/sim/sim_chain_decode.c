/* What signed bytes say, by the simulation's own reading of RLP, EIP-2718 and EIP-1559, so that a mistake of the
 * encoder's can't be made up for by the same mistake here. Who signed is asked of libsecp256k1. */
#include "sim_chain_parts.h"

#include <string.h>

#include "base/bytes.h"
#include "eth/address.h"
#include "eth/keccak.h"

#include <secp256k1_recovery.h>

#define TYPE_EIP1559 0x02
#define TRANSFER_GAS 21000
#define DATA_MAX_BYTES ((size_t)128 * 1024)

/* EIP-2028, and the floor of EIP-7623 where it is higher: for data that no code looks at it always is. */
uint64_t sim_gas_needed(const uint8_t *data, size_t data_bytes)
{
    uint64_t tokens = 0;
    for (size_t i = 0; i < data_bytes; i++)
        tokens += data[i] ? 4 : 1;
    return TRANSFER_GAS + 10 * tokens;
}

bool sim_cost(const struct sim_transaction *tx, struct bursar_amount *ret)
{
    struct bursar_amount gas;
    return bursar_amount_multiply(bursar_amount_from_u64(tx->gas_limit), tx->max_fee_per_gas_wei, &gas) &&
           bursar_amount_add(gas, tx->value, ret);
}

struct item {
    const uint8_t *start; /* with its header */
    const uint8_t *payload;
    size_t payload_bytes;
    bool is_list;
};

/* The item at `at`, in canonical form only. */
static bool read_item(const uint8_t *at, const uint8_t *end, struct item *ret)
{
    if (at >= end)
        return false;
    uint8_t first = *at;
    size_t header = 1, length = 1;
    *ret = (struct item){ .start = at, .is_list = first >= 0xc0 };
    if (first < 0x80) {
        header = 0;
    } else {
        size_t code = first - (ret->is_list ? 0xc0u : 0x80u);
        length = code;
        if (code > 55) {
            size_t count = code - 55;
            if (count > 4 || (size_t)(end - at) < 1 + count || at[1] == 0)
                return false;
            length = 0;
            for (size_t i = 0; i < count; i++)
                length = length << 8 | at[1 + i];
            if (length <= 55)
                return false;
            header += count;
        }
    }
    if ((size_t)(end - at) < header + length)
        return false;
    ret->payload = at + header;
    ret->payload_bytes = length;
    return ret->is_list || header != 1 || length != 1 || ret->payload[0] >= 0x80;
}

/* Big-endian, no leading zeros, at most `width` bytes: padded on the left. */
static bool read_integer(const struct item *item, uint8_t *ret, size_t width)
{
    if (item->is_list || item->payload_bytes > width || (item->payload_bytes > 0 && item->payload[0] == 0))
        return false;
    memset(ret, 0, width);
    for (size_t i = 0; i < item->payload_bytes; i++)
        ret[width - item->payload_bytes + i] = item->payload[i];
    return true;
}

static bool read_u64(const struct item *item, uint64_t *ret)
{
    uint8_t bytes[8];
    if (!read_integer(item, bytes, sizeof bytes))
        return false;
    *ret = 0;
    for (size_t i = 0; i < sizeof bytes; i++)
        *ret = *ret << 8 | bytes[i];
    return true;
}

enum field {
    CHAIN_ID,
    NONCE,
    MAX_PRIORITY_FEE,
    MAX_FEE,
    GAS_LIMIT,
    TO,
    VALUE,
    DATA,
    ACCESS_LIST,
    Y_PARITY,
    R,
    S,
    FIELDS,
};

static bool read_fields(const uint8_t *raw, size_t raw_bytes, struct item ret[FIELDS])
{
    struct item whole;
    const uint8_t *end = raw + raw_bytes;
    if (raw_bytes < 2 || raw[0] != TYPE_EIP1559 || !read_item(raw + 1, end, &whole) || !whole.is_list)
        return false;
    const uint8_t *at = whole.payload;
    if (at + whole.payload_bytes != end)
        return false;
    for (size_t i = 0; i < FIELDS; i++) {
        if (!read_item(at, end, &ret[i]))
            return false;
        at = ret[i].payload + ret[i].payload_bytes;
    }
    return at == end;
}

/* What was signed: the same list without the signature. */
static void signing_hash(const struct item fields[FIELDS], struct bursar_hash *ret)
{
    const uint8_t *start = fields[CHAIN_ID].start;
    size_t length = (size_t)(fields[Y_PARITY].start - start), header = 0;
    uint8_t *bytes = sim_allocate(length + 6, 1);
    bytes[header++] = TYPE_EIP1559;
    if (length <= 55) {
        bytes[header++] = (uint8_t)(0xc0 + length);
    } else {
        unsigned count = length > 0xffff ? 3 : length > 0xff ? 2 : 1;
        bytes[header++] = (uint8_t)(0xf7 + count);
        while (count-- > 0)
            bytes[header++] = (uint8_t)(length >> (8 * count));
    }
    memcpy(bytes + header, start, length);
    keccak256(bytes, header + length, ret);
    free(bytes);
}

static bool recover(const struct sim_chain *chain, const struct item fields[FIELDS], struct sim_transaction *ret)
{
    uint8_t compact[64], public_key[65];
    uint64_t parity;
    size_t length = sizeof public_key;
    struct bursar_hash hash;
    secp256k1_ecdsa_recoverable_signature recoverable;
    secp256k1_ecdsa_signature plain;
    secp256k1_pubkey key;
    if (!read_u64(&fields[Y_PARITY], &parity) || parity > 1 || !read_integer(&fields[R], compact, 32) ||
        !read_integer(&fields[S], compact + 32, 32) ||
        !secp256k1_ecdsa_recoverable_signature_parse_compact(chain->curve, &recoverable, compact, (int)parity))
        return false;
    /* EIP-2: of the two signatures that hold, only the one with the lower s. */
    (void)secp256k1_ecdsa_recoverable_signature_convert(chain->curve, &plain, &recoverable);
    signing_hash(fields, &hash);
    if (secp256k1_ecdsa_signature_normalize(chain->curve, NULL, &plain) ||
        !secp256k1_ecdsa_recover(chain->curve, &key, &recoverable, hash.bytes))
        return false;
    (void)secp256k1_ec_pubkey_serialize(chain->curve, public_key, &length, &key, SECP256K1_EC_UNCOMPRESSED);
    address_from_public_key(public_key + 1, &ret->from);
    memcpy(ret->r, compact, sizeof ret->r);
    memcpy(ret->s, compact + 32, sizeof ret->s);
    ret->y_parity = (uint8_t)parity;
    return true;
}

static bool read_numbers(const struct item fields[FIELDS], struct sim_transaction *ret)
{
    uint8_t value[BURSAR_AMOUNT_BE_BYTES];
    const struct item *to = &fields[TO], *data = &fields[DATA], *access_list = &fields[ACCESS_LIST];
    if (!read_u64(&fields[NONCE], &ret->nonce) ||
        !read_u64(&fields[MAX_PRIORITY_FEE], &ret->max_priority_fee_per_gas_wei) ||
        !read_u64(&fields[MAX_FEE], &ret->max_fee_per_gas_wei) || !read_u64(&fields[GAS_LIMIT], &ret->gas_limit) ||
        !read_integer(&fields[VALUE], value, sizeof value))
        return false;
    ret->value = bursar_amount_from_be(value);
    ret->creates_contract = to->payload_bytes == 0;
    if (to->is_list || (!ret->creates_contract && to->payload_bytes != BURSAR_ADDRESS_BYTES))
        return false;
    if (!ret->creates_contract)
        memcpy(ret->to.bytes, to->payload, BURSAR_ADDRESS_BYTES);
    return !data->is_list && data->payload_bytes <= DATA_MAX_BYTES && access_list->is_list &&
           access_list->payload_bytes == 0 && ret->nonce < UINT64_MAX &&
           ret->max_priority_fee_per_gas_wei <= ret->max_fee_per_gas_wei;
}

enum sim_pool_verdict sim_decode(const struct sim_chain *chain, const uint8_t *raw, size_t raw_bytes,
                                 struct sim_transaction *ret)
{
    struct item fields[FIELDS];
    struct sim_transaction tx = { .canonical = SIM_NONE, .inclusions = SIM_NONE };
    uint64_t chain_id;
    if (!read_fields(raw, raw_bytes, fields) || !read_u64(&fields[CHAIN_ID], &chain_id) || !read_numbers(fields, &tx))
        return SIM_POOL_MALFORMED;
    if (chain_id != chain->settings.chain_id)
        return SIM_POOL_WRONG_CHAIN;
    if (!recover(chain, fields, &tx))
        return SIM_POOL_BAD_SIGNATURE;
    keccak256(fields[DATA].payload, fields[DATA].payload_bytes, &tx.data_hash);
    tx.data_bytes = fields[DATA].payload_bytes;
    if (tx.data_bytes > 0) {
        tx.data = sim_allocate(tx.data_bytes, 1);
        memcpy(tx.data, fields[DATA].payload, tx.data_bytes);
    }
    *ret = tx;
    return SIM_POOL_ADDED;
}

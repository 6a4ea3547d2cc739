/* Prints random transactions of our own making, one JSON object a line, for `make_transactions.mjs --check` to verify.
 * The same seed gives the same lines. The keys are random too: nothing here is worth stealing. */
#include "base/cleanup.h"
#include "eth/address.h"
#include "eth/transaction.h"
#include "signer/private_key.h"

#include <inttypes.h>
#include <string.h>

#define DATA_MAX_BYTES 700

struct random {
    uint64_t state;
};

/* SplitMix64 */
static uint64_t next(struct random *random)
{
    uint64_t z = random->state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* Of every bit length with the same likelihood: small numbers and edges matter most. */
static uint64_t number(struct random *random)
{
    unsigned bits = (unsigned)(next(random) % 65);
    return bits == 0 ? 0 : next(random) >> (64 - bits);
}

static void fill(struct random *random, uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        bytes[i] = (uint8_t)next(random);
}

static struct bursar_amount amount(struct random *random)
{
    uint8_t bytes[BURSAR_AMOUNT_BE_BYTES] = { 0 };
    size_t length = (size_t)(next(random) % (sizeof bytes + 1));
    fill(random, bytes + sizeof bytes - length, length);
    return bursar_amount_from_be(bytes);
}

static void random_fields(struct random *random, struct eth_transaction *tx, uint8_t data[DATA_MAX_BYTES])
{
    *tx = (struct eth_transaction){
        .chain_id = 1 + (number(random) >> 11), /* the checker takes 53 bits */
        .nonce = number(random),
        .max_fee_per_gas_wei = number(random),
        .max_priority_fee_per_gas_wei = number(random),
        .gas_limit = number(random),
        .value_wei = amount(random),
        .data = data,
        .data_bytes = (size_t)(number(random) % (DATA_MAX_BYTES + 1)),
    };
    if (tx->nonce == UINT64_MAX)
        tx->nonce--;
    if (tx->max_priority_fee_per_gas_wei > tx->max_fee_per_gas_wei)
        tx->max_priority_fee_per_gas_wei = tx->max_fee_per_gas_wei;
    fill(random, tx->to.bytes, sizeof tx->to.bytes);
    fill(random, data, tx->data_bytes);
}

static enum bursar_status sign(const struct private_key *key, const struct eth_transaction *tx, struct buf *raw,
                               struct bursar_hash *ret_hash, struct bursar_error *err)
{
    struct bursar_hash signing_hash;
    struct eth_signature signature;
    enum bursar_status status = eth_transaction_signing_hash(tx, &signing_hash, err);
    if (status == BURSAR_OK)
        status = private_key_sign(key, &signing_hash, &signature, err);
    if (status == BURSAR_OK)
        status = eth_transaction_encode(tx, &signature, raw, ret_hash, err);
    return status;
}

static void print_hex(const char *name, const void *bytes, size_t length)
{
    printf("\"%s\":\"0x", name);
    for (size_t i = 0; i < length; i++)
        printf("%02x", ((const uint8_t *)bytes)[i]);
    printf("\",");
}

static void print_line(const struct private_key *key, const struct eth_transaction *tx, const struct buf *raw,
                       const struct bursar_hash *hash)
{
    struct bursar_address sender;
    char value[BURSAR_AMOUNT_TEXT_BYTES];
    private_key_address(key, &sender);
    bursar_amount_to_text(tx->value_wei, value);
    printf("{");
    print_hex("sender", sender.bytes, sizeof sender.bytes);
    print_hex("to", tx->to.bytes, sizeof tx->to.bytes);
    print_hex("data", tx->data, tx->data_bytes);
    print_hex("raw", raw->data, raw->length_bytes);
    print_hex("hash", hash->bytes, sizeof hash->bytes);
    printf("\"chain_id\":\"%" PRIu64 "\",\"nonce\":\"%" PRIu64 "\",\"max_priority_fee_per_gas\":\"%" PRIu64
           "\",\"max_fee_per_gas\":\"%" PRIu64 "\",\"gas_limit\":\"%" PRIu64 "\",\"value\":\"%s\"}\n",
           tx->chain_id, tx->nonce, tx->max_priority_fee_per_gas_wei, tx->max_fee_per_gas_wei, tx->gas_limit, value);
}

static enum bursar_status emit(struct random *random, struct bursar_error *err)
{
    uint8_t secret[32], data[DATA_MAX_BYTES];
    struct private_key *key;
    struct eth_transaction tx;
    struct bursar_hash hash;
    cleanup(buf_free) struct buf raw = { 0 };
    fill(random, secret, sizeof secret);
    enum bursar_status status = private_key_new(secret, &key, err);
    if (status != BURSAR_OK)
        return status;
    random_fields(random, &tx, data);
    status = sign(key, &tx, &raw, &hash, err);
    if (status == BURSAR_OK)
        print_line(key, &tx, &raw, &hash);
    private_key_free(key);
    return status;
}

int main(int argc, char **argv)
{
    struct bursar_error err = { 0 };
    struct random random;
    uint64_t count;
    if (argc != 3 || !u64_from_text(argv[1], strlen(argv[1]), 0, UINT64_MAX, &random.state) ||
        !u64_from_text(argv[2], strlen(argv[2]), 1, 1000000, &count)) {
        (void)fprintf(stderr, "usage: emit_transactions SEED COUNT\n");
        return 2;
    }
    for (uint64_t i = 0; i < count; i++) {
        if (emit(&random, &err) != BURSAR_OK) {
            (void)fprintf(stderr, "transaction %" PRIu64 ": %s\n", i + 1, err.message);
            return 1;
        }
    }
    return fflush(stdout) == 0 ? 0 : 1;
}

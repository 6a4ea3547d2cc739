/* Signed transactions against those of another implementation: from the private key to the last byte. */
#include "base/cleanup.h"
#include "scratch.h"

#include <jansson.h>

static uint64_t number(const json_t *vector, const char *name)
{
    const char *text = json_string_value(json_object_get(vector, name));
    uint64_t value;
    assert_non_null(text);
    assert_true(u64_from_text(text, strlen(text), 0, UINT64_MAX, &value));
    return value;
}

/* The bytes behind "0x"; the caller frees. */
static uint8_t *bytes(const json_t *vector, const char *name, size_t *ret_length)
{
    const char *text = json_string_value(json_object_get(vector, name));
    assert_non_null(text);
    size_t length = (strlen(text) - 2) / 2;
    uint8_t *decoded = malloc(length + 1);
    assert_true(decoded && hex_decode(text + 2, 2 * length, decoded, length));
    *ret_length = length;
    return decoded;
}

static void fixed_bytes(const json_t *vector, const char *name, uint8_t *ret, size_t length)
{
    size_t got;
    uint8_t *decoded = bytes(vector, name, &got);
    assert_int_equal(got, length);
    memcpy(ret, decoded, length);
    free(decoded);
}

/* `data` is the caller's to free. */
static struct eth_transaction transaction(const json_t *vector, uint8_t **ret_data)
{
    struct eth_transaction tx = {
        .chain_id = number(vector, "chain_id"),
        .nonce = number(vector, "nonce"),
        .max_priority_fee_per_gas_wei = number(vector, "max_priority_fee_per_gas"),
        .max_fee_per_gas_wei = number(vector, "max_fee_per_gas"),
        .gas_limit = number(vector, "gas_limit"),
    };
    const char *value = json_string_value(json_object_get(vector, "value"));
    assert_true(value && bursar_amount_from_text(value, strlen(value), &tx.value_wei));
    fixed_bytes(vector, "to", tx.to.bytes, sizeof tx.to.bytes);
    *ret_data = bytes(vector, "data", &tx.data_bytes);
    tx.data = *ret_data;
    return tx;
}

static void assert_hash(const json_t *vector, const char *name, const struct bursar_hash *hash)
{
    struct bursar_hash expected;
    fixed_bytes(vector, name, expected.bytes, sizeof expected.bytes);
    assert_memory_equal(hash->bytes, expected.bytes, sizeof expected.bytes);
}

static void assert_raw(const json_t *vector, const struct buf *raw)
{
    size_t length;
    uint8_t *expected = bytes(vector, "raw", &length);
    assert_int_equal(raw->length_bytes, length);
    assert_memory_equal(raw->data, expected, length);
    free(expected);
}

static void assert_signed_the_same(const json_t *vector)
{
    uint8_t secret[32], *data;
    struct private_key *key;
    struct bursar_hash signing_hash, hash;
    struct eth_signature signature;
    struct bursar_address sender, expected_sender;
    cleanup(buf_free) struct buf raw = { 0 };
    struct eth_transaction tx = transaction(vector, &data);
    fixed_bytes(vector, "private_key", secret, sizeof secret);
    fixed_bytes(vector, "sender", expected_sender.bytes, sizeof expected_sender.bytes);
    assert_int_equal(private_key_new(secret, &key, NULL), BURSAR_OK);
    private_key_address(key, &sender);
    assert_true(address_equal(&sender, &expected_sender));

    assert_int_equal(eth_transaction_signing_hash(&tx, &signing_hash, NULL), BURSAR_OK);
    assert_hash(vector, "signing_hash", &signing_hash);
    assert_int_equal(private_key_sign(key, &signing_hash, &signature, NULL), BURSAR_OK);
    assert_int_equal(eth_transaction_encode(&tx, &signature, &raw, &hash, NULL), BURSAR_OK);
    assert_raw(vector, &raw);
    assert_hash(vector, "hash", &hash);
    private_key_free(key);
    free(data);
}

static void assert_decoded_the_same(const json_t *vector)
{
    size_t length;
    uint8_t *data, *raw = bytes(vector, "raw", &length);
    struct eth_transaction expected = transaction(vector, &data), tx;
    struct eth_signature signature;
    assert_int_equal(eth_transaction_decode(raw, length, &tx, &signature, NULL), BURSAR_OK);
    assert_true(tx.chain_id == expected.chain_id && tx.nonce == expected.nonce && tx.gas_limit == expected.gas_limit);
    assert_true(tx.max_fee_per_gas_wei == expected.max_fee_per_gas_wei);
    assert_true(tx.max_priority_fee_per_gas_wei == expected.max_priority_fee_per_gas_wei);
    assert_true(address_equal(&tx.to, &expected.to));
    assert_int_equal(bursar_amount_compare(tx.value_wei, expected.value_wei), 0);
    assert_int_equal(tx.data_bytes, expected.data_bytes);
    assert_memory_equal(tx.data, expected.data, expected.data_bytes);
    free(raw);
    free(data);
}

static int load(void **state)
{
    *state = json_load_file(FIXTURES "/transactions.json", 0, NULL);
    return json_array_size(*state) >= 60 ? 0 : -1;
}

static int unload(void **state)
{
    json_decref(*state);
    return 0;
}

static void every_transaction_is_signed_to_the_same_bytes_as_elsewhere(void **state)
{
    for (size_t i = 0; i < json_array_size(*state); i++)
        assert_signed_the_same(json_array_get(*state, i));
}

static void every_transaction_signed_elsewhere_is_decoded_to_its_fields(void **state)
{
    for (size_t i = 0; i < json_array_size(*state); i++)
        assert_decoded_the_same(json_array_get(*state, i));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_transaction_is_signed_to_the_same_bytes_as_elsewhere),
        cmocka_unit_test(every_transaction_signed_elsewhere_is_decoded_to_its_fields),
    };
    return cmocka_run_group_tests(tests, load, unload);
}

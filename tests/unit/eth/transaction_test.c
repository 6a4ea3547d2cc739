/* EIP-1559 transactions: decode is the inverse of encode, and takes nothing that encode would not have written. (That
 * the bytes are right is shown by the vectors of another implementation, in the signer's tests.) */
#include "eth/transaction.h"

#include "base/cleanup.h"
#include "eth/rlp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const uint8_t some_data[] = "pay to the bearer";

static struct eth_transaction plain(void)
{
    return (struct eth_transaction){
        .chain_id = 31337,
        .nonce = 7,
        .max_priority_fee_per_gas_wei = 2000000000,
        .max_fee_per_gas_wei = 200000000000,
        .gas_limit = 21000,
        .to = { { 0x70, 0x99, 0x79, 0x70 } },
        .value_wei = { { 5, 0, 0, 1 } },
        .data = some_data,
        .data_bytes = sizeof some_data,
    };
}

static struct eth_signature signature(void)
{
    struct eth_signature made = { .y_parity = 1 };
    memset(made.r, 0x11, sizeof made.r);
    memset(made.s, 0x22, sizeof made.s);
    return made;
}

static void encode(const struct eth_transaction *tx, const struct eth_signature *made, struct buf *out)
{
    struct bursar_hash hash;
    struct bursar_error err = { 0 };
    assert_int_equal(eth_transaction_encode(tx, made, out, &hash, &err), BURSAR_OK);
}

static enum bursar_status decode_buf(const struct buf *raw, struct eth_transaction *tx, struct eth_signature *made)
{
    return eth_transaction_decode((const uint8_t *)raw->data, raw->length_bytes, tx, made, NULL);
}

static void assert_same(const struct eth_transaction *a, const struct eth_transaction *b)
{
    assert_true(a->chain_id == b->chain_id && a->nonce == b->nonce && a->gas_limit == b->gas_limit);
    assert_true(a->max_priority_fee_per_gas_wei == b->max_priority_fee_per_gas_wei);
    assert_true(a->max_fee_per_gas_wei == b->max_fee_per_gas_wei);
    assert_true(address_equal(&a->to, &b->to));
    assert_int_equal(bursar_amount_compare(a->value_wei, b->value_wei), 0);
    assert_int_equal(a->data_bytes, b->data_bytes);
    if (a->data_bytes)
        assert_memory_equal(a->data, b->data, a->data_bytes);
}

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void decoding_gives_back_what_was_encoded(void **state)
{
    (void)state;
    static uint8_t data[1200];
    uint64_t random = 88172645463325252u;
    for (int round = 0; round < 2000; round++) {
        struct eth_transaction tx = plain(), decoded;
        struct eth_signature made = signature(), read;
        cleanup(buf_free) struct buf raw = { 0 };
        tx.nonce = next_random(&random) >> (next_random(&random) % 63 + 1);
        tx.gas_limit = next_random(&random) >> next_random(&random) % 64;
        tx.chain_id = next_random(&random) >> next_random(&random) % 64;
        tx.value_wei.limb[next_random(&random) % 4] = next_random(&random);
        tx.data = data;
        tx.data_bytes = (size_t)(next_random(&random) % sizeof data);
        for (size_t i = 0; i < tx.data_bytes; i++)
            data[i] = (uint8_t)next_random(&random);
        made.r[0] = made.s[0] = 0;
        made.r[1] = (uint8_t)(next_random(&random) & 1);
        made.y_parity = (uint8_t)(next_random(&random) & 1);
        encode(&tx, &made, &raw);
        assert_int_equal(decode_buf(&raw, &decoded, &read), BURSAR_OK);
        assert_same(&tx, &decoded);
        assert_memory_equal(&made, &read, sizeof made);
    }
}

static void no_part_of_a_transaction_decodes(void **state)
{
    (void)state;
    struct eth_transaction tx = plain(), decoded;
    struct eth_signature made = signature(), read;
    cleanup(buf_free) struct buf raw = { 0 };
    encode(&tx, &made, &raw);
    for (size_t length = 0; length < raw.length_bytes; length++) {
        uint8_t *part = malloc(length + 1); /* of its own size, so that a sanitizer sees an overrun */
        assert_non_null(part);
        memcpy(part, raw.data, length);
        assert_int_equal(eth_transaction_decode(part, length, &decoded, &read, NULL), BURSAR_EINVAL);
        free(part);
    }
}

static void a_byte_behind_the_end_is_refused(void **state)
{
    (void)state;
    struct eth_transaction tx = plain(), decoded;
    struct eth_signature made = signature(), read;
    cleanup(buf_free) struct buf raw = { 0 };
    encode(&tx, &made, &raw);
    assert_true(buf_append(&raw, "\0", 1));
    assert_int_equal(decode_buf(&raw, &decoded, &read), BURSAR_EINVAL);
}

static void a_changed_byte_never_decodes_to_the_same_transaction(void **state)
{
    (void)state;
    struct eth_transaction tx = plain();
    struct eth_signature made = signature();
    cleanup(buf_free) struct buf raw = { 0 };
    encode(&tx, &made, &raw);
    for (size_t at = 0; at < raw.length_bytes; at++) {
        for (int flip = 1; flip < 256; flip++) {
            struct eth_transaction decoded;
            struct eth_signature read;
            raw.data[at] = (char)(raw.data[at] ^ flip);
            if (decode_buf(&raw, &decoded, &read) == BURSAR_OK) { /* then it is the one encoding of something else */
                cleanup(buf_free) struct buf again = { 0 };
                encode(&decoded, &read, &again);
                assert_int_equal(again.length_bytes, raw.length_bytes);
                assert_memory_equal(again.data, raw.data, raw.length_bytes);
            }
            raw.data[at] = (char)(raw.data[at] ^ flip);
        }
    }
}

/* A transaction put together by hand from its parts, so that each can be wrong. */
struct parts {
    const char *chain_id, *nonce, *priority, *fee, *gas, *to, *value, *data, *access_list, *parity, *r, *s, *more;
};

#define TO                                                                                                             \
    "94"                                                                                                               \
    "7070707070707070707070707070707070707070"
#define R                                                                                                              \
    "a0"                                                                                                               \
    "1111111111111111111111111111111111111111111111111111111111111111"
#define S                                                                                                              \
    "a0"                                                                                                               \
    "2222222222222222222222222222222222222222222222222222222222222222"

static const struct parts good = { "827a69", "07", "01", "02", "825208", TO, "05", "80", "c0", "01", R, S, "" };

static enum bursar_status decode_parts(struct parts parts)
{
    const char *fields[] = { parts.chain_id, parts.nonce, parts.priority, parts.fee,         parts.gas,
                             parts.to,       parts.value, parts.data,     parts.access_list, parts.parity,
                             parts.r,        parts.s,     parts.more };
    cleanup(buf_free) struct buf payload = { 0 }, raw = { 0 };
    struct eth_transaction tx;
    struct eth_signature made;
    for (size_t i = 0; i < COUNT_OF(fields); i++) {
        uint8_t bytes[64];
        size_t length = strlen(fields[i]) / 2;
        assert_true(hex_decode(fields[i], 2 * length, bytes, length) && buf_append(&payload, bytes, length));
    }
    assert_true(buf_append(&raw, "\x02", 1) && rlp_append_list_header(&raw, payload.length_bytes) &&
                buf_append(&raw, payload.data, payload.length_bytes));
    return decode_buf(&raw, &tx, &made);
}

#define ASSERT_REFUSED(field, hex)                                                                                     \
    do {                                                                                                               \
        struct parts parts = good;                                                                                     \
        parts.field = hex;                                                                                             \
        assert_int_equal(decode_parts(parts), BURSAR_EINVAL);                                                          \
    } while (0)

static void each_malformed_field_is_refused(void **state)
{
    (void)state;
    assert_int_equal(decode_parts(good), BURSAR_OK);
    ASSERT_REFUSED(chain_id, "83007a69");          /* leading zero */
    ASSERT_REFUSED(nonce, "00");                   /* zero is the empty string */
    ASSERT_REFUSED(nonce, "8107");                 /* header that is not needed */
    ASSERT_REFUSED(nonce, "c0");                   /* a list */
    ASSERT_REFUSED(nonce, "88ffffffffffffffff");   /* EIP-2681 */
    ASSERT_REFUSED(nonce, "89010000000000000000"); /* 65 bits */
    ASSERT_REFUSED(priority, "03");                /* above the maximum fee */
    ASSERT_REFUSED(to, "80");                      /* would create a contract */
    ASSERT_REFUSED(to, "93"
                       "70707070707070707070707070707070707070");
    ASSERT_REFUSED(value, "00");
    ASSERT_REFUSED(value, "a1"
                          "010000000000000000000000000000000000000000000000000000000000000000");
    ASSERT_REFUSED(data, "c0");
    ASSERT_REFUSED(access_list, "c1c0");
    ASSERT_REFUSED(access_list, "80");
    ASSERT_REFUSED(more, "80"); /* a 13th field */
    ASSERT_REFUSED(s, "");      /* one field too few */
}

static void a_signature_out_of_range_is_refused(void **state)
{
    (void)state;
    struct parts largest = good;
    ASSERT_REFUSED(parity, "02");
    ASSERT_REFUSED(parity, "1b");
    ASSERT_REFUSED(r, "80");
    ASSERT_REFUSED(s, "80");
    ASSERT_REFUSED(r, "a0"
                      "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141");
    ASSERT_REFUSED(s, "a0"
                      "7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a1");
    largest.r = "a0"
                "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364140";
    largest.s = "a0"
                "7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0";
    assert_int_equal(decode_parts(largest), BURSAR_OK);
}

static void other_transaction_types_are_refused(void **state)
{
    (void)state;
    struct eth_transaction tx;
    struct eth_signature made;
    const uint8_t legacy[] = { 0xf8, 0x01 }, access_list[] = { 0x01, 0xc0 };
    assert_int_equal(eth_transaction_decode(legacy, sizeof legacy, &tx, &made, NULL), BURSAR_EINVAL);
    assert_int_equal(eth_transaction_decode(access_list, sizeof access_list, &tx, &made, NULL), BURSAR_EINVAL);
}

static void what_could_never_be_mined_is_not_encoded(void **state)
{
    (void)state;
    struct bursar_hash hash;
    struct bursar_error err = { 0 };
    struct eth_signature made = signature();
    cleanup(buf_free) struct buf out = { 0 };

    struct eth_transaction tx = plain();
    tx.max_priority_fee_per_gas_wei = tx.max_fee_per_gas_wei + 1;
    assert_int_equal(eth_transaction_signing_hash(&tx, &hash, &err), BURSAR_EINVAL);
    assert_int_equal(eth_transaction_encode(&tx, &made, &out, &hash, &err), BURSAR_EINVAL);
    tx = plain();
    tx.nonce = UINT64_MAX;
    assert_int_equal(eth_transaction_signing_hash(&tx, &hash, &err), BURSAR_EINVAL);
    tx = plain();
    tx.data_bytes = ETH_DATA_MAX_BYTES + 1;
    assert_int_equal(eth_transaction_signing_hash(&tx, &hash, &err), BURSAR_ELIMIT);
    tx = plain();
    made.s[0] = 0x80;
    assert_int_equal(eth_transaction_encode(&tx, &made, &out, &hash, &err), BURSAR_EINVAL);
    assert_int_equal(out.length_bytes, 0);
}

static void the_longest_data_is_encoded_and_decoded(void **state)
{
    (void)state;
    uint8_t *data = calloc(1, ETH_DATA_MAX_BYTES);
    assert_non_null(data);
    struct eth_transaction tx = plain(), decoded;
    struct eth_signature made = signature(), read;
    cleanup(buf_free) struct buf raw = { 0 };
    tx.data = data;
    tx.data_bytes = ETH_DATA_MAX_BYTES;
    encode(&tx, &made, &raw);
    assert_int_equal(decode_buf(&raw, &decoded, &read), BURSAR_OK);
    assert_same(&tx, &decoded);
    free(data);
}

static void a_buffer_without_room_stays_as_it_was(void **state)
{
    (void)state;
    struct eth_transaction tx = plain();
    struct eth_signature made = signature();
    struct bursar_hash hash;
    cleanup(buf_free) struct buf out = { .limit_bytes = 60 };
    assert_true(buf_append_text(&out, "before"));
    assert_int_equal(eth_transaction_encode(&tx, &made, &out, &hash, NULL), BURSAR_ENOMEM);
    assert_string_equal(out.data, "before");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decoding_gives_back_what_was_encoded),
        cmocka_unit_test(no_part_of_a_transaction_decodes),
        cmocka_unit_test(a_byte_behind_the_end_is_refused),
        cmocka_unit_test(a_changed_byte_never_decodes_to_the_same_transaction),
        cmocka_unit_test(each_malformed_field_is_refused),
        cmocka_unit_test(a_signature_out_of_range_is_refused),
        cmocka_unit_test(other_transaction_types_are_refused),
        cmocka_unit_test(what_could_never_be_mined_is_not_encoded),
        cmocka_unit_test(the_longest_data_is_encoded_and_decoded),
        cmocka_unit_test(a_buffer_without_room_stays_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

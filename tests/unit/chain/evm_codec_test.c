/* Ethereum JSON-RPC values: what is taken, and all that is not. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/bytes.h"
#include "chain/evm_codec.h"

#define X4(c) c c c c
#define X64(c) X4(X4(X4(c)))
#define HASH(c) "\"0x" X64(c) "\""
#define ONES HASH("1")
#define TWOS HASH("2")

static json_t *parse(const char *text)
{
    json_t *value = json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    assert_non_null(value);
    return value;
}

static bool reads_number(const char *text, uint64_t *ret)
{
    json_t *value = parse(text);
    bool ok = evm_read_number(value, ret);
    json_decref(value);
    return ok;
}

static struct bursar_hash ones(void)
{
    struct bursar_hash hash;
    memset(hash.bytes, 0x11, sizeof hash.bytes);
    return hash;
}

static void numbers_are_read_up_to_63_bits(void **state)
{
    (void)state;
    uint64_t number = 7;
    assert_true(reads_number("\"0x0\"", &number));
    assert_int_equal(number, 0);
    assert_true(reads_number("\"0x7fffffffffffffff\"", &number));
    assert_true(number == (uint64_t)INT64_MAX);
    assert_true(reads_number("\"0x000000000000000000000000000000aB\"", &number));
    assert_int_equal(number, 0xab);
}

static void what_is_no_number_leaves_the_output_alone(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "\"0x\"",
        "\"\"",
        "\"0\"",
        "\"12\"",
        "\"0X1\"",
        "\"0x1g\"",
        "\"0x-1\"",
        "\" 0x1\"",
        "\"0x1 \"",
        "\"0x1.0\"",
        "\"0x1\\u0000\"",
        "\"0x8000000000000000\"",
        "12",
        "1.5",
        "null",
        "true",
        "[]",
        "{}",
        "\"-0x1\"",
        "\"0x+1\"",
        "\"0x 1\"",
        "\"0x0x1\"",
        "\"0x10000000000000000000000000000000000000000000000000000000000000001\"",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        uint64_t number = 7;
        if (reads_number(texts[i], &number))
            fail_msg("%s was read as a number", texts[i]);
        assert_int_equal(number, 7);
    }
    uint64_t number = 7;
    assert_false(evm_read_number(NULL, &number));
}

static void amounts_are_read_up_to_256_bits(void **state)
{
    (void)state;
    struct bursar_amount amount;
    char text[BURSAR_AMOUNT_TEXT_BYTES];
    json_t *value = parse(HASH("f"));
    assert_true(evm_read_amount(value, &amount));
    bursar_amount_to_text(amount, text);
    assert_string_equal(text, "115792089237316195423570985008687907853269984665640564039457584007913129639935");
    json_decref(value);
    value = parse("\"0x10000000000000000000000000000000000000000000000000000000000000000\"");
    assert_false(evm_read_amount(value, &amount));
    json_decref(value);
}

static void a_hash_has_exactly_64_digits(void **state)
{
    (void)state;
    struct bursar_hash hash;
    static const char *const bad[] = {
        "\"0x1111\"",
        "null",
        "7",
        "\"1111111111111111111111111111111111111111111111111111111111111111\"",
        "\"0x11111111111111111111111111111111111111111111111111111111111111111\"",
        "\"0x111111111111111111111111111111111111111111111111111111111111111\\u0000\"",
        "\"0x111111111111111111111111111111111111111111111111111111111111111z\"",
    };
    json_t *value = parse(ONES);
    assert_true(evm_read_hash(value, &hash));
    struct bursar_hash want = ones();
    assert_true(hash_equal(&hash, &want));
    json_decref(value);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        value = parse(bad[i]);
        assert_false(evm_read_hash(value, &hash));
        json_decref(value);
    }
}

#define BLOCK_MEMBERS                                                                                                  \
    "\"number\":\"0x5\",\"hash\":" ONES ",\"parentHash\":" TWOS ",\"timestamp\":\"0x64\",\"baseFeePerGas\":\"0x7\""

static enum bursar_status read_block_text(const char *text, struct chain_block *ret, struct bursar_error *err)
{
    json_t *value = parse(text);
    enum bursar_status status = evm_read_block(value, 5, ret, err);
    json_decref(value);
    return status;
}

static void a_block_is_read_with_its_transaction_hashes(void **state)
{
    (void)state;
    struct chain_block block = { 0 };
    struct bursar_error err = { 0 };
    struct bursar_hash want = ones();
    assert_int_equal(read_block_text("{" BLOCK_MEMBERS ",\"transactions\":[" TWOS "," ONES "]}", &block, &err),
                     BURSAR_OK);
    assert_true(block.is_present);
    assert_int_equal(block.head.block.number, 5);
    assert_true(hash_equal(&block.head.block.hash, &want));
    assert_int_equal(block.head.parent_hash.bytes[31], 0x22);
    assert_int_equal(block.head.timestamp_s, 100);
    assert_int_equal(block.transaction_count, 2);
    assert_true(hash_equal(&block.transactions[1], &want));
    chain_blocks_clear(&block, 1);
}

static void a_missing_block_is_not_present(void **state)
{
    (void)state;
    struct chain_block block = { .is_present = true };
    struct bursar_error err = { 0 };
    assert_int_equal(read_block_text("null", &block, &err), BURSAR_OK);
    assert_false(block.is_present);
}

static void a_malformed_block_is_refused_and_says_where(void **state)
{
    (void)state;
    static const struct {
        const char *text, *words;
    } cases[] = {
        { "\"0x5\"", "no block" },
        { "[]", "no block" },
        { "false", "no block" },
        { "{}", "number" },
        { "{\"number\":5,\"hash\":" ONES "}", "number" },
        { "{\"number\":\"0x6\",\"hash\":" ONES ",\"parentHash\":" TWOS ",\"timestamp\":\"0x1\",\"transactions\":[]}",
          "block 6 when asked for block 5" },
        { "{\"number\":\"0x5\",\"hash\":null,\"parentHash\":" TWOS ",\"timestamp\":\"0x1\"}", "hash" },
        { "{\"number\":\"0x5\",\"hash\":" ONES ",\"parentHash\":\"0x12\",\"timestamp\":\"0x1\"}", "parentHash" },
        { "{\"number\":\"0x5\",\"hash\":" ONES ",\"parentHash\":" TWOS ",\"timestamp\":\"0xffffffffffffffff\"}",
          "timestamp" },
        { "{\"number\":\"0x5\",\"hash\":" ONES ",\"parentHash\":" TWOS
          ",\"timestamp\":\"0x1\",\"baseFeePerGas\":\"x\"}",
          "baseFeePerGas" },
        { "{" BLOCK_MEMBERS "}", "transactions" },
        { "{" BLOCK_MEMBERS ",\"transactions\":{}}", "transactions" },
        { "{" BLOCK_MEMBERS ",\"transactions\":[{\"hash\":" ONES "}]}", "transactions" },
        { "{" BLOCK_MEMBERS ",\"transactions\":[" ONES ",\"0x12\"]}", "transactions" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct chain_block block = { 0 };
        struct bursar_error err = { 0 };
        assert_int_equal(read_block_text(cases[i].text, &block, &err), BURSAR_EPROTOCOL);
        if (!strstr(err.message, cases[i].words))
            fail_msg("%s: \"%s\" does not say \"%s\"", cases[i].text, err.message, cases[i].words);
        assert_null(block.transactions);
        assert_false(block.is_present);
    }
}

static void a_block_without_base_fee_is_told_apart_from_one_of_zero(void **state)
{
    (void)state;
    struct evm_header header;
    struct bursar_error err = { 0 };
    json_t *value = parse("{" BLOCK_MEMBERS "}");
    assert_int_equal(json_object_set_new(value, "baseFeePerGas", json_string("0x0")), 0);
    assert_int_equal(evm_read_header(value, &header, &err), BURSAR_OK);
    assert_true(header.has_base_fee);
    assert_int_equal(json_object_set_new(value, "baseFeePerGas", json_null()), 0);
    assert_int_equal(evm_read_header(value, &header, &err), BURSAR_OK);
    assert_false(header.has_base_fee);
    assert_int_equal(json_object_del(value, "baseFeePerGas"), 0);
    assert_int_equal(evm_read_header(value, &header, &err), BURSAR_OK);
    assert_false(header.has_base_fee);
    json_decref(value);
}

/* A good object with one member replaced (NULL: taken away) is refused. */
typedef enum bursar_status (*reader)(const json_t *value, struct bursar_error *err);

static void expect_refused(const char *good, const char *member, const char *replacement, reader read)
{
    struct bursar_error err = { 0 };
    json_t *value = parse(good);
    assert_int_equal(read(value, &err), BURSAR_OK);
    if (replacement)
        assert_int_equal(json_object_set_new(value, member, parse(replacement)), 0);
    else
        assert_int_equal(json_object_del(value, member), 0);
    if (read(value, &err) != BURSAR_EPROTOCOL)
        fail_msg("%s with \"%s\" = %s was taken", good, member, replacement ? replacement : "(absent)");
    json_decref(value);
}

static const char receipt_text[] = "{\"transactionHash\":" ONES ",\"status\":\"0x1\",\"blockHash\":" TWOS
                                   ",\"blockNumber\":\"0x9\",\"gasUsed\":\"0x5208\",\"effectiveGasPrice\":\"0x3b\"}";

static enum bursar_status read_receipt(const json_t *value, struct bursar_error *err)
{
    struct chain_receipt receipt;
    struct bursar_hash asked = ones();
    return evm_read_receipt(value, &asked, &receipt, err);
}

static void a_receipt_is_read(void **state)
{
    (void)state;
    struct chain_receipt receipt;
    struct bursar_error err = { 0 };
    struct bursar_hash asked = ones();
    json_t *value = parse(receipt_text);
    assert_int_equal(evm_read_receipt(value, &asked, &receipt, &err), BURSAR_OK);
    assert_true(receipt.is_present);
    assert_true(receipt.succeeded);
    assert_int_equal(receipt.block.number, 9);
    assert_int_equal(receipt.block.hash.bytes[0], 0x22);
    assert_int_equal(receipt.gas_used, 21000);
    assert_int_equal(receipt.effective_gas_price_wei, 59);
    assert_int_equal(json_object_set_new(value, "status", json_string("0x0")), 0);
    assert_int_equal(evm_read_receipt(value, &asked, &receipt, &err), BURSAR_OK);
    assert_true(receipt.is_present);
    assert_false(receipt.succeeded);
    json_decref(value);
    assert_int_equal(evm_read_receipt(json_null(), &asked, &receipt, &err), BURSAR_OK);
    assert_false(receipt.is_present);
}

#define TRANSFER_TOPIC "\"0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef\""
#define PADDED(d) "\"0x000000000000000000000000" d d d d d d d d d d d d d d d d d d d d "\""
#define ADDRESS_OF(d) "\"0x" d d d d d d d d d d d d d d d d d d d d "\""
#define LOG(emitter, from, to, hex_amount)                                                                             \
    "{\"address\":" ADDRESS_OF(emitter) ",\"topics\":[" TRANSFER_TOPIC "," PADDED(from) "," PADDED(                    \
        to) "],\"data\":\"0x00000000000000000000000000000000000000000000000000000000000000" hex_amount "\"}"

static struct chain_receipt receipt_with(const char *logs, const char *status)
{
    struct chain_receipt receipt;
    struct bursar_error err = { 0 };
    struct bursar_hash asked = ones();
    json_t *value = parse(receipt_text);
    assert_int_equal(json_object_set_new(value, "status", json_string(status)), 0);
    assert_int_equal(json_object_set_new(value, "to", parse(ADDRESS_OF("70"))), 0);
    assert_int_equal(json_object_set_new(value, "from", parse(ADDRESS_OF("aa"))), 0);
    assert_int_equal(json_object_set_new(value, "logs", parse(logs)), 0);
    assert_int_equal(evm_read_receipt(value, &asked, &receipt, &err), BURSAR_OK);
    json_decref(value);
    return receipt;
}

static void what_the_called_token_moved_is_summed_per_recipient(void **state)
{
    (void)state;
    struct chain_receipt receipt =
        receipt_with("[" LOG("70", "aa", "01", "05") "," LOG("70", "aa", "02", "01") "," LOG(
                         "70", "aa", "01", "07") "," LOG("71", "aa", "01", "09") "," LOG("70", "ab", "01", "09") "]",
                     "0x1");
    assert_int_equal(receipt.transfer_count, 2); /* not another token's, nor out of another account */
    assert_int_equal(receipt.transfers[0].to.bytes[0], 1);
    assert_int_equal(receipt.transfers[0].amount.limb[0], 12);
    assert_int_equal(receipt.transfers[1].amount.limb[0], 1);
    assert_false(receipt.has_more_transfers);
    receipt = receipt_with("[" LOG("70", "aa", "01", "05") "]", "0x0");
    assert_int_equal(receipt.transfer_count, 0); /* reverted: nothing happened */
}

static void logs_beyond_the_room_there_is_are_told_of(void **state)
{
    (void)state;
    struct chain_receipt receipt = receipt_with(
        "[" LOG("70", "aa", "01", "05") "," LOG("70", "aa", "02", "01") "," LOG("70", "aa", "03", "07") "," LOG(
            "70", "aa", "04", "09") "," LOG("70", "aa", "05", "09") "," LOG("70", "aa", "04", "01") "]",
        "0x1");
    assert_int_equal(receipt.transfer_count, CHAIN_TRANSFERS_MAX_COUNT);
    assert_int_equal(receipt.transfers[3].amount.limb[0], 10);
    assert_true(receipt.has_more_transfers);
}

static struct bursar_amount other_fee_of(const char *fees)
{
    struct chain_receipt receipt;
    struct bursar_error err = { 0 };
    struct bursar_hash asked = ones();
    json_t *value = parse(receipt_text), *more = parse(fees);
    assert_int_equal(json_object_update(value, more), 0);
    assert_int_equal(evm_read_receipt(value, &asked, &receipt, &err), BURSAR_OK);
    json_decref(more);
    json_decref(value);
    return receipt.other_fee_wei;
}

static void assert_fee(const char *fees, const char *want)
{
    char text[BURSAR_AMOUNT_TEXT_BYTES];
    bursar_amount_to_text(other_fee_of(fees), text);
    assert_string_equal(text, want);
}

static void what_a_rollup_charges_beside_gas_is_read_from_the_receipt(void **state)
{
    (void)state;
    assert_fee("{}", "0");
    assert_fee("{\"l1Fee\":null,\"operatorFeeScalar\":null,\"operatorFeeConstant\":null}", "0");
    assert_fee("{\"l1Fee\":\"0x24a230b3e\",\"l1FeeScalar\":\"0.684\"}", "9833745214");
    assert_fee("{\"l1Fee\":\"0x1ffffffffffffffffffff\",\"status\":\"0x0\"}", "2417851639229258349412351");
    /* 21,000 gas: a millionth of the share per gas, and since daFootprintGasScalar a hundredfold */
    assert_fee("{\"l1Fee\":\"0x3\",\"operatorFeeScalar\":\"0x7d0\",\"operatorFeeConstant\":\"0x5\"}", "50");
    assert_fee("{\"l1Fee\":\"0x3\",\"operatorFeeScalar\":\"0x7d0\",\"operatorFeeConstant\":\"0x5\","
               "\"daFootprintGasScalar\":\"0x190\"}",
               "4200000008");
    assert_fee("{\"l1Fee\":\"0x3\",\"daFootprintGasScalar\":\"0x190\"}", "3");
    /* the largest that a chain can set */
    assert_fee("{\"operatorFeeScalar\":\"0xffffffff\",\"operatorFeeConstant\":\"0xffffffffffffffff\","
               "\"daFootprintGasScalar\":\"0x0\"}",
               "18455763505029051615");
}

static void a_fee_that_is_none_makes_a_receipt_malformed(void **state)
{
    (void)state;
    static const char *const members[] = { "l1Fee", "operatorFeeScalar", "operatorFeeConstant" };
    static const char *const lies[] = {
        "1",  "\"1\"", "\"0x\"",    "\"0xzz\"",
        "{}", "false", "\"0.684\"", "\"0x10000000000000000000000000000000000000000000000000000000000000000\"",
    };
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        for (size_t k = 0; k < sizeof lies / sizeof lies[0]; k++)
            expect_refused(receipt_text, members[i], lies[k], read_receipt);
    }
    expect_refused(receipt_text, "operatorFeeScalar", "\"0xffffffffffffffff\"", read_receipt);
}

static void a_malformed_receipt_or_one_of_another_transaction_is_refused(void **state)
{
    (void)state;
    struct bursar_error err = { 0 };
    static const char *const members[] = { "transactionHash", "status",  "blockHash",
                                           "blockNumber",     "gasUsed", "effectiveGasPrice" };
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        expect_refused(receipt_text, members[i], NULL, read_receipt);
        expect_refused(receipt_text, members[i], "null", read_receipt);
        expect_refused(receipt_text, members[i], "1", read_receipt);
        expect_refused(receipt_text, members[i], "\"0xffffffffffffffffffffffffffffffff\"", read_receipt);
    }
    expect_refused(receipt_text, "transactionHash", TWOS, read_receipt);
    expect_refused(receipt_text, "status", "\"0x2\"", read_receipt);
    assert_int_equal(read_receipt(json_true(), &err), BURSAR_EPROTOCOL);
}

static const char transaction_text[] =
    "{\"hash\":" ONES ",\"blockHash\":" TWOS ",\"blockNumber\":\"0x9\",\"nonce\":\"0x4\",\"value\":\"0x64\","
    "\"from\":\"0x00000000000000000000000000000000000000aa\",\"to\":\"0x00000000000000000000000000000000000000bB\","
    "\"input\":\"0x\"}";

static enum bursar_status read_transaction(const json_t *value, struct bursar_error *err)
{
    struct chain_transaction tx;
    struct bursar_hash asked = ones();
    return evm_read_transaction(value, &asked, &tx, err);
}

static void a_mined_transaction_is_read(void **state)
{
    (void)state;
    struct chain_transaction tx;
    struct bursar_error err = { 0 };
    struct bursar_hash asked = ones(), nothing;
    json_t *value = parse(transaction_text);
    assert_int_equal(evm_read_transaction(value, &asked, &tx, &err), BURSAR_OK);
    assert_true(tx.is_present && tx.is_mined && tx.has_to);
    assert_int_equal(tx.block.number, 9);
    assert_int_equal(tx.nonce, 4);
    assert_int_equal(tx.from.bytes[19], 0xaa);
    assert_int_equal(tx.to.bytes[19], 0xbb);
    assert_int_equal(bursar_amount_compare(tx.value, bursar_amount_from_u64(100)), 0);
    assert_true(hash_from_text("0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470", &nothing));
    assert_true(hash_equal(&tx.data_hash, &nothing));
    json_decref(value);
}

static void a_pooled_transaction_has_no_block_and_a_creation_no_destination(void **state)
{
    (void)state;
    struct chain_transaction tx;
    struct bursar_error err = { 0 };
    struct bursar_hash asked = ones();
    json_t *value = parse(transaction_text);
    assert_int_equal(json_object_set_new(value, "blockHash", json_null()), 0);
    assert_int_equal(json_object_set_new(value, "blockNumber", json_null()), 0);
    assert_int_equal(json_object_set_new(value, "to", json_null()), 0);
    assert_int_equal(evm_read_transaction(value, &asked, &tx, &err), BURSAR_OK);
    assert_true(tx.is_present);
    assert_false(tx.is_mined);
    assert_false(tx.has_to);
    json_decref(value);
    assert_int_equal(evm_read_transaction(json_null(), &asked, &tx, &err), BURSAR_OK);
    assert_false(tx.is_present);
}

static void a_malformed_or_other_transaction_is_refused(void **state)
{
    (void)state;
    static const char *const members[] = { "hash", "nonce", "value", "from", "input" };
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        expect_refused(transaction_text, members[i], NULL, read_transaction);
        expect_refused(transaction_text, members[i], "null", read_transaction);
        expect_refused(transaction_text, members[i], "7", read_transaction);
    }
    expect_refused(transaction_text, "hash", TWOS, read_transaction);
    expect_refused(transaction_text, "to", "\"0x12\"", read_transaction);
    expect_refused(transaction_text, "input", "\"0x123\"", read_transaction);
    expect_refused(transaction_text, "input", "\"0xzz\"", read_transaction);
    expect_refused(transaction_text, "blockHash", NULL, read_transaction);
    expect_refused(transaction_text, "blockNumber", "null", read_transaction);
}

static void parameters_are_written_as_nodes_want_them(void **state)
{
    (void)state;
    struct bursar_hash hash = ones();
    struct bursar_address address = { .bytes = { [19] = 0xab } };
    json_t *all = json_pack("[oooo]", evm_write_number(0), evm_write_number(0x1f), evm_write_address(&address),
                            evm_write_block_hash(&hash));
    char *text = json_dumps(all, JSON_COMPACT);
    assert_string_equal(text,
                        "[\"0x0\",\"0x1f\",\"0x00000000000000000000000000000000000000ab\",{\"blockHash\":" ONES "}]");
    free(text);
    json_decref(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_read_up_to_63_bits),
        cmocka_unit_test(what_is_no_number_leaves_the_output_alone),
        cmocka_unit_test(amounts_are_read_up_to_256_bits),
        cmocka_unit_test(a_hash_has_exactly_64_digits),
        cmocka_unit_test(a_block_is_read_with_its_transaction_hashes),
        cmocka_unit_test(a_missing_block_is_not_present),
        cmocka_unit_test(a_malformed_block_is_refused_and_says_where),
        cmocka_unit_test(a_block_without_base_fee_is_told_apart_from_one_of_zero),
        cmocka_unit_test(a_receipt_is_read),
        cmocka_unit_test(what_the_called_token_moved_is_summed_per_recipient),
        cmocka_unit_test(logs_beyond_the_room_there_is_are_told_of),
        cmocka_unit_test(what_a_rollup_charges_beside_gas_is_read_from_the_receipt),
        cmocka_unit_test(a_fee_that_is_none_makes_a_receipt_malformed),
        cmocka_unit_test(a_malformed_receipt_or_one_of_another_transaction_is_refused),
        cmocka_unit_test(a_mined_transaction_is_read),
        cmocka_unit_test(a_pooled_transaction_has_no_block_and_a_creation_no_destination),
        cmocka_unit_test(a_malformed_or_other_transaction_is_refused),
        cmocka_unit_test(parameters_are_written_as_nodes_want_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

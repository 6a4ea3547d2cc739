/* The EVM driver reading blocks and receipts. */
#include "evm_fixture.h"

static void blocks_come_with_their_hashes_and_gaps_where_there_are_none(void **state)
{
    struct fixture *f = *state;
    struct chain_block blocks[CHAIN_BLOCKS_MAX_COUNT];
    uint64_t numbers[CHAIN_BLOCKS_MAX_COUNT];
    for (size_t i = 0; i < CHAIN_BLOCKS_MAX_COUNT; i++)
        numbers[i] = i;
    script_result(&f->script, GET_BLOCK, "[\"0x8\",false]",
                  "{\"number\":\"0x8\",\"hash\":" HASH("e") ",\"parentHash\":" HASH("d") ",\"timestamp\":\"0x88\","
                                                                                         "\"transactions\":[" HASH(
                                                                                             "1") "," HASH("2") "]}");
    assert_int_equal(f->chain.blocks(f->chain.ctx, numbers, CHAIN_BLOCKS_MAX_COUNT, blocks, &f->err), BURSAR_OK);
    assert_true(blocks[6].is_present);
    assert_int_equal(blocks[6].transaction_count, 0);
    assert_false(blocks[7].is_present);
    assert_int_equal(blocks[8].transaction_count, 2);
    assert_true(hash_is(&blocks[8].transactions[1], 0x22));
    assert_false(blocks[63].is_present);
    chain_blocks_clear(blocks, CHAIN_BLOCKS_MAX_COUNT);
}

static void one_bad_block_spoils_all_and_leaks_none(void **state)
{
    struct fixture *f = *state;
    struct chain_block blocks[2];
    const uint64_t numbers[] = { 8, 6 };
    script_result(
        &f->script, GET_BLOCK, "[\"0x8\",false]",
        "{\"number\":\"0x8\",\"hash\":" HASH("e") ",\"parentHash\":" HASH("d") ",\"timestamp\":\"0x88\","
                                                                               "\"transactions\":[" HASH("1") "]}");
    script_result(&f->script, GET_BLOCK, "[\"0x6\",false]", EIGHT);
    assert_int_equal(f->chain.blocks(f->chain.ctx, numbers, 2, blocks, &f->err), BURSAR_EPROTOCOL);
    assert_null(blocks[0].transactions);
    assert_int_equal(f->chain.blocks(f->chain.ctx, numbers, CHAIN_BLOCKS_MAX_COUNT + 1, blocks, &f->err),
                     BURSAR_ELIMIT);
}

static void a_receipt_of_another_transaction_is_refused(void **state)
{
    struct fixture *f = *state;
    struct chain_receipt receipt;
    struct bursar_hash hash;
    memset(hash.bytes, 0x11, sizeof hash.bytes);
    script_result(&f->script, "eth_getTransactionReceipt", "[" HASH("1") "]", "null");
    assert_int_equal(f->chain.receipts(f->chain.ctx, &hash, 1, &receipt, &f->err), BURSAR_OK);
    assert_false(receipt.is_present);
    script_result(&f->script, "eth_getTransactionReceipt", NULL,
                  "{\"transactionHash\":" HASH("2") ",\"status\":\"0x1\",\"blockHash\":" HASH(
                      "e") ",\"blockNumber\":\"0x8\",\"gasUsed\":\"0x1\",\"effectiveGasPrice\":\"0x1\"}");
    assert_int_equal(f->chain.receipts(f->chain.ctx, &hash, 1, &receipt, &f->err), BURSAR_EPROTOCOL);
}

static void a_refused_receipt_is_a_failed_read_not_a_missing_receipt(void **state)
{
    struct fixture *f = *state;
    struct chain_receipt receipt;
    struct chain_transaction transaction;
    struct bursar_hash hash = { { 0 } };
    script_error(&f->script, "eth_getTransactionReceipt", NULL, -32000, "transaction indexing is in progress");
    assert_int_equal(f->chain.receipts(f->chain.ctx, &hash, 1, &receipt, &f->err), BURSAR_EUNREACHABLE);
    script_error(&f->script, "eth_getTransactionByHash", NULL, -32000, "transaction indexing is in progress");
    assert_int_equal(f->chain.transactions(f->chain.ctx, &hash, 1, &transaction, &f->err), BURSAR_EUNREACHABLE);
}

#define LOOK(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LOOK(blocks_come_with_their_hashes_and_gaps_where_there_are_none),
        LOOK(one_bad_block_spoils_all_and_leaks_none),
        LOOK(a_receipt_of_another_transaction_is_refused),
        LOOK(a_refused_receipt_is_a_failed_read_not_a_missing_receipt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The EVM driver against a scripted node, honest and not. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/bytes.h"
#include "chain/evm.h"
#include "scripted_rpc.h"

#define X4(c) c c c c
#define X64(c) X4(X4(X4(c)))
#define HASH(c) "\"0x" X64(c) "\""
#define BLOCK(number, hash, parent, time)                                                                              \
    "{\"number\":\"" number                                                                                            \
    "\",\"hash\":" HASH(hash) ",\"parentHash\":" HASH(parent) ",\"timestamp\":\"" time                                 \
                                                              "\",\"baseFeePerGas\":\"0x7\",\"transactions\":[]}"

/* The honest node's chain: genesis a, block 6 c (final), block 8 e (latest). */
#define GENESIS BLOCK("0x0", "a", "0", "0x1")
#define SIX BLOCK("0x6", "c", "b", "0x66")
#define EIGHT BLOCK("0x8", "e", "d", "0x88")
#define ACCOUNT "\"0x4444444444444444444444444444444444444444\""
#define AT(hash) "[" ACCOUNT ",{\"blockHash\":" HASH(hash) "}]"
#define GET_BLOCK "eth_getBlockByNumber"
#define GET_BALANCE "eth_getBalance"
#define GET_NONCE "eth_getTransactionCount"

struct fixture {
    struct scripted_rpc script;
    struct evm_chain *evm;
    struct chain chain;
    struct chain_query query;
    struct bursar_error err;
};

static void add_honest_node(struct scripted_rpc *script)
{
    script_result(script, "eth_chainId", "[]", "\"0x7a69\"");
    script_result(script, GET_BLOCK, NULL, "null");
    script_result(script, GET_BLOCK, "[\"0x0\",false]", GENESIS);
    script_result(script, GET_BLOCK, "[\"finalized\",false]", SIX);
    script_result(script, GET_BLOCK, "[\"0x6\",false]", SIX);
    script_result(script, GET_BLOCK, "[\"latest\",false]", EIGHT);
    script_result(script, GET_BLOCK, "[\"0x8\",false]", EIGHT);
    script_result(script, GET_NONCE, AT("e"), "\"0x5\"");
    script_result(script, GET_NONCE, AT("c"), "\"0x3\"");
    script_result(script, GET_NONCE, "[" ACCOUNT ",\"pending\"]", "\"0x9\"");
    script_result(script, GET_BALANCE, AT("e"), "\"0xde0b6b3a7640000\"");
    script_result(script, GET_BALANCE, AT("c"), "\"0x1f4\"");
    script_result(script, "eth_feeHistory", "[\"0x14\",\"0x8\",[50]]",
                  "{\"oldestBlock\":\"0x7\",\"baseFeePerGas\":[\"0x7\",\"0x7\",\"0x6\"],\"gasUsedRatio\":[0.1,0.2],"
                  "\"reward\":[[\"0x2\"],[\"0x3\"]]}");
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    add_honest_node(&f->script);
    memset(f->query.account.bytes, 0x44, sizeof f->query.account.bytes);
    assert_int_equal(evm_chain_new(script_interface(&f->script), &f->evm, &f->err), BURSAR_OK);
    f->chain = evm_chain_interface(f->evm);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    evm_chain_free(f->evm);
    script_free(&f->script);
    free(f);
    return 0;
}

static bool hash_is(const struct bursar_hash *hash, uint8_t byte)
{
    struct bursar_hash want;
    memset(want.bytes, byte, sizeof want.bytes);
    return hash_equal(hash, &want);
}

static enum bursar_status look(struct fixture *f, struct chain_view *ret)
{
    return f->chain.observe(f->chain.ctx, &f->query, ret, &f->err);
}

static void expect_look(struct fixture *f, enum bursar_status want, const char *words)
{
    struct chain_view view = { .chain_id = 42 };
    enum bursar_status got = look(f, &view);
    if (got != want || !strstr(f->err.message, words))
        fail_msg("got %d \"%s\", want %d \"%s\"", (int)got, f->err.message, (int)want, words);
    assert_int_equal(view.chain_id, 42); /* untouched */
}

static void a_look_reads_everything_at_the_blocks_it_names(void **state)
{
    struct fixture *f = *state;
    struct chain_view view;
    f->query.has_anchor = true;
    f->query.anchor_number = 6;
    assert_int_equal(look(f, &view), BURSAR_OK);
    assert_int_equal(view.chain_id, 31337);
    assert_true(hash_is(&view.genesis_hash, 0xaa));
    assert_int_equal(view.latest.block.number, 8);
    assert_true(hash_is(&view.latest.block.hash, 0xee));
    assert_true(hash_is(&view.latest.parent_hash, 0xdd));
    assert_int_equal(view.latest.timestamp_s, 0x88);
    assert_true(view.has_final);
    assert_int_equal(view.final.block.number, 6);
    assert_true(hash_is(&view.final.block.hash, 0xcc));
    assert_true(view.has_anchor_block);
    assert_true(hash_is(&view.anchor_hash, 0xcc));
    assert_int_equal(view.nonce_latest, 5);
    assert_int_equal(view.nonce_final, 3);
    assert_int_equal(view.nonce_pending, 9);
    assert_true(view.has_balance_final);
    assert_int_equal(view.balance_final.limb[0], 500);
    assert_int_equal(bursar_amount_compare(view.balance, bursar_amount_from_u64(UINT64_C(1000000000000000000))), 0);
    assert_int_equal(view.next_base_fee_per_gas_wei, 6);
    assert_int_equal(view.suggested_priority_fee_per_gas_wei, 2);
    assert_int_equal(f->script.batches, 3); /* the first look also asks what this node calls a header */
    assert_int_equal(look(f, &view), BURSAR_OK);
    assert_int_equal(f->script.batches, 5);
}

static void a_balance_in_the_final_block_that_the_node_does_not_say_is_not_known_and_fails_no_look(void **state)
{
    struct fixture *f = *state;
    struct chain_view view;
    static const char *const unusable[] = {
        "null", "500", "{}", "\"0x\"", "\"0x10000000000000000000000000000000000000000000000000000000000000000\"",
    };
    for (size_t i = 0; i < sizeof unusable / sizeof unusable[0]; i++) {
        script_result_once(&f->script, GET_BALANCE, AT("c"), unusable[i]);
        assert_int_equal(look(f, &view), BURSAR_OK);
        assert_false(view.has_balance_final);
        assert_int_equal(view.nonce_final, 3);
    }
    static const char *const refusals[] = { "missing trie node 4ac7", "header not found", "historical state pruned" };
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        script_error(&f->script, GET_BALANCE, AT("c"), -32000, refusals[i]);
        assert_int_equal(look(f, &view), BURSAR_OK);
        assert_false(view.has_balance_final);
    }
    script_result(&f->script, GET_BALANCE, AT("c"), "\"0x0\"");
    assert_int_equal(look(f, &view), BURSAR_OK);
    assert_true(view.has_balance_final);
    assert_true(bursar_amount_is_zero(view.balance_final));
}

static void a_node_with_headers_is_not_asked_for_lists_of_transactions(void **state)
{
    (void)state;
    static const char *const methods[] = { "erigon_getHeaderByNumber", "eth_getHeaderByNumber" };
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        struct chain_view view;
        struct fixture *fresh;
        assert_int_equal(set_up((void **)&fresh), 0);
        script_result(&fresh->script, methods[i], NULL, "null");
        script_result(&fresh->script, methods[i], "[\"0x0\"]", GENESIS);
        script_result(&fresh->script, methods[i], "[\"finalized\"]", SIX);
        script_result(&fresh->script, methods[i], "[\"latest\"]", EIGHT);
        assert_int_equal(look(fresh, &view), BURSAR_OK);
        assert_int_equal(view.latest.block.number, 8);
        assert_int_equal(view.final.block.number, 6);
        assert_null(strstr(fresh->script.log, GET_BLOCK));
        assert_int_equal(tear_down((void **)&fresh), 0);
    }
}

static void what_a_node_calls_a_header_is_asked_again_when_the_line_was_down(void **state)
{
    struct fixture *f = *state;
    struct chain_view view;
    script_result(&f->script, "eth_getHeaderByNumber", "[\"0x0\"]", GENESIS);
    script_result(&f->script, "eth_getHeaderByNumber", "[\"finalized\"]", SIX);
    script_result(&f->script, "eth_getHeaderByNumber", "[\"latest\"]", EIGHT);
    f->script.fault = BURSAR_EUNREACHABLE;
    f->script.fault_outcome = RPC_UNSENT;
    expect_look(f, BURSAR_EUNREACHABLE, "the line is down");
    f->script.fault = BURSAR_OK;
    f->script.log[0] = '\0';
    assert_int_equal(look(f, &view), BURSAR_OK);
    assert_null(strstr(f->script.log, GET_BLOCK));
}

static void a_chain_with_nothing_final_yet_has_no_final(void **state)
{
    struct fixture *f = *state;
    struct chain_view view;
    script_result_once(&f->script, GET_BLOCK, "[\"finalized\",false]", "null");
    assert_int_equal(look(f, &view), BURSAR_OK);
    assert_false(view.has_final);
    assert_false(view.has_balance_final);
    assert_int_equal(view.nonce_final, 0);
    assert_int_equal(view.nonce_latest, 5);
    script_error(&f->script, GET_BLOCK, "[\"finalized\",false]", -39001, "Unknown block");
    assert_int_equal(look(f, &view), BURSAR_OK);
    assert_false(view.has_final);
    script_error(&f->script, GET_BLOCK, "[\"finalized\",false]", -32000, "finalized block not found");
    assert_int_equal(look(f, &view), BURSAR_OK);
    assert_false(view.has_final);
}

static void a_node_without_the_finalized_tag_is_told_to_be_configured_by_confirmations(void **state)
{
    struct fixture *f = *state;
    script_error(&f->script, GET_BLOCK, "[\"finalized\",false]", -32602, "invalid argument 0");
    expect_look(f, BURSAR_EREFUSED, "set finality to a number");
}

static void a_failed_read_of_finalized_is_not_taken_for_nothing_final(void **state)
{
    struct fixture *f = *state;
    script_error(&f->script, GET_BLOCK, "[\"finalized\",false]", -32005, "rate limited");
    expect_look(f, BURSAR_EUNREACHABLE, "rate limited");
}

static void an_anchor_that_the_node_lacks_is_told_from_a_failed_read(void **state)
{
    struct fixture *f = *state;
    struct chain_view view;
    f->query.has_anchor = true;
    f->query.anchor_number = 7;
    assert_int_equal(look(f, &view), BURSAR_OK);
    assert_false(view.has_anchor_block);
    script_error(&f->script, GET_BLOCK, "[\"0x7\",false]", -32000, "database closed");
    expect_look(f, BURSAR_EUNREACHABLE, "database closed");
}

static void an_anchor_answered_with_another_block_is_refused(void **state)
{
    struct fixture *f = *state;
    f->query.has_anchor = true;
    f->query.anchor_number = 7;
    script_result(&f->script, GET_BLOCK, "[\"0x7\",false]", SIX);
    expect_look(f, BURSAR_EPROTOCOL, "block 6 when asked for block 7");
}

static void confirmations_count_back_from_latest(void **state)
{
    struct fixture *f = *state;
    struct chain_view view;
    f->query.finality_blocks = 2;
    script_error(&f->script, GET_BLOCK, "[\"finalized\",false]", -32602, "never heard of it");
    assert_int_equal(look(f, &view), BURSAR_OK);
    assert_true(view.has_final);
    assert_int_equal(view.final.block.number, 6);
    assert_int_equal(view.nonce_final, 3);
    assert_null(strstr(f->script.log, "finalized"));
}

/* One of several nodes is asked about a final block that the others have too. */
static void nothing_above_the_askers_limit_is_final(void **state)
{
    struct fixture *f = *state;
    struct chain_view view;
    f->query.has_final_limit = true;
    f->query.final_limit = 4;
    script_result(&f->script, GET_BLOCK, "[\"0x4\",false]", BLOCK("0x4", "4", "3", "0x44"));
    script_result(&f->script, GET_NONCE, AT("4"), "\"0x2\"");
    script_result(&f->script, GET_BALANCE, AT("4"), "\"0x64\"");
    for (uint32_t confirmations = 0; confirmations <= 2; confirmations += 2) {
        f->query.finality_blocks = confirmations;
        assert_int_equal(look(f, &view), BURSAR_OK);
        assert_true(view.has_final);
        assert_int_equal(view.final.block.number, 4);
        assert_true(hash_is(&view.final.block.hash, 0x44));
        assert_int_equal(view.nonce_final, 2);
        assert_true(view.has_balance_final);
        assert_int_equal(view.balance_final.limb[0], 100);
        assert_int_equal(view.latest.block.number, 8);
    }
    f->query.final_limit = 7; /* above what is final anyway */
    f->query.finality_blocks = 0;
    assert_int_equal(look(f, &view), BURSAR_OK);
    assert_int_equal(view.final.block.number, 6);
}

static void a_chain_younger_than_its_confirmations_has_no_final(void **state)
{
    struct fixture *f = *state;
    struct chain_view view;
    f->query.finality_blocks = 9;
    assert_int_equal(look(f, &view), BURSAR_OK);
    assert_false(view.has_final);
}

static void a_reorg_between_latest_and_the_block_counted_back_to_spoils_the_look(void **state)
{
    struct fixture *f = *state;
    f->query.finality_blocks = 2;
    script_result(&f->script, GET_BLOCK, "[\"0x8\",false]", BLOCK("0x8", "f", "d", "0x88"));
    expect_look(f, BURSAR_EPROTOCOL, "the head moved while reading");
}

static void a_pinned_block_that_vanished_makes_the_look_stale(void **state)
{
    struct fixture *f = *state;
    script_error(&f->script, GET_NONCE, AT("e"), -32001, "Resource not found");
    expect_look(f, BURSAR_ESTALE, "gone");
    script_error(&f->script, GET_NONCE, AT("e"), -32000, "header for hash not found");
    expect_look(f, BURSAR_ESTALE, "gone");
    script_result(&f->script, GET_NONCE, AT("e"), "\"0x5\"");
    script_error(&f->script, GET_NONCE, AT("c"), -32001, "Resource not found");
    expect_look(f, BURSAR_ESTALE, "gone");
}

static void a_node_with_two_genesis_blocks_is_not_believed(void **state)
{
    struct fixture *f = *state;
    struct chain_view view;
    script_result(&f->script, GET_BLOCK, "[\"finalized\",false]", BLOCK("0x0", "c", "0", "0x1"));
    assert_int_equal(look(f, &view), BURSAR_EPROTOCOL);
    script_result(&f->script, GET_BLOCK, "[\"finalized\",false]", GENESIS);
    script_result(&f->script, GET_NONCE, AT("a"), "\"0x0\"");
    assert_int_equal(look(f, &view), BURSAR_OK);
    f->query.has_anchor = true;
    f->query.anchor_number = 0;
    assert_int_equal(look(f, &view), BURSAR_OK);
}

static void a_final_block_beside_or_above_latest_makes_the_look_stale(void **state)
{
    struct fixture *f = *state;
    script_result(&f->script, GET_BLOCK, "[\"finalized\",false]", BLOCK("0x9", "f", "e", "0x99"));
    expect_look(f, BURSAR_ESTALE, "final block 9");
    script_result(&f->script, GET_BLOCK, "[\"finalized\",false]", BLOCK("0x8", "f", "d", "0x88"));
    expect_look(f, BURSAR_ESTALE, "final block 8");
}

#define AT_NUMBER(number) "[" ACCOUNT ",\"" number "\"]"

static void make_node_know_numbers_only(struct scripted_rpc *script)
{
    script_error(script, GET_NONCE, AT("e"), -32602, "invalid argument 1: cannot unmarshal object");
    script_error(script, GET_NONCE, AT("c"), -32602, "invalid argument 1: cannot unmarshal object");
    script_error(script, GET_BALANCE, AT("e"), -32602, "invalid argument 1: cannot unmarshal object");
    script_error(script, GET_BALANCE, AT("c"), -32602, "invalid argument 1: cannot unmarshal object");
    script_result(script, GET_NONCE, AT_NUMBER("0x8"), "\"0x5\"");
    script_result(script, GET_NONCE, AT_NUMBER("0x6"), "\"0x3\"");
    script_result(script, GET_BALANCE, AT_NUMBER("0x8"), "\"0x1\"");
    script_result(script, GET_BALANCE, AT_NUMBER("0x6"), "\"0x2\"");
}

static void a_node_that_knows_only_numbers_is_read_by_numbers_and_checked_afterwards(void **state)
{
    struct fixture *f = *state;
    struct chain_view view;
    make_node_know_numbers_only(&f->script);
    assert_int_equal(look(f, &view), BURSAR_OK);
    assert_int_equal(view.nonce_latest, 5);
    assert_int_equal(view.nonce_final, 3);
    assert_true(view.has_balance_final);
    assert_int_equal(view.balance_final.limb[0], 2);
    assert_int_equal(f->script.batches, 5);
    assert_int_equal(look(f, &view), BURSAR_OK);
    assert_int_equal(f->script.batches, 8); /* it is remembered */
}

static void what_was_read_by_numbers_is_dropped_when_they_name_other_blocks_now(void **state)
{
    struct fixture *f = *state;
    make_node_know_numbers_only(&f->script);
    script_result(&f->script, GET_BLOCK, "[\"0x6\",false]", BLOCK("0x6", "f", "b", "0x66"));
    expect_look(f, BURSAR_EPROTOCOL, "the head moved while reading");
    script_result(&f->script, GET_BLOCK, "[\"0x6\",false]", SIX);
    script_result(&f->script, GET_BLOCK, "[\"0x8\",false]", "null");
    expect_look(f, BURSAR_EPROTOCOL, "the head moved while reading");
}

static void a_chain_without_base_fee_is_refused(void **state)
{
    struct fixture *f = *state;
    script_result(&f->script, GET_BLOCK, "[\"latest\",false]",
                  "{\"number\":\"0x8\",\"hash\":" HASH("e") ",\"parentHash\":" HASH("d") ",\"timestamp\":\"0x88\"}");
    expect_look(f, BURSAR_EREFUSED, "chain has no EIP-1559 fees");
}

static void hostile_answers_to_a_look_are_refused(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *method, *params, *json;
    } lies[] = {
        { "eth_chainId", NULL, "null" },
        { "eth_chainId", NULL, "31337" },
        { "eth_chainId", NULL, "\"31337\"" },
        { "eth_chainId", NULL, "\"0x10000000000000000\"" },
        { GET_BLOCK, "[\"0x0\",false]", "null" },
        { GET_BLOCK, "[\"0x0\",false]", SIX },
        { GET_BLOCK, "[\"0x0\",false]", "\"0x0\"" },
        { GET_BLOCK, "[\"latest\",false]", "null" },
        { GET_BLOCK, "[\"latest\",false]", "[]" },
        { GET_BLOCK, "[\"finalized\",false]", "{}" },
        { GET_BLOCK, "[\"finalized\",false]", "false" },
        { GET_NONCE, AT("e"), "null" },
        { GET_NONCE, AT("e"), "5" },
        { GET_NONCE, AT("e"), "\"0xffffffffffffffff\"" },
        { GET_NONCE, AT("e"), "{}" },
        { GET_NONCE, AT("e"), "\"0x2\"" }, /* less than at the final block */
        { GET_NONCE, AT("c"), "null" },
        { GET_NONCE, "[" ACCOUNT ",\"pending\"]", "\"pending\"" },
        { GET_BALANCE, AT("e"), "null" },
        { GET_BALANCE, AT("e"), "\"0x10000000000000000000000000000000000000000000000000000000000000000\"" },
        { "eth_feeHistory", NULL, "null" },
        { "eth_feeHistory", NULL, "{\"baseFeePerGas\":[\"0xffffffffffffffffffffffff\"]}" },
    };
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        script_result_once(&f->script, lies[i].method, lies[i].params, lies[i].json);
        expect_look(f, BURSAR_EPROTOCOL, "the node");
    }
}

static void a_look_over_a_cut_line_is_unreachable_not_unknown(void **state)
{
    struct fixture *f = *state;
    f->script.fault = BURSAR_EUNKNOWN;
    f->script.fault_outcome = RPC_UNKNOWN;
    expect_look(f, BURSAR_EUNREACHABLE, "the line is down");
    f->script.fault = BURSAR_ECANCELLED;
    expect_look(f, BURSAR_ECANCELLED, "the line is down");
}

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

static void code_is_asked_for_at_the_given_block(void **state)
{
    struct fixture *f = *state;
    struct chain_block_ref at = { .number = 8 };
    struct bursar_address addresses[2];
    bool codes[2] = { true, false };
    memset(at.hash.bytes, 0xee, sizeof at.hash.bytes);
    memset(addresses[0].bytes, 0x44, sizeof addresses[0].bytes);
    memset(addresses[1].bytes, 0x55, sizeof addresses[1].bytes);
    script_result(&f->script, "eth_getCode", NULL, "\"0xef0100aa\"");
    script_result(&f->script, "eth_getCode", AT("e"), "\"0x\"");
    assert_int_equal(f->chain.has_code(f->chain.ctx, &at, addresses, 2, codes, &f->err), BURSAR_OK);
    assert_false(codes[0]);
    assert_true(codes[1]);
    script_result(&f->script, "eth_getCode", AT("e"), "null");
    assert_int_equal(f->chain.has_code(f->chain.ctx, &at, addresses, 2, codes, &f->err), BURSAR_EPROTOCOL);
    script_error(&f->script, "eth_getCode", AT("e"), -32001, "Resource not found");
    assert_int_equal(f->chain.has_code(f->chain.ctx, &at, addresses, 2, codes, &f->err), BURSAR_ESTALE);
}

static void code_read_by_number_counts_only_while_the_number_names_the_block(void **state)
{
    struct fixture *f = *state;
    struct chain_block_ref at = { .number = 8 };
    bool code = true;
    memset(at.hash.bytes, 0xee, sizeof at.hash.bytes);
    script_error(&f->script, "eth_getCode", AT("e"), -32602, "invalid params");
    script_result(&f->script, "eth_getCode", AT_NUMBER("0x8"), "\"0x\"");
    assert_int_equal(f->chain.has_code(f->chain.ctx, &at, &f->query.account, 1, &code, &f->err), BURSAR_OK);
    assert_false(code);
    memset(at.hash.bytes, 0xff, sizeof at.hash.bytes);
    assert_int_equal(f->chain.has_code(f->chain.ctx, &at, &f->query.account, 1, &code, &f->err), BURSAR_EPROTOCOL);
}

#define ADDRESS(d) "0x" d d d d d d d d d d d d d d d d d d d d
#define CALL(to, value)                                                                                                \
    "[{\"from\":\"" ADDRESS("aa") "\",\"to\":\"" ADDRESS(to) "\",\"value\":\"" value                                   \
                                                             "\",\"gas\":\"0xf4240\"},{\"blockHash\":" HASH("e") "}]"

static enum bursar_status estimate(struct fixture *f, size_t count, struct chain_estimate *ret)
{
    struct chain_trial trial = { .at.number = 8, .gas_max = 1000000 };
    struct chain_payload calls[2] = { { .value = bursar_amount_from_u64(1000) }, { .data_bytes = 0 } };
    memset(trial.at.hash.bytes, 0xee, sizeof trial.at.hash.bytes);
    memset(trial.from.bytes, 0xaa, sizeof trial.from.bytes);
    memset(calls[0].to.bytes, 0x44, sizeof calls[0].to.bytes);
    memset(calls[1].to.bytes, 0x55, sizeof calls[1].to.bytes);
    f->err = (struct bursar_error){ 0 };
    return f->chain.estimate(f->chain.ctx, &trial, calls, count, ret, &f->err);
}

static void each_estimate_is_an_answer_of_its_own(void **state)
{
    struct fixture *f = *state;
    struct chain_estimate got[2];
    script_result(&f->script, "eth_estimateGas", CALL("44", "0x3e8"), "\"0x7530\"");
    script_error(&f->script, "eth_estimateGas", CALL("55", "0x0"), 3, "execution reverted: not today");
    assert_int_equal(estimate(f, 2, got), BURSAR_OK);
    assert_int_equal(got[0].outcome, ESTIMATE_GAS);
    assert_int_equal(got[0].gas, 30000);
    assert_int_equal(got[1].outcome, ESTIMATE_REVERTS);
    assert_string_equal(got[1].words, "execution reverted: not today");
    assert_int_equal(f->script.batches, 1);
    script_error(&f->script, "eth_estimateGas", NULL, -32000, "gas required exceeds allowance (1000000)");
    assert_int_equal(estimate(f, 1, got), BURSAR_OK);
    assert_int_equal(got[0].outcome, ESTIMATE_EXCEEDS);
}

static void what_a_contract_says_is_decoded(void **state)
{
    struct fixture *f = *state;
    struct chain_estimate got;
    script_refusal(
        &f->script, "eth_estimateGas", 3, "execution reverted",
        "0x08c379a0000000000000000000000000000000000000000000000000000000000000002000000000000000000000000000000000"
        "000000000000000000000000000000046e6f706500000000000000000000000000000000000000000000000000000000");
    assert_int_equal(estimate(f, 1, &got), BURSAR_OK);
    assert_string_equal(got.words, "nope");
    script_refusal(&f->script, "eth_estimateGas", -32000, "execution reverted", "Reverted 0x08c379a0");
    assert_int_equal(estimate(f, 1, &got), BURSAR_OK);
    assert_int_equal(got.outcome, ESTIMATE_REVERTS);
    assert_string_equal(got.words, "execution reverted");
}

static void an_estimate_that_fails_is_no_fact(void **state)
{
    struct fixture *f = *state;
    struct chain_estimate got;
    static const char *const results[] = { "null", "\"0x0\"", "\"0xzz\"", "7" };
    for (size_t i = 0; i < sizeof results / sizeof results[0]; i++) {
        script_result(&f->script, "eth_estimateGas", NULL, results[i]);
        assert_int_equal(estimate(f, 1, &got), BURSAR_OK);
        assert_int_equal(got.outcome, ESTIMATE_UNKNOWN);
    }
    script_error(&f->script, "eth_estimateGas", NULL, -32005, "limit exceeded");
    assert_int_equal(estimate(f, 1, &got), BURSAR_OK);
    assert_int_equal(got.outcome, ESTIMATE_UNKNOWN);
    assert_non_null(strstr(got.words, "limit exceeded"));
    script_error(&f->script, "eth_estimateGas", NULL, -32001, "Resource not found");
    assert_int_equal(estimate(f, 1, &got), BURSAR_ESTALE);
    f->script.fault = BURSAR_EUNREACHABLE;
    f->script.fault_outcome = RPC_UNSENT;
    assert_int_equal(estimate(f, 1, &got), BURSAR_EUNREACHABLE);
}

static void a_node_that_lets_no_block_be_named_estimates_without(void **state)
{
    struct fixture *f = *state;
    struct chain_estimate got;
    script_error(&f->script, "eth_estimateGas", NULL, -32602, "too many arguments, want at most 1");
    script_result(
        &f->script, "eth_estimateGas",
        "[{\"from\":\"" ADDRESS("aa") "\",\"to\":\"" ADDRESS("44") "\",\"value\":\"0x3e8\",\"gas\":\"0xf4240\"}]",
        "\"0x7530\"");
    assert_int_equal(estimate(f, 1, &got), BURSAR_OK);
    assert_int_equal(got.outcome, ESTIMATE_GAS);
    assert_int_equal(f->script.calls, 3);
    assert_int_equal(estimate(f, 1, &got), BURSAR_OK);
    assert_int_equal(f->script.calls, 4); /* it is remembered */
}

#define MANY 10
#define MANY_FLAGS "\"0x00010000000000000001\""

static enum bursar_status look_for_code_of_many(struct fixture *f, bool ret[MANY])
{
    struct chain_block_ref at = { .number = 8 };
    struct bursar_address addresses[MANY];
    memset(at.hash.bytes, 0xee, sizeof at.hash.bytes);
    memset(addresses, 0x44, sizeof addresses);
    for (size_t i = 0; i < MANY; i++)
        ret[i] = false;
    f->err = (struct bursar_error){ 0 };
    return f->chain.has_code(f->chain.ctx, &at, addresses, MANY, ret, &f->err);
}

static void code_of_many_is_asked_for_in_one_call(void **state)
{
    struct fixture *f = *state;
    bool codes[MANY];
    script_result(&f->script, "eth_call", NULL, MANY_FLAGS);
    assert_int_equal(look_for_code_of_many(f, codes), BURSAR_OK);
    for (size_t i = 0; i < MANY; i++)
        assert_int_equal(codes[i], i == 1 || i == MANY - 1);
    assert_int_equal(f->script.calls, 1);
    assert_non_null(strstr(f->script.log, "4444\"},{\"blockHash\":" HASH("e") "}]"));
}

static void a_node_that_does_not_run_the_program_is_asked_one_by_one(void **state)
{
    (void)state;
    static const char *const answers[] = { "\"0x\"",
                                           "null",
                                           "true",
                                           "\"0x0000000000000000000\"",
                                           "\"0x000000000000000000\"",
                                           "\"0x0000000000000000000000\"",
                                           "\"0x00000000000000000002\"",
                                           "\"1x00000000000000000000\"",
                                           NULL };
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        struct fixture *f;
        bool codes[MANY];
        assert_int_equal(set_up((void **)&f), 0);
        script_result(&f->script, "eth_getCode", AT("e"), "\"0xef0100aa\"");
        if (answers[i])
            script_result(&f->script, "eth_call", NULL, answers[i]);
        assert_int_equal(look_for_code_of_many(f, codes), BURSAR_OK);
        for (size_t k = 0; k < MANY; k++)
            assert_true(codes[k]);
        assert_int_equal(f->script.calls, 1 + MANY);
        assert_int_equal(look_for_code_of_many(f, codes), BURSAR_OK);
        assert_int_equal(f->script.calls, 1 + 2 * MANY); /* it is remembered */
        assert_int_equal(tear_down((void **)&f), 0);
    }
}

static void code_of_many_at_a_block_that_is_gone_is_stale(void **state)
{
    struct fixture *f = *state;
    bool codes[MANY];
    script_error(&f->script, "eth_call", NULL, -32000, "header for hash not found");
    assert_int_equal(look_for_code_of_many(f, codes), BURSAR_ESTALE);
    script_result(&f->script, "eth_call", NULL, MANY_FLAGS);
    assert_int_equal(look_for_code_of_many(f, codes), BURSAR_OK); /* such a node is still asked by program */
    assert_true(codes[1]);
}

static const uint8_t raw_bytes[3] = { 0x02, 0xc0, 0x01 };

static enum bursar_status hand_over(struct fixture *f, struct submit_result *ret)
{
    struct raw_transaction tx = { .bytes = raw_bytes, .length_bytes = sizeof raw_bytes };
    memset(tx.hash.bytes, 0x11, sizeof tx.hash.bytes);
    f->err = (struct bursar_error){ 0 };
    return f->chain.submit(f->chain.ctx, &tx, 1, ret, &f->err);
}

static void a_submission_is_accepted_when_the_node_names_our_hash(void **state)
{
    struct fixture *f = *state;
    struct submit_result result;
    script_result(&f->script, "eth_sendRawTransaction", "[\"0x02c001\"]", HASH("1"));
    assert_int_equal(hand_over(f, &result), BURSAR_OK);
    assert_int_equal(result.verdict, SUBMIT_ACCEPTED);
    assert_string_equal(result.message, "");
}

static void a_submission_answered_with_another_hash_or_garbage_is_unknown(void **state)
{
    struct fixture *f = *state;
    static const char *const answers[] = { HASH("2"), "null", "true", "\"0x\"", "{}", "\"ok\"" };
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        struct submit_result result;
        script_result(&f->script, "eth_sendRawTransaction", NULL, answers[i]);
        assert_int_equal(hand_over(f, &result), BURSAR_EUNKNOWN);
        assert_int_equal(result.verdict, SUBMIT_UNKNOWN);
        assert_true(strlen(result.message) > 0);
    }
}

static void a_refusal_is_a_verdict_with_the_nodes_words(void **state)
{
    struct fixture *f = *state;
    struct submit_result result;
    script_error(&f->script, "eth_sendRawTransaction", NULL, -32003, "nonce too low");
    assert_int_equal(hand_over(f, &result), BURSAR_OK);
    assert_int_equal(result.verdict, SUBMIT_NONCE_TOO_LOW);
    assert_string_equal(result.message, "nonce too low");
    script_error(&f->script, "eth_sendRawTransaction", NULL, -32603, "Internal error");
    assert_int_equal(hand_over(f, &result), BURSAR_EUNKNOWN);
    assert_int_equal(result.verdict, SUBMIT_UNKNOWN);
}

static void a_line_fault_tells_unsent_from_unknown(void **state)
{
    struct fixture *f = *state;
    struct submit_result result;
    f->script.fault = BURSAR_EUNREACHABLE;
    f->script.fault_outcome = RPC_UNSENT;
    assert_int_equal(hand_over(f, &result), BURSAR_EUNREACHABLE);
    assert_int_equal(result.verdict, SUBMIT_UNSENT);
    f->script.fault = BURSAR_EUNKNOWN;
    f->script.fault_outcome = RPC_UNKNOWN;
    assert_int_equal(hand_over(f, &result), BURSAR_EUNKNOWN);
    assert_int_equal(result.verdict, SUBMIT_UNKNOWN);
    assert_string_equal(result.message, "the line is down");
}

static enum bursar_status start_and_finish(struct fixture *f, size_t lane, struct submit_result *ret)
{
    struct raw_transaction tx = { .bytes = raw_bytes, .length_bytes = sizeof raw_bytes };
    memset(tx.hash.bytes, 0x11, sizeof tx.hash.bytes);
    f->err = (struct bursar_error){ 0 };
    enum bursar_status status = f->chain.submit_start(f->chain.ctx, lane, &tx, 1, &f->err);
    return status == BURSAR_OK ? f->chain.submit_finish(f->chain.ctx, lane, &tx, 1, ret, &f->err) : status;
}

static void a_lane_brings_the_verdicts_when_it_is_finished(void **state)
{
    struct fixture *f = *state;
    struct submit_result result = { 0 };
    assert_int_equal(f->chain.lanes, 0);
    assert_int_equal(evm_chain_add_lane(f->evm, script_interface(&f->script), &f->err), BURSAR_OK);
    f->chain = evm_chain_interface(f->evm);
    assert_int_equal(f->chain.lanes, 1);
    script_result(&f->script, "eth_sendRawTransaction", "[\"0x02c001\"]", HASH("1"));
    assert_int_equal(start_and_finish(f, 0, &result), BURSAR_OK);
    assert_int_equal(result.verdict, SUBMIT_ACCEPTED);
    script_error(&f->script, "eth_sendRawTransaction", NULL, -32003, "nonce too low");
    assert_int_equal(start_and_finish(f, 0, &result), BURSAR_OK);
    assert_int_equal(result.verdict, SUBMIT_NONCE_TOO_LOW);
    f->script.fault = BURSAR_EUNKNOWN;
    f->script.fault_outcome = RPC_UNKNOWN;
    assert_int_equal(start_and_finish(f, 0, &result), BURSAR_EUNKNOWN);
    assert_int_equal(result.verdict, SUBMIT_UNKNOWN);
    assert_int_equal(start_and_finish(f, 1, &result), BURSAR_EINTERNAL);
}

static void there_are_only_so_many_lanes(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < CHAIN_LANES_MAX_COUNT; i++)
        assert_int_equal(evm_chain_add_lane(f->evm, script_interface(&f->script), &f->err), BURSAR_OK);
    assert_int_equal(evm_chain_add_lane(f->evm, script_interface(&f->script), &f->err), BURSAR_ELIMIT);
}

#define LOOK(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LOOK(a_look_reads_everything_at_the_blocks_it_names),
        LOOK(a_balance_in_the_final_block_that_the_node_does_not_say_is_not_known_and_fails_no_look),
        LOOK(a_node_with_headers_is_not_asked_for_lists_of_transactions),
        LOOK(what_a_node_calls_a_header_is_asked_again_when_the_line_was_down),
        LOOK(a_chain_with_nothing_final_yet_has_no_final),
        LOOK(a_node_without_the_finalized_tag_is_told_to_be_configured_by_confirmations),
        LOOK(a_failed_read_of_finalized_is_not_taken_for_nothing_final),
        LOOK(an_anchor_that_the_node_lacks_is_told_from_a_failed_read),
        LOOK(an_anchor_answered_with_another_block_is_refused),
        LOOK(confirmations_count_back_from_latest),
        LOOK(nothing_above_the_askers_limit_is_final),
        LOOK(a_chain_younger_than_its_confirmations_has_no_final),
        LOOK(a_reorg_between_latest_and_the_block_counted_back_to_spoils_the_look),
        LOOK(a_pinned_block_that_vanished_makes_the_look_stale),
        LOOK(a_node_with_two_genesis_blocks_is_not_believed),
        LOOK(a_final_block_beside_or_above_latest_makes_the_look_stale),
        LOOK(a_node_that_knows_only_numbers_is_read_by_numbers_and_checked_afterwards),
        LOOK(what_was_read_by_numbers_is_dropped_when_they_name_other_blocks_now),
        LOOK(a_chain_without_base_fee_is_refused),
        LOOK(hostile_answers_to_a_look_are_refused),
        LOOK(a_look_over_a_cut_line_is_unreachable_not_unknown),
        LOOK(blocks_come_with_their_hashes_and_gaps_where_there_are_none),
        LOOK(one_bad_block_spoils_all_and_leaks_none),
        LOOK(a_receipt_of_another_transaction_is_refused),
        LOOK(a_refused_receipt_is_a_failed_read_not_a_missing_receipt),
        LOOK(code_is_asked_for_at_the_given_block),
        LOOK(code_read_by_number_counts_only_while_the_number_names_the_block),
        LOOK(each_estimate_is_an_answer_of_its_own),
        LOOK(what_a_contract_says_is_decoded),
        LOOK(an_estimate_that_fails_is_no_fact),
        LOOK(a_node_that_lets_no_block_be_named_estimates_without),
        LOOK(code_of_many_is_asked_for_in_one_call),
        LOOK(a_node_that_does_not_run_the_program_is_asked_one_by_one),
        LOOK(code_of_many_at_a_block_that_is_gone_is_stale),
        LOOK(a_submission_is_accepted_when_the_node_names_our_hash),
        LOOK(a_submission_answered_with_another_hash_or_garbage_is_unknown),
        LOOK(a_refusal_is_a_verdict_with_the_nodes_words),
        LOOK(a_line_fault_tells_unsent_from_unknown),
        LOOK(a_lane_brings_the_verdicts_when_it_is_finished),
        LOOK(there_are_only_so_many_lanes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

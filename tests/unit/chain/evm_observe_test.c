/* What the EVM driver sees at a look, of a node honest and not. */
#include "evm_fixture.h"

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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The simulated nodes, seen through the real EVM driver: whoever says it, whatever is held back. */
#include "chain_fixture.h"

#include "eth/address.h"

static void every_kind_of_node_shows_the_chain_to_the_real_driver(void **state)
{
    struct fixture *f = *state;
    sim_chain_mine(f->sim, 3);
    (void)fixture_pay(f, 0, SUBMIT_ACCEPTED);
    sim_chain_mine(f->sim, FIXTURE_DEPTH);
    sim_chain_deposit(f->sim, &f->account, bursar_amount_from_u64(500));
    sim_chain_mine(f->sim, 1);
    for (size_t kind = 0; kind < SIM_NODE_KINDS; kind++) {
        fixture_use_node(f, (enum sim_node_kind)kind, 1);
        struct chain_view view = fixture_observe(f);
        assert_int_equal(view.chain_id, FIXTURE_CHAIN_ID);
        assert_memory_equal(&view.genesis_hash, &sim_chain_block(f->sim, 0)->hash, sizeof view.genesis_hash);
        assert_int_equal(view.latest.block.number, FIXTURE_DEPTH + 4);
        assert_true(view.has_final);
        assert_int_equal(view.final.block.number, 4);
        assert_int_equal(view.nonce_latest, 1);
        assert_int_equal(view.nonce_final, 1);
        assert_true(view.has_balance_final);
        assert_int_equal(view.balance.limb[0] - view.balance_final.limb[0], 500);
        assert_int_equal(view.nonce_pending, 1);
        assert_int_equal(view.next_base_fee_per_gas_wei, FIXTURE_BASE_FEE_WEI);
        assert_int_equal(view.suggested_priority_fee_per_gas_wei, FIXTURE_TIP_WEI);
    }
}

static void where_nothing_is_final_yet_every_kind_of_node_says_so_in_its_way(void **state)
{
    struct fixture *f = *state;
    sim_chain_mine(f->sim, 2);
    for (size_t kind = 0; kind < SIM_NODE_KINDS; kind++) {
        fixture_use_node(f, (enum sim_node_kind)kind, 1);
        struct chain_view view = fixture_observe(f);
        assert_int_equal(view.has_final, kind == SIM_NODE_ANVIL);
        assert_int_equal(view.final.block.number, 0);
    }
}

/* Node kinds x situations, in one go. */
static void what_a_node_says_about_a_transaction_is_understood_whoever_says_it(void **state)
{
    struct fixture *f = *state;
    for (size_t kind = 0; kind < SIM_NODE_KINDS; kind++) {
        bool wants_base_fee = kind == SIM_NODE_ANVIL || kind == SIM_NODE_BESU;
        uint64_t nonce = kind;
        fixture_use_node(f, (enum sim_node_kind)kind, 1);
        (void)fixture_pay(f, nonce, SUBMIT_ACCEPTED);
        (void)fixture_pay(f, nonce, SUBMIT_KNOWN);

        struct payment payment = payment_new(nonce);
        payment.tx.to = fixture_address(99);
        payment_sign(f, &payment);
        assert_int_equal(fixture_submit(f, &payment), SUBMIT_UNDERPRICED);
        sim_chain_mine(f->sim, 1);
        assert_int_equal(fixture_submit(f, &payment), SUBMIT_NONCE_TOO_LOW);
        (void)fixture_pay(f, nonce, SUBMIT_NONCE_TOO_LOW); /* ours, mined */

        payment.tx.nonce = nonce + 1;
        payment.tx.value_wei = bursar_amount_from_u64(1000000000 * GWEI);
        payment_sign(f, &payment);
        assert_int_equal(fixture_submit(f, &payment), SUBMIT_INSUFFICIENT_FUNDS);
        payment.tx.value_wei = bursar_amount_from_u64(1);
        payment.tx.gas_limit = 20999;
        payment_sign(f, &payment);
        assert_int_equal(fixture_submit(f, &payment), SUBMIT_REFUSED);
        payment.tx.gas_limit = 21000;
        payment.tx.max_fee_per_gas_wei = FIXTURE_BASE_FEE_WEI - 1;
        payment_sign(f, &payment);
        assert_int_equal(fixture_submit(f, &payment), wants_base_fee ? SUBMIT_FEE_TOO_LOW : SUBMIT_ACCEPTED);
        sim_chain_mine(f->sim, 1);
        assert_int_equal(sim_chain_payments_to(f->sim, &payment.tx.to), 0);
        sim_chain_drop_pools(f->sim, SIM_ALL_POOLS);
        payment_free(&payment);
    }
    assert_int_equal(sim_chain_counts(f->sim)->malformed, 0);
}

static void code_is_seen_by_program_or_one_by_one(void **state)
{
    struct fixture *f = *state;
    struct bursar_address addresses[20];
    bool has_code[20];
    for (size_t i = 0; i < COUNT_OF(addresses); i++) {
        addresses[i] = fixture_address(i);
        if (i % 3 == 1)
            sim_chain_put_code(f->sim, &addresses[i]);
    }
    sim_chain_mine(f->sim, 1);
    for (size_t kind = 0; kind <= SIM_NODE_KINDS; kind++) {
        bool refuses = kind == SIM_NODE_KINDS;
        fixture_use_node(f, refuses ? SIM_NODE_GETH : (enum sim_node_kind)kind, 1);
        if (refuses)
            sim_node_script(f->node, SIM_LIE_REFUSES_PROGRAM, 0, 1, 0);
        struct chain_block_ref at = fixture_observe(f).latest.block;
        for (int round = 0; round < 2; round++) {
            assert_int_equal(f->chain.has_code(f->chain.ctx, &at, addresses, COUNT_OF(addresses), has_code, &f->err),
                             BURSAR_OK);
            for (size_t i = 0; i < COUNT_OF(addresses); i++)
                assert_int_equal(has_code[i], i % 3 == 1);
        }
        bool one_by_one = refuses || kind == SIM_NODE_NETHERMIND;
        assert_int_equal(sim_node_calls(f->node, SIM_METHOD_CALL) > 0, true);
        assert_int_equal(sim_node_calls(f->node, SIM_METHOD_CODE) > 0, one_by_one);
    }
}

static void a_node_that_is_stuck_lives_on_the_fork_that_all_others_left(void **state)
{
    struct fixture *f = *state;
    struct bursar_hash hash = fixture_pay(f, 0, SUBMIT_ACCEPTED);
    sim_chain_mine(f->sim, 2);
    struct chain_view before = fixture_observe(f);
    sim_node_set_stuck(f->node, true);
    assert_int_equal(sim_chain_reorg(f->sim, 2, SIM_ORPHANS_DROPPED, false), 2);
    sim_chain_mine(f->sim, 5);
    struct chain_view view = fixture_observe(f);
    assert_memory_equal(&view.latest, &before.latest, sizeof view.latest);
    assert_int_equal(view.nonce_latest, 1);
    assert_true(fixture_receipt(f, &hash).is_present);
    sim_node_set_stuck(f->node, false);
    assert_int_equal(fixture_observe(f).nonce_latest, 0);
    assert_false(fixture_receipt(f, &hash).is_present);
}

/* A head is read, a reorg comes, then the account at that head is read. */
static void state_of_an_orphan_is_shown_by_nodes_that_keep_it(void **state)
{
    struct fixture *f = *state;
    struct rpc_reply reply;
    (void)fixture_pay(f, 0, SUBMIT_ACCEPTED);
    sim_chain_mine(f->sim, 1);
    struct chain_view before = fixture_observe(f);
    assert_int_equal(sim_chain_reorg(f->sim, 1, SIM_ORPHANS_DROPPED, false), 1);
    char account[ADDRESS_TEXT_BYTES], hash[HASH_TEXT_BYTES];
    address_to_text(&f->account, account);
    hash_to_text(&before.latest.block.hash, hash);
    json_t *params = json_pack("[s{s:s}]", account, "blockHash", hash);
    assert_non_null(params);
    sim_node_answer(f->node, "eth_getTransactionCount", params, &reply);
    assert_int_equal(reply.outcome, RPC_RESULT);
    assert_string_equal(json_string_value(reply.result), "0x1");
    rpc_replies_clear(&reply, 1);
    fixture_use_node(f, SIM_NODE_ANVIL, 1);
    sim_node_answer(f->node, "eth_getTransactionCount", params, &reply);
    assert_int_equal(reply.outcome, RPC_ERROR);
    assert_int_equal(reply.code, -32001);
    json_decref(params);
}

static void a_node_lags_in_all_or_in_one_method(void **state)
{
    struct fixture *f = *state;
    sim_chain_mine(f->sim, 12);
    struct bursar_hash hash = fixture_pay(f, 0, SUBMIT_ACCEPTED);
    sim_chain_mine(f->sim, 1);
    sim_node_set_lag(f->node, 2);
    struct chain_view view = fixture_observe(f);
    assert_int_equal(view.latest.block.number, 11);
    assert_int_equal(view.final.block.number, 11 - FIXTURE_DEPTH);
    assert_int_equal(view.nonce_latest, 0);
    assert_int_equal(view.nonce_pending, 1);
    assert_true(fixture_transaction(f, &hash).is_present && !fixture_transaction(f, &hash).is_mined);
    sim_node_heal(f->node);

    sim_node_set_method_lag(f->node, SIM_METHOD_RECEIPT, 1);
    assert_int_equal(fixture_observe(f).nonce_latest, 1);
    assert_false(fixture_receipt(f, &hash).is_present);
    sim_node_heal(f->node);
    assert_true(fixture_receipt(f, &hash).is_present);

    const struct chain_query query = { .account = f->account };
    sim_node_set_method_stuck(f->node, SIM_METHOD_NONCE, true);
    sim_chain_mine(f->sim, 1);
    for (size_t kind = 0; kind < SIM_NODE_KINDS; kind++) {
        fixture_use_node(f, (enum sim_node_kind)kind, 1);
        sim_node_set_method_lag(f->node, SIM_METHOD_NONCE, 1);
        assert_int_equal(f->chain.observe(f->chain.ctx, &query, &view, &f->err), BURSAR_ESTALE);
    }
}

static void lies_are_told_as_scripted(void **state)
{
    struct fixture *f = *state;
    struct chain_view view;
    const struct chain_query query = { .account = f->account };
    struct bursar_hash mined = fixture_pay(f, 0, SUBMIT_ACCEPTED);
    sim_chain_mine(f->sim, FIXTURE_DEPTH + 3);
    struct bursar_hash pooled = fixture_pay(f, 1, SUBMIT_ACCEPTED);
    sim_node_script(f->node, SIM_LIE_NO_RECEIPT, 1, 1, 0);
    assert_true(fixture_receipt(f, &mined).is_present);
    assert_false(fixture_receipt(f, &mined).is_present);
    assert_true(fixture_receipt(f, &mined).is_present);
    assert_int_equal(sim_node_lies_told(f->node, SIM_LIE_NO_RECEIPT), 1);
    sim_node_script(f->node, SIM_LIE_NO_TRANSACTION, 0, 1, 0);
    assert_false(fixture_transaction(f, &pooled).is_present);
    assert_true(fixture_transaction(f, &pooled).is_present);
    sim_node_script(f->node, SIM_LIE_STRANGE_RECEIPT, 0, 1, 0);
    assert_false(fixture_receipt(f, &mined).succeeded);
    sim_node_script(f->node, SIM_LIE_PENDING_LOW, 0, 1, 1);
    assert_int_equal(fixture_observe(f).nonce_pending, 0);
    sim_node_script(f->node, SIM_LIE_PENDING_HIGH, 0, 1, 5);
    assert_int_equal(fixture_observe(f).nonce_pending, 7);
    view = fixture_observe(f);
    for (uint64_t amount = 1; amount <= 2; amount++) {
        sim_node_script(f->node, SIM_LIE_FALSE_BALANCE, 0, 1, amount);
        struct chain_view said = fixture_observe(f);
        assert_int_equal(bursar_amount_compare(said.balance, view.balance), 0);
        assert_int_equal(bursar_amount_compare(said.balance_final, view.balance_final), amount % 2 ? -1 : 1);
    }
    sim_node_script(f->node, SIM_LIE_NOTHING_FINAL, 0, 1, 0);
    assert_false(fixture_observe(f).has_final);
    sim_node_script(f->node, SIM_LIE_NO_FINALIZED, 0, 1, 0);
    assert_int_equal(f->chain.observe(f->chain.ctx, &query, &view, &f->err), BURSAR_EREFUSED);
    sim_node_script(f->node, SIM_LIE_OTHER_GENESIS, 0, 1, 0);
    view = fixture_observe(f);
    assert_memory_not_equal(&view.genesis_hash, &sim_chain_block(f->sim, 0)->hash, sizeof view.genesis_hash);
    sim_node_script(f->node, SIM_LIE_OTHER_CHAIN_ID, 0, 1, 0);
    assert_int_equal(fixture_observe(f).chain_id, FIXTURE_CHAIN_ID + 1);
    for (size_t lie = SIM_LIE_RATE_LIMIT; lie <= SIM_LIE_MALFORMED; lie++) {
        sim_node_script(f->node, (enum sim_lie)lie, 2, 1, 0);
        assert_int_not_equal(f->chain.observe(f->chain.ctx, &query, &view, &f->err), BURSAR_OK);
    }
    sim_node_script(f->node, SIM_LIE_NO_BLOCK, 0, 1, 0);
    uint64_t number = 1;
    struct chain_block block;
    assert_int_equal(f->chain.blocks(f->chain.ctx, &number, 1, &block, &f->err), BURSAR_OK);
    assert_false(block.is_present);
}

static void a_node_lies_about_what_it_took(void **state)
{
    struct fixture *f = *state;
    sim_node_script(f->node, SIM_LIE_FORGETS, 0, 1, 0);
    struct bursar_hash hash = fixture_pay(f, 0, SUBMIT_ACCEPTED);
    assert_false(fixture_transaction(f, &hash).is_present);
    sim_node_script(f->node, SIM_LIE_DENIES, 0, 1, 0);
    (void)fixture_pay(f, 0, SUBMIT_UNKNOWN);
    assert_true(fixture_transaction(f, &hash).is_present);
    sim_node_script(f->node, SIM_LIE_OTHER_HASH, 0, 1, 0);
    hash = fixture_pay(f, 1, SUBMIT_UNKNOWN);
    assert_true(fixture_transaction(f, &hash).is_present);
    sim_node_script(f->node, SIM_LIE_RATE_LIMIT, 0, 1, 0);
    hash = fixture_pay(f, 2, SUBMIT_UNKNOWN);
    assert_false(fixture_transaction(f, &hash).is_present);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_kind_of_node_shows_the_chain_to_the_real_driver),
        TEST(where_nothing_is_final_yet_every_kind_of_node_says_so_in_its_way),
        TEST(what_a_node_says_about_a_transaction_is_understood_whoever_says_it),
        TEST(code_is_seen_by_program_or_one_by_one),
        TEST(a_node_that_is_stuck_lives_on_the_fork_that_all_others_left),
        TEST(state_of_an_orphan_is_shown_by_nodes_that_keep_it),
        TEST(a_node_lags_in_all_or_in_one_method),
        TEST(lies_are_told_as_scripted),
        TEST(a_node_lies_about_what_it_took),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

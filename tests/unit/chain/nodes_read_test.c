/* Reads that decide: what a quorum says alike, and what happens when it does not. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/bytes.h"
#include "fake_nodes.h"

#include <string.h>

static enum bursar_status receipts(struct fake *fake, const uint64_t *numbers, size_t count, struct chain_receipt *ret)
{
    struct bursar_hash hashes[8];
    for (size_t i = 0; i < count; i++)
        hashes[i] = fake_transaction(numbers[i]);
    fake->err = (struct bursar_error){ 0 };
    return fake->chain.receipts(fake->chain.ctx, hashes, count, ret, &fake->err);
}

static enum bursar_status one_receipt(struct fake *fake, uint64_t number, struct chain_receipt *ret)
{
    return receipts(fake, &number, 1, ret);
}

static enum bursar_status one_block(struct fake *fake, uint64_t number, struct chain_block *ret)
{
    fake->err = (struct bursar_error){ 0 };
    return fake->chain.blocks(fake->chain.ctx, &number, 1, ret, &fake->err);
}

static enum bursar_status one_transaction(struct fake *fake, uint64_t number, struct chain_transaction *ret)
{
    struct bursar_hash hash = fake_transaction(number);
    fake->err = (struct bursar_error){ 0 };
    return fake->chain.transactions(fake->chain.ctx, &hash, 1, ret, &fake->err);
}

static enum bursar_status code(struct fake *fake, uint64_t at, bool *ret)
{
    struct chain_block_ref block = { at, fake_block_hash(&fake->node[0], at) };
    struct bursar_address address = { { 1 } };
    fake->err = (struct bursar_error){ 0 };
    return fake->chain.has_code(fake->chain.ctx, &block, &address, 1, ret, &fake->err);
}

static enum bursar_status estimate(struct fake *fake, struct chain_estimate *ret)
{
    struct chain_trial trial = { .at = { 100, fake_block_hash(&fake->node[0], 100) } };
    struct chain_payload call = { .to = { { 1 } } };
    fake->err = (struct bursar_error){ 0 };
    return fake->chain.estimate(fake->chain.ctx, &trial, &call, 1, ret, &fake->err);
}

static struct fake *looked(size_t count, size_t quorum)
{
    struct fake *fake = fake_new(count, quorum);
    assert_int_equal(fake_look(fake), BURSAR_OK);
    return fake;
}

static void a_missing_receipt_needs_a_quorum_to_be_missing(void **state)
{
    (void)state;
    struct fake *fake = looked(3, 2);
    struct chain_receipt receipt;
    fake->node[0].hides_receipt_of = 50;
    assert_int_equal(one_receipt(fake, 50, &receipt), BURSAR_OK);
    assert_true(receipt.is_present);
    assert_int_equal(fake_state(fake, 0), NODE_OK); /* it may just not have it */
    fake->node[1].hides_receipt_of = 50;
    assert_int_equal(one_receipt(fake, 50, &receipt), BURSAR_OK);
    assert_false(receipt.is_present);
    fake_free(fake);
}

static void a_refusal_needs_a_quorum_and_a_disagreement_is_no_fact(void **state)
{
    (void)state;
    const struct chain_estimate refusal = { .outcome = ESTIMATE_REVERTS, .words = "no" };
    struct fake *fake = looked(3, 2);
    struct chain_estimate got;
    fake->node[0].estimate = fake->node[1].estimate = refusal;
    fake->node[2].estimate = (struct chain_estimate){ .outcome = ESTIMATE_GAS, .gas = 30000 };
    assert_int_equal(estimate(fake, &got), BURSAR_OK);
    assert_int_equal(got.outcome, ESTIMATE_REVERTS);
    assert_string_equal(got.words, "no");
    fake->node[1].estimate = (struct chain_estimate){ .outcome = ESTIMATE_GAS, .gas = 40000 };
    assert_int_equal(estimate(fake, &got), BURSAR_OK);
    assert_int_equal(got.outcome, ESTIMATE_GAS);
    assert_int_equal(got.gas, 40000); /* the higher of those that agree */
    fake->node[2].estimate = (struct chain_estimate){ .outcome = ESTIMATE_EXCEEDS };
    assert_int_equal(estimate(fake, &got), BURSAR_OK);
    assert_int_equal(got.outcome, ESTIMATE_UNKNOWN);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(fake_state(fake, i), NODE_OK); /* that is no lie */
    fake_free(fake);
}

static void each_receipt_needs_a_quorum_of_its_own(void **state)
{
    (void)state;
    struct fake *fake = looked(3, 2);
    const uint64_t numbers[] = { 50, 51, 52, 99999 };
    struct chain_receipt ret[4];
    fake->node[0].hides_receipt_of = 50;
    fake->node[1].hides_receipt_of = 52;
    assert_int_equal(receipts(fake, numbers, 4, ret), BURSAR_OK);
    for (size_t i = 0; i < 3; i++) {
        assert_true(ret[i].is_present);
        assert_int_equal(ret[i].block.number, numbers[i]);
    }
    assert_false(ret[3].is_present);
    fake_free(fake);
}

static void a_receipt_that_only_one_of_two_has_is_a_failed_read_and_no_fact(void **state)
{
    (void)state;
    struct fake *fake = looked(2, 2);
    struct chain_receipt receipt;
    fake->node[1].hides_receipt_of = 50;
    assert_int_equal(one_receipt(fake, 50, &receipt), BURSAR_EUNREACHABLE);
    assert_non_null(strstr(fake->err.message, "no 2 of the 2 nodes that answered agree about receipts"));
    fake->node[1].hides_receipt_of = FAKE_NOBODY;
    assert_int_equal(one_receipt(fake, 50, &receipt), BURSAR_OK);
    fake_free(fake);
}

static void a_node_that_calls_a_success_a_failure_is_set_aside(void **state)
{
    (void)state;
    struct fake *fake = looked(3, 2);
    struct chain_receipt receipt;
    fake->node[0].reverses_outcomes = true;
    assert_int_equal(one_receipt(fake, 50, &receipt), BURSAR_OK);
    assert_true(receipt.succeeded);
    assert_int_equal(fake_state(fake, 0), NODE_LYING);
    assert_non_null(strstr(fake->notes, "node http://a is set aside: it contradicts the others about receipts"));
    fake_free(fake);
    fake = looked(2, 2);
    fake->node[0].reverses_outcomes = true;
    assert_int_equal(one_receipt(fake, 50, &receipt), BURSAR_EUNREACHABLE);
    fake_free(fake);
}

static void a_node_that_tells_of_another_fee_beside_gas_is_set_aside(void **state)
{
    (void)state;
    struct fake *fake = looked(3, 2);
    struct chain_receipt receipt;
    for (size_t i = 0; i < 3; i++)
        fake->node[i].other_fee_wei = i == 0 ? 0 : 70;
    assert_int_equal(one_receipt(fake, 50, &receipt), BURSAR_OK);
    assert_int_equal(receipt.other_fee_wei.limb[0], 70);
    assert_int_equal(fake_state(fake, 0), NODE_LYING);
    fake_free(fake);
}

static void a_quorum_that_fails_to_answer_is_a_failed_read(void **state)
{
    (void)state;
    struct fake *fake = looked(3, 2);
    struct chain_receipt receipt;
    fake_fail(&fake->node[0], 1, BURSAR_EUNREACHABLE);
    fake_fail(&fake->node[1], 1, BURSAR_EUNREACHABLE);
    assert_int_equal(one_receipt(fake, 99999, &receipt), BURSAR_EUNREACHABLE);
    assert_non_null(strstr(fake->err.message, "2 nodes must agree about receipts and 1 answered"));
    fake_free(fake);
}

static void only_as_many_nodes_are_read_as_must_agree(void **state)
{
    (void)state;
    struct fake *fake = looked(4, 2);
    struct chain_receipt receipt;
    assert_int_equal(one_receipt(fake, 50, &receipt), BURSAR_OK);
    assert_int_equal(fake->node[0].reads + fake->node[1].reads, 2);
    assert_int_equal(fake->node[2].reads + fake->node[3].reads, 0);
    fake_free(fake);
}

static void a_block_that_hides_a_transaction_is_outvoted(void **state)
{
    (void)state;
    struct fake *fake = looked(3, 2);
    struct chain_block block = { 0 };
    struct bursar_hash ours = fake_transaction(95);
    fake->node[0].hides_transactions = true;
    assert_int_equal(one_block(fake, 95, &block), BURSAR_OK);
    assert_int_equal(block.transaction_count, 1);
    assert_true(hash_equal(&block.transactions[0], &ours));
    assert_int_equal(fake_state(fake, 0), NODE_LYING); /* one hash, two contents */
    chain_blocks_clear(&block, 1);
    fake_free(fake);
    fake = looked(2, 2);
    fake->node[0].hides_transactions = true;
    assert_int_equal(one_block(fake, 95, &block), BURSAR_EUNREACHABLE);
    fake_free(fake);
}

static void two_forks_of_the_head_are_a_failed_read_and_nobodys_lie(void **state)
{
    (void)state;
    struct fake *fake = looked(2, 2);
    struct chain_block block = { 0 };
    struct chain_receipt receipt;
    fake->node[1].fork_at = 95;
    assert_int_equal(one_block(fake, 96, &block), BURSAR_EUNREACHABLE);
    assert_int_equal(one_receipt(fake, 96, &receipt), BURSAR_EUNREACHABLE);
    assert_int_equal(fake_state(fake, 0), NODE_OK);
    assert_int_equal(fake_state(fake, 1), NODE_OK);
    assert_int_equal(one_block(fake, 94, &block), BURSAR_OK);
    chain_blocks_clear(&block, 1);
    fake_free(fake);
    fake = looked(3, 2);
    fake->node[1].fork_at = 95;
    assert_int_equal(one_block(fake, 96, &block), BURSAR_OK);
    assert_int_equal(one_receipt(fake, 96, &receipt), BURSAR_OK);
    assert_int_equal(fake_state(fake, 1), NODE_OK);
    chain_blocks_clear(&block, 1);
    fake_free(fake);
}

static void another_block_below_the_final_one_is_a_lie(void **state)
{
    (void)state;
    struct fake *fake = looked(3, 2);
    struct chain_block block = { 0 };
    fake->node[1].fork_at = 90;
    assert_int_equal(one_block(fake, 90, &block), BURSAR_OK);
    assert_int_equal(fake_state(fake, 1), NODE_LYING);
    chain_blocks_clear(&block, 1);
    fake_free(fake);
}

static void a_block_that_one_of_two_does_not_have_yet_is_not_absent(void **state)
{
    (void)state;
    struct fake *fake = looked(2, 2);
    struct chain_block block = { 0 };
    fake->node[0].head = 101;
    assert_int_equal(one_block(fake, 101, &block), BURSAR_EUNREACHABLE);
    assert_int_equal(one_block(fake, 102, &block), BURSAR_OK);
    assert_false(block.is_present);
    fake_free(fake);
}

static enum bursar_status one_body(struct fake *fake, uint64_t number, struct chain_body *ret)
{
    const struct bursar_address account = { { 1 } };
    fake->err = (struct bursar_error){ 0 };
    return fake->chain.bodies(fake->chain.ctx, &account, &number, 1, ret, &fake->err);
}

/* Whether a stranger's transaction is there, or not, decides what is paid again: no node says so alone. */
static void what_the_account_has_sent_in_a_block_needs_a_quorum(void **state)
{
    (void)state;
    struct fake *fake = looked(3, 2);
    struct chain_body body = { 0 };
    fake->node[0].hides_transactions = true;
    assert_int_equal(one_body(fake, 50, &body), BURSAR_OK);
    assert_int_equal(body.sent_count, 1);
    assert_int_equal(body.sent[0].transaction.nonce, 49);
    chain_bodies_clear(&body, 1);
    assert_int_equal(fake_state(fake, 0), NODE_LYING);
    fake_free(fake);
    fake = looked(2, 2);
    fake->node[1].hides_transactions = true;
    assert_int_equal(one_body(fake, 50, &body), BURSAR_EUNREACHABLE);
    fake_free(fake);
}

static void a_transaction_in_any_pool_is_there(void **state)
{
    (void)state;
    struct fake *fake = looked(2, 2);
    struct chain_transaction transaction;
    fake->node[1].has_pooled = true;
    assert_int_equal(one_transaction(fake, 200, &transaction), BURSAR_OK);
    assert_true(transaction.is_present);
    assert_false(transaction.is_mined);
    fake->node[1].has_pooled = false;
    assert_int_equal(one_transaction(fake, 200, &transaction), BURSAR_OK);
    assert_false(transaction.is_present);
    fake_free(fake);
}

static void a_transaction_that_one_of_two_calls_mined_is_neither(void **state)
{
    (void)state;
    struct fake *fake = looked(2, 2);
    struct chain_transaction transaction;
    fake->node[0].head = 101;
    assert_int_equal(one_transaction(fake, 101, &transaction), BURSAR_EUNREACHABLE);
    fake->node[1].has_pooled = true;
    assert_int_equal(one_transaction(fake, 101, &transaction), BURSAR_EUNREACHABLE);
    fake->node[1].head = 101;
    assert_int_equal(one_transaction(fake, 101, &transaction), BURSAR_OK);
    assert_true(transaction.is_mined);
    fake_free(fake);
}

static void code_needs_a_quorum_at_one_block(void **state)
{
    (void)state;
    struct fake *fake = looked(3, 2);
    bool found = true;
    assert_int_equal(code(fake, 100, &found), BURSAR_OK);
    assert_false(found);
    fake->node[0].sees_code = true;
    assert_int_equal(code(fake, 100, &found), BURSAR_OK);
    assert_false(found);
    assert_int_equal(fake_state(fake, 0), NODE_LYING);
    fake_free(fake);
    fake = looked(2, 2);
    fake->node[0].head = 101;
    assert_int_equal(code(fake, 101, &found), BURSAR_EUNREACHABLE); /* the other does not have the block */
    fake_free(fake);
}

static void a_node_whose_connection_broke_is_checked_before_it_is_believed(void **state)
{
    (void)state;
    struct fake *fake = looked(2, 1);
    struct chain_receipt receipt;
    fake_fail(&fake->node[0], 1, BURSAR_EUNKNOWN);
    assert_int_equal(one_receipt(fake, 50, &receipt), BURSAR_OK);
    fake->node[0].genesis = 9; /* it comes back as another chain */
    fake->node[0].hides_receipt_of = 50;
    assert_int_equal(one_receipt(fake, 50, &receipt), BURSAR_OK);
    assert_true(receipt.is_present);
    assert_int_equal(fake_state(fake, 0), NODE_LYING);
    fake_free(fake);
}

static void nothing_asked_for_is_no_read(void **state)
{
    (void)state;
    struct fake *fake = looked(2, 2);
    assert_int_equal(receipts(fake, NULL, 0, NULL), BURSAR_OK);
    assert_int_equal(fake->node[0].reads, 0);
    fake_free(fake);
}

static void decimals_need_a_quorum_at_one_block(void **state)
{
    (void)state;
    struct fake *fake = looked(3, 2);
    struct chain_block_ref block = { 100, fake_block_hash(&fake->node[0], 100) };
    struct bursar_address address = { { 1 } };
    struct chain_token token = { 0 };
    fake->node[0].decimals = 6;
    fake->node[1].decimals = fake->node[2].decimals = 18;
    assert_int_equal(fake->chain.tokens(fake->chain.ctx, &block, &address, 1, &token, &fake->err), BURSAR_OK);
    assert_int_equal(token.decimals, 18);
    assert_int_equal(fake_state(fake, 0), NODE_LYING);
    fake_free(fake);
    fake = looked(2, 2);
    fake->node[0].decimals = 6;
    assert_int_equal(fake->chain.tokens(fake->chain.ctx, &block, &address, 1, &token, &fake->err),
                     BURSAR_EUNREACHABLE); /* nobody knows who is right */
    fake_free(fake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_missing_receipt_needs_a_quorum_to_be_missing),
        cmocka_unit_test(a_refusal_needs_a_quorum_and_a_disagreement_is_no_fact),
        cmocka_unit_test(each_receipt_needs_a_quorum_of_its_own),
        cmocka_unit_test(a_receipt_that_only_one_of_two_has_is_a_failed_read_and_no_fact),
        cmocka_unit_test(a_node_that_calls_a_success_a_failure_is_set_aside),
        cmocka_unit_test(a_node_that_tells_of_another_fee_beside_gas_is_set_aside),
        cmocka_unit_test(a_quorum_that_fails_to_answer_is_a_failed_read),
        cmocka_unit_test(only_as_many_nodes_are_read_as_must_agree),
        cmocka_unit_test(a_block_that_hides_a_transaction_is_outvoted),
        cmocka_unit_test(two_forks_of_the_head_are_a_failed_read_and_nobodys_lie),
        cmocka_unit_test(another_block_below_the_final_one_is_a_lie),
        cmocka_unit_test(a_block_that_one_of_two_does_not_have_yet_is_not_absent),
        cmocka_unit_test(what_the_account_has_sent_in_a_block_needs_a_quorum),
        cmocka_unit_test(a_transaction_in_any_pool_is_there),
        cmocka_unit_test(a_transaction_that_one_of_two_calls_mined_is_neither),
        cmocka_unit_test(code_needs_a_quorum_at_one_block),
        cmocka_unit_test(decimals_need_a_quorum_at_one_block),
        cmocka_unit_test(a_node_whose_connection_broke_is_checked_before_it_is_believed),
        cmocka_unit_test(nothing_asked_for_is_no_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

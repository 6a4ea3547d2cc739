/* What several nodes show together, and who is set aside. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/bytes.h"
#include "fake_nodes.h"

#include <string.h>

static void assert_final(const struct fake *fake, uint64_t number)
{
    struct bursar_hash hash = fake_block_hash(&fake->node[0], number);
    assert_true(fake->view.has_final);
    assert_int_equal(fake->view.final.block.number, number);
    assert_true(hash_equal(&fake->view.final.block.hash, &hash));
    assert_int_equal(fake->view.nonce_final, number);
    assert_true(fake->view.has_balance_final);
    assert_int_equal(fake->view.balance_final.limb[0], FAKE_WEI - number);
}

static void final_is_the_newest_block_that_a_quorum_calls_final(void **state)
{
    (void)state;
    struct fake *fake = fake_new(3, 2);
    fake->node[0].final = 95;
    fake->node[1].final = 92;
    fake->node[2].final = 60;
    assert_int_equal(fake_look(fake), BURSAR_OK);
    assert_final(fake, 92);
    fake_free(fake);
    fake = fake_new(3, 3);
    fake->node[0].final = 60;
    fake->node[1].final = 92;
    assert_int_equal(fake_look(fake), BURSAR_OK);
    assert_final(fake, 60);
    fake_free(fake);
}

static void the_head_is_one_that_a_quorum_has_reached(void **state)
{
    (void)state;
    struct fake *fake = fake_new(2, 2);
    fake->node[0].head = 103;
    assert_int_equal(fake_look(fake), BURSAR_OK);
    assert_int_equal(fake->view.latest.block.number, 100);
    assert_int_equal(fake->view.nonce_latest, 100);
    fake_free(fake);
}

static void with_a_quorum_of_one_the_preferred_node_is_looked_through_and_nobody_else(void **state)
{
    (void)state;
    struct fake *fake = fake_new(3, 1);
    fake->node[1].head = 105;
    for (int i = 0; i < 10; i++) {
        assert_int_equal(fake_look(fake), BURSAR_OK);
        assert_int_equal(fake->view.latest.block.number, 100);
    }
    assert_int_equal(fake->node[0].looks, 10);
    assert_int_equal(fake->node[1].looks, 1); /* the survey */
    fake->now_ms += NODES_SURVEY_MS;
    assert_int_equal(fake_look(fake), BURSAR_OK);
    assert_int_equal(fake->node[1].looks, 2);
    fake_free(fake);
}

static void what_any_node_has_seen_pending_counts(void **state)
{
    (void)state;
    struct fake *fake = fake_new(2, 2);
    fake->node[1].pending_more = 3;
    assert_int_equal(fake_look(fake), BURSAR_OK);
    assert_int_equal(fake->view.nonce_pending, 103);
    fake_free(fake);
}

static void a_node_with_another_final_block_is_outvoted_set_aside_and_named(void **state)
{
    (void)state;
    struct fake *fake = fake_new(3, 2);
    fake->node[0].fork_at = 80;
    assert_int_equal(fake_look(fake), BURSAR_OK);
    assert_final(&(struct fake){ .node = { fake->node[1] }, .view = fake->view }, 90);
    assert_int_equal(fake_state(fake, 0), NODE_LYING);
    assert_int_equal(fake_state(fake, 1), NODE_OK);
    assert_non_null(strstr(fake->notes, "node http://a is set aside: it has another block 90"));
    unsigned looks = fake->node[0].looks;
    assert_int_equal(fake_look(fake), BURSAR_OK);
    assert_int_equal(fake->node[0].looks, looks);
    fake_free(fake);
}

static void a_node_that_counts_other_transactions_in_the_final_block_is_set_aside(void **state)
{
    (void)state;
    struct fake *fake = fake_new(3, 2);
    fake->node[0].nonces_more = 5;
    fake->node[0].final = 95; /* also when it is further on */
    assert_int_equal(fake_look(fake), BURSAR_OK);
    assert_int_equal(fake->view.nonce_final, 90);
    assert_int_equal(fake_state(fake, 0), NODE_LYING);
    assert_non_null(strstr(fake->notes, "counts 95 transactions of the account at final block 90"));
    fake_free(fake);
}

static void a_balance_in_the_final_block_is_what_a_quorum_shows_whoever_else_has_to_be_asked(void **state)
{
    (void)state;
    for (int how = 0; how < 4; how++) {
        struct fake *fake = fake_new(3, 2);
        fake->node[how % 2].hides_balance = how < 2;
        fake->node[how % 2].balance_less = how < 2 ? 0 : 5;
        fake->node[2].final = 95; /* is asked again for block 90 */
        assert_int_equal(fake_look(fake), BURSAR_OK);
        assert_final(fake, 90);
        for (size_t i = 0; i < 3; i++)
            assert_int_equal(fake_state(fake, i), NODE_OK);
        fake_free(fake);
    }
}

static void who_agrees_about_the_balance_is_enough_and_nobody_else_is_asked(void **state)
{
    (void)state;
    struct fake *fake = fake_new(3, 2);
    assert_int_equal(fake_look(fake), BURSAR_OK); /* with the survey */
    assert_int_equal(fake_look(fake), BURSAR_OK);
    assert_int_equal(fake->node[2].looks, 1);
    fake->node[0].balance_less = 5;
    assert_int_equal(fake_look(fake), BURSAR_OK);
    assert_final(fake, 90);
    assert_int_equal(fake->node[2].looks, 2);
    fake_free(fake);
}

/* INV-10: whatever nodes say of a balance, observing goes on. */
static void a_balance_without_a_quorum_is_not_known_and_fails_no_look(void **state)
{
    (void)state;
    for (int how = 0; how < 3; how++) {
        struct fake *fake = fake_new(3, 2);
        for (size_t i = 0; i < 2; i++) {
            fake->node[i].hides_balance = how == 0;
            fake->node[i].balance_less = how == 1 ? 5 * (i + 1) : 0;
        }
        if (how == 2) {
            fake->node[0].balance_less = 5;
            fake_fail(&fake->node[2], 100, BURSAR_EUNREACHABLE);
        }
        for (int i = 0; i < 3; i++) {
            assert_int_equal(fake_look(fake), BURSAR_OK);
            assert_int_equal(fake->view.nonce_final, 90);
            assert_false(fake->view.has_balance_final);
            assert_true(bursar_amount_is_zero(fake->view.balance_final));
        }
        assert_null(strstr(fake->notes, "set aside"));
        fake_free(fake);
    }
}

static void with_a_quorum_of_one_the_balance_is_the_first_that_is_known(void **state)
{
    (void)state;
    struct fake *fake = fake_new(2, 1);
    fake->node[0].hides_balance = true;
    fake->node[1].final = 95;
    assert_int_equal(fake_look(fake), BURSAR_OK);
    assert_final(fake, 90);
    fake_free(fake);
    fake = fake_new(1, 1);
    assert_int_equal(fake_look(fake), BURSAR_OK);
    assert_final(fake, 90);
    fake_free(fake);
}

static void a_balance_of_another_block_than_the_agreed_one_counts_for_nothing(void **state)
{
    (void)state;
    struct fake *fake = fake_new(2, 1);
    fake->node[0].hides_balance = true;
    fake->node[1].final = 80; /* does not vouch for block 90 */
    assert_int_equal(fake_look(fake), BURSAR_OK);
    assert_int_equal(fake->view.final.block.number, 90);
    assert_false(fake->view.has_balance_final);
    fake_free(fake);
}

static void nodes_that_disagree_without_a_quorum_show_nothing(void **state)
{
    (void)state;
    struct fake *fake = fake_new(2, 2);
    fake->node[1].fork_at = 80;
    assert_int_equal(fake_look(fake), BURSAR_EUNREACHABLE);
    assert_non_null(strstr(fake->err.message, "the nodes disagree"));
    assert_int_equal(fake->view.chain_id, 0); /* untouched */
    assert_int_not_equal(fake_state(fake, 0), NODE_LYING);
    assert_int_not_equal(fake_state(fake, 1), NODE_LYING);
    fake->node[1].fork_at = FAKE_NOBODY;
    fake->node[1].nonces_more = 1;
    assert_int_equal(fake_look(fake), BURSAR_EUNREACHABLE);
    fake->node[1].nonces_more = 0;
    assert_int_equal(fake_look(fake), BURSAR_OK);
    fake_free(fake);
}

static void without_a_quorum_of_answers_there_is_no_view(void **state)
{
    (void)state;
    struct fake *fake = fake_new(3, 2);
    fake_fail(&fake->node[0], 1, BURSAR_EUNREACHABLE);
    fake_fail(&fake->node[2], 1, BURSAR_EUNKNOWN);
    assert_int_equal(fake_look(fake), BURSAR_EUNREACHABLE);
    assert_non_null(strstr(fake->err.message, "2 nodes must agree and 1 of 3 answered"));
    assert_non_null(strstr(fake->err.message, "http://c"));
    fake_free(fake);
}

static void a_node_on_another_chain_is_set_aside_though_it_is_preferred(void **state)
{
    (void)state;
    for (int how = 0; how < 3; how++) {
        struct fake *fake = fake_new(2, 1);
        if (how == 0)
            fake->node[0].chain_id = 8;
        else if (how == 1)
            fake->node[0].genesis = 9;
        else
            fake->node[0].fork_at = 5;
        assert_int_equal(fake_look(fake), BURSAR_OK);
        assert_int_equal(fake->view.chain_id, FAKE_CHAIN_ID);
        assert_true(hash_equal(&fake->view.genesis_hash, &fake->query.genesis_hash));
        assert_true(hash_equal(&fake->view.anchor_hash, &fake->query.anchor_hash));
        assert_int_equal(fake_state(fake, 0), NODE_LYING);
        assert_non_null(strstr(fake->notes, how == 0   ? "is on chain 8, the others on chain 7"
                                            : how == 1 ? "another genesis block"
                                                       : "another block 10 than the others, which was final"));
        fake_free(fake);
    }
}

/* INV-8: the asker must learn of it, and halt. */
static void where_all_contradict_what_is_pinned_that_is_shown(void **state)
{
    (void)state;
    struct fake *fake = fake_new(2, 1);
    fake->node[0].fork_at = fake->node[1].fork_at = 5;
    assert_int_equal(fake_look(fake), BURSAR_OK);
    assert_false(hash_equal(&fake->view.anchor_hash, &fake->query.anchor_hash));
    fake_free(fake);
    fake = fake_new(1, 1);
    fake->node[0].chain_id = 8;
    assert_int_equal(fake_look(fake), BURSAR_OK);
    assert_int_equal(fake->view.chain_id, 8);
    fake_free(fake);
}

static void a_quorum_that_contradicts_what_is_pinned_is_shown_and_nobody_set_aside_for_it(void **state)
{
    (void)state;
    struct fake *fake = fake_new(3, 2);
    fake->node[1].fork_at = fake->node[2].fork_at = 5;
    assert_int_equal(fake_look(fake), BURSAR_OK);
    assert_false(hash_equal(&fake->view.anchor_hash, &fake->query.anchor_hash));
    assert_int_equal(fake_state(fake, 0), NODE_OK);
    assert_int_equal(fake_state(fake, 1), NODE_OK);
    fake_free(fake);
}

static void one_node_against_the_pins_and_one_that_lacks_the_anchor_are_no_quorum(void **state)
{
    (void)state;
    struct fake *fake = fake_new(2, 2);
    fake->node[0].fork_at = 5;
    fake->node[1].head = 8;
    fake->node[1].final = 0;
    assert_int_equal(fake_look(fake), BURSAR_EUNREACHABLE);
    fake_free(fake);
}

static void a_liar_is_not_asked_even_when_all_others_fail_and_comes_back_when_it_agrees(void **state)
{
    (void)state;
    struct fake *fake = fake_new(2, 1);
    fake->node[1].fork_at = 80;
    assert_int_equal(fake_look(fake), BURSAR_OK);
    assert_int_equal(fake_state(fake, 1), NODE_LYING);
    fake_fail(&fake->node[0], 1, BURSAR_EUNREACHABLE);
    assert_int_equal(fake_look(fake), BURSAR_EUNREACHABLE);
    assert_non_null(strstr(fake->err.message, "http://b: set aside: it has another block 90"));
    fake->node[1].fork_at = FAKE_NOBODY;
    fake->now_ms += NODES_SURVEY_MS;
    assert_int_equal(fake_look(fake), BURSAR_OK);
    assert_int_equal(fake_state(fake, 1), NODE_OK);
    assert_non_null(strstr(fake->notes, "node http://b agrees with the others again"));
    fake_fail(&fake->node[0], 1, BURSAR_EUNREACHABLE);
    assert_int_equal(fake_look(fake), BURSAR_OK);
    fake_free(fake);
}

static void a_preferred_node_that_lags_is_set_aside_until_it_has_caught_up(void **state)
{
    (void)state;
    struct fake *fake = fake_new(2, 1);
    fake->node[0].head = 100 - NODES_LAG_MAX_BLOCKS - 1;
    fake->node[0].final = 70;
    assert_int_equal(fake_look(fake), BURSAR_OK); /* noticed with this look */
    assert_int_equal(fake_state(fake, 0), NODE_LAGGING);
    assert_non_null(strstr(fake->notes, "node http://a is set aside: it is at block 79, the others are at 100"));
    assert_int_equal(fake_look(fake), BURSAR_OK);
    assert_int_equal(fake->view.latest.block.number, 100);
    assert_final(fake, 90);
    fake->node[0].head = 101;
    fake->now_ms += NODES_SURVEY_MS;
    assert_int_equal(fake_look(fake), BURSAR_OK);
    assert_int_equal(fake_state(fake, 0), NODE_OK);
    assert_int_equal(fake_look(fake), BURSAR_OK);
    assert_int_equal(fake->view.latest.block.number, 101);
    fake_free(fake);
}

static void a_node_a_few_blocks_behind_does_not_lag(void **state)
{
    (void)state;
    struct fake *fake = fake_new(2, 1);
    fake->node[0].head = 100 - NODES_LAG_MAX_BLOCKS;
    assert_int_equal(fake_look(fake), BURSAR_OK);
    assert_int_equal(fake_state(fake, 0), NODE_OK);
    fake_free(fake);
}

static void one_node_far_ahead_does_not_make_the_others_lag(void **state)
{
    (void)state;
    struct fake *fake = fake_new(3, 1);
    fake->node[2].head = 1000000;
    assert_int_equal(fake_look(fake), BURSAR_OK);
    assert_int_equal(fake_state(fake, 0), NODE_OK);
    assert_int_equal(fake_state(fake, 1), NODE_OK);
    fake_free(fake);
}

static void a_lagging_node_that_a_quorum_needs_is_named_and_asked_all_the_same(void **state)
{
    (void)state;
    struct fake *fake = fake_new(2, 2);
    fake->node[1].head = 60;
    fake->node[1].final = 50;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(fake_look(fake), BURSAR_OK);
        assert_int_equal(fake->view.latest.block.number, 60);
        assert_final(fake, 50);
        assert_int_equal(fake_state(fake, 1), NODE_LAGGING);
    }
    fake_free(fake);
}

static void when_only_a_lagging_node_is_left_it_is_looked_through(void **state)
{
    (void)state;
    struct fake *fake = fake_new(2, 1);
    fake->node[1].head = 60;
    fake->node[1].final = 50;
    assert_int_equal(fake_look(fake), BURSAR_OK);
    assert_int_equal(fake_state(fake, 1), NODE_LAGGING);
    fake_fail(&fake->node[0], 1, BURSAR_EUNREACHABLE);
    assert_int_equal(fake_look(fake), BURSAR_OK);
    assert_int_equal(fake->view.latest.block.number, 60);
    fake_free(fake);
}

static void a_node_that_lacks_the_anchor_is_behind_and_no_proof_of_anything(void **state)
{
    (void)state;
    struct fake *fake = fake_new(2, 1);
    fake->node[0].head = 8;
    fake->node[0].final = 4;
    assert_int_equal(fake_look(fake), BURSAR_OK);
    assert_true(fake->view.has_anchor_block);
    assert_int_equal(fake_state(fake, 0), NODE_LAGGING);
    fake_fail(&fake->node[1], 1, BURSAR_EUNREACHABLE);
    assert_int_equal(fake_look(fake), BURSAR_OK);
    assert_false(fake->view.has_anchor_block); /* the asker waits for it */
    fake_free(fake);
}

static void an_anchor_is_looked_for_also_by_who_does_not_know_its_hash(void **state)
{
    (void)state;
    struct fake *fake = fake_new(2, 1);
    fake->query = (struct chain_query){ .has_anchor = true, .anchor_number = 10 };
    fake->node[0].head = 8;
    fake->node[0].final = 4;
    assert_int_equal(fake_look(fake), BURSAR_OK);
    assert_true(fake->view.has_anchor_block);
    fake_free(fake);
}

static void an_asker_that_is_not_pinned_yet_gets_what_a_quorum_shows(void **state)
{
    (void)state;
    struct fake *fake = fake_new(3, 2);
    fake->query = (struct chain_query){ 0 };
    fake->node[0].genesis = 9;
    struct bursar_hash genesis = fake_block_hash(&fake->node[1], 0);
    assert_int_equal(fake_look(fake), BURSAR_OK);
    assert_true(hash_equal(&fake->view.genesis_hash, &genesis));
    assert_int_equal(fake_state(fake, 0), NODE_LYING);
    fake_free(fake);
}

static void nodes_that_cannot_serve_us_refuse_only_as_a_quorum(void **state)
{
    (void)state;
    struct fake *fake = fake_new(2, 1);
    fake->node[0].fault_is_answer = true;
    fake_fail(&fake->node[0], 100, BURSAR_EREFUSED);
    assert_int_equal(fake_look(fake), BURSAR_OK);
    fake_fail(&fake->node[1], 100, BURSAR_EREFUSED);
    assert_int_equal(fake_look(fake), BURSAR_EREFUSED);
    fake_free(fake);
    fake = fake_new(3, 2);
    fake_fail(&fake->node[0], 100, BURSAR_EREFUSED);
    fake_fail(&fake->node[1], 100, BURSAR_EUNREACHABLE);
    assert_int_equal(fake_look(fake), BURSAR_EUNREACHABLE);
    fake_free(fake);
}

static void nodes_that_all_differ_are_asked_a_bounded_number_of_times(void **state)
{
    (void)state;
    enum { NODES = 6 };
    struct fake *fake = fake_new(NODES, 2);
    unsigned looks = 0;
    for (size_t i = 0; i < NODES; i++) {
        fake->node[i].final = 40 + 10 * i;
        fake->node[i].nonces_more = i;
    }
    assert_int_equal(fake_look(fake), BURSAR_EUNREACHABLE);
    for (size_t i = 0; i < NODES; i++)
        looks += fake->node[i].looks;
    assert_in_range(looks, NODES, 3 * NODES);
    fake_free(fake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(final_is_the_newest_block_that_a_quorum_calls_final),
        cmocka_unit_test(the_head_is_one_that_a_quorum_has_reached),
        cmocka_unit_test(with_a_quorum_of_one_the_preferred_node_is_looked_through_and_nobody_else),
        cmocka_unit_test(what_any_node_has_seen_pending_counts),
        cmocka_unit_test(a_node_with_another_final_block_is_outvoted_set_aside_and_named),
        cmocka_unit_test(a_node_that_counts_other_transactions_in_the_final_block_is_set_aside),
        cmocka_unit_test(a_balance_in_the_final_block_is_what_a_quorum_shows_whoever_else_has_to_be_asked),
        cmocka_unit_test(who_agrees_about_the_balance_is_enough_and_nobody_else_is_asked),
        cmocka_unit_test(a_balance_without_a_quorum_is_not_known_and_fails_no_look),
        cmocka_unit_test(with_a_quorum_of_one_the_balance_is_the_first_that_is_known),
        cmocka_unit_test(a_balance_of_another_block_than_the_agreed_one_counts_for_nothing),
        cmocka_unit_test(nodes_that_disagree_without_a_quorum_show_nothing),
        cmocka_unit_test(without_a_quorum_of_answers_there_is_no_view),
        cmocka_unit_test(a_node_on_another_chain_is_set_aside_though_it_is_preferred),
        cmocka_unit_test(where_all_contradict_what_is_pinned_that_is_shown),
        cmocka_unit_test(a_quorum_that_contradicts_what_is_pinned_is_shown_and_nobody_set_aside_for_it),
        cmocka_unit_test(one_node_against_the_pins_and_one_that_lacks_the_anchor_are_no_quorum),
        cmocka_unit_test(a_liar_is_not_asked_even_when_all_others_fail_and_comes_back_when_it_agrees),
        cmocka_unit_test(a_preferred_node_that_lags_is_set_aside_until_it_has_caught_up),
        cmocka_unit_test(a_node_a_few_blocks_behind_does_not_lag),
        cmocka_unit_test(one_node_far_ahead_does_not_make_the_others_lag),
        cmocka_unit_test(a_lagging_node_that_a_quorum_needs_is_named_and_asked_all_the_same),
        cmocka_unit_test(when_only_a_lagging_node_is_left_it_is_looked_through),
        cmocka_unit_test(a_node_that_lacks_the_anchor_is_behind_and_no_proof_of_anything),
        cmocka_unit_test(an_anchor_is_looked_for_also_by_who_does_not_know_its_hash),
        cmocka_unit_test(an_asker_that_is_not_pinned_yet_gets_what_a_quorum_shows),
        cmocka_unit_test(nodes_that_cannot_serve_us_refuse_only_as_a_quorum),
        cmocka_unit_test(nodes_that_all_differ_are_asked_a_bounded_number_of_times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

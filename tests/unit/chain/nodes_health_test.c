/* Who is asked: preference, breakers, Retry-After. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "fake_nodes.h"

#include <string.h>

static enum bursar_status read_receipt(struct fake *fake)
{
    struct bursar_hash hash = fake_transaction(50);
    struct chain_receipt receipt;
    fake->err = (struct bursar_error){ 0 };
    enum bursar_status status = fake->chain.receipts(fake->chain.ctx, &hash, 1, &receipt, &fake->err);
    if (status == BURSAR_OK)
        assert_int_equal(receipt.block.number, 50);
    return status;
}

static void reads_go_to_the_first_node_and_fall_over_to_the_next(void **state)
{
    (void)state;
    struct fake *fake = fake_new(3, 1);
    assert_int_equal(fake_look(fake), BURSAR_OK);
    assert_int_equal(read_receipt(fake), BURSAR_OK);
    assert_int_equal(fake->node[0].reads, 1);
    assert_int_equal(fake->node[1].reads, 0);
    fake_fail(&fake->node[0], 1, BURSAR_EUNREACHABLE);
    assert_int_equal(read_receipt(fake), BURSAR_OK);
    assert_int_equal(fake->node[1].reads, 1);
    assert_int_equal(fake->node[2].reads, 0);
    assert_int_equal(fake_state(fake, 0), NODE_FAILING);
    assert_non_null(strstr(fake->notes, "node http://a fails: a fault in store"));
    assert_int_equal(read_receipt(fake), BURSAR_OK);
    assert_int_equal(fake->node[0].reads, 3);
    assert_int_equal(fake_state(fake, 0), NODE_OK);
    assert_non_null(strstr(fake->notes, "node http://a answers again"));
    fake_free(fake);
}

static void a_look_that_fails_is_had_from_the_next_node(void **state)
{
    (void)state;
    struct fake *fake = fake_new(2, 1);
    fake->node[1].head = 101;
    fake_fail(&fake->node[0], 1, BURSAR_EUNKNOWN);
    assert_int_equal(fake_look(fake), BURSAR_OK);
    assert_int_equal(fake->view.latest.block.number, 101);
    assert_int_equal(fake_look(fake), BURSAR_OK);
    assert_int_equal(fake->view.latest.block.number, 100);
    fake_free(fake);
}

static void a_node_that_keeps_failing_is_left_alone_for_a_minute(void **state)
{
    (void)state;
    struct fake *fake = fake_new(2, 1);
    assert_int_equal(fake_look(fake), BURSAR_OK);
    fake_fail(&fake->node[0], 1000, BURSAR_EUNREACHABLE);
    for (int i = 0; i < 3; i++)
        assert_int_equal(fake_look(fake), BURSAR_OK);
    unsigned looks = fake->node[0].looks;
    assert_int_equal(looks, 4);
    for (int i = 0; i < 5; i++) {
        fake->now_ms += 11000;
        assert_int_equal(fake_look(fake), BURSAR_OK);
        assert_int_equal(read_receipt(fake), BURSAR_OK);
    }
    assert_int_equal(fake->node[0].looks, looks);
    assert_int_equal(fake->node[0].reads, 0);
    fake->node[0].faults = 0;
    fake->now_ms += 6000;
    assert_int_equal(fake_look(fake), BURSAR_OK);
    assert_int_equal(fake->node[0].looks, looks + 1);
    assert_int_equal(fake_state(fake, 0), NODE_OK);
    fake_free(fake);
}

static void when_all_keep_failing_they_are_asked_all_the_same(void **state)
{
    (void)state;
    struct fake *fake = fake_new(2, 1);
    for (size_t i = 0; i < 2; i++)
        fake_fail(&fake->node[i], 10, BURSAR_EUNREACHABLE);
    for (int i = 0; i < 10; i++)
        assert_int_equal(fake_look(fake), BURSAR_EUNREACHABLE);
    assert_non_null(strstr(fake->err.message, "http://a"));
    assert_non_null(strstr(fake->err.message, "http://b"));
    assert_int_equal(fake_look(fake), BURSAR_OK); /* no minute's wait */
    assert_int_equal(fake_look(fake), BURSAR_OK);
    assert_int_equal(fake_state(fake, 0), NODE_OK);
    fake_free(fake);
}

static void a_node_that_helps_out_while_it_was_left_alone_is_back(void **state)
{
    (void)state;
    struct fake *fake = fake_new(2, 1);
    fake_fail(&fake->node[0], 3, BURSAR_EUNREACHABLE);
    for (int i = 0; i < 3; i++)
        assert_int_equal(fake_look(fake), BURSAR_OK);
    unsigned looks = fake->node[0].looks;
    assert_int_equal(fake_look(fake), BURSAR_OK);
    assert_int_equal(fake->node[0].looks, looks); /* left alone */
    fake_fail(&fake->node[1], 1, BURSAR_EUNREACHABLE);
    assert_int_equal(fake_look(fake), BURSAR_OK);
    assert_int_equal(fake->node[0].looks, looks + 1);
    assert_int_equal(fake_look(fake), BURSAR_OK);
    assert_int_equal(fake->node[0].looks, looks + 2);
    fake_free(fake);
}

static void an_error_that_a_node_answers_with_is_no_fault_of_the_way_to_it(void **state)
{
    (void)state;
    struct fake *fake = fake_new(2, 1);
    assert_int_equal(fake_look(fake), BURSAR_OK);
    fake->node[0].fault_is_answer = true;
    fake_fail(&fake->node[0], 5, BURSAR_EUNREACHABLE);
    for (int i = 0; i < 5; i++)
        assert_int_equal(read_receipt(fake), BURSAR_OK);
    assert_int_equal(fake->node[0].reads, 5);
    assert_int_equal(read_receipt(fake), BURSAR_OK);
    assert_int_equal(fake->node[0].reads, 6); /* no breaker has opened */
    assert_int_equal(fake->node[1].reads, 5);
    fake_free(fake);
}

static void a_fault_that_did_not_keep_the_answer_away_is_none(void **state)
{
    (void)state;
    struct fake *fake = fake_new(2, 1);
    fake->node[0].stumbles = true;
    for (unsigned i = 1; i <= 10; i++) {
        assert_int_equal(fake_look(fake), BURSAR_OK);
        assert_int_equal(read_receipt(fake), BURSAR_OK);
        assert_int_equal(fake->node[0].looks, i);
        assert_int_equal(fake->node[0].reads, i);
    }
    assert_int_equal(fake->node[1].reads, 0);
    fake_free(fake);
}

static void what_is_given_up_on_request_does_not_go_on_with_another_node(void **state)
{
    (void)state;
    struct fake *fake = fake_new(2, 1);
    fake_fail(&fake->node[0], 1, BURSAR_ECANCELLED);
    assert_int_equal(fake_look(fake), BURSAR_ECANCELLED);
    assert_int_equal(fake->node[1].looks, 0);
    assert_int_equal(fake_look(fake), BURSAR_OK);
    fake_fail(&fake->node[0], 1, BURSAR_ECANCELLED);
    assert_int_equal(read_receipt(fake), BURSAR_ECANCELLED);
    assert_int_equal(fake->node[1].reads, 0);
    assert_int_equal(fake_state(fake, 0), NODE_OK);
    fake_free(fake);
}

/* After its connection failed a node is looked at before it is believed: that look can be given up as well. */
static void lose_connection_then_give_up(struct fake *fake)
{
    assert_int_equal(fake_look(fake), BURSAR_OK);
    fake_fail(&fake->node[0], 1, BURSAR_EUNREACHABLE);
    assert_int_equal(read_receipt(fake), fake->count > 2 ? BURSAR_OK : BURSAR_EUNREACHABLE);
    fake_fail(&fake->node[0], 1, BURSAR_ECANCELLED);
    fake->node[1].reads = fake->node[1].submits = fake->node[1].starts = 0;
}

static void a_read_that_is_given_up_while_its_node_is_vetted_says_so(void **state)
{
    (void)state;
    for (size_t count = 2; count <= 3; count++) {
        struct fake *fake = fake_new(count, 2);
        lose_connection_then_give_up(fake);
        assert_int_equal(read_receipt(fake), BURSAR_ECANCELLED);
        assert_int_equal(fake->node[1].reads, 0);
        fake_free(fake);
    }
}

static void a_hand_over_that_is_given_up_while_a_node_is_vetted_says_so(void **state)
{
    (void)state;
    struct fake *fake = fake_new(2, 2);
    const struct raw_transaction raw = { (const uint8_t *)"x", 1, fake_transaction(500) };
    struct submit_result result;
    lose_connection_then_give_up(fake);
    assert_int_equal(fake->chain.submit(fake->chain.ctx, &raw, 1, &result, &fake->err), BURSAR_ECANCELLED);
    assert_int_equal(result.verdict, SUBMIT_UNSENT);
    assert_int_equal(fake->node[1].submits, 0);
    fake_fail(&fake->node[0], 1, BURSAR_ECANCELLED);
    assert_int_equal(fake->chain.submit_start(fake->chain.ctx, 0, &raw, 1, &fake->err), BURSAR_ECANCELLED);
    assert_int_equal(fake->node[1].starts, 0);
    fake_free(fake);
}

static void a_node_is_left_alone_for_as_long_as_it_asks_to_be(void **state)
{
    (void)state;
    struct fake *fake = fake_new(2, 1);
    assert_int_equal(fake_look(fake), BURSAR_OK);
    fake->node[0].retry_after_ms = 5000;
    assert_int_equal(read_receipt(fake), BURSAR_OK);
    assert_int_equal(fake->node[0].reads, 1);
    assert_int_equal(fake->node[1].reads, 1);
    assert_int_equal(fake_state(fake, 0), NODE_RESTING);
    fake->node[0].retry_after_ms = 0;
    fake->now_ms += 4999;
    assert_int_equal(read_receipt(fake), BURSAR_OK);
    assert_int_equal(fake_look(fake), BURSAR_OK);
    assert_int_equal(fake->node[0].reads, 1);
    assert_int_equal(fake->node[0].looks, 1);
    fake->now_ms += 1;
    assert_int_equal(read_receipt(fake), BURSAR_OK);
    assert_int_equal(fake->node[0].reads, 2);
    fake_free(fake);
}

static void asking_to_be_left_alone_again_and_again_opens_no_breaker(void **state)
{
    (void)state;
    struct fake *fake = fake_new(2, 1);
    assert_int_equal(fake_look(fake), BURSAR_OK);
    fake->node[0].retry_after_ms = 1000;
    for (int i = 0; i < 6; i++) {
        assert_int_equal(read_receipt(fake), BURSAR_OK);
        fake->now_ms += 1000;
    }
    fake->node[0].retry_after_ms = 0;
    unsigned reads = fake->node[0].reads;
    assert_int_equal(read_receipt(fake), BURSAR_OK);
    assert_int_equal(fake->node[0].reads, reads + 1);
    fake_free(fake);
}

static void nobody_is_kept_away_for_longer_than_a_minute(void **state)
{
    (void)state;
    struct fake *fake = fake_new(2, 1);
    assert_int_equal(fake_look(fake), BURSAR_OK);
    fake->node[0].retry_after_ms = UINT64_MAX / 2;
    assert_int_equal(read_receipt(fake), BURSAR_OK);
    fake->node[0].retry_after_ms = 0;
    fake->now_ms += RPC_RETRY_AFTER_MAX_MS;
    assert_int_equal(read_receipt(fake), BURSAR_OK);
    assert_int_equal(fake->node[0].reads, 2);
    fake_free(fake);
}

static void a_node_alone_is_left_alone_too_and_fails_in_its_own_words(void **state)
{
    (void)state;
    struct fake *fake = fake_new(1, 1);
    fake_fail(&fake->node[0], 100, BURSAR_EUNREACHABLE);
    for (int i = 0; i < 50; i++)
        assert_int_equal(fake_look(fake), BURSAR_EUNREACHABLE);
    assert_string_equal(fake->err.message, "a fault in store");
    assert_int_equal(fake->node[0].looks, 50);
    assert_int_equal(read_receipt(fake), BURSAR_EUNREACHABLE);
    assert_string_equal(fake->err.message, "a fault in store");
    fake->node[0].faults = 0;
    fake->node[0].retry_after_ms = 2000;
    assert_int_equal(fake_look(fake), BURSAR_EUNKNOWN);
    assert_int_equal(fake_look(fake), BURSAR_EUNREACHABLE);
    assert_non_null(strstr(fake->err.message, "http://a: has asked to be left alone for another 2000 ms"));
    assert_int_equal(fake->node[0].looks, 51);
    assert_string_equal(fake->notes, "");
    fake_free(fake);
}

static void nodes_of_one_name_are_told_apart(void **state)
{
    (void)state;
    struct fake *fake = fake_new(1, 1);
    struct nodes_member member = { .name = "http://a" };
    struct node_health health;
    assert_int_equal(nodes_add(fake->nodes, &member, &fake->err), BURSAR_OK);
    nodes_look(fake->nodes, 1, &health);
    assert_string_equal(health.name, "http://a (URL 2)");
    fake_free(fake);
}

static void a_quorum_of_more_than_there_are_is_refused(void **state)
{
    (void)state;
    struct nodes_config config = { .quorum = 1 };
    struct nodes *nodes = NULL;
    struct chain chain;
    struct bursar_error err = { 0 };
    assert_int_equal(nodes_new(&config, &nodes, &err), BURSAR_OK);
    assert_int_equal(nodes_interface(nodes, &chain, &err), BURSAR_EINVAL);
    nodes_free(nodes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_go_to_the_first_node_and_fall_over_to_the_next),
        cmocka_unit_test(a_look_that_fails_is_had_from_the_next_node),
        cmocka_unit_test(a_node_that_keeps_failing_is_left_alone_for_a_minute),
        cmocka_unit_test(when_all_keep_failing_they_are_asked_all_the_same),
        cmocka_unit_test(a_node_that_helps_out_while_it_was_left_alone_is_back),
        cmocka_unit_test(an_error_that_a_node_answers_with_is_no_fault_of_the_way_to_it),
        cmocka_unit_test(a_fault_that_did_not_keep_the_answer_away_is_none),
        cmocka_unit_test(what_is_given_up_on_request_does_not_go_on_with_another_node),
        cmocka_unit_test(a_read_that_is_given_up_while_its_node_is_vetted_says_so),
        cmocka_unit_test(a_hand_over_that_is_given_up_while_a_node_is_vetted_says_so),
        cmocka_unit_test(a_node_is_left_alone_for_as_long_as_it_asks_to_be),
        cmocka_unit_test(asking_to_be_left_alone_again_and_again_opens_no_breaker),
        cmocka_unit_test(nobody_is_kept_away_for_longer_than_a_minute),
        cmocka_unit_test(a_node_alone_is_left_alone_too_and_fails_in_its_own_words),
        cmocka_unit_test(nodes_of_one_name_are_told_apart),
        cmocka_unit_test(a_quorum_of_more_than_there_are_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

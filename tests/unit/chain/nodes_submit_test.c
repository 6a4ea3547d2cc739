/* Transactions handed to several nodes, and what their verdicts mean together. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "fake_nodes.h"

#include <string.h>

static struct fake *looked(size_t count)
{
    struct fake *fake = fake_new(count, 1);
    assert_int_equal(fake_look(fake), BURSAR_OK);
    return fake;
}

static enum bursar_status submit(struct fake *fake, struct submit_result *ret, size_t count)
{
    struct raw_transaction list[4] = { 0 };
    fake->err = (struct bursar_error){ 0 };
    return fake->chain.submit(fake->chain.ctx, list, count, ret, &fake->err);
}

static void every_healthy_node_gets_every_transaction(void **state)
{
    (void)state;
    struct fake *fake = looked(3);
    struct submit_result results[4];
    assert_int_equal(submit(fake, results, 4), BURSAR_OK);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(fake->node[i].submits, 1);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(results[i].verdict, SUBMIT_ACCEPTED);
        assert_string_equal(results[i].message, "");
    }
    fake_free(fake);
}

struct merge {
    enum submit_verdict a, b, want;
    enum bursar_status status;
};

static void verdicts_are_merged_and_no_refusal_outweighs_an_unknown(void **state)
{
    (void)state;
    static const struct merge merges[] = {
        { SUBMIT_ACCEPTED, SUBMIT_NONCE_TOO_LOW, SUBMIT_ACCEPTED, BURSAR_OK },
        { SUBMIT_ACCEPTED, SUBMIT_UNKNOWN, SUBMIT_ACCEPTED, BURSAR_OK },
        { SUBMIT_ACCEPTED, SUBMIT_KNOWN, SUBMIT_ACCEPTED, BURSAR_OK },
        { SUBMIT_KNOWN, SUBMIT_UNKNOWN, SUBMIT_KNOWN, BURSAR_OK },
        { SUBMIT_KNOWN, SUBMIT_UNDERPRICED, SUBMIT_KNOWN, BURSAR_OK },
        { SUBMIT_UNKNOWN, SUBMIT_REFUSED, SUBMIT_UNKNOWN, BURSAR_EUNKNOWN },
        { SUBMIT_UNKNOWN, SUBMIT_INSUFFICIENT_FUNDS, SUBMIT_UNKNOWN, BURSAR_EUNKNOWN },
        { SUBMIT_UNKNOWN, SUBMIT_FEE_TOO_LOW, SUBMIT_UNKNOWN, BURSAR_EUNKNOWN },
        { SUBMIT_UNKNOWN, SUBMIT_UNSENT, SUBMIT_UNKNOWN, BURSAR_EUNKNOWN },
        { SUBMIT_UNKNOWN, SUBMIT_NONCE_TOO_LOW, SUBMIT_CONTESTED, BURSAR_OK },
        { SUBMIT_UNKNOWN, SUBMIT_UNDERPRICED, SUBMIT_CONTESTED, BURSAR_OK },
        { SUBMIT_UNSENT, SUBMIT_ACCEPTED, SUBMIT_ACCEPTED, BURSAR_OK },
        { SUBMIT_UNSENT, SUBMIT_NONCE_TOO_LOW, SUBMIT_NONCE_TOO_LOW, BURSAR_OK },
        { SUBMIT_UNSENT, SUBMIT_REFUSED, SUBMIT_REFUSED, BURSAR_OK },
        { SUBMIT_UNSENT, SUBMIT_UNSENT, SUBMIT_UNSENT, BURSAR_EUNREACHABLE },
        { SUBMIT_NONCE_TOO_LOW, SUBMIT_FEE_TOO_LOW, SUBMIT_NONCE_TOO_LOW, BURSAR_OK },
        { SUBMIT_UNDERPRICED, SUBMIT_INSUFFICIENT_FUNDS, SUBMIT_UNDERPRICED, BURSAR_OK },
        { SUBMIT_FEE_TOO_LOW, SUBMIT_REFUSED, SUBMIT_FEE_TOO_LOW, BURSAR_OK },
    };
    for (size_t i = 0; i < 2 * sizeof merges / sizeof merges[0]; i++) {
        const struct merge *merge = &merges[i / 2];
        struct fake *fake = looked(2);
        struct submit_result result;
        fake->node[i % 2].verdict = merge->a;
        fake->node[1 - i % 2].verdict = merge->b;
        enum bursar_status status = submit(fake, &result, 1);
        if (result.verdict != merge->want || status != merge->status)
            fail_msg("%s and %s are %s (%d), want %s (%d)", submit_verdict_name(merge->a),
                     submit_verdict_name(merge->b), submit_verdict_name(result.verdict), (int)status,
                     submit_verdict_name(merge->want), (int)merge->status);
        fake_free(fake);
    }
}

static void a_contested_nonce_is_settled_by_whoever_has_it(void **state)
{
    (void)state;
    struct fake *fake = looked(3);
    struct submit_result result;
    fake->node[0].verdict = SUBMIT_UNKNOWN;
    fake->node[1].verdict = SUBMIT_NONCE_TOO_LOW;
    fake->node[2].verdict = SUBMIT_KNOWN;
    assert_int_equal(submit(fake, &result, 1), BURSAR_OK);
    assert_int_equal(result.verdict, SUBMIT_KNOWN);
    fake->node[2].verdict = SUBMIT_REFUSED;
    assert_int_equal(submit(fake, &result, 1), BURSAR_OK);
    assert_int_equal(result.verdict, SUBMIT_CONTESTED);
    fake_free(fake);
}

static void a_refusal_names_the_node_that_refused(void **state)
{
    (void)state;
    struct fake *fake = looked(2);
    struct submit_result result;
    fake->node[0].verdict = fake->node[1].verdict = SUBMIT_INSUFFICIENT_FUNDS;
    assert_int_equal(submit(fake, &result, 1), BURSAR_OK);
    assert_string_equal(result.message, "http://a: insufficient_funds");
    fake_free(fake);
}

static void nodes_that_are_set_aside_or_left_alone_get_nothing(void **state)
{
    (void)state;
    struct fake *fake = fake_new(4, 1);
    struct submit_result result;
    fake->node[1].genesis = 9;
    fake->node[2].head = 20;
    assert_int_equal(fake_look(fake), BURSAR_OK);
    fake_fail(&fake->node[3], 3, BURSAR_EUNREACHABLE);
    for (int i = 0; i < 5; i++)
        assert_int_equal(submit(fake, &result, 1), BURSAR_OK);
    assert_int_equal(fake->node[0].submits, 5);
    assert_int_equal(fake->node[1].submits, 0);
    assert_int_equal(fake->node[2].submits, 0);
    assert_int_equal(fake->node[3].submits, 1); /* then it is looked at first, and fails in that */
    assert_int_equal(fake->node[3].looks, 3);
    fake_free(fake);
}

static void when_no_node_can_be_asked_nothing_was_sent(void **state)
{
    (void)state;
    struct fake *fake = looked(2);
    struct submit_result result;
    fake->node[0].retry_after_ms = fake->node[1].retry_after_ms = 3000;
    assert_int_equal(submit(fake, &result, 1), BURSAR_EUNKNOWN);
    assert_int_equal(result.verdict, SUBMIT_UNKNOWN);
    assert_int_equal(submit(fake, &result, 1), BURSAR_EUNREACHABLE);
    assert_int_equal(result.verdict, SUBMIT_UNSENT);
    assert_int_equal(fake->node[0].submits, 1);
    assert_non_null(strstr(fake->err.message, "has asked to be left alone"));
    fake_free(fake);
}

static enum bursar_status start(struct fake *fake, size_t lane)
{
    static const struct raw_transaction list[2];
    fake->err = (struct bursar_error){ 0 };
    return fake->chain.submit_start(fake->chain.ctx, lane, list, 2, &fake->err);
}

static enum bursar_status finish(struct fake *fake, size_t lane, struct submit_result *ret)
{
    static const struct raw_transaction list[2];
    fake->err = (struct bursar_error){ 0 };
    return fake->chain.submit_finish(fake->chain.ctx, lane, list, 2, ret, &fake->err);
}

static void a_lane_is_a_lane_of_every_node(void **state)
{
    (void)state;
    struct fake *fake = looked(3);
    struct submit_result results[2];
    assert_int_equal(fake->chain.lanes, 2); /* the fewest that any has */
    assert_int_equal(start(fake, 0), BURSAR_OK);
    assert_int_equal(start(fake, 1), BURSAR_OK);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(fake->node[i].starts, 2);
    assert_int_equal(start(fake, 0), BURSAR_EINTERNAL); /* busy */
    fake->node[0].verdict = SUBMIT_UNKNOWN;
    fake->node[1].verdict = SUBMIT_UNSENT;
    assert_int_equal(finish(fake, 0, results), BURSAR_OK);
    assert_int_equal(results[0].verdict, SUBMIT_ACCEPTED);
    assert_int_equal(results[1].verdict, SUBMIT_ACCEPTED);
    fake->node[2].verdict = SUBMIT_REFUSED;
    assert_int_equal(finish(fake, 1, results), BURSAR_EUNKNOWN);
    assert_int_equal(results[0].verdict, SUBMIT_UNKNOWN);
    assert_int_equal(start(fake, 0), BURSAR_OK);
    assert_int_equal(finish(fake, 0, results), BURSAR_EUNKNOWN);
    fake_free(fake);
}

static void a_node_that_fails_while_a_request_is_under_way_is_still_waited_for(void **state)
{
    (void)state;
    struct fake *fake = looked(2);
    struct submit_result results[2];
    assert_int_equal(start(fake, 0), BURSAR_OK);
    fake->node[0].retry_after_ms = 60000;
    assert_int_equal(fake_look(fake), BURSAR_OK);
    fake->node[0].retry_after_ms = 0;
    assert_int_equal(start(fake, 1), BURSAR_OK); /* without the node that wants to be left alone */
    assert_int_equal(fake->node[0].starts, 1);
    assert_int_equal(finish(fake, 0, results), BURSAR_OK);
    assert_false(fake->node[0].lane_is_busy[0]);
    assert_int_equal(finish(fake, 1, results), BURSAR_OK);
    fake_free(fake);
}

static void a_start_that_fails_everywhere_has_sent_nothing(void **state)
{
    (void)state;
    struct fake *fake = looked(2);
    struct submit_result results[2];
    fake_fail(&fake->node[0], 1, BURSAR_EINTERNAL);
    assert_int_equal(start(fake, 0), BURSAR_OK);
    assert_int_equal(finish(fake, 0, results), BURSAR_OK);
    fake_fail(&fake->node[0], 100, BURSAR_EINTERNAL);
    fake_fail(&fake->node[1], 100, BURSAR_EINTERNAL);
    assert_int_equal(start(fake, 0), BURSAR_EINTERNAL);
    assert_int_equal(fake->node[0].starts + fake->node[1].starts, 1);
    fake->node[0].faults = fake->node[1].faults = 0;
    assert_int_equal(start(fake, 0), BURSAR_OK); /* the lane is free */
    assert_int_equal(finish(fake, 0, results), BURSAR_OK);
    fake_free(fake);
}

static void a_node_alone_submits_in_its_own_words(void **state)
{
    (void)state;
    struct fake *fake = fake_new(1, 1);
    struct submit_result results[2];
    fake->node[0].verdict = SUBMIT_REFUSED;
    assert_int_equal(submit(fake, results, 2), BURSAR_OK);
    assert_string_equal(results[1].message, "refused");
    assert_int_equal(start(fake, 1), BURSAR_OK);
    assert_int_equal(finish(fake, 1, results), BURSAR_OK);
    assert_string_equal(results[1].message, "refused");
    fake_fail(&fake->node[0], 1, BURSAR_EUNREACHABLE);
    assert_int_equal(submit(fake, results, 2), BURSAR_EUNREACHABLE);
    assert_string_equal(fake->err.message, "a fault in store");
    assert_int_equal(results[0].verdict, SUBMIT_UNSENT);
    fake_free(fake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_healthy_node_gets_every_transaction),
        cmocka_unit_test(verdicts_are_merged_and_no_refusal_outweighs_an_unknown),
        cmocka_unit_test(a_contested_nonce_is_settled_by_whoever_has_it),
        cmocka_unit_test(a_refusal_names_the_node_that_refused),
        cmocka_unit_test(nodes_that_are_set_aside_or_left_alone_get_nothing),
        cmocka_unit_test(when_no_node_can_be_asked_nothing_was_sent),
        cmocka_unit_test(a_lane_is_a_lane_of_every_node),
        cmocka_unit_test(a_node_that_fails_while_a_request_is_under_way_is_still_waited_for),
        cmocka_unit_test(a_start_that_fails_everywhere_has_sent_nothing),
        cmocka_unit_test(a_node_alone_submits_in_its_own_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

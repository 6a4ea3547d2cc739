/* The table of moves against an expectation written down independently, triple by triple. */
#include "domain/lifecycle.h"

#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define CAUSE_LAST 22

/* One line a state; a word is to:cause, as numbers. */
static const struct {
    int from;
    const char *moves;
} expected[] = {
    { 1 /* draft */, "2:2 7:11" },
    { 2 /* voting */, "3:3 7:11" },
    { 3 /* queued */, "4:4 7:11 7:12" },
    { 4 /* staged */, "5:5 8:8 7:9 3:10" },
    { 5 /* executed */, "4:6 6:7 8:8 7:9 3:10" },
    { 6 /* finalized */, "9:14" },
    { 7 /* cancelled */, "" },
    { 8 /* failed */, "3:13" },
    { 9 /* rolled back */, "" },
};

static bool is_expected(int from, int to, int cause)
{
    char word[32], padded[64];
    (void)snprintf(word, sizeof word, " %d:%d ", to, cause);
    for (size_t i = 0; i < COUNT_OF(expected); i++) {
        (void)snprintf(padded, sizeof padded, " %s ", expected[i].moves);
        if (expected[i].from == from && strstr(padded, word))
            return true;
    }
    return false;
}

static void exactly_the_moves_of_the_design_are_allowed(void **state)
{
    (void)state;
    size_t allowed = 0;
    for (int from = 0; from <= STATE_LAST + 1; from++) {
        for (int to = 0; to <= STATE_LAST + 1; to++) {
            for (int cause = 0; cause <= CAUSE_LAST + 1; cause++) {
                bool allows = lifecycle_allows((enum disbursement_state)from, (enum disbursement_state)to,
                                               (enum lifecycle_cause)cause);
                if (allows != is_expected(from, to, cause))
                    fail_msg("%d -> %d for cause %d is %s", from, to, cause, allows ? "allowed" : "refused");
                allowed += allows;
            }
        }
    }
    assert_int_equal(allowed, LIFECYCLE_MOVE_COUNT); /* no move stands there twice */
}

/* INV-7 */
static void with_bytes_out_only_a_final_fact_leaves_staged_and_executed(void **state)
{
    (void)state;
    for (size_t i = 0; i < LIFECYCLE_MOVE_COUNT; i++) {
        const struct lifecycle_move *move = &LIFECYCLE_MOVES[i];
        bool from_out = move->from == STATE_STAGED || move->from == STATE_EXECUTED;
        bool to_out = move->to == STATE_STAGED || move->to == STATE_EXECUTED;
        if (from_out && !to_out)
            assert_true(move->cause == CAUSE_FINAL_SUCCESS || move->cause == CAUSE_FINAL_REVERT ||
                        move->cause == CAUSE_FINAL_CANCEL || move->cause == CAUSE_NONCE_FREED);
    }
}

static void a_paid_disbursement_can_never_be_queued_again(void **state)
{
    (void)state;
    bool reached[STATE_LAST + 1] = { [STATE_FINALIZED] = true };
    for (int round = 0; round <= STATE_LAST; round++) {
        for (size_t i = 0; i < LIFECYCLE_MOVE_COUNT; i++) {
            if (reached[LIFECYCLE_MOVES[i].from])
                reached[LIFECYCLE_MOVES[i].to] = true;
        }
    }
    assert_false(reached[STATE_QUEUED]);
    assert_false(reached[STATE_STAGED]);
    assert_true(reached[STATE_ROLLED_BACK]);
}

static void stored_numbers_and_names_are_pinned(void **state)
{
    (void)state;
    static const char *const states[] = { NULL,       "draft",     "voting",    "queued", "staged",
                                          "executed", "finalized", "cancelled", "failed", "rolled_back" };
    static const char *const causes[] = { NULL,
                                          "imported",
                                          "submitted",
                                          "approved",
                                          "bound",
                                          "included",
                                          "reorged",
                                          "final_success",
                                          "final_revert",
                                          "final_cancel",
                                          "nonce_freed",
                                          "person_cancelled",
                                          "host_refused",
                                          "person_retried",
                                          "reversed",
                                          "breaker_opened",
                                          "breaker_half_opened",
                                          "breaker_closed",
                                          "breaker_reset",
                                          "cancel_requested",
                                          "adopted",
                                          "money_breaker_opened",
                                          "money_breaker_closed" };
    for (int i = STATE_FIRST; i <= STATE_LAST; i++)
        assert_string_equal(state_name((enum disbursement_state)i), states[i]);
    for (int i = 1; i <= CAUSE_LAST; i++)
        assert_string_equal(lifecycle_cause_name((enum lifecycle_cause)i), causes[i]);
    assert_int_equal(COUNT_OF(states), STATE_LAST + 1);
    assert_int_equal(COUNT_OF(causes), CAUSE_LAST + 1);
}

static void a_number_that_is_none_has_no_name(void **state)
{
    (void)state;
    assert_null(state_name((enum disbursement_state)0));
    assert_null(state_name((enum disbursement_state)10));
    assert_null(lifecycle_cause_name((enum lifecycle_cause)0));
    assert_null(lifecycle_cause_name((enum lifecycle_cause)(CAUSE_LAST + 1)));
}

static void a_state_is_found_by_its_exact_name_only(void **state)
{
    (void)state;
    enum disbursement_state found = STATE_DRAFT;
    for (int i = STATE_FIRST; i <= STATE_LAST; i++) {
        assert_true(state_from_name(state_name((enum disbursement_state)i), &found));
        assert_int_equal(found, i);
    }
    static const char *const bad[] = { "", "Queued", "queue", "queued ", "3", "rolled-back", "paid" };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_false(state_from_name(bad[i], &found));
        assert_int_equal(found, STATE_LAST);
    }
}

static void only_what_a_person_alone_can_move_counts_as_an_end(void **state)
{
    (void)state;
    for (int i = STATE_FIRST; i <= STATE_LAST; i++)
        assert_int_equal(state_is_terminal_or_failed((enum disbursement_state)i), i >= STATE_FINALIZED);
}

static void every_move_says_when_it_is_allowed(void **state)
{
    (void)state;
    for (size_t i = 0; i < LIFECYCLE_MOVE_COUNT; i++)
        assert_true(strlen(LIFECYCLE_MOVES[i].condition) > 10);
}

static void a_decision_is_refused_with_a_reason_exactly_where_the_table_has_no_move(void **state)
{
    (void)state;
    for (int from = STATE_FIRST; from <= STATE_LAST; from++) {
        const char *cancel = lifecycle_refusal((enum disbursement_state)from, CAUSE_PERSON_CANCELLED);
        const char *retry = lifecycle_refusal((enum disbursement_state)from, CAUSE_PERSON_RETRIED);
        assert_int_equal(cancel == NULL, from == STATE_DRAFT || from == STATE_VOTING || from == STATE_QUEUED);
        assert_int_equal(retry == NULL, from == STATE_FAILED);
        assert_true(!cancel || strlen(cancel) > 20);
        assert_true(!retry || strlen(retry) > 20);
    }
    const char *staged = lifecycle_refusal(STATE_STAGED, CAUSE_PERSON_CANCELLED);
    assert_non_null(strstr(staged, "goes on being paid")); /* nobody must believe it was stopped */
    assert_non_null(strstr(lifecycle_refusal(STATE_CANCELLED, CAUSE_PERSON_RETRIED), "another ref"));
    assert_non_null(strstr(lifecycle_refusal(STATE_FINALIZED, CAUSE_PERSON_RETRIED), "paid"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exactly_the_moves_of_the_design_are_allowed),
        cmocka_unit_test(with_bytes_out_only_a_final_fact_leaves_staged_and_executed),
        cmocka_unit_test(a_paid_disbursement_can_never_be_queued_again),
        cmocka_unit_test(stored_numbers_and_names_are_pinned),
        cmocka_unit_test(a_number_that_is_none_has_no_name),
        cmocka_unit_test(a_state_is_found_by_its_exact_name_only),
        cmocka_unit_test(only_what_a_person_alone_can_move_counts_as_an_end),
        cmocka_unit_test(every_move_says_when_it_is_allowed),
        cmocka_unit_test(a_decision_is_refused_with_a_reason_exactly_where_the_table_has_no_move),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

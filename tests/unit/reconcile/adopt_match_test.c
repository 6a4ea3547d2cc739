/* One transaction, one disbursement: never two for one, never one for two, the same every time. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "reconcile/adopt_match.h"

#include <string.h>

#define MANY 40

static struct payload pays(uint64_t value)
{
    return (struct payload){ .value = bursar_amount_from_u64(value) };
}

static struct claim claim_of(uint64_t nonce, uint64_t value)
{
    struct claim claim = { .nonce = nonce, .payload = pays(value) };
    claim.hash.bytes[0] = (uint8_t)nonce;
    return claim;
}

static struct candidate owes(int64_t id, uint64_t value)
{
    return (struct candidate){ .id = id, .version = 1, .state = STATE_QUEUED, .payload = pays(value) };
}

static struct assignment says(uint64_t nonce, int64_t id)
{
    struct assignment assignment = { .has_hash = true, .is_foreign = id == 0, .id = id };
    assignment.hash.bytes[0] = (uint8_t)nonce;
    return assignment;
}

static void each_goes_to_what_owes_exactly_that(void **state)
{
    (void)state;
    const struct claim claims[] = { claim_of(1, 30), claim_of(2, 10), claim_of(3, 20) };
    struct candidate candidates[] = { owes(1, 10), owes(2, 20), owes(3, 30) };
    struct match ret[3];
    assert_true(claims_match(claims, 3, candidates, 3, NULL, 0, ret));
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(ret[i].verdict, MATCH_PAYS);
        assert_int_equal(ret[i].equal, 1);
        assert_int_equal(payload_compare(&candidates[ret[i].candidate].payload, &claims[i].payload), 0);
    }
}

static void destination_and_data_count_like_the_amount(void **state)
{
    (void)state;
    struct claim claims[] = { claim_of(1, 10), claim_of(2, 10) };
    struct candidate candidate = owes(1, 10);
    struct match ret[2];
    claims[0].payload.to.bytes[19] = 1;
    claims[1].payload.data_hash.bytes[31] = 1;
    assert_true(claims_match(claims, 2, &candidate, 1, NULL, 0, ret));
    assert_int_equal(ret[0].verdict, MATCH_NOTHING);
    assert_int_equal(ret[1].verdict, MATCH_NOTHING);
}

static void among_equals_the_order_is_that_of_payment(void **state)
{
    (void)state;
    const struct claim claims[] = { claim_of(5, 10), claim_of(4, 10), claim_of(6, 10) };
    struct candidate candidates[] = { owes(1, 10), owes(2, 10), owes(3, 10), owes(4, 10), owes(5, 10) };
    struct match ret[3];
    candidates[0].waits = true;
    candidates[1].schedule = SCHEDULE_TIME;
    candidates[1].schedule_value = 9;
    candidates[2].schedule = SCHEDULE_TIME;
    candidates[2].schedule_value = 8;
    assert_true(claims_match(claims, 3, candidates, 5, NULL, 0, ret));
    assert_int_equal(candidates[ret[1].candidate].id, 4); /* the lowest nonce */
    assert_int_equal(candidates[ret[0].candidate].id, 5);
    assert_int_equal(candidates[ret[2].candidate].id, 3); /* the earlier one */
    assert_int_equal(ret[0].equal, 5);
}

static void a_surplus_is_undecided(void **state)
{
    (void)state;
    const struct claim claims[] = { claim_of(1, 10), claim_of(2, 10) };
    struct candidate candidates[] = { owes(1, 10), owes(2, 10) };
    struct match ret[2];
    candidates[1].state = STATE_FINALIZED;
    assert_true(claims_match(claims, 2, candidates, 2, NULL, 0, ret));
    assert_int_equal(ret[0].verdict, MATCH_PAYS);
    assert_int_equal(ret[1].verdict, MATCH_SURPLUS);
}

static void a_reverted_one_comes_last_and_may_pay_nothing(void **state)
{
    (void)state;
    struct claim claims[] = { claim_of(1, 10), claim_of(2, 10) };
    struct candidate candidates[] = { owes(1, 10), owes(2, 10) };
    struct match ret[2];
    claims[0].has_reverted = true;
    assert_true(claims_match(claims, 2, candidates, 1, NULL, 0, ret));
    assert_int_equal(ret[1].verdict, MATCH_PAYS);
    assert_int_equal(ret[0].verdict, MATCH_PAYS_NOTHING);
    candidates[0].is_taken = false;
    assert_true(claims_match(claims, 2, candidates, 2, NULL, 0, ret));
    assert_int_equal(ret[0].verdict, MATCH_PAYS);
    assert_int_equal(candidates[ret[0].candidate].id, 2);
}

static void what_was_cancelled_takes_what_is_left_and_is_not_forgotten(void **state)
{
    (void)state;
    struct claim claims[] = { claim_of(1, 10), claim_of(2, 10), claim_of(3, 99) };
    struct candidate candidates[] = { owes(1, 10), owes(2, 10) };
    struct match ret[3];
    claims[0].is_cancelled = claims[2].is_cancelled = true;
    assert_true(claims_match(claims, 3, candidates, 2, NULL, 0, ret));
    assert_int_equal(candidates[ret[1].candidate].id, 1);
    assert_int_equal(ret[0].verdict, MATCH_PAYS);
    assert_int_equal(candidates[ret[0].candidate].id, 2);
    assert_int_equal(ret[2].verdict, MATCH_NOTHING); /* its file is still to be imported: it must not be paid then */
    candidates[0].is_taken = candidates[1].is_taken = false;
    candidates[1].state = STATE_CANCELLED; /* a person was faster */
    assert_true(claims_match(claims, 2, candidates, 2, NULL, 0, ret));
    assert_int_equal(ret[1].verdict, MATCH_PAYS);
    assert_int_equal(ret[0].verdict, MATCH_PAYS_NOTHING);
}

static void a_nonce_that_is_bound_elsewhere_pays_nothing_by_itself(void **state)
{
    (void)state;
    struct claim claims[] = { claim_of(1, 10), claim_of(2, 20) };
    struct candidate candidate = owes(1, 10);
    struct match ret[2];
    claims[0].is_bound = claims[1].is_bound = true;
    assert_true(claims_match(claims, 2, &candidate, 1, NULL, 0, ret));
    assert_int_equal(ret[0].verdict, MATCH_BOUND); /* INV-4: held for a person */
    assert_int_equal(ret[1].verdict, MATCH_NOTHING);
    assert_false(candidate.is_taken);
}

static void a_person_decides_first_and_is_held_to_the_content(void **state)
{
    (void)state;
    const struct claim claims[] = { claim_of(1, 10), claim_of(2, 10), claim_of(3, 10), claim_of(4, 10),
                                    claim_of(5, 10) };
    struct candidate candidates[] = { owes(1, 10), owes(2, 10), owes(3, 77), owes(4, 10) };
    struct assignment assignments[] = { says(2, 1), says(3, 3), says(4, 0), says(5, 1), says(9, 1) };
    struct match ret[5];
    candidates[3].state = STATE_FAILED;
    assert_true(claims_match(claims, 5, candidates, 4, assignments, COUNT_OF(assignments), ret));
    assert_int_equal(candidates[ret[1].candidate].id, 1);
    assert_int_equal(ret[0].verdict, MATCH_PAYS);
    assert_int_equal(candidates[ret[0].candidate].id, 2);
    assert_int_equal(ret[2].verdict, MATCH_UNKNOWN_ID);
    assert_int_equal(ret[3].verdict, MATCH_PAYS_NOTHING);
    assert_int_equal(ret[4].verdict, MATCH_NOT_FREE); /* taken by nonce 2 */
    assert_false(assignments[4].is_used);
    assert_true(assignments[0].is_used);
}

static void one_that_failed_is_paid_only_by_a_persons_word(void **state)
{
    (void)state;
    const struct claim claim = claim_of(1, 10);
    struct candidate candidate = owes(1, 10);
    struct assignment word = says(1, 1);
    struct match ret;
    candidate.state = STATE_FAILED;
    assert_true(claims_match(&claim, 1, &candidate, 1, NULL, 0, &ret));
    assert_int_equal(ret.verdict, MATCH_SURPLUS);
    assert_true(claims_match(&claim, 1, &candidate, 1, &word, 1, &ret));
    assert_int_equal(ret.verdict, MATCH_PAYS);
    candidate = owes(1, 10);
    candidate.state = STATE_CANCELLED;
    assert_true(claims_match(&claim, 1, &candidate, 1, &word, 1, &ret));
    assert_int_equal(ret.verdict, MATCH_NOT_FREE);
}

static void all_that_is_unmatched_may_be_foreign_at_once_but_nothing_else(void **state)
{
    (void)state;
    const struct claim claims[] = { claim_of(1, 10), claim_of(2, 10), claim_of(3, 99) };
    struct candidate candidate = owes(1, 10);
    struct assignment unmatched = { .is_foreign = true };
    struct match ret[3];
    assert_true(claims_match(claims, 3, &candidate, 1, &unmatched, 1, ret));
    assert_int_equal(ret[0].verdict, MATCH_PAYS);
    assert_int_equal(ret[1].verdict, MATCH_SURPLUS); /* looks like a second payment: a person must see it */
    assert_int_equal(ret[2].verdict, MATCH_PAYS_NOTHING);
}

/* Every mixture of few contents: nothing is counted twice, and the order of the candidates changes nothing. */
static void nothing_is_counted_twice_whatever_the_mixture(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed < 2000; seed++) {
        struct claim claims[MANY];
        struct candidate candidates[MANY], turned[MANY];
        struct match ret[MANY], again[MANY];
        uint32_t chance = seed * 2654435761u;
        for (size_t i = 0; i < MANY; i++) {
            chance = chance * 1664525u + 1013904223u;
            claims[i] = claim_of(i, chance >> 24 & 7);
            candidates[i] = owes((int64_t)i + 1, chance >> 16 & 7);
            candidates[i].state = (chance >> 8 & 3) ? STATE_QUEUED : STATE_FINALIZED;
            turned[MANY - 1 - i] = candidates[i];
        }
        assert_true(claims_match(claims, MANY, candidates, MANY, NULL, 0, ret));
        assert_true(claims_match(claims, MANY, turned, MANY, NULL, 0, again));
        bool taken[MANY + 1] = { false };
        for (size_t i = 0; i < MANY; i++) {
            assert_int_equal(ret[i].verdict, again[i].verdict);
            if (ret[i].verdict != MATCH_PAYS)
                continue;
            const struct candidate *candidate = &candidates[ret[i].candidate];
            assert_int_equal(candidate->id, turned[again[i].candidate].id);
            assert_int_equal(candidate->state, STATE_QUEUED);
            assert_int_equal(payload_compare(&candidate->payload, &claims[i].payload), 0);
            assert_false(taken[candidate->id]);
            taken[candidate->id] = true;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_goes_to_what_owes_exactly_that),
        cmocka_unit_test(destination_and_data_count_like_the_amount),
        cmocka_unit_test(among_equals_the_order_is_that_of_payment),
        cmocka_unit_test(a_surplus_is_undecided),
        cmocka_unit_test(a_reverted_one_comes_last_and_may_pay_nothing),
        cmocka_unit_test(what_was_cancelled_takes_what_is_left_and_is_not_forgotten),
        cmocka_unit_test(a_nonce_that_is_bound_elsewhere_pays_nothing_by_itself),
        cmocka_unit_test(a_person_decides_first_and_is_held_to_the_content),
        cmocka_unit_test(one_that_failed_is_paid_only_by_a_persons_word),
        cmocka_unit_test(all_that_is_unmatched_may_be_foreign_at_once_but_nothing_else),
        cmocka_unit_test(nothing_is_counted_twice_whatever_the_mixture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The search through final blocks, and what follows from what they show: pure. */
#include "executor/exhibit.h"

#include "base/bytes.h"
#include "eth/keccak.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#define TOP 1000

static struct bursar_hash hash_at(uint64_t number)
{
    struct bursar_hash hash = { .bytes = { 1, (uint8_t)(number >> 8), (uint8_t)number } };
    return hash;
}

static struct chain_head head_at(uint64_t number)
{
    return (struct chain_head){ .block = { number, hash_at(number) }, .parent_hash = hash_at(number - 1) };
}

static struct chain_sent sent_with(uint64_t nonce)
{
    struct chain_sent sent = { .hash = hash_at(50000 + nonce),
                               .transaction = {
                                   .is_present = true, .is_mined = true, .nonce = nonce, .has_to = true } };
    sent.transaction.to.bytes[0] = 0xee;
    keccak256("", 0, &sent.transaction.data_hash);
    return sent;
}

/* Nonces 5 to 7 are ours, and not seen; 5 and 6 are used in the final block. */
static const struct flight FLIGHTS[] = { { .intent = 1, .nonce = 5, .kind = INTENT_PAYMENT },
                                         { .intent = 2, .nonce = 6, .kind = INTENT_PAYMENT },
                                         { .intent = 3, .nonce = 7, .kind = INTENT_PAYMENT } };

struct look {
    struct search search;
    struct chain_body bodies[4];
    struct chain_sent sent;
};

static void start(struct look *look, uint64_t low)
{
    const struct chain_head final = head_at(TOP);
    memset(look, 0, sizeof *look);
    search_start(&look->search, &final, low);
}

/* The next four blocks; `nonce` is in the lowest of them, 0: none. */
static bool take_four(struct look *look, uint64_t nonce)
{
    const uint64_t top = look->search.next.number;
    for (uint64_t i = 0; i < 4; i++)
        look->bodies[i] = (struct chain_body){ .is_present = true, .head = head_at(top - 3 + i) };
    look->sent = sent_with(nonce);
    look->bodies[0].sent = &look->sent;
    look->bodies[0].sent_count = nonce != 0;
    return search_take(&look->search, look->bodies, 4, FLIGHTS, 3, 7);
}

static void it_goes_down_from_the_final_block_until_it_finds(void **state)
{
    (void)state;
    struct look look;
    start(&look, 100);
    assert_true(take_four(&look, 0));
    assert_int_equal(look.search.next.number, TOP - 4);
    assert_true(take_four(&look, 6));
    assert_int_equal(look.search.count, 1);
    assert_int_equal(look.search.found[0].intent, 2);
    assert_int_equal(look.search.found[0].block.number, TOP - 7);
    assert_int_equal(look.search.state, SEARCH_OPEN);
}

/* INV-4 */
static void what_is_found_later_has_not_been_held_against_what_is_owed(void **state)
{
    (void)state;
    struct look look;
    start(&look, 100);
    assert_true(take_four(&look, 6));
    look.search.is_checked = true; /* and it was decided */
    look.search.checked_id = 4711;
    look.search.count = 0;
    assert_true(take_four(&look, 5));
    assert_int_equal(look.search.count, 1);
    assert_false(look.search.is_checked);
    assert_int_equal(look.search.checked_id, 0);
}

static void a_nonce_that_is_not_used_finally_is_not_looked_for(void **state)
{
    (void)state;
    struct look look;
    start(&look, 100);
    assert_true(take_four(&look, 7));
    assert_int_equal(look.search.count, 0);
}

static void it_ends_where_the_nonce_before_was_used(void **state)
{
    (void)state;
    struct look look;
    start(&look, TOP - 3);
    assert_true(take_four(&look, 0));
    assert_int_equal(look.search.state, SEARCH_IN_VAIN);
    start(&look, 0);
    assert_true(take_four(&look, 4)); /* an earlier nonce: below there is none of ours */
    assert_int_equal(look.search.state, SEARCH_IN_VAIN);
    assert_int_equal(look.search.count, 0);
}

static void bodies_that_do_not_link_up_to_the_final_block_show_nothing(void **state)
{
    (void)state;
    struct look look;
    start(&look, 0);
    look.search.next.hash.bytes[31] ^= 1;
    assert_false(take_four(&look, 6));
    assert_int_equal(look.search.count, 0);
    start(&look, 0);
    assert_true(take_four(&look, 0));
    look.bodies[3].head.block.number = 4711; /* as asked for again */
    assert_false(search_take(&look.search, look.bodies, 4, FLIGHTS, 3, 7));
    look.bodies[1].is_present = false;
    assert_false(search_take(&look.search, look.bodies, 4, FLIGHTS, 3, 7));
    assert_int_equal(look.search.next.number, TOP - 4);
}

static struct exhibit judged(uint64_t value_wei, bool is_own, bool self_was_signed)
{
    const struct bursar_address account = { .bytes = { 0xee } };
    const struct flight flight = { .kind = INTENT_PAYMENT, .to = account, .value = bursar_amount_from_u64(9) };
    const struct signed_payload logged = { .has_payment = true, .has_self_transfer = self_was_signed };
    struct chain_sent sent = sent_with(5);
    sent.transaction.value = bursar_amount_from_u64(value_wei);
    struct exhibit exhibit = { .payload = payload_of_transaction(&sent.transaction) };
    const struct watched own = { .attempt = 17, .purpose = SIGN_REPLACEMENT };
    exhibit_judge(&exhibit, &flight, is_own ? &own : NULL, &logged, &account);
    return exhibit;
}

static void what_was_seen_is_told_by_its_hash_then_by_what_it_does(void **state)
{
    (void)state;
    assert_int_equal(judged(4, true, false).kind, EXHIBIT_ATTEMPT);
    assert_int_equal(judged(4, true, false).purpose, SIGN_REPLACEMENT);
    assert_int_equal(judged(4, true, false).attempt, 17);
    assert_int_equal(judged(9, false, false).kind, EXHIBIT_FOUND);
    assert_int_equal(judged(0, false, true).kind, EXHIBIT_CANCEL);
    assert_int_equal(judged(0, false, false).kind, EXHIBIT_FOREIGN); /* our key has signed no such thing */
    assert_int_equal(judged(4, false, true).kind, EXHIBIT_FOREIGN);
}

static void only_what_is_unpaid_can_be_meant(void **state)
{
    (void)state;
    const struct exhibit exhibit = judged(4, false, false);
    for (int at = STATE_FIRST; at <= STATE_LAST; at++) {
        struct content_record content = { .state = (enum disbursement_state)at,
                                          .destination = exhibit.payload.to,
                                          .amount = exhibit.payload.value };
        bool is_over = at == STATE_FINALIZED || at == STATE_CANCELLED || at == STATE_ROLLED_BACK;
        assert_int_equal(exhibit_matches(&exhibit, &content), !is_over);
        content.amount = bursar_amount_from_u64(5);
        assert_false(exhibit_matches(&exhibit, &content));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_goes_down_from_the_final_block_until_it_finds),
        cmocka_unit_test(what_is_found_later_has_not_been_held_against_what_is_owed),
        cmocka_unit_test(a_nonce_that_is_not_used_finally_is_not_looked_for),
        cmocka_unit_test(it_ends_where_the_nonce_before_was_used),
        cmocka_unit_test(bodies_that_do_not_link_up_to_the_final_block_show_nothing),
        cmocka_unit_test(what_was_seen_is_told_by_its_hash_then_by_what_it_does),
        cmocka_unit_test(only_what_is_unpaid_can_be_meant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

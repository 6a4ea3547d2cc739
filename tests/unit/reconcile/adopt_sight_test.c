/* What is taken from one transaction that a node shows. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "reconcile/adopt_parts.h"

static const struct bursar_hash HASH = { { 7 } };

static struct chain_view head_at(uint64_t number)
{
    struct chain_view view = { .chain_id = 1 };
    view.latest.block.number = number;
    return view;
}

static struct chain_transaction mined_in(uint64_t number)
{
    struct chain_transaction transaction = { .is_present = true, .is_mined = true, .has_to = true };
    transaction.block.number = number;
    transaction.data_hash = payload_of_self_transfer(&transaction.to).data_hash;
    return transaction;
}

/* The chain goes on while it is read: nonces and blocks are judged by one view of it. */
static void what_is_mined_after_the_view_is_still_in_flight(void **state)
{
    (void)state;
    const struct chain_view view = head_at(10);
    struct chain_transaction transaction = mined_in(11);
    struct sight sight = { 0 };
    sight_take(&sight, &HASH, &transaction, &view);
    assert_int_equal(sight.seen, SEEN_POOL);
    transaction = mined_in(10);
    sight_take(&sight, &HASH, &transaction, &view);
    assert_int_equal(sight.seen, SEEN_MINED);
    assert_int_equal(sight.block.number, 10);
}

static void what_creates_a_contract_is_owed_by_nobody(void **state)
{
    (void)state;
    const struct chain_view view = head_at(10);
    struct chain_transaction transaction = mined_in(9);
    const struct content_record zero = { .id = 1 }; /* to address 0 */
    struct sight sight = { 0 };
    struct payload owed = payload_of_content(&zero, false);
    sight_take(&sight, &HASH, &transaction, &view);
    assert_int_equal(payload_compare(&sight.payload, &owed), 0);
    transaction.has_to = false;
    sight_take(&sight, &HASH, &transaction, &view);
    assert_int_not_equal(payload_compare(&sight.payload, &owed), 0);
}

static void a_transfer_of_nothing_to_self_is_one_and_nothing_else_is(void **state)
{
    (void)state;
    const struct bursar_address account = { { 5 } }, other = { { 6 } };
    struct payload payload = payload_of_self_transfer(&account);
    assert_true(payload_is_self_transfer(&payload, &account));
    assert_false(payload_is_self_transfer(&payload, &other));
    payload.value = bursar_amount_from_u64(1);
    assert_false(payload_is_self_transfer(&payload, &account));
    payload = payload_of_self_transfer(&account);
    payload.data_hash.bytes[0] ^= 1;
    assert_false(payload_is_self_transfer(&payload, &account));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_mined_after_the_view_is_still_in_flight),
        cmocka_unit_test(what_creates_a_contract_is_owed_by_nobody),
        cmocka_unit_test(a_transfer_of_nothing_to_self_is_one_and_nothing_else_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

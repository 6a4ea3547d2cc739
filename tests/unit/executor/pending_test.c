/* What pools show is hearsay: it holds at once, and halts or lets go only when it lasts. */
#include "executor/planner.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

static struct verdict pool_looked_at(struct pending_watch *watch, uint64_t nonce_pending, uint64_t now_ms)
{
    const struct chain_view view = { .nonce_pending = nonce_pending };
    struct verdict verdict;
    plan_pending(watch, 8, &view, now_ms, &verdict);
    return verdict;
}

static void one_look_at_a_pool_neither_halts_nor_lets_anything_be_bound(void **state)
{
    (void)state;
    struct pending_watch watch = { 0 };
    assert_false(pool_looked_at(&watch, 8, 1000).holds);
    struct verdict spike = pool_looked_at(&watch, 9, 2000);
    assert_int_equal(spike.halt, HALT_NONE);
    assert_true(spike.holds);
    assert_true(pool_looked_at(&watch, 8, 100000).holds); /* however long ago: the first look without it */
    assert_true(pool_looked_at(&watch, 8, 100000 + PENDING_SETTLES_MS - 1).holds);
    assert_false(pool_looked_at(&watch, 8, 100000 + PENDING_SETTLES_MS).holds);
    assert_int_equal(pool_looked_at(&watch, 9, 200000).halt, HALT_NONE); /* another one, long after */
}

static void a_pool_that_goes_on_knowing_more_nonces_halts_through_a_dip(void **state)
{
    (void)state;
    struct pending_watch watch = { 0 };
    (void)pool_looked_at(&watch, 9, 1000);
    assert_int_equal(pool_looked_at(&watch, 9, 1000 + PENDING_SETTLES_MS - 1).halt, HALT_NONE);
    assert_int_equal(pool_looked_at(&watch, 9, 1000 + PENDING_SETTLES_MS).halt, HALT_STORE_BEHIND_CHAIN);
    assert_int_equal(pool_looked_at(&watch, 8, 6000).halt, HALT_STORE_BEHIND_CHAIN);
    assert_int_equal(pool_looked_at(&watch, 10, 7000).halt, HALT_STORE_BEHIND_CHAIN);
    assert_int_equal(pool_looked_at(&watch, 8, 8000).halt, HALT_STORE_BEHIND_CHAIN);
    assert_false(pool_looked_at(&watch, 8, 8000 + PENDING_SETTLES_MS).holds);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_look_at_a_pool_neither_halts_nor_lets_anything_be_bound),
        cmocka_unit_test(a_pool_that_goes_on_knowing_more_nonces_halts_through_a_dip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

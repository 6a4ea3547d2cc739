/* What adopting asks the chain: of several nodes, those must be told from the rest that are on another history. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/bytes.h"
#include "reconcile/adopt.h"

static const struct treasury TREASURY = { .id = 1,
                                          .chain_id = 7,
                                          .address = { { 0xaa } },
                                          .is_pinned = true,
                                          .genesis_hash = { { 0x11 } },
                                          .anchor = { 90, { { 0x22 } } } };

static enum bursar_status treasury_get(void *ctx, int64_t id, struct treasury *ret, struct bursar_error *err)
{
    (void)ctx;
    (void)id;
    (void)err;
    *ret = TREASURY;
    return BURSAR_OK;
}

static enum bursar_status lane_read(void *ctx, int64_t treasury, struct lane *ret, struct bursar_error *err)
{
    (void)ctx;
    (void)treasury;
    (void)err;
    *ret = (struct lane){ 0 };
    return BURSAR_OK;
}

/* Keeps the question, and shows the chain to be another one. */
static enum bursar_status observe(void *ctx, const struct chain_query *query, struct chain_view *ret,
                                  struct bursar_error *err)
{
    (void)err;
    *(struct chain_query *)ctx = *query;
    *ret = (struct chain_view){ .chain_id = 8 };
    return BURSAR_OK;
}

static void nodes_are_asked_with_what_the_treasury_is_pinned_to(void **state)
{
    (void)state;
    struct chain_query asked = { 0 };
    struct adopt_options options = { 0 };
    struct adopt_plan plan = { 0 };
    struct bursar_error err = { 0 };
    const struct reconcile_env env = { .store = { .treasury_get = treasury_get, .lane_read = lane_read },
                                       .chain = { .ctx = &asked, .observe = observe },
                                       .treasury = 1 };
    assert_int_equal(adopt_look(&env, NULL, &options, &plan, &err), BURSAR_EREFUSED);
    adopt_plan_free(&plan);
    assert_true(asked.has_anchor && asked.has_pins);
    assert_int_equal(asked.chain_id, TREASURY.chain_id);
    assert_int_equal(asked.anchor_number, TREASURY.anchor.number);
    assert_true(hash_equal(&asked.genesis_hash, &TREASURY.genesis_hash));
    assert_true(hash_equal(&asked.anchor_hash, &TREASURY.anchor.hash));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nodes_are_asked_with_what_the_treasury_is_pinned_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The lease: one holder at a time, taken over at once when its holder is gone, and an old holder writes nothing
 * (INV-6). */
#include "store_fixture.h"

#include <unistd.h>

static void a_lease_is_held_by_one(void **state)
{
    struct fixture *f = *state;
    struct fixture again = open_again(f, SQLITE_MODE_WRITE);
    struct fence fence;
    struct treasury treasury;
    OK(f, lease_take, f->treasury, "first", 15000, NOW_MS, &f->fence);
    EXPECT(&again, BURSAR_EBUSY, lease_take, f->treasury, "second", 15000, NOW_MS, &fence);
    OK(&again, treasury_get, f->treasury, &treasury);
    assert_string_equal(treasury.lease_holder, "first");
    assert_int_equal(treasury.lease_epoch, f->fence.lease_epoch);
    assert_int_equal(treasury.lease_ttl_ms, 15000);
    assert_int_equal(treasury.lease_renewed_ms, NOW_MS);
    OK(f, lease_renew, f->fence, NOW_MS + 5000); /* the one that was refused has disturbed nothing */
    OK(&again, treasury_get, f->treasury, &treasury);
    assert_int_equal(treasury.lease_renewed_ms, NOW_MS + 5000);
    assert_true(treasury.lease_renewals >= 2);
    close_again(&again);
}

static void a_holder_that_is_gone_is_followed_at_once(void **state)
{
    struct fixture *f = *state;
    struct fixture again = open_again(f, SQLITE_MODE_WRITE);
    OK(&again, lease_take, f->treasury, "first", 600000, NOW_MS, &again.fence);
    uint64_t epoch = again.fence.lease_epoch;
    close_again(&again); /* as when the process dies: nothing is released in the store */
    struct treasury treasury;
    OK(f, treasury_get, f->treasury, &treasury);
    assert_string_equal(treasury.lease_holder, "first");
    OK(f, lease_take, f->treasury, "second", 15000, NOW_MS, &f->fence);
    assert_true(f->fence.lease_epoch > epoch);
}

static void a_lease_that_was_given_back_is_free(void **state)
{
    struct fixture *f = *state;
    struct fixture again = open_again(f, SQLITE_MODE_WRITE);
    struct treasury treasury;
    OK(f, lease_take, f->treasury, "first", 15000, NOW_MS, &f->fence);
    OK(f, lease_release, f->fence);
    OK(f, treasury_get, f->treasury, &treasury);
    assert_string_equal(treasury.lease_holder, "");
    EXPECT(f, BURSAR_EFENCED, lease_renew, f->fence, NOW_MS); /* who gave it back writes nothing more */
    OK(&again, lease_take, f->treasury, "second", 15000, NOW_MS, &again.fence);
    EXPECT(f, BURSAR_EBUSY, lease_take, f->treasury, "first", 15000, NOW_MS, &f->fence);
    close_again(&again);
}

static void a_holder_that_was_passed_over_gives_back_its_lock_too(void **state)
{
    struct fixture *f = *state;
    struct fixture again = open_again(f, SQLITE_MODE_WRITE);
    char lock[200];
    OK(f, lease_take, f->treasury, "first", 15000, NOW_MS, &f->fence);
    (void)snprintf(lock, sizeof lock, "%s-lease", f->path);
    assert_int_equal(unlink(lock), 0); /* somebody tidied up: now both can lock a file of their own */
    OK(&again, lease_take, f->treasury, "second", 15000, NOW_MS, &again.fence);
    EXPECT(f, BURSAR_EFENCED, lease_renew, f->fence, NOW_MS);
    EXPECT(f, BURSAR_EFENCED, lease_release, f->fence);
    OK(&again, lease_renew, again.fence, NOW_MS);
    close_again(&again);
}

static void treasuries_of_one_store_are_led_independently(void **state)
{
    struct fixture *f = *state;
    struct fixture again = open_again(f, SQLITE_MODE_WRITE);
    const struct bursar_address account = { { 0xbb } };
    int64_t second;
    OK(f, treasury_add, "second", CHAIN_ID, &account, "block/120", &second);
    OK(f, lease_take, f->treasury, "first", 15000, NOW_MS, &f->fence);
    OK(&again, lease_take, second, "second", 15000, NOW_MS, &again.fence);
    EXPECT(&again, BURSAR_EBUSY, lease_take, f->treasury, "second", 15000, NOW_MS, &again.fence);
    OK(f, lease_renew, f->fence, NOW_MS);
    EXPECT(f, BURSAR_ENOTFOUND, lease_take, 4711, "first", 15000, NOW_MS, &f->fence);
    close_again(&again);
}

static void another_path_to_the_same_store_is_the_same_lease(void **state)
{
    struct fixture *f = *state;
    struct fixture link = { .treasury = f->treasury };
    (void)snprintf(link.path, sizeof link.path, "%s/link.db", f->directory);
    assert_int_equal(symlink(f->path, link.path), 0);
    struct fixture again = open_again(&link, SQLITE_MODE_WRITE);
    OK(f, lease_take, f->treasury, "first", 15000, NOW_MS, &f->fence);
    EXPECT(&again, BURSAR_EBUSY, lease_take, f->treasury, "second", 15000, NOW_MS, &again.fence);
    close_again(&again);
}

static void an_empty_fence_opens_nothing(void **state)
{
    struct fixture *f = *state;
    const struct fence never_taken = { .treasury = f->treasury };
    EXPECT(f, BURSAR_EFENCED, lease_renew, never_taken, NOW_MS);
    EXPECT(f, BURSAR_EINTERNAL, lease_take, f->treasury, "", 15000, NOW_MS, &f->fence);
}

/* Every write of an executor, with rows prepared so that each would have something to do. */
static void an_old_fence_writes_nothing(void **state)
{
    struct fixture *f = *state;
    int64_t first = import_many(f, "r", 6, NULL);
    (void)import_many(f, "d", 2, "r0");
    (void)pay_row(f, first, true); /* leaves dependents to wake */
    int64_t bound = bind_row(f, first + 1);
    int64_t signed_attempt = sign_intent(f, bind_row(f, first + 2), 31);
    int64_t included_attempt = sign_intent(f, bind_row(f, first + 3), 32);
    include_attempt(f, included_attempt, mark_at(105, 0));
    struct block_decision decision = { .disbursement = first + 5, .version = 1, .code = BLOCK_FUNDS };
    OK(f, block, f->fence, &decision, 1); /* leaves a row to fund */

    struct fence old = f->fence;
    OK(f, lease_take, f->treasury, "successor", 15000, NOW_MS, &f->fence);
    assert_int_not_equal(old.lease_epoch, f->fence.lease_epoch);

    size_t count = 0;
    const struct bursar_amount riches = bursar_amount_from_u64(UINT64_MAX);
    struct binding binding = binding_of(f, first + 4, next_nonce_of(f));
    struct new_attempt attempt = attempt_of(bound, 33);
    struct submission submission = { signed_attempt, 1, "ok" };
    struct included_attempt included = { .attempt = signed_attempt,
                                         .intent = intent_of(f, signed_attempt),
                                         .block = mark_at(106, 0) };
    struct final_attempt final = { .attempt = included_attempt,
                                   .intent = intent_of(f, included_attempt),
                                   .purpose = 1,
                                   .succeeded = true,
                                   .gas_used = 1,
                                   .effective_gas_price_wei = 1 };
    struct block_mark mark = mark_at(110, 0);
    struct settlement inclusion = { .included = &included, .included_count = 1 };
    struct settlement finality = { .final = &final, .final_count = 1 };
    struct settlement fork = { .has_fork = true, .fork_number = 1 };
    struct settlement marks = {
        .scanned = &mark, .scanned_count = 1, .has_scan = true, .scan = mark, .has_anchor = true, .anchor = mark
    };
    struct adopted_nonce exhibited = { .nonce = FIRST_NONCE,
                                       .intent = bound,
                                       .has_transaction = true,
                                       .is_new = true,
                                       .purpose = PURPOSE_FOREIGN,
                                       .is_final = true,
                                       .detail = "x" };
    struct snapshot snapshot = { .last_tick_ms = 1 };
    decision = (struct block_decision){ .disbursement = first + 4, .version = 1, .code = BLOCK_DESTINATION_CODE };

    char *before = dump(f);
    EXPECT(f, BURSAR_EFENCED, lease_renew, old, NOW_MS);
    EXPECT(f, BURSAR_EFENCED, dependents_wake, old, 100, &count);
    EXPECT(f, BURSAR_EFENCED, funded_wake, old, &riches, 100, &count);
    EXPECT(f, BURSAR_EFENCED, block, old, &decision, 1);
    EXPECT(f, BURSAR_EFENCED, bind, old, NOW_MS, &binding, 1);
    EXPECT(f, BURSAR_EFENCED, attempts_add, old, NOW_MS, &attempt, 1);
    EXPECT(f, BURSAR_EFENCED, submissions_record, old, NOW_MS, &submission, 1);
    EXPECT(f, BURSAR_EFENCED, settle, old, NOW_MS, &inclusion);
    EXPECT(f, BURSAR_EFENCED, settle, old, NOW_MS, &finality);
    EXPECT(f, BURSAR_EFENCED, settle, old, NOW_MS, &fork);
    EXPECT(f, BURSAR_EFENCED, settle, old, NOW_MS, &marks);
    EXPECT(f, BURSAR_EFENCED, exhibited, old, NOW_MS, &exhibited, 1);
    EXPECT(f, BURSAR_EFENCED, snapshot_save, old, &snapshot, HALT_SIGNER, "x");
    EXPECT(f, BURSAR_EFENCED, lease_release, old);
    assert_contains(f->err.message, "passed to another executor");
    char *after = dump(f);
    assert_string_equal(after, before);
    free(before);
    free(after);

    /* and each of them was something that the right fence may do */
    OK(f, dependents_wake, f->fence, 100, &count);
    assert_true(count > 0);
    OK(f, funded_wake, f->fence, &riches, 100, &count);
    assert_int_equal(count, 1);
    OK(f, block, f->fence, &decision, 1);
    OK(f, bind, f->fence, NOW_MS, &binding, 1);
    OK(f, attempts_add, f->fence, NOW_MS, &attempt, 1);
    OK(f, submissions_record, f->fence, NOW_MS, &submission, 1);
    OK(f, settle, f->fence, NOW_MS, &inclusion);
    OK(f, settle, f->fence, NOW_MS, &finality);
    OK(f, settle, f->fence, NOW_MS, &fork);
    OK(f, settle, f->fence, NOW_MS, &marks);
    OK(f, snapshot_save, f->fence, &snapshot, HALT_SIGNER, "x");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_lease_is_held_by_one, set_up_store, tear_down),
        cmocka_unit_test_setup_teardown(a_holder_that_is_gone_is_followed_at_once, set_up_store, tear_down),
        cmocka_unit_test_setup_teardown(a_lease_that_was_given_back_is_free, set_up_store, tear_down),
        cmocka_unit_test_setup_teardown(a_holder_that_was_passed_over_gives_back_its_lock_too, set_up_store, tear_down),
        cmocka_unit_test_setup_teardown(treasuries_of_one_store_are_led_independently, set_up_store, tear_down),
        cmocka_unit_test_setup_teardown(another_path_to_the_same_store_is_the_same_lease, set_up_store, tear_down),
        cmocka_unit_test_setup_teardown(an_empty_fence_opens_nothing, set_up_store, tear_down),
        cmocka_unit_test_setup_teardown(an_old_fence_writes_nothing, set_up_leased, tear_down),
    };
    return cmocka_run_group_tests_name("store lease", tests, NULL, NULL);
}

/* The store API as a host uses it. */
#include "host.h"

#include <string.h>
#include <unistd.h>

static struct bursar_error err;

static int set_up(void **state)
{
    *state = host_new();
    return 0;
}

static int tear_down(void **state)
{
    host_free(*state);
    return 0;
}

static enum bursar_status submit(struct host *host, const struct bursar_payment *payments, size_t count,
                                 struct bursar_submitted *ret)
{
    return bursar_store_submit(host->store, host->treasury, payments, count, "payroll", ret, &err);
}

static void a_store_is_made_once_and_found_again(void **state)
{
    struct host *host = *state;
    struct bursar_store *other = NULL;
    assert_int_equal(bursar_store_open(host->url, BURSAR_STORE_CREATE, &other, &err), BURSAR_EEXIST);
    assert_null(other);
    host_expect(bursar_store_open(host->url, BURSAR_STORE_EXISTING, &other, &err), &err);
    assert_null(bursar_store_close(other));
    assert_null(bursar_store_close(NULL));
}

static void a_store_that_is_not_there_is_not_made(void **state)
{
    struct bursar_store *store = NULL;
    (void)state;
    assert_int_equal(bursar_store_open("sqlite:/nowhere/at/all.db", BURSAR_STORE_EXISTING, &store, &err),
                     BURSAR_ESTORAGE);
    assert_int_equal(bursar_store_open("/nowhere", BURSAR_STORE_EXISTING, &store, &err), BURSAR_EUSAGE);
    assert_int_equal(bursar_store_open("sqlite:", BURSAR_STORE_EXISTING, &store, &err), BURSAR_EUSAGE);
    assert_int_equal(bursar_store_open(NULL, BURSAR_STORE_EXISTING, &store, &err), BURSAR_EUSAGE);
    assert_null(store);
}

static void registering_again_finds_the_same_treasury(void **state)
{
    struct host *host = *state;
    int64_t id = 0;
    host_expect(bursar_store_treasury(host->store, &host->registration, &id, &err), &err);
    assert_int_equal(id, host->treasury);
}

static void registering_with_another_first_nonce_is_refused(void **state)
{
    struct host *host = *state;
    int64_t id = -1;
    host->registration.first_nonce++;
    assert_int_equal(bursar_store_treasury(host->store, &host->registration, &id, &err), BURSAR_ECONFLICT);
    assert_int_equal(id, -1);
}

static void what_epochs_mean_changes_only_while_nothing_waits_on_one(void **state)
{
    struct host *host = *state;
    int64_t id;
    struct bursar_payment payment = host_payment("later", 1);
    payment.schedule = BURSAR_SCHEDULE_EPOCH;
    payment.schedule_value = 99;
    host->registration.epoch_source = "weeks";
    host_expect(bursar_store_treasury(host->store, &host->registration, &id, &err), &err);
    host_expect(submit(host, &payment, 1, NULL), &err);
    host->registration.epoch_source = "days";
    assert_int_equal(bursar_store_treasury(host->store, &host->registration, &id, &err), BURSAR_ECONFLICT);
}

static void a_bad_registration_names_the_field(void **state)
{
    struct host *host = *state;
    const struct bursar_treasury good = host->registration;
    int64_t id;
    struct bursar_treasury bad = good;
    bad.name = "Main!";
    assert_int_equal(bursar_store_treasury(host->store, &bad, &id, &err), BURSAR_EINVAL);
    assert_non_null(strstr(err.message, "name"));
    bad = good;
    bad.chain_id = 0;
    assert_int_equal(bursar_store_treasury(host->store, &bad, &id, &err), BURSAR_EINVAL);
    assert_non_null(strstr(err.message, "chain_id"));
    bad = good;
    bad.signing_log = NULL;
    assert_int_equal(bursar_store_treasury(host->store, &bad, &id, &err), BURSAR_EINVAL);
    assert_non_null(strstr(err.message, "signing_log"));
    bad = good;
    bad.size = 3;
    assert_int_equal(bursar_store_treasury(host->store, &bad, &id, &err), BURSAR_EUSAGE);
}

static void the_same_submit_again_adds_nothing(void **state)
{
    struct host *host = *state;
    struct bursar_payment payments[2] = { host_payment("a", 1), host_payment("b", 2) };
    struct bursar_submitted first[2], second[2];
    host_expect(submit(host, payments, 2, first), &err);
    assert_true(first[0].added && first[1].added);
    host_expect(submit(host, payments, 2, second), &err);
    for (size_t i = 0; i < 2; i++) {
        assert_false(second[i].added);
        assert_int_equal(second[i].id, first[i].id);
    }
    assert_int_equal(host_snapshot(host).pending, 2);
}

static void one_wrong_item_refuses_all_and_says_which(void **state)
{
    struct host *host = *state;
    struct bursar_payment payments[3] = { host_payment("a", 1), host_payment("b", 0), host_payment("c;", 3) };
    struct bursar_submitted results[3];
    assert_int_equal(submit(host, payments, 3, results), BURSAR_EINVAL);
    assert_int_equal(results[0].status, BURSAR_OK);
    assert_int_equal(results[0].id, 0);
    assert_int_equal(results[1].status, BURSAR_EINVAL);
    assert_string_equal(results[1].field, "amount");
    assert_int_equal(results[2].status, BURSAR_EINVAL);
    assert_string_equal(results[2].field, "ref");
    assert_int_equal(host_snapshot(host).pending, 0);
}

static void a_ref_means_one_content_for_ever(void **state)
{
    struct host *host = *state;
    struct bursar_payment payment = host_payment("a", 1);
    struct bursar_submitted result;
    host_expect(submit(host, &payment, 1, NULL), &err);
    payment.amount = bursar_amount_from_u64(2);
    assert_int_equal(submit(host, &payment, 1, &result), BURSAR_EINVAL);
    assert_string_equal(result.field, "ref");
}

static void a_ref_twice_in_one_call_is_refused_new_or_stored(void **state)
{
    struct host *host = *state;
    struct bursar_payment payments[2] = { host_payment("a", 1), host_payment("a", 1) };
    struct bursar_submitted results[2];
    assert_int_equal(submit(host, payments, 2, results), BURSAR_EINVAL);
    assert_string_equal(results[1].field, "ref");
    host_expect(submit(host, payments, 1, NULL), &err);
    assert_int_equal(submit(host, payments, 2, results), BURSAR_EINVAL);
    assert_int_equal(results[0].status, BURSAR_OK);
    assert_int_equal(results[1].status, BURSAR_EINVAL);
}

static void an_unknown_dependency_is_the_items_error(void **state)
{
    struct host *host = *state;
    const char *on[] = { "nobody" };
    struct bursar_payment payments[2] = { host_payment("a", 1), host_payment("b", 2) };
    struct bursar_submitted results[2];
    payments[1].depends_on = on;
    payments[1].depends_on_count = 1;
    assert_int_equal(submit(host, payments, 2, results), BURSAR_EINVAL);
    assert_int_equal(results[0].status, BURSAR_OK);
    assert_string_equal(results[1].field, "depends_on");
    assert_int_equal(host_snapshot(host).pending, 0);
}

/* A host built with a newer header has larger items; its extra fields are not ours to read. */
static void items_of_a_larger_struct_are_found_at_their_own_stride(void **state)
{
    struct host *host = *state;
    struct {
        struct bursar_payment payment;
        uint64_t of_a_later_version;
    } payments[2] = { { host_payment("a", 1), ~0ull }, { host_payment("b", 2), ~0ull } };
    struct bursar_submitted results[2];
    payments[0].payment.size = payments[1].payment.size = sizeof payments[0];
    host_expect(submit(host, &payments[0].payment, 2, results), &err);
    assert_true(results[0].added && results[1].added);
    int64_t id = 0;
    host_expect(bursar_store_find(host->store, host->treasury, "b", &id, &err), &err);
    assert_int_equal(id, results[1].id);
}

/* A host built with the header of before there were tokens has smaller items. */
static void items_of_before_tokens_are_owed_in_the_coin(void **state)
{
    struct host *host = *state;
    enum { FIRST_BYTES = offsetof(struct bursar_payment, token) };
    uint8_t items[2][FIRST_BYTES] __attribute__((aligned(_Alignof(struct bursar_payment))));
    struct bursar_submitted results[2];
    for (size_t i = 0; i < 2; i++) {
        struct bursar_payment payment = host_payment(i ? "b" : "a", i + 1);
        payment.size = FIRST_BYTES;
        memcpy(items[i], &payment, FIRST_BYTES);
    }
    host_expect(submit(host, (const struct bursar_payment *)(const void *)items, 2, results), &err);
    assert_true(results[0].added && results[1].added);
    struct bursar_payment again[2] = { host_payment("a", 1), host_payment("b", 2) };
    host_expect(submit(host, again, 2, results), &err); /* the same in this header */
    assert_false(results[0].added || results[1].added);
}

static bool see_token(void *ctx, const struct bursar_disbursement *disbursement)
{
    struct bursar_address *token = ctx;
    assert_non_null(disbursement->token);
    *token = *disbursement->token;
    return true;
}

static void a_payment_can_be_owed_in_a_token(void **state)
{
    struct host *host = *state;
    const struct bursar_address token = { { 0x70 } }, other = { { 0x71 } }, none = { { 0 } };
    struct bursar_address seen = { { 0 } };
    struct bursar_payment payment = host_payment("a", 1);
    struct bursar_submitted result;
    payment.token = &token;
    host_expect(submit(host, &payment, 1, &result), &err);
    host_expect(bursar_store_list(host->store, host->treasury, 0, 0, 1, see_token, &seen, &err), &err);
    assert_memory_equal(&seen, &token, sizeof token);
    host_expect(submit(host, &payment, 1, &result), &err);
    assert_false(result.added);
    const struct bursar_address *others[] = { &other, NULL };
    for (size_t i = 0; i < 2; i++) {
        payment.token = others[i];
        assert_int_equal(submit(host, &payment, 1, &result), BURSAR_EINVAL); /* that is another content */
        assert_string_equal(result.field, "ref");
    }
    payment = host_payment("b", 1);
    payment.token = &none;
    assert_int_equal(submit(host, &payment, 1, &result), BURSAR_EINVAL);
    assert_string_equal(result.field, "asset");
    payment.token = &payment.destination;
    assert_int_equal(submit(host, &payment, 1, &result), BURSAR_EINVAL);
    assert_string_equal(result.field, "destination");
}

struct seen {
    struct host *host;
    size_t count, events, dependencies, attempts, most;
    int64_t last_id;
    char ref[32], memo[32], detail[64], actor[32], waits_for[32];
    int last_state;
    enum bursar_status inside;
};

static bool see(void *ctx, const struct bursar_disbursement *disbursement)
{
    struct seen *seen = ctx;
    seen->count++;
    seen->last_id = disbursement->id;
    (void)snprintf(seen->ref, sizeof seen->ref, "%s", disbursement->ref);
    (void)snprintf(seen->memo, sizeof seen->memo, "%s", disbursement->memo);
    (void)snprintf(seen->waits_for, sizeof seen->waits_for, "%s",
                   disbursement->waits_for ? disbursement->waits_for : "");
    return !seen->most || seen->count < seen->most;
}

static bool see_event(void *ctx, const struct bursar_event *event)
{
    struct seen *seen = ctx;
    seen->events++;
    seen->last_state = event->to_state;
    (void)snprintf(seen->detail, sizeof seen->detail, "%s", event->detail);
    (void)snprintf(seen->actor, sizeof seen->actor, "%s", event->actor);
    return true;
}

static bool see_attempt(void *ctx, const struct bursar_attempt *attempt)
{
    ((struct seen *)ctx)->attempts++;
    assert_string_equal(attempt->verdict, "accepted");
    return true;
}

static bool see_dependency(void *ctx, const char *ref)
{
    ((struct seen *)ctx)->dependencies++;
    assert_string_equal(ref, "a");
    return true;
}

static void a_list_goes_on_behind_its_last_id(void **state)
{
    struct host *host = *state;
    struct seen seen = { 0 };
    host_submit(host, 5);
    host_expect(bursar_store_list(host->store, host->treasury, 0, 0, 3, see, &seen, &err), &err);
    assert_int_equal(seen.count, 3);
    host_expect(bursar_store_list(host->store, host->treasury, 0, seen.last_id, 3, see, &seen, &err), &err);
    assert_int_equal(seen.count, 5);
    assert_string_equal(seen.ref, "pay-4");
    host_expect(bursar_store_list(host->store, host->treasury, BURSAR_STATE_FAILED, 0, 3, see, &seen, &err), &err);
    assert_int_equal(seen.count, 5);
    assert_int_equal(bursar_store_list(host->store, host->treasury, 0, 0, 0, see, &seen, &err), BURSAR_EUSAGE);
}

static void a_visitor_that_has_seen_enough_ends_the_list(void **state)
{
    struct host *host = *state;
    struct seen seen = { .most = 2 };
    host_submit(host, 5);
    host_expect(bursar_store_list(host->store, host->treasury, 0, 0, 5, see, &seen, &err), &err);
    assert_int_equal(seen.count, 2);
}

static bool call_back(void *ctx, const struct bursar_disbursement *disbursement)
{
    struct seen *seen = ctx;
    struct bursar_error inner = { 0 };
    (void)disbursement;
    seen->inside = bursar_store_list(seen->host->store, seen->host->treasury, 0, 0, 5, see, seen, &inner);
    return true;
}

static void a_visitor_that_calls_back_is_told(void **state)
{
    struct host *host = *state;
    struct seen seen = { .host = host };
    host_submit(host, 1);
    host_expect(bursar_store_list(host->store, host->treasury, 0, 0, 5, call_back, &seen, &err), &err);
    assert_int_equal(seen.inside, BURSAR_EUSAGE);
}

static void showing_tells_the_whole_history(void **state)
{
    struct host *host = *state;
    const char *on[] = { "a" };
    struct bursar_payment payments[2] = { host_payment("a", 1), host_payment("b", 2) };
    struct seen seen = { 0 };
    const struct bursar_show show = { .size = sizeof show,
                                      .ctx = &seen,
                                      .disbursement = see,
                                      .dependency = see_dependency,
                                      .event = see_event,
                                      .attempt = see_attempt };
    payments[1].memo = "für März";
    payments[1].depends_on = on;
    payments[1].depends_on_count = 1;
    host_expect(submit(host, payments, 2, NULL), &err);
    host_expect(bursar_store_show(host->store, host->treasury, 2, &show, &err), &err);
    assert_string_equal(seen.waits_for, "a");
    assert_string_equal(seen.actor, "payroll");
    host_run(host);
    seen = (struct seen){ 0 };
    host_expect(bursar_store_show(host->store, host->treasury, 2, &show, &err), &err);
    assert_int_equal(seen.count, 1);
    assert_string_equal(seen.memo, "für März");
    assert_int_equal(seen.dependencies, 1);
    assert_int_equal(seen.attempts, 1);
    assert_int_equal(seen.events, 4); /* imported, bound, included, final */
    assert_int_equal(seen.last_state, BURSAR_STATE_FINALIZED);
    assert_string_equal(seen.actor, "host");
    assert_int_equal(bursar_store_show(host->store, host->treasury, 3, &show, &err), BURSAR_ENOTFOUND);
}

static void a_queued_one_is_cancelled_once_and_stays_so(void **state)
{
    struct host *host = *state;
    host_submit(host, 2);
    host_expect(bursar_store_cancel(host->store, host->treasury, 1, "ann", "wrong person", &err), &err);
    assert_int_equal(host_state(host, 1), BURSAR_STATE_CANCELLED);
    assert_int_equal(bursar_store_cancel(host->store, host->treasury, 1, "ann", "again", &err), BURSAR_ECONFLICT);
    assert_int_equal(bursar_store_cancel(host->store, host->treasury, 9, "ann", "what", &err), BURSAR_ENOTFOUND);
    assert_int_equal(bursar_store_cancel(host->store, host->treasury, 2, "ann", "", &err), BURSAR_EUSAGE);
    host_run(host);
    assert_int_equal(host_paid(host, "pay-0"), 0);
    assert_int_equal(host_paid(host, "pay-1"), 1);
    assert_int_equal(bursar_store_cancel(host->store, host->treasury, 2, "ann", "too late", &err), BURSAR_ECONFLICT);
    assert_int_equal(bursar_store_retry(host->store, host->treasury, 2, "ann", "why not", &err), BURSAR_ECONFLICT);
}

static void the_snapshot_before_any_executor_is_empty(void **state)
{
    struct host *host = *state;
    struct bursar_snapshot snapshot = host_snapshot(host);
    assert_int_equal(snapshot.last_tick_ms, 0);
    assert_true(snapshot.lease_released);
    assert_false(snapshot.has_lease_last_nonce);
    assert_false(snapshot.has_last_submitted_nonce);
    assert_string_equal(snapshot.halt, "");
    struct bursar_snapshot wrong = { .size = 8 };
    assert_int_equal(bursar_store_snapshot(host->store, host->treasury, &wrong, &err), BURSAR_EUSAGE);
    wrong.size = sizeof wrong;
    assert_int_equal(bursar_store_snapshot(host->store, 99, &wrong, &err), BURSAR_ENOTFOUND);
}

static void the_snapshot_says_where_everything_stands(void **state)
{
    struct host *host = *state;
    host_submit(host, 3);
    host->says = BURSAR_SUBMIT_UNKNOWN;
    host->says_from = HOST_FIRST_NONCE + 2;
    host_tick(host, 0);
    struct bursar_snapshot snapshot = host_snapshot(host);
    assert_int_equal(snapshot.last_tick_ms, host->wall_ms);
    assert_int_equal(snapshot.last_success_ms, 0);
    assert_int_equal(snapshot.last_error_ms, host->wall_ms);
    assert_non_null(strstr(snapshot.last_error, "as told"));
    assert_int_equal(snapshot.pending, 0);
    assert_int_equal(snapshot.staged, 3);
    assert_string_equal(snapshot.lease_holder, "host");
    assert_false(snapshot.lease_released);
    assert_int_equal(snapshot.lease_expires_ms, host->wall_ms + 15000);
    assert_true(snapshot.has_lease_last_nonce);
    assert_int_equal(snapshot.lease_last_nonce, HOST_FIRST_NONCE + 2);
    assert_int_equal(snapshot.last_submitted_nonce, HOST_FIRST_NONCE + 2);
    host->says = 0;
    host_run(host);
    snapshot = host_snapshot(host);
    assert_int_equal(snapshot.states[BURSAR_STATE_FINALIZED], 3);
    assert_true(snapshot.last_success_ms > 0);
    uint64_t epoch = snapshot.lease_epoch;
    host_stop(host);
    snapshot = host_snapshot(host);
    assert_true(snapshot.lease_released);
    assert_string_equal(snapshot.lease_holder, "");
    assert_int_equal(snapshot.lease_expires_ms, 0);
    assert_int_equal(snapshot.lease_last_nonce, HOST_FIRST_NONCE + 2); /* survives a change of holder */
    assert_int_equal(snapshot.lease_epoch, epoch);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(a_store_is_made_once_and_found_again),
        T(a_store_that_is_not_there_is_not_made),
        T(registering_again_finds_the_same_treasury),
        T(registering_with_another_first_nonce_is_refused),
        T(what_epochs_mean_changes_only_while_nothing_waits_on_one),
        T(a_bad_registration_names_the_field),
        T(the_same_submit_again_adds_nothing),
        T(one_wrong_item_refuses_all_and_says_which),
        T(a_ref_means_one_content_for_ever),
        T(a_ref_twice_in_one_call_is_refused_new_or_stored),
        T(an_unknown_dependency_is_the_items_error),
        T(items_of_before_tokens_are_owed_in_the_coin),
        T(a_payment_can_be_owed_in_a_token),
        T(items_of_a_larger_struct_are_found_at_their_own_stride),
        T(a_list_goes_on_behind_its_last_id),
        T(a_visitor_that_has_seen_enough_ends_the_list),
        T(a_visitor_that_calls_back_is_told),
        T(showing_tells_the_whole_history),
        T(a_queued_one_is_cancelled_once_and_stays_so),
        T(the_snapshot_before_any_executor_is_empty),
        T(the_snapshot_says_where_everything_stands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

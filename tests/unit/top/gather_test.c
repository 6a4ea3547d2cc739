/* From a store to plain values: what is in flight, why nothing moves, and the log as it grows. */
#include "../store/store_fixture.h"

#include "service/treasury_settings.h"
#include "top/gather.h"

static struct gather gather;
static struct treasury_config section;
static struct treasury_settings settings;
static const struct webhook_list webhooks = {
    .count = 2, .of = { { .name = "ops", .treasuries = "main" }, { .name = "far", .treasuries = "other" } }
};

static int set_up(void **state)
{
    int failed = set_up_leased(state);
    if (failed != 0)
        return failed;
    struct fixture *f = *state;
    struct treasury treasury;
    OK(f, treasury_get, f->treasury, &treasury);
    section = (struct treasury_config){ .name = "main", .chain_id = treasury.chain_id };
    settings = (struct treasury_settings){ .section = &section, .limits = { .max_in_flight = 64 } };
    settings.limits.breaker = (struct bursar_breaker_config)BURSAR_BREAKER_DEFAULTS;
    assert_int_equal(gather_init(&gather, &f->store, &settings, 1, &webhooks, &f->err), BURSAR_OK);
    gather.view.treasuries[0].address = treasury.address;
    return 0;
}

static int tear_down_all(void **state)
{
    gather_free(&gather);
    return tear_down(state);
}

static const struct view_treasury *gathered(struct fixture *f)
{
    enum bursar_status status = gather_read(&gather, 0, NOW_MS, &f->err);
    if (status != BURSAR_OK)
        fail_msg("%s", f->err.message);
    return &gather.view.treasuries[0];
}

static void what_is_in_flight_is_shown_in_nonce_order(void **state)
{
    struct fixture *f = *state;
    int64_t first = import_many(f, "r", 4, NULL);
    (void)pay_row(f, first, true);
    int64_t intent = bind_row(f, first + 1);
    (void)sign_intent(f, intent, 1);
    (void)bind_row(f, first + 2);
    const struct view_treasury *seen = gathered(f);
    assert_true(seen->is_stored);
    assert_int_equal(seen->counts[STATE_STAGED], 2);
    assert_int_equal(seen->counts[STATE_FINALIZED], 1);
    assert_int_equal(seen->flight_count, 2);
    assert_int_equal(seen->flights[0].nonce, FIRST_NONCE + 1);
    assert_int_equal(seen->flights[0].disbursement, first + 1);
    assert_int_equal(seen->flights[0].attempts, 1);
    assert_int_equal(seen->flights[1].nonce, FIRST_NONCE + 2);
    assert_int_equal(seen->flights[1].attempts, 0);
    (void)gathered(f);
    assert_int_equal(seen->flight_count, 2);
}

static void how_webhooks_stand_is_shown_of_those_about_the_treasury(void **state)
{
    struct fixture *f = *state;
    struct webhook_record webhook;
    (void)gathered(f);
    assert_int_equal(gather.view.webhook_count, 1);
    assert_string_equal(gather.view.webhooks[0].name, "ops");
    assert_false(gather.view.webhooks[0].is_known);
    OK(f, webhook_add, "ops", &webhook);
    (void)import_many(f, "r", 3, NULL);
    const uint64_t kept = webhook.seq + 1;
    webhook.seq += 2;
    webhook.last_error_ms = NOW_MS;
    webhook.next_try_ms = NOW_MS + 4000;
    (void)snprintf(webhook.last_error, sizeof webhook.last_error, "answered 500");
    OK(f, webhook_save, &webhook, &kept, 1);
    (void)gathered(f);
    const struct webhook_view *seen = &gather.view.webhooks[0];
    assert_int_equal(gather.view.webhook_count, 1);
    assert_true(seen->is_known && seen->is_failing);
    assert_int_equal(seen->behind, 2); /* one that is kept back, and the third */
    char text[WEBHOOK_VIEW_TEXT_BYTES];
    webhook_view_text(seen, NOW_MS, text);
    assert_non_null(strstr(text, "ops: 2 events behind; not taken at "));
    assert_non_null(strstr(text, ": answered 500; next try at "));
    webhook_view_text(seen, NOW_MS + 4000, text);
    assert_null(strstr(text, "next try"));
}

static void one_reason_for_many_is_one_reason(void **state)
{
    struct fixture *f = *state;
    int64_t first = import_many(f, "r", 5, NULL);
    struct block_decision decision = { .disbursement = first, .version = 1, .code = BLOCK_DESTINATION_CODE };
    OK(f, block, f->fence, &decision, 1);
    const struct view_treasury *seen = gathered(f);
    assert_int_equal(seen->reason_count, 2);
    assert_int_equal(seen->reasons[0].kind, DIAGNOSIS_BLOCKED);
    assert_int_equal(seen->reasons[0].first_id, first);
    assert_int_equal(seen->reasons[1].kind, DIAGNOSIS_WAITING);
    assert_int_equal(seen->reasons[1].count, 4);
    assert_string_equal(seen->reasons[1].first_ref, "r1");
    assert_false(seen->reasons_more);
    (void)gathered(f);
    assert_int_equal(seen->reasons[1].count, 4);
}

static void events_are_seen_once_as_they_happen(void **state)
{
    struct fixture *f = *state;
    int64_t first = import_many(f, "r", 3, NULL);
    const struct view_treasury *seen = gathered(f);
    uint64_t before = seen->tail.seen;
    assert_int_equal(log_tail_event(&seen->tail, 0)->disbursement, first + 2);
    (void)gathered(f);
    assert_int_equal(seen->tail.seen, before);
    (void)bind_row(f, first);
    (void)gathered(f);
    assert_int_equal(seen->tail.seen, before + 1);
    assert_int_equal(log_tail_event(&seen->tail, 0)->cause, CAUSE_BOUND);
    assert_string_equal(log_tail_event(&seen->tail, 0)->ref, "r0");
}

static void what_is_not_stored_yet_is_no_failure(void **state)
{
    struct fixture *f = *state;
    gather.view.treasuries[0].address.bytes[0] ^= 1;
    assert_false(gathered(f)->is_stored);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_in_flight_is_shown_in_nonce_order, set_up, tear_down_all),
        cmocka_unit_test_setup_teardown(how_webhooks_stand_is_shown_of_those_about_the_treasury, set_up, tear_down_all),
        cmocka_unit_test_setup_teardown(one_reason_for_many_is_one_reason, set_up, tear_down_all),
        cmocka_unit_test_setup_teardown(events_are_seen_once_as_they_happen, set_up, tear_down_all),
        cmocka_unit_test_setup_teardown(what_is_not_stored_yet_is_no_failure, set_up, tear_down_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

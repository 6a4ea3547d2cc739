/* Ticks with an observer: included is executed, final is final, what is not seen any more goes back. */
#include "host.h"

#include <string.h>

static int set_up(void **state)
{
    struct host *host = host_new();
    host_observes(host);
    *state = host;
    return 0;
}

static int tear_down(void **state)
{
    host_free(*state);
    return 0;
}

static void accepted_is_not_paid_before_it_is_final(void **state)
{
    struct host *host = *state;
    host_submit(host, 2);
    host_tick(host, 1000);
    host_tick(host, 1000);
    assert_int_equal(host_state(host, 1), BURSAR_STATE_STAGED);
    host_include(host, 101, false);
    host_tick(host, 1000);
    assert_int_equal(host_state(host, 1), BURSAR_STATE_EXECUTED);
    assert_string_equal(host_snapshot(host).last_error, ""); /* not final yet is nothing wrong */
    host_include(host, 102, true);
    host_tick(host, 1000);
    host_check_all_paid(host);
    assert_int_equal(host_find(host, HOST_FIRST_NONCE)->submissions, 1);
}

static bool take(void *ctx, const struct bursar_disbursement *disbursement)
{
    struct bursar_disbursement *ret = ctx;
    *ret = *disbursement;
    return true;
}

static struct bursar_disbursement shown(struct host *host, int64_t id)
{
    struct bursar_error err = { 0 };
    struct bursar_disbursement disbursement = { 0 };
    const struct bursar_show show = { .size = sizeof show, .ctx = &disbursement, .disbursement = take };
    host_expect(bursar_store_show(host->store, host->treasury, id, &show, &err), &err);
    return disbursement;
}

static void the_block_shown_is_the_observers_height_and_the_fee_its_word(void **state)
{
    struct host *host = *state;
    host_submit(host, 1);
    host_tick(host, 1000);
    host->head.height = 140;
    host_include(host, 130, true);
    host_find(host, HOST_FIRST_NONCE)->sighting.fee = 4321;
    host_tick(host, 1000);
    struct bursar_disbursement disbursement = shown(host, 1);
    assert_int_equal(disbursement.state, BURSAR_STATE_FINALIZED);
    assert_int_equal(disbursement.block_number, 130);
    uint64_t fee = 0;
    assert_true(disbursement.has_fee && bursar_amount_to_u64(disbursement.fee, &fee));
    assert_int_equal(fee, 4321);
}

static void a_reorg_sends_it_back_and_the_same_bytes_out_again(void **state)
{
    struct host *host = *state;
    host_submit(host, 2);
    host_tick(host, 1000);
    host_include(host, 101, false);
    host_tick(host, 1000);
    assert_int_equal(host_state(host, 1), BURSAR_STATE_EXECUTED);
    struct host_entry *gone = host_find(host, HOST_FIRST_NONCE);
    gone->sighting = (struct bursar_sighting){ .state = BURSAR_SIGHTING_NOT_SEEN };
    gone->is_paid = false;
    host_tick(host, 1000);
    assert_int_equal(host_state(host, 1), BURSAR_STATE_STAGED);
    host_tick(host, 1000);
    assert_int_equal(host_state(host, 2), BURSAR_STATE_EXECUTED); /* still seen: included again */
    host_tick(host, 1000);
    assert_true(gone->submissions > 1);
    assert_int_equal(host->ledger_count, 2); /* no other bytes */
    host_include(host, 103, true);
    host_run(host);
    host_check_all_paid(host);
}

static void a_head_that_goes_back_changes_nothing(void **state)
{
    struct host *host = *state;
    host_submit(host, 1);
    host_tick(host, 1000);
    host_include(host, 105, false);
    host_tick(host, 1000);
    host->ledger[0].sighting.height = 99;
    host->head.height = 99;
    host_tick(host, 1000);
    assert_int_equal(host_state(host, 1), BURSAR_STATE_EXECUTED);
    host->head.height = 106;
    host_include(host, 106, true);
    host_run(host);
    host_check_all_paid(host);
}

static void one_that_is_found_below_what_was_looked_at_is_not_missed(void **state)
{
    struct host *host = *state;
    host->head.height = 5000;
    host_tick(host, 1000); /* looks at 5000 */
    host_submit(host, 1);
    host_tick(host, 1000);
    host_include(host, 4000, true);
    host_run(host);
    host_check_all_paid(host);
}

static void a_final_failure_fails_it_and_a_retry_pays_at_another_nonce(void **state)
{
    struct host *host = *state;
    struct bursar_error err = { 0 };
    host_submit(host, 1);
    host_tick(host, 1000);
    host->ledger[0].sighting = (struct bursar_sighting){ .state = BURSAR_SIGHTING_FINAL_FAILURE, .height = 100 };
    host_tick(host, 1000);
    assert_int_equal(host_state(host, 1), BURSAR_STATE_FAILED);
    host_expect(bursar_store_retry(host->store, host->treasury, 1, "ann", "funded now", &err), &err);
    host_tick(host, 1000);
    assert_int_equal(host->ledger_count, 2);
    host->ledger[1].is_paid = true;
    host->ledger[1].sighting = (struct bursar_sighting){ .state = BURSAR_SIGHTING_FINAL_SUCCESS, .height = 100 };
    host_run(host);
    host_check_all_paid(host);
    assert_int_equal(host->ledger[1].nonce, HOST_FIRST_NONCE + 1);
}

static void a_failed_look_proves_nothing_and_binds_nothing(void **state)
{
    struct host *host = *state;
    host_submit(host, 1);
    host_tick(host, 1000);
    host_include(host, 101, false);
    host_tick(host, 1000);
    host->observer_fails = BURSAR_EREFUSED; /* whatever the status */
    host_submit(host, 1);
    host_tick(host, 1000);
    assert_int_equal(host_state(host, 1), BURSAR_STATE_EXECUTED);
    assert_int_equal(host_state(host, 2), BURSAR_STATE_QUEUED);
    assert_non_null(strstr(host_snapshot(host).last_error, "the observatory is closed"));
    assert_string_equal(host_snapshot(host).halt, "");
    assert_int_equal(bursar_breaker_failure_count(host->config.circuit_breaker, host->monotonic_ms), 0);
    host->observer_fails = BURSAR_OK;
    host->goes_on = true;
    host_run(host);
    host_check_all_paid(host);
}

static void a_sighting_above_the_head_is_not_believed(void **state)
{
    struct host *host = *state;
    host_submit(host, 1);
    host_tick(host, 1000);
    host->ledger[0].sighting = (struct bursar_sighting){ .state = BURSAR_SIGHTING_FINAL_SUCCESS, .height = 101 };
    host_tick(host, 1000);
    assert_int_equal(host_state(host, 1), BURSAR_STATE_STAGED);
    assert_non_null(strstr(host_snapshot(host).last_error, "height 101"));
}

static void what_the_balance_does_not_cover_waits_for_funds(void **state)
{
    struct host *host = *state;
    host->head.has_balance = true;
    host->head.balance = bursar_amount_from_u64(1500);
    host->goes_on = true;
    host_submit(host, 2);
    host_tick(host, 1000);
    host->head.balance = bursar_amount_from_u64(500); /* as of the block that the first is in */
    for (int i = 0; i < 5; i++)
        host_tick(host, 1000);
    assert_int_equal(host_state(host, 1), BURSAR_STATE_FINALIZED);
    assert_int_equal(host_state(host, 2), BURSAR_STATE_QUEUED);
    assert_string_equal(shown(host, 2).blocked, "funds");
    host->head.balance = bursar_amount_from_u64(5000);
    host_run(host);
    host_check_all_paid(host);
}

static void a_schedule_by_time_follows_the_observers_time(void **state)
{
    struct host *host = *state;
    struct bursar_error err = { 0 };
    struct bursar_payment payment = host_payment("pay-0", 7);
    payment.schedule = BURSAR_SCHEDULE_TIME;
    payment.schedule_value = 2000;
    host->head.time_s = 1999;
    host->payment_count = 1;
    host_expect(bursar_store_submit(host->store, host->treasury, &payment, 1, "test", NULL, &err), &err);
    host_tick(host, 1000);
    assert_int_equal(host->signatures, 0);
    host->head.time_s = 2000;
    host->goes_on = true;
    host_run(host);
    host_check_all_paid(host);
}

/* More than one look asks about, all in one block, and a reorg of it. */
static void hundreds_in_one_block_become_final_and_survive_a_reorg(void **state)
{
    struct host *host = *state;
    host_submit(host, 300);
    for (int i = 0; i < 6; i++)
        host_tick(host, 1000);
    host_include(host, 101, false);
    host_tick(host, 1000);
    for (size_t i = 0; i < host->ledger_count; i += 2) {
        host->ledger[i].sighting = (struct bursar_sighting){ .state = BURSAR_SIGHTING_NOT_SEEN };
        host->ledger[i].is_paid = false;
    }
    host->goes_on = true;
    host_run(host);
    host_check_all_paid(host);
}

static void an_open_breaker_stops_submitting_and_never_looking(void **state)
{
    struct host *host = *state;
    host_submit(host, 2);
    host_tick(host, 1000);
    host_include(host, 101, false);
    bursar_breaker_force_open(host->config.circuit_breaker, host->monotonic_ms);
    host_submit(host, 1);
    unsigned submissions = host->submissions;
    host_tick(host, 1000);
    assert_int_equal(host_state(host, 1), BURSAR_STATE_EXECUTED);
    host_include(host, 101, true);
    host_tick(host, 1000);
    assert_int_equal(host_state(host, 1), BURSAR_STATE_FINALIZED);
    assert_int_equal(host_state(host, 3), BURSAR_STATE_QUEUED);
    assert_int_equal(host->submissions, submissions);
    assert_true(host->report.is_forced_open);
    bursar_breaker_force_close(host->config.circuit_breaker, host->monotonic_ms);
    host->goes_on = true;
    host_run(host);
    host_check_all_paid(host);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(accepted_is_not_paid_before_it_is_final),
        T(the_block_shown_is_the_observers_height_and_the_fee_its_word),
        T(a_reorg_sends_it_back_and_the_same_bytes_out_again),
        T(a_head_that_goes_back_changes_nothing),
        T(one_that_is_found_below_what_was_looked_at_is_not_missed),
        T(a_final_failure_fails_it_and_a_retry_pays_at_another_nonce),
        T(a_failed_look_proves_nothing_and_binds_nothing),
        T(a_sighting_above_the_head_is_not_believed),
        T(what_the_balance_does_not_cover_waits_for_funds),
        T(a_schedule_by_time_follows_the_observers_time),
        T(hundreds_in_one_block_become_final_and_survive_a_reorg),
        T(an_open_breaker_stops_submitting_and_never_looking),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

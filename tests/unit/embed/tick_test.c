/* Ticks without an observer: accepted = executed = final. */
#include "host.h"

#include "signer/signing_log.h"

#include <string.h>
#include <unistd.h>

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

static void what_is_accepted_is_paid_finally(void **state)
{
    struct host *host = *state;
    host_submit(host, 3);
    host_tick(host, 0);
    assert_int_equal(host->next_wake_ms, 0); /* the look that finds it final need not wait */
    assert_int_equal(host_state(host, 1), BURSAR_STATE_STAGED);
    host_tick(host, 0);
    host_check_all_paid(host);
    assert_true(host->report.is_idle);
    assert_int_equal(host->next_wake_ms, 1000);
    assert_int_equal(host->submissions, 3);
}

static void many_are_paid_in_the_order_of_their_nonces(void **state)
{
    struct host *host = *state;
    host_submit(host, 300);
    host_run(host);
    host_check_all_paid(host);
    for (size_t i = 0; i < host->ledger_count; i++)
        assert_int_equal(host->ledger[i].nonce, HOST_FIRST_NONCE + i);
}

static void an_unknown_outcome_is_submitted_again_and_paid_once(void **state)
{
    struct host *host = *state;
    host_submit(host, 2);
    host->says = BURSAR_SUBMIT_UNKNOWN;
    host->says_from = 0;
    host->applies_anyway = true;
    host_tick(host, 2000);
    assert_int_equal(host->submissions, 1); /* nothing goes out behind one that may not have arrived */
    host->says = 0;
    host_run(host);
    host_check_all_paid(host);
    assert_int_equal(host_find(host, HOST_FIRST_NONCE)->submissions, 2);
}

static void a_refusal_ends_nothing(void **state)
{
    struct host *host = *state;
    host_submit(host, 1);
    host->says = BURSAR_SUBMIT_REFUSED;
    host_tick(host, 2000);
    assert_int_equal(host_state(host, 1), BURSAR_STATE_STAGED);
    host->says = 0;
    host_run(host);
    host_check_all_paid(host);
}

static void a_used_nonce_stops_binding_above_it(void **state)
{
    struct host *host = *state;
    host_submit(host, 1);
    host->says = BURSAR_SUBMIT_NONCE_TOO_LOW;
    host_tick(host, 2000);
    host_submit(host, 1);
    host_tick(host, 2000);
    assert_int_equal(host_state(host, 2), BURSAR_STATE_QUEUED);
    assert_non_null(strstr(host_snapshot(host).hold, "nonce_too_low"));
}

static void an_answer_that_is_no_verdict_counts_as_unknown(void **state)
{
    struct host *host = *state;
    host_submit(host, 1);
    host->says = (enum bursar_submit_verdict)99;
    host_tick(host, 2000);
    assert_non_null(strstr(host_snapshot(host).last_error, "no verdict"));
    host->says = 0;
    host_run(host);
    host_check_all_paid(host);
}

static void a_signer_that_fails_holds_up_only_what_is_above(void **state)
{
    struct host *host = *state;
    host_submit(host, 3);
    host->signer_fails = BURSAR_EUNREACHABLE;
    host->signer_fails_at = HOST_FIRST_NONCE + 1;
    host_tick(host, 1000);
    host_tick(host, 1000);
    assert_int_equal(host_paid(host, "pay-0"), 1);
    assert_int_equal(host_paid(host, "pay-2"), 0);
    assert_non_null(strstr(host_snapshot(host).last_error, "the vault is closed"));
    assert_string_equal(host_snapshot(host).halt, "");
    host->signer_fails = BURSAR_OK;
    host_run(host);
    host_check_all_paid(host);
}

static void a_signer_that_refuses_for_good_halts_the_treasury_until_it_does_not(void **state)
{
    struct host *host = *state;
    host_submit(host, 1);
    host->signer_fails = BURSAR_EFENCED; /* also what our own log might say: here it is the host's word */
    host->signer_fails_at = HOST_FIRST_NONCE;
    host_tick(host, 1000);
    assert_true(host->report.is_halted);
    assert_string_equal(host_snapshot(host).halt, "signer");
    assert_int_equal(host->submissions, 0);
    host->signer_fails = BURSAR_OK;
    host_run(host);
    host_check_all_paid(host);
}

/* As a store does that was put back from an older copy: it binds a nonce anew that was signed for another payment. */
static void a_nonce_is_never_signed_for_two_payments(void **state)
{
    struct host *host = *state;
    struct bursar_error err = { 0 };
    struct signing_log *log = NULL;
    const struct signing_log_entry signed_before = { .lease_epoch = 0,
                                                     .nonce = HOST_FIRST_NONCE,
                                                     .purpose = SIGN_PAYMENT,
                                                     .to = host_destination("somebody else"),
                                                     .value = bursar_amount_from_u64(9) };
    host_submit(host, 1);
    host_tick(host, 0); /* the log is compared, and empty */
    host_stop(host);
    assert_int_equal(host->signatures, 1);
    (void)unlink(host->log_path);
    host_expect(signing_log_create(host->log_path, HOST_CHAIN_ID, &host->registration.account, &err), &err);
    host_expect(signing_log_open(host->log_path, HOST_CHAIN_ID, &host->registration.account, &log, &err), &err);
    host_expect(signing_log_append(log, &signed_before, &err), &err);
    host_expect(signing_log_sync(log, &err), &err);
    signing_log_close(log);
    host_submit(host, 1);
    host_tick(host, 1000);
    host_tick(host, 1000);
    assert_true(host->report.is_halted);
    assert_int_equal(host->signatures, 1);
    assert_string_equal(host_snapshot(host).halt, "store_behind_log");
}

/* The same through the seam itself, where no other comparison is in front. */
static void the_wrapped_signer_does_not_even_ask_the_host(void **state)
{
    struct host *host = *state;
    struct bursar_error err = { 0 };
    struct host_signer *wrapped = NULL;
    atomic_bool stop;
    atomic_init(&stop, false);
    const struct host_signer_config config = { .treasury = host->treasury,
                                               .chain_id = HOST_CHAIN_ID,
                                               .account = host->registration.account,
                                               .store = host->store->store,
                                               .signer = host->config.signer,
                                               .stop = &stop };
    host_expect(host_signer_new(&config, &wrapped, &err), &err);
    struct signer signer = host_signer_interface(wrapped);
    struct sign_request request = { .lease_epoch = 1,
                                    .nonce = HOST_FIRST_NONCE,
                                    .purpose = SIGN_PAYMENT,
                                    .to = host_destination("a"),
                                    .value = bursar_amount_from_u64(1) };
    struct signed_transaction answer;
    assert_int_equal(signer.sign(signer.ctx, &request, 1, &answer, &err), BURSAR_EREFUSED); /* not acquired */
    host_expect(signer.acquire(signer.ctx, &err), &err);
    host_expect(signer.sign(signer.ctx, &request, 1, &answer, &err), &err);
    assert_int_equal(answer.error.status, BURSAR_OK);
    signed_transaction_clear(&answer);
    assert_int_equal(host->signatures, 1);
    host_expect(signer.sign(signer.ctx, &request, 1, &answer, &err), &err); /* the same again is allowed */
    assert_int_equal(answer.error.status, BURSAR_OK);
    signed_transaction_clear(&answer);
    request.value = bursar_amount_from_u64(2);
    host_expect(signer.sign(signer.ctx, &request, 1, &answer, &err), &err);
    assert_int_equal(answer.error.status, BURSAR_EEQUIVOCATION);
    assert_int_equal(host->signatures, 2);
    signer.release(signer.ctx);
    host_signer_free(wrapped);
}

static void a_lost_signing_log_binds_nothing(void **state)
{
    struct host *host = *state;
    (void)unlink(host->log_path);
    host_submit(host, 1);
    host_tick(host, 0);
    assert_true(host->report.is_halted);
    assert_int_equal(host_state(host, 1), BURSAR_STATE_QUEUED);
    assert_string_equal(host_snapshot(host).halt, "signing_log_lost");
}

static void a_second_executor_stands_by(void **state)
{
    struct host *host = *state;
    struct bursar_error err = { 0 };
    struct bursar_executor *second = NULL;
    const struct clock clock = host_clock(host);
    struct bursar_tick_report report = { .size = sizeof report };
    struct bursar_executor_config config = host->config;
    uint64_t wake_ms;
    host_tick(host, 0);
    config.identity = "second";
    host_expect(embed_executor_new(host->store, host->treasury, &config, &clock, &second, &err), &err);
    host_expect(bursar_executor_tick(second, &wake_ms, &report, &err), &err);
    assert_false(report.holds_lease);
    assert_string_equal(host_snapshot(host).lease_holder, "host");
    host_stop(host);
    host_submit(host, 1);
    host_expect(bursar_executor_tick(second, &wake_ms, &report, &err), &err);
    assert_true(report.holds_lease);
    assert_string_equal(host_snapshot(host).lease_holder, "second");
    (void)bursar_executor_free(second);
}

static void what_is_missing_in_a_configuration_is_named(void **state)
{
    struct host *host = *state;
    struct bursar_error err = { 0 };
    struct bursar_executor *executor = NULL;
    const struct bursar_executor_config good = host->config;
    struct {
        struct bursar_executor_config config;
        const char *named;
    } cases[] = { { good, "identity" },      { good, "poll_interval" },
                  { good, "lease_ttl" },     { good, "epoch_source" },
                  { good, "signer" },        { good, "signing_log" },
                  { good, "submitter" },     { good, "circuit_breaker" },
                  { good, "observer.look" }, { good, "bursar_executor_config" } };
    cases[0].config.identity = "";
    cases[1].config.poll_interval = 9;
    cases[2].config.lease_ttl = 499;
    cases[3].config.epoch_source.epoch = NULL;
    cases[4].config.signer.sign = NULL;
    cases[5].config.signer.signing_log = NULL;
    cases[6].config.submitter.submit = NULL;
    cases[7].config.circuit_breaker = NULL;
    host_observes(host);
    cases[8].config.observer.head = host->config.observer.head;
    cases[9].config.size = 16;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        enum bursar_status status = bursar_executor_new(host->store, host->treasury, &cases[i].config, &executor, &err);
        assert_int_equal(status, i == 9 ? BURSAR_EUSAGE : BURSAR_EINVAL);
        assert_non_null(strstr(err.message, cases[i].named));
        assert_null(executor);
    }
    assert_int_equal(bursar_executor_new(host->store, 99, &good, &executor, &err), BURSAR_ENOTFOUND);
}

static void a_treasury_of_the_program_is_not_driven_by_a_host(void **state)
{
    struct host *host = *state;
    struct bursar_error err = { 0 };
    struct bursar_executor *executor = NULL;
    const struct store *store = &host->store->store;
    const struct bursar_address account = { { 0xbb } };
    const struct block_mark genesis = { .hash = { { 0x99 } } };
    int64_t id = 0, found = 0;
    host_expect(store->treasury_add(store->ctx, "evm", 1, &account, "block/10", &id, &err), &err);
    assert_int_equal(bursar_executor_new(host->store, id, &host->config, &executor, &err), BURSAR_ECONFLICT);
    host_expect(store->treasury_pin(store->ctx, id, &genesis.hash, 0, &genesis, &genesis, &err), &err);
    assert_int_equal(bursar_executor_new(host->store, id, &host->config, &executor, &err), BURSAR_ECONFLICT);
    struct bursar_treasury same = host->registration;
    same.chain_id = 1;
    same.account = account;
    assert_int_equal(bursar_store_treasury(host->store, &same, &found, &err), BURSAR_ECONFLICT);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(what_is_accepted_is_paid_finally),
        T(many_are_paid_in_the_order_of_their_nonces),
        T(an_unknown_outcome_is_submitted_again_and_paid_once),
        T(a_refusal_ends_nothing),
        T(a_used_nonce_stops_binding_above_it),
        T(an_answer_that_is_no_verdict_counts_as_unknown),
        T(a_signer_that_fails_holds_up_only_what_is_above),
        T(a_signer_that_refuses_for_good_halts_the_treasury_until_it_does_not),
        T(a_nonce_is_never_signed_for_two_payments),
        T(the_wrapped_signer_does_not_even_ask_the_host),
        T(a_lost_signing_log_binds_nothing),
        T(a_second_executor_stands_by),
        T(what_is_missing_in_a_configuration_is_named),
        T(a_treasury_of_the_program_is_not_driven_by_a_host),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

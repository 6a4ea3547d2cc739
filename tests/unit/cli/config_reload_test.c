/* A changed bursar.conf, while running: what can change does, everything else is told. */
#include "cli/config_reload.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"

#define ONE                                                                                                            \
    "[treasury main]\nchain_id = 1\nrpc = http://127.0.0.1:8545\nkeystore = key.json\npassword_file = key.pass\n"
#define OTHER "[treasury other]\nchain_id = 2\nrpc = http://127.0.0.1:1\nkeystore = b.json\npassword_file = b.pass\n"

static struct config *read_text(const char *text)
{
    struct config *config = NULL;
    struct bursar_error err = { 0 };
    FILE *file = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
    assert_non_null(file);
    if (config_read(file, "bursar.conf", NULL, &config, &err) != BURSAR_OK)
        fail_msg("%s", err.message);
    fclose(file);
    return config;
}

static void tell(void *ctx, const char *what, bool in_force)
{
    assert_true(buf_append_format(ctx, "%s: %s\n", what, in_force ? "now" : "later"));
}

/* From `old` to `fresh`, what is told is `expected`; returns what `old` has become. */
static struct config *changed(const char *old, const char *fresh, const char *expected)
{
    struct buf told = { 0 };
    struct config *before = read_text(old), *after = read_text(fresh);
    assert_true(buf_append_text(&told, ""));
    config_take_over(before, after, tell, &told);
    assert_string_equal(told.data, expected);
    buf_free(&told);
    config_free(after);
    return before;
}

static void the_same_file_changes_nothing(void **state)
{
    (void)state;
    config_free(changed(ONE OTHER, ONE OTHER, ""));
}

static void what_can_change_is_taken_over(void **state)
{
    (void)state;
    struct config *config = changed(
        ONE,
        ONE
        "max_in_flight = 7\n[fees]\nmax_fee_per_gas = 3gwei\nmax_priority_fee_per_gas = 1gwei\n[log]\nlevel = debug\n",
        "[fees] max_fee_per_gas was changed: now\n[fees] max_priority_fee_per_gas was changed: now\n[log] level was "
        "changed: now\n"
        "[treasury main] max_in_flight was changed: now\n");
    assert_int_equal(config->treasuries[0].max_in_flight, 7);
    assert_int_equal(config->max_fee_per_gas_wei, 3000000000u);
    assert_int_equal(config->max_priority_fee_per_gas_wei, 1000000000u);
    assert_int_equal(config->log_level, NOTE_DEBUG);
    config_free(config);
}

static void every_key_of_the_breaker_can_change(void **state)
{
    (void)state;
    struct config *config =
        changed(ONE,
                ONE "[breaker]\nfailure_threshold = 9\nsuccess_threshold = 9\ntimeout_s = 9\nwindow_s = 9\n"
                    "timeout_max_s = 9\njitter_percent = 9\nfailure_rate_percent = 9\nrate_min_calls = 9\n"
                    "slow_call_ms = 9\n",
                "[breaker] failure_threshold was changed: now\n[breaker] success_threshold was changed: now\n"
                "[breaker] timeout_s was changed: now\n[breaker] timeout_max_s was changed: now\n"
                "[breaker] jitter_percent was changed: now\n[breaker] window_s was changed: now\n"
                "[breaker] failure_rate_percent was changed: now\n[breaker] rate_min_calls was changed: now\n"
                "[breaker] slow_call_ms was changed: now\n");
    struct bursar_breaker_config breaker;
    config_breaker(config, &breaker);
    assert_int_equal(breaker.failure_threshold, 9);
    assert_int_equal(breaker.success_threshold, 9);
    assert_int_equal(breaker.timeout_ms, 9000);
    assert_int_equal(breaker.window_ms, 9000);
    assert_int_equal(breaker.timeout_max_ms, 9000);
    assert_int_equal(breaker.jitter_percent, 9);
    assert_int_equal(breaker.failure_rate_percent, 9);
    assert_int_equal(breaker.rate_min_calls, 9);
    assert_int_equal(breaker.slow_call_ms, 9);
    config_free(config);
}

#define HOOK(name, url) "[webhook " name "]\nsecret_file = " name ".secret\nurl = " url "\n"

static void webhooks_change_come_and_go(void **state)
{
    (void)state;
    struct config *config =
        changed(ONE HOOK("ops", "http://a.example/") HOOK("old", "http://b.example/"),
                ONE HOOK("new", "http://c.example/") HOOK("ops", "http://d.example/") "retry_ms = 20\n"
                                                                                      "events = included\n",
                "[webhook ops] url was changed: now\n[webhook ops] events was changed: now\n"
                "[webhook ops] retry_ms was changed: now\n[webhook old] was removed: now\n"
                "[webhook new] was added: now\n");
    assert_int_equal(config->webhook_count, 2);
    assert_string_equal(config->webhooks[0].name, "new");
    assert_string_equal(config->webhooks[1].url, "http://d.example/");
    assert_string_equal(config->webhooks[1].events, "included");
    assert_int_equal(config->webhooks[1].retry_ms, 20);
    config_free(config);
}

static void what_needs_a_start_is_told_and_left_alone(void **state)
{
    (void)state;
    struct config *config = changed(
        ONE,
        "[treasury main]\nchain_id = 1\nrpc = http://127.0.0.1:9\nkeystore = key.json\npassword_file = key.pass\n"
        "finality = 9\nepoch = time/60\n[store]\nurl = sqlite:b.db\n",
        "[store] url was changed: later\n[treasury main] rpc was changed: later\n"
        "[treasury main] finality was changed: later\n[treasury main] epoch was changed: later\n");
    assert_string_equal(config->treasuries[0].rpc, "http://127.0.0.1:8545");
    assert_int_equal(config->treasuries[0].finality_blocks, 0);
    assert_int_equal(config->treasuries[0].epoch.kind, EPOCH_BLOCK);
    config_free(config);
}

static void sections_are_compared_by_name_not_by_place(void **state)
{
    (void)state;
    config_free(changed(ONE OTHER, OTHER ONE, ""));
    config_free(changed(ONE, OTHER, "[treasury main] was removed: later\n[treasury other] was added: later\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_file_changes_nothing),
        cmocka_unit_test(what_can_change_is_taken_over),
        cmocka_unit_test(every_key_of_the_breaker_can_change),
        cmocka_unit_test(webhooks_change_come_and_go),
        cmocka_unit_test(what_needs_a_start_is_told_and_left_alone),
        cmocka_unit_test(sections_are_compared_by_name_not_by_place),
    };
    return cmocka_run_group_tests_name("cli config reload", tests, NULL, NULL);
}

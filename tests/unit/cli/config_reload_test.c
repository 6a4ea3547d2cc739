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
        "[fees] max_fee_per_gas: now\n[fees] max_priority_fee_per_gas: now\n[log] level: now\n"
        "[treasury main] max_in_flight: now\n");
    assert_int_equal(config->treasuries[0].max_in_flight, 7);
    assert_int_equal(config->max_fee_per_gas_wei, 3000000000u);
    assert_int_equal(config->max_priority_fee_per_gas_wei, 1000000000u);
    assert_int_equal(config->log_level, NOTE_DEBUG);
    config_free(config);
}

static void what_needs_a_start_is_told_and_left_alone(void **state)
{
    (void)state;
    struct config *config = changed(
        ONE,
        "[treasury main]\nchain_id = 1\nrpc = http://127.0.0.1:9\nkeystore = key.json\npassword_file = key.pass\n"
        "finality = 9\nepoch = time/60\n[store]\nurl = sqlite:b.db\n[breaker]\ntimeout_s = 9\n",
        "[store] url: later\n[breaker] timeout_s: later\n[treasury main] rpc: later\n"
        "[treasury main] finality: later\n[treasury main] epoch: later\n");
    assert_string_equal(config->treasuries[0].rpc, "http://127.0.0.1:8545");
    assert_int_equal(config->treasuries[0].finality_blocks, 0);
    assert_int_equal(config->treasuries[0].epoch.kind, EPOCH_BLOCK);
    assert_int_equal(config->breaker_timeout_s, 60);
    config_free(config);
}

static void sections_are_compared_by_name_not_by_place(void **state)
{
    (void)state;
    config_free(changed(ONE OTHER, OTHER ONE, ""));
    config_free(changed(ONE, OTHER, "[treasury main], which is gone: later\n[treasury other], which is new: later\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_file_changes_nothing),
        cmocka_unit_test(what_can_change_is_taken_over),
        cmocka_unit_test(what_needs_a_start_is_told_and_left_alone),
        cmocka_unit_test(sections_are_compared_by_name_not_by_place),
    };
    return cmocka_run_group_tests_name("cli config reload", tests, NULL, NULL);
}

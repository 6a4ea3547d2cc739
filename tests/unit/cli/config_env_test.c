/* BURSAR_* variables: they override the file, and a misspelt one is not passed over. */
#include "cli/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char TEXT[] = "[treasury main]\nchain_id = 1\nrpc = http://a\nkeystore = k\npassword_file = p\n"
                           "[treasury main_2]\nchain_id = 2\nrpc = http://b\nkeystore = k\npassword_file = p\n"
                           "[asset usdc]\ntoken = 0x00000000000000000000000000000000000000aa\nchain_id = 1\n"
                           "[executor]\nbatch_size = 5\n";

static enum bursar_status read_with(const char *variable, struct config **ret, struct bursar_error *err)
{
    FILE *file = fmemopen((void *)(uintptr_t)TEXT, strlen(TEXT), "r");
    assert_non_null(file);
    char *environment[] = { (char *)(uintptr_t) "PATH=/bin", (char *)(uintptr_t)variable, NULL };
    enum bursar_status status = config_read(file, "dir/bursar.conf", environment, ret, err);
    fclose(file);
    return status;
}

static struct config *good(const char *variable)
{
    struct config *config = NULL;
    struct bursar_error err = { 0 };
    if (read_with(variable, &config, &err) != BURSAR_OK)
        fail_msg("%s", err.message);
    return config;
}

static void assert_refused(const char *variable, const char *named)
{
    struct config *config = NULL;
    struct bursar_error err = { 0 };
    assert_int_equal(read_with(variable, &config, &err), BURSAR_EINVAL);
    if (!strstr(err.message, named))
        fail_msg("'%s' does not name '%s'", err.message, named);
}

static void a_variable_overrides_the_file(void **state)
{
    (void)state;
    struct config *config = good("BURSAR_EXECUTOR_BATCH_SIZE=77");
    assert_int_equal(config->batch_size, 77);
    config_free(config);
    config = good("BURSAR_STORE_URL=sqlite:other.db");
    assert_string_equal(config->store_path, "dir/other.db");
    config_free(config);
}

static void a_treasurys_variable_reaches_that_treasury_only(void **state)
{
    (void)state;
    struct config *config = good("BURSAR_TREASURY_MAIN_2_CHAIN_ID=7");
    assert_int_equal(config->treasuries[0].chain_id, 1);
    assert_int_equal(config->treasuries[1].chain_id, 7);
    config_free(config);
    config = good("BURSAR_TREASURY_MAIN_MAX_IN_FLIGHT=9");
    assert_int_equal(config->treasuries[0].max_in_flight, 9);
    assert_int_equal(config->treasuries[1].max_in_flight, 64);
    config_free(config);
}

static void a_bad_value_names_the_variable_and_the_range(void **state)
{
    (void)state;
    assert_refused("BURSAR_EXECUTOR_BATCH_SIZE=0", "BURSAR_EXECUTOR_BATCH_SIZE");
    assert_refused("BURSAR_EXECUTOR_BATCH_SIZE=0", "1-1000");
    assert_refused("BURSAR_FEES_MAX_PRIORITY_FEE_PER_GAS=300gwei", "BURSAR_FEES_MAX_PRIORITY_FEE_PER_GAS");
}

static void a_misspelt_variable_of_a_known_section_is_an_error(void **state)
{
    (void)state;
    assert_refused("BURSAR_EXECUTOR_BATCH_SISE=1", "BURSAR_EXECUTOR_BATCH_SISE");
    assert_refused("BURSAR_TREASURY_OTHER_RPC=http://x", "BURSAR_TREASURY_OTHER_RPC");
    assert_refused("BURSAR_TREASURY_MAIN_RPCS=http://x", "BURSAR_TREASURY_MAIN_RPCS");
}

static void other_variables_are_not_ours(void **state)
{
    (void)state;
    config_free(good("BURSAR_BIN=/x"));
    config_free(good("BURSAR_STORETYPE=x"));
    config_free(good("bursar_executor_batch_size=0"));
}

static void a_secret_url_is_never_shown(void **state)
{
    (void)state;
    struct config *config = NULL;
    struct bursar_error err = { 0 };
    assert_int_equal(read_with("BURSAR_TREASURY_MAIN_RPC=ws://host/secret", &config, &err), BURSAR_EINVAL);
    assert_null(strstr(err.message, "secret"));
}

static void an_assets_variable_reaches_that_asset(void **state)
{
    (void)state;
    struct config *config = good("BURSAR_ASSET_USDC_DECIMALS=6");
    assert_true(config->assets[0].has_decimals && config->assets[0].decimals == 6);
    config_free(config);
    config = good("BURSAR_ASSET_USDC_CHAIN_ID=2");
    assert_int_equal(config->assets[0].chain_id, 2);
    config_free(config);
    assert_refused("BURSAR_ASSET_USDT_DECIMALS=6", "BURSAR_ASSET_USDT_DECIMALS");
    assert_refused("BURSAR_ASSET_USDC_CHAIN_ID=", "lacks chain_id");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_assets_variable_reaches_that_asset),
        cmocka_unit_test(a_variable_overrides_the_file),
        cmocka_unit_test(a_treasurys_variable_reaches_that_treasury_only),
        cmocka_unit_test(a_bad_value_names_the_variable_and_the_range),
        cmocka_unit_test(a_misspelt_variable_of_a_known_section_is_an_error),
        cmocka_unit_test(other_variables_are_not_ours),
        cmocka_unit_test(a_secret_url_is_never_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

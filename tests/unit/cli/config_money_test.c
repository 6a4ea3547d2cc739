/* What the configuration expects of payments, and when the money breaker is to open. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "cli/config.h"

#include <string.h>

#define TREASURY                                                                                                       \
    "[treasury main]\nchain_id = 1\nrpc = http://127.0.0.1:8545\nkeystore = k.json\npassword_file = k.pass\n"
#define ASSET "[asset usdc]\ntoken = 0x00000000000000000000000000000000000000aa\n"

static enum bursar_status read_text(const char *text, struct config **ret, struct bursar_error *err)
{
    FILE *file = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
    assert_non_null(file);
    enum bursar_status status = config_read(file, "some.conf", NULL, ret, err);
    (void)fclose(file);
    return status;
}

static struct money_limits limits_of(const char *text)
{
    struct config *config = NULL;
    struct bursar_error err = { 0 };
    struct money_limits limits;
    if (read_text(text, &config, &err) != BURSAR_OK)
        fail_msg("%s", err.message);
    config_money(config, &config->treasuries[0], &limits);
    config_free(config);
    return limits;
}

static void assert_refused(const char *text, const char *line, const char *key, const char *why)
{
    struct config *config = NULL;
    struct bursar_error err = { 0 };
    assert_int_equal(read_text(text, &config, &err), BURSAR_EINVAL);
    if (!strstr(err.message, line) || !strstr(err.message, key) || !strstr(err.message, why))
        fail_msg("%s", err.message);
}

static void assert_amount(struct bursar_amount amount, const char *wanted)
{
    char text[BURSAR_AMOUNT_TEXT_BYTES];
    bursar_amount_to_text(amount, text);
    assert_string_equal(text, wanted);
}

static void what_goes_wrong_is_watched_unless_told_otherwise_and_no_hour_has_a_limit(void **state)
{
    (void)state;
    struct money_limits limits = limits_of(TREASURY ASSET);
    assert_int_equal(limits.reverts, 3);
    assert_int_equal(limits.window_ms, 3600000);
    assert_true(limits.watches_foreign_nonce && limits.watches_balance);
    assert_true(bursar_amount_is_zero(limits.balance_tolerance));
    assert_int_equal(limits.payments_per_hour, 0);
    assert_int_equal(limits.rate_count, 0);
    limits = limits_of(TREASURY "[money_breaker]\nreverts = 0\nwindow_s = 60\nforeign_nonce = off\nbalance = off\n"
                                "balance_tolerance = 5 gwei\n");
    assert_int_equal(limits.reverts, 0);
    assert_int_equal(limits.window_ms, 60000);
    assert_false(limits.watches_foreign_nonce || limits.watches_balance);
    assert_amount(limits.balance_tolerance, "5000000000");
}

static void an_hours_limits_are_those_of_the_treasury_and_of_the_tokens_on_its_chain(void **state)
{
    (void)state;
    struct money_limits limits =
        limits_of(TREASURY "max_spend_per_hour = 20000000000000000000000ether\nmax_payments_per_hour = 500\n" ASSET
                           "decimals = 6\nmax_spend_per_hour = 2500.50\n[asset other]\ntoken = "
                           "0x00000000000000000000000000000000000000bb\nchain_id = 5\ndecimals = 2\n"
                           "max_spend_per_hour = 9\n[asset any]\ntoken = 0x00000000000000000000000000000000000000cc\n");
    assert_int_equal(limits.payments_per_hour, 500);
    assert_int_equal(limits.rate_count, 2);
    assert_false(limits.rates[0].asset.is_token);
    assert_amount(limits.rates[0].per_hour, "20000000000000000000000000000000000000000");
    assert_true(limits.rates[1].asset.is_token);
    assert_int_equal(limits.rates[1].asset.token.bytes[19], 0xaa);
    assert_amount(limits.rates[1].per_hour, "2500500000");
}

static void a_limit_that_is_not_understood_is_refused(void **state)
{
    (void)state;
    assert_refused(TREASURY "max_spend_per_hour = 5\n", "some.conf:6:", "max_spend_per_hour", "unit");
    assert_refused(TREASURY "max_spend_per_hour = -1ether\n", "some.conf:6:", "max_spend_per_hour", "unit");
    assert_refused(TREASURY "max_payments_per_hour = many\n", "some.conf:6:", "max_payments_per_hour", "0-1000000000");
    assert_refused(TREASURY "[money_breaker]\nreverts = 1001\n", "some.conf:7:", "reverts", "0-1000");
    assert_refused(TREASURY "[money_breaker]\nbalance = maybe\n", "some.conf:7:", "balance", "on or off");
    assert_refused(TREASURY ASSET "max_spend_per_hour = 10\n", "some.conf:6:", "[asset usdc]", "needs decimals");
    assert_refused(TREASURY ASSET "decimals = 2\nmax_spend_per_hour = 0.001\n", "some.conf:6:", "max_spend_per_hour",
                   "0.001");
    assert_refused(TREASURY ASSET "decimals = 2\nmax_spend_per_hour = lots\n", "some.conf:6:", "max_spend_per_hour",
                   "lots");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_goes_wrong_is_watched_unless_told_otherwise_and_no_hour_has_a_limit),
        cmocka_unit_test(an_hours_limits_are_those_of_the_treasury_and_of_the_tokens_on_its_chain),
        cmocka_unit_test(a_limit_that_is_not_understood_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

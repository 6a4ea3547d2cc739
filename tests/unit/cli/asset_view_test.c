/* What an asset is called, and an amount of it in whole units. */
#include "service/asset_view.h"

#include "cli/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char TEXT[] = "[treasury main]\nchain_id = 1\nrpc = http://a\nkeystore = k\npassword_file = p\n"
                           "[asset usdc]\ntoken = 0x00000000000000000000000000000000000000aa\n"
                           "[asset elsewhere]\ntoken = 0x00000000000000000000000000000000000000bb\nchain_id = 2\n";

static struct config *read_names(void)
{
    struct config *config = NULL;
    struct bursar_error err = { 0 };
    FILE *file = fmemopen((void *)(uintptr_t)TEXT, strlen(TEXT), "r");
    assert_non_null(file);
    if (config_read(file, "bursar.conf", NULL, &config, &err) != BURSAR_OK)
        fail_msg("%s", err.message);
    fclose(file);
    return config;
}

static struct disbursement_record owed(uint8_t token, bool has_decimals, unsigned decimals)
{
    struct disbursement_record record = { .asset = { .is_token = token != 0 },
                                          .amount = bursar_amount_from_u64(1500000),
                                          .has_decimals = has_decimals,
                                          .decimals = decimals };
    record.asset.token.bytes[BURSAR_ADDRESS_BYTES - 1] = token;
    return record;
}

static void assert_shown(const struct config *config, struct disbursement_record record, const char *text)
{
    char shown[ASSET_AMOUNT_TEXT_BYTES];
    struct asset_names names = { .chain_id = 1 };
    if (config) {
        names.assets = config->assets;
        names.count = config->asset_count;
    }
    asset_amount(&names, &record, shown);
    assert_string_equal(shown, text);
}

static void an_amount_has_its_assets_name_or_address(void **state)
{
    (void)state;
    struct config *config = read_names();
    assert_shown(config, owed(0, false, 0), "0.0000000000015 ETH");
    assert_shown(config, owed(0xaa, true, 6), "1.5 usdc");
    assert_shown(config, owed(0xaa, true, 0), "1500000 usdc");
    assert_shown(config, owed(0xaa, false, 0), "1500000 base units of usdc");
    assert_shown(config, owed(0xcc, true, 6), "1.5 of 0x00000000000000000000000000000000000000cc");
    assert_shown(config, owed(0xbb, true, 6),
                 "1.5 of 0x00000000000000000000000000000000000000bb"); /* on chain 2 it has a name */
    assert_shown(NULL, owed(0xaa, false, 6), "1500000 base units of 0x00000000000000000000000000000000000000AA");
    config_free(config);
}

static void the_longest_amount_has_room(void **state)
{
    (void)state;
    char shown[ASSET_AMOUNT_TEXT_BYTES];
    struct disbursement_record record = owed(0xaa, false, 0);
    memset(record.amount.limb, 0xff, sizeof record.amount.limb);
    asset_amount(&(struct asset_names){ 0 }, &record, shown);
    assert_non_null(strstr(shown, "base units of 0x00000000000000000000000000000000000000AA"));
    record.has_decimals = true;
    record.decimals = TOKEN_DECIMALS_MAX;
    asset_amount(&(struct asset_names){ 0 }, &record, shown);
    assert_non_null(strstr(shown, " of 0x00000000000000000000000000000000000000AA"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_amount_has_its_assets_name_or_address),
        cmocka_unit_test(the_longest_amount_has_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

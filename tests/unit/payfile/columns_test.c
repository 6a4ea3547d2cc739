/* What each column of a row may say, and what is refused with which words. Both formats come through here. */
#include "collect.h"

#include "base/cleanup.h"

#define FULL_HEADER "ref,destination,amount,asset,not_before,depends_on\n"

static char file[64 * 1024];

static void collect_row_with(const char *destination, const char *amount, const char *asset, const char *not_before,
                             const char *depends_on)
{
    (void)snprintf(file, sizeof file, FULL_HEADER "x,%s,%s,%s,%s,%s\n", destination, amount, asset, not_before,
                   depends_on);
    collect(file);
}

static void an_amount_is_exact_in_every_unit(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *wei;
    } cases[] = {
        { "1", "1000000000000000000" },
        { "0.000000000000000001", "1" },
        { "1ether", "1000000000000000000" },
        { "1.5 ether", "1500000000000000000" },
        { "0.1ether", "100000000000000000" },
        { "1gwei", "1000000000" },
        { "2.000000001 gwei", "2000000001" },
        { "7wei", "7" },
        { "7 wei", "7" },
        { "00012 wei", "12" },
        { "115792089237316195423570985008687907853269984665640564039457584007913129639935wei",
          "115792089237316195423570985008687907853269984665640564039457584007913129639935" },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        collect_row_with(ADDRESS, cases[i].text, "", "", "");
        assert_no_error();
        assert_string_equal(collected.rows[0].amount, cases[i].wei);
    }
}

static void an_amount_that_is_not_exactly_that_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *fragment;
    } cases[] = {
        { "", "is missing" },
        { "0", "is zero" },
        { "0.0", "is zero" },
        { "0wei", "is zero" },
        { "-1", "not a decimal number" },
        { "+1", "not a decimal number" },
        { ".5", "not a decimal number" },
        { "1.", "not a decimal number" },
        { "1.ether", "not a decimal number" },
        { "1.2.3", "not a decimal number" },
        { " 1", "not a decimal number" },
        { "ether", "not a decimal number" },
        { "$1", "not a decimal number" },
        { "1e18", "has \"e18\" behind its number" },
        { "0x10", "has \"x10\" behind its number" },
        { "1 ", "has \" \" behind its number" },
        { "1  ether", "has \"  ether\" behind its number" },
        { "1\tether", "has \"\\x09ether\" behind its number" },
        { "1Ether", "has \"Ether\" behind its number" },
        { "1ETH", "has \"ETH\" behind its number" },
        { "1eth", "has \"eth\" behind its number" },
        { "1 ether ", "has \" ether \" behind its number" },
        { "1etherwei", "has \"etherwei\" behind its number" },
        { "1'000", "has \"'000\" behind its number" },
        { "1_000", "has \"_000\" behind its number" },
        { "0.0000000000000000001", "more than 18 decimals" },
        { "1.0000000000 gwei", "more than 9 decimals" },
        { "1.0wei", "more than 0 decimals" },
        { "115792089237316195423570985008687907853269984665640564039457584007913129639936wei", "256 bits" },
        { "115792089237316195423570985008687907853269984665640564039458", "256 bits" },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        collect_row_with(ADDRESS, cases[i].text, "", "", "");
        assert_only_error(2, "amount", cases[i].fragment);
        assert_refs("");
    }
}

static void a_thousands_comma_is_a_wrong_number_of_fields(void **state)
{
    (void)state;
    collect(HEADER "x," ADDRESS ",1,000\n");
    assert_only_error(2, "", "the row has 4 fields");
    collect(HEADER "x," ADDRESS ",\"1,000\"\n");
    assert_only_error(2, "amount", "has \",000\" behind its number");
}

static void a_destination_that_is_no_address_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *fragment;
    } cases[] = {
        { "", "is missing" },
        { "0x", "not an address" },
        { "00000000000000000000000000000000000000aa", "not an address" },
        { "0x00000000000000000000000000000000000000a", "not an address" },
        { "0x00000000000000000000000000000000000000aaa", "not an address" },
        { "0x00000000000000000000000000000000000000ag", "not an address" },
        { " 0x00000000000000000000000000000000000000aa", "not an address" },
        { "0x00000000000000000000000000000000000000aa ", "not an address" },
        { "vitalik.eth", "not an address" },
        { "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD", "EIP-55" },
        { "0x0000000000000000000000000000000000000000", "zero address" },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        collect_row_with(cases[i].text, "1", "", "", "");
        assert_only_error(2, "destination", cases[i].fragment);
        assert_refs("");
    }
}

static void an_asset_is_the_coin_or_a_token_that_is_known(void **state)
{
    (void)state;
    static const char *const unknown[] = { ADDRESS, "USDC", "Native", "NATIVE", "native ", " ", "ether", "sixx" };
    static const char *const coin[] = { "", "native" };
    static const char *const tokens[] = { "six", TOKEN };
    for (size_t i = 0; i < COUNT_OF(unknown); i++) {
        collect_row_with(ADDRESS, "1", unknown[i], "", "");
        assert_only_error(2, "asset", "is no token that is known here");
        assert_refs("");
    }
    for (size_t i = 0; i < COUNT_OF(coin); i++) {
        collect_row_with(ADDRESS, "1.5", coin[i], "", "");
        assert_no_error();
        assert_false(collected.rows[0].asset.is_token);
        assert_string_equal(collected.rows[0].amount, "1500000000000000000");
        assert_string_equal(collected.assets, ""); /* nobody needs to ask */
    }
    for (size_t i = 0; i < COUNT_OF(tokens); i++) {
        collect_row_with(ADDRESS, "1.5", tokens[i], "", "");
        assert_no_error();
        assert_true(collected.rows[0].asset.is_token);
        assert_int_equal(collected.rows[0].asset.token.bytes[BURSAR_ADDRESS_BYTES - 1], 0xbb);
        assert_string_equal(collected.rows[0].amount, "1500000");
    }
}

static void an_amount_of_a_token_is_exact_in_its_own_decimals(void **state)
{
    (void)state;
    static const struct {
        const char *asset, *text, *amount;
    } good[] = {
        { "six", "0.000001", "1" },
        { "six", "1", "1000000" },
        { "six", "0012.340000", "12340000" },
        { "wide", "1", "100000000000000000000000000000000000000000000000000000000000000000000000000000" },
    };
    static const struct {
        const char *asset, *text, *fragment;
    } bad[] = {
        { "six", "0.0000001", "has more than 6 decimals" },
        { "six", "1.0000000", "has more than 6 decimals" },
        { "six", "0.000000", "is zero" },
        { "six", "1ether", "a number of whole units, and nothing else" },
        { "six", "1 wei", "\" wei\" behind its number" },
        { "six", "1six", "\"six\" behind its number" },
        { "six", "-1", "not a decimal number" },
        { "six", "", "is missing" },
        { "wide", "2", "does not fit 256 bits" },
    };
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        collect_row_with(ADDRESS, good[i].text, good[i].asset, "", "");
        assert_no_error();
        assert_string_equal(collected.rows[0].amount, good[i].amount);
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        collect_row_with(ADDRESS, bad[i].text, bad[i].asset, "", "");
        assert_only_error(2, "amount", bad[i].fragment);
        assert_refs("");
    }
    collect_row_with(TOKEN, "1", "six", "", "");
    assert_only_error(2, "destination", "is the token itself");
    collect_row_with(ADDRESS, "nonsense", "USDC", "", ""); /* of what, nobody knows */
    assert_only_error(2, "asset", "is no token");
}

static void an_asset_that_can_not_be_found_out_about_ends_the_reading(void **state)
{
    (void)state;
    FILE *stream = tmpfile();
    assert_true(stream && fputs(FULL_HEADER "x," ADDRESS ",1,down,,\ny," ADDRESS ",1,,,\n", stream) >= 0);
    rewind(stream);
    collect_from(stream, NULL);
    assert_int_equal(collected.status, BURSAR_EUNREACHABLE);
    assert_string_equal(collected.err.message, "no node answers");
    assert_refs("");
}

static void assert_assets_of(const char *text, const char *assets)
{
    const struct payfile_options options = { .native_decimals = 18, .only_assets = true };
    FILE *stream = tmpfile();
    assert_true(stream && fputs(text, stream) >= 0);
    rewind(stream);
    collect_with(stream, &options);
    assert_int_equal(collected.status, BURSAR_OK);
    assert_string_equal(collected.assets, assets);
    assert_refs("");
}

static void a_file_can_be_asked_for_its_assets_alone(void **state)
{
    (void)state;
    assert_assets_of(FULL_HEADER "a;b,nobody,none,six,soon,;\n\ny," ADDRESS ",1,,,\nz," ADDRESS ",1,wide,,\n",
                     "six wide ");
    assert_assets_of(HEADER ROW("a") "broken\n", "");
    assert_assets_of("{\"ref\":\"a\",\"destination\":\"\",\"amount\":\"\",\"asset\":\"six\"}\n" JSON_ROW("b"), "six ");
}

static void a_schedule_is_an_epoch_or_a_time(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum schedule_kind kind;
        uint64_t value;
    } cases[] = {
        { "", SCHEDULE_NOW, 0 },
        { "epoch:0", SCHEDULE_EPOCH, 0 },
        { "epoch:9223372036854775807", SCHEDULE_EPOCH, INT64_MAX },
        { "2026-01-31T12:00:00Z", SCHEDULE_TIME, 1769860800 },
        { "2026-01-31T13:00:00+01:00", SCHEDULE_TIME, 1769860800 },
        { "2026-01-31T12:00:00.001Z", SCHEDULE_TIME, 1769860801 },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        collect_row_with(ADDRESS, "1", "", cases[i].text, "");
        assert_no_error();
        assert_int_equal(collected.rows[0].schedule, cases[i].kind);
        assert_int_equal(collected.rows[0].schedule_value, cases[i].value);
    }
}

static void a_schedule_that_is_not_understood_is_refused_and_never_read_as_at_once(void **state)
{
    (void)state;
    static const char *const epochs[] = {
        "epoch:", "epoch:-1", "epoch:1.5", "epoch: 1", "epoch:1 ", "epoch:x", "epoch:9223372036854775808"
    };
    static const char *const times[] = { " ",
                                         "now",
                                         "tomorrow",
                                         "2026-01-31",
                                         "1769860800",
                                         "epoch 1",
                                         "2026-01-31T12:00:00",
                                         "Epoch:1",
                                         "2026-02-29T00:00:00Z",
                                         "1969-12-31T23:59:59Z" };
    for (size_t i = 0; i < COUNT_OF(epochs); i++) {
        collect_row_with(ADDRESS, "1", "", epochs[i], "");
        assert_only_error(2, "not_before", "a whole number behind epoch:");
        assert_refs("");
    }
    for (size_t i = 0; i < COUNT_OF(times); i++) {
        collect_row_with(ADDRESS, "1", "", times[i], "");
        assert_only_error(2, "not_before", "neither a time with its zone");
        assert_refs("");
    }
    collect_row_with(ADDRESS, "1", "", "9999-12-31T23:59:59.5Z", "");
    assert_only_error(2, "not_before", "later than 9999");
}

static void dependencies_are_refs_without_gaps(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *fragment;
    } cases[] = {
        { ";", "ref 1 is empty" },
        { "a;", "ref 2 is empty" },
        { ";a", "ref 1 is empty" },
        { "a;;b", "ref 2 is empty" },
        { "x", "names the row itself" },
        { "a;x;b", "names the row itself" },
        { "a;caf\xc3\xa9", "ref 2 has byte 0xc3 at position 4" },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        collect_row_with(ADDRESS, "1", "", "", cases[i].text);
        assert_only_error(2, "depends_on", cases[i].fragment);
        assert_refs("");
    }
    collect_row_with(ADDRESS, "1", "", "", "b;a;b;a b");
    assert_no_error();
    assert_string_equal(collected.rows[0].dependencies, "a;a b;b");
}

static void at_most_100_dependencies_are_taken(void **state)
{
    (void)state;
    for (int count = 100; count <= 5000; count += 4900 / 4) {
        char refs[5000 * 6];
        size_t at = 0;
        for (int i = 0; i < count; i++)
            at += (size_t)snprintf(refs + at, sizeof refs - at, "%sd%d", i ? ";" : "", i);
        collect_row_with(ADDRESS, "1", "", "", refs);
        if (count == 100) {
            assert_no_error();
            assert_refs("x");
        } else {
            assert_only_error(2, "depends_on", "at most 100 are allowed");
            assert_refs("");
        }
    }
}

static void a_long_ref_is_refused_and_128_bytes_are_fine(void **state)
{
    (void)state;
    char ref[REF_MAX_BYTES + 2];
    memset(ref, 'r', sizeof ref);
    ref[REF_MAX_BYTES + 1] = '\0';
    (void)snprintf(file, sizeof file, HEADER "%s," ADDRESS ",1\n", ref);
    collect(file);
    assert_only_error(2, "ref", "at most 128");
    (void)snprintf(file, sizeof file, HEADER "%s," ADDRESS ",1\n", ref + 1);
    collect(file);
    assert_no_error();
    assert_refs(ref + 1);
}

static void all_problems_of_a_row_are_told_at_once(void **state)
{
    (void)state;
    collect(FULL_HEADER "a;b,0x0,none,USDC,soon,;\n"
                        "y," ADDRESS ",1,,,\n");
    assert_error(0, 2, "ref", "0x3b");
    assert_error(1, 2, "destination", "not an address");
    assert_error(2, 2, "asset", "is no token that is known here"); /* and so nothing is said about the amount */
    assert_error(3, 2, "not_before", "neither");
    assert_error(4, 2, "depends_on", "is empty");
    assert_int_equal(collected.error_count, 5);
    assert_refs("y");
}

static void what_is_quoted_in_a_message_is_short_and_printable(void **state)
{
    (void)state;
    char when[5000];
    memset(when, '\x07', sizeof when);
    when[sizeof when - 1] = '\0';
    collect_row_with(ADDRESS, "1", "", when, "");
    assert_only_error(2, "not_before", "\\x07\\x07...\", neither");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_amount_is_exact_in_every_unit),
        cmocka_unit_test(an_amount_that_is_not_exactly_that_is_refused),
        cmocka_unit_test(a_thousands_comma_is_a_wrong_number_of_fields),
        cmocka_unit_test(a_destination_that_is_no_address_is_refused),
        cmocka_unit_test(an_asset_is_the_coin_or_a_token_that_is_known),
        cmocka_unit_test(an_amount_of_a_token_is_exact_in_its_own_decimals),
        cmocka_unit_test(an_asset_that_can_not_be_found_out_about_ends_the_reading),
        cmocka_unit_test(a_file_can_be_asked_for_its_assets_alone),
        cmocka_unit_test(a_schedule_is_an_epoch_or_a_time),
        cmocka_unit_test(a_schedule_that_is_not_understood_is_refused_and_never_read_as_at_once),
        cmocka_unit_test(dependencies_are_refs_without_gaps),
        cmocka_unit_test(at_most_100_dependencies_are_taken),
        cmocka_unit_test(a_long_ref_is_refused_and_128_bytes_are_fine),
        cmocka_unit_test(all_problems_of_a_row_are_told_at_once),
        cmocka_unit_test(what_is_quoted_in_a_message_is_short_and_printable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

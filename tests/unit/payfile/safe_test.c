/* Files of the Safe airdrop app: what of them is taken, and what is refused with its line and the app's own column. */
#include "payfile/payfile.h"

#include "base/cleanup.h"
#include "collect.h"

#define SAFE_HEADER "token_type,token_address,receiver,amount,id\n"

static void collect_safe(const char *text)
{
    collect_bytes(text, strlen(text), "drop-7/");
}

static void coins_and_tokens_are_taken_with_their_line_for_a_ref(void **state)
{
    (void)state;
    collect_safe(SAFE_HEADER "native,," ADDRESS ",0.0002,\n"
                             "\n"
                             "erc20," TOKEN "," ADDRESS ",69.420,\r\n"
                             "ERC20," TOKEN "," ADDRESS ",1,\n"
                             "Native,\"\",\"" ADDRESS "\",1,\n");
    assert_no_error();
    assert_refs("drop-7/2 drop-7/4 drop-7/5 drop-7/6");
    assert_false(collected.rows[0].asset.is_token);
    assert_string_equal(collected.rows[0].amount, "200000000000000");
    assert_true(collected.rows[1].asset.is_token);
    assert_string_equal(collected.rows[1].amount, "69420000");
    assert_int_equal(collected.rows[1].line, 4);
    assert_true(collected.rows[2].asset.is_token);
    assert_false(collected.rows[3].asset.is_token);
}

static void columns_stand_in_any_order_and_only_some_are_needed(void **state)
{
    (void)state;
    collect_safe("receiver,amount,token_address,token_type\n" ADDRESS ",2," TOKEN ",erc20\n");
    assert_no_error();
    assert_string_equal(collected.rows[0].amount, "2000000");
    /* Older files: no types, an address says it; and the amount was called a value. */
    collect_safe("token_address,receiver,amount\n" TOKEN "," ADDRESS ",1\n," ADDRESS ",1\n");
    assert_no_error();
    assert_true(collected.rows[0].asset.is_token);
    assert_false(collected.rows[1].asset.is_token);
    collect_safe("token_type,token_address,receiver,value,id\nerc20," TOKEN "," ADDRESS ",3,\n,," ADDRESS ",1,\n");
    assert_no_error();
    assert_string_equal(collected.rows[0].amount, "3000000");
    assert_false(collected.rows[1].asset.is_token);
}

static void without_a_prefix_the_whole_file_is_refused(void **state)
{
    (void)state;
    collect(SAFE_HEADER "native,," ADDRESS ",1,\nnft," TOKEN "," ADDRESS ",,1\n");
    assert_only_error(1, "", "--ref-prefix");
    assert_refs("");
}

static void what_can_not_be_paid_is_refused_row_by_row(void **state)
{
    (void)state;
    static const struct {
        const char *row, *column, *fragment;
    } bad[] = {
        { "nft," TOKEN "," ADDRESS ",,1", "token_type", "NFTs can't be paid" },
        { "erc721," TOKEN "," ADDRESS ",,1", "token_type", "NFTs can't be paid" },
        { "ERC1155," TOKEN "," ADDRESS ",5,1", "token_type", "NFTs can't be paid" },
        { "erc20," TOKEN "," ADDRESS ",1,7", "id", "only NFTs have one" },
        { "erc777," TOKEN "," ADDRESS ",1,", "token_type", "is \"erc777\"; only native and erc20" },
        { "native ,," ADDRESS ",1,", "token_type", "is \"native \"" },
        { "native," TOKEN "," ADDRESS ",1,", "token_type", "names a token" },
        { "erc20,," ADDRESS ",1,", "token_address", "is empty" },
        { "erc20,native," ADDRESS ",1,", "token_address", "not an address" },
        { "erc20,six," ADDRESS ",1,", "token_address", "not an address" },
        { "erc20," ADDRESS "," ADDRESS ",1,", "token_address", "is no token that is known" },
        { "erc20," TOKEN ",eth:" ADDRESS ",1,", "receiver", "not an address" },
        { "erc20," TOKEN ",vitalik.eth,1,", "receiver", "not an address" },
        { "erc20," TOKEN "," TOKEN ",1,", "receiver", "is the token itself" },
        { "erc20," TOKEN "," ADDRESS ",1.1234567,", "amount", "more than 6 decimals" },
        { "erc20," TOKEN "," ADDRESS ",1e3,", "amount", "behind its number" },
        { "erc20," TOKEN "," ADDRESS ",0,", "amount", "is zero" },
        { "erc20," TOKEN "," ADDRESS ",-1,", "amount", "not a decimal number" },
        { "erc20," TOKEN "," ADDRESS ",,", "amount", "is missing" },
        { "erc20," TOKEN "," ADDRESS ",1", "", "the row has 4 fields" },
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        char text[512];
        (void)snprintf(text, sizeof text, SAFE_HEADER "native,," ADDRESS ",1,\n%s\nnative,," ADDRESS ",1,\n",
                       bad[i].row);
        collect_safe(text);
        assert_only_error(3, bad[i].column, bad[i].fragment);
        assert_refs("drop-7/2 drop-7/4");
    }
    collect_safe("token_address,receiver,value\n," ADDRESS ",0\n");
    assert_only_error(2, "value", "is zero");
}

static void a_header_that_is_not_wholly_understood_refuses_the_file(void **state)
{
    (void)state;
    static const struct {
        const char *header, *column, *fragment;
    } bad[] = {
        { "token_address,receiver,amount,decimals", "decimals", "unknown column" },
        { "token_address,receiver,amount,not_before", "not_before", "unknown column" },
        { "token_address,receiver,amount,amount", "amount", "more than once" },
        { "token_address,receiver,amount,value", "amount", "means the same" },
        { "token_type,token_address,receiver,id", "amount", "is required" },
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        char text[256];
        (void)snprintf(text, sizeof text, "%s\n," ADDRESS ",1,\n", bad[i].header);
        collect_safe(text);
        assert_only_error(1, bad[i].column, bad[i].fragment);
        assert_refs("");
    }
    collect_safe("token_type,receiver,amount\nnative," ADDRESS ",1\n"); /* whose is this? */
    assert_error(0, 1, "token_type", "unknown column");
}

static void its_assets_can_be_asked_for_alone(void **state)
{
    (void)state;
    const struct payfile_options options = { .native_decimals = 18, .only_assets = true };
    FILE *file = tmpfile();
    assert_true(file && fputs(SAFE_HEADER "erc20," TOKEN ",nobody,none,\nnft," TOKEN ",,,1\nnative,,,,\n", file) >= 0);
    rewind(file);
    collect_with(file, &options);
    assert_string_equal(collected.assets, TOKEN " ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(coins_and_tokens_are_taken_with_their_line_for_a_ref),
        cmocka_unit_test(columns_stand_in_any_order_and_only_some_are_needed),
        cmocka_unit_test(without_a_prefix_the_whole_file_is_refused),
        cmocka_unit_test(what_can_not_be_paid_is_refused_row_by_row),
        cmocka_unit_test(a_header_that_is_not_wholly_understood_refuses_the_file),
        cmocka_unit_test(its_assets_can_be_asked_for_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

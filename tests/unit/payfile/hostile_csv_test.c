/* CSV that is broken, on purpose or not: each mistake is named with its line and column, and its neighbours come
 * through. */
#include "collect.h"

#include "base/cleanup.h"

#define MEMO_HEADER "ref,destination,amount,memo\n"
#define MEMO_ROW(ref, memo) ref "," ADDRESS ",1," memo "\n"

/* Files of up to two rows of the longest kind. */
static char big[3 * PAYFILE_LINE_MAX_BYTES];

static void one_bad_row_between_good_ones_is_the_only_error(void **state)
{
    (void)state;
    static const struct {
        const char *row;
        const char *column;
        const char *fragment;
    } cases[] = {
        { "x," ADDRESS ",1,\"a\"b\n", "memo", "text after its closing quote" },
        { "x," ADDRESS ",1,\"a\" \n", "memo", "text after its closing quote" },
        { "\"x\"y," ADDRESS ",1,\n", "ref", "text after its closing quote" },
        { "x," ADDRESS ",1,\"a\"\"\n", "memo", "never closed" },
        { "x," ADDRESS ",1,\"a\n", "memo", "never closed" },
        { "\"x," ADDRESS ",1,a\n", "ref", "never closed" },
        { "x," ADDRESS ",1,5\" nails\n", "memo", "quote inside a bare field" },
        { "x," ADDRESS ",1, \"a\"\n", "memo", "quote inside a bare field" },
        { "x," ADDRESS ",1\",a\n", "amount", "quote inside a bare field" },
        { "x," ADDRESS ",1,a\rb\n", "memo", "carriage return without a line feed" },
        { "x," ADDRESS ",1,a\r\r\n", "memo", "carriage return without a line feed" },
        { "x," ADDRESS ",1,\"a\"\rb\n", "memo", "carriage return without a line feed" },
        { "x\r," ADDRESS ",1,\n", "ref", "carriage return without a line feed" },
        { "x," ADDRESS ",1\n", "", "the row has 3 fields, but the header in line 1 has 4" },
        { "x," ADDRESS ",1,a,\n", "", "the row has 5 fields, but the header in line 1 has 4" },
        { "x\n", "", "the row has 1 field, but" },
        { " \n", "", "the row has 1 field, but" },
        { "\"\"\n", "", "the row has 1 field, but" },
        { "x;" ADDRESS ";1;\n", "", "the row has 1 field, but" },
        { "x," ADDRESS ",1,a,\"b\n", "", "field 5 has an opening quote that is never closed" },
        { "x," ADDRESS ",1,caf\xe9\n", "memo", "UTF-8" },
        { "x," ADDRESS ",1,\xed\xa0\x80\n", "memo", "UTF-8" },
        { "\xef\xbb\xbfx," ADDRESS ",1,\n", "ref", "byte 0xef at position 1" },
        { "," ADDRESS ",1,\n", "ref", "is empty" },
        { "\"x\ny\"," ADDRESS ",1,\n", "ref", "byte 0x0a at position 2" },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        (void)snprintf(big, sizeof big, MEMO_HEADER MEMO_ROW("a", "") "%s" MEMO_ROW("b", "") MEMO_ROW("c", ""),
                       cases[i].row);
        collect(big);
        assert_only_error(3, cases[i].column, cases[i].fragment);
        assert_refs("a b c");
    }
}

static void a_nul_byte_is_named_in_bare_and_in_quoted_fields(void **state)
{
    (void)state;
    static const char bare[] = MEMO_HEADER "x," ADDRESS ",1,a\0b\n" MEMO_ROW("b", "");
    static const char quoted[] = MEMO_HEADER "x," ADDRESS ",1,\"a\n\0b\"\n" MEMO_ROW("b", "");
    static const char header[] = "ref,destination,amount\0\n" ROW("b");
    collect_bytes(bare, sizeof bare - 1, NULL);
    assert_only_error(2, "memo", "NUL byte");
    assert_refs("b");
    collect_bytes(quoted, sizeof quoted - 1, NULL);
    assert_only_error(2, "memo", "NUL byte");
    assert_refs("b");
    assert_int_equal(collected.rows[0].line, 4);
    collect_bytes(header, sizeof header - 1, NULL);
    assert_only_error(1, "", "NUL byte");
    assert_refs("");
}

static void utf_16_text_is_refused_and_nothing_of_it_is_read_as_a_row(void **state)
{
    (void)state;
    static const char file[] = "\xff\xfer\0e\0f\0,\0d\0\n\0";
    collect_bytes(file, sizeof file - 1, NULL);
    assert_only_error(1, "", "NUL byte");
}

static void a_stray_quote_does_not_swallow_the_rows_behind_it(void **state)
{
    (void)state;
    collect(MEMO_HEADER MEMO_ROW("a", "\"oops") MEMO_ROW("b", "\"fine\"") MEMO_ROW("c", "") MEMO_ROW("d", "\"x\ny\"")
                MEMO_ROW("e", ""));
    assert_only_error(2, "memo", "closing quote");
    assert_refs("b c d e");
    assert_int_equal(collected.rows[0].line, 3);
    assert_int_equal(collected.rows[3].line, 7);
    assert_string_equal(collected.rows[2].memo, "x\ny");
}

static void a_row_over_several_lines_is_named_by_the_line_it_starts_on(void **state)
{
    (void)state;
    collect(MEMO_HEADER MEMO_ROW("a", "\"1\n2\r\n3\"") MEMO_ROW("bad", "\"1\n2\n\",5") MEMO_ROW("b", "")
                MEMO_ROW("worse", "\"1\n2\", \"") MEMO_ROW("c", ""));
    assert_error(0, 5, "", "the row has 5 fields");
    assert_error(1, 9, "", "field 5 has a quote inside a bare field");
    assert_int_equal(collected.error_count, 2);
    assert_refs("a b c");
    assert_string_equal(collected.rows[0].memo, "1\n2\r\n3");
    assert_int_equal(collected.rows[1].line, 8);
    assert_int_equal(collected.rows[2].line, 11);
}

static void behind_a_doubtful_quote_the_lines_are_still_counted_right(void **state)
{
    (void)state;
    collect("memo,ref,destination,amount\n"
            "\"1\n2\n3\",x," ADDRESS ",\"1\"5\n"
            ",b," ADDRESS ",1\n"
            "\"1\n2\",y," ADDRESS ",1\n");
    assert_only_error(2, "amount", "text after its closing quote");
    assert_refs("b y");
    assert_int_equal(collected.rows[0].line, 5);
    assert_int_equal(collected.rows[1].line, 6);
}

static void a_file_with_carriage_returns_only_is_refused_with_the_reason(void **state)
{
    (void)state;
    collect("ref,destination,amount\ra," ADDRESS ",1\r");
    assert_only_error(1, "", "carriage return without a line feed");
    collect(HEADER "a," ADDRESS ",1\r");
    assert_only_error(2, "amount", "carriage return without a line feed");
    assert_refs("");
}

static void doubled_quotes_commas_and_line_breaks_are_content_of_a_quoted_field(void **state)
{
    (void)state;
    collect(MEMO_HEADER MEMO_ROW("\"a\"", "\"say \"\"hi\"\", then\r\n\rgo\"") MEMO_ROW("b", "\"\"\"\"")
                MEMO_ROW("c", "\"\""));
    assert_no_error();
    assert_refs("a b c");
    assert_string_equal(collected.rows[0].memo, "say \"hi\", then\r\n\rgo");
    assert_string_equal(collected.rows[1].memo, "\"");
    assert_string_equal(collected.rows[2].memo, "");
}

static void quotes_are_closed_by_the_end_of_the_file_too(void **state)
{
    (void)state;
    collect(MEMO_HEADER "a," ADDRESS ",1,\"x\"");
    assert_no_error();
    assert_refs("a");
    collect(MEMO_HEADER "a," ADDRESS ",1,\"x\"\"");
    assert_only_error(2, "memo", "never closed");
    collect(MEMO_HEADER "a," ADDRESS ",1,\"");
    assert_only_error(2, "memo", "never closed");
    assert_refs("");
}

static void a_row_of_hundreds_of_fields_is_one_error(void **state)
{
    (void)state;
    size_t at = (size_t)snprintf(big, sizeof big, HEADER ROW("a"));
    memset(big + at, ',', 50000);
    at += 50000;
    (void)snprintf(big + at, sizeof big - at, "\n" ROW("b"));
    collect(big);
    assert_only_error(3, "", "far too many fields");
    assert_refs("a b");
}

/* A file of two good rows around one whose memo makes the row `row_bytes` long. */
static void build_around_long_row(size_t row_bytes, const char *quote)
{
    size_t at = (size_t)snprintf(big, sizeof big, MEMO_HEADER MEMO_ROW("a", ""));
    size_t start = at;
    at += (size_t)snprintf(big + at, sizeof big - at, "x," ADDRESS ",1,%s", quote);
    memset(big + at, 'm', row_bytes);
    at = start + row_bytes - strlen(quote);
    (void)snprintf(big + at, sizeof big - at, "%s\r\n" MEMO_ROW("b", ""), quote);
}

static void a_row_may_have_65536_bytes_and_not_one_more(void **state)
{
    (void)state;
    static const char *const quotes[] = { "", "\"" };
    for (size_t i = 0; i < COUNT_OF(quotes); i++) {
        build_around_long_row(PAYFILE_LINE_MAX_BYTES, quotes[i]);
        collect(big);
        assert_only_error(3, "memo", "at most 8192"); /* readable, only its memo is too long */
        assert_refs("a b");
        build_around_long_row(PAYFILE_LINE_MAX_BYTES + 1, quotes[i]);
        collect(big);
        assert_only_error(3, "memo", "longer than 65536 bytes");
        assert_refs("a b");
    }
}

static void a_line_of_a_megabyte_is_skipped_as_one_error(void **state)
{
    (void)state;
    static const char *const starts[] = { "", "\"", "\"q\",\"" };
    const size_t length_bytes = (size_t)1 << 20;
    char *file = malloc(length_bytes + 1024);
    assert_non_null(file);
    for (size_t i = 0; i < COUNT_OF(starts); i++) {
        size_t at = (size_t)snprintf(file, 512, HEADER ROW("a") "%s", starts[i]);
        memset(file + at, 'm', length_bytes);
        at += length_bytes;
        at += (size_t)snprintf(file + at, 512, "\n" ROW("b"));
        collect_bytes(file, at, NULL);
        assert_int_equal(collected.error_count, 1);
        assert_int_equal(collected.errors[0].line, 3);
        assert_non_null(strstr(collected.errors[0].message, "longer than 65536 bytes"));
        assert_refs("a b");
        assert_int_equal(collected.rows[1].line, 4);
    }
    free(file);
}

static void a_quote_left_open_before_many_rows_costs_only_its_own_row(void **state)
{
    (void)state;
    const size_t filler_count = 40000; /* far more than a row may be long */
    char *file = malloc(filler_count * 2 + 1024);
    assert_non_null(file);
    size_t at = (size_t)snprintf(file, 512, HEADER ROW("a") "x," ADDRESS ",\"1\n" ROW("b"));
    for (size_t i = 0; i < filler_count; i++) {
        file[at++] = '\r';
        file[at++] = '\n';
    }
    at += (size_t)snprintf(file + at, 512, ROW("c") "y," ADDRESS ",\"1");
    collect_bytes(file, at, NULL);
    assert_error(0, 3, "amount", "longer than 65536 bytes: is its opening quote closed");
    assert_error(1, filler_count + 6, "amount", "never closed");
    assert_int_equal(collected.error_count, 2);
    assert_refs("a b c");
    assert_int_equal(collected.rows[2].line, filler_count + 5);
    free(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_bad_row_between_good_ones_is_the_only_error),
        cmocka_unit_test(a_nul_byte_is_named_in_bare_and_in_quoted_fields),
        cmocka_unit_test(utf_16_text_is_refused_and_nothing_of_it_is_read_as_a_row),
        cmocka_unit_test(a_stray_quote_does_not_swallow_the_rows_behind_it),
        cmocka_unit_test(a_row_over_several_lines_is_named_by_the_line_it_starts_on),
        cmocka_unit_test(behind_a_doubtful_quote_the_lines_are_still_counted_right),
        cmocka_unit_test(a_file_with_carriage_returns_only_is_refused_with_the_reason),
        cmocka_unit_test(doubled_quotes_commas_and_line_breaks_are_content_of_a_quoted_field),
        cmocka_unit_test(quotes_are_closed_by_the_end_of_the_file_too),
        cmocka_unit_test(a_row_of_hundreds_of_fields_is_one_error),
        cmocka_unit_test(a_row_may_have_65536_bytes_and_not_one_more),
        cmocka_unit_test(a_line_of_a_megabyte_is_skipped_as_one_error),
        cmocka_unit_test(a_quote_left_open_before_many_rows_costs_only_its_own_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Payment files in JSON Lines: exact keys and types, hostile lines beside good ones. */
#include "collect.h"

#include "base/cleanup.h"

#define PAID "\"destination\":\"" ADDRESS "\",\"amount\":\"1wei\""

static char big[3 * PAYFILE_LINE_MAX_BYTES];

static void a_line_with_all_keys_becomes_an_obligation(void **state)
{
    (void)state;
    collect(
        "{\"ref\": \"a\", \"destination\": \"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed\", \"amount\": \"1.5 gwei\", "
        "\"asset\": \"native\", \"memo\": \"Z\\u00fcrich\\n\", \"not_before\": \"epoch:7\", "
        "\"depends_on\": [\"c\", \"b\", \"c\"]}\n");
    assert_no_error();
    assert_refs("a");
    const struct collected_row *row = &collected.rows[0];
    assert_int_equal(row->line, 1);
    assert_int_equal(row->destination.bytes[0], 0x5a);
    assert_string_equal(row->amount, "1500000000");
    assert_string_equal(row->memo, "Z\xc3\xbcrich\n");
    assert_int_equal(row->schedule, SCHEDULE_EPOCH);
    assert_int_equal(row->schedule_value, 7);
    assert_string_equal(row->dependencies, "b;c");
}

static void both_line_ends_blank_lines_a_byte_order_mark_and_a_missing_last_line_end_are_fine(void **state)
{
    (void)state;
    collect("\xef\xbb\xbf" JSON_ROW("a") "\n  \t\r\n" JSON_ROW("b") "{\"ref\":\"c\"," PAID "}\r\n{\"ref\":\"d\"," PAID
                                                                    "}");
    assert_no_error();
    assert_refs("a b c d");
    assert_int_equal(collected.rows[1].line, 4);
    assert_int_equal(collected.rows[3].line, 6);
}

static void both_formats_give_the_same_obligation(void **state)
{
    (void)state;
    collect("{\"ref\":\"a\"," PAID ",\"depends_on\":[],\"memo\":\"\",\"asset\":\"\",\"not_before\":\"\"}\n");
    assert_no_error();
    struct collected_row from_json = collected.rows[0];
    collect(HEADER ROW("a"));
    assert_no_error();
    const struct collected_row *from_csv = &collected.rows[0];
    assert_string_equal(from_json.ref, from_csv->ref);
    assert_string_equal(from_json.amount, from_csv->amount);
    assert_string_equal(from_json.memo, from_csv->memo);
    assert_string_equal(from_json.dependencies, from_csv->dependencies);
    assert_memory_equal(&from_json.destination, &from_csv->destination, sizeof from_json.destination);
    assert_int_equal(from_json.schedule, from_csv->schedule);
}

static void one_bad_line_between_good_ones_is_the_only_error(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        const char *column;
        const char *fragment;
    } cases[] = {
        { "{\"ref\":\"x\"," PAID ",\"not_befor\":\"2030-01-01T00:00:00Z\"}", "not_befor", "unknown key \"not_befor\"" },
        { "{\"Ref\":\"y\",\"ref\":\"x\"," PAID "}", "Ref", "unknown key \"Ref\"" },
        { "{\"ref\":\"x\"," PAID ",\"\":1}", "", "unknown key \"\"" },
        { "{\"ref\":\"x\"," PAID ",\"\\u001b[31m\":1}", "\\x1b[31m", "unknown key \"\\x1b[31m\"" },
        { "{\"ref\":\"x\",\"ref\":\"x\"," PAID "}", "", "duplicate" },
        { "{\"ref\":\"x\"," PAID ",\"amount\":\"2\"}", "", "duplicate" },
        { "{\"ref\":\"x\"," PAID ",\"am\\u006funt\":\"2\"}", "", "duplicate" },
        { "{" PAID "}", "ref", "is missing" },
        { "{\"ref\":\"x\",\"amount\":\"1\"}", "destination", "is missing" },
        { "{\"ref\":\"x\",\"destination\":\"" ADDRESS "\"}", "amount", "is missing" },
        { "{\"ref\":\"x\",\"destination\":\"" ADDRESS "\",\"amount\":1}", "amount",
          "must be a string such as \"1.5\"" },
        { "{\"ref\":\"x\",\"destination\":\"" ADDRESS "\",\"amount\":1.5}", "amount", "must be a string" },
        { "{\"ref\":\"x\",\"destination\":\"" ADDRESS "\",\"amount\":\"0\"}", "amount", "is zero" },
        { "{\"ref\":\"x\",\"destination\":\"" ADDRESS "\",\"amount\":null}", "amount", "must be a string" },
        { "{\"ref\":1," PAID "}", "ref", "must be a string" },
        { "{\"ref\":\"\"," PAID "}", "ref", "is empty" },
        { "{\"ref\":\"x;y\"," PAID "}", "ref", "0x3b" },
        { "{\"ref\":\"x\"," PAID ",\"memo\":null}", "memo", "must be a string" },
        { "{\"ref\":\"x\"," PAID ",\"not_before\":1769860800}", "not_before", "must be a string" },
        { "{\"ref\":\"x\"," PAID ",\"not_before\":\"soon\"}", "not_before", "neither" },
        { "{\"ref\":\"x\"," PAID ",\"depends_on\":\"a;b\"}", "depends_on", "must be an array of strings" },
        { "{\"ref\":\"x\"," PAID ",\"depends_on\":[\"a\",2]}", "depends_on", "item 2 of the array must be a string" },
        { "{\"ref\":\"x\"," PAID ",\"depends_on\":[[\"a\"]]}", "depends_on", "item 1 of the array must be a string" },
        { "{\"ref\":\"x\"," PAID ",\"depends_on\":[\"a;b\"]}", "depends_on", "ref 1 has byte 0x3b" },
        { "{\"ref\":\"x\"," PAID ",\"depends_on\":[\"\"]}", "depends_on", "ref 1 is empty" },
        { "{\"ref\":\"x\"," PAID ",\"depends_on\":[\"x\"]}", "depends_on", "names the row itself" },
        { "{\"ref\":\"x\"," PAID ",\"asset\":\"USDC\"}", "asset", "is no token that is known here" },
        { "{\"ref\":\"x\"," PAID ",\"memo\":\"a\\u0000b\"}", "", "not a JSON object" },
        { "{\"ref\":\"x\"," PAID ",\"memo\":\"caf\xe9\"}", "", "not a JSON object" },
        { "{\"ref\":\"x\"," PAID ",\"memo\":\"\\ud800\"}", "", "not a JSON object" },
        { "{\"ref\":\"x\"," PAID "", "", "not a JSON object" },
        { "{\"ref\":\"x\"," PAID "},", "", "not a JSON object" },
        { "{\"ref\":\"x\"," PAID "}{\"ref\":\"y\"," PAID "}", "", "not a JSON object" },
        { "{\"ref\":\"x\"," PAID ",}", "", "not a JSON object" },
        { "{'ref':'x'}", "", "not a JSON object" },
        { "[\"x\"]", "", "not a JSON object" },
        { "\"x\"", "", "not a JSON object" },
        { "null", "", "not a JSON object" },
        { "x," ADDRESS ",1", "", "not a JSON object" },
        { "\x1b[31m", "", "not a JSON object" },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        (void)snprintf(big, sizeof big, JSON_ROW("a") "%s\n" JSON_ROW("b"), cases[i].line);
        collect(big);
        assert_only_error(2, cases[i].column, cases[i].fragment);
        assert_refs("a b");
    }
}

static void a_nul_byte_in_a_line_is_refused(void **state)
{
    (void)state;
    static const char inside[] = JSON_ROW("a") "{\"ref\":\"x\0y\"," PAID "}\n" JSON_ROW("b");
    static const char behind[] = JSON_ROW("a") "{\"ref\":\"x\"," PAID "}\0\n" JSON_ROW("b");
    collect_bytes(inside, sizeof inside - 1, NULL);
    assert_only_error(2, "", "not a JSON object");
    assert_refs("a b");
    collect_bytes(behind, sizeof behind - 1, NULL);
    assert_only_error(2, "", "not a JSON object");
    assert_refs("a b");
}

static void an_object_over_several_lines_is_no_json_lines(void **state)
{
    (void)state;
    collect("{\"ref\":\"x\",\n" PAID "}\n" JSON_ROW("b"));
    assert_error(0, 1, "", "not a JSON object");
    assert_error(1, 2, "", "not a JSON object");
    assert_int_equal(collected.error_count, 2);
    assert_refs("b");
}

static void deep_nesting_is_refused(void **state)
{
    (void)state;
    size_t at = (size_t)snprintf(big, sizeof big, JSON_ROW("a") "{\"ref\":");
    memset(big + at, '[', 60000);
    at += 60000;
    (void)snprintf(big + at, sizeof big - at, "\n" JSON_ROW("b"));
    collect(big);
    assert_only_error(2, "", "not a JSON object");
    assert_refs("a b");
}

/* A good line of exactly `line_bytes`, padded with spaces, between two others. */
static void build_around_long_line(size_t line_bytes, const char *line_end)
{
    size_t at = (size_t)snprintf(big, sizeof big, JSON_ROW("a")), start = at;
    at += (size_t)snprintf(big + at, sizeof big - at, "{\"ref\":\"x\"," PAID "}");
    memset(big + at, ' ', line_bytes);
    at = start + line_bytes;
    (void)snprintf(big + at, sizeof big - at, "%s" JSON_ROW("b"), line_end);
}

static void a_line_may_have_65536_bytes_and_not_one_more(void **state)
{
    (void)state;
    static const char *const line_ends[] = { "\n", "\r\n" };
    for (size_t i = 0; i < COUNT_OF(line_ends); i++) {
        build_around_long_line(PAYFILE_LINE_MAX_BYTES, line_ends[i]);
        collect(big);
        assert_no_error();
        assert_refs("a x b");
        build_around_long_line(PAYFILE_LINE_MAX_BYTES + 1, line_ends[i]);
        collect(big);
        assert_only_error(2, "", "longer than 65536 bytes");
        assert_refs("a b");
        assert_int_equal(collected.rows[1].line, 3);
    }
}

static void a_line_of_a_megabyte_is_skipped_as_one_error_also_at_the_end(void **state)
{
    (void)state;
    const size_t length_bytes = (size_t)1 << 20;
    char *file = malloc(length_bytes + 1024);
    assert_non_null(file);
    size_t at = (size_t)snprintf(file, 512, JSON_ROW("a"));
    memset(file + at, '{', length_bytes);
    at += length_bytes;
    collect_bytes(file, at, NULL);
    assert_only_error(2, "", "longer than 65536 bytes");
    assert_refs("a");
    at += (size_t)snprintf(file + at, 512, "\n" JSON_ROW("b"));
    collect_bytes(file, at, NULL);
    assert_only_error(2, "", "longer than 65536 bytes");
    assert_refs("a b");
    free(file);
}

/* Counts rows that come in order; their refs are their numbers. */
static enum bursar_status count_row(void *ctx, const struct payfile_row *row, struct bursar_error *err)
{
    uint64_t *count = ctx;
    char ref[32];
    (void)err;
    (void)snprintf(ref, sizeof ref, "%llu", (unsigned long long)*count);
    assert_string_equal(row->obligation.ref, ref);
    assert_int_equal(row->line, ++*count);
    return BURSAR_OK;
}

static void thousands_of_lines_cross_the_edges_of_the_window(void **state)
{
    (void)state;
    uint64_t count = 0;
    const struct payfile_options options = { .native_decimals = 18 };
    const struct payfile_handlers handlers = { .ctx = &count, .row = count_row, .error = collect_error };
    FILE *file = tmpfile();
    assert_non_null(file);
    for (int i = 0; i < 20000; i++)
        fprintf(file, "{\"ref\":\"%d\",%s}%s\n", i, PAID, i % 2 ? "\r" : "");
    rewind(file);
    collected.error_count = 0;
    assert_int_equal(payfile_read(file, &options, &handlers, NULL), BURSAR_OK);
    assert_no_error();
    assert_int_equal(count, 20000);
    fclose(file);
}

static void at_most_100_dependencies_are_taken(void **state)
{
    (void)state;
    for (int count = 100; count <= 101; count++) {
        size_t at = (size_t)snprintf(big, sizeof big, "{\"ref\":\"x\"," PAID ",\"depends_on\":[");
        for (int i = 0; i < count; i++)
            at += (size_t)snprintf(big + at, sizeof big - at, "%s\"d%d\"", i ? "," : "", i);
        (void)snprintf(big + at, sizeof big - at, "]}\n");
        collect(big);
        assert_int_equal(collected.row_count, count == 100);
        if (count == 101)
            assert_only_error(1, "depends_on", "names 101 refs; at most 100");
    }
}

static void a_prefix_is_put_before_refs_and_dependencies(void **state)
{
    (void)state;
    static const char file[] = "{\"ref\":\"a\"," PAID ",\"depends_on\":[\"b\"]}\n";
    collect_bytes(file, strlen(file), "p/");
    assert_no_error();
    assert_refs("p/a");
    assert_string_equal(collected.rows[0].dependencies, "p/b");
}

static void a_file_that_does_not_begin_with_a_brace_is_read_as_csv(void **state)
{
    (void)state;
    collect(" " JSON_ROW("a"));
    assert_error(0, 1, "", "the header has a quote inside a bare field");
    assert_refs("");
    collect("[" JSON_ROW("a") "]");
    assert_error(0, 1, "", "the header has a quote inside a bare field");
    assert_refs("");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_with_all_keys_becomes_an_obligation),
        cmocka_unit_test(both_line_ends_blank_lines_a_byte_order_mark_and_a_missing_last_line_end_are_fine),
        cmocka_unit_test(both_formats_give_the_same_obligation),
        cmocka_unit_test(one_bad_line_between_good_ones_is_the_only_error),
        cmocka_unit_test(a_nul_byte_in_a_line_is_refused),
        cmocka_unit_test(an_object_over_several_lines_is_no_json_lines),
        cmocka_unit_test(deep_nesting_is_refused),
        cmocka_unit_test(a_line_may_have_65536_bytes_and_not_one_more),
        cmocka_unit_test(a_line_of_a_megabyte_is_skipped_as_one_error_also_at_the_end),
        cmocka_unit_test(thousands_of_lines_cross_the_edges_of_the_window),
        cmocka_unit_test(at_most_100_dependencies_are_taken),
        cmocka_unit_test(a_prefix_is_put_before_refs_and_dependencies),
        cmocka_unit_test(a_file_that_does_not_begin_with_a_brace_is_read_as_csv),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

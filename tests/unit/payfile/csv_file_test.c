/* Payment files in CSV: the header's rules, the format's freedoms, prefixes, and what ends the reading. */
#include "collect.h"

#include "base/cleanup.h"

static void a_file_with_all_columns_becomes_obligations(void **state)
{
    (void)state;
    collect("ref,destination,amount,asset,memo,not_before,depends_on\r\n"
            "a," ADDRESS ",1.5,native,\"rent, May\",epoch:7,b;c\r\n"
            "b,0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed,3 gwei,,,2026-01-31T12:00:00Z,\r\n");
    assert_no_error();
    assert_refs("a b");
    const struct collected_row *a = &collected.rows[0], *b = &collected.rows[1];
    assert_int_equal(a->line, 2);
    assert_int_equal(a->destination.bytes[19], 0xaa);
    assert_string_equal(a->amount, "1500000000000000000");
    assert_string_equal(a->memo, "rent, May");
    assert_int_equal(a->schedule, SCHEDULE_EPOCH);
    assert_int_equal(a->schedule_value, 7);
    assert_string_equal(a->dependencies, "b;c");
    assert_int_equal(b->line, 3);
    assert_int_equal(b->destination.bytes[0], 0x5a);
    assert_string_equal(b->amount, "3000000000");
    assert_string_equal(b->memo, "");
    assert_int_equal(b->schedule, SCHEDULE_TIME);
    assert_int_equal(b->schedule_value, 1769860800);
    assert_string_equal(b->dependencies, "");
}

static void columns_may_come_in_any_order_and_optional_ones_may_be_absent(void **state)
{
    (void)state;
    collect("memo,amount,ref,destination\nhello,2wei,a," ADDRESS "\n");
    assert_no_error();
    assert_refs("a");
    assert_string_equal(collected.rows[0].memo, "hello");
    assert_string_equal(collected.rows[0].amount, "2");
    assert_int_equal(collected.rows[0].schedule, SCHEDULE_NOW);
}

static void a_header_alone_adds_nothing_and_is_no_error(void **state)
{
    (void)state;
    static const char *const files[] = { HEADER, "ref,destination,amount", "\xef\xbb\xbf" HEADER,
                                         "\n\r\n" HEADER "\n\n", "\"ref\",\"destination\",\"amount\"\r\n" };
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        collect(files[i]);
        assert_no_error();
        assert_int_equal(collected.row_count, 0);
    }
}

static void a_file_without_a_header_is_an_error(void **state)
{
    (void)state;
    static const char *const empty[] = { "", "\n\n\r\n", "\xef\xbb\xbf", "\xef\xbb\xbf\n" };
    for (size_t i = 0; i < COUNT_OF(empty); i++) {
        collect(empty[i]);
        assert_only_error(1, "", "the file is empty");
    }
    collect(ROW("a") ROW("b"));
    assert_error(0, 1, "a", "unknown column \"a\"");
    assert_int_equal(collected.row_count, 0);
}

static void an_unknown_column_refuses_the_file_and_is_named(void **state)
{
    (void)state;
    collect("ref,destination,amount,not_befor\na," ADDRESS ",1,2030-01-01T00:00:00Z\n");
    assert_only_error(1, "not_befor", "unknown column \"not_befor\"");
    assert_refs("");
    collect("Ref,destination,amount\n" ROW("a"));
    assert_error(0, 1, "Ref", "unknown column \"Ref\"");
    assert_error(1, 1, "ref", "is required");
    collect("ref, destination,amount\n" ROW("a"));
    assert_error(0, 1, " destination", "unknown column \" destination\"");
    collect("ref,destination,amount,\n" ROW("a"));
    assert_only_error(1, "", "unknown column \"\"");
    collect("ref;destination;amount\n");
    assert_error(0, 1, "ref;destination;amount", "unknown column \"ref;destination;amount\"");
    collect("\n\nref,destination,amount,\x1b[31m\xc3\xa9\n");
    assert_only_error(3, "\\x1b[31m\\xc3\\xa9", "unknown column \"\\x1b[31m\\xc3\\xa9\"");
}

static void a_repeated_column_refuses_the_file(void **state)
{
    (void)state;
    collect("ref,destination,amount,amount\na," ADDRESS ",1,2\n");
    assert_only_error(1, "amount", "more than once");
    assert_refs("");
}

static void every_missing_required_column_is_named(void **state)
{
    (void)state;
    collect("memo\nhello\n");
    assert_error(0, 1, "ref", "is required");
    assert_error(1, 1, "destination", "is required");
    assert_error(2, 1, "amount", "is required");
    assert_int_equal(collected.error_count, 3);
    assert_refs("");
}

static void a_broken_header_is_followed_by_no_row(void **state)
{
    (void)state;
    collect("ref,destination,\"amount\"x\n" ROW("a"));
    assert_only_error(1, "", "the header has text after its closing quote");
    assert_refs("");
}

static void blank_lines_and_both_line_ends_are_fine_and_lines_are_counted_right(void **state)
{
    (void)state;
    collect("\r\n" HEADER "\n" ROW("a") "\r\n\n" ROW("b") "c," ADDRESS ",1\r\n\n\nd," ADDRESS ",1");
    assert_no_error();
    assert_refs("a b c d");
    assert_int_equal(collected.rows[0].line, 4);
    assert_int_equal(collected.rows[1].line, 7);
    assert_int_equal(collected.rows[2].line, 8);
    assert_int_equal(collected.rows[3].line, 11);
}

static void a_prefix_is_put_before_refs_and_dependencies(void **state)
{
    (void)state;
    static const char file[] = "ref,destination,amount,depends_on\na," ADDRESS ",1,\nb," ADDRESS ",1,a;z\n";
    collect_bytes(file, strlen(file), "2026-01/");
    assert_no_error();
    assert_refs("2026-01/a 2026-01/b");
    assert_string_equal(collected.rows[1].dependencies, "2026-01/a;2026-01/z");
}

static void a_ref_with_its_prefix_may_have_128_bytes_and_not_one_more(void **state)
{
    (void)state;
    char file[1024], ref[REF_MAX_BYTES + 2];
    memset(ref, 'r', sizeof ref);
    ref[126] = '\0';
    (void)snprintf(file, sizeof file, "ref,destination,amount,depends_on\n%s," ADDRESS ",1,\nok," ADDRESS ",1,%s\n",
                   ref, ref);
    collect_bytes(file, strlen(file), "p/");
    assert_no_error();
    assert_int_equal(strlen(collected.rows[0].ref), REF_MAX_BYTES);
    collect_bytes(file, strlen(file), "pp/");
    assert_error(0, 2, "ref", "has 129 bytes with its prefix");
    assert_error(1, 3, "depends_on", "ref 1 has 129 bytes with its prefix");
    assert_refs("");
}

static void a_prefix_alone_is_no_ref(void **state)
{
    (void)state;
    static const char file[] = "ref,destination,amount\n," ADDRESS ",1\n";
    collect_bytes(file, strlen(file), "p/");
    assert_only_error(2, "ref", "is empty");
}

static void a_prefix_that_no_ref_can_begin_with_is_refused_before_anything_is_read(void **state)
{
    (void)state;
    static const char *const bad[] = { "a;b", "a\n", "\xc3\xa9" };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        collect_from(tmpfile(), bad[i]);
        assert_int_equal(collected.status, BURSAR_EINVAL);
        assert_non_null(strstr(collected.err.message, "prefix"));
        assert_int_equal(collected.error_count, 0);
    }
}

static void a_refusal_of_the_row_handler_ends_the_reading_and_is_returned(void **state)
{
    (void)state;
    static char csv[] = HEADER ROW("a") ROW("b") ROW("c"), jsonl[] = JSON_ROW("a") JSON_ROW("b") JSON_ROW("c");
    char *const files[] = { csv, jsonl };
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        collected.rows_until_refusal = 2;
        collect_from(fmemopen(files[i], strlen(files[i]), "r"), NULL);
        assert_int_equal(collected.status, BURSAR_ESTORAGE);
        assert_string_equal(collected.err.message, "the disk is full");
        assert_refs("a b");
    }
    collected.rows_until_refusal = 0;
}

/* A stream that fails after its text, as a disk or a network file does. */
struct failing {
    const char *text;
    size_t length_bytes;
};

static ssize_t failing_read(void *cookie, char *bytes, size_t size)
{
    struct failing *from = cookie;
    size_t count = from->length_bytes < size ? from->length_bytes : size;
    if (count == 0)
        return -1;
    memcpy(bytes, from->text, count);
    from->text += count;
    from->length_bytes -= count;
    return (ssize_t)count;
}

static void a_read_error_is_returned_and_a_cut_row_is_never_given_out(void **state)
{
    (void)state;
    static const char *const files[] = { HEADER ROW("a") "b," ADDRESS ",1", JSON_ROW("a") "{\"ref\":\"b\"", "" };
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        struct failing from = { files[i], strlen(files[i]) };
        collect_from(fopencookie(&from, "r", (cookie_io_functions_t){ .read = failing_read }), NULL);
        assert_int_equal(collected.status, BURSAR_EUNREACHABLE);
        assert_non_null(strstr(collected.err.message, "reading the payment file failed"));
        assert_no_error();
        for (size_t row = 0; row < collected.row_count; row++)
            assert_string_not_equal(collected.rows[row].ref, "b");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_with_all_columns_becomes_obligations),
        cmocka_unit_test(columns_may_come_in_any_order_and_optional_ones_may_be_absent),
        cmocka_unit_test(a_header_alone_adds_nothing_and_is_no_error),
        cmocka_unit_test(a_file_without_a_header_is_an_error),
        cmocka_unit_test(an_unknown_column_refuses_the_file_and_is_named),
        cmocka_unit_test(a_repeated_column_refuses_the_file),
        cmocka_unit_test(every_missing_required_column_is_named),
        cmocka_unit_test(a_broken_header_is_followed_by_no_row),
        cmocka_unit_test(blank_lines_and_both_line_ends_are_fine_and_lines_are_counted_right),
        cmocka_unit_test(a_prefix_is_put_before_refs_and_dependencies),
        cmocka_unit_test(a_ref_with_its_prefix_may_have_128_bytes_and_not_one_more),
        cmocka_unit_test(a_prefix_alone_is_no_ref),
        cmocka_unit_test(a_prefix_that_no_ref_can_begin_with_is_refused_before_anything_is_read),
        cmocka_unit_test(a_refusal_of_the_row_handler_ends_the_reading_and_is_returned),
        cmocka_unit_test(a_read_error_is_returned_and_a_cut_row_is_never_given_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

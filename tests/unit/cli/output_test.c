/* What is printed: stored text must not drive a terminal, JSON must stay JSON; statuses have their exit codes. */
#include "cli/exit_code.h"
#include "cli/note_printer.h"
#include "cli/output.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void assert_plain(const char *text, const char *expected)
{
    char plain[64];
    output_plain(text, plain, sizeof plain);
    assert_string_equal(plain, expected);
}

static void control_characters_are_replaced(void **state)
{
    (void)state;
    assert_plain("a\033[31mb\n\t\177", "a?[31mb???");
    assert_plain("gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f");
    assert_plain("c1 \xc2\x9b!", "c1 ?!");
    assert_plain("bad \xff\xc3", "bad ??");
}

static void a_character_is_never_cut_into_two(void **state)
{
    (void)state;
    char plain[4];
    output_plain("ab\xc3\xbc", plain, sizeof plain);
    assert_string_equal(plain, "ab");
    output_plain("a\xc3\xbc", plain, sizeof plain);
    assert_string_equal(plain, "a\xc3\xbc");
}

static void json_text_is_always_utf8(void **state)
{
    (void)state;
    json_t *value = output_json_text("ok \xff");
    assert_string_equal(json_string_value(value), "ok ?");
    json_decref(value);
}

static void amounts_are_decimal_strings(void **state)
{
    (void)state;
    json_t *value = output_json_amount(bursar_amount_from_u64(UINT64_MAX));
    assert_string_equal(json_string_value(value), "18446744073709551615");
    json_decref(value);
}

static void every_status_has_its_exit_code(void **state)
{
    (void)state;
    static const int expected[] = { 0, 1, 2, 3, 4, 3, 6, 4, 1, 3, 3, 3, 4, 4, 1, 6, 4, 1, 6 };
    for (int i = 0; i < (int)(sizeof expected / sizeof *expected); i++)
        assert_int_equal(exit_code_of((enum bursar_status)i), expected[i]);
}

/* Sends what the notes print into a file, and counts its lines. */
static size_t lines_of(const enum note_level *levels, const char *const *texts, size_t count, enum log_format format)
{
    FILE *file = tmpfile();
    assert_non_null(file);
    (void)fflush(stderr);
    int before = dup(2);
    assert_true(before >= 0 && dup2(fileno(file), 2) == 2);
    struct note_printer printer = { .treasury = "main", .level = NOTE_INFO, .format = format };
    struct note_sink sink = note_printer_sink(&printer);
    for (size_t i = 0; i < count; i++)
        sink.write(sink.ctx, levels[i], texts[i]);
    (void)fflush(stderr);
    assert_true(dup2(before, 2) == 2);
    close(before);
    rewind(file);
    size_t lines = 0;
    int c;
    while ((c = getc(file)) != EOF)
        lines += c == '\n';
    fclose(file);
    return lines;
}

static void waiting_is_told_once_not_every_tick(void **state)
{
    (void)state;
    const enum note_level levels[] = { NOTE_WARN, NOTE_WARN, NOTE_INFO, NOTE_WARN, NOTE_WARN, NOTE_DEBUG };
    const char *const texts[] = { "height is 25", "height is 26", "holding", "height is 27", "something else", "why" };
    assert_int_equal(lines_of(levels, texts, 6, LOG_FORMAT_TEXT), 3); /* 25, holding, something else */
}

static void what_was_done_is_told_every_time(void **state)
{
    (void)state;
    const enum note_level levels[] = { NOTE_INFO, NOTE_INFO, NOTE_INFO };
    const char *const texts[] = { "paid 5", "paid 5", "paid 5" };
    assert_int_equal(lines_of(levels, texts, 3, LOG_FORMAT_JSON), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(control_characters_are_replaced),  cmocka_unit_test(a_character_is_never_cut_into_two),
        cmocka_unit_test(json_text_is_always_utf8),         cmocka_unit_test(amounts_are_decimal_strings),
        cmocka_unit_test(every_status_has_its_exit_code),   cmocka_unit_test(waiting_is_told_once_not_every_tick),
        cmocka_unit_test(what_was_done_is_told_every_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

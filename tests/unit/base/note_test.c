/* Notes: one bounded line each, and silence where nobody listens. */
#include "base/note.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct heard {
    int count;
    enum note_level level;
    char text[4096];
};

static void hear(void *ctx, enum note_level level, const char *text)
{
    struct heard *heard = ctx;
    heard->count++;
    heard->level = level;
    (void)snprintf(heard->text, sizeof heard->text, "%s", text);
}

static void a_note_is_one_line_even_when_a_node_sends_line_breaks(void **state)
{
    (void)state;
    struct heard heard = { 0 };
    struct note_sink sink = { &heard, hear };
    note(&sink, NOTE_WARN, "the node said: %s", "nonce too low\r\nERROR forged line");
    assert_int_equal(heard.count, 1);
    assert_int_equal(heard.level, NOTE_WARN);
    assert_string_equal(heard.text, "the node said: nonce too low  ERROR forged line");
}

static void a_long_note_is_cut(void **state)
{
    (void)state;
    struct heard heard = { 0 };
    struct note_sink sink = { &heard, hear };
    char longer[3000];
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    note(&sink, NOTE_INFO, "%s", longer);
    assert_int_equal(heard.count, 1);
    assert_in_range(strlen(heard.text), 500, 1023);
}

static void without_a_listener_nothing_happens(void **state)
{
    (void)state;
    struct note_sink deaf = { 0 };
    note(NULL, NOTE_ERROR, "nobody");
    note(&deaf, NOTE_ERROR, "nobody");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_note_is_one_line_even_when_a_node_sends_line_breaks),
        cmocka_unit_test(a_long_note_is_cut),
        cmocka_unit_test(without_a_listener_nothing_happens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

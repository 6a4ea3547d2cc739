/* Text in cells: nothing that is stored can drive a terminal, or be drawn where it does not belong. */
#include "base/cleanup.h"
#include "top/grid.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct grid grid;
static char text[4096];

static int set_up(void **state)
{
    (void)state;
    assert_non_null(setlocale(LC_CTYPE, "C.UTF-8"));
    grid_reset(&grid, 10);
    assert_true(grid_row(&grid, TONE_PLAIN));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    grid_free(&grid);
    return 0;
}

static void assert_row(size_t row, const char *wanted)
{
    assert_true(row < grid.rows);
    grid_text(&grid, row, text, sizeof text);
    assert_string_equal(text, wanted);
}

static void what_does_not_fit_is_cut_and_says_so(void **state)
{
    (void)state;
    assert_int_equal(grid_put(&grid, 2, 5, TONE_PLAIN, "12345"), 7);
    assert_row(0, "  12345");
    assert_int_equal(grid_put(&grid, 2, 5, TONE_PLAIN, "123456"), 7);
    assert_row(0, "  1234~");
    assert_int_equal(grid_put(&grid, 8, 50, TONE_PLAIN, "abc"), 10);
    assert_row(0, "  1234~ a~");
    assert_int_equal(grid_put(&grid, 10, 50, TONE_PLAIN, "abc"), 10);
    assert_int_equal(grid_put(&grid, 3, 0, TONE_PLAIN, "abc"), 3);
    assert_row(0, "  1234~ a~");
}

static void nothing_that_is_stored_drives_the_terminal(void **state)
{
    (void)state;
    static const char *const harmful[] = { "\033[2J",  "\a\b",         "\r\n",         "\x7f",    "\xc2\x9b",
                                           "\xff\xfe", "\xe2\x80\xae", "\xed\xa0\x80", "\xf0\x9f" };
    for (size_t i = 0; i < COUNT_OF(harmful); i++) {
        grid.rows = 0;
        assert_true(grid_row(&grid, TONE_PLAIN));
        (void)grid_put(&grid, 0, 10, TONE_PLAIN, harmful[i]);
        for (size_t column = 0; column < 10; column++) {
            wchar_t shown = grid_cells(&grid, 0)[column].character;
            assert_true(shown >= L' ' && shown < 0x7f); /* what is left is ASCII here */
        }
    }
}

static void wide_characters_take_two_cells_and_marks_none(void **state)
{
    (void)state;
    assert_int_equal(grid_put(&grid, 0, 10, TONE_PLAIN, "a\u4e2db"), 4);
    assert_row(0, "a\u4e2db");
    assert_int_equal(grid_put(&grid, 5, 10, TONE_PLAIN, "e\u0301x"), 7);
    assert_row(0, "a\u4e2db ex");
    grid.rows = 0;
    assert_true(grid_row(&grid, TONE_PLAIN));
    assert_int_equal(grid_put(&grid, 0, 3, TONE_PLAIN, "\u4e2d\u4e2d"), 3); /* half of one is never drawn */
    assert_row(0, "\u4e2d~");
    grid.rows = 0;
    assert_true(grid_row(&grid, TONE_PLAIN));
    assert_int_equal(grid_put(&grid, 0, 4, TONE_PLAIN, "\u4e2d\u4e2dx"), 4);
    assert_row(0, "\u4e2d ~");
}

static void long_sentences_go_on_in_the_next_row(void **state)
{
    (void)state;
    grid_wrap(&grid, 2, 5, TONE_PLAIN, "not enough funds here");
    assert_row(0, "  not");
    assert_row(1, "  enough");
    assert_row(2, "  funds");
    assert_row(3, "  here");
    grid_reset(&grid, 10);
    assert_true(grid_row(&grid, TONE_PLAIN));
    grid_wrap(&grid, 2, 2, TONE_PLAIN, "0123456789abcdef0123"); /* no space to break at, and no more rows */
    assert_row(0, "  01234567");
    assert_row(1, "  89abcde~");
    assert_int_equal(grid.rows, 2);
}

static void rows_end_somewhere(void **state)
{
    (void)state;
    for (size_t i = 1; i < GRID_ROWS_MAX_COUNT; i++)
        assert_true(grid_row(&grid, TONE_PLAIN));
    assert_false(grid_row(&grid, TONE_PLAIN));
    assert_int_equal(grid.rows, GRID_ROWS_MAX_COUNT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_does_not_fit_is_cut_and_says_so, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_that_is_stored_drives_the_terminal, set_up, tear_down),
        cmocka_unit_test_setup_teardown(wide_characters_take_two_cells_and_marks_none, set_up, tear_down),
        cmocka_unit_test_setup_teardown(long_sentences_go_on_in_the_next_row, set_up, tear_down),
        cmocka_unit_test_setup_teardown(rows_end_somewhere, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

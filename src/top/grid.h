/* Text as cells: what a terminal is to show, before there is one. Whatever is put into it is made harmless: a cell
 * holds one printable character, and nothing that could drive a terminal, reorder its text, or take up no room.
 *
 * Rows are added one by one; what does not fit into the width is cut off, or wrapped. Where memory or
 * GRID_ROWS_MAX_COUNT end, further rows are left out. */
#ifndef TOP_GRID_H
#define TOP_GRID_H

#include <bursar/status.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wchar.h>

#define GRID_ROWS_MAX_COUNT 2000
#define GRID_COLUMNS_MAX_COUNT 1000

enum tone {
    TONE_PLAIN = 0,
    TONE_GOOD = 1,
    TONE_WAIT = 2,
    TONE_BAD = 3,
    TONE_TITLE = 4,
    TONE_BAR = 5, /* the lines at the top and the bottom */
};

/* 0 in `character`: the right half of a wide character. */
struct cell {
    wchar_t character;
    enum tone tone;
};

struct grid {
    size_t columns;
    size_t rows;
    size_t rows_capacity;
    struct cell *cells;
};

/* Empties it, at this width (1-GRID_COLUMNS_MAX_COUNT). */
void grid_reset(struct grid *grid, size_t columns);
void grid_free(struct grid *grid);
/* Adds an empty row. False: there is no room for more; what is put then goes nowhere. */
bool grid_row(struct grid *grid, enum tone tone);
/* Into the last row, from `column` on, at most `width` cells: returns the column behind it. Control characters and
 * broken UTF-8 become '?', what is cut off ends in '~'. The encoding is the locale's. */
size_t grid_put(struct grid *grid, size_t column, size_t width, enum tone tone, const char *text);
size_t grid_format(struct grid *grid, size_t column, size_t width, enum tone tone, const char *format, ...)
    BURSAR_PRINTF(5, 6);
/* From `column` of the last row on, and into as many further rows as it takes, at most `rows_max`, broken between
 * words. */
void grid_wrap(struct grid *grid, size_t column, size_t rows_max, enum tone tone, const char *text);
/* Row `row` with spaces cut off at its end, as text of the locale. */
void grid_text(const struct grid *grid, size_t row, char *ret, size_t capacity);
const struct cell *grid_cells(const struct grid *grid, size_t row);

#endif

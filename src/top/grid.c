/* See grid.h. */
#include "top/grid.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wctype.h>

#define CUT L'~'
#define FORMAT_MAX_BYTES 2048

void grid_reset(struct grid *grid, size_t columns)
{
    columns = columns < 1 ? 1 : columns > GRID_COLUMNS_MAX_COUNT ? GRID_COLUMNS_MAX_COUNT : columns;
    if (columns != grid->columns)
        grid_free(grid);
    grid->columns = columns;
    grid->rows = 0;
}

void grid_free(struct grid *grid)
{
    free(grid->cells);
    *grid = (struct grid){ 0 };
}

static struct cell *row_of(const struct grid *grid, size_t row)
{
    return grid->cells + row * grid->columns;
}

const struct cell *grid_cells(const struct grid *grid, size_t row)
{
    return row_of(grid, row);
}

bool grid_row(struct grid *grid, enum tone tone)
{
    if (grid->rows == GRID_ROWS_MAX_COUNT)
        return false;
    if (grid->rows == grid->rows_capacity) {
        size_t capacity = grid->rows_capacity ? grid->rows_capacity * 2 : 32;
        struct cell *cells = realloc(grid->cells, capacity * grid->columns * sizeof *cells);
        if (!cells)
            return false;
        grid->cells = cells;
        grid->rows_capacity = capacity;
    }
    for (size_t i = 0; i < grid->columns; i++)
        row_of(grid, grid->rows)[i] = (struct cell){ L' ', tone };
    grid->rows++;
    return true;
}

/* The next character that takes up room, with its width; 0 at the end. What can't be shown is '?', what takes up no
 * room (combining marks, changes of direction) is left out. */
static wchar_t next_character(const char **text, int *ret_width)
{
    while (**text) {
        mbstate_t state = { 0 };
        wchar_t found = 0;
        size_t length = mbrtowc(&found, *text, MB_LEN_MAX, &state);
        bool is_broken = length == 0 || length > MB_LEN_MAX;
        *text += is_broken ? 1 : length;
        int width = is_broken ? -1 : wcwidth(found);
        if (width == 0)
            continue;
        bool is_shown = width > 0 && iswprint((wint_t)found);
        *ret_width = is_shown ? width : 1;
        return is_shown ? found : L'?';
    }
    return 0;
}

size_t grid_put(struct grid *grid, size_t column, size_t width, enum tone tone, const char *text)
{
    if (grid->rows == 0 || column >= grid->columns || width == 0)
        return column;
    struct cell *cells = row_of(grid, grid->rows - 1);
    size_t end = width < grid->columns - column ? column + width : grid->columns, at = column;
    int taken = 0;
    wchar_t character;
    while ((character = next_character(&text, &taken)) != 0) {
        if (at + (size_t)taken > end) {
            size_t last = at < end ? at : end - 1;
            if (cells[last].character == 0 && last > column) /* the left half goes with it */
                cells[last - 1] = (struct cell){ L' ', tone };
            cells[last] = (struct cell){ CUT, tone };
            return end;
        }
        cells[at] = (struct cell){ character, tone };
        if (taken == 2)
            cells[at + 1] = (struct cell){ 0, tone };
        at += (size_t)taken;
    }
    return at;
}

size_t grid_format(struct grid *grid, size_t column, size_t width, enum tone tone, const char *format, ...)
{
    char text[FORMAT_MAX_BYTES];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return grid_put(grid, column, width, tone, text);
}

/* How many bytes of `text` fit into `width` cells, broken at a space where there is one. At least one character. */
static size_t fitting_bytes(const char *text, size_t width)
{
    const char *at = text, *last_space = NULL;
    size_t used = 0;
    for (;;) {
        const char *before = at;
        int taken = 0;
        wchar_t character = next_character(&at, &taken);
        if (character == 0)
            return (size_t)(at - text);
        if (character == L' ')
            last_space = before;
        used += (size_t)taken;
        if (used > width && last_space)
            return (size_t)(last_space - text);
        if (used > width)
            return before > text ? (size_t)(before - text) : (size_t)(at - text);
    }
}

void grid_wrap(struct grid *grid, size_t column, size_t rows_max, enum tone tone, const char *text)
{
    char part[FORMAT_MAX_BYTES];
    if (column >= grid->columns)
        return;
    size_t width = grid->columns - column;
    for (size_t row = 0; row < rows_max && *text; row++) {
        if (row > 0 && !grid_row(grid, TONE_PLAIN))
            return;
        size_t length = row + 1 < rows_max ? fitting_bytes(text, width) : strlen(text);
        length = length < sizeof part ? length : sizeof part - 1;
        memcpy(part, text, length);
        part[length] = 0;
        (void)grid_put(grid, column, width, tone, part);
        text += length;
        while (*text == ' ')
            text++;
    }
}

void grid_text(const struct grid *grid, size_t row, char *ret, size_t capacity)
{
    const struct cell *cells = row_of(grid, row);
    size_t end = grid->columns, used = 0;
    mbstate_t state = { 0 };
    char bytes[MB_LEN_MAX];
    while (end > 0 && cells[end - 1].character == L' ')
        end--;
    for (size_t i = 0; i < end; i++) {
        size_t length = cells[i].character ? wcrtomb(bytes, cells[i].character, &state) : 0;
        if (length > sizeof bytes || used + length >= capacity)
            break;
        memcpy(ret + used, bytes, length);
        used += length;
    }
    ret[used] = 0;
}

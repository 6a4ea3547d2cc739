/* Tables for people: collected first, since a column is as wide as its widest cell. */
#include "cli/output.h"

#include <stdlib.h>
#include <string.h>

#define TABLE_ROWS_MAX_COUNT ((size_t)20000)
#define CELL_MAX_BYTES 512

static bool grow(struct table *table)
{
    if (table->rows < table->capacity)
        return true;
    size_t capacity = table->capacity ? table->capacity * 2 : 64;
    if (capacity > TABLE_ROWS_MAX_COUNT * 2)
        return false;
    void *cells = realloc(table->cells, capacity * sizeof *table->cells);
    if (!cells)
        return false;
    table->cells = cells;
    enum output_colour *colours = realloc(table->colours, capacity * sizeof *colours);
    if (!colours)
        return false;
    table->colours = colours;
    table->capacity = capacity;
    return true;
}

bool table_add(struct table *table, const char *const *cells, enum output_colour colour)
{
    if (!grow(table))
        return false;
    for (size_t c = 0; c < table->columns; c++) {
        char plain[CELL_MAX_BYTES];
        output_plain(cells[c], plain, sizeof plain);
        char *copy = strdup(plain);
        if (!copy) {
            while (c-- > 0)
                free(table->cells[table->rows][c]);
            return false;
        }
        table->cells[table->rows][c] = copy;
    }
    table->colours[table->rows++] = colour;
    return true;
}

/* Characters, not bytes: good enough for the few cells that are not ASCII. */
static size_t width(const char *text)
{
    size_t count = 0;
    for (; *text; text++)
        count += ((unsigned char)*text & 0xc0) != 0x80;
    return count;
}

void table_print(const struct table *table, FILE *file)
{
    size_t widths[TABLE_COLUMNS_MAX_COUNT] = { 0 };
    for (size_t r = 0; r < table->rows; r++) {
        for (size_t c = 0; c < table->columns; c++) {
            size_t cell = width(table->cells[r][c]);
            widths[c] = cell > widths[c] ? cell : widths[c];
        }
    }
    for (size_t r = 0; r < table->rows; r++) {
        for (size_t c = 0; c < table->columns; c++) {
            const char *cell = table->cells[r][c];
            bool is_last = c + 1 == table->columns;
            bool is_coloured = r == 0 || c == table->colour_column;
            enum output_colour colour = r == 0 ? COLOUR_TITLE : table->colours[r];
            (void)fprintf(file, "%s%s%s%*s", is_coloured ? output_colour_on(file, colour) : "", cell,
                          is_coloured ? output_colour_off(file) : "", is_last ? 0 : (int)(widths[c] - width(cell) + 2),
                          "");
        }
        (void)fputc('\n', file);
    }
}

void table_free(struct table *table)
{
    for (size_t r = 0; r < table->rows; r++) {
        for (size_t c = 0; c < table->columns; c++)
            free(table->cells[r][c]);
    }
    free(table->cells);
    free(table->colours);
    *table = (struct table){ .columns = table->columns, .colour_column = table->colour_column };
}

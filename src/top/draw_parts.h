/* Inside of drawing. */
#ifndef TOP_DRAW_PARTS_H
#define TOP_DRAW_PARTS_H

#include "doctor/words.h"
#include "top/draw.h"

#define DRAW_INDENT 12 /* behind the names of lines */

/* "name      text", wrapped. */
void draw_line(struct grid *grid, const char *name, enum tone tone, const char *format, ...) BURSAR_PRINTF(4, 5);
/* Rounded down to six decimals: for where there is no room for all of them. */
void draw_short_coin(struct bursar_amount amount, char ret[WORDS_COIN_TEXT_BYTES]);
void draw_heading(struct grid *grid, const char *format, ...) BURSAR_PRINTF(2, 3);

/* How the treasury stands. */
void draw_standing(struct grid *grid, const struct view *view, const struct view_treasury *treasury);
void draw_reasons(struct grid *grid, const struct view_treasury *treasury, size_t rows_max);
void draw_flights(struct grid *grid, const struct view *view, const struct view_treasury *treasury, size_t rows_max);
void draw_events(struct grid *grid, const struct view_treasury *treasury);
/* "executor-1 #3": who pays for it. */
enum tone draw_executor_text(const struct view *view, const struct view_treasury *treasury, char *ret, size_t capacity);

#endif

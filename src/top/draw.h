/* From what was gathered to what is to be seen. Pure: the same view, size and wishes give the same cells. */
#ifndef TOP_DRAW_H
#define TOP_DRAW_H

#include "top/grid.h"
#include "top/view.h"

/* What the person at the keys wants to see. */
struct wishes {
    size_t selected; /* treasury */
    size_t scroll;   /* rows */
    bool help;
    uint64_t interval_ms;
};

/* All there is to see, as high as it takes. Lists are cut where they would push the others out of `rows`. */
void draw_body(struct grid *grid, const struct view *view, const struct wishes *wishes, size_t columns, size_t rows);
/* The keys. */
void draw_help(struct grid *grid, size_t columns);
/* A terminal of this size: a line on top, what of the body fits (scrolled no further than it goes: wishes->scroll is
 * set), and the keys at the bottom. `body` is scratch. */
void draw_screen(struct grid *grid, struct grid *body, const struct view *view, struct wishes *wishes, size_t columns,
                 size_t rows);

#endif

/* The terminal: cells onto it, keys from it. Whatever ends the program, the terminal is as it was before: closing it,
 * SIGINT, SIGTERM, SIGHUP and SIGQUIT (told as SCREEN_KEY_ENDED), SIGTSTP, and a crash. One at a time. */
#ifndef TOP_SCREEN_H
#define TOP_SCREEN_H

#include "top/grid.h"

enum screen_key {
    SCREEN_KEY_NONE = 0, /* the time is over */
    SCREEN_KEY_ENDED,    /* by a signal, or there is no terminal any more */
    SCREEN_KEY_RESIZED,
    SCREEN_KEY_QUIT,
    SCREEN_KEY_NEXT,
    SCREEN_KEY_UP,
    SCREEN_KEY_DOWN,
    SCREEN_KEY_PAGE_UP,
    SCREEN_KEY_PAGE_DOWN,
    SCREEN_KEY_HOME,
    SCREEN_KEY_END,
    SCREEN_KEY_HELP,
    SCREEN_KEY_OTHER,
};

/* False where standard input and output are no terminal that can be drawn on. */
bool screen_is_possible(void);
/* EINTERNAL: this kind of terminal is not known. Until it is closed, the signals above come in screen_wait only. */
BURSAR_MUST_CHECK enum bursar_status screen_open(bool has_colours, struct bursar_error *err);
void screen_close(void);
void screen_size(size_t *ret_columns, size_t *ret_rows);
void screen_show(const struct grid *grid);
/* The next key; waits for it up to wait_ms. */
enum screen_key screen_wait(uint64_t wait_ms);

#endif

/* See draw.h. The frame around it all: which part goes where, and how much room it gets. */
#include "top/draw.h"

#include "base/cleanup.h"
#include "base/time.h"
#include "doctor/words.h"
#include "top/draw_parts.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LINE_MAX_BYTES 2048
#define SHORT_DECIMALS 6

void draw_line(struct grid *grid, const char *name, enum tone tone, const char *format, ...)
{
    char text[LINE_MAX_BYTES];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (!grid_row(grid, TONE_PLAIN))
        return;
    (void)grid_put(grid, 1, DRAW_INDENT - 2, TONE_PLAIN, name);
    grid_wrap(grid, DRAW_INDENT, 6, tone, text);
}

void draw_short_coin(struct bursar_amount amount, char ret[WORDS_COIN_TEXT_BYTES])
{
    words_coin(amount, ret);
    char *point = strchr(ret, '.'), *unit = strchr(ret, ' ');
    if (point && unit && unit - point > SHORT_DECIMALS + 1)
        memmove(point + SHORT_DECIMALS + 1, unit, strlen(unit) + 1);
}

void draw_heading(struct grid *grid, const char *format, ...)
{
    char text[LINE_MAX_BYTES];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (grid_row(grid, TONE_PLAIN))
        (void)grid_put(grid, 0, grid->columns, TONE_TITLE, text);
}

/* -- one line a treasury ----------------------------------------------------------------------------------------- */

/* Where the columns begin, for a width. */
struct columns {
    size_t name, balance, executor, breaker, money, halt;
};

static struct columns columns_of(size_t width)
{
    size_t more = width > 80 ? (width - 80) / 3 : 0;
    struct columns at = { .name = 2, .balance = 15 + more };
    at.executor = at.balance + 20;
    at.breaker = at.executor + 16 + more;
    at.money = at.breaker + 10;
    at.halt = at.money + 8;
    return at;
}

static void balance_text(const struct view_treasury *treasury, char ret[WORDS_COIN_TEXT_BYTES])
{
    if (treasury->has_look && treasury->look.has_view)
        draw_short_coin(treasury->look.view.balance, ret);
    else if (treasury->has_balance)
        draw_short_coin(treasury->balance, ret);
    else
        (void)snprintf(ret, WORDS_COIN_TEXT_BYTES, "unknown");
}

static void draw_treasury(struct grid *grid, const struct view *view, size_t index, bool is_selected)
{
    const struct view_treasury *treasury = &view->treasuries[index];
    const struct columns at = columns_of(grid->columns);
    char balance[WORDS_COIN_TEXT_BYTES], executor[LEASE_HOLDER_MAX_BYTES + 64];
    enum bursar_breaker_state breaker = treasury->breaker.view.state;
    enum halt_code halt = situation_halt(&treasury->situation);
    const char *halt_name = halt == HALT_NONE ? "-" : halt_code_name(halt);
    if (!grid_row(grid, TONE_PLAIN))
        return;
    (void)grid_put(grid, 0, 1, TONE_TITLE, is_selected && view->count > 1 ? ">" : "");
    (void)grid_put(grid, at.name, at.balance - at.name - 1, is_selected ? TONE_TITLE : TONE_PLAIN, treasury->name);
    balance_text(treasury, balance);
    (void)grid_put(grid, at.balance, at.executor - at.balance - 1, TONE_PLAIN, balance);
    if (!treasury->is_stored) {
        (void)grid_put(grid, at.executor, grid->columns, TONE_WAIT, "not in the store yet");
        return;
    }
    enum tone tone = draw_executor_text(view, treasury, executor, sizeof executor);
    (void)grid_put(grid, at.executor, at.breaker - at.executor - 1, tone, executor);
    (void)grid_put(grid, at.breaker, at.money - at.breaker - 1,
                   breaker == BURSAR_BREAKER_CLOSED ? TONE_GOOD
                   : breaker == BURSAR_BREAKER_OPEN ? TONE_BAD
                                                    : TONE_WAIT,
                   breaker == BURSAR_BREAKER_CLOSED ? "closed"
                   : breaker == BURSAR_BREAKER_OPEN ? "open"
                                                    : "half-open");
    const bool money_is_open = treasury->breaker.money.cause != MONEY_NONE;
    (void)grid_put(grid, at.money, at.halt - at.money - 1, money_is_open ? TONE_BAD : TONE_GOOD,
                   money_is_open ? "open" : "closed");
    (void)grid_put(grid, at.halt, grid->columns, halt == HALT_NONE ? TONE_PLAIN : TONE_BAD,
                   halt_name ? halt_name : "unknown");
}

static void draw_treasuries(struct grid *grid, const struct view *view, size_t selected)
{
    const struct columns at = columns_of(grid->columns);
    if (grid_row(grid, TONE_PLAIN)) {
        (void)grid_put(grid, at.name, grid->columns, TONE_TITLE, "TREASURY");
        (void)grid_put(grid, at.balance, grid->columns, TONE_TITLE, "BALANCE");
        (void)grid_put(grid, at.executor, grid->columns, TONE_TITLE, "EXECUTOR");
        (void)grid_put(grid, at.breaker, grid->columns, TONE_TITLE, "BREAKER");
        (void)grid_put(grid, at.money, grid->columns, TONE_TITLE, "MONEY");
        (void)grid_put(grid, at.halt, grid->columns, TONE_TITLE, "HALT");
    }
    for (size_t i = 0; i < view->count; i++)
        draw_treasury(grid, view, i, i == selected);
}

/* -- the whole ------------------------------------------------------------------------------------------------------
 */

#define LIST_ROWS_MIN 4

void draw_body(struct grid *grid, const struct view *view, const struct wishes *wishes, size_t columns, size_t rows)
{
    grid_reset(grid, columns);
    draw_treasuries(grid, view, wishes->selected);
    if (wishes->selected >= view->count)
        return;
    const struct view_treasury *treasury = &view->treasuries[wishes->selected];
    draw_standing(grid, view, treasury);
    if (!treasury->is_stored)
        return;
    /* What is left, to the three lists; each of the first two gets a third at most. */
    size_t left = rows > grid->rows ? rows - grid->rows : 0;
    size_t share = left / 3 > LIST_ROWS_MIN ? left / 3 : LIST_ROWS_MIN;
    draw_reasons(grid, treasury, share);
    draw_flights(grid, view, treasury, share);
    draw_events(grid, treasury);
}

void draw_help(struct grid *grid, size_t columns)
{
    static const char *const lines[][2] = {
        { "q", "quit" },
        { "t, Tab", "the next treasury" },
        { "up, down, k, j", "scroll by a line" },
        { "PgUp, PgDn", "scroll by a page" },
        { "Home, End", "to the first, the last line" },
        { "?, h", "this help; any key goes back" },
    };
    grid_reset(grid, columns);
    draw_heading(grid, "Keys");
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        if (!grid_row(grid, TONE_PLAIN))
            return;
        (void)grid_put(grid, 2, 16, TONE_TITLE, lines[i][0]);
        (void)grid_put(grid, 19, grid->columns, TONE_PLAIN, lines[i][1]);
    }
    (void)grid_row(grid, TONE_PLAIN);
    if (grid_row(grid, TONE_PLAIN))
        grid_wrap(grid, 0, 10, TONE_PLAIN,
                  "Nothing here changes anything. `bursar show ID` has the whole story of a disbursement, `bursar "
                  "doctor` looks at everything that paying needs.");
}

static void draw_top_line(struct grid *grid, const struct view *view, const struct wishes *wishes)
{
    char at[RFC3339_TEXT_BYTES];
    rfc3339_from_seconds(view->now_ms / 1000, at);
    if (!grid_row(grid, TONE_BAR))
        return;
    size_t column = grid_format(grid, 1, grid->columns, TONE_BAR, "bursar top  %s", at);
    if (wishes->selected < view->count)
        column = grid_format(grid, column + 2, grid->columns, TONE_BAR, "%s (%zu of %zu)",
                             view->treasuries[wishes->selected].name, wishes->selected + 1, view->count);
    if (view->error[0])
        (void)grid_format(grid, column + 2, grid->columns, TONE_BAR, "OLD: %s", view->error);
}

static void draw_bottom_line(struct grid *grid, const struct wishes *wishes, size_t hidden_above, size_t hidden_below)
{
    if (!grid_row(grid, TONE_BAR))
        return;
    size_t column = grid_format(
        grid, 1, grid->columns, TONE_BAR, "q quit  t next  arrows scroll  ? help  every %llu.%llu s",
        (unsigned long long)(wishes->interval_ms / 1000), (unsigned long long)(wishes->interval_ms % 1000 / 100));
    if (hidden_above > 0 || hidden_below > 0)
        (void)grid_format(grid, column + 2, grid->columns, TONE_BAR, "%zu above, %zu below", hidden_above,
                          hidden_below);
}

static void copy_row(struct grid *grid, const struct grid *body, size_t row)
{
    if (!grid_row(grid, TONE_PLAIN) || row >= body->rows)
        return;
    struct cell *to = grid->cells + (grid->rows - 1) * grid->columns;
    const struct cell *from = grid_cells(body, row);
    for (size_t i = 0; i < grid->columns; i++)
        to[i] = from[i];
}

void draw_screen(struct grid *grid, struct grid *body, const struct view *view, struct wishes *wishes, size_t columns,
                 size_t rows)
{
    const size_t inner = rows > 2 ? rows - 2 : 0;
    size_t scroll = wishes->help ? 0 : wishes->scroll;
    if (wishes->help)
        draw_help(body, columns);
    else
        draw_body(body, view, wishes, columns, inner);
    const size_t furthest = body->rows > inner ? body->rows - inner : 0;
    if (scroll > furthest)
        scroll = furthest;
    if (!wishes->help)
        wishes->scroll = scroll;
    grid_reset(grid, columns);
    draw_top_line(grid, view, wishes);
    for (size_t i = 0; i < inner; i++)
        copy_row(grid, body, scroll + i);
    if (rows > 1)
        draw_bottom_line(grid, wishes, scroll, furthest - scroll);
}

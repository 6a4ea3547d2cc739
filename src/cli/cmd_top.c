/* bursar top: how treasuries stand, live, for a terminal. Reads only. */
#include "base/bytes.h"
#include "base/time.h"
#include "cli/context.h"
#include "cli/exit_code.h"
#include "cli/shown.h"
#include "top/draw.h"
#include "top/gather.h"
#include "top/node_watch.h"
#include "top/screen.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define OPTION_ONCE 1
#define OPTION_INTERVAL 2
#define INTERVAL_DEFAULT_MS 1000
#define INTERVAL_MIN_MS 100
#define INTERVAL_MAX_MS 60000
#define NODES_INTERVAL_MIN_MS 1000
#define ONCE_NODES_MAX_MS 2500
#define ONCE_ROWS_MAX_COUNT 60
#define ONCE_COLUMNS_MIN 40
#define ONCE_COLUMNS_DEFAULT 80

struct top {
    struct cli *cli;
    bool once;
    struct session session;
    struct clock clock;
    struct treasury_settings *settings;
    struct gather gather;
    struct node_watch *watch;
    struct wishes wishes;
};

/* "0.5", "2": seconds with at most one decimal. */
static bool interval_from_text(const char *text, uint64_t *ret_ms)
{
    const char *point = strchr(text, '.');
    uint64_t whole = 0, tenths = 0;
    size_t length = point ? (size_t)(point - text) : strlen(text);
    if (!u64_from_text(text, length, 0, INTERVAL_MAX_MS / 1000, &whole))
        return false;
    if (point && !(strlen(point + 1) == 1 && u64_from_text(point + 1, 1, 0, 9, &tenths)))
        return false;
    *ret_ms = whole * 1000 + tenths * 100;
    return *ret_ms >= INTERVAL_MIN_MS && *ret_ms <= INTERVAL_MAX_MS;
}

static enum bursar_status start(struct top *top, struct bursar_error *err)
{
    size_t first, end;
    struct webhook_list webhooks;
    struct session *session = &top->session;
    enum bursar_status status = session_open(session, top->cli, SQLITE_MODE_READ, NULL, NULL, err);
    if (status == BURSAR_OK)
        status = session_sections(session, top->cli, &first, &end, err);
    if (status != BURSAR_OK)
        return status;
    top->settings = calloc(end - first, sizeof *top->settings);
    if (!top->settings)
        return bursar_fail(err, BURSAR_ENOMEM, "out of memory");
    for (size_t i = first; i < end; i++)
        shown_settings(session->config, &session->config->treasuries[i], &top->settings[i - first]);
    shown_webhooks(session->config, &webhooks);
    status = gather_init(&top->gather, &session->store, top->settings, end - first, &webhooks, err);
    for (size_t i = first; i < end && status == BURSAR_OK; i++)
        status = section_address(&session->config->treasuries[i], &top->gather.view.treasuries[i - first].address, err);
    uint64_t interval_ms = top->wishes.interval_ms;
    return status == BURSAR_OK
               ? node_watch_start(top->settings, end - first,
                                  interval_ms > NODES_INTERVAL_MIN_MS ? interval_ms : NODES_INTERVAL_MIN_MS,
                                  &top->watch, err)
               : status;
}

/* Before its first row it is looked at as one that is not pinned to a chain yet. */
static void want_nodes(struct top *top)
{
    struct view *view = &top->gather.view;
    for (size_t i = 0; i < view->count; i++) {
        struct view_treasury *treasury = &view->treasuries[i];
        struct treasury bare = { .address = treasury->address };
        node_watch_want(top->watch, i, treasury->is_stored ? &treasury->situation.treasury : &bare);
    }
}

static void take_nodes(struct top *top)
{
    struct view *view = &top->gather.view;
    for (size_t i = 0; i < view->count; i++) {
        struct view_treasury *treasury = &view->treasuries[i];
        treasury->has_look = node_watch_read(top->watch, i, &treasury->look, &treasury->look_ms);
    }
}

/* Trouble with the store does not end the view: it says so, and shows what it had. */
static void refresh(struct top *top)
{
    struct bursar_error err = { 0 };
    struct view *view = &top->gather.view;
    enum bursar_status status =
        gather_read(&top->gather, top->wishes.selected, top->clock.wall_ms(top->clock.ctx), &err);
    (void)snprintf(view->error, sizeof view->error, "%s",
                   status == BURSAR_OK ? ""
                   : err.message[0]    ? err.message
                                       : bursar_status_text(status));
    want_nodes(top);
    take_nodes(top);
}

/* -- one frame ------------------------------------------------------------------------------------------------------
 */

static size_t once_columns(void)
{
    struct winsize size = { 0 };
    uint64_t columns;
    const char *wanted = getenv("COLUMNS");
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= ONCE_COLUMNS_MIN)
        return size.ws_col;
    if (wanted && u64_from_text(wanted, strlen(wanted), ONCE_COLUMNS_MIN, GRID_COLUMNS_MAX_COUNT, &columns))
        return (size_t)columns;
    return ONCE_COLUMNS_DEFAULT;
}

static int show_once(struct top *top)
{
    struct grid grid = { 0 };
    char line[GRID_COLUMNS_MAX_COUNT * 4 + 1];
    struct bursar_error err = { 0 };
    enum bursar_status status =
        gather_read(&top->gather, top->wishes.selected, top->clock.wall_ms(top->clock.ctx), &err);
    if (status != BURSAR_OK) {
        err.status = status;
        return output_error(false, &err);
    }
    want_nodes(top);
    node_watch_wait(top->watch, ONCE_NODES_MAX_MS);
    take_nodes(top);
    draw_body(&grid, &top->gather.view, &top->wishes, once_columns(), ONCE_ROWS_MAX_COUNT);
    for (size_t row = 0; row < grid.rows && row < ONCE_ROWS_MAX_COUNT; row++) {
        grid_text(&grid, row, line, sizeof line);
        (void)puts(line);
    }
    grid_free(&grid);
    return output_finish() ? EXIT_CODE_DONE : EXIT_CODE_INTERNAL;
}

/* -- live -----------------------------------------------------------------------------------------------------------
 */

/* False: that was it. */
static bool obey(struct top *top, enum screen_key key, size_t page_rows, bool *ret_again)
{
    struct wishes *wishes = &top->wishes;
    if (wishes->help && key != SCREEN_KEY_NONE && key != SCREEN_KEY_RESIZED && key != SCREEN_KEY_ENDED &&
        key != SCREEN_KEY_QUIT) {
        wishes->help = false;
        return true;
    }
    switch (key) {
    case SCREEN_KEY_ENDED:
    case SCREEN_KEY_QUIT:
        return false;
    case SCREEN_KEY_NEXT:
        wishes->selected = (wishes->selected + 1) % top->gather.view.count;
        wishes->scroll = 0;
        *ret_again = true;
        return true;
    case SCREEN_KEY_UP:
        wishes->scroll -= wishes->scroll > 0;
        return true;
    case SCREEN_KEY_DOWN:
        wishes->scroll++;
        return true;
    case SCREEN_KEY_PAGE_UP:
        wishes->scroll -= wishes->scroll > page_rows ? page_rows : wishes->scroll;
        return true;
    case SCREEN_KEY_PAGE_DOWN:
        wishes->scroll += page_rows;
        return true;
    case SCREEN_KEY_HOME:
        wishes->scroll = 0;
        return true;
    case SCREEN_KEY_END:
        wishes->scroll = GRID_ROWS_MAX_COUNT;
        return true;
    case SCREEN_KEY_HELP:
        wishes->help = true;
        return true;
    case SCREEN_KEY_NONE:
    case SCREEN_KEY_RESIZED:
    case SCREEN_KEY_OTHER:
        return true;
    }
    return true;
}

static void show_live(struct top *top)
{
    struct grid grid = { 0 }, body = { 0 };
    uint64_t next_ms = 0;
    size_t columns, rows;
    for (bool goes_on = true; goes_on;) {
        uint64_t now_ms = top->clock.monotonic_ms(top->clock.ctx);
        if (now_ms >= next_ms) {
            refresh(top);
            next_ms = now_ms + top->wishes.interval_ms;
        }
        screen_size(&columns, &rows);
        draw_screen(&grid, &body, &top->gather.view, &top->wishes, columns, rows);
        screen_show(&grid);
        now_ms = top->clock.monotonic_ms(top->clock.ctx);
        bool again = false;
        goes_on = obey(top, screen_wait(next_ms > now_ms ? next_ms - now_ms : 0), rows > 3 ? rows - 3 : 1, &again);
        next_ms = again ? 0 : next_ms;
    }
    grid_free(&grid);
    grid_free(&body);
}

static int show(struct top *top)
{
    struct bursar_error err = { 0 };
    const char *no_colour = getenv("NO_COLOR");
    enum bursar_status status = start(top, &err);
    if (status != BURSAR_OK) {
        err.status = status;
        return output_error(false, &err);
    }
    if (top->once || !screen_is_possible() || screen_open(!(no_colour && *no_colour), &err) != BURSAR_OK)
        return show_once(top);
    show_live(top);
    screen_close();
    return EXIT_CODE_DONE;
}

int cmd_top(struct cli *cli, int argc, char **argv)
{
    static const struct option options[] = { { "once", no_argument, NULL, OPTION_ONCE },
                                             { "interval", required_argument, NULL, OPTION_INTERVAL },
                                             CLI_LONG_OPTIONS };
    struct top top = { .cli = cli, .clock = system_clock(), .wishes = { .interval_ms = INTERVAL_DEFAULT_MS } };
    int option, code;
    while ((option = getopt_long(argc, argv, CLI_SHORT_OPTIONS, options, NULL)) != -1) {
        if (option == OPTION_ONCE)
            top.once = true;
        else if (option == OPTION_INTERVAL && !interval_from_text(optarg, &top.wishes.interval_ms))
            return cli_usage(cli, "top", "--interval '%.50s': must be 0.1 to 60 seconds", optarg);
        else if (option != OPTION_INTERVAL && (code = cli_common_option(cli, "top", option, argv)) >= 0)
            return code;
    }
    if (cli->json)
        return cli_usage(cli, "top", "--json: `bursar status --json` is for scripts");
    if ((code = cli_operands(cli, "top", argc, argv, 0, 0)) >= 0)
        return code;
    (void)setlocale(LC_CTYPE, "");
    code = show(&top);
    node_watch_free(top.watch);
    gather_free(&top.gather);
    free(top.settings);
    session_close(&top.session);
    return code;
}

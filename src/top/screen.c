/* See screen.h. Signals are blocked but for the wait, so that none is slept through, and none comes while curses draws.
 * A crash can't use curses: what puts the terminal right is looked up beforehand, and written as it is. */
#define NCURSES_WIDECHAR 1
#include "top/screen.h"

#include "base/cleanup.h"

#include <curses.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define RESTORE_MAX_BYTES 256
#define ESCAPE_DELAY_MS 25

static const int ENDING[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
static const int CRASHES[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };

static struct {
    SCREEN *screen;
    bool has_colours;
    sigset_t mask_before;
    struct sigaction ending_before[COUNT_OF(ENDING)];
    struct sigaction crashes_before[COUNT_OF(CRASHES)];
    struct termios before;
    char restore[RESTORE_MAX_BYTES];
    size_t restore_bytes;
} state;
static volatile sig_atomic_t ending_came;

static void on_ending(int signal_number)
{
    (void)signal_number;
    ending_came = 1;
}

/* Async-signal-safe. */
static void on_crash(int signal_number)
{
    ssize_t ignored = write(STDOUT_FILENO, state.restore, state.restore_bytes);
    (void)ignored;
    (void)tcsetattr(STDIN_FILENO, TCSANOW, &state.before);
    (void)raise(signal_number); /* as it would have gone: SA_RESETHAND */
}

bool screen_is_possible(void)
{
    const char *terminal = getenv("TERM");
    return isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1 && terminal && *terminal &&
           strcmp(terminal, "dumb") != 0;
}

static void block_signals(void)
{
    sigset_t blocked;
    (void)sigemptyset(&blocked);
    for (size_t i = 0; i < COUNT_OF(ENDING); i++)
        (void)sigaddset(&blocked, ENDING[i]);
    (void)sigaddset(&blocked, SIGWINCH);
    (void)sigaddset(&blocked, SIGTSTP);
    (void)pthread_sigmask(SIG_BLOCK, &blocked, &state.mask_before);
}

static void catch_signals(void)
{
    struct sigaction ending = { .sa_handler = on_ending };
    struct sigaction crash = { .sa_handler = on_crash, .sa_flags = (int)SA_RESETHAND };
    (void)sigemptyset(&ending.sa_mask);
    (void)sigemptyset(&crash.sa_mask);
    for (size_t i = 0; i < COUNT_OF(ENDING); i++)
        (void)sigaction(ENDING[i], &ending, &state.ending_before[i]);
    for (size_t i = 0; i < COUNT_OF(CRASHES); i++) {
        (void)sigaction(CRASHES[i], NULL, &state.crashes_before[i]);
        if (state.crashes_before[i].sa_handler == SIG_DFL) /* else somebody wants to tell of it: a sanitizer */
            (void)sigaction(CRASHES[i], &crash, NULL);
    }
}

static void release_signals(void)
{
    for (size_t i = 0; i < COUNT_OF(ENDING); i++)
        (void)sigaction(ENDING[i], &state.ending_before[i], NULL);
    for (size_t i = 0; i < COUNT_OF(CRASHES); i++)
        (void)sigaction(CRASHES[i], &state.crashes_before[i], NULL);
    (void)pthread_sigmask(SIG_SETMASK, &state.mask_before, NULL);
}

static void add_restore(const char *capability)
{
    if (!capability || capability == (char *)-1) /* NOLINT(performance-no-int-to-ptr): terminfo's "has none" */
        return;
    size_t length = strlen(capability);
    if (length >= sizeof state.restore - state.restore_bytes)
        return;
    memcpy(state.restore + state.restore_bytes, capability, length);
    state.restore_bytes += length;
}

enum bursar_status screen_open(bool has_colours, struct bursar_error *err)
{
    if (tcgetattr(STDIN_FILENO, &state.before) != 0)
        return bursar_fail(err, BURSAR_EINTERNAL, "can't read the terminal's settings: %s", strerror(errno));
    block_signals();
    catch_signals(); /* before curses would */
    state.screen = newterm(NULL, stdout, stdin);
    if (!state.screen) {
        release_signals();
        return bursar_fail(err, BURSAR_EINTERNAL, "this kind of terminal is not known: TERM=%.100s", getenv("TERM"));
    }
    (void)set_escdelay(ESCAPE_DELAY_MS);
    (void)cbreak();
    (void)noecho();
    (void)nonl();
    (void)keypad(stdscr, TRUE);
    (void)nodelay(stdscr, TRUE);
    (void)curs_set(0);
    state.has_colours = has_colours && has_colors() && start_color() == OK && use_default_colors() == OK;
    if (state.has_colours) {
        (void)init_pair(TONE_GOOD, COLOR_GREEN, -1);
        (void)init_pair(TONE_WAIT, COLOR_YELLOW, -1);
        (void)init_pair(TONE_BAD, COLOR_RED, -1);
    }
    state.restore_bytes = 0;
    add_restore(tigetstr("sgr0"));
    add_restore(tigetstr("cnorm"));
    add_restore(tigetstr("rmkx"));
    add_restore(tigetstr("rmcup"));
    return BURSAR_OK;
}

void screen_close(void)
{
    if (!state.screen)
        return;
    (void)endwin();
    release_signals();
    delscreen(state.screen);
    state.screen = NULL;
}

void screen_size(size_t *ret_columns, size_t *ret_rows)
{
    *ret_columns = COLS > 0 ? (size_t)COLS : 1;
    *ret_rows = LINES > 0 ? (size_t)LINES : 1;
}

static attr_t attributes_of(enum tone tone, short *ret_pair)
{
    *ret_pair = 0;
    switch (tone) {
    case TONE_PLAIN:
        return A_NORMAL;
    case TONE_GOOD:
    case TONE_WAIT:
    case TONE_BAD:
        *ret_pair = state.has_colours ? (short)tone : 0;
        return tone == TONE_BAD ? A_BOLD : A_NORMAL;
    case TONE_TITLE:
        return A_BOLD;
    case TONE_BAR:
        return A_REVERSE;
    }
    return A_NORMAL;
}

void screen_show(const struct grid *grid)
{
    (void)erase();
    for (size_t row = 0; row < grid->rows; row++) {
        const struct cell *cells = grid_cells(grid, row);
        (void)move((int)row, 0);
        for (size_t i = 0; i < grid->columns; i++) {
            wchar_t text[2] = { cells[i].character, 0 };
            short pair;
            cchar_t drawn;
            attr_t attributes = attributes_of(cells[i].tone, &pair);
            if (text[0] != 0 && setcchar(&drawn, text, attributes, pair, NULL) == OK)
                (void)add_wch(&drawn); /* ERR at the last cell, which is drawn all the same */
        }
    }
    (void)refresh();
}

static enum screen_key key_of(int code)
{
    switch (code) {
    case KEY_RESIZE:
        return SCREEN_KEY_RESIZED;
    case 'q':
    case 'Q':
        return SCREEN_KEY_QUIT;
    case 't':
    case '\t':
        return SCREEN_KEY_NEXT;
    case KEY_UP:
    case 'k':
        return SCREEN_KEY_UP;
    case KEY_DOWN:
    case 'j':
        return SCREEN_KEY_DOWN;
    case KEY_PPAGE:
        return SCREEN_KEY_PAGE_UP;
    case KEY_NPAGE:
    case ' ':
        return SCREEN_KEY_PAGE_DOWN;
    case KEY_HOME:
    case 'g':
        return SCREEN_KEY_HOME;
    case KEY_END:
    case 'G':
        return SCREEN_KEY_END;
    case '?':
    case 'h':
        return SCREEN_KEY_HELP;
    default:
        return SCREEN_KEY_OTHER;
    }
}

enum screen_key screen_wait(uint64_t wait_ms)
{
    struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };
    struct timespec timeout = { .tv_sec = (time_t)(wait_ms / 1000), .tv_nsec = (long)(wait_ms % 1000) * 1000000 };
    int code = getch();
    if (code == ERR && !ending_came) {
        int ready = ppoll(&input, 1, &timeout, &state.mask_before);
        if (ready > 0 && (input.revents & POLLIN) == 0) /* hung up */
            ending_came = 1;
        code = getch();
        if (code == ERR && ready > 0) /* the end of input */
            ending_came = 1;
    }
    if (ending_came)
        return SCREEN_KEY_ENDED;
    return code == ERR ? SCREEN_KEY_NONE : key_of(code);
}

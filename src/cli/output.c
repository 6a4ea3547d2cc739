/* JSON values, text, colours and messages. Only this program prints; the library never does. */
#include "cli/output.h"

#include "base/bytes.h"
#include "base/time.h"
#include "cli/exit_code.h"
#include "eth/address.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BAR_CELLS 30

enum bursar_status output_json(json_t *document, struct bursar_error *err)
{
    if (!document)
        return bursar_fail(err, BURSAR_ENOMEM, "out of memory while writing JSON");
    int failed = json_dumpf(document, stdout, JSON_COMPACT) != 0 || fputc('\n', stdout) == EOF;
    json_decref(document);
    return failed ? bursar_fail(err, BURSAR_EINTERNAL, "can't write to standard output: %s", strerror(errno))
                  : BURSAR_OK;
}

void output_plain(const char *text, char *ret, size_t capacity)
{
    size_t used = 0;
    bool is_valid = utf8_is_valid(text, strlen(text));
    for (; *text && used + 1 < capacity; text++) {
        unsigned char c = (unsigned char)*text;
        bool is_c1 = c == 0xc2 && (unsigned char)text[1] >= 0x80 && (unsigned char)text[1] < 0xa0;
        if (is_c1)
            text++;
        ret[used++] = is_c1 || c < 0x20 || c == 0x7f || (c >= 0x80 && !is_valid) ? '?' : (char)c;
    }
    while (*text && used > 0 && ((unsigned char)*text & 0xc0) == 0x80) { /* never cut a character into two */
        text--;
        used--;
    }
    ret[used] = 0;
}

void output_coin(struct bursar_amount amount, char ret[OUTPUT_COIN_TEXT_BYTES])
{
    char units[BURSAR_AMOUNT_UNITS_TEXT_BYTES];
    bursar_amount_to_units(amount, COIN_DECIMALS, units);
    (void)snprintf(ret, OUTPUT_COIN_TEXT_BYTES, "%s ETH", units);
}

static bool is_coloured(FILE *file)
{
    const char *no_colour = getenv("NO_COLOR");
    const char *terminal = getenv("TERM");
    return !(no_colour && *no_colour) && terminal && strcmp(terminal, "dumb") != 0 && isatty(fileno(file)) == 1;
}

const char *output_colour_on(FILE *file, enum output_colour colour)
{
    if (!is_coloured(file))
        return "";
    switch (colour) {
    case COLOUR_PLAIN:
        return "";
    case COLOUR_GOOD:
        return "\033[32m";
    case COLOUR_WAIT:
        return "\033[33m";
    case COLOUR_BAD:
        return "\033[31m";
    case COLOUR_TITLE:
        return "\033[1m";
    }
    return "";
}

const char *output_colour_off(FILE *file)
{
    return is_coloured(file) ? "\033[0m" : "";
}

enum output_colour output_state_colour(enum disbursement_state state)
{
    switch (state) {
    case STATE_FINALIZED:
        return COLOUR_GOOD;
    case STATE_STAGED:
    case STATE_EXECUTED:
        return COLOUR_WAIT;
    case STATE_FAILED:
    case STATE_CANCELLED:
    case STATE_ROLLED_BACK:
        return COLOUR_BAD;
    case STATE_DRAFT:
    case STATE_VOTING:
    case STATE_QUEUED:
        return COLOUR_PLAIN;
    }
    return COLOUR_PLAIN;
}

enum output_colour output_breaker_colour(enum bursar_breaker_state state)
{
    switch (state) {
    case BURSAR_BREAKER_CLOSED:
        return COLOUR_GOOD;
    case BURSAR_BREAKER_OPEN:
        return COLOUR_BAD;
    case BURSAR_BREAKER_HALF_OPEN:
        return COLOUR_WAIT;
    }
    return COLOUR_PLAIN;
}

void output_message(const char *format, ...)
{
    char text[BURSAR_ERROR_MESSAGE_MAX_BYTES * 2], plain[sizeof text];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    output_plain(text, plain, sizeof plain);
    (void)fprintf(stderr, "bursar: %s\n", plain);
}

int output_error(bool json, const struct bursar_error *err)
{
    const char *text = err->message[0] ? err->message : bursar_status_text(err->status);
    output_message("%s", text);
    if (json) {
        struct bursar_error unprinted;
        json_t *document =
            json_pack("{s:[{s:n,s:n,s:o}]}", "errors", "line", "column", "message", output_json_text(text));
        if (output_json(document, &unprinted) != BURSAR_OK)
            output_message("%s", unprinted.message);
    }
    return (int)exit_code_of(err->status);
}

void output_progress(const char *what, size_t done, size_t total)
{
    if (isatty(fileno(stderr)) != 1 || total == 0)
        return;
    char bar[BAR_CELLS + 1];
    size_t full = done / total ? BAR_CELLS : (size_t)((uint64_t)done * BAR_CELLS / total);
    for (size_t i = 0; i < BAR_CELLS; i++)
        bar[i] = i < full ? '#' : '.';
    bar[BAR_CELLS] = 0;
    (void)fprintf(stderr, "\r[%s%s%s] %s %zu/%zu ", output_colour_on(stderr, COLOUR_GOOD), bar,
                  output_colour_off(stderr), what, done, total);
    (void)fflush(stderr);
}

void output_progress_end(void)
{
    if (isatty(fileno(stderr)) == 1)
        (void)fputc('\n', stderr);
}

bool output_finish(void)
{
    bool good = fflush(stdout) == 0 && !ferror(stdout);
    if (!good)
        output_message("can't write to standard output: %s", strerror(errno));
    return good;
}

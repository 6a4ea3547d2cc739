/* See note_printer.h. */
#include "cli/note_printer.h"

#include "base/time.h"
#include "cli/output.h"

#include <string.h>

#define NOTE_PRINTED_MAX_BYTES 1024

static const char *level_name(enum note_level level)
{
    switch (level) {
    case NOTE_ERROR:
        return "error";
    case NOTE_WARN:
        return "warn";
    case NOTE_INFO:
        return "info";
    case NOTE_DEBUG:
        return "debug";
    }
    return "info";
}

static enum output_colour level_colour(enum note_level level)
{
    switch (level) {
    case NOTE_ERROR:
        return COLOUR_BAD;
    case NOTE_WARN:
        return COLOUR_WAIT;
    case NOTE_INFO:
    case NOTE_DEBUG:
        return COLOUR_PLAIN;
    }
    return COLOUR_PLAIN;
}

static void print_json(const struct note_printer *printer, enum note_level level, const char *at, const char *text)
{
    json_t *line = json_pack("{s:s,s:s,s:s,s:o}", "time", at, "level", level_name(level), "treasury", printer->treasury,
                             "text", output_json_text(text));
    if (line && json_dumpf(line, stderr, JSON_COMPACT) == 0)
        (void)fputc('\n', stderr);
    json_decref(line);
}

static uint64_t hash_without_digits(const char *text)
{
    uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */
    for (; *text; text++) {
        if (*text >= '0' && *text <= '9')
            continue;
        hash = (hash ^ (unsigned char)*text) * UINT64_C(1099511628211);
    }
    return hash;
}

/* Remembers what is not held back. What was done (info) is told every time. */
static bool was_told(struct note_printer *printer, enum note_level level, const char *text)
{
    struct clock clock = system_clock();
    struct told_note now = { .hash = hash_without_digits(text), .at_ms = clock.monotonic_ms(clock.ctx) };
    if (level <= NOTE_WARN) {
        if (printer->told[printer->newest].hash == now.hash)
            return true;
        for (size_t i = 0; i < NOTES_REMEMBERED_COUNT; i++) {
            const struct told_note *told = &printer->told[i];
            if (told->hash == now.hash && now.at_ms - told->at_ms < NOTE_REPEAT_MS)
                return true;
        }
    }
    printer->newest = (printer->newest + 1) % NOTES_REMEMBERED_COUNT;
    printer->told[printer->newest] = now;
    return false;
}

static void print_note(void *ctx, enum note_level level, const char *text)
{
    struct note_printer *printer = ctx;
    if (level > printer->level)
        return;
    if (was_told(printer, level, text))
        return;
    struct clock clock = system_clock();
    char at[RFC3339_TEXT_BYTES], plain[NOTE_PRINTED_MAX_BYTES];
    rfc3339_from_seconds(clock.wall_ms(clock.ctx) / 1000, at);
    output_plain(text, plain, sizeof plain);
    if (printer->format == LOG_FORMAT_JSON)
        print_json(printer, level, at, plain);
    else
        (void)fprintf(stderr, "%s %s%-5s%s %s%s%s\n", at, output_colour_on(stderr, level_colour(level)),
                      level_name(level), output_colour_off(stderr), printer->treasury, printer->treasury[0] ? ": " : "",
                      plain);
}

struct note_sink note_printer_sink(struct note_printer *printer)
{
    return (struct note_sink){ .ctx = printer, .write = print_note };
}

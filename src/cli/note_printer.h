/* Notes of the library as lines on stderr: text or JSON, from a level on. */
#ifndef CLI_NOTE_PRINTER_H
#define CLI_NOTE_PRINTER_H

#include "base/note.h"
#include "cli/config.h"

#define NOTES_REMEMBERED_COUNT 8
#define NOTE_REPEAT_MS 60000

/* What was told, and when (monotonic): a hash of the text without its digits. */
struct told_note {
    uint64_t hash;
    uint64_t at_ms;
};

/* One a treasury. Waiting is told once, not every tick of it: a warning or error that differs from an earlier one in
 * digits only is told again only when something else was told since, and NOTE_REPEAT_MS have passed. */
struct note_printer {
    const char *treasury; /* "" for the program itself */
    enum note_level level;
    enum log_format format;
    size_t newest; /* index of the last one told */
    struct told_note told[NOTES_REMEMBERED_COUNT];
};
struct note_sink note_printer_sink(struct note_printer *printer);

#endif

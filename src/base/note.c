/* Formats a note into one bounded line and hands it to the host. */
#include "base/note.h"

#include <stdarg.h>
#include <stdio.h>

#define NOTE_TEXT_BYTES 1024

void note(const struct note_sink *sink, enum note_level level, const char *format, ...)
{
    if (!sink || !sink->write)
        return;
    char text[NOTE_TEXT_BYTES];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    for (char *c = text; *c; c++) {
        if (*c == '\n' || *c == '\r')
            *c = ' ';
    }
    sink->write(sink->ctx, level, text);
}

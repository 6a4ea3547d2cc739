/* Lines and their digest (FNV-1a over 64 bits: it tells runs apart, it keeps no secret). */
#include "trace.h"

#include <stdarg.h>
#include <string.h>

#define LINE_BYTES 700

void trace_begin(struct trace *trace)
{
    trace->digest = 0xcbf29ce484222325ull;
    trace->lines = 0;
}

static void take_in(struct trace *trace, const void *bytes, size_t count)
{
    const uint8_t *at = bytes;
    for (size_t i = 0; i < count; i++)
        trace->digest = (trace->digest ^ at[i]) * 0x100000001b3ull;
}

static void line(struct trace *trace, bool is_shown, const char *format, va_list args) BURSAR_PRINTF(3, 0);
static void line(struct trace *trace, bool is_shown, const char *format, va_list args)
{
    char text[LINE_BYTES];
    (void)vsnprintf(text, sizeof text, format, args);
    take_in(trace, text, strlen(text));
    trace->lines++;
    if (trace->out && is_shown)
        (void)fprintf(trace->out, "%s\n", text);
}

void trace_line(struct trace *trace, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    line(trace, !trace->is_terse, format, args);
    va_end(args);
}

void trace_headline(struct trace *trace, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    line(trace, true, format, args);
    va_end(args);
}

void trace_number(struct trace *trace, uint64_t number)
{
    take_in(trace, &number, sizeof number);
}

/* What happened, line by line: printed when asked for, and always summed up in a digest, which two runs of one seed
 * share. No line may hold an address, a process id, a path or a real time. */
#ifndef SIM_TRACE_H
#define SIM_TRACE_H

#include <bursar/status.h>

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct trace {
    FILE *out;     /* NULL: only the digest */
    bool is_terse; /* prints only what is marked as worth it */
    uint64_t digest;
    uint64_t lines;
};

void trace_begin(struct trace *trace);
/* Every call. */
void trace_line(struct trace *trace, const char *format, ...) BURSAR_PRINTF(2, 3);
/* What a reader of a short trace wants to see. */
void trace_headline(struct trace *trace, const char *format, ...) BURSAR_PRINTF(2, 3);
/* Into the digest alone. */
void trace_number(struct trace *trace, uint64_t number);

#endif

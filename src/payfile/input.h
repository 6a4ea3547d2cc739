/* A sliding window over a stream: what a reader of rows needs to look ahead and to go back to the start of a row.
 *
 * Memory is fixed: one row of the longest kind and one block. Not thread-safe. */
#ifndef PAYFILE_INPUT_H
#define PAYFILE_INPUT_H

#include "payfile/payfile.h"

#define INPUT_BLOCK_BYTES ((size_t)64 * 1024)
#define INPUT_WINDOW_BYTES (PAYFILE_LINE_MAX_BYTES + 2 * INPUT_BLOCK_BYTES)

struct input {
    FILE *file; /* borrowed */
    char *window;
    size_t start; /* first byte that is not consumed */
    size_t end;
    uint64_t line; /* of the first byte not consumed, from 1 */
    bool at_end;   /* the stream has no more: end of file, or failed */
    bool failed;   /* a read error, not the end */
};

BURSAR_MUST_CHECK enum bursar_status input_open(struct input *input, FILE *file, struct bursar_error *err);
/* Safe on a zeroed or closed input; leaves the stream open. */
void input_close(struct input *input);

/* Reads on, keeping what is not consumed, which may move. False at the end of the stream, and when the window is full:
 * then at least PAYFILE_LINE_MAX_BYTES + INPUT_BLOCK_BYTES are there. */
bool input_fill(struct input *input);
static inline size_t input_available(const struct input *input)
{
    return input->end - input->start;
}
/* True when `count` more bytes could be had. */
static inline bool input_has(struct input *input, size_t count)
{
    while (input_available(input) < count) {
        if (!input_fill(input))
            return false;
    }
    return true;
}
/* Drops everything through the next line feed at or after `offset` from the first byte not consumed, or through the end
 * of the stream. `line` must be that of the byte at `offset`. */
void input_skip_line(struct input *input, size_t offset, uint64_t line);

#endif

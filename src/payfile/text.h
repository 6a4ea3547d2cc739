/* Text as found in a payment file, and how it is quoted in a message: it may hold anything. */
#ifndef PAYFILE_TEXT_H
#define PAYFILE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Borrowed; not NUL-terminated. */
struct text {
    const char *bytes;
    size_t length_bytes;
};

bool text_is(struct text text, const char *wanted);

/* The beginning of `text` for a terminal or a log: other bytes than printable ASCII become \xNN, a cut is shown as
 * "...". Returns `ret`. */
#define EXCERPT_BYTES 324
const char *text_excerpt(struct text text, char ret[EXCERPT_BYTES]);

#endif

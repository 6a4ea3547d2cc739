/* Quoting of hostile text: what comes out is short, printable and on one line. */
#include "payfile/text.h"

#include <stdint.h>

#define EXCERPT_SHOWN_BYTES 80

_Static_assert(EXCERPT_BYTES >= 4 * EXCERPT_SHOWN_BYTES + 3 + 1, "every byte may take four, then \"...\" and a NUL");

bool text_is(struct text text, const char *wanted)
{
    size_t length_bytes = strlen(wanted);
    return text.length_bytes == length_bytes && memcmp(text.bytes, wanted, length_bytes) == 0;
}

const char *text_excerpt(struct text text, char ret[EXCERPT_BYTES])
{
    size_t shown = text.length_bytes < EXCERPT_SHOWN_BYTES ? text.length_bytes : EXCERPT_SHOWN_BYTES;
    size_t at = 0;
    for (size_t i = 0; i < shown; i++) {
        uint8_t byte = (uint8_t)text.bytes[i];
        if (byte >= 0x20 && byte <= 0x7e)
            ret[at++] = text.bytes[i];
        else
            at += (size_t)snprintf(ret + at, EXCERPT_BYTES - at, "\\x%02x", byte);
    }
    (void)snprintf(ret + at, EXCERPT_BYTES - at, "%s", shown < text.length_bytes ? "..." : "");
    return ret;
}

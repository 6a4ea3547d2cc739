/* Notes: how the library tells its host what happened. The library itself never prints. */
#ifndef BASE_NOTE_H
#define BASE_NOTE_H

#include <bursar/status.h>

/* Levels by consequence: what a person on call has to do about it. */
enum note_level {
    NOTE_ERROR = 1, /* somebody must act, payments are held up */
    NOTE_WARN = 2,  /* goes on by itself, but look at it in office hours */
    NOTE_INFO = 3,  /* what was done */
    NOTE_DEBUG = 4, /* why it was done */
};

/* `write` may be NULL (nothing is noted). `text` is one line without a line break and holds no secret. */
struct note_sink {
    void *ctx;
    void (*write)(void *ctx, enum note_level level, const char *text);
};
void note(const struct note_sink *sink, enum note_level level, const char *format, ...) BURSAR_PRINTF(3, 4);

#endif

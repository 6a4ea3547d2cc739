/* A streaming tokenizer for CSV as RFC 4180 writes it. Knows rows and fields, nothing of what they mean.
 *
 * Fields may be quoted, and then hold commas, line breaks and doubled quotes. Lines end in CR LF or LF, the last one in
 * either or in nothing. Lines without a single byte are skipped. Spaces belong to their field. */
#ifndef PAYFILE_CSV_H
#define PAYFILE_CSV_H

#include "payfile/input.h"
#include "payfile/text.h"

#define CSV_FIELDS_MAX_COUNT 64
#define CSV_NO_FIELD ((size_t)-1)

/* Texts are followed by a NUL, hold none, and are valid until the next call. */
struct csv_row {
    uint64_t line; /* where the row starts */
    size_t field_count;
    struct text fields[CSV_FIELDS_MAX_COUNT];
};

struct csv_problem {
    uint64_t line;       /* where the row starts */
    size_t field;        /* index, CSV_NO_FIELD: the whole row */
    const char *message; /* fixed text, says what the field or the row does wrong */
};

enum csv_result {
    CSV_ROW = 1,
    CSV_BAD_ROW = 2, /* call again for the next one */
    CSV_END = 3,     /* also after a read error: see input.failed. No cut row is ever given out as a row */
};

struct csv_reader {
    struct input *input; /* borrowed */
    char *unquoted;      /* the row's fields, quotes resolved */
    size_t unquoted_bytes;
    size_t scan;    /* offset in the row of the byte that is looked at */
    uint64_t feeds; /* line feeds in the row so far */
    size_t quote;   /* offset and line of the current field's opening quote */
    uint64_t quote_line;
    const char *complaint; /* first mistake in the row after which it can still be read to its end */
    size_t complaint_field;
};

BURSAR_MUST_CHECK enum bursar_status csv_open(struct csv_reader *reader, struct input *input, struct bursar_error *err);
void csv_close(struct csv_reader *reader);
/* Fills *ret for CSV_ROW, *ret_problem for CSV_BAD_ROW.
 *
 * After a mistake that leaves the quotes in order the reader goes on behind the row. Where an opening quote itself is
 * in doubt (never closed, text behind the closing one), the lines after the one it stands in are read afresh: one stray
 * quote must not swallow its neighbours. */
enum csv_result csv_next(struct csv_reader *reader, struct csv_row *ret, struct csv_problem *ret_problem);

#endif

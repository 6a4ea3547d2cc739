/* Payment files: CSV (RFC 4180 with a header) and JSON Lines, turned row by row into obligations. CSV files of the Safe
 * airdrop app are taken as well.
 *
 * Reads a stream with bounded memory; every error names line, column and what is allowed. Knows nothing of a store:
 * what is checked here can be checked from the file alone. */
#ifndef PAYFILE_PAYFILE_H
#define PAYFILE_PAYFILE_H

#include "domain/obligation.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define PAYFILE_LINE_MAX_BYTES ((size_t)64 * 1024) /* one row: all quoted line breaks included */
#define PAYFILE_ROWS_MAX_COUNT ((uint64_t)10000000)

#define PAYFILE_COLUMN_MAX_BYTES 64 /* of a column's name in an error: a longer unknown one is cut */

/* What went wrong in one row. `column` is its name, "" when the whole row is meant. */
struct payfile_error {
    uint64_t line; /* of the file, from 1: where the row starts */
    char column[PAYFILE_COLUMN_MAX_BYTES];
    char message[BURSAR_ERROR_MESSAGE_MAX_BYTES];
};

/* One well-formed row. `obligation` is normalised and valid until the handler returns. */
struct payfile_row {
    uint64_t line;
    struct obligation obligation;
};

/* What stands in an `asset` column, and how many decimals its amounts can have. */
struct payfile_asset {
    struct asset asset;
    unsigned decimals;
};

struct payfile_handlers {
    void *ctx;
    /* What an asset that is neither empty nor `native` names. EINVAL: `err` says what is wrong with it ("is ..."), a
     * bad row. Any other status ends the reading as one of `row` does. NULL: there are no others. */
    enum bursar_status (*asset)(void *ctx, const char *text, size_t length_bytes, struct payfile_asset *ret,
                                struct bursar_error *err);
    /* A good row. A status other than OK ends the reading and is returned from payfile_read. */
    enum bursar_status (*row)(void *ctx, const struct payfile_row *row, struct bursar_error *err);
    /* A bad row (also a bad header: then no row follows). Reading goes on with the next one. */
    void (*error)(void *ctx, const struct payfile_error *error);
};

struct payfile_options {
    const char *ref_prefix;   /* NULL: none. Put before every ref and dependency of the file */
    unsigned native_decimals; /* 18 */
    bool only_assets;         /* `asset` alone is told, of each row that has one; nothing else is looked at */
};

/* OK also when rows were bad: the error handler was told. EINVAL for a prefix that no ref can begin with; EUNREACHABLE
 * for a read error; ENOMEM; else what the row handler returned. */
BURSAR_MUST_CHECK enum bursar_status payfile_read(FILE *file, const struct payfile_options *options,
                                                  const struct payfile_handlers *handlers, struct bursar_error *err);

#endif

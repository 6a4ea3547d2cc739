/* A payment file into the store: all of its new rows, or none. */
#ifndef SERVICE_IMPORT_H
#define SERVICE_IMPORT_H

#include "payfile/payfile.h"
#include "service/treasury_settings.h"
#include "store/store.h"

#include <stdio.h>

#define IMPORT_ERRORS_SHOWN_MAX_COUNT 100

struct import_order {
    const char *origin;     /* the file's name, for messages and the event log */
    const char *actor;      /* who brought it */
    const char *ref_prefix; /* NULL: none */
    bool dry_run;
    /* NULL, or told of each good row: the file may be refused all the same. */
    void (*row_seen)(void *ctx, const struct payfile_row *row, unsigned decimals, bool is_new);
    void *row_seen_ctx;
};

struct import_error {
    uint64_t line;
    char column[32];
    bool is_conflict; /* the ref is stored with other content */
    char message[BURSAR_ERROR_MESSAGE_MAX_BYTES];
};

/* Zero-initialise; import_result_free afterwards. */
struct import_result {
    uint64_t added;
    uint64_t existing;
    int64_t *ids; /* one a row, in the order of the file */
    uint64_t *lines;
    size_t id_count;
    size_t id_capacity;
    struct import_error *errors; /* the first ones, when rows were bad */
    size_t error_count;
};
void import_result_free(struct import_result *result);

/* Reads a payment file from where `file` stands, twice. EINVAL with result->error_count > 0: rows were bad, nothing was
 * added. EUNREACHABLE, EREFUSED: the file pays with a token that the chain must be asked about first, and it could not
 * be.
 */
BURSAR_MUST_CHECK enum bursar_status import_rows(const struct store *store, const struct treasury_settings *settings,
                                                 const struct treasury *treasury, const struct import_order *order,
                                                 FILE *file, struct import_result *ret, struct bursar_error *err);

#endif

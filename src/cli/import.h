/* A payment file into the store: all of its new rows, or none. */
#ifndef CLI_IMPORT_H
#define CLI_IMPORT_H

#include "cli/context.h"

#define IMPORT_ERRORS_SHOWN_MAX_COUNT 100

struct import_order {
    const char *path;       /* "-": standard input */
    const char *ref_prefix; /* NULL: none */
    bool dry_run;
};

struct import_error {
    uint64_t line;
    char column[32];
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

/* EINVAL with result->error_count > 0: rows were bad, nothing was added. EUNREACHABLE, EREFUSED: the file pays with a
 * token that the chain must be asked about first, and it could not be. */
BURSAR_MUST_CHECK enum bursar_status import_file(const struct session *session, const struct treasury_config *section,
                                                 const struct treasury *treasury, const struct import_order *order,
                                                 struct import_result *ret, struct bursar_error *err);

#endif

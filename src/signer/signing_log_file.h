/* The signing log as a file: creation, lock, torn tails and damage, durable appends. It knows records, not nonces. */
#ifndef SIGNER_SIGNING_LOG_FILE_H
#define SIGNER_SIGNING_LOG_FILE_H

#include "signer/signing_log_record.h"

struct log_file {
    int fd;
    bool writable;
    char *path;
    struct log_identity identity;
    uint32_t end; /* index behind the last record */
};

/* Called for each record in order of index. An error it returns ends the opening. */
struct log_visitor {
    void *ctx;
    enum bursar_status (*visit)(void *ctx, const struct log_record *record, struct bursar_error *err);
};

BURSAR_MUST_CHECK enum bursar_status log_file_create(const char *path, const struct log_identity *identity,
                                                     struct bursar_error *err);
/* Writable: takes the lock, and makes durable what it keeps of an unfinished batch. See signing_log_open for errors. */
BURSAR_MUST_CHECK enum bursar_status log_file_open(const char *path, const struct log_identity *identity, bool writable,
                                                   struct log_visitor visitor, struct log_file *ret,
                                                   struct bursar_error *err);
BURSAR_MUST_CHECK enum bursar_status log_file_read(const struct log_file *file, uint32_t index, struct log_record *ret,
                                                   struct bursar_error *err);
/* Writes `count` encoded records behind the end, and returns when they are on disk. After an error what is on disk is
 * unknown: the file must not be used before it is opened anew. */
BURSAR_MUST_CHECK enum bursar_status log_file_append(struct log_file *file, const uint8_t *records, uint32_t count,
                                                     struct bursar_error *err);
void log_file_close(struct log_file *file);

#endif

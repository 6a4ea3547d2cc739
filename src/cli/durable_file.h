/* A file that is there completely or not at all, and never instead of another one. */
#ifndef CLI_DURABLE_FILE_H
#define CLI_DURABLE_FILE_H

#include <bursar/status.h>

#include <stddef.h>

/* Creates `path` (mode 0600) with these bytes, durable with its directory entry. EEXIST: something has that name. */
BURSAR_MUST_CHECK enum bursar_status durable_file_create(const char *path, const void *bytes, size_t length_bytes,
                                                         struct bursar_error *err);

#endif

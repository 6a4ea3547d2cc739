/* Input that can't be read at leisure (standard input, pipes) is put into an unlinked file first. */
#ifndef CLI_SPOOL_H
#define CLI_SPOOL_H

#include <bursar/status.h>

#include <stdint.h>
#include <stdio.h>

#define SPOOL_MAX_BYTES ((uint64_t)4 << 30)

/* Opens `path` ("-": standard input) for reading from the start; what is no regular file is read to its end first, so
 * that nobody waits for it while holding the store's write lock. EINVAL names the file. */
BURSAR_MUST_CHECK enum bursar_status spool_open(const char *path, FILE **ret, struct bursar_error *err);

#endif

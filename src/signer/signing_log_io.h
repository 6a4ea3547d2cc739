/* Whole reads and writes at an offset, and the paths of a signing log's files. Shared by its file's two halves. */
#ifndef SIGNER_SIGNING_LOG_IO_H
#define SIGNER_SIGNING_LOG_IO_H

#include <bursar/status.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* False: errno says why. Short transfers are continued, interrupted ones repeated. */
BURSAR_MUST_CHECK bool write_all(int fd, const uint8_t *bytes, size_t count, uint64_t offset);
/* As many as there are up to `count`. */
BURSAR_MUST_CHECK bool read_up_to(int fd, uint8_t *ret, size_t count, uint64_t offset, size_t *ret_count);
/* fsyncs the directory that `path` lies in. */
BURSAR_MUST_CHECK bool sync_directory_of(const char *path);

#endif

/* Written under another name, synced, then linked to its own: link() never replaces, and a crash leaves no half file.
 */
#include "cli/durable_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATH_BYTES 4096

static bool write_all(int fd, const char *bytes, size_t length_bytes)
{
    while (length_bytes > 0) {
        ssize_t written = write(fd, bytes, length_bytes);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return false;
        bytes += written;
        length_bytes -= (size_t)written;
    }
    return true;
}

static bool sync_folder(const char *path)
{
    char folder[PATH_BYTES];
    const char *slash = strrchr(path, '/');
    (void)snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) + 1 : 1, slash ? path : ".");
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool good = fsync(fd) == 0;
    (void)close(fd);
    return good;
}

enum bursar_status durable_file_create(const char *path, const void *bytes, size_t length_bytes,
                                       struct bursar_error *err)
{
    char draft[PATH_BYTES];
    if (snprintf(draft, sizeof draft, "%s.XXXXXX", path) >= (int)sizeof draft)
        return bursar_fail(err, BURSAR_EINVAL, "%.200s...: the path is too long", path);
    int fd = mkostemp(draft, O_CLOEXEC); /* mode 0600 */
    if (fd < 0)
        return bursar_fail(err, BURSAR_ESTORAGE, "%s can't be created: %s", path, strerror(errno));
    bool good = write_all(fd, bytes, length_bytes) && fsync(fd) == 0;
    good = close(fd) == 0 && good;
    good = good && link(draft, path) == 0;
    int reason = errno;
    (void)unlink(draft);
    if (!good && reason == EEXIST)
        return bursar_fail(err, BURSAR_EEXIST, "%s exists already: it is never overwritten", path);
    if (!good)
        return bursar_fail(err, BURSAR_ESTORAGE, "%s can't be written: %s", path, strerror(reason));
    if (sync_folder(path))
        return BURSAR_OK;
    reason = errno;
    (void)unlink(path);
    return bursar_fail(err, BURSAR_ESTORAGE, "%s: its folder can't be synced: %s", path, strerror(reason));
}

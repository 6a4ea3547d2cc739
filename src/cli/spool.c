/* See spool.h. The copy has no name, so it is gone whatever becomes of us. */
#include "cli/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK_BYTES ((size_t)64 * 1024)

static FILE *unnamed_file(void)
{
    const char *folder = getenv("TMPDIR");
    char name[512];
    if (snprintf(name, sizeof name, "%s/bursar-XXXXXX", folder && *folder ? folder : "/tmp") >= (int)sizeof name)
        return NULL;
    int fd = mkostemp(name, O_CLOEXEC);
    if (fd < 0)
        return NULL;
    (void)unlink(name);
    FILE *file = fdopen(fd, "w+");
    if (!file)
        (void)close(fd);
    return file;
}

static enum bursar_status copy(FILE *from, FILE *to, const char *name, struct bursar_error *err)
{
    char chunk[CHUNK_BYTES];
    uint64_t total_bytes = 0;
    size_t length;
    while ((length = fread(chunk, 1, sizeof chunk, from)) > 0) {
        total_bytes += length;
        if (total_bytes > SPOOL_MAX_BYTES)
            return bursar_fail(err, BURSAR_EINVAL, "%s: more than %llu bytes", name,
                               (unsigned long long)SPOOL_MAX_BYTES);
        if (fwrite(chunk, 1, length, to) != length)
            return bursar_fail(err, BURSAR_EINVAL,
                               "%s: can't be kept in a temporary file: %s (TMPDIR names its folder)", name,
                               strerror(errno));
    }
    if (ferror(from))
        return bursar_fail(err, BURSAR_EINVAL, "%s: can't be read: %s", name, strerror(errno));
    if (fflush(to) != 0 || fseek(to, 0, SEEK_SET) != 0)
        return bursar_fail(err, BURSAR_EINVAL, "%s: can't be kept in a temporary file: %s (TMPDIR names its folder)",
                           name, strerror(errno));
    return BURSAR_OK;
}

enum bursar_status spool_open(const char *path, FILE **ret, struct bursar_error *err)
{
    bool is_stdin = strcmp(path, "-") == 0;
    const char *name = is_stdin ? "standard input" : path;
    FILE *file = is_stdin ? stdin : fopen(path, "re");
    struct stat about;
    if (!file || fstat(fileno(file), &about) != 0) {
        enum bursar_status status = bursar_fail(err, BURSAR_EINVAL, "%s: can't be opened: %s", name, strerror(errno));
        if (file && !is_stdin)
            (void)fclose(file);
        return status;
    }
    /* A redirected standard input may be a regular file that was read from already: it is copied as well. */
    if (S_ISREG(about.st_mode) && !is_stdin) {
        *ret = file;
        return BURSAR_OK;
    }
    FILE *kept = S_ISDIR(about.st_mode) ? NULL : unnamed_file();
    enum bursar_status status =
        S_ISDIR(about.st_mode) ? bursar_fail(err, BURSAR_EINVAL, "%s: is a folder, not a payment file", name)
        : !kept ? bursar_fail(err, BURSAR_EINVAL, "%s: no temporary file for it: %s (TMPDIR names its folder)", name,
                              strerror(errno))
                : copy(file, kept, name, err);
    if (!is_stdin)
        (void)fclose(file);
    if (status == BURSAR_OK)
        *ret = kept;
    else if (kept)
        (void)fclose(kept);
    return status;
}

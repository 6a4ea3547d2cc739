/* See settings.h. */
#include "webhook/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CAUSES_MAX_COUNT 64

static bool cause_of(const char *word, size_t length, unsigned *ret)
{
    for (unsigned cause = 1; cause < CAUSES_MAX_COUNT; cause++) {
        const char *name = lifecycle_cause_name((enum lifecycle_cause)cause);
        if (name && strlen(name) == length && strncmp(name, word, length) == 0) {
            *ret = cause;
            return true;
        }
    }
    return false;
}

enum bursar_status webhook_causes(const char *words, uint64_t *ret, struct bursar_error *err)
{
    uint64_t causes = 0;
    unsigned cause = 0;
    for (const char *at = words + strspn(words, " "); *at;) {
        const size_t length = strcspn(at, " ");
        if (!cause_of(at, length, &cause))
            return bursar_fail(err, BURSAR_EINVAL, "there is no event '%.*s'", length > 60 ? 60 : (int)length, at);
        causes |= UINT64_C(1) << cause;
        at += length;
        at += strspn(at, " ");
    }
    *ret = causes ? causes : UINT64_MAX;
    return BURSAR_OK;
}

enum bursar_status webhook_read_secret(const struct webhook_settings *settings, uint8_t ret[WEBHOOK_SECRET_MAX_BYTES],
                                       size_t *ret_bytes, struct bursar_error *err)
{
    uint8_t bytes[WEBHOOK_SECRET_MAX_BYTES + 2];
    size_t used = 0;
    ssize_t got = 0;
    int fd = open(settings->secret_file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return bursar_fail(err, errno == ENOENT ? BURSAR_ENOTFOUND : BURSAR_EINVAL,
                           "[webhook %s] secret_file: can't read %.300s: %s", settings->name, settings->secret_file,
                           strerror(errno));
    while (used < sizeof bytes && (got = read(fd, bytes + used, sizeof bytes - used)) > 0)
        used += (size_t)got;
    int failed = got < 0 ? errno : 0;
    (void)close(fd);
    if (used > 0 && bytes[used - 1] == '\n')
        used--;
    enum bursar_status status = BURSAR_OK;
    if (failed != 0)
        status = bursar_fail(err, BURSAR_EINVAL, "[webhook %s] secret_file: can't read %.300s: %s", settings->name,
                             settings->secret_file, strerror(failed));
    else if (used < WEBHOOK_SECRET_MIN_BYTES || used > WEBHOOK_SECRET_MAX_BYTES)
        status = bursar_fail(err, BURSAR_EINVAL, "[webhook %s] secret_file: a secret has %d to %d bytes",
                             settings->name, WEBHOOK_SECRET_MIN_BYTES, WEBHOOK_SECRET_MAX_BYTES);
    if (status == BURSAR_OK) {
        memcpy(ret, bytes, used);
        *ret_bytes = used;
    }
    explicit_bzero(bytes, sizeof bytes);
    return status;
}

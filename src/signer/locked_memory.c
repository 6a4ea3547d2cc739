/* Pages for secrets. They are mapped, not malloc'd, so that locking and advice never touch a neighbour's data. */
#include "signer/locked_memory.h"

#include <openssl/crypto.h>

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static size_t whole_pages(size_t bytes)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    return (bytes + page - 1) / page * page;
}

enum bursar_status locked_memory_new(size_t bytes, void **ret, struct bursar_error *err)
{
    size_t mapped_bytes = whole_pages(bytes);
    void *memory = mmap(NULL, mapped_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return bursar_fail(err, BURSAR_ENOMEM, "no memory for a secret: %s", strerror(errno));
    if (mlock(memory, mapped_bytes) != 0) {
        int error = errno;
        (void)munmap(memory, mapped_bytes);
        return bursar_fail(err, BURSAR_ELIMIT,
                           "cannot lock %zu bytes in memory to keep a secret out of swap: %s; raise the limit (ulimit "
                           "-l, LimitMEMLOCK=)",
                           mapped_bytes, strerror(error));
    }
    if (madvise(memory, mapped_bytes, MADV_DONTDUMP) != 0) {
        int error = errno;
        locked_memory_free(memory, bytes);
        return bursar_fail(err, BURSAR_EINTERNAL, "cannot keep a secret out of core dumps: %s", strerror(error));
    }
    /* A child sees zeros. Not every kernel offers it and nothing here forks, so its absence is no reason to refuse. */
    (void)madvise(memory, mapped_bytes, MADV_WIPEONFORK);
    *ret = memory;
    return BURSAR_OK;
}

void locked_memory_free(void *memory, size_t bytes)
{
    if (!memory)
        return;
    size_t mapped_bytes = whole_pages(bytes);
    OPENSSL_cleanse(memory, mapped_bytes);
    (void)munlock(memory, mapped_bytes);
    (void)munmap(memory, mapped_bytes);
}

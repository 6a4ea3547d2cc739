/* The signing log as a file, and which damage is a crash's and which is not.
 *
 * A batch is written behind the end, then synced, then its signatures leave, then the mark is moved (lazily: the mark
 * may be behind, never ahead). So records below the mark, and records below the batch_first of any valid record, are
 * known to have been on disk before: if one of them is missing or invalid, a signature may have been lost, and the log
 * is refused. Only what lies behind can be the rest of a batch whose sync never returned (also zeros, or pages out of
 * order, after a power loss): its signatures never left, so it may be cut off.
 *
 * What is valid of such a rest is kept, and written and synced once more before it counts: after a failed sync, what
 * reads well may be in memory only (INV-2). */
#include "signer/signing_log_file.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "eth/address.h"
#include "signer/signing_log_io.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK_BYTES ((size_t)512 * RECORD_BYTES)

static void free_bytes(uint8_t **bytes)
{
    free(*bytes);
}

static uint64_t offset_of(uint32_t index)
{
    return (uint64_t)index * RECORD_BYTES;
}

static enum bursar_status storage_error(const char *path, const char *what, int error, struct bursar_error *err)
{
    return bursar_fail(err, BURSAR_ESTORAGE, "signing log %s: %s: %s", path, what, strerror(error));
}

static enum bursar_status damaged(const char *path, uint32_t index, const char *what, struct bursar_error *err)
{
    return bursar_fail(err, BURSAR_EREFUSED,
                       "signing log %s is damaged: record %" PRIu32 " at offset %" PRIu64
                       " %s; what was signed there is unknown: restore the file, do not delete it",
                       path, index, offset_of(index), what);
}

/* --- creating --- */

static bool write_new(int fd, const struct log_identity *identity)
{
    uint8_t records[FIRST_ENTRY * RECORD_BYTES];
    log_header_encode(identity, records);
    log_mark_encode(identity, FIRST_ENTRY, records + RECORD_BYTES);
    return write_all(fd, records, sizeof records, 0) && fsync(fd) == 0;
}

/* The file gets its name only when it is whole: a crash leaves at most a stray temporary file. */
enum bursar_status log_file_create(const char *path, const struct log_identity *identity, struct bursar_error *err)
{
    char temporary[SIGNING_LOG_PATH_MAX_BYTES + 8];
    int length = snprintf(temporary, sizeof temporary, "%s.XXXXXX", path);
    if (length < 0 || (size_t)length >= sizeof temporary)
        return bursar_fail(err, BURSAR_ELIMIT, "signing log: the path is too long");
    int fd = mkostemp(temporary, O_CLOEXEC); /* 0600 */
    if (fd < 0)
        return storage_error(path, "cannot be created", errno, err);
    bool written = write_new(fd, identity);
    int error = errno;
    if (close(fd) != 0 && written) {
        written = false;
        error = errno;
    }
    bool named = written && link(temporary, path) == 0;
    if (written && !named)
        error = errno;
    (void)unlink(temporary);
    if (!written)
        return storage_error(path, "cannot be written", error, err);
    if (!named && error == EEXIST)
        return bursar_fail(err, BURSAR_EEXIST, "signing log %s exists already", path);
    if (!named)
        return storage_error(path, "cannot be created", error, err);
    if (!sync_directory_of(path))
        return storage_error(path, "cannot be made durable in its directory", errno, err);
    return BURSAR_OK;
}

/* --- opening --- */

static enum bursar_status take_lock(const struct log_file *file, struct bursar_error *err)
{
    struct stat opened, named;
    if (flock(file->fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK)
            return bursar_fail(err, BURSAR_EBUSY, "signing log %s is held by another process", file->path);
        return storage_error(file->path, "cannot be locked", errno, err);
    }
    /* A lock on a file that was meanwhile replaced would keep nobody out. */
    if (fstat(file->fd, &opened) != 0 || stat(file->path, &named) != 0)
        return storage_error(file->path, "cannot be examined", errno, err);
    if (opened.st_dev != named.st_dev || opened.st_ino != named.st_ino)
        return bursar_fail(err, BURSAR_EBUSY, "signing log %s was replaced while it was being opened", file->path);
    return BURSAR_OK;
}

static enum bursar_status check_identity(const struct log_file *file, const struct log_identity *found,
                                         struct bursar_error *err)
{
    if (found->chain_id != file->identity.chain_id)
        return bursar_fail(err, BURSAR_EREFUSED, "signing log %s is for chain id %" PRIu64 ", not %" PRIu64, file->path,
                           found->chain_id, file->identity.chain_id);
    if (!address_equal(&found->account, &file->identity.account)) {
        char theirs[ADDRESS_TEXT_BYTES], ours[ADDRESS_TEXT_BYTES];
        address_to_text(&found->account, theirs);
        address_to_text(&file->identity.account, ours);
        return bursar_fail(err, BURSAR_EREFUSED, "signing log %s is for account %s, not %s", file->path, theirs, ours);
    }
    return BURSAR_OK;
}

/* A mark that cannot be read (it was just being rewritten) proves nothing: FIRST_ENTRY. */
static enum bursar_status read_header(const struct log_file *file, uint32_t *ret_mark, struct bursar_error *err)
{
    uint8_t records[FIRST_ENTRY * RECORD_BYTES];
    size_t got = 0;
    struct log_identity found;
    struct bursar_error why = { 0 };
    if (!read_up_to(file->fd, records, sizeof records, 0, &got))
        return storage_error(file->path, "cannot be read", errno, err);
    if (got < sizeof records)
        return damaged(file->path, (uint32_t)(got / RECORD_BYTES), "is cut off", err);
    if (log_header_decode(records, &found, &why) != BURSAR_OK)
        return bursar_fail(err, why.status, "signing log %s %s", file->path, why.message);
    enum bursar_status status = check_identity(file, &found, err);
    if (status != BURSAR_OK)
        return status;
    if (!log_mark_decode(&file->identity, records + RECORD_BYTES, ret_mark))
        *ret_mark = FIRST_ENTRY;
    return BURSAR_OK;
}

/* What a pass over the records found. */
struct scan {
    uint32_t synced_end; /* all below were once known to be on disk */
    uint32_t valid_end;  /* the first record that is missing or invalid */
    uint32_t next;       /* the next one to look at */
    bool broken;         /* valid_end is final */
    bool rest;           /* bytes behind valid_end */
};

static enum bursar_status scan_record(const struct log_file *file, struct log_visitor visitor, const uint8_t *bytes,
                                      struct scan *scan, struct bursar_error *err)
{
    struct log_record record;
    uint32_t index = scan->next++;
    bool valid = log_record_decode(&file->identity, index, bytes, &record);
    if (valid && record.batch_first > scan->synced_end)
        scan->synced_end = record.batch_first;
    if (!valid || scan->broken) {
        scan->broken = scan->rest = true;
    } else {
        enum bursar_status status = visitor.visit(visitor.ctx, &record, err);
        if (status != BURSAR_OK)
            return status;
        scan->valid_end = index + 1;
    }
    if (scan->broken && scan->valid_end < scan->synced_end)
        return damaged(file->path, scan->valid_end, "does not match its checksum", err);
    /* A batch is never longer than this, so neither is what a crash leaves of one. */
    if (scan->broken && index - scan->synced_end >= SIGN_BATCH_MAX_ITEMS)
        return damaged(file->path, scan->valid_end, "and everything behind it is invalid, more than a crash can leave",
                       err);
    return BURSAR_OK;
}

static enum bursar_status scan_records(const struct log_file *file, struct log_visitor visitor, struct scan *scan,
                                       struct bursar_error *err)
{
    cleanup(free_bytes) uint8_t *chunk = malloc(CHUNK_BYTES);
    struct stat opened;
    size_t got = CHUNK_BYTES;
    if (!chunk)
        return bursar_fail(err, BURSAR_ENOMEM, "no memory to read signing log %s", file->path);
    if (fstat(file->fd, &opened) != 0)
        return storage_error(file->path, "cannot be examined", errno, err);
    while (got == CHUNK_BYTES) {
        /* Read-only, what a running writer appends from now on is not looked at. */
        uint64_t at_offset = offset_of(scan->next), size_bytes = (uint64_t)opened.st_size;
        size_t want = size_bytes - at_offset < CHUNK_BYTES ? (size_t)(size_bytes - at_offset) : CHUNK_BYTES;
        if (at_offset >= size_bytes)
            break;
        if (!read_up_to(file->fd, chunk, want, at_offset, &got))
            return storage_error(file->path, "cannot be read", errno, err);
        for (size_t at = 0; at + RECORD_BYTES <= got; at += RECORD_BYTES) {
            if (scan->next == UINT32_MAX)
                return bursar_fail(err, BURSAR_ELIMIT, "signing log %s has too many records", file->path);
            enum bursar_status status = scan_record(file, visitor, chunk + at, scan, err);
            if (status != BURSAR_OK)
                return status;
        }
    }
    scan->rest |= (uint64_t)opened.st_size > offset_of(scan->next);
    if (scan->valid_end < scan->synced_end)
        return damaged(file->path, scan->valid_end, "is missing or cut off although it was once on disk", err);
    return BURSAR_OK;
}

static enum bursar_status write_mark(const struct log_file *file, struct bursar_error *err)
{
    uint8_t mark[RECORD_BYTES];
    log_mark_encode(&file->identity, file->end, mark);
    if (!write_all(file->fd, mark, sizeof mark, offset_of(FIRST_ENTRY - 1)))
        return storage_error(file->path, "cannot be written", errno, err);
    return BURSAR_OK;
}

/* Cuts off what is invalid, and makes the valid records of the last batch durable. */
static enum bursar_status repair(const struct log_file *file, const struct scan *scan, struct bursar_error *err)
{
    size_t bytes = (size_t)(file->end - scan->synced_end) * RECORD_BYTES, got = 0;
    cleanup(free_bytes) uint8_t *batch = malloc(bytes + 1);
    if (!batch)
        return bursar_fail(err, BURSAR_ENOMEM, "no memory to repair signing log %s", file->path);
    if (!read_up_to(file->fd, batch, bytes, offset_of(scan->synced_end), &got) || got != bytes)
        return storage_error(file->path, "cannot be read", got == bytes ? errno : EIO, err);
    if (ftruncate(file->fd, (off_t)offset_of(file->end)) != 0)
        return storage_error(file->path, "cannot be cut to its last whole record", errno, err);
    if (!write_all(file->fd, batch, bytes, offset_of(scan->synced_end)))
        return storage_error(file->path, "cannot be written", errno, err);
    if (fsync(file->fd) != 0)
        return storage_error(file->path, "cannot be made durable", errno, err);
    return write_mark(file, err);
}

static enum bursar_status load(struct log_file *file, struct log_visitor visitor, struct bursar_error *err)
{
    uint32_t mark = FIRST_ENTRY;
    enum bursar_status status = file->writable ? take_lock(file, err) : BURSAR_OK;
    if (status == BURSAR_OK)
        status = read_header(file, &mark, err);
    if (status != BURSAR_OK)
        return status;
    struct scan scan = { .synced_end = mark, .valid_end = FIRST_ENTRY, .next = FIRST_ENTRY };
    status = scan_records(file, visitor, &scan, err);
    if (status != BURSAR_OK)
        return status;
    file->end = scan.valid_end;
    if (file->writable && (scan.rest || mark < file->end))
        return repair(file, &scan, err);
    return BURSAR_OK;
}

enum bursar_status log_file_open(const char *path, const struct log_identity *identity, bool writable,
                                 struct log_visitor visitor, struct log_file *ret, struct bursar_error *err)
{
    struct log_file file = { .writable = writable, .identity = *identity, .path = strdup(path) };
    if (!file.path)
        return bursar_fail(err, BURSAR_ENOMEM, "no memory to open signing log %s", path);
    file.fd = open(path, (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (file.fd < 0) {
        int error = errno;
        free(file.path);
        if (error == ENOENT)
            return bursar_fail(err, BURSAR_ENOTFOUND, "there is no signing log %s", path);
        return storage_error(path, "cannot be opened", error, err);
    }
    enum bursar_status status = load(&file, visitor, err);
    if (status != BURSAR_OK) {
        log_file_close(&file);
        return status;
    }
    *ret = file;
    return BURSAR_OK;
}

void log_file_close(struct log_file *file)
{
    (void)close(file->fd); /* and with it the lock; everything that counts was synced */
    free(file->path);
    file->path = NULL;
}

/* --- using --- */

enum bursar_status log_file_read(const struct log_file *file, uint32_t index, struct log_record *ret,
                                 struct bursar_error *err)
{
    uint8_t bytes[RECORD_BYTES];
    size_t got = 0;
    if (!read_up_to(file->fd, bytes, sizeof bytes, offset_of(index), &got))
        return storage_error(file->path, "cannot be read", errno, err);
    if (got != sizeof bytes || !log_record_decode(&file->identity, index, bytes, ret))
        return damaged(file->path, index, "was valid when the log was opened and is not any more", err);
    return BURSAR_OK;
}

enum bursar_status log_file_append(struct log_file *file, const uint8_t *records, uint32_t count,
                                   struct bursar_error *err)
{
    if (!write_all(file->fd, records, (size_t)count * RECORD_BYTES, offset_of(file->end)))
        return storage_error(file->path, "cannot be written", errno, err);
    if (fdatasync(file->fd) != 0) /* INV-2 */
        return storage_error(file->path, "cannot be made durable", errno, err);
    file->end += count;
    /* The records are safe without it; the next sync carries it along, and a disk that fails shows then. */
    (void)write_mark(file, NULL);
    return BURSAR_OK;
}

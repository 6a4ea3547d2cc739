/* Between SQLite and the file system: after an fsync that failed, nothing goes on as if what can be read were on disk.
 *
 * Linux marks pages clean that it could not write. They can be read as before, a later fsync succeeds without writing
 * them, and a power loss takes them. SQLite (3.40) trusts the page cache in three places, each of them closed here:
 *
 * 1. Whoever finds no index of the WAL makes one from what can be read, and with it believes transactions whose sync
 *    failed, or was never tried. Here the log is written again, the same bytes, and synced, before it is read for that:
 * in the one moment when SQLite holds the locks that keep everybody else away from it. The last one to close may make
 * the index without any such lock, since it is alone: then before anything of the log is copied into the file.
 * 2. A handle whose sync failed tries again. Here it is done for: it reads, and neither writes nor moves the log into
 * the file any more. To open the store again is a fresh start, which goes through 1.
 * 3. A checkpoint that readers or writers keep from the log's end is counted as done without a sync of the file; when
 * the sync of a later one fails, a third copies only what came after. Here one that can't reach the end does nothing.
 * So what counts as copied was synced, and what was not is copied, and with that written, again.
 *
 * The locks' numbers are those of SQLite's documented WAL-index format. */
#include "store/sqlite_guard.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define LOCK_WRITE 0
#define LOCK_CHECKPOINT 1
#define LOCK_RECOVER 2
#define LOCK_FIRST_READER 4 /* 3 is held by readers of the file alone; SQLite itself gives up a checkpoint for them */

#define WAL_HEADER_BYTES 32
#define FRAME_HEADER_BYTES 24
#define SALT_BYTES 8
#define WAL_SALT_OFFSET 16
#define FRAME_SALT_OFFSET 8
#define PAGE_SIZE_OFFSET 8
#define PAGE_MAX_BYTES 65536

/* Follows the real VFS's own in the memory of every open file. */
struct guard {
    sqlite3_io_methods methods; /* the real ones, some of them ours */
    const sqlite3_io_methods *real;
    sqlite3_file *database; /* of a WAL: whose; else NULL */
    /* Of a database: */
    sqlite3_file *wal;     /* NULL: not open */
    bool is_trusted;       /* the index of the WAL was made from what is durable */
    bool is_broken;        /* a sync of it or of its WAL failed */
    bool checkpoints;      /* between taking and giving back the checkpoint lock */
    bool borrows_write;    /* the write lock is ours, not SQLite's */
    unsigned readers_left; /* bits: locks of readers that could not be had in this checkpoint */
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static sqlite3_vfs guard_vfs;
static sqlite3_vfs *real_vfs;

/* Such that what follows is aligned. */
static int head_bytes(void)
{
    return (real_vfs->szOsFile + 15) & ~15;
}

static struct guard *guard_of(sqlite3_file *file)
{
    return (struct guard *)((char *)file + head_bytes());
}

/* --- 1: what can be read of the log is made durable before it is believed --- */

static uint32_t big_endian(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* 0: this is no log that could be recovered from. */
static int page_bytes(const uint8_t *header)
{
    uint32_t bytes = big_endian(header + PAGE_SIZE_OFFSET);
    return bytes >= 512 && bytes <= PAGE_MAX_BYTES && (bytes & (bytes - 1)) == 0 ? (int)bytes : 0;
}

static int write_again(sqlite3_file *wal, const sqlite3_io_methods *real, void *bytes, int count, sqlite3_int64 offset)
{
    int code = real->xRead(wal, bytes, count, offset);
    return code == SQLITE_OK ? real->xWrite(wal, bytes, count, offset) : code;
}

/* The frames that belong to the header's salt; SQLite reads on as far at most. */
static int write_frames_again(sqlite3_file *wal, const sqlite3_io_methods *real, const uint8_t *header,
                              sqlite3_int64 size)
{
    int frame_bytes = FRAME_HEADER_BYTES + page_bytes(header);
    uint8_t *frame = page_bytes(header) ? sqlite3_malloc(frame_bytes) : NULL;
    if (!frame)
        return page_bytes(header) ? SQLITE_NOMEM : SQLITE_OK;
    int code = SQLITE_OK;
    for (sqlite3_int64 at = WAL_HEADER_BYTES; code == SQLITE_OK && at + frame_bytes <= size; at += frame_bytes) {
        code = real->xRead(wal, frame, frame_bytes, at);
        if (code != SQLITE_OK || memcmp(frame + FRAME_SALT_OFFSET, header + WAL_SALT_OFFSET, SALT_BYTES) != 0)
            break;
        code = real->xWrite(wal, frame, frame_bytes, at);
    }
    sqlite3_free(frame);
    return code;
}

static int write_log_again(sqlite3_file *wal, const sqlite3_io_methods *real)
{
    uint8_t header[WAL_HEADER_BYTES];
    sqlite3_int64 size = 0;
    int code = real->xFileSize(wal, &size);
    if (code != SQLITE_OK || size <= WAL_HEADER_BYTES)
        return code;
    code = write_again(wal, real, header, sizeof header, 0);
    if (code == SQLITE_OK)
        code = write_frames_again(wal, real, header, size);
    return code == SQLITE_OK ? real->xSync(wal, SQLITE_SYNC_NORMAL) : code;
}

static int make_durable(sqlite3_file *wal)
{
    struct guard *database = guard_of(guard_of(wal)->database);
    int code = write_log_again(wal, guard_of(wal)->real);
    database->is_trusted = code == SQLITE_OK;
    database->is_broken = database->is_broken || code != SQLITE_OK;
    return code;
}

/* --- 2: a sync fails once --- */

static int file_sync(sqlite3_file *file, int flags)
{
    struct guard *guard = guard_of(file);
    struct guard *database = guard->database ? guard_of(guard->database) : guard;
    if (database->is_broken)
        return SQLITE_IOERR_FSYNC;
    if (guard->database && database->checkpoints && database->readers_left)
        return SQLITE_BUSY; /* 3: a checkpoint begins with this sync, and ends here */
    if (guard->database && !database->is_trusted)
        return make_durable(file);
    int code = guard->real->xSync(file, flags);
    if (code != SQLITE_OK)
        database->is_broken = true;
    return code;
}

/* --- 3: a checkpoint to the end, or none --- */

static int lock(sqlite3_file *file, int first, int count, int flags)
{
    return guard_of(file)->real->xShmLock(file, first, count, flags);
}

static int lock_alone(sqlite3_file *file, int first, int count)
{
    return lock(file, first, count, SQLITE_SHM_LOCK | SQLITE_SHM_EXCLUSIVE);
}

static void unlock_alone(sqlite3_file *file, int first, int count)
{
    (void)lock(file, first, count, SQLITE_SHM_UNLOCK | SQLITE_SHM_EXCLUSIVE);
}

/* Nobody may lengthen the log meanwhile. */
static int begin_checkpoint(sqlite3_file *file)
{
    struct guard *guard = guard_of(file);
    int code = lock_alone(file, LOCK_CHECKPOINT, 1);
    if (code != SQLITE_OK)
        return code;
    code = lock_alone(file, LOCK_WRITE, 1);
    if (code != SQLITE_OK) {
        unlock_alone(file, LOCK_CHECKPOINT, 1);
        return code;
    }
    guard->checkpoints = guard->borrows_write = true;
    guard->readers_left = 0;
    return SQLITE_OK;
}

static int end_checkpoint(sqlite3_file *file)
{
    struct guard *guard = guard_of(file);
    if (guard->borrows_write)
        unlock_alone(file, LOCK_WRITE, 1);
    guard->checkpoints = guard->borrows_write = false;
    return lock(file, LOCK_CHECKPOINT, 1, SQLITE_SHM_UNLOCK | SQLITE_SHM_EXCLUSIVE);
}

static int take_alone(sqlite3_file *file, int first, int count)
{
    struct guard *guard = guard_of(file);
    if (first <= LOCK_RECOVER && guard->is_broken) /* to write, to move the log, to read it anew */
        return SQLITE_IOERR_FSYNC;
    if (first == LOCK_CHECKPOINT && count == 1)
        return begin_checkpoint(file);
    if (first == LOCK_WRITE && guard->borrows_write)
        return SQLITE_OK;
    int code = lock_alone(file, first, count);
    if (first >= LOCK_FIRST_READER && guard->checkpoints && count == 1) {
        unsigned bit = 1U << first;
        guard->readers_left = code == SQLITE_OK ? guard->readers_left & ~bit : guard->readers_left | bit;
    }
    if (code == SQLITE_OK && first <= LOCK_RECOVER && first + count > LOCK_RECOVER && guard->wal) {
        code = make_durable(guard->wal);
        if (code != SQLITE_OK)
            unlock_alone(file, first, count);
    }
    return code;
}

static int file_shm_lock(sqlite3_file *file, int first, int count, int flags)
{
    struct guard *guard = guard_of(file);
    if (flags == (SQLITE_SHM_LOCK | SQLITE_SHM_EXCLUSIVE))
        return take_alone(file, first, count);
    if (flags == (SQLITE_SHM_UNLOCK | SQLITE_SHM_EXCLUSIVE)) {
        if (first == LOCK_CHECKPOINT && count == 1 && guard->checkpoints)
            return end_checkpoint(file);
        if (first == LOCK_WRITE && guard->borrows_write)
            return SQLITE_OK; /* until the checkpoint ends */
    }
    int code = lock(file, first, count, flags);
    if (code == SQLITE_OK && flags == (SQLITE_SHM_LOCK | SQLITE_SHM_SHARED))
        guard->is_trusted = true; /* a reader has found an index, that somebody made as above */
    return code;
}

static int file_lock(sqlite3_file *file, int level)
{
    struct guard *guard = guard_of(file);
    if (level == SQLITE_LOCK_EXCLUSIVE)
        guard->is_trusted = false; /* nobody else is there, and SQLite asks for no other lock any more */
    return guard->real->xLock(file, level);
}

/* --- files --- */

static int file_close(sqlite3_file *file)
{
    struct guard *guard = guard_of(file);
    if (guard->database)
        guard_of(guard->database)->wal = NULL;
    return guard->real->xClose(file);
}

static int vfs_open(sqlite3_vfs *vfs, sqlite3_filename path, sqlite3_file *file, int flags, int *ret_flags)
{
    (void)vfs;
    struct guard *guard = guard_of(file);
    int code = real_vfs->xOpen(real_vfs, path, file, flags, ret_flags);
    if (code != SQLITE_OK || !file->pMethods)
        return code;
    *guard = (struct guard){ .methods = *file->pMethods, .real = file->pMethods };
    guard->methods.xClose = file_close;
    if (flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL))
        guard->methods.xSync = file_sync;
    if (flags & SQLITE_OPEN_MAIN_DB) {
        guard->methods.xLock = file_lock;
        guard->methods.xShmLock = file_shm_lock;
    }
    if (flags & SQLITE_OPEN_WAL) {
        guard->database = sqlite3_database_file_object(path);
        guard_of(guard->database)->wal = file;
    }
    file->pMethods = &guard->methods;
    return SQLITE_OK;
}

static void set_up(void)
{
    real_vfs = sqlite3_vfs_find(NULL);
    if (!real_vfs)
        return;
    guard_vfs = *real_vfs;
    guard_vfs.zName = "bursar";
    guard_vfs.pNext = NULL;
    guard_vfs.szOsFile = head_bytes() + (int)sizeof(struct guard);
    guard_vfs.xOpen = vfs_open;
    if (sqlite3_vfs_register(&guard_vfs, 0) != SQLITE_OK)
        real_vfs = NULL;
}

const char *sqlite_guard_name(void)
{
    return pthread_once(&once, set_up) == 0 && real_vfs ? guard_vfs.zName : NULL;
}

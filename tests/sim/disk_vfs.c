/* SQLite on the simulated disk: a VFS in front of SQLite's own "unix" one, which does the real reading, writing,
 * locking and sharing of memory. It never really syncs. Files without a name (SQLite's temporary ones) and files
 * elsewhere just pass through. */
#include "disk_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIXED_TIME_MS INT64_C(212622796800000) /* a Julian day, in milliseconds: SQLite's clock stands still */

/* What xOpen fills; the real VFS's own follows it in memory. */
struct vfs_file {
    sqlite3_file base;
    struct disk_file *file; /* NULL: passes through */
    sqlite3_filename real_name;
    bool syncs_directory; /* a journal or WAL that may be new: its first sync makes its name durable, too */
};

static sqlite3_vfs *unix_vfs;

/* The size of the head, such that what follows is aligned. */
#define HEAD_BYTES ((sizeof(struct vfs_file) + 15) & ~(size_t)15)

static struct vfs_file *file_of(sqlite3_file *file)
{
    return (struct vfs_file *)file;
}

static sqlite3_file *real_of(sqlite3_file *file)
{
    return (sqlite3_file *)((char *)file + HEAD_BYTES);
}

static bool is_dead(const sqlite3_file *file)
{
    return ((const struct vfs_file *)file)->file && disk_user_is_dead(the_disk);
}

/* --- files --- */

static int file_close(sqlite3_file *base)
{
    struct vfs_file *file = file_of(base);
    int code = real_of(base)->pMethods->xClose(real_of(base));
    if (file->file) {
        file->file->open--;
        the_disk->open_count--;
        file->file = disk_file_release(file->file);
    }
    if (file->real_name)
        sqlite3_free_filename(file->real_name);
    file->real_name = NULL;
    return code;
}

static int file_read(sqlite3_file *base, void *ret, int count, sqlite3_int64 offset)
{
    if (file_of(base)->file && disk_decide_read(the_disk) != 0)
        return SQLITE_IOERR_READ;
    return real_of(base)->pMethods->xRead(real_of(base), ret, count, offset);
}

static int file_write(sqlite3_file *base, const void *bytes, int count, sqlite3_int64 offset)
{
    struct disk_file *file = file_of(base)->file;
    if (!file)
        return real_of(base)->pMethods->xWrite(real_of(base), bytes, count, offset);
    struct disk_verdict verdict = disk_decide(the_disk, DISK_WRITE, file->name, (size_t)count);
    if (verdict.bytes > 0) {
        if (!disk_file_reserve(file, verdict.bytes) ||
            real_of(base)->pMethods->xWrite(real_of(base), bytes, (int)verdict.bytes, offset) != SQLITE_OK) {
            disk_host_failed(the_disk);
            return SQLITE_IOERR_WRITE;
        }
        disk_file_written(file, (uint64_t)offset, bytes, verdict.bytes);
    }
    if (verdict.error)
        return verdict.error == ENOSPC ? SQLITE_FULL : SQLITE_IOERR_WRITE;
    return SQLITE_OK;
}

static int file_truncate(sqlite3_file *base, sqlite3_int64 size)
{
    struct disk_file *file = file_of(base)->file;
    if (!file)
        return real_of(base)->pMethods->xTruncate(real_of(base), size);
    struct disk_verdict verdict = disk_decide(the_disk, DISK_TRUNCATE, file->name, 0);
    if (verdict.happens) {
        if (!disk_file_reserve(file, 0) || real_of(base)->pMethods->xTruncate(real_of(base), size) != SQLITE_OK) {
            disk_host_failed(the_disk);
            return SQLITE_IOERR_TRUNCATE;
        }
        disk_file_truncated(file, (uint64_t)size);
    }
    return verdict.error ? SQLITE_IOERR_TRUNCATE : SQLITE_OK;
}

static int file_sync(sqlite3_file *base, int flags)
{
    (void)flags; /* a normal and a full sync are the same on this disk */
    struct vfs_file *file = file_of(base);
    if (!file->file)
        return SQLITE_OK;
    if (disk_sync(the_disk, file->file, file->syncs_directory) != 0)
        return SQLITE_IOERR_FSYNC;
    file->syncs_directory = false;
    return SQLITE_OK;
}

static int file_size(sqlite3_file *base, sqlite3_int64 *ret)
{
    return real_of(base)->pMethods->xFileSize(real_of(base), ret);
}

/* Without a lock the dead can't tidy up either: the last to close a database would remove its WAL and shared memory. */
static int file_lock(sqlite3_file *base, int level)
{
    return is_dead(base) ? SQLITE_IOERR_LOCK : real_of(base)->pMethods->xLock(real_of(base), level);
}

static int file_unlock(sqlite3_file *base, int level)
{
    return real_of(base)->pMethods->xUnlock(real_of(base), level);
}

static int file_check_reserved_lock(sqlite3_file *base, int *ret)
{
    return real_of(base)->pMethods->xCheckReservedLock(real_of(base), ret);
}

static int file_control(sqlite3_file *base, int operation, void *argument)
{
    if (operation == SQLITE_FCNTL_SIZE_HINT)
        return SQLITE_OK; /* would change the file behind our back */
    return real_of(base)->pMethods->xFileControl(real_of(base), operation, argument);
}

static int file_sector_size(sqlite3_file *base)
{
    return real_of(base)->pMethods->xSectorSize(real_of(base));
}

static int file_characteristics(sqlite3_file *base)
{
    return real_of(base)->pMethods->xDeviceCharacteristics(real_of(base));
}

static int file_shm_map(sqlite3_file *base, int region, int bytes, int extends, void volatile **ret)
{
    if (is_dead(base))
        return SQLITE_IOERR_SHMMAP;
    return real_of(base)->pMethods->xShmMap(real_of(base), region, bytes, extends, ret);
}

static int file_shm_lock(sqlite3_file *base, int offset, int count, int flags)
{
    if ((flags & SQLITE_SHM_LOCK) && is_dead(base))
        return SQLITE_IOERR_SHMLOCK;
    return real_of(base)->pMethods->xShmLock(real_of(base), offset, count, flags);
}

static void file_shm_barrier(sqlite3_file *base)
{
    real_of(base)->pMethods->xShmBarrier(real_of(base));
}

static int file_shm_unmap(sqlite3_file *base, int removes)
{
    return real_of(base)->pMethods->xShmUnmap(real_of(base), removes);
}

/* Version 2: without xFetch nothing of a file is read around us by mmap. */
static const sqlite3_io_methods FILE_METHODS = {
    .iVersion = 2,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_unlock,
    .xCheckReservedLock = file_check_reserved_lock,
    .xFileControl = file_control,
    .xSectorSize = file_sector_size,
    .xDeviceCharacteristics = file_characteristics,
    .xShmMap = file_shm_map,
    .xShmLock = file_shm_lock,
    .xShmBarrier = file_shm_barrier,
    .xShmUnmap = file_shm_unmap,
};

/* --- names --- */

static const char *ours(const char *path)
{
    return path ? disk_name_in(path) : NULL;
}

static int fail(int error, int code)
{
    the_disk->last_error = error;
    return code;
}

static int open_ours(const char *name, struct vfs_file *file, int flags, int *ret_flags)
{
    char path[DISK_PATH_MAX_BYTES];
    struct disk_verdict verdict = { .happens = true };
    if (!disk_real_path(the_disk, name, path))
        return fail(errno, SQLITE_CANTOPEN);
    bool exists = disk_exists(the_disk, name), is_new = false;
    if (!exists && (flags & SQLITE_OPEN_CREATE))
        verdict = disk_decide(the_disk, DISK_CREATE, name, 0);
    else if (!exists || disk_user_is_dead(the_disk))
        return fail(exists ? EIO : ENOENT, SQLITE_CANTOPEN);
    if (!verdict.happens)
        return SQLITE_CANTOPEN;
    /* SQLite looks for parameters behind the name, which this makes room for; the real VFS keeps the pointer. */
    file->real_name = sqlite3_create_filename(path, "", "", 0, NULL);
    if (!file->real_name)
        return SQLITE_NOMEM;
    sqlite3_file *real = real_of(&file->base);
    int code = unix_vfs->xOpen(unix_vfs, file->real_name, real, flags, ret_flags);
    struct disk_file *opened = code == SQLITE_OK ? disk_file_named(the_disk, name, &is_new) : NULL;
    if (!opened || verdict.error) {
        if (real->pMethods)
            (void)real->pMethods->xClose(real);
        sqlite3_free_filename(file->real_name);
        if (!verdict.error)
            disk_host_failed(the_disk);
        return SQLITE_CANTOPEN;
    }
    disk_file_hold(opened);
    opened->open++;
    the_disk->open_count++;
    file->file = opened;
    file->syncs_directory = (flags & SQLITE_OPEN_CREATE) &&
                            (flags & (SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL | SQLITE_OPEN_WAL));
    return SQLITE_OK;
}

static int vfs_open(sqlite3_vfs *vfs, sqlite3_filename path, sqlite3_file *base, int flags, int *ret_flags)
{
    (void)vfs;
    struct vfs_file *file = file_of(base);
    *file = (struct vfs_file){ 0 };
    real_of(base)->pMethods = NULL;
    const char *name = ours(path);
    int code = name ? open_ours(name, file, flags, ret_flags)
                    : unix_vfs->xOpen(unix_vfs, path, real_of(base), flags, ret_flags);
    if (code == SQLITE_OK)
        base->pMethods = &FILE_METHODS;
    return code;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *path, int syncs_directory)
{
    (void)vfs;
    const char *name = ours(path);
    char real[DISK_PATH_MAX_BYTES];
    if (!name)
        return unix_vfs->xDelete(unix_vfs, path, syncs_directory);
    if (!disk_real_path(the_disk, name, real))
        return fail(errno, SQLITE_IOERR_DELETE);
    struct disk_verdict verdict = disk_decide(the_disk, DISK_UNLINK, name, 0);
    if (verdict.happens) {
        int code = unix_vfs->xDelete(unix_vfs, real, 0);
        if (code != SQLITE_OK)
            return fail(errno, code);
        if (disk_exists(the_disk, name) && !disk_names_set(the_disk, name, NULL))
            disk_host_failed(the_disk);
    }
    if (!verdict.error && syncs_directory && disk_sync(the_disk, NULL, true) != 0)
        return SQLITE_IOERR_DIR_FSYNC;
    return verdict.error ? SQLITE_IOERR_DELETE : SQLITE_OK;
}

static int vfs_access(sqlite3_vfs *vfs, const char *path, int flags, int *ret)
{
    (void)vfs;
    const char *name = ours(path);
    char real[DISK_PATH_MAX_BYTES];
    if (name && !disk_real_path(the_disk, name, real))
        return SQLITE_IOERR_ACCESS;
    return unix_vfs->xAccess(unix_vfs, name ? real : path, flags, ret);
}

static int vfs_full_pathname(sqlite3_vfs *vfs, const char *path, int ret_bytes, char *ret)
{
    (void)vfs;
    if (!ours(path))
        return unix_vfs->xFullPathname(unix_vfs, path, ret_bytes, ret);
    sqlite3_snprintf(ret_bytes, ret, "%s", path);
    return SQLITE_OK;
}

/* --- chance, time and sleep --- */

static int vfs_randomness(sqlite3_vfs *vfs, int count, char *ret)
{
    (void)vfs;
    random_fill(&the_disk->for_sqlite, ret, (size_t)count);
    return count;
}

static int vfs_sleep(sqlite3_vfs *vfs, int microseconds)
{
    (void)vfs;
    struct disk_user *user = the_disk->user;
    if (the_disk->sleep)
        the_disk->sleep(the_disk->sleep_ctx, (uint64_t)microseconds);
    the_disk->user = user;
    return microseconds;
}

static int vfs_time_int64(sqlite3_vfs *vfs, sqlite3_int64 *ret)
{
    (void)vfs;
    *ret = FIXED_TIME_MS;
    return SQLITE_OK;
}

static int vfs_time(sqlite3_vfs *vfs, double *ret)
{
    (void)vfs;
    *ret = (double)FIXED_TIME_MS / 86400000.0;
    return SQLITE_OK;
}

static int vfs_last_error(sqlite3_vfs *vfs, int count, char *ret)
{
    (void)vfs;
    (void)count;
    (void)ret;
    return the_disk->last_error;
}

static sqlite3_vfs disk_vfs = {
    .iVersion = 2,
    .zName = "simulated-disk",
    .xOpen = vfs_open,
    .xDelete = vfs_delete,
    .xAccess = vfs_access,
    .xFullPathname = vfs_full_pathname,
    .xRandomness = vfs_randomness,
    .xSleep = vfs_sleep,
    .xCurrentTime = vfs_time,
    .xCurrentTimeInt64 = vfs_time_int64,
    .xGetLastError = vfs_last_error,
};

bool disk_vfs_register(void)
{
    if (sqlite3_initialize() != SQLITE_OK || !(unix_vfs = sqlite3_vfs_find("unix")))
        return false;
    disk_vfs.szOsFile = (int)HEAD_BYTES + unix_vfs->szOsFile;
    disk_vfs.mxPathname = unix_vfs->mxPathname;
    if (sqlite3_vfs_register(&disk_vfs, 1) != SQLITE_OK)
        return false;
    sqlite3_randomness(0, NULL); /* the next draw of SQLite's begins with xRandomness again */
    return true;
}

void disk_vfs_unregister(void)
{
    (void)sqlite3_vfs_unregister(&disk_vfs);
    (void)sqlite3_vfs_register(unix_vfs, 1);
    sqlite3_randomness(0, NULL);
}

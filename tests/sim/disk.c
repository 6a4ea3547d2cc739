/* The simulated disk itself: its life, and the gate at which an operation goes well, fails, or is somebody's last. */
#include "disk_parts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct disk *the_disk;

/* --- its life --- */

static bool make_directory(struct disk *disk, const char *parent)
{
    const char *temporary = getenv("TMPDIR");
    const char *parents[] = { parent, "/dev/shm", temporary, "/tmp" };
    size_t count = parent ? 1 : 4; /* where somebody wants it, or nowhere */
    for (size_t i = 0; i < count; i++) {
        if (!parents[i] || !*parents[i])
            continue;
        int length = snprintf(disk->directory, sizeof disk->directory, "%s/bursar-sim-XXXXXX", parents[i]);
        if (length > 0 && (size_t)length < sizeof disk->directory && mkdtemp(disk->directory))
            return true;
    }
    return false;
}

struct disk *disk_new(const char *parent, const struct random *random)
{
    if (the_disk) {
        errno = EBUSY;
        return NULL;
    }
    struct disk *disk = calloc(1, sizeof *disk);
    if (!disk)
        return NULL;
    disk->random = random_stream(random, "disk", 0);
    disk->for_sqlite = random_stream(random, "disk for sqlite", 0);
    if (!make_directory(disk, parent)) {
        free(disk);
        return NULL;
    }
    the_disk = disk;
    if (!disk_vfs_register()) {
        the_disk = NULL;
        (void)rmdir(disk->directory);
        free(disk);
        errno = EIO;
        return NULL;
    }
    return disk;
}

struct disk *disk_free(struct disk *disk)
{
    if (!disk)
        return NULL;
    disk_vfs_unregister();
    (void)disk_sweep(disk, true);
    (void)rmdir(disk->directory);
    disk_names_free(disk);
    for (size_t i = 0; i < disk->copy_count; i++)
        for (size_t part = 0; part < DISK_COPY_PARTS; part++)
            free(disk->copies[i].parts[part].bytes);
    the_disk = NULL;
    free(disk);
    return NULL;
}

void disk_enter(struct disk *disk, struct disk_user *user)
{
    disk->user = user;
}

struct disk_user *disk_user_of(const struct disk *disk)
{
    return disk->user;
}

size_t disk_open_count(const struct disk *disk)
{
    return disk->open_count;
}

void disk_lie_about_sync(struct disk *disk, bool lies)
{
    disk->lies_about_sync = lies;
}

void disk_on_sleep(struct disk *disk, void (*sleep)(void *ctx, uint64_t microseconds), void *ctx)
{
    disk->sleep = sleep;
    disk->sleep_ctx = ctx;
}

struct disk_counters disk_counted(const struct disk *disk)
{
    return disk->counters;
}

const char *disk_directory(const struct disk *disk)
{
    return disk->directory;
}

bool disk_exists(const struct disk *disk, const char *name)
{
    return disk_names_find(disk, name) != NULL;
}

void disk_host_failed(struct disk *disk)
{
    disk->counters.host_errors++;
}

/* --- the gate --- */

/* Takes one of the scripted errors of that kind, if one is due. */
static bool strikes(struct disk *disk, enum disk_error error)
{
    struct disk_user *user = disk->user;
    if (user->errors[error].count == 0)
        return false;
    if (user->errors[error].skip > 0) {
        user->errors[error].skip--;
        return false;
    }
    user->errors[error].count--;
    disk->counters.errors[error]++;
    return true;
}

static size_t first_part(const struct disk *disk, size_t bytes)
{
    struct random random = random_stream(&disk->random, "torn", random_mix(disk->user->number, disk->user->operations));
    return (size_t)random_below(&random, bytes);
}

static void fail(const struct disk *disk, struct disk_verdict *verdict, int error, size_t bytes)
{
    *verdict = (struct disk_verdict){ .error = error, .bytes = bytes ? first_part(disk, bytes) : 0 };
}

static struct disk_verdict decide_error(struct disk *disk, enum disk_operation operation, size_t bytes)
{
    struct disk_verdict verdict = { .happens = true, .bytes = bytes };
    switch (operation) {
    case DISK_WRITE:
        if (strikes(disk, DISK_ENOSPC))
            fail(disk, &verdict, ENOSPC, bytes);
        else if (strikes(disk, DISK_EIO_WRITE))
            fail(disk, &verdict, EIO, bytes);
        break;
    case DISK_CREATE:
    case DISK_LINK:
        if (strikes(disk, DISK_ENOSPC))
            fail(disk, &verdict, ENOSPC, 0);
        break;
    case DISK_TRUNCATE:
        if (strikes(disk, DISK_EIO_WRITE))
            fail(disk, &verdict, EIO, 0);
        break;
    case DISK_SYNC:
        if (strikes(disk, DISK_EIO_SYNC)) {
            fail(disk, &verdict, EIO, 0);
            verdict.is_failed_sync = true;
        }
        break;
    case DISK_UNLINK:
        break;
    }
    return verdict;
}

static void die(struct disk *disk, enum disk_operation operation, const char *name, size_t bytes,
                struct disk_verdict *verdict)
{
    static const char *const operations[] = { "create", "write", "truncate", "link", "unlink", "sync" };
    static const char *const hows[] = { "before", "after", "in" };
    struct disk_user *user = disk->user;
    user->is_dead = true;
    disk->counters.deaths++;
    switch (user->die_how) {
    case DISK_DIE_BEFORE:
        fail(disk, verdict, EIO, 0);
        break;
    case DISK_DIE_AFTER:
        verdict->error = verdict->error ? verdict->error : EIO;
        break;
    case DISK_DIE_TORN:
        fail(disk, verdict, EIO, bytes);
        if (verdict->bytes > 0)
            disk->counters.torn_writes++;
        break;
    }
    if (operation == DISK_WRITE)
        (void)snprintf(user->died_at, sizeof user->died_at, "%s write of %zu bytes to %s", hows[user->die_how], bytes,
                       name);
    else
        (void)snprintf(user->died_at, sizeof user->died_at, "%s %s of %s", hows[user->die_how], operations[operation],
                       *name ? name : "the directory");
}

static void count(struct disk *disk, enum disk_operation operation, size_t bytes)
{
    disk->user->operations++;
    disk->counters.operations++;
    if (operation == DISK_SYNC)
        disk->counters.syncs++;
    disk->counters.bytes_written += bytes;
}

struct disk_verdict disk_decide(struct disk *disk, enum disk_operation operation, const char *name, size_t bytes)
{
    struct disk_user *user = disk->user;
    struct disk_verdict verdict = { .happens = true, .bytes = bytes };
    if (!user)
        return verdict;
    if (!user->is_dead && user->at_operation) {
        user->at_operation(user->ctx, user);
        disk->user = user;
    }
    if (user->is_dead) {
        fail(disk, &verdict, EIO, 0);
    } else {
        count(disk, operation, bytes);
        verdict = decide_error(disk, operation, bytes);
        if (user->operations == user->die_at_operation)
            die(disk, operation, name, bytes, &verdict);
    }
    disk->last_error = verdict.error;
    return verdict;
}

bool disk_user_is_dead(const struct disk *disk)
{
    return disk->user && disk->user->is_dead;
}

int disk_decide_read(struct disk *disk)
{
    if (!disk->user)
        return 0;
    bool fails = disk->user->is_dead || strikes(disk, DISK_EIO_READ);
    if (fails)
        disk->last_error = EIO;
    return fails ? EIO : 0;
}

int disk_sync(struct disk *disk, struct disk_file *file, bool directory)
{
    struct disk_verdict verdict = disk_decide(disk, DISK_SYNC, file ? file->name : "", 0);
    if (verdict.is_failed_sync && file) {
        struct random random = random_stream(&disk->random, "failed sync", disk->failed_syncs++);
        if (!disk_file_settle(file, random_u64(&random), &disk->counters))
            disk_host_failed(disk);
    }
    if (!verdict.happens || disk->lies_about_sync)
        return verdict.error;
    if (file && !disk_file_synced(file)) {
        disk_host_failed(disk);
        return EIO;
    }
    if (directory)
        disk_names_synced(disk);
    return verdict.error;
}

struct disk_file *disk_file_named(struct disk *disk, const char *name, bool *ret_is_new)
{
    struct disk_file *file = disk_names_find(disk, name);
    *ret_is_new = !file;
    if (file)
        return file;
    file = disk_file_new(++disk->files_made);
    bool named = file && disk_names_set(disk, name, file);
    if (file)
        (void)disk_file_release(file); /* the name holds it now */
    return named ? file : NULL;
}

/* --- where it really is --- */

const char *disk_name_in(const char *path)
{
    size_t length = strlen(DISK_ROOT);
    if (strncmp(path, DISK_ROOT, length) != 0 || (path[length] != '/' && path[length] != '\0'))
        return NULL;
    path += length;
    while (*path == '/')
        path++;
    return path;
}

bool disk_real_path(const struct disk *disk, const char *name, char ret[DISK_PATH_MAX_BYTES])
{
    if (strchr(name, '/') || strcmp(name, "..") == 0) {
        errno = ENOENT;
        return false;
    }
    if (strlen(name) >= DISK_NAME_MAX_BYTES) {
        errno = ENAMETOOLONG;
        return false;
    }
    (void)snprintf(ret, DISK_PATH_MAX_BYTES, "%s/%s", disk->directory, name);
    return true;
}

static bool read_all(int fd, uint8_t *ret, size_t count)
{
    for (size_t done = 0; done < count;) {
        ssize_t got = __real_pread(fd, ret + done, count - done, (off_t)done);
        if (got <= 0)
            return false;
        done += (size_t)got;
    }
    return true;
}

bool disk_read_real(const struct disk *disk, const char *name, uint8_t **ret_bytes, size_t *ret_count)
{
    char path[DISK_PATH_MAX_BYTES];
    struct stat found;
    if (!disk_real_path(disk, name, path) || __real_stat(path, &found) != 0)
        return false;
    size_t count = (size_t)found.st_size;
    uint8_t *bytes = malloc(count + 1);
    int fd = bytes ? __real_open(path, O_RDONLY | O_CLOEXEC) : -1;
    bool ok = fd >= 0 && read_all(fd, bytes, count);
    if (fd >= 0)
        (void)__real_close(fd);
    if (!ok) {
        free(bytes);
        return false;
    }
    *ret_bytes = bytes;
    *ret_count = count;
    return true;
}

bool disk_write_real(const struct disk *disk, const char *name, const uint8_t *bytes, size_t count)
{
    char path[DISK_PATH_MAX_BYTES];
    if (!disk_real_path(disk, name, path))
        return false;
    int fd = __real_open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    bool ok = true;
    for (size_t done = 0; ok && done < count;) {
        ssize_t put = __real_pwrite(fd, bytes + done, count - done, (off_t)done);
        ok = put > 0;
        done += ok ? (size_t)put : 0;
    }
    return __real_close(fd) == 0 && ok;
}

bool disk_unlink_real(const struct disk *disk, const char *name)
{
    char path[DISK_PATH_MAX_BYTES];
    return disk_real_path(disk, name, path) && (__real_unlink(path) == 0 || errno == ENOENT);
}

bool disk_sweep(const struct disk *disk, bool all)
{
    DIR *directory = opendir(disk->directory);
    if (!directory)
        return false;
    bool ok = true;
    for (const struct dirent *found; (found = readdir(directory));) {
        if (strcmp(found->d_name, ".") == 0 || strcmp(found->d_name, "..") == 0)
            continue;
        if (all || !disk_names_find(disk, found->d_name))
            ok = disk_unlink_real(disk, found->d_name) && ok;
    }
    (void)closedir(directory);
    return ok;
}

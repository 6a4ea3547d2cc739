/* The file calls of production code, bent here by the linker (-Wl,--wrap): below DISK_ROOT they use the simulated disk,
 * everywhere else they are what they were. Only what production code calls, in the ways it calls it. */
#include "disk_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define FIRST_PID 4242

int __real_mkostemp(char *name, int flags);
int __real_fsync(int fd);
int __real_fdatasync(int fd);
int __real_ftruncate(int fd, off_t size);
int __real_lstat(const char *path, struct stat *ret);
int __real_fstat(int fd, struct stat *ret);
int __real_statfs(const char *path, struct statfs *ret);
int __real_flock(int fd, int operation);
int __real_fcntl(int fd, int command, ...);
pid_t __real_getpid(void);

int __wrap_open(const char *path, int flags, ...);
int __wrap_mkostemp(char *name, int flags);
int __wrap_close(int fd);
ssize_t __wrap_pread(int fd, void *ret, size_t count, off_t offset);
ssize_t __wrap_pwrite(int fd, const void *bytes, size_t count, off_t offset);
int __wrap_fsync(int fd);
int __wrap_fdatasync(int fd);
int __wrap_ftruncate(int fd, off_t size);
int __wrap_link(const char *from, const char *to);
int __wrap_unlink(const char *path);
int __wrap_stat(const char *path, struct stat *ret);
int __wrap_lstat(const char *path, struct stat *ret);
int __wrap_fstat(int fd, struct stat *ret);
int __wrap_statfs(const char *path, struct statfs *ret);
int __wrap_flock(int fd, int operation);
int __wrap_fcntl(int fd, int command, ...);
pid_t __wrap_getpid(void);

static int fail(int error)
{
    errno = error;
    return -1;
}

static const char *ours(const char *path)
{
    return the_disk ? disk_name_in(path) : NULL;
}

/* NULL: not a file of the disk. */
static struct disk_descriptor *descriptor_of(int fd)
{
    if (!the_disk || fd < 0 || fd >= DISK_DESCRIPTORS_MAX)
        return NULL;
    struct disk_descriptor *descriptor = &the_disk->descriptors[fd];
    return descriptor->file || descriptor->is_directory ? descriptor : NULL;
}

/* --- opening and closing --- */

static int open_directory(struct disk *disk, int flags)
{
    if (disk_user_is_dead(disk))
        return fail(EIO);
    int fd = __real_open(disk->directory, flags);
    if (fd >= DISK_DESCRIPTORS_MAX) {
        (void)__real_close(fd);
        return fail(EMFILE);
    }
    if (fd >= 0) {
        disk->descriptors[fd].is_directory = true;
        disk->open_count++;
    }
    return fd;
}

/* The real file, with O_TRUNC taken out: that is an operation of its own. */
static int open_file(struct disk *disk, const char *name, int flags, mode_t mode)
{
    char path[DISK_PATH_MAX_BYTES];
    struct disk_verdict verdict = { .happens = true };
    if (!disk_real_path(disk, name, path))
        return -1;
    if ((flags & O_CREAT) && !disk_exists(disk, name))
        verdict = disk_decide(disk, DISK_CREATE, name, 0);
    else if (disk_user_is_dead(disk))
        return fail(EIO);
    if (!verdict.happens)
        return fail(verdict.error);
    int fd = __real_open(path, flags & ~O_TRUNC, mode);
    if (fd < 0)
        return -1;
    bool is_new = false;
    struct disk_file *file = fd < DISK_DESCRIPTORS_MAX ? disk_file_named(disk, name, &is_new) : NULL;
    if (!file || verdict.error) {
        (void)__real_close(fd);
        return fail(verdict.error ? verdict.error : EMFILE);
    }
    disk_file_hold(file);
    file->open++;
    disk->open_count++;
    disk->descriptors[fd].file = file;
    return fd;
}

int __wrap_open(const char *path, int flags, ...)
{
    mode_t mode = 0;
    if (flags & O_CREAT) {
        va_list arguments;
        va_start(arguments, flags);
        mode = va_arg(arguments, mode_t);
        va_end(arguments);
    }
    const char *name = ours(path);
    if (!name)
        return __real_open(path, flags, mode);
    if (!*name)
        return open_directory(the_disk, flags);
    int fd = open_file(the_disk, name, flags, mode);
    if (fd >= 0 && (flags & O_TRUNC) && __wrap_ftruncate(fd, 0) != 0) {
        int error = errno;
        (void)__wrap_close(fd);
        return fail(error);
    }
    return fd;
}

/* As the original, but the name is the next one, not a random one. */
int __wrap_mkostemp(char *name, int flags)
{
    size_t length = strlen(name);
    if (!ours(name))
        return __real_mkostemp(name, flags);
    if (length < 6 || strcmp(name + length - 6, "XXXXXX") != 0)
        return fail(EINVAL);
    (void)snprintf(name + length - 6, 7, "%06u", (unsigned)(the_disk->temporaries_made++ % 1000000));
    return __wrap_open(name, O_RDWR | O_CREAT | O_EXCL | flags, 0600);
}

int __wrap_close(int fd)
{
    struct disk_descriptor *descriptor = descriptor_of(fd);
    if (descriptor) {
        the_disk->open_count--;
        if (descriptor->file)
            descriptor->file->open--;
        descriptor->file = disk_file_release(descriptor->file);
        descriptor->is_directory = false;
    }
    return __real_close(fd);
}

/* --- reading, writing, syncing --- */

ssize_t __wrap_pread(int fd, void *ret, size_t count, off_t offset)
{
    int error = descriptor_of(fd) ? disk_decide_read(the_disk) : 0;
    return error ? fail(error) : __real_pread(fd, ret, count, offset);
}

ssize_t __wrap_pwrite(int fd, const void *bytes, size_t count, off_t offset)
{
    struct disk_descriptor *descriptor = descriptor_of(fd);
    if (!descriptor || !descriptor->file)
        return __real_pwrite(fd, bytes, count, offset);
    struct disk_verdict verdict = disk_decide(the_disk, DISK_WRITE, descriptor->file->name, count);
    if (verdict.bytes > 0) {
        if (!disk_file_reserve(descriptor->file, verdict.bytes) ||
            __real_pwrite(fd, bytes, verdict.bytes, offset) != (ssize_t)verdict.bytes) {
            disk_host_failed(the_disk);
            return fail(EIO);
        }
        disk_file_written(descriptor->file, (uint64_t)offset, bytes, verdict.bytes);
    }
    return verdict.error ? fail(verdict.error) : (ssize_t)verdict.bytes;
}

int __wrap_fsync(int fd)
{
    struct disk_descriptor *descriptor = descriptor_of(fd);
    if (!descriptor)
        return __real_fsync(fd);
    int error = disk_sync(the_disk, descriptor->file, descriptor->is_directory);
    return error ? fail(error) : 0;
}

int __wrap_fdatasync(int fd)
{
    return descriptor_of(fd) ? __wrap_fsync(fd) : __real_fdatasync(fd);
}

int __wrap_ftruncate(int fd, off_t size)
{
    struct disk_descriptor *descriptor = descriptor_of(fd);
    if (!descriptor || !descriptor->file)
        return __real_ftruncate(fd, size);
    struct disk_verdict verdict = disk_decide(the_disk, DISK_TRUNCATE, descriptor->file->name, 0);
    if (verdict.happens) {
        if (!disk_file_reserve(descriptor->file, 0) || __real_ftruncate(fd, size) != 0) {
            disk_host_failed(the_disk);
            return fail(EIO);
        }
        disk_file_truncated(descriptor->file, (uint64_t)size);
    }
    return verdict.error ? fail(verdict.error) : 0;
}

/* --- names --- */

int __wrap_link(const char *from, const char *to)
{
    const char *from_name = ours(from), *to_name = ours(to);
    char from_path[DISK_PATH_MAX_BYTES], to_path[DISK_PATH_MAX_BYTES];
    if (!from_name || !to_name)
        return from_name || to_name ? fail(EXDEV) : __real_link(from, to);
    if (!disk_real_path(the_disk, from_name, from_path) || !disk_real_path(the_disk, to_name, to_path))
        return -1;
    struct disk_verdict verdict = disk_decide(the_disk, DISK_LINK, to_name, 0);
    if (verdict.happens) {
        if (__real_link(from_path, to_path) != 0)
            return verdict.error ? fail(verdict.error) : -1;
        if (!disk_names_set(the_disk, to_name, disk_names_find(the_disk, from_name)))
            disk_host_failed(the_disk);
    }
    return verdict.error ? fail(verdict.error) : 0;
}

int __wrap_unlink(const char *path)
{
    const char *name = ours(path);
    char real[DISK_PATH_MAX_BYTES];
    if (!name)
        return __real_unlink(path);
    if (!disk_real_path(the_disk, name, real))
        return -1;
    struct disk_verdict verdict = disk_decide(the_disk, DISK_UNLINK, name, 0);
    if (verdict.happens) {
        if (__real_unlink(real) != 0)
            return verdict.error ? fail(verdict.error) : -1;
        if (!disk_names_set(the_disk, name, NULL))
            disk_host_failed(the_disk);
    }
    return verdict.error ? fail(verdict.error) : 0;
}

/* --- examining and locking --- */

/* The real path of one below DISK_ROOT; NULL with errno: none, or the one who asks is dead. */
static const char *examined(const char *name, char real[DISK_PATH_MAX_BYTES])
{
    if (disk_user_is_dead(the_disk)) {
        errno = EIO;
        return NULL;
    }
    return disk_real_path(the_disk, name, real) ? real : NULL;
}

int __wrap_stat(const char *path, struct stat *ret)
{
    char real[DISK_PATH_MAX_BYTES];
    const char *name = ours(path);
    if (!name)
        return __real_stat(path, ret);
    const char *there = examined(name, real);
    return there ? __real_stat(there, ret) : -1;
}

int __wrap_lstat(const char *path, struct stat *ret)
{
    char real[DISK_PATH_MAX_BYTES];
    const char *name = ours(path);
    if (!name)
        return __real_lstat(path, ret);
    const char *there = examined(name, real);
    return there ? __real_lstat(there, ret) : -1;
}

int __wrap_fstat(int fd, struct stat *ret)
{
    return descriptor_of(fd) && disk_user_is_dead(the_disk) ? fail(EIO) : __real_fstat(fd, ret);
}

int __wrap_statfs(const char *path, struct statfs *ret)
{
    char real[DISK_PATH_MAX_BYTES];
    const char *name = ours(path);
    if (!name)
        return __real_statfs(path, ret);
    const char *there = examined(name, real);
    return there ? __real_statfs(there, ret) : -1;
}

int __wrap_flock(int fd, int operation)
{
    bool locks = (operation & LOCK_UN) == 0;
    return locks && descriptor_of(fd) && disk_user_is_dead(the_disk) ? fail(EIO) : __real_flock(fd, operation);
}

int __wrap_fcntl(int fd, int command, ...)
{
    va_list arguments;
    va_start(arguments, command);
    void *argument = va_arg(arguments, void *); /* or an int, or nothing: it is only passed on as it came */
    va_end(arguments);
    if (command == F_OFD_SETLK && ((const struct flock *)argument)->l_type != F_UNLCK && descriptor_of(fd) &&
        disk_user_is_dead(the_disk))
        return fail(EIO);
    return __real_fcntl(fd, command, argument);
}

/* Asked for only once a process, to name a temporary file: each time it is the next process. */
pid_t __wrap_getpid(void)
{
    return the_disk ? (pid_t)(FIRST_PID + the_disk->pids_asked++) : __real_getpid();
}

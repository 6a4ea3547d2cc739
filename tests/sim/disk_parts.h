/* Inside the simulated disk: files and their unsynced bytes, names, and the gate that every operation passes. */
#ifndef SIM_DISK_PARTS_H
#define SIM_DISK_PARTS_H

#include "disk.h"

#include <sqlite3.h>
#include <sys/types.h>

#define DISK_SECTOR_BYTES 512U
#define DISK_PATH_MAX_BYTES 512U
#define DISK_DESCRIPTORS_MAX 4096
#define DISK_COPIES_MAX 256U
/* What a file may have unsynced; beyond, a kernel writes back by itself, and so does this disk. */
#define DISK_UNSYNCED_MAX_BYTES ((size_t)64 << 20)
#define DISK_UNSYNCED_NAMES_MAX 4096U

/* --- disk_file.c: the bytes of one file --- */

/* A write or a change of size since the last sync. */
struct disk_change {
    bool is_truncate;
    uint64_t offset; /* the new size of a truncate */
    uint64_t length;
    size_t data; /* where in disk_file.data the bytes lie */
};

struct disk_file {
    uint64_t number;
    char name[DISK_NAME_MAX_BYTES]; /* the last it was given: for texts */
    size_t references, open;
    uint8_t *durable;
    size_t durable_bytes, durable_capacity;
    struct disk_change *changes;
    size_t change_count, change_capacity;
    uint8_t *data;
    size_t data_bytes, data_capacity;
    bool differs;    /* what can be read is not what is durable, although nothing waits to be synced */
    bool is_settled; /* while a power loss is worked out */
};

/* NULL without memory; one reference. */
struct disk_file *disk_file_new(uint64_t number);
void disk_file_hold(struct disk_file *file);                 /* NULL is fine */
struct disk_file *disk_file_release(struct disk_file *file); /* returns NULL; NULL is fine */
/* Room for one more change with so many bytes, to be asked for before the bytes are really written. */
bool disk_file_reserve(struct disk_file *file, size_t bytes);
/* Room must have been reserved. */
void disk_file_written(struct disk_file *file, uint64_t offset, const void *bytes, size_t length);
void disk_file_truncated(struct disk_file *file, uint64_t size);
/* All is durable. False without memory. */
bool disk_file_synced(struct disk_file *file);
/* Of what is not synced a part becomes durable and the rest never will: decided by `key`. False without memory. */
bool disk_file_settle(struct disk_file *file, uint64_t key, struct disk_counters *counters);
/* Replaces all, durably. False without memory. */
bool disk_file_fill(struct disk_file *file, const uint8_t *bytes, size_t count);

/* How much of a series of `count` changes of one place outlives a power loss; `key` draws the way it goes for all. */
struct disk_loss {
    uint64_t key;
    unsigned none, all; /* of 256 */
    bool is_prefix;     /* all before the cut, of the one at the cut some places */
    uint64_t cut;
    bool leaves_noise; /* where bytes were to be appended and were not written, there is something old */
};
struct disk_loss disk_loss_draw(uint64_t key, size_t count);
size_t disk_loss_kept(const struct disk_loss *loss, uint64_t place, size_t count);

/* --- disk_names.c: which name is which file --- */

struct disk_name {
    char name[DISK_NAME_MAX_BYTES];
    struct disk_file *now, *durable; /* NULL: none; one reference each */
};

struct disk_renaming {
    size_t name;            /* index */
    struct disk_file *file; /* NULL: unlinked; one reference */
};

/* The file that has this name now; NULL. */
struct disk_file *disk_names_find(const struct disk *disk, const char *name);
/* Gives or takes (NULL) a name; durable only after disk_names_synced(). False without memory. */
bool disk_names_set(struct disk *disk, const char *name, struct disk_file *file);
void disk_names_synced(struct disk *disk);
void disk_names_free(struct disk *disk);

/* --- disk.c --- */

struct disk_descriptor {
    struct disk_file *file; /* one reference; NULL: not ours, or a directory */
    bool is_directory;
};

struct disk_copy_part {
    bool exists;
    uint8_t *bytes;
    size_t count;
};
enum { DISK_COPY_PARTS = 3 }; /* the file, -wal, -journal */
struct disk_copy {
    char name[DISK_NAME_MAX_BYTES];
    struct disk_copy_part parts[DISK_COPY_PARTS];
};

struct disk {
    char directory[DISK_PATH_MAX_BYTES / 2];
    struct random random;
    struct random for_sqlite;
    struct disk_user *user;
    struct disk_counters counters;
    struct disk_name *names;
    size_t name_count, name_capacity;
    struct disk_renaming *renamings;
    size_t renaming_count, renaming_capacity;
    struct disk_copy copies[DISK_COPIES_MAX];
    size_t copy_count;
    struct disk_descriptor descriptors[DISK_DESCRIPTORS_MAX];
    size_t open_count;
    uint64_t files_made, temporaries_made, failed_syncs, pids_asked;
    bool lies_about_sync;
    int last_error; /* errno, for SQLite */
    void (*sleep)(void *ctx, uint64_t microseconds);
    void *sleep_ctx;
};

extern struct disk *the_disk; /* the linker's wrappers and SQLite's VFS have nowhere else to look; NULL: none */

enum disk_operation { DISK_CREATE, DISK_WRITE, DISK_TRUNCATE, DISK_LINK, DISK_UNLINK, DISK_SYNC };

/* What becomes of an operation. */
struct disk_verdict {
    bool happens;
    size_t bytes; /* of a write: so many of its first bytes */
    int error;    /* what the caller is told: 0 or an errno */
    bool is_failed_sync;
};
/* Every operation passes here, once. `bytes`: of a write. */
struct disk_verdict disk_decide(struct disk *disk, enum disk_operation operation, const char *name, size_t bytes);
/* May the user read (or examine, or lock) now? 0 or an errno. */
int disk_decide_read(struct disk *disk);
bool disk_user_is_dead(const struct disk *disk);
/* An fsync of a file or (NULL) of the directory, or of both. Returns 0 or an errno. */
int disk_sync(struct disk *disk, struct disk_file *file, bool directory);

void disk_host_failed(struct disk *disk);
/* The file of that name, or a new one of it; *ret_is_new. NULL without memory. */
struct disk_file *disk_file_named(struct disk *disk, const char *name, bool *ret_is_new);

/* The part of a path below DISK_ROOT ("" for that itself); NULL: the path lies elsewhere. */
const char *disk_name_in(const char *path);
/* Where the file of that name really is. False: no such name can be (then errno is set). */
bool disk_real_path(const struct disk *disk, const char *name, char ret[DISK_PATH_MAX_BYTES]);
/* Reads a real file whole; *ret_bytes is malloc'd. */
bool disk_read_real(const struct disk *disk, const char *name, uint8_t **ret_bytes, size_t *ret_count);
bool disk_write_real(const struct disk *disk, const char *name, const uint8_t *bytes, size_t count);
bool disk_unlink_real(const struct disk *disk, const char *name); /* true also when there is none */
/* Removes what lies in the directory and has no name here (SQLite's shared memory), or (all) everything. */
bool disk_sweep(const struct disk *disk, bool all);

/* --- disk_vfs.c --- */
bool disk_vfs_register(void);
void disk_vfs_unregister(void);

/* --- the calls as they were before the linker bent them, disk_calls.c --- */
struct stat;
int __real_open(const char *path, int flags, ...);
int __real_close(int fd);
int __real_link(const char *from, const char *to);
int __real_unlink(const char *path);
ssize_t __real_pread(int fd, void *ret, size_t count, off_t offset);
ssize_t __real_pwrite(int fd, const void *bytes, size_t count, off_t offset);
int __real_stat(const char *path, struct stat *ret);

#endif

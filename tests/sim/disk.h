/* The simulated disk. Its files really lie in a fresh directory of the host's memory (the view of the page cache), and
 * beside each the disk keeps what would survive a power loss: the bytes as of the last fsync and the writes since then;
 * likewise which names of files are durable.
 *
 * Production code runs unchanged: it names files below DISK_ROOT, a path that exists nowhere and is the same in every
 * run (so no message and no byte depends on where the files really are); SQLite comes here through a VFS that
 * disk_new() makes the default one, everything else through the linker. Paths outside DISK_ROOT are not touched.
 *
 * There is one disk at a time in a program, and one thread. Process death keeps the page cache; only
 * disk_lose_power() loses it.
 *
 * To link it into a program:
 *   sources    random.c disk.c disk_file.c disk_names.c disk_power.c disk_vfs.c disk_calls.c
 *   options    -Wl,--wrap=open,--wrap=mkostemp,--wrap=close,--wrap=pread,--wrap=pwrite,--wrap=fsync,--wrap=fdatasync
 *              -Wl,--wrap=ftruncate,--wrap=link,--wrap=unlink,--wrap=stat,--wrap=lstat,--wrap=fstat,--wrap=statfs
 *              -Wl,--wrap=flock,--wrap=fcntl,--wrap=getpid
 *   libraries  bursar_options, PkgConfig::SQLITE (the shared library: a static one would be wrapped too)
 * `disk_test.c`, `disk_sqlite_test.c` and `disk_guard_test.c` are cmocka programs, each of its own, with the same
 * sources and options, and the rooms store and signer; a few seconds together.
 */
#ifndef SIM_DISK_H
#define SIM_DISK_H

#include "random.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Below it lie all files, without directories: DISK_ROOT "/store.db". */
#define DISK_ROOT "/sim-disk"
#define DISK_NAME_MAX_BYTES 128 /* of a file, without DISK_ROOT and slash, with its NUL */

struct disk;

enum disk_error {
    DISK_ENOSPC,    /* of operations that write, create or link; a part of the bytes may have been written */
    DISK_EIO_WRITE, /* of operations that write or truncate; a part of the bytes may have been written */
    DISK_EIO_READ,  /* of reads */
    DISK_EIO_SYNC,  /* of fsyncs: as on Linux, part of what was not synced is never written later either, though it can
                     * be read until the power goes */
    DISK_ERROR_COUNT, /* not an error */
};

enum disk_death {
    DISK_DIE_BEFORE, /* the operation did not happen */
    DISK_DIE_AFTER,  /* it did, but nobody was told */
    DISK_DIE_TORN,   /* a write: the first part of its bytes; anything else: did not happen */
};

/* One that uses the disk: a process. All zero is a good start; belongs to the caller, who may set any field at any
 * time. An operation is what changes something or makes it durable: create, write, truncate, link, unlink, sync. */
struct disk_user {
    uint64_t number;     /* its own, in texts and draws */
    uint64_t operations; /* so far, the one under way included; the first is 1 */
    /* From now on whatever it calls fails without effect; only unlocking and closing work: to unwind what is dead. */
    bool is_dead;
    uint64_t die_at_operation; /* 0: never */
    enum disk_death die_how;
    /* Of the operations that an error can strike, `skip` more go well and then `count` fail. */
    struct {
        uint64_t skip, count;
    } errors[DISK_ERROR_COUNT];
    char died_at[DISK_NAME_MAX_BYTES + 48]; /* "" or in the middle of which operation: a text without chance in it */
    /* Before each operation, if set: a place to be frozen. It may enter other users; its own is entered again after. */
    void (*at_operation)(void *ctx, struct disk_user *user);
    void *ctx;
};

struct disk_counters {
    uint64_t operations, syncs, bytes_written; /* the harness's own not counted */
    uint64_t power_losses;
    uint64_t torn_writes;  /* writes of which a power loss, a failed sync or a death kept a part */
    uint64_t lost_writes;  /* ... nothing */
    uint64_t undone_names; /* created, linked or unlinked, and undone by a power loss */
    uint64_t errors[DISK_ERROR_COUNT];
    uint64_t deaths;      /* at an operation */
    uint64_t put_back;    /* old copies */
    uint64_t host_errors; /* the real file system failed: what follows means nothing */
};

/* An empty disk, in a fresh directory below `parent` (NULL: /dev/shm, else $TMPDIR, else /tmp), registered with SQLite;
 * also makes SQLite's own randomness start anew from `random`. NULL, with errno, when the host refuses or there is
 * a disk already. */
struct disk *disk_new(const char *parent, const struct random *random);
/* No file may be open. Removes its directory; returns NULL; NULL is fine. */
struct disk *disk_free(struct disk *disk);

/* Whose calls come from now on; NULL: the harness's own, which never fail and are not counted. */
void disk_enter(struct disk *disk, struct disk_user *user);
struct disk_user *disk_user_of(const struct disk *disk);

/* The power goes: names and bytes that are not durable are kept, lost or kept in part (in units of 512 bytes, in any
 * order), as `random` will have it. No file may be open. False on an error of the host, or with files open. */
bool disk_lose_power(struct disk *disk, struct random *random);
/* Files that are open now, by anybody. */
size_t disk_open_count(const struct disk *disk);

/* Copies the file of that name, and what SQLite keeps beside it (-wal, -journal), as they can be read now. Returns the
 * number of the copy, counted from 0; SIZE_MAX when there is no such file or no room. Copies live as long as the disk.
 */
size_t disk_keep(struct disk *disk, const char *name);
/* Puts the copy in the place of what is there now, durably, and removes files beside it that the copy lacks; the
 * number as returned by disk_keep(). False when one of them is open, no such copy, or on an error of the host. */
bool disk_put_back(struct disk *disk, size_t copy);
/* Removes a file and what SQLite keeps beside it, durably. False as above. */
bool disk_remove(struct disk *disk, const char *name);
bool disk_exists(const struct disk *disk, const char *name);

/* A disk that says "synced" and syncs nothing: to see that a test would notice. */
void disk_lie_about_sync(struct disk *disk, bool lies);
/* Called where SQLite would sleep while it waits for a lock; NULL: does not sleep. (The store's own patience is
 * measured by system_clock(), so a holder of a lock must not be kept frozen for long without turning that clock.) */
void disk_on_sleep(struct disk *disk, void (*sleep)(void *ctx, uint64_t microseconds), void *ctx);

struct disk_counters disk_counted(const struct disk *disk);
/* A digest of all names and bytes, as they can be read now: the same for the same run, wherever it ran. */
uint64_t disk_digest(const struct disk *disk);
/* Where the files really are. Only for a person: never let it into anything that must be the same every time. */
const char *disk_directory(const struct disk *disk);

#endif

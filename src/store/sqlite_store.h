/* The store in one SQLite file: WAL, synchronous=FULL, STRICT tables, foreign keys on. */
#ifndef STORE_SQLITE_STORE_H
#define STORE_SQLITE_STORE_H

#include "store/store.h"

struct sqlite_store;

enum sqlite_mode {
    SQLITE_MODE_READ = 1,  /* looks only; works beside an executor */
    SQLITE_MODE_WRITE = 2, /* reads, imports, executes */
    SQLITE_MODE_LOOK = 3, /* as READ, and leaves also the files as they are: what a write-ahead log holds stays there */
};

/* Asked while waiting for a lock; true gives up (EBUSY). NULL: never. Gives up by itself after STORE_BUSY_MAX_MS. */
typedef bool store_is_cancelled(void *ctx);
#define STORE_BUSY_MAX_MS 30000

/* Creates a new store file (EEXIST when there is one), durable with its directory entry. */
BURSAR_MUST_CHECK enum bursar_status sqlite_store_create(const char *path, struct sqlite_store **ret,
                                                         struct bursar_error *err);
/* Opens what `create` made, migrating older schemas in WRITE mode. Refuses with what to do: no file, not a store, a
 * newer version, damage, a network file system, no permission. */
BURSAR_MUST_CHECK enum bursar_status sqlite_store_open(const char *path, enum sqlite_mode mode,
                                                       store_is_cancelled *is_cancelled, void *cancel_ctx,
                                                       struct sqlite_store **ret, struct bursar_error *err);
/* Reads all of it: what is damaged, "" when nothing is. For a store of a few GB that takes seconds; others go on. */
BURSAR_MUST_CHECK enum bursar_status sqlite_store_damage(struct sqlite_store *store, char *ret, size_t capacity_bytes,
                                                         struct bursar_error *err);
/* For a program that owns its process, before anything else of this room: SQLite does without the statistics of its
 * memory, which nobody asks for and which cost a lock around each allocation. */
void sqlite_store_owns_process(void);
int sqlite_store_schema(void); /* that this program knows; that of any store that it has opened */
/* Told of every commit and how long it took, until it was on disk. `took` NULL: nobody listens. */
struct commit_meter {
    void *ctx;
    void (*took)(void *ctx, uint64_t took_us);
};
void sqlite_store_set_meter(struct sqlite_store *store, struct commit_meter meter);
struct store sqlite_store_interface(struct sqlite_store *store);
void sqlite_store_close(struct sqlite_store *store); /* NULL is fine; gives up an open import and a held lease lock */

#endif

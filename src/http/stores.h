/* A few store handles for all threads of the server: a handle is one thread's at a time, and opening one takes longer
 * than most requests. */
#ifndef HTTP_STORES_H
#define HTTP_STORES_H

#include "http/call.h"
#include "store/sqlite_store.h"

#include <pthread.h>

#define STORES_MAX_COUNT 4     /* for reading */
#define STORES_WRITERS_COUNT 2 /* more would only wait for one another, and the executor for all of them */

struct http_store {
    struct sqlite_store *sqlite; /* NULL: not opened yet */
    struct store store;
    bool is_taken;
};

struct stores {
    const char *path;
    store_is_cancelled *is_cancelled;
    void *cancel_ctx;
    pthread_mutex_t lock;
    pthread_cond_t given;
    struct http_store handles[2][STORES_MAX_COUNT]; /* by mode */
};

BURSAR_MUST_CHECK enum bursar_status stores_init(struct stores *stores, const char *path,
                                                 store_is_cancelled *is_cancelled, void *cancel_ctx,
                                                 struct bursar_error *err);
/* All handles must have been given back. */
void stores_destroy(struct stores *stores);
BURSAR_MUST_CHECK enum bursar_status stores_take(struct stores *stores, enum http_store_mode mode, uint64_t wait_ms,
                                                 struct http_store **ret, struct bursar_error *err);
void stores_give(struct stores *stores, struct http_store *taken);
/* Whoever waits looks at is_cancelled again. */
void stores_wake(struct stores *stores);

#endif

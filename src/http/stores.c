/* See stores.h. */
#include "http/stores.h"

#include <errno.h>
#include <time.h>

enum bursar_status stores_init(struct stores *stores, const char *path, store_is_cancelled *is_cancelled,
                               void *cancel_ctx, struct bursar_error *err)
{
    pthread_condattr_t monotonic;
    *stores = (struct stores){ .path = path, .is_cancelled = is_cancelled, .cancel_ctx = cancel_ctx };
    if (pthread_mutex_init(&stores->lock, NULL) != 0 || pthread_condattr_init(&monotonic) != 0)
        return bursar_fail(err, BURSAR_ENOMEM, "out of memory");
    bool good = pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) == 0 &&
                pthread_cond_init(&stores->given, &monotonic) == 0;
    (void)pthread_condattr_destroy(&monotonic);
    return good ? BURSAR_OK : bursar_fail(err, BURSAR_ENOMEM, "out of memory");
}

void stores_destroy(struct stores *stores)
{
    for (size_t i = 0; i < STORES_MAX_COUNT; i++) {
        sqlite_store_close(stores->handles[HTTP_STORE_READ][i].sqlite);
        sqlite_store_close(stores->handles[HTTP_STORE_WRITE][i].sqlite);
    }
    (void)pthread_cond_destroy(&stores->given);
    (void)pthread_mutex_destroy(&stores->lock);
}

/* One that is open already, if there is. */
static struct http_store *find_free(struct http_store handles[STORES_MAX_COUNT], enum http_store_mode mode)
{
    size_t count = mode == HTTP_STORE_WRITE ? STORES_WRITERS_COUNT : STORES_MAX_COUNT;
    struct http_store *found = NULL;
    for (size_t i = 0; i < count; i++) {
        if (!handles[i].is_taken && (!found || (handles[i].sqlite && !found->sqlite)))
            found = &handles[i];
    }
    return found;
}

static struct timespec after_ms(uint64_t wait_ms)
{
    struct timespec at;
    (void)clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += (time_t)(wait_ms / 1000);
    at.tv_nsec += (long)(wait_ms % 1000) * 1000000;
    if (at.tv_nsec >= 1000000000) {
        at.tv_sec++;
        at.tv_nsec -= 1000000000;
    }
    return at;
}

enum bursar_status stores_take(struct stores *stores, enum http_store_mode mode, uint64_t wait_ms,
                               struct http_store **ret, struct bursar_error *err)
{
    struct timespec until = after_ms(wait_ms);
    struct http_store *handle;
    int waited = 0;
    (void)pthread_mutex_lock(&stores->lock);
    while (!(handle = find_free(stores->handles[mode], mode)) && waited != ETIMEDOUT &&
           !stores->is_cancelled(stores->cancel_ctx))
        waited = pthread_cond_timedwait(&stores->given, &stores->lock, &until);
    if (handle)
        handle->is_taken = true;
    (void)pthread_mutex_unlock(&stores->lock);
    if (!handle)
        return bursar_fail(err, BURSAR_EBUSY, "too many requests use the store at once: try again");
    enum bursar_status status = BURSAR_OK;
    if (!handle->sqlite) {
        status = sqlite_store_open(stores->path, mode == HTTP_STORE_WRITE ? SQLITE_MODE_WRITE : SQLITE_MODE_READ,
                                   stores->is_cancelled, stores->cancel_ctx, &handle->sqlite, err);
        if (status == BURSAR_OK)
            handle->store = sqlite_store_interface(handle->sqlite);
    }
    if (status != BURSAR_OK) {
        stores_give(stores, handle);
        return status;
    }
    *ret = handle;
    return BURSAR_OK;
}

void stores_give(struct stores *stores, struct http_store *taken)
{
    (void)pthread_mutex_lock(&stores->lock);
    taken->is_taken = false;
    (void)pthread_cond_signal(&stores->given);
    (void)pthread_mutex_unlock(&stores->lock);
}

void stores_wake(struct stores *stores)
{
    (void)pthread_mutex_lock(&stores->lock);
    (void)pthread_cond_broadcast(&stores->given);
    (void)pthread_mutex_unlock(&stores->lock);
}

/* An executor on a thread of its own: ticks, sleeps until the next wake, ends when told to. */
#include "embed/embed_executor.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct bursar_executor_handle {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t woken;             /* on the monotonic clock */
    bool stop;                        /* under lock */
    struct bursar_executor *executor; /* under lock; NULL once it has ended */
    struct bursar_error ended;
};

static struct timespec monotonic_in(uint64_t wait_ms)
{
    struct timespec at = { 0 };
    (void)clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += (time_t)(wait_ms / 1000);
    at.tv_nsec += (long)(wait_ms % 1000) * 1000000;
    if (at.tv_nsec >= 1000000000) {
        at.tv_sec++;
        at.tv_nsec -= 1000000000;
    }
    return at;
}

/* True when it is time to end. */
static bool sleep_for(struct bursar_executor_handle *handle, uint64_t wait_ms)
{
    struct timespec until = monotonic_in(wait_ms);
    (void)pthread_mutex_lock(&handle->lock);
    int code = 0;
    while (!handle->stop && wait_ms > 0 && code == 0) /* any error ends the sleep: a tick more does no harm */
        code = pthread_cond_timedwait(&handle->woken, &handle->lock, &until);
    bool stop = handle->stop;
    (void)pthread_mutex_unlock(&handle->lock);
    return stop;
}

static void *run(void *ctx)
{
    struct bursar_executor_handle *handle = ctx;
    struct bursar_executor *executor = handle->executor;
    const uint64_t poll_ms = executor->config.poll_interval;
    uint64_t wait_ms = 0;
    while (!sleep_for(handle, wait_ms)) {
        struct bursar_error err = { 0 };
        wait_ms = poll_ms;
        enum bursar_status status = bursar_executor_tick(executor, &wait_ms, NULL, &err);
        if (status == BURSAR_OK || bursar_status_remedy(status) == BURSAR_REMEDY_RETRY)
            continue;
        handle->ended = err;
        handle->ended.status = status;
        break;
    }
    (void)pthread_mutex_lock(&handle->lock);
    handle->executor = NULL; /* nobody asks it to stop any more */
    (void)pthread_mutex_unlock(&handle->lock);
    (void)bursar_executor_free(executor);
    return NULL;
}

static int make_wakeable(struct bursar_executor_handle *handle)
{
    pthread_condattr_t monotonic;
    int failed = pthread_condattr_init(&monotonic);
    if (failed)
        return failed;
    failed = pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    failed = failed ? failed : pthread_cond_init(&handle->woken, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    if (failed)
        return failed;
    failed = pthread_mutex_init(&handle->lock, NULL);
    if (failed)
        (void)pthread_cond_destroy(&handle->woken);
    return failed;
}

/* The host's signals are the host's. */
static int start_thread(struct bursar_executor_handle *handle)
{
    sigset_t all, before;
    (void)sigfillset(&all);
    int failed = pthread_sigmask(SIG_SETMASK, &all, &before);
    if (failed)
        return failed;
    failed = pthread_create(&handle->thread, NULL, run, handle);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed;
}

static void handle_free(struct bursar_executor_handle *handle)
{
    (void)pthread_cond_destroy(&handle->woken);
    (void)pthread_mutex_destroy(&handle->lock);
    free(handle);
}

enum bursar_status bursar_executor_spawn(const struct bursar_store *store, int64_t treasury,
                                         const struct bursar_executor_config *config,
                                         struct bursar_executor_handle **ret, struct bursar_error *err)
{
    struct bursar_executor_handle *handle = calloc(1, sizeof *handle);
    if (!handle)
        return bursar_fail(err, BURSAR_ENOMEM, "out of memory");
    int failed = make_wakeable(handle);
    if (failed) {
        free(handle);
        return bursar_fail(err, BURSAR_EINTERNAL, "a lock can't be made: %s", strerror(failed));
    }
    enum bursar_status status = bursar_executor_new(store, treasury, config, &handle->executor, err);
    if (status == BURSAR_OK && (failed = start_thread(handle)) != 0) {
        handle->executor = bursar_executor_free(handle->executor);
        status = bursar_fail(err, BURSAR_EINTERNAL, "no thread can be started: %s", strerror(failed));
    }
    if (status != BURSAR_OK) {
        handle_free(handle);
        return status;
    }
    *ret = handle;
    return BURSAR_OK;
}

void bursar_executor_shutdown(struct bursar_executor_handle *handle)
{
    if (!handle)
        return;
    (void)pthread_mutex_lock(&handle->lock);
    handle->stop = true;
    if (handle->executor)
        embed_executor_stop(handle->executor);
    (void)pthread_cond_signal(&handle->woken);
    (void)pthread_mutex_unlock(&handle->lock);
}

enum bursar_status bursar_executor_join(struct bursar_executor_handle *handle, struct bursar_error *err)
{
    if (!handle)
        return bursar_fail(err, BURSAR_EUSAGE, "no handle to join");
    if (pthread_equal(pthread_self(), handle->thread))
        return bursar_fail(err, BURSAR_EUSAGE, "a callback can't wait for the thread it is called on");
    int failed = pthread_join(handle->thread, NULL);
    if (failed)
        return bursar_fail(err, BURSAR_EINTERNAL, "the executor's thread can't be waited for: %s", strerror(failed));
    struct bursar_error ended = handle->ended;
    handle_free(handle);
    return ended.status == BURSAR_OK ? BURSAR_OK : bursar_fail(err, ended.status, "%s", ended.message);
}

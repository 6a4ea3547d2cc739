/* See node_watch.h. */
#include "top/node_watch.h"

#include "base/time.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#define NODE_TIMEOUT_MAX_MS 2000

struct watched {
    bool is_wanted;
    struct treasury treasury;
    bool has_look;
    struct live_look look;
    uint64_t at_ms;
};

struct node_watch {
    const struct treasury_settings *settings;
    size_t count;
    uint64_t interval_ms;
    struct clock clock;
    atomic_bool is_ending;
    bool has_new;         /* one is wanted that was not before */
    pthread_mutex_t lock; /* over `has_new` and `watched`, and with `changed` over waiting */
    pthread_cond_t changed;
    pthread_t thread;
    struct watched *watched;
    struct live_look *scratch; /* of the thread */
};

static bool is_ending(void *ctx)
{
    struct node_watch *watch = ctx;
    return atomic_load(&watch->is_ending);
}

/* Holding the lock. */
static void wait_ms(struct node_watch *watch, uint64_t duration_ms)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(duration_ms / 1000);
    until.tv_nsec += (long)(duration_ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    (void)pthread_cond_timedwait(&watch->changed, &watch->lock, &until);
}

static void look(struct node_watch *watch, size_t index)
{
    struct treasury treasury;
    struct watched *watched = &watch->watched[index];
    const struct treasury_settings *settings = &watch->settings[index];
    uint32_t timeout_ms =
        settings->rpc_timeout_ms < NODE_TIMEOUT_MAX_MS ? settings->rpc_timeout_ms : NODE_TIMEOUT_MAX_MS;
    (void)pthread_mutex_lock(&watch->lock);
    bool is_wanted = watched->is_wanted;
    treasury = watched->treasury;
    (void)pthread_mutex_unlock(&watch->lock);
    if (!is_wanted)
        return;
    *watch->scratch = (struct live_look){ 0 };
    live_look_at_node(settings->section, &treasury, timeout_ms, is_ending, watch, watch->scratch);
    (void)pthread_mutex_lock(&watch->lock);
    watched->look = *watch->scratch;
    watched->at_ms = watch->clock.wall_ms(watch->clock.ctx);
    watched->has_look = true;
    (void)pthread_cond_broadcast(&watch->changed);
    (void)pthread_mutex_unlock(&watch->lock);
}

static void *work(void *ctx)
{
    struct node_watch *watch = ctx;
    while (!atomic_load(&watch->is_ending)) {
        uint64_t started_ms = watch->clock.monotonic_ms(watch->clock.ctx);
        for (size_t i = 0; i < watch->count && !atomic_load(&watch->is_ending); i++)
            look(watch, i);
        (void)pthread_mutex_lock(&watch->lock);
        uint64_t now_ms = watch->clock.monotonic_ms(watch->clock.ctx);
        while (!atomic_load(&watch->is_ending) && !watch->has_new && now_ms - started_ms < watch->interval_ms) {
            wait_ms(watch, watch->interval_ms - (now_ms - started_ms));
            now_ms = watch->clock.monotonic_ms(watch->clock.ctx);
        }
        watch->has_new = false;
        (void)pthread_mutex_unlock(&watch->lock);
    }
    return NULL;
}

static bool init_waiting(struct node_watch *watch)
{
    pthread_condattr_t monotonic;
    if (pthread_condattr_init(&monotonic) != 0)
        return false;
    bool good = pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) == 0 &&
                pthread_mutex_init(&watch->lock, NULL) == 0 && pthread_cond_init(&watch->changed, &monotonic) == 0;
    (void)pthread_condattr_destroy(&monotonic);
    return good;
}

/* Signals are for the thread that draws. */
static bool start_thread(struct node_watch *watch)
{
    sigset_t all, before;
    (void)sigfillset(&all);
    if (pthread_sigmask(SIG_BLOCK, &all, &before) != 0)
        return false;
    bool good = pthread_create(&watch->thread, NULL, work, watch) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return good;
}

enum bursar_status node_watch_start(const struct treasury_settings *settings, size_t count, uint64_t interval_ms,
                                    struct node_watch **ret, struct bursar_error *err)
{
    struct node_watch *watch = calloc(1, sizeof *watch);
    struct watched *watched = calloc(count, sizeof *watched);
    struct live_look *scratch = calloc(1, sizeof *scratch);
    if (watch)
        *watch = (struct node_watch){ .settings = settings,
                                      .count = count,
                                      .interval_ms = interval_ms,
                                      .clock = system_clock(),
                                      .watched = watched,
                                      .scratch = scratch };
    if (!watch || !watched || !scratch || !init_waiting(watch) || !start_thread(watch)) {
        free(watched);
        free(scratch);
        free(watch);
        return bursar_fail(err, BURSAR_ENOMEM, "can't start a thread that looks at nodes");
    }
    *ret = watch;
    return BURSAR_OK;
}

void node_watch_free(struct node_watch *watch)
{
    if (!watch)
        return;
    (void)pthread_mutex_lock(&watch->lock);
    atomic_store(&watch->is_ending, true);
    (void)pthread_cond_broadcast(&watch->changed);
    (void)pthread_mutex_unlock(&watch->lock);
    (void)pthread_join(watch->thread, NULL);
    (void)pthread_cond_destroy(&watch->changed);
    (void)pthread_mutex_destroy(&watch->lock);
    free(watch->watched);
    free(watch->scratch);
    free(watch);
}

void node_watch_want(struct node_watch *watch, size_t index, const struct treasury *treasury)
{
    (void)pthread_mutex_lock(&watch->lock);
    watch->watched[index].treasury = *treasury;
    watch->has_new = watch->has_new || !watch->watched[index].is_wanted;
    watch->watched[index].is_wanted = true;
    if (watch->has_new)
        (void)pthread_cond_broadcast(&watch->changed);
    (void)pthread_mutex_unlock(&watch->lock);
}

bool node_watch_read(struct node_watch *watch, size_t index, struct live_look *ret, uint64_t *ret_at_ms)
{
    (void)pthread_mutex_lock(&watch->lock);
    const struct watched *watched = &watch->watched[index];
    bool has_look = watched->has_look;
    if (has_look) {
        *ret = watched->look;
        *ret_at_ms = watched->at_ms;
    }
    (void)pthread_mutex_unlock(&watch->lock);
    return has_look;
}

void node_watch_wait(struct node_watch *watch, uint64_t duration_ms)
{
    const uint64_t until_ms = watch->clock.monotonic_ms(watch->clock.ctx) + duration_ms;
    (void)pthread_mutex_lock(&watch->lock);
    for (;;) {
        size_t missing = 0;
        uint64_t now_ms = watch->clock.monotonic_ms(watch->clock.ctx);
        for (size_t i = 0; i < watch->count; i++)
            missing += watch->watched[i].is_wanted && !watch->watched[i].has_look;
        if (missing == 0 || now_ms >= until_ms)
            break;
        wait_ms(watch, until_ms - now_ms);
    }
    (void)pthread_mutex_unlock(&watch->lock);
}

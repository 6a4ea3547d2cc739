/* See webhook.h. The thread: all webhooks take turns, and none waits for another. */
#include "webhook/webhook.h"

#include "store/sqlite_store.h"
#include "webhook/hook.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define LOOK_MS 200  /* for new events */
#define SAVE_MS 500  /* what was delivered meanwhile comes again after a crash */
#define TRY_MS 1000  /* for a lock that another process holds, and after trouble with the store */
#define GRACE_MS 500 /* for writing down where they stand, when it is to end */

struct webhooks {
    struct webhooks_config config;
    struct hook *hooks[WEBHOOKS_MAX_COUNT]; /* the thread's alone */
    size_t hook_count;
    pthread_mutex_t lock;            /* of the next two; held for a moment only */
    struct webhook_settings *wanted; /* malloc'd; NULL: as they are */
    size_t wanted_count;
    struct sender *sender;
    struct sqlite_store *sqlite;
    struct store store;
    pthread_t thread;
    atomic_bool is_ending;
    _Atomic uint64_t until_ms; /* monotonic; with is_ending */
    bool is_draining;
    uint64_t try_ms; /* not before this, after trouble */
};

static uint64_t now_ms(const struct webhooks *webhooks)
{
    return webhooks->config.clock.monotonic_ms(webhooks->config.clock.ctx);
}

/* Of the store: when it has to end, nobody waits for a lock. */
static bool is_over(void *ctx)
{
    struct webhooks *webhooks = ctx;
    return atomic_load(&webhooks->is_ending) && now_ms(webhooks) >= atomic_load(&webhooks->until_ms) + GRACE_MS;
}

static void tell_trouble(struct webhooks *webhooks, const char *name, const struct bursar_error *err)
{
    note(&webhooks->config.notes, NOTE_WARN, "webhook %s: %s; tried again", name, err->message);
    webhooks->try_ms = now_ms(webhooks) + TRY_MS;
}

static bool open_store(struct webhooks *webhooks)
{
    struct bursar_error err = { 0 };
    if (webhooks->sqlite)
        return true;
    if (sqlite_store_open(webhooks->config.store_path, SQLITE_MODE_WRITE, is_over, webhooks, &webhooks->sqlite, &err) !=
        BURSAR_OK) {
        tell_trouble(webhooks, "*", &err);
        return false;
    }
    webhooks->store = sqlite_store_interface(webhooks->sqlite);
    return true;
}

/* One look at one of them. */
static enum bursar_status serve(struct webhooks *webhooks, struct hook *hook, struct bursar_error *err)
{
    const struct store *store = &webhooks->store;
    const uint64_t now = now_ms(webhooks);
    enum bursar_status status = BURSAR_OK;
    if (!hook->is_ours) {
        if (now < hook->try_ms)
            return BURSAR_OK;
        hook->try_ms = now + TRY_MS;
        status = hook_take(hook, store, err);
        if (status == BURSAR_EBUSY)
            return BURSAR_OK;
        if (status == BURSAR_OK)
            note(&webhooks->config.notes, NOTE_INFO, "webhook %s delivers to %s, from event %llu on",
                 hook->settings.name, hook->endpoint, (unsigned long long)hook->record.seq + 1);
    }
    if (status == BURSAR_OK)
        status = hook_fill(hook, store, err);
    if (status == BURSAR_OK)
        status = hook_send(hook, store, webhooks->sender, now, err);
    if (status == BURSAR_OK && now - hook->saved_ms >= SAVE_MS)
        status = hook_save(hook, store, now, err);
    return status;
}

static void serve_all(struct webhooks *webhooks)
{
    if (now_ms(webhooks) < webhooks->try_ms || !open_store(webhooks))
        return;
    for (size_t i = 0; i < webhooks->hook_count; i++) {
        struct hook *hook = webhooks->hooks[i];
        struct bursar_error err = { 0 };
        if (hook->is_ready && serve(webhooks, hook, &err) != BURSAR_OK)
            tell_trouble(webhooks, hook->settings.name, &err);
    }
}

static void take_sent(void *ctx, void *tag, bool is_delivered, const char *error)
{
    hook_sent(tag, is_delivered, error, now_ms(ctx));
}

static bool goes_on(struct webhooks *webhooks)
{
    bool is_done = true;
    if (!atomic_load(&webhooks->is_ending))
        return true;
    if (!webhooks->is_draining) { /* what has happened up to now */
        webhooks->is_draining = true;
        for (size_t i = 0; i < webhooks->hook_count; i++)
            webhooks->hooks[i]->is_at_end = false;
    }
    for (size_t i = 0; i < webhooks->hook_count; i++)
        is_done = is_done && hook_is_done(webhooks->hooks[i]);
    return !is_done && now_ms(webhooks) < atomic_load(&webhooks->until_ms);
}

/* Until the next look, or what is due before. */
static uint64_t wait_ms(const struct webhooks *webhooks)
{
    const uint64_t now = now_ms(webhooks);
    uint64_t wake = now + LOOK_MS;
    if (now < webhooks->try_ms)
        return LOOK_MS;
    for (size_t i = 0; i < webhooks->hook_count; i++) {
        uint64_t due = hook_queue_wake_ms(&webhooks->hooks[i]->queue);
        if (webhooks->hooks[i]->is_ours && due < wake)
            wake = due;
    }
    return wake > now ? wake - now : 0;
}

/* -- which ones ---------------------------------------------------------------------------------------------------- */

static void tell_unusable(const struct webhooks *webhooks, const char *name, const struct bursar_error *err)
{
    note(&webhooks->config.notes, NOTE_ERROR, "webhook %s delivers nothing, paying goes on without it: %s", name,
         err->message);
}

/* Behind what has happened up to now, unless the store knows it. NULL: out of memory. */
static struct hook *add(const struct webhooks *webhooks, const struct webhook_settings *settings)
{
    struct bursar_error err = { 0 };
    struct hook *hook = malloc(sizeof *hook);
    if (!hook)
        (void)bursar_fail(&err, BURSAR_ENOMEM, "out of memory");
    if (!hook || hook_init(hook, settings, &webhooks->config, &err) != BURSAR_OK)
        tell_unusable(webhooks, settings->name, &err);
    return hook;
}

static void change(struct webhooks *webhooks, struct hook *hook, const struct webhook_settings *settings)
{
    struct bursar_error err = { 0 };
    bool is_other_target = false;
    const bool was_ready = hook->is_ready;
    if (hook_set(hook, settings, &is_other_target, &err) != BURSAR_OK) {
        if (was_ready)
            note(&webhooks->config.notes, NOTE_ERROR, "webhook %s goes on as it was: %s", settings->name, err.message);
        else
            tell_unusable(webhooks, settings->name, &err);
        return;
    }
    if (!is_other_target || !was_ready)
        return;
    hook_cut_off(hook, webhooks->sender, now_ms(webhooks));
    note(&webhooks->config.notes, NOTE_INFO, "webhook %s has another URL, secret or ca_file: it delivers to %s now",
         settings->name, hook->endpoint);
}

/* Where it stands stays in the store. */
static void close_hook(struct webhooks *webhooks, struct hook *hook)
{
    struct bursar_error err = { 0 };
    if (webhooks->sqlite && hook_save(hook, &webhooks->store, now_ms(webhooks), &err) != BURSAR_OK)
        note(&webhooks->config.notes, NOTE_WARN, "webhook %s: where it stands was not written down: %s",
             hook->settings.name, err.message);
    hook_close(hook);
    free(hook);
}

static struct hook *take_out(struct webhooks *webhooks, const char *name)
{
    for (size_t i = 0; i < webhooks->hook_count; i++) {
        struct hook *hook = webhooks->hooks[i];
        if (hook && strcmp(hook->settings.name, name) == 0) {
            webhooks->hooks[i] = NULL;
            return hook;
        }
    }
    return NULL;
}

/* Those that stay keep their place, those that are gone stop, new ones begin. */
static void take_over(struct webhooks *webhooks)
{
    struct hook *hooks[WEBHOOKS_MAX_COUNT];
    size_t count = 0;
    (void)pthread_mutex_lock(&webhooks->lock);
    struct webhook_settings *wanted = webhooks->wanted;
    const size_t wanted_count = webhooks->wanted_count;
    webhooks->wanted = NULL;
    (void)pthread_mutex_unlock(&webhooks->lock);
    if (!wanted)
        return;
    for (size_t i = 0; i < wanted_count; i++) {
        struct hook *hook = take_out(webhooks, wanted[i].name);
        if (hook)
            change(webhooks, hook, &wanted[i]);
        else
            hook = add(webhooks, &wanted[i]);
        if (hook)
            hooks[count++] = hook;
    }
    for (size_t i = 0; i < webhooks->hook_count; i++) {
        struct hook *gone = webhooks->hooks[i];
        if (!gone)
            continue;
        note(&webhooks->config.notes, NOTE_INFO, "webhook %s delivers nothing any more", gone->settings.name);
        hook_cut_off(gone, webhooks->sender, now_ms(webhooks));
        close_hook(webhooks, gone);
    }
    memcpy(webhooks->hooks, hooks, count * sizeof *hooks);
    webhooks->hook_count = count;
    free(wanted);
}

static void *work(void *ctx)
{
    struct webhooks *webhooks = ctx;
    take_over(webhooks);
    while (goes_on(webhooks)) {
        serve_all(webhooks);
        sender_work(webhooks->sender, wait_ms(webhooks), take_sent, webhooks);
        take_over(webhooks);
    }
    for (size_t i = 0; i < webhooks->hook_count; i++)
        close_hook(webhooks, webhooks->hooks[i]);
    webhooks->hook_count = 0;
    sqlite_store_close(webhooks->sqlite);
    return NULL;
}

/* Signals are for the thread that started it. */
static bool start_thread(struct webhooks *webhooks)
{
    sigset_t all, before;
    (void)sigfillset(&all);
    if (pthread_sigmask(SIG_BLOCK, &all, &before) != 0)
        return false;
    bool good = pthread_create(&webhooks->thread, NULL, work, webhooks) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return good;
}

enum bursar_status webhooks_set(struct webhooks *webhooks, const struct webhook_settings *hooks, size_t hook_count,
                                struct bursar_error *err)
{
    struct webhook_settings *copy = malloc((hook_count > 0 ? hook_count : 1) * sizeof *copy);
    if (!copy)
        return bursar_fail(err, BURSAR_ENOMEM, "out of memory");
    memcpy(copy, hooks, hook_count * sizeof *copy);
    (void)pthread_mutex_lock(&webhooks->lock);
    free(webhooks->wanted); /* not taken over yet, and old by now */
    webhooks->wanted = copy;
    webhooks->wanted_count = hook_count;
    (void)pthread_mutex_unlock(&webhooks->lock);
    sender_wake(webhooks->sender);
    return BURSAR_OK;
}

static void webhooks_free(struct webhooks *webhooks)
{
    sender_free(webhooks->sender);
    free(webhooks->wanted);
    (void)pthread_mutex_destroy(&webhooks->lock);
    free(webhooks);
}

enum bursar_status webhooks_start(const struct webhooks_config *config, const struct webhook_settings *hooks,
                                  size_t hook_count, struct webhooks **ret, struct bursar_error *err)
{
    struct webhooks *webhooks = calloc(1, sizeof *webhooks);
    if (!webhooks || pthread_mutex_init(&webhooks->lock, NULL) != 0) {
        free(webhooks);
        return bursar_fail(err, BURSAR_ENOMEM, "out of memory");
    }
    webhooks->config = *config;
    enum bursar_status status = sender_new((size_t)WEBHOOKS_MAX_COUNT * HOOK_SENDING_MAX_COUNT, &webhooks->sender, err);
    if (status == BURSAR_OK)
        status = webhooks_set(webhooks, hooks, hook_count, err);
    if (status == BURSAR_OK && !start_thread(webhooks))
        status = bursar_fail(err, BURSAR_ENOMEM, "can't start a thread");
    if (status == BURSAR_OK)
        *ret = webhooks;
    else
        webhooks_free(webhooks);
    return status;
}

void webhooks_stop(struct webhooks *webhooks, uint64_t drain_ms)
{
    if (!webhooks)
        return;
    atomic_store(&webhooks->until_ms, now_ms(webhooks) + drain_ms);
    atomic_store(&webhooks->is_ending, true);
    sender_wake(webhooks->sender);
    (void)pthread_join(webhooks->thread, NULL);
    webhooks_free(webhooks);
}

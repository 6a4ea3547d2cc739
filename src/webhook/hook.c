/* See hook.h. */
#include "webhook/hook.h"

#include "base/cleanup.h"
#include "service/story.h"
#include "webhook/sign.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define PATH_MAX_BYTES 4200
#define FILL_PAGES_MAX_COUNT 20 /* a look: what is not meant for it passes by without being kept */

enum bursar_status hook_init(struct hook *hook, const struct webhook_settings *settings,
                             const struct webhooks_config *config, struct bursar_error *err)
{
    bool ignored;
    *hook = (struct hook){ .settings = *settings, .config = config, .lock_fd = -1 };
    return hook_set(hook, settings, &ignored, err);
}

/* Another place, or another way to be known there. */
static bool is_other_target(const struct hook *hook, const struct webhook_settings *settings, const uint8_t *secret,
                            size_t secret_bytes)
{
    return strcmp(hook->settings.url, settings->url) != 0 || strcmp(hook->settings.ca_file, settings->ca_file) != 0 ||
           hook->secret_bytes != secret_bytes || memcmp(hook->secret, secret, secret_bytes) != 0;
}

enum bursar_status hook_set(struct hook *hook, const struct webhook_settings *settings, bool *ret_is_other_target,
                            struct bursar_error *err)
{
    char endpoint[HTTP_ENDPOINT_MAX_BYTES];
    uint8_t secret[WEBHOOK_SECRET_MAX_BYTES];
    uint64_t causes = 0;
    size_t secret_bytes = 0;
    bool is_loopback = false;
    enum bursar_status status = http_url_read("a webhook's URL", settings->url, endpoint, &is_loopback, err);
    if (status == BURSAR_OK)
        status = webhook_causes(settings->events, &causes, err);
    if (status == BURSAR_OK)
        status = webhook_read_secret(settings, secret, &secret_bytes, err);
    if (status == BURSAR_OK) {
        *ret_is_other_target = is_other_target(hook, settings, secret, secret_bytes);
        hook->settings = *settings;
        memcpy(hook->endpoint, endpoint, sizeof endpoint);
        hook->is_loopback = is_loopback;
        hook->causes = causes;
        memcpy(hook->secret, secret, secret_bytes);
        hook->secret_bytes = secret_bytes;
        hook->queue.retry_ms = settings->retry_ms;
        hook->queue.retry_max_ms =
            settings->retry_max_ms > settings->retry_ms ? settings->retry_max_ms : settings->retry_ms;
        hook->is_ready = true;
    }
    explicit_bzero(secret, sizeof secret);
    return status;
}

void hook_cut_off(struct hook *hook, struct sender *sender, uint64_t now_ms)
{
    for (size_t i = 0; i < COUNT_OF(hook->deliveries); i++) {
        struct hook_delivery *delivery = &hook->deliveries[i];
        if (!delivery->hook)
            continue;
        sender_drop(sender, delivery);
        hook_queue_put_back(&hook->queue, delivery->seq);
        *delivery = (struct hook_delivery){ 0 };
    }
    hook_queue_try_now(&hook->queue, now_ms);
    hook->is_changed = true;
}

void hook_close(struct hook *hook)
{
    if (hook->lock_fd >= 0)
        (void)close(hook->lock_fd);
    hook->lock_fd = -1;
    explicit_bzero(hook->secret, sizeof hook->secret);
}

/* -- whose turn it is ---------------------------------------------------------------------------------------------- */

/* One byte of the file a webhook: the kernel gives it back when its holder dies. */
static enum bursar_status take_lock(struct hook *hook, struct bursar_error *err)
{
    char path[PATH_MAX_BYTES];
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = (off_t)hook->record.id, .l_len = 1 };
    (void)snprintf(path, sizeof path, "%s-webhook", hook->config->store_path);
    if (hook->lock_fd < 0)
        hook->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (hook->lock_fd < 0)
        return bursar_fail(err, BURSAR_ESTORAGE, "can't open %.300s: %s", path, strerror(errno));
    if (fcntl(hook->lock_fd, F_OFD_SETLK, &lock) == 0)
        return BURSAR_OK;
    if (errno == EAGAIN || errno == EACCES)
        return bursar_fail(err, BURSAR_EBUSY, "another process delivers it");
    return bursar_fail(err, BURSAR_ESTORAGE, "can't lock %.300s: %s", path, strerror(errno));
}

static int64_t lane_of(const struct event_record *event)
{
    return event->disbursement ? event->disbursement : -event->treasury;
}

static enum bursar_status take_kept(void *ctx, const struct event_record *event)
{
    struct hook *hook = ctx;
    return hook_queue_add_kept(&hook->queue, event->seq, lane_of(event)) ? BURSAR_OK : BURSAR_EINTERNAL;
}

enum bursar_status hook_take(struct hook *hook, const struct store *store, struct bursar_error *err)
{
    enum bursar_status status = store->webhook_find(store->ctx, hook->settings.name, &hook->record, err);
    if (status == BURSAR_ENOTFOUND)
        status = store->webhook_add(store->ctx, hook->settings.name, &hook->record, err);
    if (status == BURSAR_OK)
        status = take_lock(hook, err);
    if (status == BURSAR_OK) /* as whoever had it has left it */
        status = store->webhook_find(store->ctx, hook->settings.name, &hook->record, err);
    hook->queue.count = 0;
    hook->queue.read_seq = hook->record.seq;
    if (status == BURSAR_OK)
        status = store->webhook_kept(store->ctx, hook->record.id, take_kept, hook, err);
    hook->is_ours = status == BURSAR_OK;
    return status;
}

/* -- from the log -------------------------------------------------------------------------------------------------- */

static const char *treasury_name(const struct webhooks_config *config, int64_t id)
{
    for (size_t i = 0; i < config->treasury_count; i++) {
        if (config->treasuries[i].id == id)
            return config->treasuries[i].name;
    }
    return NULL;
}

struct filling {
    struct hook *hook;
    const struct store *store;
    size_t rows;
};

/* Its name for a treasury that the configuration does not have is the store's. */
static enum bursar_status name_of(const struct hook *hook, const struct store *store, int64_t treasury,
                                  char ret[TREASURY_NAME_MAX_BYTES], struct bursar_error *err)
{
    struct treasury stored;
    const char *name = treasury_name(hook->config, treasury);
    enum bursar_status status = BURSAR_OK;
    if (!name) {
        status = store->treasury_get(store->ctx, treasury, &stored, err);
        name = stored.name;
    }
    if (status == BURSAR_OK)
        (void)snprintf(ret, TREASURY_NAME_MAX_BYTES, "%s", name);
    return status;
}

static enum bursar_status take_event(void *ctx, const struct event_record *event)
{
    struct filling *filling = ctx;
    struct hook *hook = filling->hook;
    char name[TREASURY_NAME_MAX_BYTES];
    struct bursar_error ignored;
    bool is_wanted = (hook->causes >> (unsigned)event->cause & 1) != 0;
    if (is_wanted && hook->settings.treasuries[0]) {
        enum bursar_status status = name_of(hook, filling->store, event->treasury, name, &ignored);
        if (status != BURSAR_OK)
            return status;
        is_wanted = webhook_has_word(hook->settings.treasuries, name);
    }
    if (is_wanted && !hook_queue_add(&hook->queue, event->seq, lane_of(event)))
        return BURSAR_EINTERNAL; /* no more rows were asked for than there is room for */
    filling->rows++;
    hook->queue.read_seq = event->seq;
    hook->is_changed = true;
    return BURSAR_OK;
}

enum bursar_status hook_fill(struct hook *hook, const struct store *store, struct bursar_error *err)
{
    enum bursar_status status = BURSAR_OK;
    hook->is_at_end = false;
    for (int page = 0; page < FILL_PAGES_MAX_COUNT && status == BURSAR_OK; page++) {
        struct filling filling = { .hook = hook, .store = store };
        const size_t room = HOOK_PENDING_MAX_COUNT - hook->queue.count;
        if (room == 0)
            break;
        status = store->events(store->ctx, hook->queue.read_seq, room, take_event, &filling, err);
        hook->is_at_end = status == BURSAR_OK && filling.rows < room;
        if (hook->is_at_end)
            break;
    }
    return status;
}

/* -- on its way ---------------------------------------------------------------------------------------------------- */

struct body {
    const struct hook *hook;
    const struct store *store;
    char *text; /* malloc'd; NULL: it is not in the log */
    uint64_t seq;
};

static enum bursar_status write_body(void *ctx, const struct event_record *event)
{
    struct body *body = ctx;
    char name[TREASURY_NAME_MAX_BYTES];
    struct bursar_error ignored;
    enum bursar_status status = name_of(body->hook, body->store, event->treasury, name, &ignored);
    if (status != BURSAR_OK || event->seq != body->seq)
        return status;
    json_t *item = story_log_json(event, name);
    body->text = item ? json_dumps(item, JSON_COMPACT) : NULL;
    json_decref(item);
    return body->text ? BURSAR_OK : BURSAR_ENOMEM;
}

static struct hook_delivery *free_delivery(struct hook *hook)
{
    for (size_t i = 0; i < COUNT_OF(hook->deliveries); i++) {
        if (!hook->deliveries[i].hook)
            return &hook->deliveries[i];
    }
    return NULL;
}

static enum bursar_status post(struct hook *hook, struct sender *sender, uint64_t seq, const char *body,
                               struct bursar_error *err)
{
    char id[64], signature[WEBHOOK_SIGNATURE_TEXT_BYTES], signed_by[WEBHOOK_SIGNATURE_TEXT_BYTES + 32];
    char name[WEBHOOK_NAME_MAX_BYTES + 32];
    const struct clock *clock = &hook->config->clock;
    const size_t body_bytes = strlen(body);
    struct hook_delivery *delivery = free_delivery(hook);
    if (!delivery)
        return bursar_fail(err, BURSAR_EINTERNAL, "more events are on their way than there may be");
    webhook_sign(hook->secret, hook->secret_bytes, clock->wall_ms(clock->ctx) / 1000, body, body_bytes, signature);
    (void)snprintf(id, sizeof id, "Bursar-Event-Id: %llu", (unsigned long long)seq);
    (void)snprintf(signed_by, sizeof signed_by, "Bursar-Signature: %s", signature);
    (void)snprintf(name, sizeof name, "Bursar-Webhook: %s", hook->settings.name);
    struct sender_post request = { .url = hook->settings.url,
                                   .ca_file = hook->settings.ca_file,
                                   .is_loopback = hook->is_loopback,
                                   .timeout_ms = (uint32_t)hook->settings.timeout_ms,
                                   .headers = { id, signed_by, name },
                                   .body = body,
                                   .body_bytes = body_bytes };
    *delivery = (struct hook_delivery){ .hook = hook, .seq = seq };
    enum bursar_status status = sender_post(sender, &request, delivery, err);
    if (status != BURSAR_OK)
        *delivery = (struct hook_delivery){ 0 };
    return status;
}

enum bursar_status hook_send(struct hook *hook, const struct store *store, struct sender *sender, uint64_t now_ms,
                             struct bursar_error *err)
{
    uint64_t seq;
    enum bursar_status status = BURSAR_OK;
    while (status == BURSAR_OK && hook_queue_next(&hook->queue, now_ms, &seq)) {
        struct body body = { .hook = hook, .store = store, .seq = seq };
        status = store->events(store->ctx, seq - 1, 1, write_body, &body, err);
        if (status == BURSAR_OK && !body.text)
            status = bursar_fail(err, BURSAR_ESTORAGE, "event %llu is not in the log", (unsigned long long)seq);
        if (status == BURSAR_OK)
            status = post(hook, sender, seq, body.text, err);
        free(body.text);
        if (status != BURSAR_OK)
            hook_queue_put_back(&hook->queue, seq);
    }
    return status;
}

static uint64_t random_number(uint64_t otherwise)
{
    uint64_t number;
    return getrandom(&number, sizeof number, GRND_NONBLOCK) == (ssize_t)sizeof number ? number : otherwise;
}

void hook_sent(struct hook_delivery *delivery, bool is_delivered, const char *error, uint64_t now_ms)
{
    struct hook *hook = delivery->hook;
    const struct clock *clock = &hook->config->clock;
    const uint64_t wall_ms = clock->wall_ms(clock->ctx), seq = delivery->seq;
    *delivery = (struct hook_delivery){ 0 };
    hook->is_changed = true;
    if (is_delivered) {
        hook_queue_delivered(&hook->queue, seq, now_ms);
        hook->record.delivered++;
        hook->record.last_success_ms = wall_ms;
        return;
    }
    hook_queue_failed(&hook->queue, seq, now_ms, random_number(now_ms));
    hook->record.last_error_ms = wall_ms;
    (void)snprintf(hook->record.last_error, sizeof hook->record.last_error, "%s", error);
    note(&hook->config->notes, NOTE_WARN, "webhook %s: event %llu was not taken by %s: %s", hook->settings.name,
         (unsigned long long)seq, hook->endpoint, error);
}

/* -- where it stands ----------------------------------------------------------------------------------------------- */

/* On the wall clock: others read it. */
static uint64_t next_try_ms(const struct hook *hook, uint64_t now_ms)
{
    const struct clock *clock = &hook->config->clock;
    const uint64_t retry_ms = hook_queue_retry_ms(&hook->queue);
    if (retry_ms == UINT64_MAX)
        return 0;
    return clock->wall_ms(clock->ctx) + (retry_ms > now_ms ? retry_ms - now_ms : 0);
}

enum bursar_status hook_save(struct hook *hook, const struct store *store, uint64_t now_ms, struct bursar_error *err)
{
    uint64_t kept[HOOK_PENDING_MAX_COUNT];
    size_t count;
    if (!hook->is_ours || !hook->is_changed)
        return BURSAR_OK;
    hook_position(&hook->queue, &hook->record.seq, kept, &count);
    hook->record.next_try_ms = next_try_ms(hook, now_ms);
    enum bursar_status status = store->webhook_save(store->ctx, &hook->record, kept, count, err);
    hook->is_changed = status != BURSAR_OK;
    hook->saved_ms = now_ms;
    return status;
}

bool hook_is_done(const struct hook *hook)
{
    if (!hook->is_ours)
        return true;
    for (size_t i = 0; i < hook->queue.count; i++) {
        if (!hook->queue.events[i].is_kept)
            return false;
    }
    return hook->is_at_end && hook->queue.sending == 0;
}

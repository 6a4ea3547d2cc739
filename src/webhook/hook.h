/* One webhook at work: from the log into its queue, from there to the sender, and into the store where it stands. */
#ifndef WEBHOOK_HOOK_H
#define WEBHOOK_HOOK_H

#include "rpc/http_url.h"
#include "store/store.h"
#include "webhook/queue.h"
#include "webhook/sender.h"
#include "webhook/webhook.h"

struct hook;

/* What is on its way. */
struct hook_delivery {
    struct hook *hook; /* NULL: unused */
    uint64_t seq;
};

struct hook {
    struct webhook_settings settings; /* in force */
    const struct webhooks_config *config;
    char endpoint[HTTP_ENDPOINT_MAX_BYTES];
    bool is_loopback;
    uint64_t causes; /* bits */
    uint8_t secret[WEBHOOK_SECRET_MAX_BYTES];
    size_t secret_bytes;
    int lock_fd;     /* -1: not open */
    bool is_ready;   /* its settings are good */
    bool is_ours;    /* its lock is held, and where it stands was read */
    bool is_at_end;  /* of the log, when it was last looked at */
    bool is_changed; /* since it was saved */
    uint64_t saved_ms;
    uint64_t try_ms; /* to get the lock: not before this */
    struct webhook_record record;
    struct hook_queue queue;
    struct hook_delivery deliveries[HOOK_SENDING_MAX_COUNT];
};

/* Reads secret and URL. Close also after a failure. */
BURSAR_MUST_CHECK enum bursar_status hook_init(struct hook *hook, const struct webhook_settings *settings,
                                               const struct webhooks_config *config, struct bursar_error *err);
void hook_close(struct hook *hook);
/* Others for the same webhook, which keeps its place; reads the secret anew. After a failure those before stay in
 * force. *ret_is_other_target: what is on its way is not what would be sent now. */
BURSAR_MUST_CHECK enum bursar_status hook_set(struct hook *hook, const struct webhook_settings *settings,
                                              bool *ret_is_other_target, struct bursar_error *err);
/* Cuts off what is on its way: it is to be sent again, at once, as is what had failed. */
void hook_cut_off(struct hook *hook, struct sender *sender, uint64_t now_ms);
/* Takes its lock, and reads where it stands. EBUSY: another process has it. */
BURSAR_MUST_CHECK enum bursar_status hook_take(struct hook *hook, const struct store *store, struct bursar_error *err);
/* From the log into the queue, as far as there is room. */
BURSAR_MUST_CHECK enum bursar_status hook_fill(struct hook *hook, const struct store *store, struct bursar_error *err);
/* Hands what is due to the sender. */
BURSAR_MUST_CHECK enum bursar_status hook_send(struct hook *hook, const struct store *store, struct sender *sender,
                                               uint64_t now_ms, struct bursar_error *err);
void hook_sent(struct hook_delivery *delivery, bool is_delivered, const char *error, uint64_t now_ms);
/* Writes down where it stands, if that has changed. */
BURSAR_MUST_CHECK enum bursar_status hook_save(struct hook *hook, const struct store *store, uint64_t now_ms,
                                               struct bursar_error *err);
/* Nothing is left to do now but to wait. */
bool hook_is_done(const struct hook *hook);

#endif

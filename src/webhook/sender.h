/* POSTs several bodies at once, with libcurl. Certificates are checked, redirects are not followed, answers are read no
 * further than SENDER_ANSWER_MAX_BYTES and dropped. One thread, but for sender_wake. */
#ifndef WEBHOOK_SENDER_H
#define WEBHOOK_SENDER_H

#include <bursar/status.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SENDER_ANSWER_MAX_BYTES ((size_t)64 * 1024)
#define SENDER_ERROR_MAX_BYTES 300
#define SENDER_HEADERS_MAX_COUNT 4

struct sender;

struct sender_post {
    const char *url;
    const char *ca_file; /* "": the system's authorities */
    bool is_loopback;    /* no proxy then */
    uint32_t timeout_ms;
    const char *headers[SENDER_HEADERS_MAX_COUNT]; /* "Name: value"; NULL ends them */
    const char *body;                              /* JSON */
    size_t body_bytes;
};
/* Delivered means an answer of 200-299. `error` says what else, without the URL; "" when delivered. */
typedef void sender_done(void *ctx, void *tag, bool is_delivered, const char *error);

BURSAR_MUST_CHECK enum bursar_status sender_new(size_t posts_max_count, struct sender **ret, struct bursar_error *err);
/* Cuts off what is on its way, and tells nobody. NULL is fine. */
void sender_free(struct sender *sender);
/* Copies what it needs. EBUSY: as many as there may be are on their way. */
BURSAR_MUST_CHECK enum bursar_status sender_post(struct sender *sender, const struct sender_post *post, void *tag,
                                                 struct bursar_error *err);
/* Cuts off what was posted with this tag, and tells nobody. */
void sender_drop(struct sender *sender, const void *tag);
/* Works for up to wait_ms, less when something happens, and tells what has ended. */
void sender_work(struct sender *sender, uint64_t wait_ms, sender_done *done, void *ctx);
/* From any thread: ends the wait of sender_work. */
void sender_wake(struct sender *sender);

#endif

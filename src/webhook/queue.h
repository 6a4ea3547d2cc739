/* What one webhook still has to deliver, in which order, and when. Pure: no clock, no I/O, no randomness of its own.
 *
 * Events of one lane (a disbursement, or what concerns a whole treasury) are delivered one after the other; one that
 * fails holds back those behind it in its lane, and no others. Each failure doubles the wait, up to a ceiling. Failures
 * of several events in a row are taken for a receiver that is down: then it is tried with one event at a time. All of
 * it is bounded: when the queue is full, no more is read from the log. */
#ifndef WEBHOOK_QUEUE_H
#define WEBHOOK_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HOOK_PENDING_MAX_COUNT 256
#define HOOK_SENDING_MAX_COUNT 4 /* at once */
#define HOOK_DOWN_FAILURES 3     /* in a row: it is down */

struct hook_event {
    uint64_t seq;
    int64_t lane; /* a disbursement, or minus a treasury */
    unsigned failures;
    uint64_t due_ms;
    bool is_sending;
    bool is_kept; /* it, or one before it in its lane, has failed: `hook_position` passes it by */
};

struct hook_queue {
    uint64_t retry_ms, retry_max_ms;
    struct hook_event events[HOOK_PENDING_MAX_COUNT]; /* ascending */
    size_t count;
    size_t sending;
    uint64_t read_seq; /* so far was read from the log */
    unsigned failures; /* in a row, of different events */
    uint64_t failed_seq;
    uint64_t gate_ms; /* nothing before this, while it is down */
};

/* The wait after so many failures, 1 the first: between half of retry_ms * 2^(failures - 1) and all of it, at most
 * retry_max_ms. */
uint64_t hook_backoff_ms(uint64_t retry_ms, uint64_t retry_max_ms, unsigned failures, uint64_t random);

/* An event that is meant for it, behind all others. False: the queue is full. */
bool hook_queue_add(struct hook_queue *queue, uint64_t seq, int64_t lane);
/* As above, one that was kept back before. */
bool hook_queue_add_kept(struct hook_queue *queue, uint64_t seq, int64_t lane);
/* Which one to send now, which is from then on being sent. False: none. */
bool hook_queue_next(struct hook_queue *queue, uint64_t now_ms, uint64_t *ret_seq);
void hook_queue_delivered(struct hook_queue *queue, uint64_t seq, uint64_t now_ms);
void hook_queue_failed(struct hook_queue *queue, uint64_t seq, uint64_t now_ms, uint64_t random);
/* It was not sent after all, and nobody is to blame. */
void hook_queue_put_back(struct hook_queue *queue, uint64_t seq);
/* What has failed before is due, and the receiver is not taken to be down. */
void hook_queue_try_now(struct hook_queue *queue, uint64_t now_ms);
/* When to look again at the latest; UINT64_MAX: nothing waits for a time. */
uint64_t hook_queue_wake_ms(const struct hook_queue *queue);
/* When the first that has failed is sent again, or the receiver that is down is tried; what is past is being tried.
 * UINT64_MAX: nothing has failed. */
uint64_t hook_queue_retry_ms(const struct hook_queue *queue);
/* Where it stands: all up to *ret_seq are delivered but for ret_kept. */
void hook_position(const struct hook_queue *queue, uint64_t *ret_seq, uint64_t ret_kept[HOOK_PENDING_MAX_COUNT],
                   size_t *ret_kept_count);

#endif

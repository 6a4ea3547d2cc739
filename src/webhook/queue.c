/* See queue.h. */
#include "webhook/queue.h"

#include <string.h>

uint64_t hook_backoff_ms(uint64_t retry_ms, uint64_t retry_max_ms, unsigned failures, uint64_t random)
{
    uint64_t wait_ms = retry_ms;
    for (unsigned i = 1; i < failures && wait_ms < retry_max_ms; i++)
        wait_ms *= 2;
    if (wait_ms > retry_max_ms)
        wait_ms = retry_max_ms;
    return wait_ms / 2 + random % (wait_ms - wait_ms / 2 + 1);
}

static bool add(struct hook_queue *queue, struct hook_event event)
{
    if (queue->count == HOOK_PENDING_MAX_COUNT)
        return false;
    for (size_t i = 0; i < queue->count && !event.is_kept; i++)
        event.is_kept = queue->events[i].is_kept && queue->events[i].lane == event.lane;
    queue->events[queue->count++] = event;
    return true;
}

bool hook_queue_add(struct hook_queue *queue, uint64_t seq, int64_t lane)
{
    return add(queue, (struct hook_event){ .seq = seq, .lane = lane });
}

bool hook_queue_add_kept(struct hook_queue *queue, uint64_t seq, int64_t lane)
{
    return add(queue, (struct hook_event){ .seq = seq, .lane = lane, .is_kept = true });
}

static bool is_first_of_lane(const struct hook_queue *queue, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (queue->events[i].lane == queue->events[index].lane)
            return false;
    }
    return true;
}

static bool is_down(const struct hook_queue *queue)
{
    return queue->failures >= HOOK_DOWN_FAILURES;
}

static size_t sending_max(const struct hook_queue *queue)
{
    return is_down(queue) ? 1 : HOOK_SENDING_MAX_COUNT;
}

/* The one that is due; while the receiver is down the one that has failed least, so that one it will never take is not
 * all that it is tried with. */
bool hook_queue_next(struct hook_queue *queue, uint64_t now_ms, uint64_t *ret_seq)
{
    struct hook_event *found = NULL;
    if (queue->sending >= sending_max(queue) || (is_down(queue) && now_ms < queue->gate_ms))
        return false;
    for (size_t i = 0; i < queue->count; i++) {
        struct hook_event *event = &queue->events[i];
        if (event->is_sending || now_ms < event->due_ms || (found && event->failures >= found->failures) ||
            !is_first_of_lane(queue, i))
            continue;
        found = event;
        if (!is_down(queue))
            break;
    }
    if (!found)
        return false;
    found->is_sending = true;
    queue->sending++;
    *ret_seq = found->seq;
    return true;
}

static struct hook_event *sent(struct hook_queue *queue, uint64_t seq)
{
    for (size_t i = 0; i < queue->count; i++) {
        struct hook_event *event = &queue->events[i];
        if (event->seq == seq && event->is_sending) {
            event->is_sending = false;
            queue->sending--;
            return event;
        }
    }
    return NULL;
}

void hook_queue_delivered(struct hook_queue *queue, uint64_t seq, uint64_t now_ms)
{
    struct hook_event *event = sent(queue, seq);
    if (!event)
        return;
    if (is_down(queue)) /* it is back */
        hook_queue_try_now(queue, now_ms);
    queue->failures = 0;
    queue->failed_seq = 0;
    const size_t index = (size_t)(event - queue->events);
    memmove(event, event + 1, (queue->count - index - 1) * sizeof *event);
    queue->count--;
}

void hook_queue_failed(struct hook_queue *queue, uint64_t seq, uint64_t now_ms, uint64_t random)
{
    struct hook_event *event = sent(queue, seq);
    if (!event)
        return;
    event->failures++;
    queue->failures += queue->failed_seq != seq; /* one that it never takes says nothing of the others */
    queue->failed_seq = seq;
    event->due_ms = now_ms + hook_backoff_ms(queue->retry_ms, queue->retry_max_ms, event->failures, random);
    if (is_down(queue))
        queue->gate_ms = now_ms + hook_backoff_ms(queue->retry_ms, queue->retry_max_ms,
                                                  queue->failures - HOOK_DOWN_FAILURES + 1, random);
    for (size_t i = 0; i < queue->count; i++)
        queue->events[i].is_kept = queue->events[i].is_kept || queue->events[i].lane == event->lane;
}

void hook_queue_put_back(struct hook_queue *queue, uint64_t seq)
{
    (void)sent(queue, seq);
}

void hook_queue_try_now(struct hook_queue *queue, uint64_t now_ms)
{
    for (size_t i = 0; i < queue->count; i++)
        queue->events[i].due_ms = queue->events[i].due_ms > now_ms ? now_ms : queue->events[i].due_ms;
    queue->failures = 0;
    queue->failed_seq = 0;
}

uint64_t hook_queue_wake_ms(const struct hook_queue *queue)
{
    uint64_t wake_ms = UINT64_MAX;
    if (queue->sending >= sending_max(queue))
        return UINT64_MAX;
    for (size_t i = 0; i < queue->count; i++) {
        const struct hook_event *event = &queue->events[i];
        if (!event->is_sending && is_first_of_lane(queue, i) && event->due_ms < wake_ms)
            wake_ms = event->due_ms;
    }
    return is_down(queue) && wake_ms < queue->gate_ms ? queue->gate_ms : wake_ms;
}

uint64_t hook_queue_retry_ms(const struct hook_queue *queue)
{
    uint64_t retry_ms = UINT64_MAX;
    if (is_down(queue)) /* it is tried with any of them */
        return queue->sending > 0 ? queue->gate_ms : hook_queue_wake_ms(queue);
    for (size_t i = 0; i < queue->count; i++) {
        const struct hook_event *event = &queue->events[i];
        if (event->failures > 0 && event->due_ms < retry_ms)
            retry_ms = event->due_ms;
    }
    return retry_ms;
}

void hook_position(const struct hook_queue *queue, uint64_t *ret_seq, uint64_t ret_kept[HOOK_PENDING_MAX_COUNT],
                   size_t *ret_kept_count)
{
    uint64_t seq = queue->read_seq;
    size_t kept = 0;
    for (size_t i = 0; i < queue->count; i++) {
        if (!queue->events[i].is_kept) {
            seq = queue->events[i].seq - 1;
            break;
        }
        ret_kept[kept++] = queue->events[i].seq;
    }
    *ret_seq = seq;
    *ret_kept_count = kept;
}

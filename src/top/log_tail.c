/* See log_tail.h. */
#include "top/log_tail.h"

#include <stdio.h>

static void count(struct log_tail *tail, const struct event_record *event)
{
    const uint64_t second = event->at_ms / 1000;
    struct tail_second *slot = &tail->seconds[second % LOG_TAIL_SECONDS];
    if (event->to_state != STATE_EXECUTED && event->to_state != STATE_FINALIZED)
        return;
    if (event->from_state == event->to_state || slot->second > second) /* of a clock that was put back */
        return;
    if (slot->second != second)
        *slot = (struct tail_second){ .second = second };
    if (event->to_state == STATE_FINALIZED)
        slot->final++;
    if (event->from_state == STATE_STAGED) /* also where accepted is final at once */
        slot->included++;
}

void log_tail_add(struct log_tail *tail, const struct event_record *event)
{
    struct tail_event *slot = &tail->events[tail->seen++ % LOG_TAIL_EVENTS_COUNT];
    *slot = (struct tail_event){ .at_ms = event->at_ms,
                                 .cause = event->cause,
                                 .from_state = event->from_state,
                                 .to_state = event->to_state,
                                 .disbursement = event->disbursement };
    (void)snprintf(slot->ref, sizeof slot->ref, "%s", event->ref ? event->ref : "");
    (void)snprintf(slot->actor, sizeof slot->actor, "%s", event->actor ? event->actor : "");
    (void)snprintf(slot->detail, sizeof slot->detail, "%s", event->detail ? event->detail : "");
    count(tail, event);
}

const struct tail_event *log_tail_event(const struct log_tail *tail, size_t back)
{
    if (back >= LOG_TAIL_EVENTS_COUNT || back >= tail->seen)
        return NULL;
    return &tail->events[(tail->seen - 1 - back) % LOG_TAIL_EVENTS_COUNT];
}

void log_tail_rate(const struct log_tail *tail, uint64_t now_ms, uint64_t *ret_included, uint64_t *ret_final)
{
    const uint64_t now = now_ms / 1000;
    uint64_t included = 0, final = 0;
    for (size_t i = 0; i < LOG_TAIL_SECONDS; i++) {
        const struct tail_second *slot = &tail->seconds[i];
        if (slot->second > now || now - slot->second >= LOG_TAIL_SECONDS)
            continue;
        included += slot->included;
        final += slot->final;
    }
    *ret_included = included;
    *ret_final = final;
}

/* The end of the event log as it grows: the last events of a treasury, and how many payments got on in the last minute.
 * Pure: it is handed events in the log's order. */
#ifndef TOP_LOG_TAIL_H
#define TOP_LOG_TAIL_H

#include "domain/obligation.h"
#include "store/records.h"

#define LOG_TAIL_EVENTS_COUNT 100
#define LOG_TAIL_SECONDS 60
#define LOG_TAIL_TEXT_BYTES 256

struct tail_event {
    uint64_t at_ms;
    enum lifecycle_cause cause;
    int from_state, to_state;
    int64_t disbursement;
    char ref[REF_MAX_BYTES + 1];
    char actor[LOG_TAIL_TEXT_BYTES];
    char detail[LOG_TAIL_TEXT_BYTES];
};

struct tail_second {
    uint64_t second; /* since 1970 */
    uint32_t included;
    uint32_t final;
};

struct log_tail {
    struct tail_event events[LOG_TAIL_EVENTS_COUNT]; /* a ring: see log_tail_event */
    uint64_t seen;                                   /* so many were added */
    struct tail_second seconds[LOG_TAIL_SECONDS];
};

void log_tail_add(struct log_tail *tail, const struct event_record *event);
/* The newest is 0; NULL when there are no more. */
const struct tail_event *log_tail_event(const struct log_tail *tail, size_t back);
/* Seen in a block, and final, within the minute up to now. */
void log_tail_rate(const struct log_tail *tail, uint64_t now_ms, uint64_t *ret_included, uint64_t *ret_final);

#endif

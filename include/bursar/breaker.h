/* Circuit breaker: stops sending to an endpoint that keeps failing, and finds out with few requests when it is back.
 *
 *     closed --failure_threshold failures inside window_ms--> open --timeout_ms--> half_open
 *     half_open --success_threshold trials succeed--> closed          half_open --one trial fails--> open again, longer
 *
 * The caller asks before every request, and hands the ticket back once (never twice), with how the request ended:
 *
 *     if (bursar_breaker_allow_request(breaker, now_ms, &ticket)) {
 *         ... send one request ...
 *         bursar_breaker_record_success(breaker, ticket, now_ms);     or _record_failure, or _abandon
 *     }
 *
 * Rules
 *  - The window slides: a failure counts for window_ms from its own time, no longer and no shorter. A success does not
 *    wipe failures; only closing does (success_threshold trials, or a person).
 *  - With failure_rate_percent, what opens it is not a number of failures but their share of all calls in the window,
 * once there were rate_min_calls. That window moves on in sixteenths.
 *  - With slow_call_ms, a success that took that long is a failure.
 *  - Each time that it opens again without having closed, it stays open for twice as long, up to timeout_max_ms; and up
 *    to jitter_percent longer, so that many do not come back in one moment.
 *  - Half-open lets through what it still needs: never more trials without an answer than successes are missing.
 *  - A trial without an answer for timeout_ms has expired: the next request that asks may take its place, and then its
 *    answer counts for nothing, as if it had never come. Until its place is taken a late answer still counts, so a
 *    slow endpoint is not kept out for being slow. Concurrent callers should have timeout_ms above their own timeout.
 *  - A ticket counts only in the state it was taken in. Every change of state, reset and restore makes all tickets
 * taken before it worthless, also when the breaker is later in an equal state again. So does force_close when closed.
 *  - Forced open has no timer unless it is given one, and then ends half-open. Else it ends by force_close, reset, or
 *    restoring a memory that is not forced.
 *  - Held closed is closed for a time, whatever fails: failures are counted and seen as ever, and open nothing. It ends
 *    with its time, which it always has, or with the next of force_open, force_close, reset. When its time is over
 *    nothing else changes: what failed in it counts for window_ms from its own time, as ever, and tickets taken in it
 *    stay good.
 *  - Only a failure opens a closed breaker, never time, a look or a restore. So after a hold, or with a threshold that
 *    is lower than before, there may be as many failures as it takes, and the next one opens it.
 *
 * Time comes from the caller: `now_ms` is a monotonic clock in milliseconds. It may repeat; a value before the latest
 * one noted is taken as that one (what takes no lock notes none). A change by time alone (open -> half_open) has the
 * time at which it was due, whoever looks first, so looking often or seldom changes nothing.
 *
 * Threads: every function may be called on any thread at any time, except free. Allowing and succeeding while closed,
 * and refusing while open, take no lock; the first two write no shared memory, but for one counter where there is a
 * rate. All else takes a short mutex: not for signal handlers. Nothing here reads a clock, does I/O, logs or calls
 * back. */
#ifndef BURSAR_BREAKER_H
#define BURSAR_BREAKER_H

#include <bursar/status.h>

#include <stdbool.h>
#include <stdint.h>

#define BURSAR_BREAKER_THRESHOLD_MAX 1000
#define BURSAR_BREAKER_DURATION_MAX_MS 86400000
#define BURSAR_BREAKER_FORCED_MAX_MS UINT64_C(2592000000) /* 30 days */
#define BURSAR_BREAKER_HELD_MAX_MS 86400000
#define BURSAR_BREAKER_CALLS_MAX 1000000
#define BURSAR_BREAKER_SLICES 16 /* that the window of the rate is made of */
/* As a time or a duration: there is none. */
#define BURSAR_BREAKER_NEVER UINT64_MAX

struct bursar_breaker_config {
    uint32_t failure_threshold; /* failures inside the window that open it, 1-1,000 */
    uint32_t success_threshold; /* trials that must succeed to close it, 1-1,000 */
    uint64_t timeout_ms;        /* open until half-open, and how long a trial may take, 1-86,400,000 */
    uint64_t window_ms;         /* how long a failure counts, 1-86,400,000 */
    /* 0 leaves each of these out: */
    uint64_t timeout_max_ms;       /* open time doubles up to here, 0-86,400,000; less than timeout_ms: never longer */
    uint32_t jitter_percent;       /* 0-100 */
    uint64_t jitter_seed;          /* any; another one for each breaker */
    uint32_t failure_rate_percent; /* 0-100; in place of failure_threshold */
    uint32_t rate_min_calls;       /* 1-1,000,000 with a rate */
    uint64_t slow_call_ms;         /* 0-86,400,000 */
};

/* `struct bursar_breaker_config config = BURSAR_BREAKER_DEFAULTS;` */
#define BURSAR_BREAKER_DEFAULTS                                                                                        \
    {                                                                                                                  \
        .failure_threshold = 5, .success_threshold = 2, .timeout_ms = 60000, .window_ms = 300000,                      \
    }

/* BURSAR_OK, or BURSAR_EINVAL with the field and its range in `err` (may be NULL). */
BURSAR_MUST_CHECK enum bursar_status bursar_breaker_config_check(const struct bursar_breaker_config *config,
                                                                 struct bursar_error *err);

/* Shown in metrics and stored: never renumber, append only. */
enum bursar_breaker_state {
    BURSAR_BREAKER_CLOSED = 0,
    BURSAR_BREAKER_OPEN = 1,
    BURSAR_BREAKER_HALF_OPEN = 2,
};

/* "closed", "open", "half_open"; NULL for a number that is none. */
const char *bursar_breaker_state_name(enum bursar_breaker_state state);

struct bursar_breaker;

/* What allow_request hands out. A plain value without resources: copy and drop it freely, but read nothing into the
 * numbers. All zero is a ticket that counts for nothing. Two words, so that it is handed over in registers. */
struct bursar_breaker_ticket {
    uint64_t number;
    uint64_t taken_ms;
};

/* Was this request let through as a trial, while half-open? */
static inline bool bursar_breaker_ticket_is_trial(struct bursar_breaker_ticket ticket)
{
    return (ticket.number & 3) == BURSAR_BREAKER_HALF_OPEN;
}

/* A new breaker, closed, counters zero, for the caller to free; `config` is copied. BURSAR_EINVAL (see config_check) or
 * BURSAR_ENOMEM leave `*ret` untouched. */
BURSAR_MUST_CHECK enum bursar_status bursar_breaker_new(const struct bursar_breaker_config *config,
                                                        struct bursar_breaker **ret, struct bursar_error *err);
/* Only when no thread uses it any more. NULL is fine. Returns NULL. */
struct bursar_breaker *bursar_breaker_free(struct bursar_breaker *breaker);

/* May one request be sent now? If so `*ret_ticket` is to be handed back once; if not, it counts for nothing. */
BURSAR_MUST_CHECK bool bursar_breaker_allow_request(struct bursar_breaker *breaker, uint64_t now_ms,
                                                    struct bursar_breaker_ticket *ret_ticket);
/* The endpoint answered. */
void bursar_breaker_record_success(struct bursar_breaker *breaker, struct bursar_breaker_ticket ticket,
                                   uint64_t now_ms);
/* The endpoint failed, or did not answer in time. */
void bursar_breaker_record_failure(struct bursar_breaker *breaker, struct bursar_breaker_ticket ticket,
                                   uint64_t now_ms);
/* The request was never sent, or says nothing about the endpoint: gives a trial's place back. */
void bursar_breaker_abandon(struct bursar_breaker *breaker, struct bursar_breaker_ticket ticket);

/* Everything there is to see, of one instant. */
struct bursar_breaker_view {
    enum bursar_breaker_state state;
    bool forced;                /* by a person: open or held closed until next_change_at_ms, or open for good */
    uint32_t failures;          /* still inside the window; the newest failure_threshold are kept */
    uint32_t successes;         /* of trials, in this half-open period; else 0 */
    uint32_t trials;            /* without an answer yet, in this half-open period; else 0 */
    uint32_t openings;          /* how often it has opened by itself since it was last closed */
    uint64_t rate_calls;        /* with a rate: calls that ended inside the window, while closed; else 0 */
    uint64_t rate_failures;     /* those of them that failed */
    uint64_t since_failure_ms;  /* since the last failure that counted; or NEVER */
    uint64_t since_change_ms;   /* since the state last became another; or NEVER */
    uint64_t next_change_at_ms; /* now_ms at which open becomes half-open by itself, or a hold ends; or NEVER */
    uint64_t next_allow_at_ms;  /* earliest now_ms at which a request would be let through; or NEVER */
    uint64_t changes;           /* grows whenever there is something new to save; ageing is not */
};
void bursar_breaker_look(struct bursar_breaker *breaker, uint64_t now_ms, struct bursar_breaker_view *ret);

/* One field each of the above. `state` takes no lock while closed. */
enum bursar_breaker_state bursar_breaker_state(struct bursar_breaker *breaker, uint64_t now_ms);
uint32_t bursar_breaker_failure_count(struct bursar_breaker *breaker, uint64_t now_ms);
uint32_t bursar_breaker_success_count(struct bursar_breaker *breaker, uint64_t now_ms);
uint64_t bursar_breaker_since_failure_ms(struct bursar_breaker *breaker, uint64_t now_ms);
uint64_t bursar_breaker_since_change_ms(struct bursar_breaker *breaker, uint64_t now_ms);
uint64_t bursar_breaker_next_change_at_ms(struct bursar_breaker *breaker, uint64_t now_ms);

/* A person opens it: stays open, without a timer. Failures keep ageing. */
void bursar_breaker_force_open(struct bursar_breaker *breaker, uint64_t now_ms);
/* The same for `for_ms`, at most BURSAR_BREAKER_FORCED_MAX_MS (more is cut), then half-open. 0: without a timer. */
void bursar_breaker_force_open_for(struct bursar_breaker *breaker, uint64_t now_ms, uint64_t for_ms);
/* A person closes it: closed, counters zero. When the last failure was stays known. */
void bursar_breaker_force_close(struct bursar_breaker *breaker, uint64_t now_ms);
/* The same, and held closed for `for_ms`, at most BURSAR_BREAKER_HELD_MAX_MS (more is cut). 0: not held. */
void bursar_breaker_force_close_for(struct bursar_breaker *breaker, uint64_t now_ms, uint64_t for_ms);
/* As new: closed, counters zero, no failure and no change ever. */
void bursar_breaker_reset(struct bursar_breaker *breaker, uint64_t now_ms);

/* A part of the window of the rate. */
struct bursar_breaker_slice {
    uint32_t ago_ms; /* since it began */
    uint32_t calls;
    uint32_t failures; /* of them */
};

/* What a restart must not forget: plain values without pointers, in whatever form the caller stores them. All times are
 * how long ago something was when it was saved; the one wall-clock time says when that was. */
struct bursar_breaker_memory {
    enum bursar_breaker_state state;
    bool forced;                                           /* open only: by a person */
    uint64_t saved_wall_ms;                                /* milliseconds since 1970 */
    uint64_t open_left_ms;                                 /* open: until half-open; 0: forced, without a timer */
    uint64_t failed_ago_ms;                                /* since the last failure that counted; or NEVER */
    uint64_t changed_ago_ms;                               /* since the last change of state; or NEVER */
    uint64_t trial_ago_ms;                                 /* since the youngest of `trials` began; 0 without any */
    uint32_t successes;                                    /* half-open only */
    uint32_t trials;                                       /* half-open only: without an answer */
    uint32_t failures;                                     /* how many of the next are set */
    uint32_t failure_ago_ms[BURSAR_BREAKER_THRESHOLD_MAX]; /* inside the window, the oldest first; the rest is 0 */
    uint32_t openings;
    uint32_t slices;                                          /* how many of the next are set */
    struct bursar_breaker_slice slice[BURSAR_BREAKER_SLICES]; /* the oldest first; the rest is 0 */
    uint64_t held_left_ms;                                    /* closed only: until its hold ends; 0: not held */
};

/* Save whenever `changes` has grown, before acting on what changed it: a failure that was not saved is forgotten by a
 * crash, a trial that was not saved is given out again. Saving often keeps what is left of the timeout precise. */
void bursar_breaker_save(struct bursar_breaker *breaker, uint64_t now_ms, uint64_t wall_ms,
                         struct bursar_breaker_memory *ret);

/* Puts a breaker, usually a new one, where the memory says. The time between is measured on the wall clock: failures
 * age by it, the timeout runs on. Save again right after restoring, so that the next restart measures from here. Then
 *  - Restarting closes nothing: open stays open until its timeout, half-open keeps its successes but is never closed by
 *    them alone, forced stays forced. Trials that were out stay out until they expire, so a process that crashes in its
 *    trials gets no new ones by starting again.
 *  - A wall clock that went back (or another machine's that lags) counts as no time at all: failures count longer. Open
 *    never lasts longer from this restore than it would if it opened now, whatever the memory says; forced, than it was
 *    told to.
 *  - Held closed lasts no longer from this restore than was left of it, less by as much as the wall clock has moved
 *    since, ahead or back: in doubt it is over.
 *  - A wall clock that went far ahead can age failures out and make an open breaker half-open early: that costs at
 *    most success_threshold trials, and closing still takes that many successes.
 *  - Of the calls for the rate, those since the last save are forgotten.
 *  - The configuration may have changed since: if a lower failure_threshold has already been reached inside the window,
 *    the next failure opens it.
 * BURSAR_EINVAL for a memory that cannot have been saved (damaged): says why, and the breaker is untouched. */
BURSAR_MUST_CHECK enum bursar_status bursar_breaker_restore(struct bursar_breaker *breaker,
                                                            const struct bursar_breaker_memory *memory, uint64_t now_ms,
                                                            uint64_t wall_ms, struct bursar_error *err);

/* Goes on with another configuration, which is copied. As after a restart with it, but that nothing is forgotten:
 *  - The state stays. What is still inside the new window is counted on, up to the new failure_threshold; if that has
 *    been reached already, the next failure opens it.
 *  - Open lasts no longer from now on than it would if it opened now with the new configuration; forced open
 *    and held closed last for as long as they were told to.
 *  - Half-open keeps its successes but is never closed by them alone. Trials expire by the new timeout_ms; of more than
 *    are still needed the oldest have expired.
 *  - Tickets stay good.
 * BURSAR_EINVAL (see config_check): the breaker is untouched. */
BURSAR_MUST_CHECK enum bursar_status bursar_breaker_reconfigure(struct bursar_breaker *breaker,
                                                                const struct bursar_breaker_config *config,
                                                                uint64_t now_ms, struct bursar_error *err);

#endif

/* The breaker's inside, shared by its files: breaker.c (rules), breaker_rate.c (the share of failures), breaker_view.c
 * (looking), breaker_memory.c (save and restore), breaker_reconfigure.c (another configuration).
 *
 * Time inside is signed, so that what happened before a reboot still has a place on a clock that starts at zero.
 * Callers' times and ages are cut to BREAKER_TIME_MAX and BREAKER_AGE_MAX first; no sum of those can overflow. */
#ifndef DOMAIN_BREAKER_PARTS_H
#define DOMAIN_BREAKER_PARTS_H

#include <bursar/breaker.h>

#include <pthread.h>
#include <stdalign.h>
#include <stdatomic.h>

#define BREAKER_TIME_MAX (INT64_C(1) << 61)
#define BREAKER_AGE_MAX (INT64_C(1) << 60)
#define BREAKER_TIME_NONE INT64_MIN  /* as a time in the past: never happened */
#define BREAKER_TIME_UNDUE INT64_MAX /* as a deadline: never comes */
#define BREAKER_LINE_BYTES 64

struct breaker_trial {
    uint64_t number; /* its ticket's; 0: of an earlier process, nobody holds its ticket */
    int64_t expires_at;
};

/* The first line is what the fast paths read, and they write nothing. `word` (generation << 2 | state) says in one load
 * what a ticket must match. It is stored last in a change, by the lock's holder; everything below belongs to the lock.
 */
struct bursar_breaker {
    alignas(BREAKER_LINE_BYTES) _Atomic uint64_t word;
    _Atomic int64_t refuse_until; /* open: the end of the timeout, or UNDUE without one; else of the last time */
    /* Written by breaker_take_config only. Without the lock each is read once: it may change. */
    _Atomic bool judges_successes; /* there is a rate, or slow calls count */
    _Atomic uint64_t slow_call_ms; /* as configured */
    _Atomic int64_t slice_ms;      /* 0: there is no rate */

    /* What each slice of the window has seen: its number << 32 | how many. */
    alignas(BREAKER_LINE_BYTES) _Atomic uint64_t calls[BURSAR_BREAKER_SLICES];
    _Atomic uint64_t failed_calls[BURSAR_BREAKER_SLICES];

    alignas(BREAKER_LINE_BYTES) pthread_mutex_t lock;
    struct bursar_breaker_config config;
    int64_t now; /* the latest time seen */
    int64_t changed_at;
    int64_t failed_at;
    bool forced;
    int64_t held_until; /* forced and closed */
    uint32_t openings;
    uint64_t changes;
    uint64_t trial_numbers; /* how many were ever given out */
    uint32_t successes;
    uint32_t trials;
    uint32_t failures;
    struct breaker_trial trial[BURSAR_BREAKER_THRESHOLD_MAX]; /* the oldest first */
    int64_t failure_at[BURSAR_BREAKER_THRESHOLD_MAX];         /* the oldest first, at most failure_threshold */
};

void breaker_lock(struct bursar_breaker *b);
void breaker_unlock(struct bursar_breaker *b);

/* The rest needs the lock, but for a new breaker. */
void breaker_take_config(struct bursar_breaker *b, const struct bursar_breaker_config *config);
enum bursar_breaker_state breaker_state(const struct bursar_breaker *b);
/* A person holds it closed. */
bool breaker_is_held(const struct bursar_breaker *b);
/* Takes in the caller's time: opens half if the timeout is over, ends a hold, forgets failures that left the window. */
void breaker_advance(struct bursar_breaker *b, uint64_t now_ms);
/* The one place where the state changes. `until` is for open: the end of the timeout, or UNDUE. Not forced: who forces
 * it says so afterwards. */
void breaker_change(struct bursar_breaker *b, enum bursar_breaker_state to, int64_t at, int64_t until);
/* How long it is open the n-th time in a row, without and with all of the jitter. */
uint64_t breaker_open_ms(const struct bursar_breaker *b, uint32_t openings);
uint64_t breaker_open_max_ms(const struct bursar_breaker *b, uint32_t openings);
/* Open: the end of the timeout, or UNDUE. */
int64_t breaker_deadline(const struct bursar_breaker *b);
/* Half-open: when the next trial can begin: at once (`now`), or when the oldest one expires. */
int64_t breaker_next_trial_at(const struct bursar_breaker *b);

/* -- the rate. Nothing is counted without one ---------------------------------------------------------------------- */

/* A call that ended, while closed. Takes no lock. */
void breaker_rate_count(_Atomic uint64_t slices[BURSAR_BREAKER_SLICES], int64_t slice_ms, int64_t now);
void breaker_rate_clear(struct bursar_breaker *b);
/* Inside the window. */
void breaker_rate_look(const struct bursar_breaker *b, uint64_t *ret_calls, uint64_t *ret_failures);
bool breaker_rate_is_tripped(const struct bursar_breaker *b);
void breaker_rate_save(const struct bursar_breaker *b, struct bursar_breaker_memory *ret);
void breaker_rate_recall(struct bursar_breaker *b, const struct bursar_breaker_memory *memory, int64_t saved_at);

#endif

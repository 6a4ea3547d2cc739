/* The breaker's inside, shared by its files: breaker.c (rules), breaker_view.c (looking), breaker_memory.c (save and
 * restore).
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
    uint64_t number; /* 0: of an earlier process, nobody holds its ticket */
    int64_t expires_at;
};

/* The first line is what the fast paths read, and they write nothing. `word` (generation << 2 | state) says in one load
 * what a ticket must match. It is stored last in a change, by the lock's holder; everything below belongs to the lock.
 */
struct bursar_breaker {
    alignas(BREAKER_LINE_BYTES) _Atomic uint64_t word;
    _Atomic int64_t refuse_until; /* open: the end of the timeout, or UNDUE when forced; else of the last time */

    alignas(BREAKER_LINE_BYTES) pthread_mutex_t lock;
    struct bursar_breaker_config config;
    int64_t now; /* the latest time seen */
    int64_t changed_at;
    int64_t failed_at;
    bool forced;
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

/* The rest needs the lock. */
enum bursar_breaker_state breaker_state(const struct bursar_breaker *b);
/* Takes in the caller's time: opens half if the timeout is over, forgets failures that left the window. */
void breaker_advance(struct bursar_breaker *b, uint64_t now_ms);
/* The one place where the state changes. `until` is for open: the end of the timeout, or UNDUE = forced. */
void breaker_change(struct bursar_breaker *b, enum bursar_breaker_state to, int64_t at, int64_t until);
/* Open from now on, for the configured timeout. */
void breaker_open(struct bursar_breaker *b);
/* Open: the end of the timeout, or UNDUE. */
int64_t breaker_deadline(const struct bursar_breaker *b);
/* Half-open: when the next trial can begin: at once (`now`), or when the oldest one expires. */
int64_t breaker_next_trial_at(const struct bursar_breaker *b);

#endif

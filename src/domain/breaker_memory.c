/* What a breaker remembers over a restart (bursar/breaker.h, save and restore). Ages and one wall-clock time are saved,
 * because a monotonic clock may start anew. The wall clock is believed about the time in between only, and only where
 * believing it costs a few trials at most: it never closes anything, it never keeps anything open beyond a timeout, and
 * it only ever shortens a hold. */
#include "domain/breaker_parts.h"

#include <inttypes.h>

static uint64_t ago(const struct bursar_breaker *b, int64_t at)
{
    return at == BREAKER_TIME_NONE ? BURSAR_BREAKER_NEVER : (uint64_t)(b->now - at);
}

void bursar_breaker_save(struct bursar_breaker *breaker, uint64_t now_ms, uint64_t wall_ms,
                         struct bursar_breaker_memory *ret)
{
    memset(ret, 0, sizeof *ret);
    breaker_lock(breaker);
    breaker_advance(breaker, now_ms);
    ret->state = breaker_state(breaker);
    ret->forced = breaker->forced && ret->state == BURSAR_BREAKER_OPEN;
    if (breaker_is_held(breaker))
        ret->held_left_ms = (uint64_t)(breaker->held_until - breaker->now);
    ret->saved_wall_ms = wall_ms;
    if (ret->state == BURSAR_BREAKER_OPEN && breaker_deadline(breaker) != BREAKER_TIME_UNDUE)
        ret->open_left_ms = (uint64_t)(breaker_deadline(breaker) - breaker->now);
    ret->failed_ago_ms = ago(breaker, breaker->failed_at);
    ret->changed_ago_ms = ago(breaker, breaker->changed_at);
    ret->successes = breaker->successes;
    ret->trials = breaker->trials;
    if (breaker->trials)
        ret->trial_ago_ms =
            ago(breaker, breaker->trial[breaker->trials - 1].expires_at - (int64_t)breaker->config.timeout_ms);
    ret->failures = breaker->failures;
    for (uint32_t i = 0; i < breaker->failures; i++) /* inside the window, so they fit */
        ret->failure_ago_ms[i] = (uint32_t)(breaker->now - breaker->failure_at[i]);
    ret->openings = breaker->openings;
    breaker_rate_save(breaker, ret);
    breaker_unlock(breaker);
}

/* What is wrong with it; NULL if it can have been saved. */
static const char *damage(const struct bursar_breaker_memory *memory)
{
    if (!bursar_breaker_state_name(memory->state))
        return "there is no such state";
    if (memory->forced && memory->state != BURSAR_BREAKER_OPEN)
        return "forced, but not open";
    if (memory->held_left_ms && memory->state != BURSAR_BREAKER_CLOSED)
        return "held closed, but not closed";
    if (memory->held_left_ms > BURSAR_BREAKER_HELD_MAX_MS)
        return "held closed for longer than can be";
    if (memory->open_left_ms > (memory->forced ? BURSAR_BREAKER_FORCED_MAX_MS : 2 * BURSAR_BREAKER_DURATION_MAX_MS))
        return "its timeout is longer than any"; /* the jitter may double it */
    if ((memory->successes || memory->trials) && memory->state != BURSAR_BREAKER_HALF_OPEN)
        return "trials, but not half-open";
    if (memory->successes > BURSAR_BREAKER_THRESHOLD_MAX || memory->trials > BURSAR_BREAKER_THRESHOLD_MAX)
        return "more trials than there can be";
    if (memory->failures > BURSAR_BREAKER_THRESHOLD_MAX)
        return "more failures than there can be";
    for (uint32_t i = 0; i < memory->failures; i++) {
        if (memory->failure_ago_ms[i] > BURSAR_BREAKER_DURATION_MAX_MS)
            return "a failure older than any window";
        if (i > 0 && memory->failure_ago_ms[i] > memory->failure_ago_ms[i - 1])
            return "its failures are out of order";
    }
    if (memory->openings && memory->state == BURSAR_BREAKER_CLOSED)
        return "closed, but not closed since it opened";
    if (memory->slices > BURSAR_BREAKER_SLICES)
        return "more slices than the window has";
    return NULL;
}

static uint64_t at_most(uint64_t value, uint64_t limit)
{
    return value < limit ? value : limit;
}

/* Where something lies on our clock that was `ago_ms` before `saved_at`. */
static int64_t time_ago(int64_t saved_at, uint64_t ago_ms)
{
    return ago_ms == BURSAR_BREAKER_NEVER ? BREAKER_TIME_NONE
                                          : saved_at - (int64_t)at_most(ago_ms, (uint64_t)BREAKER_AGE_MAX);
}

static int64_t remembered_deadline(const struct bursar_breaker *b, const struct bursar_breaker_memory *memory,
                                   int64_t saved_at)
{
    if (memory->state != BURSAR_BREAKER_OPEN)
        return BREAKER_TIME_NONE;
    if (memory->forced)
        return memory->open_left_ms ? saved_at + (int64_t)memory->open_left_ms : BREAKER_TIME_UNDUE;
    return saved_at + (int64_t)at_most(memory->open_left_ms, breaker_open_max_ms(b, memory->openings));
}

/* Which way the wall clock has moved does not matter: a hold is the one thing that must not last for longer. */
static void recall_hold(struct bursar_breaker *b, const struct bursar_breaker_memory *memory, uint64_t wall_ms)
{
    uint64_t moved_ms =
        wall_ms > memory->saved_wall_ms ? wall_ms - memory->saved_wall_ms : memory->saved_wall_ms - wall_ms;
    if (memory->held_left_ms <= moved_ms)
        return;
    b->forced = true;
    b->held_until = b->now + (int64_t)(memory->held_left_ms - moved_ms);
}

/* Successes alone never close it here: at least one trial has to succeed in this process. */
static void recall_trials(struct bursar_breaker *b, const struct bursar_breaker_memory *memory, int64_t saved_at)
{
    int64_t expires_at =
        time_ago(saved_at, at_most(memory->trial_ago_ms, (uint64_t)BREAKER_AGE_MAX)) + (int64_t)b->config.timeout_ms;
    b->successes = (uint32_t)at_most(memory->successes, b->config.success_threshold - 1);
    b->trials = (uint32_t)at_most(memory->trials, b->config.success_threshold - b->successes);
    for (uint32_t i = 0; i < b->trials; i++)
        b->trial[i] = (struct breaker_trial){ .number = 0, .expires_at = expires_at };
}

static void recall_failures(struct bursar_breaker *b, const struct bursar_breaker_memory *memory, int64_t saved_at)
{
    b->failures = (uint32_t)at_most(memory->failures, b->config.failure_threshold); /* the newest */
    const uint32_t *ages_ms = memory->failure_ago_ms + (memory->failures - b->failures);
    for (uint32_t i = 0; i < b->failures; i++)
        b->failure_at[i] = time_ago(saved_at, ages_ms[i]);
}

enum bursar_status bursar_breaker_restore(struct bursar_breaker *breaker, const struct bursar_breaker_memory *memory,
                                          uint64_t now_ms, uint64_t wall_ms, struct bursar_error *err)
{
    const char *wrong = damage(memory);
    if (wrong)
        return bursar_fail(err, BURSAR_EINVAL, "the circuit breaker's stored state is damaged: %s", wrong);
    uint64_t elapsed_ms = wall_ms > memory->saved_wall_ms ? wall_ms - memory->saved_wall_ms : 0;
    breaker_lock(breaker);
    breaker_advance(breaker, now_ms);
    int64_t saved_at = breaker->now - (int64_t)at_most(elapsed_ms, (uint64_t)BREAKER_AGE_MAX);
    breaker_change(breaker, memory->state, breaker->now, remembered_deadline(breaker, memory, saved_at));
    breaker->forced = memory->forced;
    recall_hold(breaker, memory, wall_ms);
    breaker->openings = memory->openings;
    breaker->changed_at = time_ago(saved_at, memory->changed_ago_ms);
    breaker->failed_at = time_ago(saved_at, memory->failed_ago_ms);
    recall_failures(breaker, memory, saved_at);
    recall_trials(breaker, memory, saved_at);
    breaker_rate_recall(breaker, memory, saved_at);
    breaker_advance(breaker, now_ms); /* the timeout may be over by now, failures may have left the window */
    breaker_unlock(breaker);
    return BURSAR_OK;
}

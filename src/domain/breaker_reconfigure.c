/* Another configuration for a breaker at work (bursar/breaker.h, reconfigure). What was counted is judged by the new
 * one from now on; what it has handed out stays good. */
#include "domain/breaker_parts.h"

void breaker_take_config(struct bursar_breaker *b, const struct bursar_breaker_config *config)
{
    int64_t slice_ms = (int64_t)(config->window_ms + BURSAR_BREAKER_SLICES - 1) / BURSAR_BREAKER_SLICES;
    b->config = *config;
    atomic_store_explicit(&b->slow_call_ms, config->slow_call_ms, memory_order_relaxed);
    atomic_store_explicit(&b->slice_ms, config->failure_rate_percent ? slice_ms : 0, memory_order_relaxed);
    atomic_store_explicit(&b->judges_successes, config->failure_rate_percent || config->slow_call_ms,
                          memory_order_relaxed);
}

static uint32_t at_most(uint32_t value, uint32_t limit)
{
    return value < limit ? value : limit;
}

/* The newest of them. */
static void keep_failures(struct bursar_breaker *b)
{
    uint32_t kept = at_most(b->failures, b->config.failure_threshold);
    memmove(b->failure_at, b->failure_at + (b->failures - kept), kept * sizeof b->failure_at[0]);
    b->failures = kept;
}

/* Successes alone never close it here, as after a restart; the oldest trials are given up where fewer are needed. */
static void keep_trials(struct bursar_breaker *b, uint64_t timeout_before_ms)
{
    b->successes = at_most(b->successes, b->config.success_threshold - 1);
    uint32_t kept = at_most(b->trials, b->config.success_threshold - b->successes);
    memmove(b->trial, b->trial + (b->trials - kept), kept * sizeof b->trial[0]);
    b->trials = kept;
    for (uint32_t i = 0; i < b->trials; i++)
        b->trial[i].expires_at += (int64_t)b->config.timeout_ms - (int64_t)timeout_before_ms;
}

/* Not longer than it would be if it opened now; what a person asked for stays. */
static void keep_deadline(struct bursar_breaker *b)
{
    int64_t latest = b->now + (int64_t)breaker_open_max_ms(b, b->openings);
    if (!b->forced && breaker_state(b) == BURSAR_BREAKER_OPEN && breaker_deadline(b) > latest)
        atomic_store_explicit(&b->refuse_until, latest, memory_order_relaxed);
}

enum bursar_status bursar_breaker_reconfigure(struct bursar_breaker *breaker,
                                              const struct bursar_breaker_config *config, uint64_t now_ms,
                                              struct bursar_error *err)
{
    struct bursar_breaker_memory rate = { .slices = 0 };
    enum bursar_status status = bursar_breaker_config_check(config, err);
    if (status != BURSAR_OK)
        return status;
    breaker_lock(breaker);
    breaker_advance(breaker, now_ms);
    const uint64_t timeout_before_ms = breaker->config.timeout_ms;
    const int64_t slice_before_ms = breaker->slice_ms;
    breaker_rate_save(breaker, &rate);
    breaker_take_config(breaker, config);
    if (breaker->slice_ms != slice_before_ms)
        breaker_rate_recall(breaker, &rate, breaker->now);
    keep_failures(breaker);
    keep_trials(breaker, timeout_before_ms);
    keep_deadline(breaker);
    breaker->changes++;
    breaker_advance(breaker, now_ms); /* failures may have left a shorter window */
    breaker_unlock(breaker);
    return BURSAR_OK;
}

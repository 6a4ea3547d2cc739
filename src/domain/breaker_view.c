/* What there is to see of a breaker (bursar/breaker.h): one consistent look, and its fields one by one. Looking takes
 * in the time, so it may half-open a breaker whose timeout is over; it changes nothing that time had not changed
 * already. */
#include "domain/breaker_parts.h"

const char *bursar_breaker_state_name(enum bursar_breaker_state state)
{
    switch (state) {
    case BURSAR_BREAKER_CLOSED:
        return "closed";
    case BURSAR_BREAKER_OPEN:
        return "open";
    case BURSAR_BREAKER_HALF_OPEN:
        return "half_open";
    }
    return NULL;
}

static uint64_t since(const struct bursar_breaker *b, int64_t at)
{
    return at == BREAKER_TIME_NONE ? BURSAR_BREAKER_NEVER : (uint64_t)(b->now - at);
}

static uint64_t deadline_shown(int64_t at)
{
    return at == BREAKER_TIME_UNDUE ? BURSAR_BREAKER_NEVER : (uint64_t)at;
}

void bursar_breaker_look(struct bursar_breaker *breaker, uint64_t now_ms, struct bursar_breaker_view *ret)
{
    breaker_lock(breaker);
    breaker_advance(breaker, now_ms);
    *ret = (struct bursar_breaker_view){
        .state = breaker_state(breaker),
        .forced = breaker->forced,
        .failures = breaker->failures,
        .successes = breaker->successes,
        .trials = breaker->trials,
        .openings = breaker->openings,
        .since_failure_ms = since(breaker, breaker->failed_at),
        .since_change_ms = since(breaker, breaker->changed_at),
        .next_change_at_ms = BURSAR_BREAKER_NEVER,
        .changes = breaker->changes,
    };
    breaker_rate_look(breaker, &ret->rate_calls, &ret->rate_failures);
    switch (ret->state) {
    case BURSAR_BREAKER_CLOSED:
        ret->next_allow_at_ms = (uint64_t)breaker->now;
        if (breaker_is_held(breaker))
            ret->next_change_at_ms = (uint64_t)breaker->held_until;
        break;
    case BURSAR_BREAKER_OPEN:
        ret->next_change_at_ms = ret->next_allow_at_ms = deadline_shown(breaker_deadline(breaker));
        break;
    case BURSAR_BREAKER_HALF_OPEN:
        ret->next_allow_at_ms = (uint64_t)breaker_next_trial_at(breaker);
        break;
    }
    breaker_unlock(breaker);
}

static struct bursar_breaker_view looked(struct bursar_breaker *breaker, uint64_t now_ms)
{
    struct bursar_breaker_view view;
    bursar_breaker_look(breaker, now_ms, &view);
    return view;
}

enum bursar_breaker_state bursar_breaker_state(struct bursar_breaker *breaker, uint64_t now_ms)
{
    if (breaker_state(breaker) == BURSAR_BREAKER_CLOSED)
        return BURSAR_BREAKER_CLOSED; /* no time alone ends closed */
    return looked(breaker, now_ms).state;
}

uint32_t bursar_breaker_failure_count(struct bursar_breaker *breaker, uint64_t now_ms)
{
    return looked(breaker, now_ms).failures;
}

uint32_t bursar_breaker_success_count(struct bursar_breaker *breaker, uint64_t now_ms)
{
    return looked(breaker, now_ms).successes;
}

uint64_t bursar_breaker_since_failure_ms(struct bursar_breaker *breaker, uint64_t now_ms)
{
    return looked(breaker, now_ms).since_failure_ms;
}

uint64_t bursar_breaker_since_change_ms(struct bursar_breaker *breaker, uint64_t now_ms)
{
    return looked(breaker, now_ms).since_change_ms;
}

uint64_t bursar_breaker_next_change_at_ms(struct bursar_breaker *breaker, uint64_t now_ms)
{
    return looked(breaker, now_ms).next_change_at_ms;
}

/* The circuit breaker's rules (bursar/breaker.h). Pure but for its own lock: time comes in, nothing goes out.
 *
 * One word holds generation and state, so a ticket is valid or not by one comparison, and nobody can see a state with
 * the time of another: who finds the timeout over takes the lock and looks again before half-opening. */
#include "domain/breaker_parts.h"

#include <inttypes.h>

#define STATE_BITS 2
#define STATE_MASK ((UINT64_C(1) << STATE_BITS) - 1)
_Static_assert(STATE_MASK == 3, "what bursar_breaker_ticket_is_trial looks at");
_Static_assert(sizeof(struct bursar_breaker_ticket) == 16,
               "a third word is handed over in memory: three times as slow");

static enum bursar_breaker_state state_of(uint64_t word)
{
    return (enum bursar_breaker_state)(word & STATE_MASK);
}

static int64_t time_from(uint64_t now_ms)
{
    return now_ms < (uint64_t)BREAKER_TIME_MAX ? (int64_t)now_ms : BREAKER_TIME_MAX;
}

enum bursar_status bursar_breaker_config_check(const struct bursar_breaker_config *config, struct bursar_error *err)
{
    const struct {
        const char *name;
        uint64_t value, min, max;
    } fields[] = {
        { "failure_threshold", config->failure_threshold, 1, BURSAR_BREAKER_THRESHOLD_MAX },
        { "success_threshold", config->success_threshold, 1, BURSAR_BREAKER_THRESHOLD_MAX },
        { "timeout_ms", config->timeout_ms, 1, BURSAR_BREAKER_DURATION_MAX_MS },
        { "window_ms", config->window_ms, 1, BURSAR_BREAKER_DURATION_MAX_MS },
        { "timeout_max_ms", config->timeout_max_ms, 0, BURSAR_BREAKER_DURATION_MAX_MS },
        { "jitter_percent", config->jitter_percent, 0, 100 },
        { "failure_rate_percent", config->failure_rate_percent, 0, 100 },
        { "rate_min_calls", config->rate_min_calls, config->failure_rate_percent > 0, BURSAR_BREAKER_CALLS_MAX },
        { "slow_call_ms", config->slow_call_ms, 0, BURSAR_BREAKER_DURATION_MAX_MS },
    };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (fields[i].value < fields[i].min || fields[i].value > fields[i].max)
            return bursar_fail(err, BURSAR_EINVAL,
                               "circuit breaker: %s is %" PRIu64 "; it must be %" PRIu64 "-%" PRIu64, fields[i].name,
                               fields[i].value, fields[i].min, fields[i].max);
    }
    return BURSAR_OK;
}

enum bursar_status bursar_breaker_new(const struct bursar_breaker_config *config, struct bursar_breaker **ret,
                                      struct bursar_error *err)
{
    enum bursar_status status = bursar_breaker_config_check(config, err);
    if (status != BURSAR_OK)
        return status;
    struct bursar_breaker *b = aligned_alloc(BREAKER_LINE_BYTES, sizeof *b);
    if (!b)
        return bursar_fail(err, BURSAR_ENOMEM, "circuit breaker: out of memory");
    memset(b, 0, sizeof *b);
    if (pthread_mutex_init(&b->lock, NULL) != 0) {
        free(b);
        return bursar_fail(err, BURSAR_ENOMEM, "circuit breaker: the system gives no mutex");
    }
    breaker_take_config(b, config);
    b->changed_at = b->failed_at = BREAKER_TIME_NONE;
    atomic_init(&b->word, UINT64_C(1) << STATE_BITS | BURSAR_BREAKER_CLOSED); /* generation 0 is no ticket's */
    atomic_init(&b->refuse_until, BREAKER_TIME_NONE);
    *ret = b;
    return BURSAR_OK;
}

struct bursar_breaker *bursar_breaker_free(struct bursar_breaker *breaker)
{
    if (breaker) {
        (void)pthread_mutex_destroy(&breaker->lock);
        free(breaker);
    }
    return NULL;
}

/* Locking a plain initialised mutex cannot fail (pthread_mutex_lock(3)). */
void breaker_lock(struct bursar_breaker *b)
{
    (void)pthread_mutex_lock(&b->lock);
}

void breaker_unlock(struct bursar_breaker *b)
{
    (void)pthread_mutex_unlock(&b->lock);
}

/* The lock's holder is the only writer of the word. */
static uint64_t own_word(const struct bursar_breaker *b)
{
    return atomic_load_explicit(&b->word, memory_order_relaxed);
}

int64_t breaker_deadline(const struct bursar_breaker *b)
{
    return atomic_load_explicit(&b->refuse_until, memory_order_relaxed);
}

enum bursar_breaker_state breaker_state(const struct bursar_breaker *b)
{
    return state_of(own_word(b));
}

void breaker_change(struct bursar_breaker *b, enum bursar_breaker_state to, int64_t at, int64_t until)
{
    uint64_t generation = (own_word(b) >> STATE_BITS) + 1;
    if (breaker_state(b) != to)
        b->changed_at = at;
    b->forced = false;
    b->successes = 0;
    b->trials = 0;
    breaker_rate_clear(b);
    if (to == BURSAR_BREAKER_CLOSED)
        b->failures = b->openings = 0;
    b->changes++;
    if (to == BURSAR_BREAKER_OPEN)
        atomic_store_explicit(&b->refuse_until, until, memory_order_relaxed);
    /* Last: who sees the new word sees the deadline that belongs to it, or a later one. */
    atomic_store_explicit(&b->word, generation << STATE_BITS | (uint64_t)to, memory_order_release);
}

bool breaker_is_held(const struct bursar_breaker *b)
{
    return b->forced && breaker_state(b) == BURSAR_BREAKER_CLOSED;
}

/* Has it seen so many failures that it must open? */
static bool is_tripped(const struct bursar_breaker *b)
{
    return b->config.failure_rate_percent ? breaker_rate_is_tripped(b) : b->failures >= b->config.failure_threshold;
}

uint64_t breaker_open_ms(const struct bursar_breaker *b, uint32_t openings)
{
    uint64_t open_ms = b->config.timeout_ms, max_ms = b->config.timeout_max_ms;
    for (uint32_t i = 1; i < openings && open_ms < max_ms; i++) /* doubles: not more than 27 times */
        open_ms = open_ms > max_ms / 2 ? max_ms : open_ms * 2;
    return open_ms;
}

uint64_t breaker_open_max_ms(const struct bursar_breaker *b, uint32_t openings)
{
    uint64_t open_ms = breaker_open_ms(b, openings);
    return open_ms + open_ms * b->config.jitter_percent / 100;
}

/* splitmix64's mixing: the next opening's is unlike this one's. */
static uint64_t scatter(uint64_t z)
{
    z += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* Open from now on, for longer each time. */
static void open_again(struct bursar_breaker *b)
{
    uint32_t openings = b->openings < UINT32_MAX ? b->openings + 1 : b->openings;
    uint64_t open_ms = breaker_open_ms(b, openings), spread_ms = breaker_open_max_ms(b, openings) - open_ms;
    open_ms += scatter(scatter(b->config.jitter_seed) + own_word(b)) % (spread_ms + 1);
    breaker_change(b, BURSAR_BREAKER_OPEN, b->now, b->now + (int64_t)open_ms);
    b->openings = openings;
}

void breaker_advance(struct bursar_breaker *b, uint64_t now_ms)
{
    int64_t now = time_from(now_ms);
    if (now > b->now)
        b->now = now;
    if (breaker_state(b) == BURSAR_BREAKER_OPEN && b->now >= breaker_deadline(b)) /* UNDUE: no time is that late */
        breaker_change(b, BURSAR_BREAKER_HALF_OPEN, breaker_deadline(b), BREAKER_TIME_NONE);
    if (breaker_is_held(b) && b->now >= b->held_until) {
        b->forced = false;
        b->changes++;
    }
    uint32_t left = 0; /* have left the window: they stand in front */
    while (left < b->failures && b->now - b->failure_at[left] >= (int64_t)b->config.window_ms)
        left++;
    if (left) {
        b->failures -= left;
        memmove(b->failure_at, b->failure_at + left, b->failures * sizeof b->failure_at[0]);
    }
}

static void remove_trial(struct bursar_breaker *b, uint32_t index)
{
    b->trials--;
    memmove(b->trial + index, b->trial + index + 1, (b->trials - index) * sizeof b->trial[0]);
}

/* The answer to a trial of this very half-open period comes in: true once, and its place is free. The number is enough:
 * none is given out twice, and every change empties the table. */
static bool answer_trial(struct bursar_breaker *b, struct bursar_breaker_ticket ticket)
{
    if (!bursar_breaker_ticket_is_trial(ticket))
        return false;
    for (uint32_t i = 0; i < b->trials; i++) {
        if (b->trial[i].number == ticket.number) {
            remove_trial(b, i);
            b->changes++;
            return true;
        }
    }
    return false;
}

int64_t breaker_next_trial_at(const struct bursar_breaker *b)
{
    if (b->successes + b->trials < b->config.success_threshold || b->trial[0].expires_at < b->now)
        return b->now;
    return b->trial[0].expires_at;
}

static bool start_trial(struct bursar_breaker *b, struct bursar_breaker_ticket *ret_ticket)
{
    if (breaker_next_trial_at(b) > b->now)
        return false;
    if (b->successes + b->trials >= b->config.success_threshold)
        remove_trial(b, 0);
    uint64_t number = ++b->trial_numbers << STATE_BITS | BURSAR_BREAKER_HALF_OPEN;
    b->trial[b->trials++] =
        (struct breaker_trial){ .number = number, .expires_at = b->now + (int64_t)b->config.timeout_ms };
    b->changes++;
    *ret_ticket = (struct bursar_breaker_ticket){ .number = number, .taken_ms = (uint64_t)b->now };
    return true;
}

/* Never inlined: the paths without a lock would pay for its registers. */
__attribute__((noinline)) static bool allow_locked(struct bursar_breaker *b, uint64_t now_ms,
                                                   struct bursar_breaker_ticket *ret_ticket)
{
    bool allowed = false;
    breaker_lock(b);
    breaker_advance(b, now_ms);
    switch (breaker_state(b)) {
    case BURSAR_BREAKER_CLOSED:
        *ret_ticket = (struct bursar_breaker_ticket){ .number = own_word(b), .taken_ms = now_ms };
        allowed = true;
        break;
    case BURSAR_BREAKER_OPEN:
        break;
    case BURSAR_BREAKER_HALF_OPEN:
        allowed = start_trial(b, ret_ticket);
        break;
    }
    breaker_unlock(b);
    return allowed;
}

bool bursar_breaker_allow_request(struct bursar_breaker *breaker, uint64_t now_ms,
                                  struct bursar_breaker_ticket *ret_ticket)
{
    uint64_t word = atomic_load_explicit(&breaker->word, memory_order_acquire);
    if (state_of(word) == BURSAR_BREAKER_CLOSED) {
        *ret_ticket = (struct bursar_breaker_ticket){ .number = word, .taken_ms = now_ms };
        return true;
    }
    *ret_ticket = (struct bursar_breaker_ticket){ 0 };
    /* Only ever refuses, so a deadline from the next time it opened does no harm. */
    if (state_of(word) == BURSAR_BREAKER_OPEN &&
        time_from(now_ms) < atomic_load_explicit(&breaker->refuse_until, memory_order_relaxed))
        return false;
    return allow_locked(breaker, now_ms, ret_ticket);
}

static bool is_slow(const struct bursar_breaker *b, struct bursar_breaker_ticket ticket, uint64_t now_ms)
{
    const uint64_t slow_call_ms = atomic_load_explicit(&b->slow_call_ms, memory_order_relaxed);
    return slow_call_ms && now_ms > ticket.taken_ms && now_ms - ticket.taken_ms >= slow_call_ms;
}

static void succeed_closed(struct bursar_breaker *b, struct bursar_breaker_ticket ticket, uint64_t now_ms)
{
    const int64_t slice_ms = atomic_load_explicit(&b->slice_ms, memory_order_relaxed);
    if (slice_ms && ticket.number == atomic_load_explicit(&b->word, memory_order_acquire))
        breaker_rate_count(b->calls, slice_ms, time_from(now_ms));
}

/* Never inlined, as allow_locked. */
__attribute__((noinline)) static void succeed(struct bursar_breaker *b, struct bursar_breaker_ticket ticket,
                                              uint64_t now_ms)
{
    if (is_slow(b, ticket, now_ms)) {
        bursar_breaker_record_failure(b, ticket, now_ms);
        return;
    }
    if (!bursar_breaker_ticket_is_trial(ticket)) {
        succeed_closed(b, ticket, now_ms);
        return;
    }
    breaker_lock(b);
    breaker_advance(b, now_ms);
    if (answer_trial(b, ticket) && ++b->successes >= b->config.success_threshold)
        breaker_change(b, BURSAR_BREAKER_CLOSED, b->now, BREAKER_TIME_NONE);
    breaker_unlock(b);
}

/* While closed a success wipes nothing: where successes are not judged there is nothing to write. */
void bursar_breaker_record_success(struct bursar_breaker *breaker, struct bursar_breaker_ticket ticket, uint64_t now_ms)
{
    if (atomic_load_explicit(&breaker->judges_successes, memory_order_relaxed) ||
        bursar_breaker_ticket_is_trial(ticket))
        succeed(breaker, ticket, now_ms);
}

static void note_failure(struct bursar_breaker *b)
{
    if (b->failures == b->config.failure_threshold)
        memmove(b->failure_at, b->failure_at + 1, --b->failures * sizeof b->failure_at[0]);
    b->failure_at[b->failures++] = b->now;
    b->failed_at = b->now;
    b->changes++;
    if (b->slice_ms) {
        breaker_rate_count(b->calls, b->slice_ms, b->now);
        breaker_rate_count(b->failed_calls, b->slice_ms, b->now);
    }
}

void bursar_breaker_record_failure(struct bursar_breaker *breaker, struct bursar_breaker_ticket ticket, uint64_t now_ms)
{
    breaker_lock(breaker);
    breaker_advance(breaker, now_ms);
    if (answer_trial(breaker, ticket)) {
        note_failure(breaker);
        open_again(breaker);
    } else if (ticket.number == own_word(breaker) && breaker_state(breaker) == BURSAR_BREAKER_CLOSED) {
        note_failure(breaker);
        if (!breaker_is_held(breaker) && is_tripped(breaker))
            open_again(breaker);
    }
    breaker_unlock(breaker);
}

void bursar_breaker_abandon(struct bursar_breaker *breaker, struct bursar_breaker_ticket ticket)
{
    if (!bursar_breaker_ticket_is_trial(ticket))
        return;
    breaker_lock(breaker);
    (void)answer_trial(breaker, ticket); /* an answer that counts neither way */
    breaker_unlock(breaker);
}

void bursar_breaker_force_open(struct bursar_breaker *breaker, uint64_t now_ms)
{
    bursar_breaker_force_open_for(breaker, now_ms, 0);
}

void bursar_breaker_force_open_for(struct bursar_breaker *breaker, uint64_t now_ms, uint64_t for_ms)
{
    if (for_ms > BURSAR_BREAKER_FORCED_MAX_MS)
        for_ms = BURSAR_BREAKER_FORCED_MAX_MS;
    breaker_lock(breaker);
    breaker_advance(breaker, now_ms);
    breaker_change(breaker, BURSAR_BREAKER_OPEN, breaker->now,
                   for_ms ? breaker->now + (int64_t)for_ms : BREAKER_TIME_UNDUE);
    breaker->forced = true;
    breaker_unlock(breaker);
}

void bursar_breaker_force_close(struct bursar_breaker *breaker, uint64_t now_ms)
{
    bursar_breaker_force_close_for(breaker, now_ms, 0);
}

void bursar_breaker_force_close_for(struct bursar_breaker *breaker, uint64_t now_ms, uint64_t for_ms)
{
    if (for_ms > BURSAR_BREAKER_HELD_MAX_MS)
        for_ms = BURSAR_BREAKER_HELD_MAX_MS;
    breaker_lock(breaker);
    breaker_advance(breaker, now_ms);
    breaker_change(breaker, BURSAR_BREAKER_CLOSED, breaker->now, BREAKER_TIME_NONE);
    breaker->forced = for_ms > 0;
    breaker->held_until = breaker->now + (int64_t)for_ms;
    breaker_unlock(breaker);
}

void bursar_breaker_reset(struct bursar_breaker *breaker, uint64_t now_ms)
{
    breaker_lock(breaker);
    breaker_advance(breaker, now_ms);
    breaker_change(breaker, BURSAR_BREAKER_CLOSED, breaker->now, BREAKER_TIME_NONE);
    breaker->changed_at = breaker->failed_at = BREAKER_TIME_NONE;
    breaker_unlock(breaker);
}

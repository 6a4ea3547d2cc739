/* How large a share of the calls has failed (bursar/breaker.h). Each slice of the window is one word, its number and a
 * count, so that a call is counted without a lock, and a slice that is over is told by its number. A count that races
 * with a change of state or configuration may be lost or kept by one: the rate is of many calls. */
#include "domain/breaker_parts.h"

#define COUNT_BITS 32
#define COUNT_MASK UINT32_MAX

/* Time may be before our clock's zero: what is remembered. */
static int64_t slice_of(int64_t slice_ms, int64_t at)
{
    int64_t slice = at / slice_ms;
    return at % slice_ms < 0 ? slice - 1 : slice;
}

/* 32 bits tell a slice from all that can stand in its place but for one 2^32 slices away. */
static uint64_t tag_of(int64_t slice)
{
    return (uint64_t)slice << COUNT_BITS;
}

static size_t place_of(int64_t slice)
{
    return (uint64_t)slice % BURSAR_BREAKER_SLICES;
}

/* What comes late for a slice whose place is taken by a newer one counts for nothing. */
static void add(_Atomic uint64_t *word, uint64_t tag, uint32_t n)
{
    uint64_t seen = atomic_load_explicit(word, memory_order_relaxed), next;
    do {
        uint64_t count = seen & COUNT_MASK, seen_tag = seen & ~(uint64_t)COUNT_MASK;
        if (count && (int64_t)(seen_tag - tag) > 0)
            return;
        count = seen_tag == tag ? count : 0;
        next = tag | (count + n < COUNT_MASK ? count + n : COUNT_MASK);
    } while (!atomic_compare_exchange_weak_explicit(word, &seen, next, memory_order_relaxed, memory_order_relaxed));
}

static uint32_t count_in(const _Atomic uint64_t *word, uint64_t tag)
{
    uint64_t seen = atomic_load_explicit(word, memory_order_relaxed);
    return (seen & ~(uint64_t)COUNT_MASK) == tag ? (uint32_t)(seen & COUNT_MASK) : 0;
}

void breaker_rate_count(_Atomic uint64_t slices[BURSAR_BREAKER_SLICES], int64_t slice_ms, int64_t now)
{
    int64_t slice = slice_of(slice_ms, now);
    add(&slices[place_of(slice)], tag_of(slice), 1);
}

void breaker_rate_clear(struct bursar_breaker *b)
{
    for (size_t i = 0; i < BURSAR_BREAKER_SLICES; i++) {
        atomic_store_explicit(&b->calls[i], 0, memory_order_relaxed);
        atomic_store_explicit(&b->failed_calls[i], 0, memory_order_relaxed);
    }
}

void breaker_rate_look(const struct bursar_breaker *b, uint64_t *ret_calls, uint64_t *ret_failures)
{
    *ret_calls = *ret_failures = 0;
    if (b->slice_ms == 0)
        return;
    int64_t newest = slice_of(b->slice_ms, b->now);
    for (int64_t slice = newest - BURSAR_BREAKER_SLICES + 1; slice <= newest; slice++) {
        *ret_calls += count_in(&b->calls[place_of(slice)], tag_of(slice));
        *ret_failures += count_in(&b->failed_calls[place_of(slice)], tag_of(slice));
    }
}

bool breaker_rate_is_tripped(const struct bursar_breaker *b)
{
    uint64_t calls, failures;
    breaker_rate_look(b, &calls, &failures);
    return failures > 0 && calls >= b->config.rate_min_calls &&
           failures * 100 >= calls * b->config.failure_rate_percent;
}

void breaker_rate_save(const struct bursar_breaker *b, struct bursar_breaker_memory *ret)
{
    if (b->slice_ms == 0)
        return;
    int64_t newest = slice_of(b->slice_ms, b->now);
    for (int64_t slice = newest - BURSAR_BREAKER_SLICES + 1; slice <= newest; slice++) {
        uint32_t calls = count_in(&b->calls[place_of(slice)], tag_of(slice));
        uint32_t failures = count_in(&b->failed_calls[place_of(slice)], tag_of(slice));
        if (calls || failures)
            ret->slice[ret->slices++] = (struct bursar_breaker_slice){
                .ago_ms = (uint32_t)(b->now - slice * b->slice_ms), .calls = calls, .failures = failures
            };
    }
}

void breaker_rate_recall(struct bursar_breaker *b, const struct bursar_breaker_memory *memory, int64_t saved_at)
{
    breaker_rate_clear(b);
    if (b->slice_ms == 0)
        return;
    int64_t newest = slice_of(b->slice_ms, b->now);
    for (uint32_t i = 0; i < memory->slices; i++) {
        const struct bursar_breaker_slice *saved = &memory->slice[i];
        int64_t slice = slice_of(b->slice_ms, saved_at - (int64_t)saved->ago_ms);
        if (newest - slice >= BURSAR_BREAKER_SLICES)
            continue;
        add(&b->calls[place_of(slice)], tag_of(slice), saved->calls);
        add(&b->failed_calls[place_of(slice)], tag_of(slice), saved->failures);
    }
}

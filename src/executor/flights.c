/* What is in flight, kept in memory in nonce order: read from the store, and kept up with what a tick does itself, so
 * that a batch costs its own rows and not all of them. */
#include "executor/tick.h"

#include <stdlib.h>

/* Index of the first flight at or above this nonce. */
static size_t flights_below(const struct scratch *scratch, uint64_t nonce)
{
    size_t low = 0, high = scratch->flight_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (scratch->flights[middle].nonce < nonce)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct flight *flight_find(struct scratch *scratch, uint64_t nonce)
{
    size_t at = flights_below(scratch, nonce);
    return at < scratch->flight_count && scratch->flights[at].nonce == nonce ? &scratch->flights[at] : NULL;
}

/* Marks what a person wants cancelled. */
static enum bursar_status mark_cancels(struct executor *executor, struct bursar_error *err)
{
    struct store *store = &executor->env.store;
    struct cancel_request wanted[CANCEL_REQUESTS_MAX_COUNT];
    size_t count = 0;
    enum bursar_status status =
        store->cancels_select(store->ctx, executor->config.treasury, CANCEL_REQUESTS_MAX_COUNT, wanted, &count, err);
    for (size_t i = 0; i < count && status == BURSAR_OK; i++) {
        struct flight *flight = flight_find(&executor->scratch, wanted[i].nonce);
        if (flight)
            flight->cancel_wanted = true;
    }
    return status;
}

enum bursar_status flights_load(struct executor *executor, struct bursar_error *err)
{
    return flights_reload(executor, 0, err);
}

static enum bursar_status read_flights(struct executor *executor, uint64_t first_nonce, struct bursar_error *err)
{
    struct store *store = &executor->env.store;
    struct scratch *scratch = &executor->scratch;
    scratch->flight_count = flights_below(scratch, first_nonce);
    for (;;) {
        if (scratch->flight_count == scratch->flight_capacity) {
            size_t capacity = scratch->flight_capacity ? scratch->flight_capacity * 2 : 256;
            struct flight *flights = realloc(scratch->flights, capacity * sizeof *flights);
            if (!flights)
                return bursar_fail(err, BURSAR_ENOMEM, "out of memory");
            scratch->flights = flights;
            scratch->flight_capacity = capacity;
        }
        size_t have = scratch->flight_count, room = scratch->flight_capacity - have, count = 0;
        uint64_t from_nonce = have ? scratch->flights[have - 1].nonce + 1 : first_nonce;
        enum bursar_status status = store->flights_select(store->ctx, executor->config.treasury, from_nonce, room,
                                                          scratch->flights + have, &count, err);
        if (status != BURSAR_OK)
            return status;
        scratch->flight_count += count;
        if (count < room)
            return BURSAR_OK;
        if (scratch->flight_count > FLIGHTS_MAX_COUNT)
            return bursar_fail(err, BURSAR_ELIMIT, "more than %d payments are in flight", FLIGHTS_MAX_COUNT);
    }
}

enum bursar_status flights_reload(struct executor *executor, uint64_t first_nonce, struct bursar_error *err)
{
    enum bursar_status status = read_flights(executor, first_nonce, err);
    tick_mark_under_way(executor);
    return status == BURSAR_OK ? mark_cancels(executor, err) : status;
}

enum bursar_status flights_reread(struct executor *executor, uint64_t first_nonce, uint64_t last_nonce,
                                  struct bursar_error *err)
{
    struct store *store = &executor->env.store;
    struct scratch *scratch = &executor->scratch;
    const size_t from = flights_below(scratch, first_nonce);
    const size_t expected = flights_below(scratch, last_nonce + 1) - from;
    size_t count = 0;
    enum bursar_status status = store->flights_select(store->ctx, executor->config.treasury, first_nonce, expected,
                                                      scratch->flights + from, &count, err);
    if (status != BURSAR_OK)
        return status;
    if (count != expected || (count && scratch->flights[from + count - 1].nonce != last_nonce))
        return flights_reload(executor, first_nonce, err); /* they are not those that were there */
    tick_mark_under_way(executor);
    return mark_cancels(executor, err);
}

/* What was just included is not in flight any more. */
void flights_drop(struct scratch *scratch, const struct included_attempt *included, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        struct flight *flight = flight_find(scratch, included[i].nonce);
        if (flight)
            flight->intent = 0;
    }
    for (size_t i = 0; i < scratch->flight_count; i++) {
        if (!scratch->flights[i].intent)
            continue;
        if (kept != i)
            scratch->flights[kept] = scratch->flights[i];
        kept++;
    }
    scratch->flight_count = kept;
}

bool flights_have_unsigned(const struct scratch *scratch)
{
    for (size_t i = 0; i < scratch->flight_count; i++) {
        if (!scratch->flights[i].has_attempt)
            return true;
    }
    return false;
}

static bool room_for_watched(struct scratch *scratch, size_t more)
{
    if (scratch->watched_count + more <= scratch->watched_capacity)
        return true;
    size_t capacity = scratch->watched_count + more + 256;
    struct watched *watched = realloc(scratch->watched, capacity * sizeof *watched);
    if (!watched)
        return false;
    scratch->watched = watched;
    scratch->watched_capacity = capacity;
    return true;
}

/* INV-3: whichever of them is mined is the payment. */
static enum bursar_status watch_older(struct executor *executor, const struct flight *flight, struct bursar_error *err)
{
    struct store *store = &executor->env.store;
    struct scratch *scratch = &executor->scratch;
    struct older_attempt *older = calloc(OLDER_ATTEMPTS_MAX_COUNT, sizeof *older);
    size_t count = 0;
    enum bursar_status status = BURSAR_OK;
    if (!older)
        return bursar_fail(err, BURSAR_ENOMEM, "out of memory");
    status = store->older_attempts_select(store->ctx, flight->intent, OLDER_ATTEMPTS_MAX_COUNT, older, &count, err);
    if (status == BURSAR_OK && !room_for_watched(scratch, count))
        status = bursar_fail(err, BURSAR_ENOMEM, "out of memory");
    for (size_t i = 0; i < count && status == BURSAR_OK; i++)
        scratch->watched[scratch->watched_count++] =
            (struct watched){ older[i].hash, older[i].attempt, older[i].purpose, flight };
    free(older);
    return status;
}

enum bursar_status flights_watch(struct executor *executor, struct bursar_error *err)
{
    struct scratch *scratch = &executor->scratch;
    enum bursar_status status = BURSAR_OK;
    scratch->watched_count = 0;
    if (!room_for_watched(scratch, scratch->flight_count))
        return bursar_fail(err, BURSAR_ENOMEM, "out of memory");
    for (size_t i = 0; i < scratch->flight_count && status == BURSAR_OK; i++) {
        const struct flight *flight = &scratch->flights[i];
        if (!flight->has_attempt)
            continue;
        if (!room_for_watched(scratch, 1))
            return bursar_fail(err, BURSAR_ENOMEM, "out of memory");
        scratch->watched[scratch->watched_count++] =
            (struct watched){ flight->hash, flight->attempt, flight->purpose, flight };
        if (flight->seq > 1)
            status = watch_older(executor, flight, err);
    }
    plan_sort_watched(scratch->watched, scratch->watched_count);
    return status;
}

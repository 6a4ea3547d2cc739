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

enum bursar_status flights_load(struct executor *executor, struct bursar_error *err)
{
    return flights_reload(executor, 0, err);
}

enum bursar_status flights_reload(struct executor *executor, uint64_t first_nonce, struct bursar_error *err)
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
        if (scratch->flights[i].intent)
            scratch->flights[kept++] = scratch->flights[i];
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

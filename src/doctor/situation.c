/* How a treasury stands, read from the store alone: so list, show and status come to the same, with the node down too.
 */
#include "doctor/diagnosis.h"

#include <stdio.h>

enum bursar_status breaker_look(const struct store *store, int64_t treasury, const struct bursar_breaker_config *config,
                                uint64_t now_ms, struct breaker_record *ret, struct bursar_breaker_view *ret_view,
                                struct bursar_error *err)
{
    struct bursar_breaker *breaker = NULL;
    struct bursar_error damage;
    enum bursar_status status = store->breaker_load(store->ctx, treasury, ret, err);
    if (status == BURSAR_OK)
        status = bursar_breaker_new(config, &breaker, err);
    if (status != BURSAR_OK)
        return status;
    if (bursar_breaker_restore(breaker, &ret->memory, now_ms, now_ms, &damage) == BURSAR_OK) {
        bursar_breaker_look(breaker, now_ms, ret_view);
    } else { /* as it was stored: `reset` mends it */
        ret_view->state = ret->memory.state;
        ret_view->forced = ret->memory.forced;
    }
    bursar_breaker_free(breaker);
    return BURSAR_OK;
}

enum bursar_status situation_read(const struct store *store, const struct treasury *treasury,
                                  const struct situation_limits *limits, uint64_t now_ms, struct situation *ret,
                                  struct bursar_error *err)
{
    struct situation found = {
        .now_ms = now_ms, .treasury = *treasury, .limits = *limits, .breaker = BREAKER_VIEW_NONE
    };
    enum bursar_status status = store->snapshot_read(store->ctx, treasury->id, &found.snapshot, err);
    if (status == BURSAR_OK)
        status = store->lane_read(store->ctx, treasury->id, &found.lane, err);
    if (status == BURSAR_OK)
        status =
            breaker_look(store, treasury->id, &limits->breaker, now_ms, &found.breaker_record, &found.breaker, err);
    if (status == BURSAR_OK)
        status = store->money_load(store->ctx, treasury->id, &found.money, err);
    if (status == BURSAR_OK)
        *ret = found;
    return status;
}

enum executor_presence executor_presence(const struct treasury *treasury, uint64_t now_ms)
{
    if (!treasury->lease_holder[0])
        return EXECUTOR_NONE;
    return now_ms <= treasury->lease_renewed_ms + treasury->lease_ttl_ms ? EXECUTOR_RUNNING : EXECUTOR_LOST;
}

bool situation_is_blind(const struct situation *situation)
{
    const struct snapshot *snapshot = &situation->snapshot;
    return snapshot->last_error[0] && snapshot->last_error_ms > snapshot->last_success_ms;
}

enum halt_code situation_halt(const struct situation *situation)
{
    const struct treasury *treasury = &situation->treasury;
    bool counts = halt_latches(treasury->halt) || executor_presence(treasury, situation->now_ms) == EXECUTOR_RUNNING;
    return counts ? treasury->halt : HALT_NONE;
}

uint64_t situation_lowest_in_flight(const struct situation *situation)
{
    const struct lane *lane = &situation->lane;
    return lane->in_flight < lane->next_nonce ? lane->next_nonce - lane->in_flight : 0;
}

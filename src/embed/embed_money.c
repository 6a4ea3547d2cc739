/* The money breaker as a host sees and changes it. */
#include "embed/embed_store.h"

#include <stdio.h>

_Static_assert(BURSAR_ACTOR_MAX_BYTES + 1 == ACTOR_MAX_BYTES &&
                   BURSAR_MONEY_DETAIL_MAX_BYTES + 1 == MONEY_DETAIL_MAX_BYTES,
               "limits are the same inside and outside");

enum bursar_status bursar_store_money_breaker(struct bursar_store *store, int64_t treasury,
                                              struct bursar_money_breaker *ret, struct bursar_error *err)
{
    struct money_record record;
    enum bursar_status status = embed_check_size(ret->size, sizeof *ret, "bursar_money_breaker", err);
    if (status == BURSAR_OK)
        status = embed_store_enter(store, err);
    if (status != BURSAR_OK)
        return status;
    status = store->store.money_load(store->store.ctx, treasury, &record, err);
    embed_store_leave(store);
    if (status != BURSAR_OK)
        return status;
    const char *cause = money_cause_name(record.cause);
    struct bursar_money_breaker shown = { .is_open = record.cause != MONEY_NONE, .changed_ms = record.changed_ms };
    (void)snprintf(shown.cause, sizeof shown.cause, "%s", cause ? cause : "");
    (void)snprintf(shown.detail, sizeof shown.detail, "%s", record.detail);
    (void)snprintf(shown.actor, sizeof shown.actor, "%s", record.actor);
    embed_write_struct(ret, ret->size, &shown, sizeof shown);
    return BURSAR_OK;
}

static enum bursar_status force(struct bursar_store *store, int64_t treasury, bool opens, const char *actor,
                                const char *reason, struct bursar_error *err)
{
    enum bursar_status status = embed_check_decision(actor, reason, err);
    if (status == BURSAR_OK)
        status = embed_store_enter(store, err);
    if (status != BURSAR_OK)
        return status;
    const struct decision decision = { actor, reason, store->clock.wall_ms(store->clock.ctx) };
    status = store->store.money_force(store->store.ctx, treasury, opens, &decision, err);
    embed_store_leave(store);
    return status;
}

enum bursar_status bursar_store_money_open(struct bursar_store *store, int64_t treasury, const char *actor,
                                           const char *reason, struct bursar_error *err)
{
    return force(store, treasury, true, actor, reason, err);
}

enum bursar_status bursar_store_money_close(struct bursar_store *store, int64_t treasury, const char *actor,
                                            const char *reason, struct bursar_error *err)
{
    return force(store, treasury, false, actor, reason, err);
}

/* How a treasury stands: what the store says, and a look at its nodes and its signing log. For `status` and the API. */
#ifndef SERVICE_STANDING_H
#define SERVICE_STANDING_H

#include "doctor/diagnosis.h"
#include "service/breaker_view.h"
#include "service/live_look.h"
#include "service/treasury_settings.h"

#define BLOCKED_SHOWN_MAX_COUNT 100

/* Everything there is to say of one treasury. */
struct standing {
    const struct treasury_config *section;
    bool is_stored;
    struct treasury treasury;
    struct situation situation;
    struct foreign_uses foreign;
    struct breaker_standing breaker;
    uint64_t counts[STATE_COUNT];
    struct live_look look;
    enum halt_code halt;
    const char *halt_reason; /* points into this: not to be copied */
    uint64_t now_ms;
    size_t blocked_seen; /* one more than shown tells that there are more */
    json_t *blocked;     /* array of {"id","ref","asset","amount","cause","action"} */
};

/* `treasury->id` 0: in the configuration, not in the store yet; then its address is all there is. Clear afterwards,
 * also after a failure. A node that can't be reached is no failure. */
BURSAR_MUST_CHECK enum bursar_status standing_read(const struct store *store, const struct treasury_settings *settings,
                                                   const struct treasury *treasury, bool (*is_cancelled)(void *ctx),
                                                   void *cancel_ctx, struct standing *ret, struct bursar_error *err);
/* With what webhook_views_json says of it, borrowed. NULL: out of memory. */
json_t *standing_json(const struct standing *standing, json_t *webhooks);
void standing_clear(struct standing *standing);

#endif

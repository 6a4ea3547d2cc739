/* A treasury's breakers as they stand now, by the stored state, the clock and the configuration; the same in
 * `breaker`, `status`, `top` and over HTTP. */
#ifndef SERVICE_BREAKER_VIEW_H
#define SERVICE_BREAKER_VIEW_H

#include "store/store.h"

#include <bursar/breaker.h>

#include <jansson.h>

struct breaker_standing {
    struct breaker_record record;
    struct bursar_breaker_config config;
    struct bursar_breaker_view view; /* on a clock that shows wall_ms */
    uint64_t wall_ms;
    struct money_record money; /* its money breaker */
};

/* Of a treasury that is not stored yet: closed. */
void breaker_standing_none(const struct bursar_breaker_config *config, uint64_t wall_ms, struct breaker_standing *ret);
BURSAR_MUST_CHECK enum bursar_status breaker_standing_read(const struct store *store, int64_t treasury,
                                                           const struct bursar_breaker_config *config, uint64_t wall_ms,
                                                           struct breaker_standing *ret, struct bursar_error *err);

/* "open", "close", "reset" */
bool breaker_command_from_name(const char *name, enum breaker_command *ret);
/* For how long: "30m". NULL, or what is wrong with it. */
const char *breaker_for_problem(enum breaker_command command, const char *text, uint64_t *ret_ms);
/* {"state","failures","successes","forced", ..., "money":{"state","cause","detail","action","actor","since"}}; NULL:
 * out of memory. */
json_t *breaker_json(const struct breaker_standing *standing);
/* "open since 2026-01-31T12:00:00Z; half-open at ..." */
#define BREAKER_TEXT_BYTES 256
void breaker_text(const struct breaker_standing *standing, char ret[BREAKER_TEXT_BYTES]);
/* "opened by alice, 2026-...: the reason"; false when nobody did anything yet. */
#define BREAKER_COMMAND_TEXT_BYTES (ACTOR_MAX_BYTES + REASON_MAX_BYTES + 64)
bool breaker_command_text(const struct breaker_standing *standing, char ret[BREAKER_COMMAND_TEXT_BYTES]);
/* Of the money breaker: "open since 2026-... (reverts): what happened". */
#define MONEY_TEXT_BYTES (MONEY_DETAIL_MAX_BYTES + ACTOR_MAX_BYTES + 128)
void money_text(const struct money_record *money, char ret[MONEY_TEXT_BYTES]);

#endif

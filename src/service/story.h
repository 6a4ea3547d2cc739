/* One disbursement with all that ever happened to it, as JSON: for `show --json`, for what changes one, for the API. */
#ifndef SERVICE_STORY_H
#define SERVICE_STORY_H

#include "doctor/diagnosis.h"
#include "service/asset_view.h"
#include "store/store.h"

#include <jansson.h>

/* NULL: out of memory. */
json_t *story_event_json(const struct event_record *event);
json_t *story_attempt_json(const struct attempt_record *attempt);
/* Of the whole log: as above, with "treasury", "id" and "ref". */
json_t *story_log_json(const struct event_record *event, const char *treasury);
const char *story_attempt_status_name(enum attempt_status status);
/* As shown_json, with "depends_on", "history" and "attempts". ENOTFOUND: the treasury of `situation` has none with this
 * ID. */
BURSAR_MUST_CHECK enum bursar_status story_read(const struct store *store, int64_t id,
                                                const struct situation *situation, const struct asset_names *names,
                                                json_t **ret, struct bursar_error *err);

#endif

/* What a treasury's account held, as executors saw it, as JSON. */
#ifndef SERVICE_BALANCE_H
#define SERVICE_BALANCE_H

#include "doctor/diagnosis.h"
#include "service/asset_view.h"
#include "store/store.h"

#include <jansson.h>

/* What it held when last looked at, how much of it is spoken for, and what is owed and due, in each asset: {"balance",
 * "available", "owed", "assets" ...}. */
BURSAR_MUST_CHECK enum bursar_status balance_read(const struct store *store, const struct situation *situation,
                                                  const struct asset_names *names, json_t **ret,
                                                  struct bursar_error *err);
#define BALANCE_SPENT_MAX_COUNT 10 /* payments that are named with one balance */
/* The newest first, those below `cursor` (0: from the newest): {"items":[{"balance","delta","kind"...}],"next"}. */
BURSAR_MUST_CHECK enum bursar_status balance_history(const struct store *store, int64_t treasury, uint64_t cursor,
                                                     size_t limit, json_t **ret, struct bursar_error *err);

#endif

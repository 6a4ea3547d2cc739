/* What a reconciliation found, as JSON. */
#ifndef SERVICE_COMPARISON_H
#define SERVICE_COMPARISON_H

#include "reconcile/reconcile.h"

#include <jansson.h>

/* NULL: out of memory. */
json_t *comparison_difference_json(const struct reconcile_difference *difference);
/* Takes `differences`, an array of the above, over. */
json_t *comparison_json(const struct reconcile_result *result, json_t *differences);

#endif

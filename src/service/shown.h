/* A disbursement as list and show present it: the same fields, the same words. */
#ifndef SERVICE_SHOWN_H
#define SERVICE_SHOWN_H

#include "doctor/diagnosis.h"
#include "service/asset_view.h"
#include "store/records.h"

#include <jansson.h>

/* "epoch:N", an RFC 3339 time, or "" when there is no schedule. */
#define SHOWN_SCHEDULE_TEXT_BYTES 40
void shown_schedule(const struct disbursement_record *record, char ret[SHOWN_SCHEDULE_TEXT_BYTES]);
/* gas used x effective price; false without a fee. */
bool shown_fee(bool has_fee, uint64_t gas_used, uint64_t effective_gas_price_wei, struct bursar_amount *ret);
/* NULL: out of memory. */
json_t *shown_json(const struct disbursement_record *record, const struct situation *situation,
                   const struct asset_names *names);

#endif

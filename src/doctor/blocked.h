/* Why something is stuck, and what to do about it: one cause and one action, the same in list, show and status. */
#ifndef DOCTOR_BLOCKED_H
#define DOCTOR_BLOCKED_H

#include "store/records.h"

#include <bursar/types.h>

#include <stdbool.h>

#define BLOCKED_TEXT_MAX_BYTES 512

struct blocked_text {
    char cause[BLOCKED_TEXT_MAX_BYTES];
    char action[BLOCKED_TEXT_MAX_BYTES];
};

/* False when the record is not blocked. `snapshot` is the executor's last; `account` is where funds are sent. */
bool blocked_describe(const struct disbursement_record *record, const struct snapshot *snapshot,
                      const struct bursar_address *account, struct blocked_text *ret);
/* What a person does about a halt. */
const char *halt_action(enum halt_code code);
/* Likewise about an open money breaker. */
const char *money_action(enum money_cause cause);

#endif

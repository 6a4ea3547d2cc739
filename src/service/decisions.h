/* What a person decides about one disbursement, by a command or over HTTP. */
#ifndef SERVICE_DECISIONS_H
#define SERVICE_DECISIONS_H

#include "store/store.h"

/* What is wrong with a reason; NULL when it can be stored and shown: 1-REASON_MAX_BYTES bytes of UTF-8, not blank,
 * without control characters. Pure. */
const char *reason_problem(const char *reason);

/* It is not to be paid: at once while it is queued; what is bound to a nonce is left to the executor, which takes the
 * nonce away from it if it still can. *ret_done says in a sentence what was done. EREFUSED says why it was not. */
BURSAR_MUST_CHECK enum bursar_status decisions_cancel(const struct store *store, int64_t treasury, int64_t id,
                                                      const struct decision *decision, const char **ret_done,
                                                      struct bursar_error *err);
/* It failed, and is to be paid after all. */
BURSAR_MUST_CHECK enum bursar_status decisions_retry(const struct store *store, int64_t treasury, int64_t id,
                                                     const struct decision *decision, const char **ret_done,
                                                     struct bursar_error *err);

#endif

/* One disbursement with its dependencies, history and transactions: for `show`, and for what changes one. */
#ifndef CLI_SHOW_H
#define CLI_SHOW_H

#include "cli/context.h"

/* Prints it, as one JSON document or for people. ENOTFOUND. */
BURSAR_MUST_CHECK enum bursar_status show_disbursement(const struct session *session,
                                                       const struct treasury_config *section,
                                                       const struct treasury *treasury, int64_t id, bool json,
                                                       struct bursar_error *err);

#endif

/* One look at the chain for what tokens say of themselves, without an executor. */
#ifndef SERVICE_TOKEN_READ_H
#define SERVICE_TOKEN_READ_H

#include "chain/chain.h"
#include "service/treasury_settings.h"

/* Any count. `in_haste`: the answer is welcome, but not worth a long wait. EREFUSED: the node is not on the treasury's
 * chain; EUNREACHABLE: no answer that counts. */
BURSAR_MUST_CHECK enum bursar_status token_read(const struct treasury_settings *settings,
                                                const struct treasury *treasury, bool in_haste,
                                                const struct bursar_address *tokens, size_t count,
                                                struct chain_token *ret, struct bursar_error *err);

#endif

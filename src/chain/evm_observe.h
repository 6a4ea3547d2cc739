/* One look at the node: the EVM driver's observe(). Private to the driver. */
#ifndef CHAIN_EVM_OBSERVE_H
#define CHAIN_EVM_OBSERVE_H

#include "chain/evm_pin.h"

BURSAR_MUST_CHECK enum bursar_status evm_observe(struct evm_chain *chain, const struct chain_query *query,
                                                 struct chain_view *ret, struct bursar_error *err);

#endif

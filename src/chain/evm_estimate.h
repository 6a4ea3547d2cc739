/* What transactions would take, and whether they would go through: the EVM driver's estimate(). Private to the driver.
 */
#ifndef CHAIN_EVM_ESTIMATE_H
#define CHAIN_EVM_ESTIMATE_H

#include "chain/evm_pin.h"

BURSAR_MUST_CHECK enum bursar_status evm_estimate(struct evm_chain *chain, const struct chain_trial *trial,
                                                  const struct chain_payload *calls, size_t count,
                                                  struct chain_estimate *ret, struct bursar_error *err);

#endif

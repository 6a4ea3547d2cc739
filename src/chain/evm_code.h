/* Which addresses hold code: the EVM driver's has_code(). Private to the driver. */
#ifndef CHAIN_EVM_CODE_H
#define CHAIN_EVM_CODE_H

#include "chain/evm_pin.h"

/* 1 <= count <= CHAIN_ITEMS_MAX_COUNT */
BURSAR_MUST_CHECK enum bursar_status evm_has_code(struct evm_chain *chain, const struct chain_block_ref *at,
                                                  const struct bursar_address *addresses, size_t count, bool *ret,
                                                  struct bursar_error *err);

#endif

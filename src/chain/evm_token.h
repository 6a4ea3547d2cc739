/* What tokens say of themselves: the EVM driver's tokens(). Private to the driver. */
#ifndef CHAIN_EVM_TOKEN_H
#define CHAIN_EVM_TOKEN_H

#include "chain/evm_pin.h"

/* 1 <= count <= CHAIN_TOKENS_MAX_COUNT */
BURSAR_MUST_CHECK enum bursar_status evm_tokens(struct evm_chain *chain, const struct chain_block_ref *at,
                                                const struct bursar_address *tokens, size_t count,
                                                struct chain_token *ret, struct bursar_error *err);
/* Likewise. */
BURSAR_MUST_CHECK enum bursar_status evm_token_balances(struct evm_chain *chain, const struct chain_block_ref *at,
                                                        const struct bursar_address *account,
                                                        const struct bursar_address *tokens, size_t count,
                                                        struct chain_token_balance *ret, struct bursar_error *err);

#endif

/* Three tokens that the simulated chain has: one as it should be, one that may answer false and move nothing, one that
 * keeps a part. What they do to balances is not kept: the treasuries have more of each than they will ever pay, and
 * what was moved is told by the inclusions that moved it. */
#ifndef SIM_TOKEN_H
#define SIM_TOKEN_H

#include <bursar/amount.h>
#include <bursar/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum sim_token {
    SIM_TOKEN_NONE = 0,
    SIM_TOKEN_HONEST,
    SIM_TOKEN_FALSE,
    SIM_TOKEN_FEE,
    SIM_TOKENS,
};

struct bursar_address sim_token_address(enum sim_token token);
enum sim_token sim_token_at(const struct bursar_address *address);
/* transfer(address,uint256), by the simulation's own reading. */
bool sim_token_reads(const uint8_t *data, size_t data_bytes, struct bursar_address *ret_to,
                     struct bursar_amount *ret_amount);
/* What arrives. */
struct bursar_amount sim_token_moves(enum sim_token token, bool refuses, struct bursar_amount amount);

#endif

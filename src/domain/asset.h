/* What is paid: the chain's native coin, or an ERC-20 token on the same chain. A plain value; all zero is the coin. */
#ifndef DOMAIN_ASSET_H
#define DOMAIN_ASSET_H

#include <bursar/types.h>

#include <stdbool.h>
#include <string.h>

#define TOKEN_DECIMALS_MAX 77 /* as many as an amount can have digits behind its first */

struct asset {
    bool is_token;
    struct bursar_address token; /* its contract; all zero for the coin */
};

static inline bool asset_equal(const struct asset *a, const struct asset *b)
{
    return a->is_token == b->is_token &&
           (!a->is_token || memcmp(a->token.bytes, b->token.bytes, sizeof a->token.bytes) == 0);
}

#endif

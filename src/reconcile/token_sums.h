/* What was paid of each token, by the store and by the logs on the chain. */
#ifndef RECONCILE_TOKEN_SUMS_H
#define RECONCILE_TOKEN_SUMS_H

#include "chain/chain.h"
#include "store/records.h"

#define TOKEN_SUMS_MAX_COUNT 64

struct token_sum {
    struct bursar_address token;
    struct bursar_amount stored, on_chain; /* base units */
};

struct token_sums {
    struct token_sum sums[TOKEN_SUMS_MAX_COUNT];
    size_t count;
    bool has_more; /* of further tokens nothing is summed: each payment is judged all the same */
};

/* Adds a final intent; one that does not pay in a token adds nothing. `receipt` NULL: the chain has none. EINTERNAL. */
BURSAR_MUST_CHECK enum bursar_status token_sums_add(struct token_sums *sums, const struct intent_record *intent,
                                                    const struct chain_receipt *receipt, struct bursar_error *err);

#endif

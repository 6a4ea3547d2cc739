/* A page of intents with everything seen of them. */
#ifndef RECONCILE_PAGE_H
#define RECONCILE_PAGE_H

#include "reconcile/reconcile.h"

#define PAGE_INTENTS_MAX_COUNT 200

struct page {
    size_t count;
    struct intent_record intents[PAGE_INTENTS_MAX_COUNT];
    bool has_transaction[PAGE_INTENTS_MAX_COUNT]; /* was asked for */
    struct chain_transaction transactions[PAGE_INTENTS_MAX_COUNT];
    bool has_receipt[PAGE_INTENTS_MAX_COUNT];
    struct chain_receipt receipts[PAGE_INTENTS_MAX_COUNT];
    bool has_canonical[PAGE_INTENTS_MAX_COUNT];
    struct bursar_hash canonical[PAGE_INTENTS_MAX_COUNT];
};

/* Intents from `from_nonce` below `end_nonce`, at most `limit`; then what the chain shows of them. */
BURSAR_MUST_CHECK enum bursar_status page_read(const struct reconcile_env *env, uint64_t from_nonce, uint64_t end_nonce,
                                               size_t limit, struct page *ret, struct bursar_error *err);
/* Is any attempt of this disbursement, other than the newest, in a block? */
BURSAR_MUST_CHECK enum bursar_status page_other_attempt_mined(const struct reconcile_env *env,
                                                              const struct intent_record *intent, bool *ret,
                                                              struct bursar_error *err);

#endif

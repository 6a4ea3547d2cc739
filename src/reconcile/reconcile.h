/* Reconciling: store, signing log and chain compared, nonce by nonce. Reads only; works beside an executor.
 *
 * What moves on while it is being read may look like a difference: every difference is looked at a second time, a
 * little later, before it is reported. Memory is bounded: intents are walked in pages. */
#ifndef RECONCILE_RECONCILE_H
#define RECONCILE_RECONCILE_H

#include "chain/chain.h"
#include "reconcile/compare.h"
#include "reconcile/token_sums.h"
#include "store/store.h"

#include <bursar/amount.h>
#include <bursar/status.h>

#define RECONCILE_READ_TRIES 6 /* the first one, and 5 more */

/* Borrowed for the call. */
struct reconcile_env {
    struct store store;
    struct chain chain;
    const char *log_path;
    int64_t treasury;
    uint32_t finality_blocks;
    void *wait_ctx;
    void (*wait)(void *ctx, uint64_t wait_ms); /* before a read is tried again, and before a second look */
};

struct reconcile_difference {
    bool has_nonce;
    uint64_t nonce;
    int64_t disbursement; /* 0: none */
    const char *ref;      /* "" when none */
    const char *what;
};
typedef void difference_visitor(void *ctx, const struct reconcile_difference *difference);

struct reconcile_result {
    uint64_t checked;                /* intents that the chain shows as stored */
    uint64_t in_flight;              /* bound or signed, not included */
    uint64_t differences;            /* `ok` means 0; the first RECONCILE_DIFFERENCES_MAX_COUNT are visited */
    struct bursar_amount paid_total; /* of final payments, from the chain's transactions */
    struct bursar_amount fees_total; /* of final transactions, from their receipts */
    struct token_sums tokens;        /* of final payments in tokens, from their logs */
};
#define RECONCILE_DIFFERENCES_MAX_COUNT 1000

/* OK also when there are differences. EUNREACHABLE, EUNKNOWN, EPROTOCOL: the node did not answer, so nothing is known.
 */
BURSAR_MUST_CHECK enum bursar_status reconcile(const struct reconcile_env *env, difference_visitor *visit,
                                               void *visit_ctx, struct reconcile_result *ret, struct bursar_error *err);

#endif

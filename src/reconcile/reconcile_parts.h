/* Inside of a reconciliation: what its files share. Not for others. */
#ifndef RECONCILE_RECONCILE_PARTS_H
#define RECONCILE_RECONCILE_PARTS_H

#include "reconcile/page.h"
#include "reconcile/reconcile.h"
#include "signer/signing_log.h"

struct totals {
    struct bursar_amount paid;
    struct bursar_amount fees;
};

/* How often each state was met on the walk. */
struct walk_tally {
    uint64_t states[STATE_COUNT];
    bool has_included;
    uint64_t highest_included_nonce;
    uint64_t next_nonce; /* these two: of a walk over the store alone */
    size_t page_rows;
};

struct reconciling {
    const struct reconcile_env *env;
    difference_visitor *visit;
    void *visit_ctx;
    struct reconcile_result result;
    struct treasury treasury;
    struct chain_query query;
    uint64_t lease_epoch; /* of the store, read after the log */
    struct chain_view view;
    struct lane lane;
    struct signing_log *log; /* NULL: there is none to compare with */
    struct signing_log_extent extent;
    char log_fault[BURSAR_ERROR_MESSAGE_MAX_BYTES];
    bool is_second_look;
    bool is_suspicious; /* the whole: look again */
    bool counts_differ; /* as last compared */
    uint64_t suspects[RECONCILE_DIFFERENCES_MAX_COUNT];
    size_t suspect_count;
    struct walk_tally tally;
    struct totals stored;
    struct totals on_chain;
    struct page page;
};

/* Counts a difference, and visits it. `disbursement` 0: none. */
void reconcile_tell(struct reconciling *now, bool has_nonce, uint64_t nonce, int64_t disbursement, const char *what);

/* -- the whole (reconcile_whole.c) -- */

/* What differs in these is a reason for a second look, and told in it. */
void whole_check_chain(struct reconciling *now);
void whole_check_log(struct reconciling *now);
/* With the view read after the walk: what is stored as included is used up on the chain. */
void whole_check_included(struct reconciling *now);
/* Disbursements with bytes and no intent, or counted wrongly. Both only grow while an executor works; a person who
 * retries one meanwhile makes the second look necessary. */
void whole_check_counts(struct reconciling *now, const uint64_t before[STATE_COUNT], const uint64_t after[STATE_COUNT]);
/* What was paid in total, at the end. */
void whole_check_sums(struct reconciling *now);

#endif

/* Which disbursement has a transaction paid? Pure: no I/O, no clock.
 *
 * By what it did: destination, amount and data. Among disbursements that owe exactly the same it does not matter which
 * of them gets which transaction, as long as no transaction is counted twice; the order is fixed, so that a dry run and
 * what follows it decide alike. */
#ifndef RECONCILE_ADOPT_MATCH_H
#define RECONCILE_ADOPT_MATCH_H

#include "domain/lifecycle.h"
#include "domain/obligation.h"
#include "executor/payload.h"

#include <bursar/amount.h>
#include <bursar/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A transaction that paid something, or would. */
struct claim {
    uint64_t nonce;
    struct bursar_hash hash;
    struct payload payload;
    bool has_reverted; /* finally: it paid nothing */
    bool is_cancelled; /* finally: its nonce was used by our own cancellation of it */
    bool is_bound;     /* the store has its nonce bound to something else */
};

struct candidate {
    int64_t id;
    uint64_t version;
    enum disbursement_state state;
    struct payload payload;
    bool waits;
    enum schedule_kind schedule;
    uint64_t schedule_value;
    bool is_taken; /* written by claims_match */
};

/* A person's word about one transaction, or, without a hash, about all that match nothing at all. */
struct assignment {
    bool has_hash;
    struct bursar_hash hash;
    bool is_foreign; /* it pays none of ours */
    int64_t id;      /* else the disbursement that it pays */
    bool is_used;    /* written by claims_match: it named one of the claims */
};

enum match_verdict {
    MATCH_PAYS = 1,
    MATCH_PAYS_NOTHING = 2, /* a person says so, or it came to nothing, and nothing of its kind is unpaid */
    MATCH_NOTHING = 3,      /* undecided: no disbursement owes this */
    MATCH_SURPLUS = 4,      /* undecided: all that owe this are paid by other transactions, or cancelled or failed */
    MATCH_BOUND = 5,        /* undecided: an unpaid disbursement owes this, but the nonce is bound to another one */
    MATCH_UNKNOWN_ID = 6,   /* a person named a disbursement that does not owe this */
    MATCH_NOT_FREE = 7,     /* a person named one that is neither queued nor failed, or named it twice */
};

struct match {
    enum match_verdict verdict;
    size_t candidate; /* MATCH_PAYS: index */
    size_t equal;     /* how many unpaid ones owe exactly the same, itself included */
};

/* Decides each claim; `ret` has room for `claim_count`. Candidates may be in any order, and become sorted by payload,
 * then by which is paid first. False: out of memory. */
bool claims_match(const struct claim *claims, size_t claim_count, struct candidate *candidates, size_t candidate_count,
                  struct assignment *assignments, size_t assignment_count, struct match *ret);
/* The candidates that owe this: [*ret_first, *ret_end), once claims_match has sorted them. */
void candidates_equal(const struct candidate *candidates, size_t count, const struct payload *payload,
                      size_t *ret_first, size_t *ret_end);

#endif

/* The parts of a look, in their order. Private to adopting. */
#ifndef RECONCILE_ADOPT_PARTS_H
#define RECONCILE_ADOPT_PARTS_H

#include "reconcile/adopt.h"

struct adopt_look {
    const struct reconcile_env *env;
    const struct signing_log *log; /* NULL: there is none */
    const struct adopt_options *options;
    struct adopt_plan *plan;
    struct known_hash *known;
    size_t known_count, known_capacity;
};

/* A transaction that store or log know of. */
struct known_hash {
    struct bursar_hash hash;
    size_t sight;
    int purpose;
    bool in_store;
    bool in_log;
};

/* The sight of a nonce; NULL: not among them. */
struct sight *sight_of(const struct adopt_plan *plan, uint64_t nonce);

/* Which nonces, and what store and signing log know of them. */
BURSAR_MUST_CHECK enum bursar_status adopt_read_records(struct adopt_look *look, struct bursar_error *err);
/* What the chain shows of the known hashes. */
BURSAR_MUST_CHECK enum bursar_status adopt_read_chain(struct adopt_look *look, struct bursar_error *err);
/* Block bodies, for used nonces that none of the known hashes explains. */
BURSAR_MUST_CHECK enum bursar_status adopt_scan(struct adopt_look *look, struct bursar_error *err);
/* Blocks of what is final, receipts, signed bytes; and whether all of it fits together. */
BURSAR_MUST_CHECK enum bursar_status adopt_verify(struct adopt_look *look, struct bursar_error *err);
/* What becomes of each nonce. */
BURSAR_MUST_CHECK enum bursar_status adopt_decide(struct adopt_look *look, struct bursar_error *err);

/* Data and gas of what is to be signed again. */
BURSAR_MUST_CHECK enum bursar_status adopt_prepare_again(struct adopt_look *look, struct bursar_error *err);

/* A transaction that was seen. One in a block above the view's head is still in flight, as far as the view goes. */
void sight_take(struct sight *sight, const struct bursar_hash *hash, const struct chain_transaction *transaction,
                const struct chain_view *view);
/* What a nonce was meant to pay: what was seen; of what is seen nowhere, or was cancelled, what was signed. */
const struct payload *sight_pays(const struct sight *sight);

#endif

/* Adopting: a store that was lost, or is an older copy, or whose signing log was lost, learns what was signed and paid
 * without its knowing (INV-12). First a look, which changes nothing and decides everything; then, if nothing is left
 * for a person to decide, what it came to is written: the signing log first, then the store in one transaction.
 *
 * All or nothing: a nonce that was left out would never be looked at again. Dying in between is harmless: the treasury
 * stays halted, and the next look comes to the same. */
#ifndef RECONCILE_ADOPT_H
#define RECONCILE_ADOPT_H

#include "reconcile/adopt_match.h"
#include "reconcile/reconcile.h"
#include "signer/signing_log.h"

#define ADOPT_NONCES_MAX_COUNT 200000      /* the lowest ones; what is more comes with the next run */
#define ADOPT_CANDIDATES_MAX_COUNT 1000000 /* disbursements that owe what some transaction paid */
#define ADOPT_ASSIGNMENTS_MAX_COUNT 1000
#define ADOPT_DETAIL_MAX_BYTES 160

enum sight_seen {
    SEEN_NOWHERE = 0, /* neither in the node's pool nor in a block */
    SEEN_POOL = 1,
    SEEN_MINED = 2,
};

/* What becomes of a nonce. */
enum adopt_step {
    ADOPT_NOT = 0,         /* the store knows what it needs */
    ADOPT_PAID = 1,        /* final: the disbursement is paid */
    ADOPT_REVERTED = 2,    /* final: the disbursement has failed */
    ADOPT_IN_FLIGHT = 3,   /* signed bytes that are out: bound, with these bytes */
    ADOPT_SIGN_AGAIN = 4,  /* signed, and seen nowhere: bound, the executor signs the same payload again */
    ADOPT_SELF = 5,        /* final: a transfer of 0 to self */
    ADOPT_FOREIGN = 6,     /* final: a transaction that pays none of ours */
    ADOPT_FILL = 7,        /* bound to a transfer of 0 to self, which the executor will sign */
    ADOPT_MOVED = 8,       /* final as before, in another block */
    ADOPT_REOPENED = 9,    /* it was seen in a block that may be gone: in flight again, with the same bytes */
    ADOPT_CANCELLED = 10,  /* final: our transfer of 0 to self; the disbursement is cancelled */
    ADOPT_CANCELLING = 11, /* cancelled before, and that is seen nowhere: bound, and asked to be cancelled again */
    ADOPT_UNDECIDED = 12,  /* a person must say what it is */
    ADOPT_WAIT = 13,       /* time will tell */
};

/* Why it is undecided, or what it waits for. */
enum adopt_trouble {
    TROUBLE_NONE = 0,
    TROUBLE_UNMATCHED = 1,    /* no disbursement owes what it pays */
    TROUBLE_SURPLUS = 2,      /* those that owe it are paid by other transactions, or can't be paid any more */
    TROUBLE_BOUND = 3,        /* an unpaid disbursement owes it, but its nonce is bound to another one */
    TROUBLE_UNKNOWN_ID = 4,   /* assigned to a disbursement that does not owe it */
    TROUBLE_NOT_FREE = 5,     /* assigned to one that is paid, cancelled, or assigned already */
    TROUBLE_TWO_PAYLOADS = 6, /* the store has bound something else than the key has signed, and neither is seen */
    TROUBLE_VANISHED = 7,     /* it was final, and is not on the chain any more */
    TROUBLE_NOT_FINAL = 8,    /* waits: not ours, and not in a final block yet */
    TROUBLE_NO_BYTES = 9,     /* waits: the node does not show its bytes, and it is not in a final block yet */
    TROUBLE_IN_POOL = 10,     /* waits: in the pool, and nobody here knows what it is */
};

/* All that is known of one nonce, and what is to become of it. */
struct sight {
    uint64_t nonce;
    /* The store: */
    int64_t intent; /* 0: none */
    enum intent_kind kind;
    enum intent_status status;
    struct payload bound;
    int64_t disbursement;    /* that it is bound to; 0: none */
    bool is_being_cancelled; /* it has signed the transfer of 0 to self, or was asked to */
    bool has_ended_well;     /* of what was final: it paid; and in which block */
    struct block_mark stored_block;
    /* The signing log: */
    bool has_payment;
    struct payload signed_payload;
    struct bursar_hash signed_hash; /* the newest */
    bool has_self;
    /* The chain: */
    enum sight_seen seen;
    struct bursar_hash hash;
    bool in_store; /* as an attempt */
    bool in_log;
    int purpose;
    struct payload payload;
    struct block_mark block;
    bool is_final;
    bool succeeded;
    uint64_t gas_used;
    uint64_t effective_gas_price_wei;
    struct chain_receipt receipt; /* is_final only */
    struct chain_raw raw;
    /* The decision: */
    bool is_cancellation; /* what was seen took the nonce from the payment that was signed for it */
    enum adopt_step step;
    enum adopt_trouble trouble;
    int64_t pays; /* 0: nothing that was unpaid */
    uint64_t pays_version;
    enum disbursement_state pays_state;
    size_t equal; /* how many unpaid disbursements owe exactly the same */
    /* Of what is to be signed again, or was cancelled: */
    struct call_data data;
    uint64_t gas_limit; /* 0: nothing is */
    char detail[ADOPT_DETAIL_MAX_BYTES];
};

struct adopt_options {
    struct assignment *assignments; /* is_used is written */
    size_t assignment_count;
    bool has_from_block;
    uint64_t from_block; /* where to look for transactions that no hash is known of */
    void *progress_ctx;
    void (*progress)(void *ctx, const char *what, uint64_t done, uint64_t total);
};

struct adopt_plan {
    struct treasury treasury;
    struct lane lane;
    struct chain_view view;
    struct block_mark final; /* what lies up to here is final */
    uint64_t first_nonce;
    struct signing_log_extent log;
    uint64_t log_lease_epoch;
    bool log_is_missing;
    uint64_t log_lacks; /* attempts of the store that the signing log does not know */
    bool is_rebased;    /* what was final is not on this chain: everything is looked at anew */
    bool has_more;      /* beyond ADOPT_NONCES_MAX_COUNT */
    struct sight *sights;
    size_t count;
    struct candidate *candidates;
    size_t candidate_count;
    size_t changes;   /* sights to write */
    size_t undecided; /* sights that stand against it: a person, or time */
};

/* Looks; `log` NULL: there is none. EREFUSED: it can't be adopted, and why. EUNREACHABLE, EPROTOCOL: the node. `ret` is
 * owned by the caller (adopt_plan_free) also after a failure; zero-initialise. */
BURSAR_MUST_CHECK enum bursar_status adopt_look(const struct reconcile_env *env, const struct signing_log *log,
                                                const struct adopt_options *options, struct adopt_plan *ret,
                                                struct bursar_error *err);
/* Is there anything to write? */
bool adopt_plan_changes(const struct adopt_plan *plan);
void adopt_plan_free(struct adopt_plan *plan);

/* Writes a plan without undecided sights, made under the lease of `fence` with `log` locked; the fence is a new one
 * then. */
BURSAR_MUST_CHECK enum bursar_status adopt_write(const struct reconcile_env *env, struct signing_log *log,
                                                 const struct adopt_plan *plan, const struct decision *decision,
                                                 struct fence *fence, struct bursar_error *err);

const char *adopt_step_name(enum adopt_step step); /* "paid" etc. */

#endif

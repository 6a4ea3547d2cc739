/* The lifecycle of a disbursement: stored state numbers and the one table of allowed moves. Pure. */
#ifndef DOMAIN_LIFECYCLE_H
#define DOMAIN_LIFECYCLE_H

#include <stdbool.h>
#include <stddef.h>

/* Stored numbers: in the database, never renumber, append only. */
enum disbursement_state {
    STATE_DRAFT = 1,
    STATE_VOTING = 2,
    STATE_QUEUED = 3,
    STATE_STAGED = 4,
    STATE_EXECUTED = 5,
    STATE_FINALIZED = 6,
    STATE_CANCELLED = 7,
    STATE_FAILED = 8,
    STATE_ROLLED_BACK = 9,
};
#define STATE_FIRST STATE_DRAFT
#define STATE_LAST STATE_ROLLED_BACK
_Static_assert(STATE_QUEUED == 3 && STATE_STAGED == 4 && STATE_FINALIZED == 6 && STATE_ROLLED_BACK == 9,
               "state numbers are stored");

/* Why a disbursement moves. Stored in the event log: never renumber, append only. */
enum lifecycle_cause {
    CAUSE_IMPORTED = 1,          /* (new) -> queued: from a payment file, no approval policy */
    CAUSE_SUBMITTED = 2,         /* draft -> voting */
    CAUSE_APPROVED = 3,          /* voting -> queued */
    CAUSE_BOUND = 4,             /* queued -> staged: intent bound to a nonce */
    CAUSE_INCLUDED = 5,          /* staged -> executed: seen in a canonical block */
    CAUSE_REORGED = 6,           /* executed -> staged: its block is no longer canonical */
    CAUSE_FINAL_SUCCESS = 7,     /* executed -> finalized */
    CAUSE_FINAL_REVERT = 8,      /* staged, executed -> failed */
    CAUSE_FINAL_CANCEL = 9,      /* staged, executed -> cancelled: our cancel at its nonce is final */
    CAUSE_NONCE_FREED = 10,      /* staged, executed -> queued: gap fill final, or a foreign transaction exhibited */
    CAUSE_PERSON_CANCELLED = 11, /* draft, voting, queued -> cancelled */
    CAUSE_HOST_REFUSED = 12,     /* queued -> cancelled: an embedder's callback refuses before binding */
    CAUSE_PERSON_RETRIED = 13,   /* failed -> queued */
    CAUSE_REVERSED = 14,         /* finalized -> rolled_back: by decision, recorded as such */
    /* Of a treasury's circuit breaker, in the same log: these move no disbursement. */
    CAUSE_BREAKER_OPENED = 15,      /* by failures, or by a person */
    CAUSE_BREAKER_HALF_OPENED = 16, /* its timeout is over */
    CAUSE_BREAKER_CLOSED = 17,      /* by trials that succeeded, or by a person */
    CAUSE_BREAKER_RESET = 18,       /* by a person */
    /* Of a disbursement, and moves nothing yet: */
    CAUSE_CANCEL_REQUESTED = 19, /* a person asks for its nonce to be used up, while it is staged */
    CAUSE_ADOPTED = 20,          /* of a treasury: a person let the store learn what was paid without its knowing */
    /* Of a treasury's money breaker: */
    CAUSE_MONEY_OPENED = 21, /* by payments that went wrong, or by a person */
    CAUSE_MONEY_CLOSED = 22, /* by a person */
};

struct lifecycle_move {
    enum disbursement_state from;
    enum disbursement_state to;
    enum lifecycle_cause cause;
    const char *condition; /* for docs/STATES.md and refusals: what must hold */
};

/* The table itself. */
extern const struct lifecycle_move LIFECYCLE_MOVES[];
extern const size_t LIFECYCLE_MOVE_COUNT;

/* Is from -> to allowed for this cause? */
bool lifecycle_allows(enum disbursement_state from, enum disbursement_state to, enum lifecycle_cause cause);
/* Why a person's decision (CAUSE_PERSON_CANCELLED or _RETRIED) leads nowhere from `from`; NULL when the table has it.
 */
const char *lifecycle_refusal(enum disbursement_state from, enum lifecycle_cause decision);
bool state_is_terminal_or_failed(enum disbursement_state state);

/* "queued" etc.; NULL for a number that is none. */
const char *state_name(enum disbursement_state state);
/* False for an unknown name. */
bool state_from_name(const char *name, enum disbursement_state *ret);
/* "bound" etc.; NULL for a number that is none. */
const char *lifecycle_cause_name(enum lifecycle_cause cause);

#endif

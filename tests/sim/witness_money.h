/* What must be true of the money breaker (INV-10), by what went through the store's seam and by what the chain shows:
 * once it must be open nothing is bound and no payment is signed, it closes by nobody but a person, and it opens for
 * nothing that did not happen. One of each treasury. */
#ifndef SIM_WITNESS_MONEY_H
#define SIM_WITNESS_MONEY_H

#include "finding.h"
#include "node_set.h"

#include "domain/money.h"
#include "store/records_adopt.h"

/* One that was bound, or has failed. */
struct money_moment {
    uint64_t at_ms; /* by the clock of who wrote it */
    struct asset asset;
    struct bursar_amount amount;
};
struct money_moments {
    struct money_moment *items;
    size_t count, capacity;
};

/* What the account had at a final block, which what it has later is compared with. */
enum money_mark {
    MARK_NONE = 0,
    MARK_UNKNOWN, /* what wrote it last may have failed */
    MARK_SET,
};

/* What one process went by; of its own clock. */
struct money_view {
    struct money_record record; /* as loaded last */
    uint64_t reverts_since_ms;  /* reverts were counted from here on */
    int64_t hour_offset_ms;     /* of its clock when the hour was counted */
};

struct money_witness {
    struct finding *finding;           /* borrowed, as all pointers to what is not its own */
    const uint64_t *step;              /* now */
    const struct sim_chain *chain;     /* the true one */
    const struct node_set *nodes;      /* whom it is asked of */
    const struct money_limits *limits; /* as configured */
    struct bursar_address account;
    bool is_open;     /* for certain: it was opened, durably, and no person has tried to close it since */
    bool is_unsure;   /* a write of unknown outcome, or an old store: there may be more in it than was seen */
    bool was_foreign; /* since it was closed, somebody else's was exhibited; */
    bool was_missing; /* money was missing */
    struct money_moments reverts, bound; /* since it was closed */
    enum money_mark mark;
    bool mark_is_true; /* set: the account had that */
    uint64_t mark_number;
    bool any_taken; /* ever, by no transaction of its own */
    uint64_t trips;
};

void money_witness_free(struct money_witness *witness);
/* Another store is there, older or new. */
void money_witness_replaced(struct money_witness *witness);
/* The store's past was adopted, with this outcome. */
void money_witness_adopted(struct money_witness *witness, enum bursar_status status);
/* A person's command: before it runs, and how it ended. */
void money_witness_closing(struct money_witness *witness);
void money_witness_commanded(struct money_witness *witness, bool opens, bool is_done);

/* The store says so, now. */
void money_witness_loaded(const struct money_witness *witness, const struct money_record *record);
/* This is the token that spending is about to be written with. */
void money_witness_fence(const struct money_witness *witness, struct fence fence, const char *call);
/* After a write, with its outcome: */
void money_witness_tripped(struct money_witness *witness, enum money_cause cause, enum bursar_status status);
void money_witness_settled(struct money_witness *witness, const struct money_view *view, uint64_t now_ms,
                           const struct settlement *settlement, enum bursar_status status);
void money_witness_exhibited(struct money_witness *witness, uint64_t now_ms, const struct adopted_nonce *nonces,
                             size_t count, enum bursar_status status);
void money_witness_bound(struct money_witness *witness, const struct money_view *view, int64_t offset_ms,
                         uint64_t now_ms, const struct binding *bindings, size_t count, enum bursar_status status);
void money_witness_staged(struct money_witness *witness, const struct money_view *view,
                          const struct new_attempt *attempts, size_t count, enum bursar_status status);

#endif

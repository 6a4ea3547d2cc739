/* Who has used a nonce of ours that none of our attempts explains? The search through the bodies of final blocks, and
 * what follows from what they exhibit (INV-4). Pure: reads and writes are tick_exhibit.c's.
 *
 * It goes downwards from the final block, along the parent hashes, so that each body is one of the very chain that is
 * final. It ends where the nonce can't be any more. */
#ifndef EXECUTOR_EXHIBIT_H
#define EXECUTOR_EXHIBIT_H

#include "executor/payload.h"
#include "executor/planner.h"

#define EXHIBIT_MAX_COUNT 100           /* transactions looked at together */
#define EXHIBIT_BLOCKS_MAX_COUNT 100000 /* of one search: two weeks of blocks of 12 seconds */

/* What it is. */
enum exhibit_kind {
    EXHIBIT_UNKNOWN = 0,
    EXHIBIT_ATTEMPT = 1, /* an attempt of ours, by its hash */
    EXHIBIT_FOUND = 2,   /* by what it does the intent's payment, whatever its hash */
    EXHIBIT_CANCEL = 3,  /* a transfer of 0 to self, which our key has signed for this nonce */
    EXHIBIT_FOREIGN = 4, /* anything else */
};

/* A transaction that has used a nonce of ours, seen in a final block. */
struct exhibit {
    uint64_t nonce;
    int64_t intent; /* that the nonce is bound to */
    struct bursar_hash hash;
    struct block_mark block;
    struct payload payload;
    enum exhibit_kind kind;
    int64_t attempt; /* ATTEMPT: which */
    int purpose;     /* of the attempt that it is, or becomes */
    bool has_receipt;
    bool succeeded; /* FOUND: and moved what it was to move, or part of it */
    bool is_short;  /* its token moved so much less than was owed, or nothing */
    struct bursar_amount short_by;
    uint64_t gas_used;
    uint64_t effective_gas_price_wei;
    int64_t match; /* FOREIGN: an unpaid disbursement that owes exactly this; 0: none was met */
};

enum search_state {
    SEARCH_NONE = 0,
    SEARCH_OPEN = 1,    /* blocks from `next` down are to be read */
    SEARCH_IN_VAIN = 2, /* nothing more to read */
};

/* Kept from tick to tick, in memory only: after a restart it starts anew. */
struct search {
    enum search_state state;
    uint64_t top;           /* where it started */
    struct block_mark next; /* to be read next, and the hash that it must have */
    uint64_t low;           /* the nonce can't have been used below this block */
    unsigned misses;        /* in a row, of a block that the node does not show */
    uint64_t ended_ms;      /* monotonic; IN_VAIN */
    struct exhibit found[EXHIBIT_MAX_COUNT];
    size_t count;
    int64_t checked_id; /* disbursements up to this one were held against what was found */
    bool is_checked;    /* all were */
};

/* Starts at the final block. */
void search_start(struct search *search, const struct chain_head *final, uint64_t low);
/* Takes bodies that end at `next`, ascending; `flights` are those not seen included, in nonce order, and those below
 * `nonce_final` are looked for. What is found stays in search->found, and the search where it was; else it moves on
 * down. False: the bodies are not those of the final chain, or one is missing; nothing was taken. */
BURSAR_MUST_CHECK bool search_take(struct search *search, const struct chain_body *bodies, size_t count,
                                   const struct flight *flights, size_t flight_count, uint64_t nonce_final);

/* `own`: the attempt of ours with this hash; NULL: none. `logged`: what the signing log has of the nonce. Fills in
 * kind, attempt and purpose. */
void exhibit_judge(struct exhibit *exhibit, const struct flight *flight, const struct watched *own,
                   const struct signed_payload *logged, const struct bursar_address *account);
/* Could this transaction have been meant for it? INV-4: then a person decides. */
bool exhibit_matches(const struct exhibit *exhibit, const struct content_record *content);

/* For a person: what is known, and why it is not over. `finality_blocks` as configured. */
void exhibit_verdict(const struct search *search, const struct flight *lowest, uint32_t finality_blocks,
                     struct verdict *ret);

#endif

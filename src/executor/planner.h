/* The planner: every decision of a tick as a pure function of (rows, chain view, now). No clock, no I/O, no memory of
 * its own, so that each can be tested, fuzzed and model-checked by itself. */
#ifndef EXECUTOR_PLANNER_H
#define EXECUTOR_PLANNER_H

#include "chain/chain.h"
#include "executor/executor.h"
#include "signer/signer.h"
#include "store/records.h"

#define PLAN_REASON_MAX_BYTES HALT_REASON_MAX_BYTES
#define TRANSFER_GAS 21000 /* intrinsic gas of a plain transfer (EIP-2028 leaves it at 21,000) */

/* What stands against binding: a halt waits for a person, a hold for the world. */
struct verdict {
    enum halt_code halt;
    bool holds;
    char reason[PLAN_REASON_MAX_BYTES]; /* of the halt, else of the hold */
};

/* Is this node on the chain that the treasury is pinned to? A halt here means: believe nothing of this view. */
void plan_identity(const struct treasury *treasury, const struct chain_view *view, struct verdict *ret);

/* First look at the chain by a treasury that `init` did not pin: may its account be taken as it is? */
void plan_adoption(const struct chain_view *view, const struct signing_log_extent *log, struct verdict *ret);

/* Store, signing log and chain compared (INV-4, INV-12). `is_current`: every block up to view->latest was read, so that
 * flights below the chain's nonce are unexplained. `flights` are those not seen included, in nonce order. */
void plan_nonces(const struct treasury *treasury, const struct lane *lane, const struct signing_log_extent *log,
                 const struct chain_view *view, bool is_current, const struct flight *flights, size_t flight_count,
                 struct verdict *ret);

/* What pools show of the account's nonces is a hint: a single look may be wrong in both directions. */
#define PENDING_SETTLES_MS 3000
struct pending_watch {
    bool is_above;           /* the pool has shown a nonce beyond the store's, and not for long enough none */
    uint64_t above_since_ms; /* monotonic */
    bool is_halted;          /* it has gone on for PENDING_SETTLES_MS */
    bool is_quiet;           /* above, and not in the last look */
    uint64_t quiet_since_ms;
};
/* Does the pool hold more of the account's than the store knows (INV-12)? Holds from the first look that shows it,
 * halts once looks have gone on showing it for PENDING_SETTLES_MS, and ends when they have not for as long.
 * `next_nonce` is the store's. */
void plan_pending(struct pending_watch *watch, uint64_t next_nonce, const struct chain_view *view, uint64_t now_ms,
                  struct verdict *ret);

/* Does the signing log hold what the store has bound? `found` false: the nonce was never signed. */
void plan_signature_known(const struct intent_record *intent, bool found, const struct signed_payload *payload,
                          struct verdict *ret);

struct fee_caps {
    uint64_t max_fee_per_gas_wei;
    uint64_t max_priority_fee_per_gas_wei;
};

struct fees {
    uint64_t max_fee_per_gas_wei;
    uint64_t max_priority_fee_per_gas_wei;
    bool above_cap; /* the next block's base fee exceeds the cap: hold */
};
/* EIP-1559: room for the base fee to double, never above the caps. */
void plan_fees(const struct chain_view *view, const struct fee_caps *caps, struct fees *ret);

/* value + gas_limit * max_fee; false when it does not fit 256 bits. */
BURSAR_MUST_CHECK bool plan_worst_case(const struct bursar_amount *value, uint64_t gas_limit,
                                       uint64_t max_fee_per_gas_wei, struct bursar_amount *ret);

/* Balance beyond the worst case of everything in flight; zero when that already exceeds it. */
void plan_available(const struct bursar_amount *balance, const struct flight *flights, size_t flight_count,
                    uint64_t unsigned_max_fee_per_gas_wei, struct bursar_amount *ret);

/* -- gas: a destination without code takes TRANSFER_GAS; what holds code is tried out first -- */

#define GAS_LIMIT_MAX 1000000 /* no payment may take more */
/* The state may be another one by the time it is mined. Gas that is not used costs nothing: a quarter more than was
 * estimated, and at least what it takes to fill a storage slot that was empty. */
#define GAS_MARGIN_PERCENT 25
#define GAS_MARGIN_MIN 20000
uint64_t plan_gas_limit(uint64_t estimated);

/* What was refused is looked at again after so many blocks, then after twice as many, and so on. */
#define RECHECK_BLOCKS 5
#define RECHECK_UNKNOWN_BLOCKS 1
#define RECHECK_MAX_BLOCKS 320
uint64_t plan_recheck(uint64_t head_number, uint64_t first_blocks, unsigned looks);

/* What is known of paying a due row. */
enum outlook_kind {
    OUTLOOK_TRANSFER = 0,   /* no code at its destination */
    OUTLOOK_ESTIMATED = 1,  /* `estimate` was asked for, or is to be */
    OUTLOOK_UNFUNDED = 2,   /* it calls a contract, and the balance does not even cover a plain transfer */
    OUTLOOK_IMPOSSIBLE = 3, /* it calls a contract, and this chain can't estimate */
    OUTLOOK_NO_TOKENS = 5,  /* there is not as much of its token */
    OUTLOOK_UNKNOWN = 6,    /* how much there is of its token is not known */
    OUTLOOK_LATER = 4,      /* it holds code, and is tried out in another tick: nothing is decided */
};
/* What the account has of one token, beyond what is in flight. */
struct purse {
    struct bursar_address token;
    bool is_known;
    struct bursar_amount available;
};
#define PURSES_MAX_COUNT 16 /* of one batch; rows in further tokens wait for the next one */
/* Adds the tokens that these rows owe, unless they are there already; returns how many there are then. */
size_t plan_purses(const struct due_row *rows, size_t count, struct purse purses[PURSES_MAX_COUNT]);
/* Takes off what is in flight; zero when that exceeds it. */
void plan_purse_available(struct purse *purse, const struct bursar_amount *balance, const struct flight *flights,
                          size_t flight_count);

/* What a due row is bound as: its destination gets the coin, or its token is told to move it. With `tags`, what it owes
 * follows as a hash that nobody reads: so whoever finds the transaction later knows for certain what it has paid. */
#define TAG_BYTES 32
#define TAG_GAS 1280 /* EIP-7623: 40 a byte that is not zero is the most there is for a transfer of the coin */
void plan_payment(const struct due_row *row, bool tags, struct bursar_address *ret_to, struct bursar_amount *ret_value,
                  struct call_data *ret_data);
/* Gas of a transfer of the coin to an address without code. */
uint64_t plan_transfer_gas(bool tags);

struct outlook {
    enum outlook_kind kind;
    struct chain_estimate estimate;
};
/* Which rows are to be tried out: no more than `most`. `ret` has `count` elements. */
void plan_outlooks(const struct due_row *rows, const bool *has_code, size_t count, bool can_estimate, size_t most,
                   uint64_t max_fee_per_gas_wei, const struct bursar_amount *available, const struct purse *purses,
                   size_t purse_count, struct outlook *ret);

struct spending_terms {
    uint64_t next_nonce;
    uint64_t head_number;
    uint64_t max_fee_per_gas_wei;
    struct bursar_amount available;
    struct purse *purses; /* what is left of them is written back */
    size_t purse_count;
    bool tags;
    const struct money_limits *limits; /* NULL: none */
    struct money_spent *spent;         /* within an hour; what is planned is added */
};
struct spending_plan {
    struct binding *bindings;
    size_t binding_count;
    struct block_decision *blocks;
    size_t block_count;
    struct bursar_amount available;     /* what is left beyond the plan */
    int64_t over;                       /* the disbursement that would exceed a limit; 0: none would */
    const struct money_rate *over_rate; /* this one; NULL: payments_per_hour */
};
/* Decides each due row: bind at the next nonce, or pass over with a reason; affordable rows go on behind others, up to
 * the first that would exceed what is expected to be paid within an hour. The
 * two arrays have room for `count` each; notes are borrowed from `outlooks`, which are
 * changed where those before have left too little of a token. */
void plan_spending(const struct due_row *rows, struct outlook *outlooks, size_t count,
                   const struct spending_terms *terms, struct spending_plan *ret);

/* What a receipt in a final block says of an attempt. Of a token it is the logs that count: a call that went through
 * may have moved nothing, or less than it was told to. */
void plan_final(const struct included_attempt *included, const struct chain_receipt *receipt,
                struct final_attempt *ret);

/* What to do about an attempt that is not mined. */
enum replacement {
    REPLACE_NOT = 0,    /* give it time */
    REPLACE_NOW = 1,    /* another attempt, same nonce, with *ret fees (INV-3) */
    REPLACE_AT_CAP = 2, /* it would take more than max_fee_per_gas: the same bytes go on being offered */
};
struct patience {
    uint64_t after_blocks;    /* 0: nothing is ever replaced */
    uint64_t progress_number; /* head when the account's nonce was last seen to move, or was first looked at */
    bool is_lowest;           /* the flight's nonce is the lowest that is not included */
};
/* Pools take another transaction at a nonce only for fees that are higher by REPLACE_BUMP_PERCENT, both of them; one
 * that said "underpriced" about an earlier replacement asks for more, and gets the double. A replacement may go beyond
 * the cap on the priority fee as far as that bump demands, never beyond max_fee_per_gas. */
#define REPLACE_BUMP_PERCENT 10
enum replacement plan_replacement(const struct flight *flight, const struct patience *patience,
                                  const struct chain_view *view, const struct fee_caps *caps, struct fees *ret);

#define REBROADCAST_MS 60000      /* bytes that a pool should know are handed over again this often */
#define REBROADCAST_GRACE_MS 1000 /* a pool gets this long to show what it was given */
/* Must these bytes be handed to a node now? Identical bytes every time (INV-3). */
bool plan_broadcast(const struct flight *flight, uint64_t nonce_pending, uint64_t now_ms);

/* An attempt to look for in blocks: each of a flight's, not the newest only. */
struct watched {
    struct bursar_hash hash;
    int64_t attempt;
    int purpose;
    const struct flight *flight;
};
/* Which of them is in this block? Sort them with plan_sort_watched first. */
void plan_sort_watched(struct watched *watched, size_t count);
const struct watched *plan_find_watched(const struct watched *watched, size_t count, const struct bursar_hash *hash);

/* INV-4: refused as low or underpriced, something else may hold its nonce. */
bool plan_is_contested(const struct flight *flight);

/* Epoch of a final block. */
uint64_t plan_epoch(const struct epoch_source *source, const struct chain_head *final);

#endif

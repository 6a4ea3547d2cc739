/* Inside the executor: its state, and the phases of one tick in the order they run. Effects only; decisions are the
 * planner's. Not for other rooms. */
#ifndef EXECUTOR_TICK_H
#define EXECUTOR_TICK_H

#include "executor/executor.h"
#include "executor/exhibit.h"
#include "executor/planner.h"

#define LAG_TICKS 3 /* a head below what was read counts as a shorter chain after this many looks in a row */
#define SCAN_BLOCKS_PER_TICK 512
#define RECEIPTS_PER_CALL 100
#define FINAL_PER_TICK 2000
#define FLIGHTS_MAX_COUNT 1000000 /* the largest max_in_flight, and what a reorg may bring back on top */

/* Memory reused from tick to tick. */
struct scratch {
    struct flight *flights; /* not seen included, in nonce order */
    size_t flight_count, flight_capacity;
    struct watched *watched; /* their attempts, by hash: valid until the flights change */
    size_t watched_count, watched_capacity;
};

struct submitter;

struct executor {
    struct executor_config config;
    char identity[LEASE_HOLDER_MAX_BYTES];
    struct executor_env env;

    bool holds_lease;
    bool signer_ready; /* the signing log's lock is ours */
    bool log_compared; /* since the lease was taken */
    struct fence fence;
    uint64_t renewed_at_ms;  /* monotonic */
    uint64_t snapshot_at_ms; /* monotonic; when the snapshot was last stored */
    unsigned lag_ticks;
    bool progress_seen;                       /* since the start: there has been a first look */
    uint64_t progress_nonce, progress_number; /* the account's nonce as last seen to move, and the head then */
    struct pending_watch pending;
    bool pending_watched;      /* since the start: a halt that the store remembers was taken over */
    size_t host_offset;        /* due rows that the host is not asked about in this round: it has been */
    uint64_t rechecked_number; /* the head when rows that were passed over were last woken */
    bool was_nothing_due;
    uint64_t breaker_changes;      /* of the breaker, as saved last */
    struct money_record money;     /* the money breaker, as loaded last */
    struct verdict signer_verdict; /* why the signer can't be used; halt NONE: it can */
    struct verdict log_verdict;    /* what comparing log and store showed */
    enum halt_code noted_halt;
    char noted_hold[PLAN_REASON_MAX_BYTES];

    struct snapshot snapshot;
    struct snapshot stored_snapshot;
    enum halt_code stored_halt;
    char stored_halt_reason[HALT_REASON_MAX_BYTES];
    struct scratch scratch;
    struct search *search;       /* for what has used a nonce of ours; tick_exhibit.c */
    struct submitter *submitter; /* requests under way; tick_submit.c */
};

/* What one tick learns on its way. */
struct tick {
    struct treasury treasury;
    struct chain_view view;
    bool observed;        /* the view is of the treasury's own chain */
    bool is_current;      /* every block up to view.latest was read */
    bool go_on;           /* more can be done at once */
    bool settled_idle;    /* nothing is left that time alone brings on */
    bool waits_for_close; /* likewise, for as long as the money breaker is open */
    struct lane lane;
    struct verdict verdict;
    bool blind;         /* the node could not be read, or lags behind what was final: what was halted stays so */
    bool sends_no_more; /* a request failed, or the breaker refused: the rest waits for the next tick */
    bool failed;        /* something went wrong: snapshot.last_error says what */
    bool cut_short;     /* by the circuit breaker */
    bool given_up;      /* on request, in the middle: says nothing about the world, and is not shown */
};

/* Remembers a fault of the world for the snapshot and tells the host. */
void tick_note_fault(struct executor *executor, struct tick *tick, const struct bursar_error *err);

/* Each returns OK also when the node failed (tick->failed); anything else is the store's and ends the tick. */

/* Signing log first, then the lease (INV-12); *ret_held false: somebody else works. */
BURSAR_MUST_CHECK enum bursar_status tick_lease(struct executor *executor, bool *ret_held, struct bursar_error *err);
void tick_drop_lease(struct executor *executor);
/* Looks at the chain once, pins a new treasury, checks that it is the right chain. */
BURSAR_MUST_CHECK enum bursar_status tick_observe(struct executor *executor, struct tick *tick,
                                                  struct bursar_error *err);
/* Reads new blocks: reorgs, inclusion. */
BURSAR_MUST_CHECK enum bursar_status tick_follow(struct executor *executor, struct tick *tick,
                                                 struct bursar_error *err);
/* Reads receipts of what is in final blocks; moves the anchor. */
BURSAR_MUST_CHECK enum bursar_status tick_finalize(struct executor *executor, struct tick *tick,
                                                   struct bursar_error *err);
/* Compares store, signing log and chain. */
BURSAR_MUST_CHECK enum bursar_status tick_compare(struct executor *executor, struct tick *tick,
                                                  struct bursar_error *err);
/* Does the node's pool hold what the store knows nothing of? */
void tick_pending(struct executor *executor, const struct tick *tick, uint64_t next_nonce, struct verdict *ret);
/* Looks for what has used a nonce of ours, finally, that none of our attempts explains. */
BURSAR_MUST_CHECK enum bursar_status tick_exhibit(struct executor *executor, struct tick *tick,
                                                  struct bursar_error *err);
/* The circuit breaker: as the store has it when a person changed it, saved whenever it changed by itself. */
BURSAR_MUST_CHECK enum bursar_status tick_breaker_load(struct executor *executor, struct bursar_error *err);
BURSAR_MUST_CHECK enum bursar_status tick_breaker_save(struct executor *executor, struct bursar_error *err);
/* Closed when there is none. */
enum bursar_breaker_state tick_breaker_state(struct executor *executor);
/* May one request go out? As a person may have decided this moment; what asking changed is saved before it goes. */
BURSAR_MUST_CHECK enum bursar_status tick_breaker_ask(struct executor *executor, bool *ret_allowed,
                                                      struct bursar_breaker_ticket *ret_ticket,
                                                      struct bursar_error *err);
/* How it went: any verdict of the node is a success, one failed request is one failure (INV-10). */
BURSAR_MUST_CHECK enum bursar_status tick_breaker_tell(struct executor *executor, struct bursar_breaker_ticket ticket,
                                                       enum bursar_status outcome, struct bursar_error *err);
/* Cuts the tick short: nothing new is spent. */
void tick_breaker_cut(struct executor *executor, struct tick *tick);

/* The money breaker as the store has it. */
BURSAR_MUST_CHECK enum bursar_status tick_money_load(struct executor *executor, struct bursar_error *err);
bool tick_money_is_open(const struct executor *executor);
/* INV-10: it is open, and this would be a payment's first way out. */
bool tick_money_stops(const struct executor *executor, const struct flight *flight);
/* Opens it when too much has gone wrong; holds while it is open. */
BURSAR_MUST_CHECK enum bursar_status tick_money(struct executor *executor, struct tick *tick, struct bursar_error *err);
/* With a new anchor: has the account there what its own transactions have left it? Adds it to the settlement. */
BURSAR_MUST_CHECK enum bursar_status tick_money_balance(struct executor *executor, const struct tick *tick,
                                                        struct settlement *settlement,
                                                        char ret_missing[MONEY_DETAIL_MAX_BYTES],
                                                        struct bursar_error *err);
/* What was bound within the last hour of what these rows owe. */
BURSAR_MUST_CHECK enum bursar_status tick_money_spent(struct executor *executor, const struct due_row *rows,
                                                      size_t count, struct money_spent *ret, struct bursar_error *err);
/* Opens it because of what the plan has left out. */
BURSAR_MUST_CHECK enum bursar_status tick_money_over(struct executor *executor, struct tick *tick,
                                                     const struct spending_plan *plan, struct bursar_error *err);

/* Wakes, selects, checks, binds. */
BURSAR_MUST_CHECK enum bursar_status tick_bind(struct executor *executor, struct tick *tick, struct bursar_error *err);
/* What paying these rows takes. False: the node failed, and nothing is decided about them. */
bool tick_outlooks(struct executor *executor, struct tick *tick, const struct due_row *rows, size_t count,
                   const struct fees *fees, struct purse *purses, size_t *ret_purse_count, struct outlook *ret);
/* What the account has of these tokens; those that do not say stay not known. The node's fault, if any. */
BURSAR_MUST_CHECK enum bursar_status tick_purses(struct executor *executor, const struct tick *tick,
                                                 struct purse *purses, size_t count, struct bursar_error *err);
/* In place of store->due_select: at most `size` due rows that the host says are ready. */
BURSAR_MUST_CHECK enum bursar_status tick_host_select(struct executor *executor, struct tick *tick, uint64_t epoch,
                                                      size_t size, struct due_row *ret, size_t *ret_count,
                                                      struct bursar_error *err);
/* The host's nonce floor may veto binding. */
void tick_host_floor(struct executor *executor, struct tick *tick);
/* Is this flight stuck, and what would another attempt at its nonce offer? */
enum replacement tick_replacement(struct executor *executor, const struct tick *tick, const struct flight *flight,
                                  struct fees *ret);
/* Signs what is bound without bytes, stages the bytes, hands them over. */
BURSAR_MUST_CHECK enum bursar_status tick_sign(struct executor *executor, struct tick *tick, struct bursar_error *err);
BURSAR_MUST_CHECK enum bursar_status tick_submit(struct executor *executor, struct tick *tick,
                                                 struct bursar_error *err);
/* Waits for the requests that are under way, and records what became of them. */
BURSAR_MUST_CHECK enum bursar_status tick_land(struct executor *executor, struct tick *tick, struct bursar_error *err);
/* The lease is lost: waits for them, records nothing. */
void tick_forget_outgoing(struct executor *executor);
/* Flights as the store shows them, corrected by what is under way. */
void tick_mark_under_way(struct executor *executor);
/* Stores the snapshot when it changed. */
BURSAR_MUST_CHECK enum bursar_status tick_snapshot(struct executor *executor, struct tick *tick,
                                                   struct bursar_error *err);

static inline struct block_mark head_mark(const struct chain_head *head)
{
    return (struct block_mark){ head->block.number, head->block.hash };
}
BURSAR_MUST_CHECK enum bursar_status tick_settle(struct executor *executor, const struct settlement *settlement,
                                                 struct bursar_error *err);

/* Reads all flights into the scratch memory. */
BURSAR_MUST_CHECK enum bursar_status flights_load(struct executor *executor, struct bursar_error *err);
/* Only those from this nonce on; below it nothing has changed. */
BURSAR_MUST_CHECK enum bursar_status flights_reload(struct executor *executor, uint64_t from_nonce,
                                                    struct bursar_error *err);
/* Only those in [first_nonce, last_nonce], which are in flight; around them nothing has changed. */
BURSAR_MUST_CHECK enum bursar_status flights_reread(struct executor *executor, uint64_t first_nonce,
                                                    uint64_t last_nonce, struct bursar_error *err);
/* What was just included is not in flight any more. */
void flights_drop(struct scratch *scratch, const struct included_attempt *included, size_t count);
bool flights_have_unsigned(const struct scratch *scratch); /* bound, without bytes yet */
/* Indexes all attempts of all flights by their hashes. */
BURSAR_MUST_CHECK enum bursar_status flights_watch(struct executor *executor, struct bursar_error *err);
/* NULL: not in flight. */
struct flight *flight_find(struct scratch *scratch, uint64_t nonce);

#endif

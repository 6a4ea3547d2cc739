/* The executor: turns the due disbursements of one treasury into paid ones, each exactly once, through its host's
 * callbacks. It is the one that `bursar run` uses; only what signs, sends and observes is the host's.
 *
 *     due -> dependency_check -> bound to a nonce (durable) -> signer -> bytes (durable) -> submitter -> observer ->
 * final
 *
 * What the host can rely on
 *  - A nonce is bound to one (destination, amount) for life, and bytes are on disk before the submitter sees them.
 * After a crash at any point the same bytes are submitted again.
 *  - The signer is wrapped with a signing log of ours: it is never asked to sign two payloads for one nonce, and what
 * it signed is on disk before it is submitted.
 *  - No answer of the submitter ends a payment. Only a final answer of the observer does; without an observer, accepted
 *    is final.
 *  - One executor works for a treasury at a time, over all processes: the others stand by.
 *
 * What the executor relies on
 *  - The submitter accepts any number of submissions of the same bytes and lets them take effect once: the second time
 * it answers ACCEPTED or KNOWN. A chain with nonces does this by itself.
 *  - A chain, or host, that carries out a nonce does it once.
 *
 * Callbacks are called on the thread that ticks, one at a time, never concurrently. They may call the store API on a
 * handle of the host's, and bursar_executor_shutdown; nothing else of the executor. A callback that blocks holds up the
 * tick, and with it shutdown and join: it should have a timeout below lease_ttl. Callbacks must not throw or longjmp.
 */
#ifndef BURSAR_EXECUTOR_H
#define BURSAR_EXECUTOR_H

#include <bursar/breaker.h>
#include <bursar/store.h>

#define BURSAR_POLL_INTERVAL_MIN_MS 10
#define BURSAR_POLL_INTERVAL_MAX_MS 60000
#define BURSAR_POLL_INTERVAL_DEFAULT_MS 15000
#define BURSAR_LEASE_TTL_MIN_MS 500
#define BURSAR_LEASE_TTL_MAX_MS 600000
#define BURSAR_LEASE_TTL_DEFAULT_MS 60000

/* -- epoch_source -------------------------------------------------------------------------------------------------- */

/* The clock of schedules that count epochs. */
struct bursar_epoch_source {
    void *ctx;
    /* The current epoch, which should not go back. False: not known now; then nothing scheduled for an epoch above 0 is
     * due. Required. */
    bool (*epoch)(void *ctx, uint64_t *ret_epoch);
};

/* -- signer -------------------------------------------------------------------------------------------------------- */

#define BURSAR_TRANSACTION_MAX_BYTES 131072

enum bursar_sign_purpose {
    BURSAR_SIGN_PAYMENT = 1,     /* pays a disbursement */
    BURSAR_SIGN_REPLACEMENT = 2, /* the same payment again, to be submitted in place of the earlier bytes */
    BURSAR_SIGN_SELF = 3,        /* a transfer of 0 to the account itself: uses up a nonce */
};

/* What is wanted for one nonce. */
struct bursar_sign_request {
    size_t size; /* of what the library shows */
    enum bursar_sign_purpose purpose;
    uint64_t chain_id;
    struct bursar_address account;
    uint64_t nonce;
    struct bursar_address destination;
    struct bursar_amount amount; /* base units */
    int64_t disbursement;        /* its id in the store; 0 with SELF */
    uint64_t lease_epoch; /* the fencing token of the asking executor: a remote signer refuses a lower one than it
                             has seen */
};

/* The signer's answer, written by the callback. */
struct bursar_signed {
    size_t size;                    /* of what the library shows */
    uint8_t *bytes;                 /* the library's memory, to be written to */
    size_t capacity_bytes;          /* BURSAR_TRANSACTION_MAX_BYTES */
    size_t length_bytes;            /* set by the callback: 1 to capacity_bytes */
    struct bursar_hash transaction; /* set by the callback: the chain's id of this transaction, its own for ever, by
                                       which the observer is asked. Left all zero: keccak256 of the bytes is taken */
};

struct bursar_signer {
    void *ctx;
    /* BURSAR_OK, or why not, with a sentence in `err` (never NULL). With a status whose remedy is RETRY (EUNREACHABLE,
     * EBUSY, ...) it is asked again at the next tick; with any other the treasury binds nothing new and says why in its
     * snapshot, and it is asked again as well. Items below the refused one go on. It may be asked again for a nonce
     * that it has signed, with the same payload. Required. */
    enum bursar_status (*sign)(void *ctx, const struct bursar_sign_request *request, struct bursar_signed *ret,
                               struct bursar_error *err);
    const char *signing_log; /* path of the treasury's signing log (store.h). Required; copied */
};

/* -- submitter ----------------------------------------------------------------------------------------------------- */

/* Stored: never renumbered, append only. None of these ends a payment: all but ACCEPTED and KNOWN are submitted again.
 */
enum bursar_submit_verdict {
    BURSAR_SUBMIT_ACCEPTED = 1,
    BURSAR_SUBMIT_KNOWN = 2,         /* has it already, pooled or carried out */
    BURSAR_SUBMIT_NONCE_TOO_LOW = 3, /* the nonce is used: nothing is bound above it until that is explained */
    BURSAR_SUBMIT_UNDERPRICED = 4,   /* another one holds the nonce: as above */
    BURSAR_SUBMIT_FEE_TOO_LOW = 5,
    BURSAR_SUBMIT_INSUFFICIENT_FUNDS = 6,
    BURSAR_SUBMIT_REFUSED = 7, /* any other verdict on these bytes */
    BURSAR_SUBMIT_UNKNOWN = 8, /* no answer: may have arrived. A failure of the endpoint */
    BURSAR_SUBMIT_UNSENT = 9,  /* certainly not delivered. A failure of the endpoint */
};

struct bursar_submission {
    size_t size; /* of what the library shows */
    const uint8_t *bytes;
    size_t length_bytes;
    struct bursar_hash transaction;
};

#define BURSAR_SUBMIT_MESSAGE_MAX_BYTES 256

struct bursar_submitter {
    void *ctx;
    /* Hands these bytes over, in nonce order. `ret_message` may be filled with the endpoint's words, up to
     * BURSAR_SUBMIT_MESSAGE_MAX_BYTES with NUL; it is "" before. After UNKNOWN or UNSENT the rest of the batch waits
     * for the next tick. The first seven count as successes of the circuit breaker, the last two as failures. Required.
     */
    enum bursar_submit_verdict (*submit)(void *ctx, const struct bursar_submission *submission,
                                         char ret_message[BURSAR_SUBMIT_MESSAGE_MAX_BYTES]);
};

/* -- dependency_check ---------------------------------------------------------------------------------------------- */

enum bursar_dependency {
    BURSAR_DEPENDENCY_READY = 1,     /* may be paid now */
    BURSAR_DEPENDENCY_WAIT = 2,      /* not yet: asked again at a later tick */
    BURSAR_DEPENDENCY_ERROR = 3,     /* not known: passed over in this tick, and said in the snapshot */
    BURSAR_DEPENDENCY_CANCELLED = 4, /* must not be paid, ever: the disbursement is cancelled, with the host's reason.
                                        The only way in which a callback cancels; possible only here, before anything is
                                        bound. Says nothing about the endpoint: not counted by the circuit breaker */
};

#define BURSAR_DEPENDENCY_REASON_MAX_BYTES 256

/* Asked immediately before a due disbursement is bound: funds, approvals, anything that is the host's. The dependencies
 * that a disbursement names itself have been finalized by then. Neighbours go on whatever it answers. */
struct bursar_dependency_check {
    void *ctx;
    /* `ret_reason` is "" before, and worth filling for ERROR and CANCELLED. NULL: all are ready. */
    enum bursar_dependency (*check)(void *ctx, const struct bursar_disbursement *disbursement,
                                    char ret_reason[BURSAR_DEPENDENCY_REASON_MAX_BYTES]);
};

/* -- nonce_floor --------------------------------------------------------------------------------------------------- */

/* A lower bound that can only veto: while the next nonce is below it, nothing is bound, and the snapshot says why. */
struct bursar_nonce_floor {
    void *ctx;
    uint64_t (*floor)(void *ctx); /* NULL: none */
};

/* -- circuit_breaker_telemetry ------------------------------------------------------------------------------------- */

/* Told after every tick, also one that was cut short or stood by. */
struct bursar_circuit_breaker_telemetry {
    void *ctx;
    /* NULL: nobody listens */
    void (*report)(void *ctx, enum bursar_breaker_state state, uint64_t failures, uint64_t successes);
};

/* -- observer ------------------------------------------------------------------------------------------------------ */

struct bursar_chain_head {
    size_t size;      /* of what the library shows; the rest is 0 before */
    uint64_t height;  /* of the newest block, below 2^62; a lower one than before is taken for a lagging read */
    uint64_t time_s;  /* its time, seconds since 1970; 0: the system's clock is taken */
    bool has_balance; /* false: nothing is known of the account's funds, and everything is affordable */
    struct bursar_amount balance; /* base units */
};

enum bursar_sighting_state {
    BURSAR_SIGHTING_NOT_SEEN = 0,      /* neither in a pool nor in a block. After INCLUDED: a reorg took it out */
    BURSAR_SIGHTING_PENDING = 1,       /* in a pool */
    BURSAR_SIGHTING_INCLUDED = 2,      /* in a block, which may still be replaced */
    BURSAR_SIGHTING_FINAL_SUCCESS = 3, /* carried out, for ever: paid */
    BURSAR_SIGHTING_FINAL_FAILURE = 4, /* its nonce is used and it had no effect, for ever: failed */
};

struct bursar_sighting {
    size_t size; /* of what the library shows; the rest is 0 before */
    enum bursar_sighting_state state;
    uint64_t height; /* INCLUDED and final: of its block; not above the head's height */
    uint64_t fee;    /* final: what it cost beside the amount, base units; for showing */
};

/* What became of what was accepted, for chains that confirm later. Asked at every tick, also while the breaker is open.
 * A status other than OK (with a sentence in `err`, never NULL) is a failed read: it proves nothing, nothing is bound
 * in this tick, and it does not count for the breaker. */
struct bursar_observer {
    void *ctx;
    enum bursar_status (*head)(void *ctx, struct bursar_chain_head *ret, struct bursar_error *err);
    enum bursar_status (*look)(void *ctx, const struct bursar_hash *transaction, struct bursar_sighting *ret,
                               struct bursar_error *err);
};

/* -- money_breaker ------------------------------------------------------------------------------------------------- */

#define BURSAR_MONEY_REVERTS_MAX 1000
#define BURSAR_MONEY_WINDOW_MIN_MS 1000
#define BURSAR_MONEY_WINDOW_MAX_MS 86400000
#define BURSAR_MONEY_WINDOW_DEFAULT_MS 3600000
#define BURSAR_MONEY_PAYMENTS_MAX 1000000000

/* What opens the treasury's money breaker (store.h): payments that go wrong, whatever the endpoint answers. All zero:
 * nothing does, but a person may. What else opens it for the bursar program, a nonce that somebody else has used and a
 * balance that no payment explains, is not looked at here: of the account's own nonces and past balances only the
 * host's chain knows, and a host that sees such a thing opens it itself. */
struct bursar_money_limits {
    uint64_t max_reverts;           /* so many FINAL_FAILUREs within window_ms open it, up to BURSAR_MONEY_REVERTS_MAX;
                                       0: they are not counted */
    uint64_t window_ms;             /* milliseconds that one counts: BURSAR_MONEY_WINDOW_*; 0: the default */
    uint64_t max_payments_per_hour; /* one more than this within an hour opens it before it is bound, up to
                                       BURSAR_MONEY_PAYMENTS_MAX; 0: any number */
};

/* -- the executor -------------------------------------------------------------------------------------------------- */

/* Everything is copied but what callbacks point to and the circuit breaker: these must outlive the executor. */
struct bursar_executor_config {
    size_t size;            /* sizeof(struct bursar_executor_config) */
    const char *identity;   /* who works, for people: 1 to BURSAR_IDENTITY_MAX_BYTES, another one for each executor */
    uint64_t poll_interval; /* milliseconds between ticks with nothing to do; BURSAR_POLL_INTERVAL_*; 0: the default */
    uint64_t lease_ttl;     /* milliseconds; BURSAR_LEASE_TTL_*; 0: the default */
    struct bursar_epoch_source epoch_source;
    struct bursar_signer signer;
    struct bursar_submitter submitter;
    struct bursar_dependency_check dependency_check; /* optional */
    struct bursar_nonce_floor nonce_floor;           /* optional */
    struct bursar_breaker *circuit_breaker;          /* the host's, for this executor alone; its state is kept in the
                                                        treasury's store and taken up again from there */
    struct bursar_circuit_breaker_telemetry circuit_breaker_telemetry; /* optional */
    struct bursar_observer observer;          /* optional, both callbacks or none; absent: accepted = executed =
                                                 final */
    struct bursar_money_limits money_breaker; /* optional */
};

struct bursar_executor;

/* An executor to be ticked by its host; `treasury` as bursar_store_treasury returned it. It has a store handle of its
 * own and takes nothing yet. EINVAL: a field is missing or out of range, `err` names it. ENOTFOUND: no such treasury.
 * ECONFLICT: a treasury of the bursar program, which drives another kind of chain. */
BURSAR_MUST_CHECK enum bursar_status bursar_executor_new(const struct bursar_store *store, int64_t treasury,
                                                         const struct bursar_executor_config *config,
                                                         struct bursar_executor **ret, struct bursar_error *err);

/* What a tick left behind. */
struct bursar_tick_report {
    size_t size;         /* sizeof(struct bursar_tick_report), set by the caller; no more than this is written */
    bool holds_lease;    /* false: another executor works, or the tick was cut short */
    bool observed;       /* the observer answered, and the chain is the right one */
    bool is_idle;        /* nothing is left that time alone will bring on */
    bool is_halted;      /* nothing is bound until a person has looked: the snapshot says why */
    bool is_forced_open; /* a person has opened the circuit breaker: nothing is submitted until a person closes it */
    bool is_money_open;  /* the money breaker is open: nothing is bound or signed until a person closes it */
};

/* One tick: one pass, without threads or sleeps of its own. Call it again after *ret_next_wake_ms, which is 0 when
 * there is more to do at once. `ret` may be NULL. What went wrong with the host's world is in the snapshot and is no
 * failure here. ESTORAGE, EINTERNAL: the store can't be relied on; nothing was submitted that is not durable, and
 * ticking on makes no sense. EBUSY, ENOMEM: try again later. Threads: one at a time. */
BURSAR_MUST_CHECK enum bursar_status bursar_executor_tick(struct bursar_executor *executor, uint64_t *ret_next_wake_ms,
                                                          struct bursar_tick_report *ret, struct bursar_error *err);
/* Releases lease and signing log. NULL is fine. Returns NULL. */
struct bursar_executor *bursar_executor_free(struct bursar_executor *executor);

struct bursar_executor_handle;

/* An executor that ticks on a thread of its own until it is shut down. Arguments and errors as for bursar_executor_new;
 * EINTERNAL: no thread can be started. All signals are blocked in that thread. */
BURSAR_MUST_CHECK enum bursar_status bursar_executor_spawn(const struct bursar_store *store, int64_t treasury,
                                                           const struct bursar_executor_config *config,
                                                           struct bursar_executor_handle **ret,
                                                           struct bursar_error *err);
/* Asks it to end, and returns at once: the callback in hand ends, and no other is called but the telemetry's. Any
 * thread, any number of times, also from a callback; not from a signal handler. NULL is fine. */
void bursar_executor_shutdown(struct bursar_executor_handle *handle);
/* Waits until it has ended, by bursar_executor_shutdown or for an error; then the lease is released and the handle is
 * gone. Returns OK after a shutdown, else what ended it (see bursar_executor_tick), with its sentence in `err`. EUSAGE:
 * called from a callback; nothing was done. Once a handle. */
BURSAR_MUST_CHECK enum bursar_status bursar_executor_join(struct bursar_executor_handle *handle,
                                                          struct bursar_error *err);

#endif

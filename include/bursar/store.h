/* The store: what a treasury owes, and everything that happened to it. One file, durable when a call returns.
 *
 *     struct bursar_store *store;
 *     bursar_store_open("sqlite:/var/lib/host/bursar.db", BURSAR_STORE_EXISTING, &store, &err)
 *     bursar_store_treasury(store, &treasury, &id, &err)           registers it, or finds it again
 *     bursar_store_submit(store, id, payments, count, "payroll", results, &err)
 *     bursar_store_close(store)
 *
 * Executors (executor.h) and other processes work on the same store at the same time.
 *
 * Statuses that any function here may return, beside those it names: BURSAR_ESTORAGE (the store can't be relied on),
 * BURSAR_EBUSY (another process has kept it locked for 30 s), BURSAR_ENOMEM, BURSAR_EUSAGE (an argument that makes no
 * sense, or a call from inside a visitor). On failure nothing was changed and no `ret` was touched. After an fsync that
 * failed (ESTORAGE) a handle only reads: open the store anew; what was being written may be found there.
 *
 * Ownership: what is passed in is borrowed for the call; what a visitor is shown belongs to the library and is gone
 * when the visitor returns. Threads: every function may be called on any thread, close only when no other call is going
 * on. Calls on one handle wait for each other; a visitor must not call into the handle that it visits. */
#ifndef BURSAR_STORE_H
#define BURSAR_STORE_H

#include <bursar/amount.h>
#include <bursar/status.h>
#include <bursar/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bursar_store;

enum bursar_store_mode {
    BURSAR_STORE_EXISTING = 1, /* there must be one */
    BURSAR_STORE_CREATE = 2, /* a new one; there must be none. A host does this once, when it is set up: a store that is
                                made anew because the old one was lost does not know what was paid */
};

/* `url`: "sqlite:PATH". The file must lie on a local disk. ESTORAGE: there is none, or it is damaged or newer than this
 * library; EEXIST: CREATE, and there is one; EREFUSED: it lies on a network file system; EUSAGE: not such a URL. */
BURSAR_MUST_CHECK enum bursar_status bursar_store_open(const char *url, enum bursar_store_mode mode,
                                                       struct bursar_store **ret, struct bursar_error *err);
/* NULL is fine. Returns NULL. Executors made from it have handles of their own and go on. */
struct bursar_store *bursar_store_close(struct bursar_store *store);

/* -- treasuries ---------------------------------------------------------------------------------------------------- */

#define BURSAR_TREASURY_NAME_MAX_BYTES 63
#define BURSAR_EPOCH_SOURCE_MAX_BYTES 31

/* One account on one chain that pays. */
struct bursar_treasury {
    size_t size;                   /* sizeof(struct bursar_treasury) */
    const char *name;              /* for people: 1 to BURSAR_TREASURY_NAME_MAX_BYTES of [a-z0-9_] */
    uint64_t chain_id;             /* 1 to 2^63-1; together with the account the treasury's identity, for ever */
    struct bursar_address account; /* 20 bytes that name the account; a host with longer ones hashes them */
    const char *epoch_source;      /* what the epochs of its schedules count, e.g. "blocks/120": 1 to
                                      BURSAR_EPOCH_SOURCE_MAX_BYTES of printable ASCII */
    uint64_t first_nonce;          /* the account's next nonce when it becomes a treasury here, below 2^63 */
    const char *signing_log; /* path of its signing log, best beside the key and not beside the store: made here with
                                a new treasury, never again. Put no older copy of it back */
};

/* Registers a treasury, or finds it again: to be called at every start with the same values. Whatever it returns,
 * calling it again after a crash goes on where it stopped. *ret_id is its number in this store, for the calls below.
 * EINVAL: a field is out of range. ECONFLICT: it is stored with another first_nonce, it belongs to another kind of
 * chain (made by the bursar program), or epoch_source is another one while disbursements wait on an epoch. */
BURSAR_MUST_CHECK enum bursar_status bursar_store_treasury(struct bursar_store *store,
                                                           const struct bursar_treasury *treasury, int64_t *ret_id,
                                                           struct bursar_error *err);

/* -- submitting ---------------------------------------------------------------------------------------------------- */

#define BURSAR_REF_MAX_BYTES 128
#define BURSAR_MEMO_MAX_BYTES 8192
#define BURSAR_DEPENDENCIES_MAX_COUNT 100
#define BURSAR_SUBMIT_MAX_COUNT 100000

enum bursar_schedule {
    BURSAR_SCHEDULE_NOW = 0,
    BURSAR_SCHEDULE_TIME = 1,  /* not before: seconds since 1970, compared with the observer's time, else the clock */
    BURSAR_SCHEDULE_EPOCH = 2, /* not before: an epoch, compared with epoch_source */
};

/* An obligation to pay. */
struct bursar_payment {
    size_t size;                       /* sizeof(struct bursar_payment); the same in all of an array */
    const char *ref;                   /* the permanent idempotency key, unique in the treasury for ever: 1 to
                                          BURSAR_REF_MAX_BYTES of printable ASCII without ';' */
    struct bursar_address destination; /* whom */
    struct bursar_amount amount;       /* how much: base units of the coin, or of `token`; not zero */
    const char *memo;                  /* NULL or up to BURSAR_MEMO_MAX_BYTES of UTF-8; stays in the store */
    enum bursar_schedule schedule;
    uint64_t schedule_value;            /* seconds or epoch, as `schedule` says; 0 with NOW */
    const char *const *depends_on;      /* refs, stored or in the same call: waits until they are finalized */
    size_t depends_on_count;            /* 0 to BURSAR_DEPENDENCIES_MAX_COUNT */
    const struct bursar_address *token; /* NULL: the chain's coin; else the contract of an ERC-20 token to pay with */
};

/* What became of one item of a submit. Does not grow. */
struct bursar_submitted {
    enum bursar_status status; /* OK, or EINVAL: `field` and `message` say what is wrong with this item */
    bool added;                /* false: the same content was there under this ref already */
    int64_t id;                /* its disbursement, 1 or more; 0 when the submit failed */
    char field[16];            /* "ref", "destination", "asset" (the token), "amount", "memo", "not_before",
                                  "depends_on"; "" when nothing is wrong */
    char message[BURSAR_ERROR_MESSAGE_MAX_BYTES];
};

/* Submits 1 to BURSAR_SUBMIT_MAX_COUNT payments, all that are new or none. The same ref with the same content is
 * already there, which is no error: after a crash the whole call is simply made again. `actor` (1 to 128 bytes) is
 * recorded as who did it. `ret` has room for `count`, or is NULL; it is filled whenever OK or EINVAL is returned.
 * EINVAL: at least one item is wrong (a bound, the same ref with other content, twice in this call, an unknown ref or a
 * cycle among dependencies), nothing was added. ENOTFOUND: no such treasury. */
BURSAR_MUST_CHECK enum bursar_status bursar_store_submit(struct bursar_store *store, int64_t treasury,
                                                         const struct bursar_payment *payments, size_t count,
                                                         const char *actor, struct bursar_submitted *ret,
                                                         struct bursar_error *err);

/* Cancels a queued disbursement; its ref stays used for ever. `actor` and `reason` (1 to 256 bytes) are recorded.
 * ENOTFOUND: no such one. ECONFLICT: it is not queued any more (bound, paid, cancelled, failed); nothing was changed.
 */
BURSAR_MUST_CHECK enum bursar_status bursar_store_cancel(struct bursar_store *store, int64_t treasury, int64_t id,
                                                         const char *actor, const char *reason,
                                                         struct bursar_error *err);

/* Queues a failed disbursement again: it will be paid at another nonce. Otherwise as cancel. ECONFLICT: it has not
 * failed.
 */
BURSAR_MUST_CHECK enum bursar_status bursar_store_retry(struct bursar_store *store, int64_t treasury, int64_t id,
                                                        const char *actor, const char *reason,
                                                        struct bursar_error *err);

/* -- looking ------------------------------------------------------------------------------------------------------- */

/* Stored: never renumbered, append only. */
enum bursar_state {
    BURSAR_STATE_DRAFT = 1,
    BURSAR_STATE_VOTING = 2,
    BURSAR_STATE_QUEUED = 3,      /* approved; waits for its schedule, its dependencies, funds, or the next tick */
    BURSAR_STATE_STAGED = 4,      /* bound to a nonce; bytes may be out: it can't be cancelled by hand any more */
    BURSAR_STATE_EXECUTED = 5,    /* included, not final yet */
    BURSAR_STATE_FINALIZED = 6,   /* paid, finally */
    BURSAR_STATE_CANCELLED = 7,   /* will not be paid */
    BURSAR_STATE_FAILED = 8,      /* its transaction failed, finally; waits for a person */
    BURSAR_STATE_ROLLED_BACK = 9, /* paid, and reversed by decision */
};
#define BURSAR_STATE_COUNT 10

/* "queued" and so on; NULL for a number that is none. */
const char *bursar_state_name(enum bursar_state state);

/* A disbursement as it stands. */
struct bursar_disbursement {
    size_t size; /* of what the library shows */
    int64_t id;  /* 1 or more, in order of submission */
    const char *ref;
    struct bursar_address destination;
    struct bursar_amount amount; /* base units of the coin, or of `token` */
    const char *memo;            /* "" when none */
    enum bursar_schedule schedule;
    uint64_t schedule_value;
    enum bursar_state state;
    const char *blocked;   /* why a queued or failed one does not move on: "funds", "destination_code",
                              "dependency", "failed", "reverts", "unestimated", "gas", "token" (it can't be paid here);
                              NULL when nothing is wrong */
    const char *waits_for; /* the ref it waits for, or that blocks it; NULL */
    uint64_t queued_ms;    /* when it was submitted; milliseconds since 1970 */
    bool has_nonce;        /* bound: */
    uint64_t nonce;
    bool has_transaction; /* signed: */
    struct bursar_hash transaction;
    bool has_block;           /* included: */
    uint64_t block_number;    /* the observer's height, or one above when that was looked at before; without an observer
                                 a count */
    bool has_fee;             /* final: */
    struct bursar_amount fee; /* as the observer said; base units */
    const struct bursar_address *token; /* what it is owed in: NULL, the chain's coin */
};

/* One step of a disbursement's history. */
struct bursar_event {
    size_t size;
    uint64_t seq;   /* position in the store's one log, growing */
    uint64_t at_ms; /* milliseconds since 1970 */
    int from_state; /* 0: it did not exist */
    enum bursar_state to_state;
    const char *cause;  /* "imported", "bound", "included", "reorged", "final_success", ... */
    const char *actor;  /* who: the submitter, a person, or an executor's identity */
    const char *detail; /* a sentence, or "" */
};

/* One set of signed bytes. */
struct bursar_attempt {
    size_t size;
    uint64_t nonce;
    struct bursar_hash transaction;
    uint64_t signed_ms;
    uint64_t sends;        /* how often it was handed to the submitter */
    uint64_t last_sent_ms; /* 0: never */
    const char *verdict;   /* of the last time: "accepted", "known", "unknown", ...; "" when none yet */
    const char *message;   /* the submitter's words, or "" */
    bool has_block;
    uint64_t block_number;
};

/* Each returns whether to go on. */
typedef bool bursar_disbursement_visitor(void *ctx, const struct bursar_disbursement *disbursement);
typedef bool bursar_event_visitor(void *ctx, const struct bursar_event *event);
typedef bool bursar_attempt_visitor(void *ctx, const struct bursar_attempt *attempt);
typedef bool bursar_ref_visitor(void *ctx, const char *ref);

#define BURSAR_LIST_MAX_COUNT 10000

/* Disbursements with an id above `after_id`, by id, at most `limit` (1 to BURSAR_LIST_MAX_COUNT): the next page starts
 * after the last one shown. `state` 0: of any state. */
BURSAR_MUST_CHECK enum bursar_status bursar_store_list(struct bursar_store *store, int64_t treasury, int state,
                                                       int64_t after_id, size_t limit,
                                                       bursar_disbursement_visitor *visit, void *ctx,
                                                       struct bursar_error *err);

/* Who gets to see what of one disbursement, in this order; NULL where nobody asks. */
struct bursar_show {
    size_t size; /* sizeof(struct bursar_show) */
    void *ctx;
    bursar_disbursement_visitor *disbursement;
    bursar_ref_visitor *dependency;
    bursar_event_visitor *event;
    bursar_attempt_visitor *attempt;
};

/* One disbursement with its whole history. ENOTFOUND: this treasury has none with this id. */
BURSAR_MUST_CHECK enum bursar_status bursar_store_show(struct bursar_store *store, int64_t treasury, int64_t id,
                                                       const struct bursar_show *show, struct bursar_error *err);

/* The id under a ref. ENOTFOUND. */
BURSAR_MUST_CHECK enum bursar_status bursar_store_find(struct bursar_store *store, int64_t treasury, const char *ref,
                                                       int64_t *ret_id, struct bursar_error *err);

#define BURSAR_IDENTITY_MAX_BYTES 255

/* What the treasury's executor last knew, and where the treasury stands. Times are milliseconds since 1970, 0: never.
 */
struct bursar_snapshot {
    size_t size; /* sizeof(struct bursar_snapshot), set by the caller; no more than this is written */
    uint64_t last_tick_ms;
    uint64_t last_success_ms; /* the last tick in which nothing went wrong */
    uint64_t last_error_ms;
    char last_error[BURSAR_ERROR_MESSAGE_MAX_BYTES]; /* of last_error_ms; stays readable after a success */
    char hold[BURSAR_ERROR_MESSAGE_MAX_BYTES];       /* why nothing is bound although nothing is wrong; "" */
    char halt[32];                                   /* why nothing is bound until a person has looked: a code; "" */
    char halt_reason[BURSAR_ERROR_MESSAGE_MAX_BYTES];
    uint64_t pending;                                 /* queued: approved, not bound */
    uint64_t staged;                                  /* bound, not seen included */
    uint64_t states[BURSAR_STATE_COUNT];              /* how many are in each state, by its number */
    char lease_holder[BURSAR_IDENTITY_MAX_BYTES + 1]; /* the last holder's identity; "" when it has released it */
    bool lease_released;                              /* nobody holds it: released, or never taken */
    uint64_t lease_expires_ms;                        /* if it is not renewed again; 0 when released */
    uint64_t lease_renewals;
    uint64_t lease_epoch; /* the fencing token: grows with every change of holder */
    bool has_lease_last_nonce;
    uint64_t lease_last_nonce; /* the highest nonce ever bound; survives a change of holder */
    bool has_last_submitted_nonce;
    uint64_t last_submitted_nonce; /* the highest nonce ever handed to a submitter */
};

/* ENOTFOUND: no such treasury. Works while an executor runs, and when none does. */
BURSAR_MUST_CHECK enum bursar_status bursar_store_snapshot(struct bursar_store *store, int64_t treasury,
                                                           struct bursar_snapshot *ret, struct bursar_error *err);

/* -- the money breaker --------------------------------------------------------------------------------------------- */

#define BURSAR_ACTOR_MAX_BYTES 255
#define BURSAR_MONEY_DETAIL_MAX_BYTES 511

/* It opens on payments that go wrong (executor.h), or by a person. While it is open every executor of the treasury
 * binds nothing new and signs no payment, through restarts and changes of holder; what is out is submitted again and
 * observed. Only bursar_store_money_close closes it. */
struct bursar_money_breaker {
    size_t size; /* sizeof(struct bursar_money_breaker), set by the caller; no more than this is written */
    bool is_open;
    uint64_t changed_ms;                            /* when it opened or was closed, ms since 1970; 0: never */
    char cause[32];                                 /* why it is open: "reverts", "spending_rate", "person"; "" */
    char detail[BURSAR_MONEY_DETAIL_MAX_BYTES + 1]; /* what happened, or the reason of who changed it last; "" */
    char actor[BURSAR_ACTOR_MAX_BYTES + 1];         /* who changed it last: an executor's identity, a person; "" */
};

/* How it stands. ENOTFOUND: no such treasury. */
BURSAR_MUST_CHECK enum bursar_status bursar_store_money_breaker(struct bursar_store *store, int64_t treasury,
                                                                struct bursar_money_breaker *ret,
                                                                struct bursar_error *err);
/* Opens it: in force with the next payment to be bound or signed, on all threads and in all processes. Closing it also
 * forgets what has opened it and what was paid in this hour. `actor` (1 to 128 bytes) and `reason` (1 to 256 bytes) are
 * recorded. One that is open already, or closed, has the new ones from then on. ENOTFOUND. */
BURSAR_MUST_CHECK enum bursar_status bursar_store_money_open(struct bursar_store *store, int64_t treasury,
                                                             const char *actor, const char *reason,
                                                             struct bursar_error *err);
BURSAR_MUST_CHECK enum bursar_status bursar_store_money_close(struct bursar_store *store, int64_t treasury,
                                                              const char *actor, const char *reason,
                                                              struct bursar_error *err);

#endif

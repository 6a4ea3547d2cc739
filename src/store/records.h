/* The rows of a store as plain values, and the numbers it keeps. Every number here is stored: never renumber. */
#ifndef STORE_RECORDS_H
#define STORE_RECORDS_H

#include "domain/lifecycle.h"
#include "domain/money.h"
#include "domain/obligation.h"

#include <bursar/amount.h>
#include <bursar/breaker.h>
#include <bursar/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Why a treasury binds nothing. */
enum halt_code {
    HALT_NONE = 0,
    HALT_WRONG_CHAIN = 1,        /* the node is on another chain id */
    HALT_GENESIS_MISMATCH = 2,   /* latches: same chain id, other genesis block */
    HALT_ANCHOR_MISMATCH = 3,    /* latches: what was final is not there any more */
    HALT_STORE_BEHIND_LOG = 4,   /* the signing log knows a signature that the store does not */
    HALT_SIGNING_LOG_LOST = 5,   /* the store knows an attempt that the signing log does not */
    HALT_STORE_BEHIND_CHAIN = 6, /* the account sent more than the store knows of */
    HALT_FOREIGN_NONCE = 7,      /* one of our nonces was used, finally, by a transaction that is not ours */
    HALT_ACCOUNT_HISTORY = 8,    /* the account had sent before it became a treasury here, nobody acknowledged that */
    HALT_SIGNER = 9,             /* key or signing log can't be used */
    HALT_CHAIN_UNSUITABLE = 10   /* the chain can't be driven: no EIP-1559 fees */
};
/* "foreign_nonce" etc.; NULL for a number that is none. */
const char *halt_code_name(enum halt_code code);
/* True for the halts that only a person's reconciliation ends (INV-8). */
bool halt_latches(enum halt_code code);

/* Why a queued disbursement that is due is passed over. */
enum block_code {
    BLOCK_NONE = 0,
    BLOCK_FUNDS = 1,            /* the balance does not cover it beside what is in flight */
    BLOCK_DESTINATION_CODE = 2, /* its destination is a contract, on a chain where gas can't be estimated */
    BLOCK_DEPENDENCY = 3,       /* derived, never stored: what it waits for was cancelled or failed */
    BLOCK_FAILED = 4,           /* derived, never stored: its own transaction reverted */
    BLOCK_REVERTS = 5,          /* its transaction would be reverted */
    BLOCK_UNESTIMATED = 6,      /* what it takes is not known: nothing is decided by that but to look again */
    BLOCK_GAS = 7,              /* it takes more gas than a payment may */
    BLOCK_TOKEN = 8,            /* it owes a token, on a chain that has none */
};
#define BLOCK_NOTE_MAX_BYTES 200

enum intent_kind {
    INTENT_PAYMENT = 1,
    INTENT_CANCEL = 2,
    INTENT_GAP_FILL = 3,
};

/* What a token of the HTTP API is good for, beside reading. Stored bits: never renumber. */
enum token_scope {
    TOKEN_SCOPE_READ = 1,
    TOKEN_SCOPE_PAY = 2,     /* create disbursements */
    TOKEN_SCOPE_OPERATE = 4, /* cancel, retry, breaker, reconcile */
};
#define TOKEN_SCOPES_ALL 7U

/* Of the signer's purposes (enum sign_purpose) the one that the store must tell apart: it pays nobody. */
#define PURPOSE_SELF_TRANSFER 3
/* Beside the signer's purposes (enum sign_purpose), of an attempt: somebody else's transaction, seen in a final block,
 * has used the nonce. It pays nothing of ours. */
#define PURPOSE_FOREIGN 4
/* ... and one that pays what its nonce is bound to, by bytes that neither store nor signing log know: it is the
 * payment, whatever its hash (INV-4). */
#define PURPOSE_FOUND 5

/* What people ask an executor to carry out. Stored: pinned, append only. */
enum request_kind {
    REQUEST_CANCEL = 1, /* target: a disbursement that is bound; a transfer of 0 to self takes its nonce */
};

enum intent_status {
    INTENT_BOUND = 1,    /* no bytes yet */
    INTENT_SIGNED = 2,   /* bytes are out, or may be */
    INTENT_INCLUDED = 3, /* an attempt is in a canonical block */
    INTENT_FINAL = 4,
};

enum attempt_status {
    ATTEMPT_SIGNED = 1,
    ATTEMPT_INCLUDED = 2,
    ATTEMPT_FINAL = 3,
};

#define HALT_REASON_MAX_BYTES 512
#define LEASE_HOLDER_MAX_BYTES 256
#define EPOCH_SOURCE_MAX_BYTES 32
#define TREASURY_NAME_MAX_BYTES 64
#define ACTOR_MAX_BYTES 256
#define REASON_MAX_BYTES 500

struct block_mark {
    uint64_t number;
    struct bursar_hash hash;
};

struct treasury {
    int64_t id;
    char name[TREASURY_NAME_MAX_BYTES];
    uint64_t chain_id;
    struct bursar_address address;
    char epoch_source[EPOCH_SOURCE_MAX_BYTES]; /* "block/120", "time/3600" */
    bool is_pinned;                            /* the four below are set: at init, or at the first look at the chain */
    struct bursar_hash genesis_hash;
    uint64_t first_nonce;
    struct block_mark anchor; /* newest final block pinned */
    struct block_mark scan;   /* newest block whose transactions were read */
    enum halt_code halt;
    char halt_reason[HALT_REASON_MAX_BYTES];
    char lease_holder[LEASE_HOLDER_MAX_BYTES]; /* "": released */
    uint64_t lease_epoch;
    uint64_t lease_renewals;
    uint64_t lease_renewed_ms; /* wall clock, for showing only */
    uint64_t lease_ttl_ms;
};

/* What every write of an executor carries (INV-6). */
struct fence {
    int64_t treasury;
    uint64_t lease_epoch;
    uint64_t breaker_version; /* as last loaded or saved: what spends fails once it is another. 0: not compared */
    uint64_t money_version;   /* likewise, of the money breaker */
};

/* What a person decides, for the event log: who, why (1-REASON_MAX_BYTES bytes), when. Borrowed. */
struct decision {
    const char *actor;
    const char *reason;
    uint64_t at_ms; /* wall clock */
};

/* What a person last did to a circuit breaker. */
enum breaker_command {
    BREAKER_COMMAND_NONE = 0,
    BREAKER_COMMAND_OPEN = 1,
    BREAKER_COMMAND_CLOSE = 2,
    BREAKER_COMMAND_RESET = 3,
};

/* For how long at most a command may be in force; 0: it has no duration. */
static inline uint64_t breaker_command_max_ms(enum breaker_command command)
{
    switch (command) {
    case BREAKER_COMMAND_OPEN:
        return BURSAR_BREAKER_FORCED_MAX_MS;
    case BREAKER_COMMAND_CLOSE:
        return BURSAR_BREAKER_HELD_MAX_MS;
    case BREAKER_COMMAND_NONE:
    case BREAKER_COMMAND_RESET:
        return 0;
    }
    return 0;
}

/* A treasury's circuit breaker as stored. */
struct breaker_record {
    uint64_t version; /* from 1 on; grows with every change */
    struct bursar_breaker_memory memory;
    enum breaker_command command; /* the last one, and whose it was; NONE: nobody's yet */
    char actor[ACTOR_MAX_BYTES];
    char reason[REASON_MAX_BYTES + 1];
    uint64_t commanded_ms;
};

#define MONEY_DETAIL_MAX_BYTES 512

/* A treasury's money breaker as stored. */
struct money_record {
    uint64_t version;                    /* from 1 on; grows whenever it opens or closes */
    enum money_cause cause;              /* MONEY_NONE: closed */
    char detail[MONEY_DETAIL_MAX_BYTES]; /* why it is open; closed: the reason of whoever closed it */
    char actor[ACTOR_MAX_BYTES];         /* who opened or closed it; "": nobody ever */
    uint64_t changed_ms;                 /* wall clock; 0: never */
    bool has_mark;                       /* what the account had at a final block is known: */
    uint64_t mark_number;
    struct bursar_amount mark_balance;
    struct bursar_amount paid; /* what our transactions in final blocks above that took out of it, values and fees */
};

/* What went wrong since it was closed, by cause; of the latest, what is said of it. */
struct money_incidents {
    uint64_t count[MONEY_CAUSE_COUNT];
    char latest[MONEY_CAUSE_COUNT][MONEY_DETAIL_MAX_BYTES];
};
#define MONEY_INCIDENTS_KEPT_COUNT 1000 /* of a treasury and cause: the newest */

#define WEBHOOK_NAME_MAX_BYTES 64

/* How far a webhook has got in the event log. */
struct webhook_record {
    int64_t id;
    char name[WEBHOOK_NAME_MAX_BYTES + 1];
    uint64_t seq;             /* all up to this were delivered, or are not meant for it, but for those kept back: */
    uint64_t kept_count;      /* so many. Read only */
    uint64_t delivered;       /* how many, ever */
    uint64_t last_success_ms; /* wall clock; 0: never */
    uint64_t last_error_ms;
    uint64_t next_try_ms; /* of what was not taken; past: it is being tried; 0: nothing has failed */
    char last_error[BURSAR_ERROR_MESSAGE_MAX_BYTES];
};

struct due_row {
    int64_t id;
    uint64_t version;
    struct bursar_address destination;
    struct asset asset;
    struct bursar_amount amount; /* base units of the asset */
    unsigned looks;              /* how often it was passed over to be looked at again */
    struct bursar_hash content_hash;
};

/* What a transaction tells the contract that it goes to: nothing, unless it pays a token or carries a tag. */
#define CALL_DATA_MAX_BYTES 100
struct call_data {
    size_t length_bytes;
    uint8_t bytes[CALL_DATA_MAX_BYTES]; /* behind its length: not set */
};

/* A disbursement to bind to a nonce: becomes one intent with one item. */
struct binding {
    int64_t disbursement;
    uint64_t version;
    uint64_t nonce;
    struct bursar_address to;
    struct bursar_amount value;
    struct call_data data;
    uint64_t gas_limit;
    struct asset asset; /* that it pays, and how much: */
    struct bursar_amount amount;
};

struct block_decision {
    int64_t disbursement;
    uint64_t version;
    enum block_code code;
    uint64_t recheck_number; /* it is looked at again at this height; 0: not because of blocks that pass */
    uint64_t gas_limit;      /* what it would be bound with; 0: a plain transfer, or not known */
    const char *note;        /* the contract's or the node's words, or NULL; borrowed */
};

/* An intent not seen included: with its newest attempt, once there is one. */
struct flight {
    int64_t intent;
    uint64_t nonce;
    enum intent_kind kind;
    struct bursar_address to;
    struct bursar_amount value;
    uint64_t gas_limit;
    bool has_attempt;
    int64_t attempt;
    unsigned seq; /* of the newest attempt: how many there are */
    int purpose;  /* enum sign_purpose */
    struct bursar_hash hash;
    uint64_t max_priority_fee_per_gas_wei;
    uint64_t max_fee_per_gas_wei;
    uint64_t head_number;  /* of the chain when it was signed */
    uint64_t sends;        /* how often it was handed to a node */
    uint64_t last_sent_ms; /* wall clock; 0: never */
    int verdict;           /* enum submit_verdict of the last time; 0: none yet */
    /* Not stored with it: */
    bool cancel_wanted;    /* a person asks for its nonce to be used up by a transfer of 0 to self */
    bool is_explained;     /* an earlier attempt of ours holds its nonce, in a pool or in a block */
    struct call_data data; /* last: flights are read by the thousand, and most have none */
};

/* An attempt that a newer one was to replace. It stays watched: any of them may be the one that is mined (INV-3). */
struct older_attempt {
    int64_t attempt;
    int purpose; /* enum sign_purpose */
    struct bursar_hash hash;
};
#define OLDER_ATTEMPTS_MAX_COUNT 1000 /* of one intent */

/* An open request to cancel what is bound and not seen included. */
struct cancel_request {
    int64_t disbursement;
    uint64_t nonce;
};
#define CANCEL_REQUESTS_MAX_COUNT 1000 /* looked at in one tick */

struct new_attempt {
    int64_t intent;
    int purpose; /* enum sign_purpose */
    const uint8_t *raw;
    size_t raw_bytes;
    struct bursar_hash hash;
    uint64_t max_priority_fee_per_gas_wei;
    uint64_t max_fee_per_gas_wei;
    uint64_t head_number; /* of the chain now */
};

#define TOKEN_NAME_MAX_BYTES 64

/* A token of the HTTP API, without the token. */
struct token_record {
    int64_t id;
    char name[TOKEN_NAME_MAX_BYTES + 1]; /* unique, for ever */
    struct bursar_hash hash;             /* SHA-256 of its secret */
    unsigned scopes;                     /* bits of enum token_scope */
    uint64_t created_ms;
    char created_by[ACTOR_MAX_BYTES];
    uint64_t expires_ms; /* 0: never */
    uint64_t revoked_ms; /* 0: it is not */
    char revoked_by[ACTOR_MAX_BYTES];
};

/* An attempt seen in a canonical block. */
struct included_attempt {
    int64_t attempt;
    int64_t intent;
    uint64_t nonce;
    int purpose; /* enum sign_purpose: a transfer to self pays nobody */
    struct bursar_hash hash;
    struct block_mark block;
    struct bursar_address to; /* as its intent has it, like the next */
    struct call_data data;
    struct bursar_amount value;
};

struct final_attempt {
    int64_t attempt;
    int64_t intent;
    uint64_t nonce;
    int purpose; /* enum sign_purpose */
    bool succeeded;
    uint64_t gas_used;
    uint64_t effective_gas_price_wei;
    /* Of a token, and only when it succeeded: it moved so much less than was owed, or nothing. */
    bool is_short, is_unpaid;
    struct bursar_amount short_by;
    struct bursar_amount paid; /* what it took out of the account: value and fees */
};

struct submission {
    int64_t attempt;
    int verdict; /* enum submit_verdict */
    const char *message;
};

/* One observation, settled in one transaction: in this order. */
struct settlement {
    bool has_fork;        /* blocks above fork_number are no longer canonical: */
    uint64_t fork_number; /* attempts included there go back to signed, disbursements to staged */
    const struct included_attempt *included;
    size_t included_count;
    const struct final_attempt *final;
    size_t final_count;
    const struct block_mark *scanned; /* appended to the window of read, not yet final blocks */
    size_t scanned_count;
    bool has_scan; /* new scan cursor */
    struct block_mark scan;
    bool has_anchor; /* new anchor; marks below it leave the window */
    struct block_mark anchor;
    bool has_balance; /* what the account has at `anchor`: from here on what it pays is compared with */
    struct bursar_amount balance;
    bool forgets_balance; /* nobody compares with it: what it was is not kept */
    const char *missing;  /* NULL: it is what was paid that explains it; else what does not, for the money breaker */
};

/* What an executor last knew; stored on change, shown by `status`. Texts "" when none. */
struct snapshot {
    uint64_t last_tick_ms; /* wall clock */
    uint64_t last_success_ms;
    uint64_t last_error_ms;
    char last_error[BURSAR_ERROR_MESSAGE_MAX_BYTES];
    bool has_available;
    struct bursar_amount available; /* balance beyond the worst case of all that is in flight */
    struct bursar_amount gas_cost;  /* worst-case fee of one more payment */
    bool has_balance; /* seen by this executor; not read back, but kept as a balance_record when it has changed: */
    struct bursar_amount balance;
    uint64_t balance_block;
    uint64_t balance_ms; /* wall clock */
    bool has_final; /* not read back either: the final block that schedules were compared with, kept until another is */
    uint64_t final_time_s, final_epoch;
    char hold[BURSAR_ERROR_MESSAGE_MAX_BYTES]; /* why nothing is bound although nothing is wrong */
};

#define STATE_COUNT (STATE_LAST + 1)

/* Where a lane of nonces stands. */
struct lane {
    bool has_intents;
    uint64_t lowest_unfinished_nonce; /* == next_nonce when all are final */
    uint64_t next_nonce;              /* highest bound + 1, else the treasury's first nonce */
    uint64_t in_flight;               /* bound and not seen included */
};

/* What is left to do that time alone can bring on; each a cheap existence check. */
struct work_left {
    bool unfinished; /* an intent is not final */
    bool ready;      /* a queued row is due or scheduled: it neither waits for another nor is blocked for long */
    bool to_wake;    /* dependents of something settled have not been looked at yet */
};

/* Of a disbursement that is bound: the attempt that is included, else the newest. */
struct shown_attempt {
    unsigned seq; /* 0: nothing is signed yet */
    int purpose;  /* enum sign_purpose */
    uint64_t max_fee_per_gas_wei;
    uint64_t max_priority_fee_per_gas_wei;
    uint64_t head_number; /* of the chain when it was signed; 0: not known */
    uint64_t sends;
    uint64_t last_sent_ms;
    int verdict; /* enum submit_verdict of the last time; 0: none yet */
    const char *message;
};

/* A disbursement as it is shown. Texts are owned by the store until the callback returns. */
struct disbursement_record {
    int64_t id;
    uint64_t version;
    const char *ref;
    struct bursar_hash content_hash;
    struct bursar_address destination;
    struct asset asset;
    bool has_decimals; /* those of the token are known: */
    unsigned decimals;
    struct bursar_amount amount; /* base units of the asset */
    const char *memo;
    enum schedule_kind schedule;
    uint64_t schedule_value;
    enum disbursement_state state;
    enum block_code blocked;
    const char *blocked_note;   /* the words of who refused it; "" */
    uint64_t blocked_gas;       /* the gas limit that it would take; 0: that of a plain transfer, or not known */
    uint64_t recheck_number;    /* looked at again at this height; 0: not because of blocks that pass */
    const char *blocked_on_ref; /* BLOCK_DEPENDENCY: which; waiting: what for; else NULL */
    enum disbursement_state blocked_on_state;
    uint64_t queued_ms;
    uint64_t ended_ms; /* when it got into a state that only a person leads out of; 0: it has not */
    bool has_nonce;    /* what is paying it, has paid it, or failed to: not what a retry has left behind */
    uint64_t nonce;
    bool has_transaction; /* the included attempt, else the newest */
    struct bursar_hash transaction_hash;
    bool has_block;
    struct block_mark block;
    bool has_fee; /* final only */
    uint64_t gas_used;
    uint64_t effective_gas_price_wei;
    struct shown_attempt newest;
    bool cancel_wanted; /* a person asks for its nonce to be used up, and that is not done yet */
    bool is_short;      /* final only: its token moved so much less than it owes */
    struct bursar_amount short_by;
};

struct event_record {
    uint64_t seq;
    uint64_t at_ms;
    enum lifecycle_cause cause;
    int from_state; /* 0: new */
    int to_state;   /* 0: moves no disbursement */
    const char *actor;
    const char *detail;
    /* Of the whole log only: */
    int64_t treasury;
    int64_t disbursement; /* 0: none */
    const char *ref;      /* NULL: none */
};

/* An event as numbers, for counting. */
struct move_record {
    uint64_t seq;
    int64_t treasury;
    uint64_t at_ms;
    enum lifecycle_cause cause;
    int from_state, to_state; /* as of event_record */
    uint64_t queued_ms;       /* of the disbursement; 0: it is about none */
    uint64_t not_before_ms;   /* of its schedule, when that is a time; else 0 */
    bool has_fee;             /* it ended an intent, and this was paid for its transaction: */
    uint64_t gas_used;
    uint64_t effective_gas_price_wei;
    bool holds_up; /* others wait for what has failed or was cancelled by it */
};

/* What the account held when an executor saw that it, or what is due, had changed. */
struct balance_record {
    uint64_t seq; /* of this treasury, from 1 */
    uint64_t at_ms;
    uint64_t block_number; /* the head then */
    struct bursar_amount balance;
    bool has_before;             /* what was kept before this: */
    struct bursar_amount before; /* as much, */
    uint64_t before_block_number;
    bool has_due;             /* kept with it since there is such a column: */
    struct bursar_amount due; /* in the native coin, then; what owed_asset calls due */
};
#define BALANCES_KEPT_COUNT 100000 /* of a treasury: the newest */

struct attempt_record {
    int64_t id;
    int64_t intent;
    uint64_t nonce;
    unsigned seq;
    int purpose;
    enum attempt_status status;
    struct bursar_hash hash;
    uint64_t max_priority_fee_per_gas_wei;
    uint64_t max_fee_per_gas_wei;
    uint64_t signed_ms;
    uint64_t sends;
    uint64_t last_sent_ms;
    int verdict; /* 0: none yet */
    const char *message;
    bool has_block;
    struct block_mark block;
    bool has_fee;
    uint64_t gas_used;
    uint64_t effective_gas_price_wei;
};

/* Somebody else's transactions that have used nonces of ours, as far as they were seen. */
struct foreign_uses {
    uint64_t count; /* 0: none, and nothing of the following */
    uint64_t nonce; /* of the one seen last */
    struct bursar_hash hash;
    uint64_t block_number;
    uint64_t seen_ms;
};

/* An intent with the attempt that counts (included, else newest), for reconciling. */
struct intent_record {
    int64_t intent;
    uint64_t nonce;
    enum intent_kind kind;
    enum intent_status status;
    struct bursar_address to;
    struct bursar_amount value;
    struct call_data data;
    int64_t disbursement; /* 0: none */
    enum disbursement_state state;
    bool is_live;   /* its item is: it is paying the disbursement, or has paid it */
    bool is_newest; /* of the intents that this disbursement has had: a retry binds another one */
    int outcome;    /* enum lifecycle_cause that ended its item; 0: none yet */
    bool has_attempt;
    int purpose; /* of that attempt: enum sign_purpose, or PURPOSE_FOREIGN */
    struct bursar_hash hash;
    bool has_block;
    struct block_mark block;
    bool has_fee;
    uint64_t gas_used;
    uint64_t effective_gas_price_wei;
    bool is_short; /* its token moved so much less than was owed, or nothing; else short_by is 0 */
    struct bursar_amount short_by;
};

#endif

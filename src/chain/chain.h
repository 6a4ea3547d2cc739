/* The chain seam: what a treasury's executor needs to see of a chain, and how it hands over signed bytes.
 *
 * All reads report what one node showed at one pinned block, or what a quorum of nodes showed alike (nodes.h: whoever
 * adds a read here decides there what its answers need). A failed read returns a status and is never a negative fact
 * (INV-5); only `is_present == false` in an answer that arrived is. */
#ifndef CHAIN_CHAIN_H
#define CHAIN_CHAIN_H

#include <bursar/amount.h>
#include <bursar/status.h>
#include <bursar/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct chain_block_ref {
    uint64_t number;
    struct bursar_hash hash;
};

struct chain_head {
    struct chain_block_ref block;
    struct bursar_hash parent_hash;
    uint64_t timestamp_s;
};

struct chain_query {
    struct bursar_address account;
    bool has_anchor;
    uint64_t anchor_number;
    uint32_t finality_blocks; /* 0: the node's `finalized` tag; else a number of confirmations */
    /* What the asker knows of its chain, so that of several nodes one on another chain can be told from the rest. No
     * answer of a single node depends on it. */
    uint64_t chain_id; /* 0: not known */
    bool has_pins;
    struct bursar_hash genesis_hash;
    struct bursar_hash anchor_hash; /* at anchor_number */
    /* No block above this number is to count as final: so several nodes are asked about one final block. Drivers that
     * are never one of several may leave it out. */
    bool has_final_limit;
    uint64_t final_limit;
};

/* One look at the node. Balance and nonce_latest are read at `latest`'s hash, nonce_final and balance_final at
 * `final`'s. */
struct chain_view {
    uint64_t chain_id;
    struct bursar_hash genesis_hash;
    struct chain_head latest;
    bool has_final; /* false: nothing final yet (a chain younger than its finality) */
    struct chain_head final;
    bool has_anchor_block;          /* the node has a block at query.anchor_number */
    struct bursar_hash anchor_hash; /* its hash */
    uint64_t nonce_latest;
    uint64_t nonce_final;   /* 0 without has_final */
    uint64_t nonce_pending; /* the pool included; not pinned: a hint */
    struct bursar_amount balance;
    /* False: not known. No look fails for it: it is there to judge what has happened, not to say what may. */
    bool has_balance_final;
    struct bursar_amount balance_final;
    /* For the block after `latest`, wei per gas: */
    uint64_t next_base_fee_per_gas_wei;
    uint64_t suggested_priority_fee_per_gas_wei;
};

/* A block with the hashes of its transactions; owned, see chain_blocks_clear. */
struct chain_block {
    bool is_present;
    struct chain_head head;
    struct bursar_hash *transactions;
    size_t transaction_count;
};
void chain_blocks_clear(struct chain_block *blocks, size_t count);

/* What a token moved out of the sender's account, to one recipient (all of it together). */
struct chain_transfer {
    struct bursar_address to;
    struct bursar_amount amount;
};
#define CHAIN_TRANSFERS_MAX_COUNT 4

struct chain_receipt {
    bool is_present;
    bool succeeded;
    struct chain_block_ref block;
    uint64_t gas_used;
    uint64_t effective_gas_price_wei;
    /* Taken from the sender beside gas used x price, whether it succeeded or not: what rollups charge for their data
     * and for their operator. */
    struct bursar_amount other_fee_wei;
    /* The Transfer logs (ERC-20) of the contract that was called, out of the account that called it. */
    struct chain_transfer transfers[CHAIN_TRANSFERS_MAX_COUNT];
    size_t transfer_count;
    bool has_more_transfers; /* to others than these */
};

/* A transaction as the node knows it, pooled or mined. */
struct chain_transaction {
    bool is_present;
    bool is_mined;
    struct chain_block_ref block; /* mined only */
    struct bursar_address from;
    uint64_t nonce;
    bool has_to;
    struct bursar_address to;
    struct bursar_amount value;
    struct bursar_hash data_hash; /* keccak256(input) */
};

/* A transaction found in a block's body. */
struct chain_sent {
    struct bursar_hash hash;
    struct chain_transaction transaction;
};

/* A block with those of its transactions that one account has sent, in their order; owned, see chain_bodies_clear. */
struct chain_body {
    bool is_present;
    struct chain_head head;
    struct chain_sent *sent;
    size_t sent_count;
};
void chain_bodies_clear(struct chain_body *bodies, size_t count);

/* The signed bytes of a transaction; owned, see chain_raws_clear. */
struct chain_raw {
    uint8_t *bytes; /* NULL: the node does not have it, or it is of a type that this program does not sign */
    size_t length_bytes;
};
void chain_raws_clear(struct chain_raw *raws, size_t count);

/* What a token's contract says of itself. */
struct chain_token {
    bool has_code;     /* there is a contract */
    bool has_decimals; /* decimals() answers a number below 256; an amount may have fewer */
    unsigned decimals;
};

/* An account's balance of a token. */
struct chain_token_balance {
    bool is_known; /* false: the contract gave no usable answer */
    struct bursar_amount amount;
};

/* A transaction as it would be sent. `data` is borrowed. */
struct chain_payload {
    struct bursar_address to;
    struct bursar_amount value;
    const uint8_t *data;
    size_t data_bytes;
    bool may_return_false; /* a token's transfer: that it returns false is as if it reverted */
};

/* How transactions are tried out: each by itself, in the state of block `at` where the node allows to name one. */
struct chain_trial {
    struct chain_block_ref at;
    struct bursar_address from;
    uint64_t gas_max; /* what takes more is not worth knowing */
};

enum estimate_outcome {
    ESTIMATE_UNKNOWN = 0, /* the node could not say: no fact at all (INV-5) */
    ESTIMATE_GAS = 1,     /* it goes through with `gas` */
    ESTIMATE_REVERTS = 2, /* it would be reverted */
    ESTIMATE_EXCEEDS = 3, /* it takes more than gas_max */
};
#define CHAIN_WORDS_MAX_BYTES 200
struct chain_estimate {
    enum estimate_outcome outcome;
    uint64_t gas;
    char words[CHAIN_WORDS_MAX_BYTES]; /* unless ESTIMATE_GAS: the contract's, else the node's */
};

/* What a node said about bytes we handed over. None of these ends an intent (INV-5). Stored: pinned, append only. */
enum submit_verdict {
    SUBMIT_ACCEPTED = 1,
    SUBMIT_KNOWN = 2, /* already in its pool, or already mined */
    SUBMIT_NONCE_TOO_LOW = 3,
    SUBMIT_UNDERPRICED = 4, /* replacement or pool minimum */
    SUBMIT_FEE_TOO_LOW = 5, /* below the base fee */
    SUBMIT_INSUFFICIENT_FUNDS = 6,
    SUBMIT_REFUSED = 7, /* any other verdict of the node on these bytes */
    SUBMIT_UNKNOWN = 8, /* no answer: may have arrived */
    SUBMIT_UNSENT = 9,  /* certainly not delivered */
    /* Several nodes only: one refused the nonce as low or underpriced, and one that was handed it too gave no answer.
     * Neither a refusal (INV-5) nor explained (INV-4). */
    SUBMIT_CONTESTED = 10,
};
const char *submit_verdict_name(enum submit_verdict verdict);

#define SUBMIT_MESSAGE_MAX_BYTES 256
struct submit_result {
    enum submit_verdict verdict;
    char message[SUBMIT_MESSAGE_MAX_BYTES]; /* the node's words; empty when accepted */
};

struct raw_transaction {
    const uint8_t *bytes;
    size_t length_bytes;
    struct bursar_hash hash;
};

#define CHAIN_BLOCKS_MAX_COUNT 64
#define CHAIN_BODIES_MAX_COUNT 16
#define CHAIN_TOKENS_MAX_COUNT 100
#define CHAIN_ESTIMATES_MAX_COUNT 100
#define CHAIN_LANES_MAX_COUNT 8
#define CHAIN_LANE_ITEMS_MAX_COUNT 100
#define CHAIN_ITEMS_MAX_COUNT 1000

struct chain {
    void *ctx;
    enum bursar_status (*observe)(void *ctx, const struct chain_query *query, struct chain_view *ret,
                                  struct bursar_error *err);
    /* Blocks numbers[0..count): `is_present` false where the node has none. count <= CHAIN_BLOCKS_MAX_COUNT */
    enum bursar_status (*blocks)(void *ctx, const uint64_t *numbers, size_t count, struct chain_block *ret,
                                 struct bursar_error *err);
    /* count <= CHAIN_ITEMS_MAX_COUNT for the following */
    enum bursar_status (*receipts)(void *ctx, const struct bursar_hash *hashes, size_t count, struct chain_receipt *ret,
                                   struct bursar_error *err);
    enum bursar_status (*transactions)(void *ctx, const struct bursar_hash *hashes, size_t count,
                                       struct chain_transaction *ret, struct bursar_error *err);
    /* The same blocks with what `account` has sent in them: heavy, for what no hash is known of. `count` <=
     * CHAIN_BODIES_MAX_COUNT. NULL where a chain has no blocks to read. */
    enum bursar_status (*bodies)(void *ctx, const struct bursar_address *account, const uint64_t *numbers, size_t count,
                                 struct chain_body *ret, struct bursar_error *err);
    /* The signed bytes of these transactions, pooled or mined; each hashes to what was asked for. NULL as above. */
    enum bursar_status (*raws)(void *ctx, const struct bursar_hash *hashes, size_t count, struct chain_raw *ret,
                               struct bursar_error *err);
    /* Do these addresses hold code at block `at`? (EIP-7702 delegations count as code.) */
    enum bursar_status (*has_code)(void *ctx, const struct chain_block_ref *at, const struct bursar_address *addresses,
                                   size_t count, bool *ret, struct bursar_error *err);
    /* What these tokens say of themselves at block `at`. `count` <= CHAIN_TOKENS_MAX_COUNT. NULL where a chain has no
     * contracts to ask. */
    enum bursar_status (*tokens)(void *ctx, const struct chain_block_ref *at, const struct bursar_address *tokens,
                                 size_t count, struct chain_token *ret, struct bursar_error *err);
    /* The account's balances of these tokens at block `at`. `count` <= CHAIN_TOKENS_MAX_COUNT. NULL as above. */
    enum bursar_status (*token_balances)(void *ctx, const struct chain_block_ref *at,
                                         const struct bursar_address *account, const struct bursar_address *tokens,
                                         size_t count, struct chain_token_balance *ret, struct bursar_error *err);
    /* What these transactions would take. OK also when the node could not say it of some. `count` <=
     * CHAIN_ESTIMATES_MAX_COUNT. NULL where a chain can't try anything out. */
    enum bursar_status (*estimate)(void *ctx, const struct chain_trial *trial, const struct chain_payload *calls,
                                   size_t count, struct chain_estimate *ret, struct bursar_error *err);
    /* Hands over raw transactions in the order given. Always fills every result; returns OK when every item got a
     * verdict from the node, else the transport fault. */
    enum bursar_status (*submit)(void *ctx, const struct raw_transaction *transactions, size_t count,
                                 struct submit_result *ret, struct bursar_error *err);
    /* `submit` in two halves, so that the next transactions are signed while the node takes these: as many requests can
     * be under way as there are lanes (may be 0), one on each. What is started must be finished; `transactions`, at
     * most CHAIN_LANE_ITEMS_MAX_COUNT, are borrowed until then. When `submit_start` fails, nothing was sent. Other
     * reads and submits may be made meanwhile. */
    size_t lanes;
    enum bursar_status (*submit_start)(void *ctx, size_t lane, const struct raw_transaction *transactions, size_t count,
                                       struct bursar_error *err);
    enum bursar_status (*submit_finish)(void *ctx, size_t lane, const struct raw_transaction *transactions,
                                        size_t count, struct submit_result *ret, struct bursar_error *err);
};

#endif

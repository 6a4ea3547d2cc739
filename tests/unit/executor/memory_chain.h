/* A chain in memory behind the chain seam: one account, blocks that link by hashes, a pool, and a script of everything
 * that goes wrong with chains and nodes. It takes the real signed bytes and remembers all it was ever handed, so that a
 * test can count what really happened. */
#ifndef TESTS_EXECUTOR_MEMORY_CHAIN_H
#define TESTS_EXECUTOR_MEMORY_CHAIN_H

#include "chain/chain.h"

#define MEMORY_CHAIN_NO_BLOCK UINT64_MAX

/* A transaction that the chain was handed, or that somebody else sent from the same account. */
struct memory_transaction {
    struct bursar_hash hash;
    uint8_t *raw; /* owned; NULL when foreign */
    size_t raw_bytes;
    uint64_t hand_overs;
    bool is_foreign;
    uint64_t nonce;
    struct bursar_address to;
    struct bursar_amount value;
    uint64_t gas_limit;
    uint64_t max_fee_per_gas_wei, max_priority_fee_per_gas_wei;
    bool is_pooled;
    uint64_t block; /* MEMORY_CHAIN_NO_BLOCK: not mined */
    bool succeeded;
    uint64_t gas_price_wei;
};

struct memory_block {
    struct bursar_hash hash, parent_hash;
    uint64_t timestamp_s;
};

enum chain_call {
    CALL_OBSERVE,
    CALL_BLOCKS,
    CALL_RECEIPTS,
    CALL_TRANSACTIONS,
    CALL_BODIES,
    CALL_HAS_CODE,
    CALL_ESTIMATE,
    CALL_SUBMIT,
    CALL_COUNT,
};

/* The next `count` calls after `skip` more fail with `status`. A failing submit delivers the first `delivered` items of
 * its batch all the same; EUNREACHABLE says so honestly (unsent), EUNKNOWN says of every item that it is not known. */
struct chain_fault {
    enum bursar_status status;
    uint64_t skip, count;
    size_t delivered;
};

/* A request under way; transactions are borrowed from who started it. */
struct memory_lane {
    const struct raw_transaction *transactions;
    size_t count; /* 0: nothing is under way */
    enum bursar_status status;
    struct bursar_error error;
    struct submit_result results[CHAIN_LANE_ITEMS_MAX_COUNT];
};

struct memory_chain {
    uint64_t chain_id;
    struct bursar_address account;
    uint64_t first_nonce; /* of the account at the genesis block */
    struct bursar_amount deposited;
    uint64_t finality_depth; /* blocks that `finalized` lies behind `latest` */
    uint64_t base_fee_wei;   /* of the next block */
    uint64_t bump_percent;   /* by which both fees must be higher to replace what is pooled; 0: 10 */
    uint64_t block_capacity; /* transactions; 0: no limit */
    uint64_t seconds_per_block;
    uint64_t fork; /* goes into the hashes of new blocks */

    struct memory_block *blocks;
    size_t block_count;
    struct memory_transaction *transactions;
    size_t transaction_count;
    struct bursar_address *with_code, *reverting;
    size_t with_code_count, reverting_count;
    uint64_t contract_gas; /* that what holds code takes on top of a transfer; 0: 10000 */
    bool estimates_are_unknown;

    struct chain_fault faults[CALL_COUNT];
    uint64_t calls[CALL_COUNT];
    uint64_t lag_blocks, lag_calls; /* the next lag_calls calls of any kind are answered from so far behind */
    bool hides_balance_final;       /* as nodes do that keep no old states */
    bool omits_foreign;             /* its block bodies leave out what others have sent */
    uint64_t oldest_body;           /* bodies of blocks below are not shown */
    uint64_t strange_bodies;        /* the next so many calls for bodies show blocks with other hashes */
    uint64_t missing_receipts;      /* the next so many calls find none */
    uint64_t strange_receipts;      /* the next so many calls tell of a failure, in blocks that nobody has read */
    size_t lane_count; /* requests that may be under way; what they carry arrives when they start, or (late) finish */
    bool lanes_are_late;
    struct memory_lane lanes[CHAIN_LANES_MAX_COUNT];
    /* Set by the world: a process that died hears and says nothing any more. */
    bool *is_dead;
    uint64_t die_at_submit; /* 1-based; 0: never */
    bool die_after_submit;  /* with all of it delivered */
};

struct memory_chain *memory_chain_new(uint64_t chain_id, const struct bursar_address *account, uint64_t deposit_wei);
struct chain memory_chain_interface(struct memory_chain *chain);
void memory_chain_free(struct memory_chain *chain); /* NULL is fine */

uint64_t memory_chain_head(const struct memory_chain *chain);
/* `count` blocks; each takes what the pool holds and the base fee allows. */
void memory_chain_mine(struct memory_chain *chain, uint64_t count);
void memory_chain_drop_pool(struct memory_chain *chain);

enum orphans {
    ORPHANS_DROPPED,  /* forgotten by the node */
    ORPHANS_REPOOLED, /* back in its pool */
};
/* The newest `depth` blocks go; as many other, empty ones and one more take their place. */
void memory_chain_reorg(struct memory_chain *chain, uint64_t depth, enum orphans orphans);
/* The newest `depth` blocks go, and nothing takes their place yet. */
void memory_chain_lose(struct memory_chain *chain, uint64_t depth, enum orphans orphans);
/* Another history, from the genesis block on: same chain id, nothing in it. */
void memory_chain_replace_all(struct memory_chain *chain, uint64_t blocks);

/* Somebody else's transaction from the account, in the pool in the place of any of ours with that nonce. */
void memory_chain_send_foreign(struct memory_chain *chain, uint64_t nonce, const struct bursar_address *to,
                               uint64_t value_wei);
/* ... do no longer. */
void memory_chain_repair(struct memory_chain *chain, const struct bursar_address *address);
void memory_chain_put_code(struct memory_chain *chain, const struct bursar_address *address);
/* Transactions to this address revert from now on. */
void memory_chain_make_revert(struct memory_chain *chain, const struct bursar_address *address);
void memory_chain_fail(struct memory_chain *chain, enum chain_call call, enum bursar_status status, uint64_t skip,
                       uint64_t count);
void memory_chain_deposit(struct memory_chain *chain, uint64_t wei);
/* Leaves the account, and none of its transactions shows it. */
void memory_chain_take(struct memory_chain *chain, uint64_t wei);

uint64_t memory_chain_nonce(const struct memory_chain *chain); /* at the head */
size_t memory_chain_pooled(const struct memory_chain *chain);
/* How often canonical blocks pay this address. */
size_t memory_chain_payments_to(const struct memory_chain *chain, const struct bursar_address *address);

#endif

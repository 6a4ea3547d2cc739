/* The simulator's chain: blocks that link by hashes and may be replaced, accounts with balances, nonces and code, and
 * pools of transactions that are not mined yet. It takes real signed bytes and judges them by its own reading, and
 * remembers all it was ever handed, so that an oracle can count what really happened.
 *
 * It draws no random numbers and reads no clock: whatever is adverse is done to it by a caller. No call scans all
 * transactions, blocks or accounts unless it says so. Running out of memory ends the program. */
#ifndef SIM_CHAIN_H
#define SIM_CHAIN_H

#include <bursar/amount.h>
#include <bursar/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIM_NONE UINT32_MAX     /* no such index */
#define SIM_NO_LIMIT UINT32_MAX /* as a capacity */
#define SIM_POOLS_MAX_COUNT 4
#define SIM_POOL_MINER 0 /* what blocks are made of; the others are what nodes hold */
#define SIM_ALL_POOLS ((1u << SIM_POOLS_MAX_COUNT) - 1)

struct sim_chain_settings {
    uint64_t chain_id;
    uint64_t finality_depth_blocks; /* how far `finalized` lies behind the highest head there ever was; >= 1 */
    uint64_t genesis_time_s;
    uint64_t seconds_per_block;
    uint64_t base_fee_per_gas_wei;
    uint64_t tip_wei;              /* what other people pay, as fee histories show it */
    uint32_t replacement_percent;  /* by how much both fees of a replacement must be higher; nodes have 10 */
    uint32_t pool_max_per_account; /* transactions of one account in one pool; SIM_NO_LIMIT */
};

/* Arrays grow: pointers to these are good until the next call that changes the chain. Indices stay. */
struct sim_transaction {
    struct bursar_hash hash;
    struct bursar_address from, to;
    uint64_t nonce;
    struct bursar_amount value;
    uint64_t gas_limit, max_fee_per_gas_wei, max_priority_fee_per_gas_wei;
    uint8_t *data;
    size_t data_bytes;
    struct bursar_hash data_hash; /* keccak256(data) */
    bool is_foreign;              /* made by sim_chain_send_foreign, not handed over as bytes */
    bool creates_contract;        /* no `to` */
    uint8_t r[32], s[32];         /* the signature; zeros with is_foreign */
    uint8_t y_parity;
    uint32_t pools;      /* bit p: pool p holds it */
    uint64_t hand_overs; /* how often its bytes arrived */
    uint32_t canonical;  /* its inclusion in a block of the canonical chain; SIM_NONE */
    uint32_t inclusions; /* newest of all its inclusions, orphaned ones too; SIM_NONE */
    uint32_t sender;     /* index of the account */
};

struct sim_inclusion {
    uint32_t transaction, block, next; /* next: of the same transaction; SIM_NONE */
    bool succeeded;
    uint64_t gas_used, gas_price_wei;
    struct bursar_amount moved; /* of a token */
};

struct sim_block {
    uint64_t number;
    struct bursar_hash hash;
    uint32_t parent; /* index; SIM_NONE: genesis */
    uint64_t timestamp_s, base_fee_per_gas_wei, next_base_fee_per_gas_wei, tip_wei;
    uint32_t first_inclusion, inclusion_count;
    uint32_t first_state, state_count;   /* accounts as this block left them */
    uint32_t first_effect, effect_count; /* deposits and code that came with it */
};

struct sim_account_state {
    uint64_t nonce;
    struct bursar_amount balance;
    bool has_code;
};

struct sim_chain_counts {
    uint64_t blocks, mined, reverted, orphaned_blocks, orphaned, reorgs, deepest_reorg_blocks;
    uint64_t dropped, replaced, foreign, hand_overs, malformed; /* malformed: bytes that no chain takes */
};

struct sim_chain;

/* A chain with its genesis block. */
struct sim_chain *sim_chain_new(const struct sim_chain_settings *settings);
void sim_chain_free(struct sim_chain *chain); /* NULL is fine */
const struct sim_chain_settings *sim_chain_settings(const struct sim_chain *chain);
const struct sim_chain_counts *sim_chain_counts(const struct sim_chain *chain);

/* --- what is done to it --- */

/* The following come with the next block (and again after a reorg of that block), or are in the genesis block when
 * there is no other yet. */
void sim_chain_deposit(struct sim_chain *chain, const struct bursar_address *address, struct bursar_amount wei);
/* Leaves the account by no transaction of its own (code that it has handed itself over to does that): as much of it as
 * is there. */
void sim_chain_take(struct sim_chain *chain, const struct bursar_address *address, struct bursar_amount wei);
void sim_chain_put_code(struct sim_chain *chain, const struct bursar_address *address);
/* An account with history. Only while there is no block but genesis. */
void sim_chain_set_first_nonce(struct sim_chain *chain, const struct bursar_address *address, uint64_t nonce);
/* From the next block on transactions to this address revert, or do no longer. */
void sim_chain_set_reverting(struct sim_chain *chain, const struct bursar_address *address, bool reverts);
/* A token of the kind that may: it answers false from now on, and moves nothing; or does no longer. */
void sim_chain_set_refusing(struct sim_chain *chain, const struct bursar_address *token, bool refuses);
bool sim_chain_refuses(const struct sim_chain *chain, const struct bursar_address *token);
bool sim_chain_reverts(const struct sim_chain *chain, const struct bursar_address *address);
/* The base fee goes there by an eighth a block at most, from the block after next. */
void sim_chain_set_base_fee_target(struct sim_chain *chain, uint64_t wei);
void sim_chain_set_tip(struct sim_chain *chain, uint64_t wei);
/* Transactions a block takes: 0 .. SIM_NO_LIMIT (the default). */
void sim_chain_set_capacity(struct sim_chain *chain, uint32_t transactions);
/* The next block's timestamp, if later than its parent's; else parent + seconds_per_block. */
void sim_chain_set_next_time(struct sim_chain *chain, uint64_t timestamp_s);

/* `count` blocks from the miner's pool. */
void sim_chain_mine(struct sim_chain *chain, uint64_t count);

enum sim_orphans {
    SIM_ORPHANS_DROPPED = 0,  /* forgotten by everybody */
    SIM_ORPHANS_REPOOLED = 1, /* back in all pools, where their place is free */
    SIM_ORPHANS_HALF = 2,     /* every other one is dropped */
};
/* The newest blocks go, and nothing takes their place yet: mine for that. Never goes below what is final; returns how
 * many went. */
uint64_t sim_chain_lose(struct sim_chain *chain, uint64_t depth, enum sim_orphans orphans);
/* As lose, and as many blocks and one more take their place: empty ones, or `filled` from the miner's pool. */
uint64_t sim_chain_reorg(struct sim_chain *chain, uint64_t depth, enum sim_orphans orphans, bool filled);

/* A pool that gossips (all do at first) hands what arrives on to all others that do; switched on again, it hands on
 * everything that it holds. The miner's pool gossiping or not decides whether what nodes hold gets mined. */
void sim_chain_set_gossip(struct sim_chain *chain, unsigned pool, bool gossips);
/* Everything in the pools of `mask` is forgotten. */
void sim_chain_drop_pools(struct sim_chain *chain, uint32_t mask);
/* From the pools of `mask`, about one transaction in `one_in` of this sender, chosen by `salt`; scans that sender's. */
void sim_chain_evict(struct sim_chain *chain, uint32_t mask, const struct bursar_address *sender, uint64_t salt,
                     uint64_t one_in);
/* The `count` highest nonces of this sender, as full pools do it. */
void sim_chain_evict_tail(struct sim_chain *chain, uint32_t mask, const struct bursar_address *sender, uint32_t count);

/* This transaction leaves all pools. */
void sim_chain_forget(struct sim_chain *chain, const struct bursar_hash *hash);

/* Somebody else with the same key: straight into the pools of `mask`, in the place of what is there. Returns its index.
 */
struct sim_foreign {
    struct bursar_address from, to;
    uint64_t nonce;
    struct bursar_amount value;
    uint64_t max_fee_per_gas_wei, max_priority_fee_per_gas_wei;
};
uint32_t sim_chain_send_foreign(struct sim_chain *chain, const struct sim_foreign *foreign, uint32_t mask);

/* --- handing over bytes (what a node does with eth_sendRawTransaction) --- */

enum sim_pool_verdict {
    SIM_POOL_ADDED = 0,
    SIM_POOL_KNOWN,         /* that pool holds it */
    SIM_POOL_NONCE_TOO_LOW, /* mined ones too */
    SIM_POOL_UNDERPRICED,   /* not enough to replace what is there */
    SIM_POOL_FEE_TOO_LOW,   /* below the base fee, where that is asked for */
    SIM_POOL_NO_FUNDS,
    SIM_POOL_GAS_TOO_LOW,
    SIM_POOL_FULL,
    SIM_POOL_MALFORMED, /* no canonical EIP-1559 transaction, or fees or nonce that no chain takes */
    SIM_POOL_WRONG_CHAIN,
    SIM_POOL_BAD_SIGNATURE,
    SIM_POOL_VERDICTS,
};
/* How a node judges. `head`: the block that it takes for the newest. */
struct sim_pool_rules {
    unsigned pool;
    uint32_t head;
    bool wants_base_fee;        /* refuses what could not be in the next block */
    bool counts_all_costs;      /* funds must suffice for everything of the sender's in the pool */
    bool any_fee_rise_replaces; /* not the usual percentage */
};
/* `ret_hash` is set always: keccak256 of the bytes. */
enum sim_pool_verdict sim_chain_submit(struct sim_chain *chain, const struct sim_pool_rules *rules, const uint8_t *raw,
                                       size_t raw_bytes, struct bursar_hash *ret_hash);

/* --- reading; `head` is a block index: whoever has that block for the newest sees this --- */

uint64_t sim_chain_height(const struct sim_chain *chain);       /* number of the newest canonical block */
uint64_t sim_chain_final_number(const struct sim_chain *chain); /* never goes back */
uint32_t sim_chain_head(const struct sim_chain *chain);         /* index of the newest canonical block */
/* Index of block `number` below (or at) `head`; SIM_NONE. */
uint32_t sim_chain_at(const struct sim_chain *chain, uint32_t head, uint64_t number);
/* Index of the block with this hash, orphaned or not; SIM_NONE. */
uint32_t sim_chain_block_by_hash(const struct sim_chain *chain, const struct bursar_hash *hash);
const struct sim_block *sim_chain_block(const struct sim_chain *chain, uint32_t index);
const struct sim_inclusion *sim_chain_inclusion(const struct sim_chain *chain, uint32_t index);
/* An account as block `block` left it; zeros for one that nobody ever heard of. */
struct sim_account_state sim_chain_account(const struct sim_chain *chain, uint32_t block,
                                           const struct bursar_address *address);
/* What a transaction to this address would take in the block after `block`: false when it would revert. */
bool sim_chain_try(const struct sim_chain *chain, uint32_t block, const struct bursar_address *to, const uint8_t *data,
                   size_t data_bytes, uint64_t *ret_gas);
/* Its inclusion in a block at or below `head`; SIM_NONE. */
uint32_t sim_chain_place(const struct sim_chain *chain, uint32_t head, uint32_t transaction);
/* The account's nonce at `head` and what that pool holds without a gap behind it. */
uint64_t sim_chain_pending_nonce(const struct sim_chain *chain, unsigned pool, uint32_t head,
                                 const struct bursar_address *address);

/* --- for oracles: the canonical chain, as of now --- */

size_t sim_chain_transaction_count(const struct sim_chain *chain); /* all that ever arrived */
const struct sim_transaction *sim_chain_transaction(const struct sim_chain *chain, uint32_t index);
uint32_t sim_chain_find(const struct sim_chain *chain, const struct bursar_hash *hash); /* SIM_NONE */
/* How many canonical, successful transactions of value or data, of whomever, go to this address. */
uint64_t sim_chain_payments_to(const struct sim_chain *chain, const struct bursar_address *address);
size_t sim_chain_pooled(const struct sim_chain *chain, unsigned pool);
/* All balances and all fees together are what was deposited. Scans all accounts. */
bool sim_chain_conserves(const struct sim_chain *chain);

#endif

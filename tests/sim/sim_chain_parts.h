/* What the simulated chain is made of. Private to the sim_chain*.c files. */
#ifndef SIM_CHAIN_PARTS_H
#define SIM_CHAIN_PARTS_H

#include "sim_chain.h"
#include "sim_map.h"
#include "sim_token.h"

#include <secp256k1.h>

/* An account as a block left it. `previous`: as an earlier block of the same branch did. */
struct sim_state {
    struct sim_account_state account;
    uint32_t owner, block, previous;
};

/* Transactions of one sender in one pool, by nonce: items[first .. first + count). */
struct sim_lane {
    uint32_t *items;
    size_t first, count, capacity;
};

struct sim_account {
    struct bursar_address address;
    uint32_t latest; /* its newest state on the canonical chain; SIM_NONE */
    bool reverts, refuses;
    uint64_t payments;
    struct sim_lane *lanes; /* one a pool, for senders only */
};

/* Something that happens to an account without a transaction. */
struct sim_effect {
    uint32_t account;
    bool is_code;
    struct bursar_amount deposit, taken;
};

struct sim_chain {
    struct sim_chain_settings settings;
    struct sim_chain_counts counts;
    secp256k1_context *curve;
    uint64_t base_fee_target_wei, tip_wei, next_time_s, final_number;
    uint32_t capacity, fees; /* fees: the account that all fees go to */
    bool gossips[SIM_POOLS_MAX_COUNT];
    size_t pooled[SIM_POOLS_MAX_COUNT];
    struct bursar_amount deposited; /* on the canonical chain */

    struct sim_block *blocks;
    size_t block_count, block_capacity;
    uint32_t *canonical; /* indices by number */
    size_t canonical_count, canonical_capacity;
    struct sim_transaction *transactions;
    size_t transaction_count, transaction_capacity;
    struct sim_inclusion *inclusions;
    size_t inclusion_count, inclusion_capacity;
    struct sim_account *accounts;
    size_t account_count, account_capacity;
    struct sim_state *states;
    size_t state_count, state_capacity;
    struct sim_effect *effects, *pending;
    size_t effect_count, effect_capacity, pending_count, pending_capacity;
    uint32_t *senders; /* accounts with lanes */
    size_t sender_count, sender_capacity;
    struct sim_map by_address, by_block, by_transaction;
};

/* sim_chain_state.c */
uint32_t sim_account_of(struct sim_chain *chain, const struct bursar_address *address);         /* made if new */
uint32_t sim_account_find(const struct sim_chain *chain, const struct bursar_address *address); /* SIM_NONE */
struct sim_account_state sim_state_at(const struct sim_chain *chain, uint32_t block, uint32_t account);
struct sim_account_state sim_state_now(const struct sim_chain *chain, uint32_t account);
/* The account's state in the newest block, to be changed; good until the next call. */
struct sim_account_state *sim_state_touch(struct sim_chain *chain, uint32_t account);
void sim_states_undo(struct sim_chain *chain, const struct sim_block *block);
void sim_effect_apply(struct sim_chain *chain, const struct sim_effect *effect);
/* `a` += or -= `b`; the simulation is wrong when that leaves the range. */
void sim_amount_add(struct bursar_amount *a, struct bursar_amount b);
void sim_amount_subtract(struct bursar_amount *a, struct bursar_amount b);
struct bursar_amount sim_amount_product(uint64_t a, uint64_t b);

/* sim_chain_mine.c */
void sim_block_append(struct sim_chain *chain, bool filled);

/* sim_chain_pool.c */
uint32_t sim_transaction_add(struct sim_chain *chain, const struct sim_transaction *transaction); /* takes data */
struct sim_lane *sim_lane_of(const struct sim_chain *chain, unsigned pool, uint32_t account);     /* NULL: no sender */
uint32_t sim_lane_find(const struct sim_chain *chain, const struct sim_lane *lane, uint64_t nonce);
void sim_pool_insert(struct sim_chain *chain, unsigned pool, uint32_t transaction); /* its place must be free */
void sim_pool_remove(struct sim_chain *chain, unsigned pool, uint32_t transaction);
void sim_pool_forget(struct sim_chain *chain, uint32_t mask, uint32_t transaction);
/* What can't be mined any more leaves all pools. */
void sim_pools_prune(struct sim_chain *chain);

/* sim_chain_decode.c. What executing it takes at least: */
uint64_t sim_gas_needed(const uint8_t *data, size_t data_bytes);
/* The most that a transaction can take from its sender; false: more than there can be. */
bool sim_cost(const struct sim_transaction *transaction, struct bursar_amount *ret);

/* sim_chain_decode.c. On SIM_POOL_ADDED all fields of what the bytes say are set (not `hash`), and data is owned. */
enum sim_pool_verdict sim_decode(const struct sim_chain *chain, const uint8_t *raw, size_t raw_bytes,
                                 struct sim_transaction *ret);

#endif

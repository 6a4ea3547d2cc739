/* What is not mined yet: one lane of transactions by nonce for each sender in each pool. Pools differ when they do not
 * gossip. */
#include "sim_chain_parts.h"

#include "base/bytes.h"
#include "eth/keccak.h"

uint32_t sim_transaction_add(struct sim_chain *chain, const struct sim_transaction *transaction)
{
    uint32_t sender = sim_account_of(chain, &transaction->from);
    struct sim_account *account = &chain->accounts[sender];
    if (!account->lanes) {
        account->lanes = sim_allocate(SIM_POOLS_MAX_COUNT, sizeof *account->lanes);
        chain->senders = sim_grow(chain->senders, chain->sender_count, &chain->sender_capacity, sizeof *chain->senders);
        chain->senders[chain->sender_count++] = sender;
    }
    chain->transactions = sim_grow(chain->transactions, chain->transaction_count, &chain->transaction_capacity,
                                   sizeof *chain->transactions);
    sim_map_put(&chain->by_transaction, &transaction->hash, (uint32_t)chain->transaction_count);
    chain->transactions[chain->transaction_count] = *transaction;
    chain->transactions[chain->transaction_count].sender = sender;
    return (uint32_t)chain->transaction_count++;
}

struct sim_lane *sim_lane_of(const struct sim_chain *chain, unsigned pool, uint32_t account)
{
    struct sim_lane *lanes = chain->accounts[account].lanes;
    return lanes ? &lanes[pool] : NULL;
}

/* Position of the first one with that nonce or a higher one. */
static size_t position_of(const struct sim_chain *chain, const struct sim_lane *lane, uint64_t nonce)
{
    size_t low = lane->first, high = lane->first + lane->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (chain->transactions[lane->items[middle]].nonce < nonce)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

uint32_t sim_lane_find(const struct sim_chain *chain, const struct sim_lane *lane, uint64_t nonce)
{
    size_t at = position_of(chain, lane, nonce);
    if (at == lane->first + lane->count || chain->transactions[lane->items[at]].nonce != nonce)
        return SIM_NONE;
    return lane->items[at];
}

/* Room for one more: what left at the front is used before memory is. */
static void make_room(struct sim_lane *lane)
{
    if (lane->first > 0 && lane->first + lane->count == lane->capacity) {
        memmove(lane->items, lane->items + lane->first, lane->count * sizeof *lane->items);
        lane->first = 0;
    }
    lane->items = sim_grow(lane->items, lane->first + lane->count, &lane->capacity, sizeof *lane->items);
}

void sim_pool_insert(struct sim_chain *chain, unsigned pool, uint32_t transaction)
{
    struct sim_transaction *tx = &chain->transactions[transaction];
    struct sim_lane *lane = sim_lane_of(chain, pool, tx->sender);
    make_room(lane);
    size_t at = position_of(chain, lane, tx->nonce);
    memmove(lane->items + at + 1, lane->items + at, (lane->first + lane->count - at) * sizeof *lane->items);
    lane->items[at] = transaction;
    lane->count++;
    tx->pools |= 1u << pool;
    chain->pooled[pool]++;
}

void sim_pool_remove(struct sim_chain *chain, unsigned pool, uint32_t transaction)
{
    struct sim_transaction *tx = &chain->transactions[transaction];
    struct sim_lane *lane = sim_lane_of(chain, pool, tx->sender);
    size_t at = position_of(chain, lane, tx->nonce);
    if (at == lane->first)
        lane->first++;
    else
        memmove(lane->items + at, lane->items + at + 1, (lane->first + lane->count - at - 1) * sizeof *lane->items);
    lane->count--;
    tx->pools &= ~(1u << pool);
    chain->pooled[pool]--;
}

void sim_pool_forget(struct sim_chain *chain, uint32_t mask, uint32_t transaction)
{
    for (unsigned pool = 0; pool < SIM_POOLS_MAX_COUNT; pool++) {
        if (mask & chain->transactions[transaction].pools & 1u << pool)
            sim_pool_remove(chain, pool, transaction);
    }
}

void sim_pools_prune(struct sim_chain *chain)
{
    for (size_t i = 0; i < chain->sender_count; i++) {
        uint64_t nonce = sim_state_now(chain, chain->senders[i]).nonce;
        for (unsigned pool = 0; pool < SIM_POOLS_MAX_COUNT; pool++) {
            struct sim_lane *lane = sim_lane_of(chain, pool, chain->senders[i]);
            while (lane->count && chain->transactions[lane->items[lane->first]].nonce < nonce)
                sim_pool_remove(chain, pool, lane->items[lane->first]);
        }
    }
}

uint64_t sim_chain_pending_nonce(const struct sim_chain *chain, unsigned pool, uint32_t head,
                                 const struct bursar_address *address)
{
    uint32_t account = sim_account_find(chain, address);
    if (account == SIM_NONE)
        return 0;
    uint64_t nonce = sim_state_at(chain, head, account).nonce, mined = sim_state_now(chain, account).nonce;
    const struct sim_lane *lane = sim_lane_of(chain, pool, account);
    /* Who is behind still holds in its pool what others have mined. */
    if (mined > nonce)
        nonce = mined;
    if (!lane)
        return nonce;
    for (size_t at = position_of(chain, lane, nonce); at < lane->first + lane->count; at++) {
        if (chain->transactions[lane->items[at]].nonce != nonce)
            break;
        nonce++;
    }
    return nonce;
}

/* --- judging --- */

/* Both fees have to be higher by that much. */
static bool outbids(uint64_t offered, uint64_t present, uint32_t percent)
{
    uint64_t rise = present / 100 * percent + present % 100 * percent / 100;
    return offered > present && rise <= UINT64_MAX - present && offered >= present + rise;
}

static bool may_replace(const struct sim_chain *chain, const struct sim_pool_rules *rules,
                        const struct sim_transaction *tx, const struct sim_transaction *present)
{
    uint32_t percent = chain->settings.replacement_percent;
    if (rules->any_fee_rise_replaces)
        return tx->max_fee_per_gas_wei > present->max_fee_per_gas_wei;
    return outbids(tx->max_fee_per_gas_wei, present->max_fee_per_gas_wei, percent) &&
           outbids(tx->max_priority_fee_per_gas_wei, present->max_priority_fee_per_gas_wei, percent);
}

static bool is_affordable(const struct sim_chain *chain, const struct sim_pool_rules *rules,
                          const struct sim_transaction *tx, struct bursar_amount balance)
{
    struct bursar_amount sum, cost;
    const struct sim_lane *lane = sim_lane_of(chain, rules->pool, tx->sender);
    if (!sim_cost(tx, &sum) || bursar_amount_compare(sum, balance) > 0)
        return false;
    for (size_t i = 0; i < lane->count && rules->counts_all_costs; i++) {
        const struct sim_transaction *other = &chain->transactions[lane->items[lane->first + i]];
        if (other->nonce != tx->nonce && (!sim_cost(other, &cost) || !bursar_amount_add(sum, cost, &sum)))
            return false;
    }
    return bursar_amount_compare(sum, balance) <= 0;
}

/* Puts it there if its place is free or it outbids what is there. */
static enum sim_pool_verdict take(struct sim_chain *chain, const struct sim_pool_rules *rules, uint32_t index)
{
    struct sim_transaction *tx = &chain->transactions[index];
    const struct sim_lane *lane = sim_lane_of(chain, rules->pool, tx->sender);
    uint32_t present = sim_lane_find(chain, lane, tx->nonce);
    if (present == index)
        return SIM_POOL_KNOWN;
    if (present == SIM_NONE && lane->count >= chain->settings.pool_max_per_account)
        return SIM_POOL_FULL;
    if (present != SIM_NONE) {
        if (!may_replace(chain, rules, tx, &chain->transactions[present]))
            return SIM_POOL_UNDERPRICED;
        sim_pool_remove(chain, rules->pool, present);
        chain->counts.replaced += rules->pool == SIM_POOL_MINER;
    }
    sim_pool_insert(chain, rules->pool, index);
    return SIM_POOL_ADDED;
}

static enum sim_pool_verdict judge(struct sim_chain *chain, const struct sim_pool_rules *rules, uint32_t index)
{
    const struct sim_transaction *tx = &chain->transactions[index];
    struct sim_account_state sender = sim_state_at(chain, rules->head, tx->sender);
    if (tx->pools & 1u << rules->pool)
        return SIM_POOL_KNOWN;
    if (tx->nonce < sender.nonce)
        return SIM_POOL_NONCE_TOO_LOW;
    if (tx->gas_limit < sim_gas_needed(tx->data, tx->data_bytes))
        return SIM_POOL_GAS_TOO_LOW;
    if (rules->wants_base_fee && tx->max_fee_per_gas_wei < chain->blocks[rules->head].next_base_fee_per_gas_wei)
        return SIM_POOL_FEE_TOO_LOW;
    if (!is_affordable(chain, rules, tx, sender.balance))
        return SIM_POOL_NO_FUNDS;
    return take(chain, rules, index);
}

/* Hands a transaction of `from` on to pool `to`. */
static void hand_on(struct sim_chain *chain, unsigned to, uint32_t index, bool any_fee_rise_replaces)
{
    const struct sim_transaction *tx = &chain->transactions[index];
    struct sim_pool_rules rules = { .pool = to, .any_fee_rise_replaces = any_fee_rise_replaces };
    if (tx->nonce >= sim_state_now(chain, tx->sender).nonce)
        (void)take(chain, &rules, index);
}

static void gossip(struct sim_chain *chain, const struct sim_pool_rules *rules, uint32_t index)
{
    for (unsigned to = 0; to < SIM_POOLS_MAX_COUNT; to++) {
        if (to != rules->pool && chain->gossips[to] && chain->gossips[rules->pool])
            hand_on(chain, to, index, rules->any_fee_rise_replaces);
    }
}

enum sim_pool_verdict sim_chain_submit(struct sim_chain *chain, const struct sim_pool_rules *rules, const uint8_t *raw,
                                       size_t raw_bytes, struct bursar_hash *ret_hash)
{
    struct sim_transaction tx;
    keccak256(raw, raw_bytes, ret_hash);
    chain->counts.hand_overs++;
    uint32_t index = sim_chain_find(chain, ret_hash);
    if (index == SIM_NONE) {
        enum sim_pool_verdict verdict = sim_decode(chain, raw, raw_bytes, &tx);
        if (verdict != SIM_POOL_ADDED) {
            chain->counts.malformed++;
            return verdict;
        }
        tx.hash = *ret_hash;
        index = sim_transaction_add(chain, &tx);
    }
    chain->transactions[index].hand_overs++;
    enum sim_pool_verdict verdict = judge(chain, rules, index);
    if (verdict == SIM_POOL_ADDED)
        gossip(chain, rules, index);
    return verdict;
}

/* --- what is done to pools --- */

static void hand_all_on(struct sim_chain *chain, unsigned from, unsigned to)
{
    for (size_t i = 0; i < chain->sender_count; i++) {
        const struct sim_lane *lane = sim_lane_of(chain, from, chain->senders[i]);
        for (size_t k = 0; k < lane->count; k++)
            hand_on(chain, to, lane->items[lane->first + k], false);
    }
}

void sim_chain_set_gossip(struct sim_chain *chain, unsigned pool, bool gossips)
{
    bool catches_up = gossips && !chain->gossips[pool];
    chain->gossips[pool] = gossips;
    for (unsigned other = 0; other < SIM_POOLS_MAX_COUNT && catches_up; other++) {
        if (other == pool || !chain->gossips[other])
            continue;
        hand_all_on(chain, pool, other);
        hand_all_on(chain, other, pool);
    }
}

static void drop(struct sim_chain *chain, unsigned pool, uint32_t index)
{
    sim_pool_remove(chain, pool, index);
    chain->counts.dropped++;
}

/* From the highest nonce down those of `sender` that `salt` chooses, `most` at most. */
static void drop_some(struct sim_chain *chain, uint32_t mask, uint32_t sender, uint64_t salt, uint64_t one_in,
                      uint64_t most)
{
    for (unsigned pool = 0; pool < SIM_POOLS_MAX_COUNT; pool++) {
        const struct sim_lane *lane = sim_lane_of(chain, pool, sender);
        uint64_t dropped = 0;
        for (size_t left = lane && mask & 1u << pool ? lane->count : 0; left-- > 0 && dropped < most;) {
            uint32_t index = lane->items[lane->first + left];
            uint64_t mixed = salt;
            for (size_t i = 0; i < 8; i++)
                mixed = (mixed ^ chain->transactions[index].hash.bytes[i]) * UINT64_C(0x9e3779b97f4a7c15);
            if ((mixed >> 32) % one_in != 0)
                continue;
            drop(chain, pool, index);
            dropped++;
        }
    }
}

void sim_chain_drop_pools(struct sim_chain *chain, uint32_t mask)
{
    for (size_t i = 0; i < chain->sender_count; i++)
        drop_some(chain, mask, chain->senders[i], 0, 1, UINT64_MAX);
}

void sim_chain_evict(struct sim_chain *chain, uint32_t mask, const struct bursar_address *sender, uint64_t salt,
                     uint64_t one_in)
{
    uint32_t account = sim_account_find(chain, sender);
    if (account != SIM_NONE)
        drop_some(chain, mask, account, salt, one_in ? one_in : 1, UINT64_MAX);
}

void sim_chain_evict_tail(struct sim_chain *chain, uint32_t mask, const struct bursar_address *sender, uint32_t count)
{
    uint32_t account = sim_account_find(chain, sender);
    if (account != SIM_NONE)
        drop_some(chain, mask, account, 0, 1, count);
}

void sim_chain_forget(struct sim_chain *chain, const struct bursar_hash *hash)
{
    uint32_t index = sim_chain_find(chain, hash);
    if (index != SIM_NONE)
        sim_pool_forget(chain, SIM_ALL_POOLS, index);
}

uint32_t sim_chain_send_foreign(struct sim_chain *chain, const struct sim_foreign *foreign, uint32_t mask)
{
    struct sim_transaction tx = { .from = foreign->from,
                                  .to = foreign->to,
                                  .nonce = foreign->nonce,
                                  .value = foreign->value,
                                  .gas_limit = sim_gas_needed(NULL, 0),
                                  .max_fee_per_gas_wei = foreign->max_fee_per_gas_wei,
                                  .max_priority_fee_per_gas_wei = foreign->max_priority_fee_per_gas_wei,
                                  .is_foreign = true,
                                  .canonical = SIM_NONE,
                                  .inclusions = SIM_NONE };
    struct {
        char what[8];
        uint64_t number;
        struct bursar_address from, to;
    } content = { "foreign", chain->transaction_count, foreign->from, foreign->to };
    keccak256(&content, sizeof content, &tx.hash);
    keccak256("", 0, &tx.data_hash);
    uint32_t index = sim_transaction_add(chain, &tx);
    chain->counts.foreign++;
    for (unsigned pool = 0; pool < SIM_POOLS_MAX_COUNT; pool++) {
        if (!(mask & 1u << pool))
            continue;
        uint32_t present = sim_lane_find(chain, sim_lane_of(chain, pool, chain->transactions[index].sender), tx.nonce);
        if (present != SIM_NONE)
            drop(chain, pool, present);
        sim_pool_insert(chain, pool, index);
    }
    return index;
}

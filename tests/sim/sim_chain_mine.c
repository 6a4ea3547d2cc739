/* Blocks: how they are made from a pool, what their transactions do, and how blocks go again. */
#include "sim_chain_parts.h"

#include "base/bytes.h"
#include "eth/keccak.h"

#define BASE_FEE_MIN_WEI 7
#define BASE_FEE_STEPS 8    /* an eighth is the most that it moves from one block to the next */
#define CONTRACT_CALL_GAS 9 /* what the simplest code of all takes; most take more: */
#define CONTRACT_MORE_GAS 150

static void put_u64(uint8_t *bytes, uint64_t value)
{
    for (int i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(value >> (56 - 8 * i));
}

static uint64_t next_base_fee(uint64_t now, uint64_t target)
{
    uint64_t step = now / BASE_FEE_STEPS;
    if (target > now)
        now += target - now < step ? target - now : (step ? step : 1);
    else
        now -= now - target < step ? now - target : step;
    return now < BASE_FEE_MIN_WEI ? BASE_FEE_MIN_WEI : now;
}

static struct sim_block new_block(struct sim_chain *chain)
{
    uint8_t content[BURSAR_HASH_BYTES + 32] = { 0 };
    struct sim_block block = { .parent = SIM_NONE,
                               .timestamp_s = chain->settings.genesis_time_s,
                               .base_fee_per_gas_wei = chain->settings.base_fee_per_gas_wei,
                               .tip_wei = chain->tip_wei };
    if (chain->canonical_count) {
        block.parent = sim_chain_head(chain);
        const struct sim_block *parent = &chain->blocks[block.parent];
        block.number = parent->number + 1;
        block.timestamp_s = chain->next_time_s > parent->timestamp_s
                                ? chain->next_time_s
                                : parent->timestamp_s + chain->settings.seconds_per_block;
        block.base_fee_per_gas_wei = parent->next_base_fee_per_gas_wei;
        memcpy(content, parent->hash.bytes, BURSAR_HASH_BYTES);
    }
    block.next_base_fee_per_gas_wei = next_base_fee(block.base_fee_per_gas_wei, chain->base_fee_target_wei);
    put_u64(content + BURSAR_HASH_BYTES, block.number);
    put_u64(content + BURSAR_HASH_BYTES + 8, block.timestamp_s);
    put_u64(content + BURSAR_HASH_BYTES + 16, chain->block_count); /* no two alike */
    put_u64(content + BURSAR_HASH_BYTES + 24, chain->settings.chain_id);
    keccak256(content, sizeof content, &block.hash);
    return block;
}

static uint64_t gas_taken(const struct sim_chain *chain, uint32_t to, bool has_code, const uint8_t *data,
                          size_t data_bytes)
{
    uint64_t gas = sim_gas_needed(data, data_bytes);
    return has_code ? gas + CONTRACT_CALL_GAS + CONTRACT_MORE_GAS * (uint64_t)chain->accounts[to].address.bytes[19]
                    : gas;
}

bool sim_chain_try(const struct sim_chain *chain, uint32_t block, const struct bursar_address *to, const uint8_t *data,
                   size_t data_bytes, uint64_t *ret_gas)
{
    uint32_t account = sim_account_find(chain, to);
    *ret_gas = sim_gas_needed(data, data_bytes);
    if (account == SIM_NONE)
        return true;
    *ret_gas = gas_taken(chain, account, sim_state_at(chain, block, account).has_code, data, data_bytes);
    return !chain->accounts[account].reverts;
}

static bool is_payment(const struct sim_transaction *tx)
{
    return tx->data_bytes > 0 || !bursar_amount_is_zero(tx->value);
}

static void execute(struct sim_chain *chain, uint32_t index)
{
    uint32_t head = sim_chain_head(chain), to = sim_account_of(chain, &chain->transactions[index].to);
    struct sim_transaction *tx = &chain->transactions[index];
    struct sim_block *block = &chain->blocks[head];
    struct sim_inclusion inclusion = { .transaction = index,
                                       .block = head,
                                       .next = tx->inclusions,
                                       .gas_used = gas_taken(chain, to, sim_state_now(chain, to).has_code, tx->data,
                                                             tx->data_bytes) };
    inclusion.succeeded = !chain->accounts[to].reverts && inclusion.gas_used <= tx->gas_limit;
    if (inclusion.gas_used > tx->gas_limit)
        inclusion.gas_used = tx->gas_limit;
    struct bursar_address recipient;
    struct bursar_amount amount;
    if (inclusion.succeeded && sim_token_at(&tx->to) && sim_token_reads(tx->data, tx->data_bytes, &recipient, &amount))
        inclusion.moved = sim_token_moves(sim_token_at(&tx->to), chain->accounts[to].refuses, amount);
    uint64_t room_wei = tx->max_fee_per_gas_wei - block->base_fee_per_gas_wei;
    inclusion.gas_price_wei =
        block->base_fee_per_gas_wei +
        (tx->max_priority_fee_per_gas_wei < room_wei ? tx->max_priority_fee_per_gas_wei : room_wei);
    struct bursar_amount fee = sim_amount_product(inclusion.gas_used, inclusion.gas_price_wei);
    struct sim_account_state *sender = sim_state_touch(chain, tx->sender);
    sender->nonce++;
    sim_amount_subtract(&sender->balance, fee);
    if (inclusion.succeeded)
        sim_amount_subtract(&sender->balance, tx->value);
    sim_amount_add(&sim_state_touch(chain, chain->fees)->balance, fee);
    if (inclusion.succeeded)
        sim_amount_add(&sim_state_touch(chain, to)->balance, tx->value);
    chain->accounts[to].payments += inclusion.succeeded && is_payment(tx);
    chain->counts.mined++;
    chain->counts.reverted += !inclusion.succeeded;
    chain->inclusions =
        sim_grow(chain->inclusions, chain->inclusion_count, &chain->inclusion_capacity, sizeof *chain->inclusions);
    chain->inclusions[chain->inclusion_count] = inclusion;
    tx->inclusions = tx->canonical = (uint32_t)chain->inclusion_count++;
    block->inclusion_count++;
    sim_pool_forget(chain, tx->pools, index);
}

/* The sender's next transaction, if a block may have it now; SIM_NONE. */
static uint32_t candidate(const struct sim_chain *chain, uint32_t sender)
{
    struct bursar_amount cost;
    struct sim_account_state state = sim_state_now(chain, sender);
    const struct sim_lane *lane = sim_lane_of(chain, SIM_POOL_MINER, sender);
    uint32_t index = sim_lane_find(chain, lane, state.nonce);
    if (index == SIM_NONE)
        return SIM_NONE;
    const struct sim_transaction *tx = &chain->transactions[index];
    uint64_t base_fee = chain->blocks[sim_chain_head(chain)].base_fee_per_gas_wei;
    bool is_affordable = sim_cost(tx, &cost) && bursar_amount_compare(cost, state.balance) <= 0;
    return is_affordable && tx->max_fee_per_gas_wei >= base_fee ? index : SIM_NONE;
}

/* The one that pays its miner best; of equals the one that arrived first. */
static uint32_t best_candidate(const struct sim_chain *chain)
{
    uint64_t base_fee = chain->blocks[sim_chain_head(chain)].base_fee_per_gas_wei, best_tip = 0;
    uint32_t best = SIM_NONE;
    for (size_t i = 0; i < chain->sender_count; i++) {
        uint32_t index = candidate(chain, chain->senders[i]);
        if (index == SIM_NONE)
            continue;
        const struct sim_transaction *tx = &chain->transactions[index];
        uint64_t tip = tx->max_fee_per_gas_wei - base_fee;
        if (tx->max_priority_fee_per_gas_wei < tip)
            tip = tx->max_priority_fee_per_gas_wei;
        if (best == SIM_NONE || tip > best_tip || (tip == best_tip && index < best)) {
            best = index;
            best_tip = tip;
        }
    }
    return best;
}

static void apply_pending(struct sim_chain *chain)
{
    struct sim_block *block = &chain->blocks[sim_chain_head(chain)];
    for (size_t i = 0; i < chain->pending_count; i++) {
        sim_effect_apply(chain, &chain->pending[i]);
        chain->effects = sim_grow(chain->effects, chain->effect_count, &chain->effect_capacity, sizeof *chain->effects);
        chain->effects[chain->effect_count++] = chain->pending[i];
        block->effect_count++;
    }
    chain->pending_count = 0;
}

void sim_block_append(struct sim_chain *chain, bool filled)
{
    struct sim_block block = new_block(chain);
    uint32_t next;
    block.first_inclusion = (uint32_t)chain->inclusion_count;
    block.first_state = (uint32_t)chain->state_count;
    block.first_effect = (uint32_t)chain->effect_count;
    chain->blocks = sim_grow(chain->blocks, chain->block_count, &chain->block_capacity, sizeof *chain->blocks);
    chain->canonical =
        sim_grow(chain->canonical, chain->canonical_count, &chain->canonical_capacity, sizeof *chain->canonical);
    sim_map_put(&chain->by_block, &block.hash, (uint32_t)chain->block_count);
    chain->canonical[chain->canonical_count++] = (uint32_t)chain->block_count;
    chain->blocks[chain->block_count++] = block;
    chain->counts.blocks++;
    apply_pending(chain);
    for (uint32_t taken = 0; filled && taken < chain->capacity; taken++) {
        if ((next = best_candidate(chain)) == SIM_NONE)
            break;
        execute(chain, next);
    }
    sim_pools_prune(chain);
    uint64_t depth = chain->settings.finality_depth_blocks;
    if (block.number > depth && block.number - depth > chain->final_number)
        chain->final_number = block.number - depth;
}

void sim_chain_mine(struct sim_chain *chain, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        sim_block_append(chain, true);
}

/* --- blocks that go --- */

static void orphan(struct sim_chain *chain, uint32_t inclusion, bool is_repooled)
{
    uint32_t index = chain->inclusions[inclusion].transaction;
    struct sim_transaction *tx = &chain->transactions[index];
    uint32_t to = sim_account_find(chain, &tx->to);
    tx->canonical = SIM_NONE;
    chain->accounts[to].payments -= chain->inclusions[inclusion].succeeded && is_payment(tx);
    chain->counts.orphaned++;
    for (unsigned pool = 0; pool < SIM_POOLS_MAX_COUNT && is_repooled; pool++) {
        if (sim_lane_find(chain, sim_lane_of(chain, pool, tx->sender), tx->nonce) == SIM_NONE)
            sim_pool_insert(chain, pool, index);
    }
}

static void lose_newest(struct sim_chain *chain, enum sim_orphans orphans)
{
    const struct sim_block *block = &chain->blocks[sim_chain_head(chain)];
    chain->canonical_count--;
    chain->counts.orphaned_blocks++;
    sim_states_undo(chain, block);
    for (uint32_t i = 0; i < block->inclusion_count; i++)
        orphan(chain, block->first_inclusion + i,
               orphans == SIM_ORPHANS_REPOOLED || (orphans == SIM_ORPHANS_HALF && i % 2 == 0));
    for (uint32_t i = 0; i < block->effect_count; i++) {
        const struct sim_effect *effect = &chain->effects[block->first_effect + i];
        sim_amount_subtract(&chain->deposited, effect->deposit);
        chain->pending =
            sim_grow(chain->pending, chain->pending_count, &chain->pending_capacity, sizeof *chain->pending);
        chain->pending[chain->pending_count++] = *effect;
    }
}

uint64_t sim_chain_lose(struct sim_chain *chain, uint64_t depth, enum sim_orphans orphans)
{
    uint64_t most = sim_chain_height(chain) - chain->final_number;
    if (depth > most)
        depth = most;
    for (uint64_t i = 0; i < depth; i++)
        lose_newest(chain, orphans);
    chain->counts.reorgs += depth > 0;
    if (depth > chain->counts.deepest_reorg_blocks)
        chain->counts.deepest_reorg_blocks = depth;
    return depth;
}

uint64_t sim_chain_reorg(struct sim_chain *chain, uint64_t depth, enum sim_orphans orphans, bool filled)
{
    depth = sim_chain_lose(chain, depth, orphans);
    for (uint64_t i = 0; i <= depth && depth > 0; i++)
        sim_block_append(chain, filled);
    return depth;
}

/* The simulated chain as a whole: made, set, read. How blocks come and go is sim_chain_mine.c's, what is not mined yet
 * sim_chain_pool.c's, accounts sim_chain_state.c's. */
#include "sim_chain_parts.h"

static const struct bursar_address fees_address = { { 0xfe, 0xe5, 0xfe, 0xe5, 0xfe, 0xe5, 0xfe, 0xe5, 0xfe, 0xe5,
                                                      0xfe, 0xe5, 0xfe, 0xe5, 0xfe, 0xe5, 0xfe, 0xe5, 0xfe, 0xe5 } };

struct sim_chain *sim_chain_new(const struct sim_chain_settings *settings)
{
    struct sim_chain *chain = sim_allocate(1, sizeof *chain);
    chain->settings = *settings;
    if (chain->settings.finality_depth_blocks == 0)
        chain->settings.finality_depth_blocks = 1;
    chain->base_fee_target_wei = settings->base_fee_per_gas_wei;
    chain->tip_wei = settings->tip_wei;
    chain->capacity = SIM_NO_LIMIT;
    for (size_t i = 0; i < SIM_POOLS_MAX_COUNT; i++)
        chain->gossips[i] = true;
    chain->curve = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
    chain->fees = sim_account_of(chain, &fees_address);
    sim_block_append(chain, false);
    return chain;
}

void sim_chain_free(struct sim_chain *chain)
{
    if (!chain)
        return;
    for (size_t i = 0; i < chain->transaction_count; i++)
        free(chain->transactions[i].data);
    for (size_t i = 0; i < chain->sender_count; i++) {
        struct sim_lane *lanes = chain->accounts[chain->senders[i]].lanes;
        for (size_t pool = 0; pool < SIM_POOLS_MAX_COUNT; pool++)
            free(lanes[pool].items);
        free(lanes);
    }
    free(chain->blocks);
    free(chain->canonical);
    free(chain->transactions);
    free(chain->inclusions);
    free(chain->accounts);
    free(chain->states);
    free(chain->effects);
    free(chain->pending);
    free(chain->senders);
    sim_map_free(&chain->by_address);
    sim_map_free(&chain->by_block);
    sim_map_free(&chain->by_transaction);
    secp256k1_context_destroy(chain->curve);
    free(chain);
}

const struct sim_chain_settings *sim_chain_settings(const struct sim_chain *chain)
{
    return &chain->settings;
}

const struct sim_chain_counts *sim_chain_counts(const struct sim_chain *chain)
{
    return &chain->counts;
}

/* Genesis takes effects as long as nothing was built on it. */
static bool is_young(const struct sim_chain *chain)
{
    return chain->block_count == 1;
}

static void take_effect(struct sim_chain *chain, const struct sim_effect *effect)
{
    if (is_young(chain)) {
        sim_effect_apply(chain, effect);
        return;
    }
    chain->pending = sim_grow(chain->pending, chain->pending_count, &chain->pending_capacity, sizeof *chain->pending);
    chain->pending[chain->pending_count++] = *effect;
}

void sim_chain_deposit(struct sim_chain *chain, const struct bursar_address *address, struct bursar_amount wei)
{
    struct sim_effect effect = { .account = sim_account_of(chain, address), .deposit = wei };
    take_effect(chain, &effect);
}

void sim_chain_take(struct sim_chain *chain, const struct bursar_address *address, struct bursar_amount wei)
{
    struct sim_effect effect = { .account = sim_account_of(chain, address), .taken = wei };
    take_effect(chain, &effect);
}

void sim_chain_put_code(struct sim_chain *chain, const struct bursar_address *address)
{
    struct sim_effect effect = { .account = sim_account_of(chain, address), .is_code = true };
    take_effect(chain, &effect);
}

void sim_chain_set_first_nonce(struct sim_chain *chain, const struct bursar_address *address, uint64_t nonce)
{
    if (is_young(chain))
        sim_state_touch(chain, sim_account_of(chain, address))->nonce = nonce;
}

void sim_chain_set_reverting(struct sim_chain *chain, const struct bursar_address *address, bool reverts)
{
    uint32_t account = sim_account_of(chain, address);
    chain->accounts[account].reverts = reverts;
}

void sim_chain_set_refusing(struct sim_chain *chain, const struct bursar_address *token, bool refuses)
{
    uint32_t account = sim_account_of(chain, token);
    chain->accounts[account].refuses = refuses;
}

bool sim_chain_refuses(const struct sim_chain *chain, const struct bursar_address *token)
{
    uint32_t account = sim_account_find(chain, token);
    return account != SIM_NONE && chain->accounts[account].refuses;
}

bool sim_chain_reverts(const struct sim_chain *chain, const struct bursar_address *address)
{
    uint32_t account = sim_account_find(chain, address);
    return account != SIM_NONE && chain->accounts[account].reverts;
}

void sim_chain_set_base_fee_target(struct sim_chain *chain, uint64_t wei)
{
    chain->base_fee_target_wei = wei;
}

void sim_chain_set_tip(struct sim_chain *chain, uint64_t wei)
{
    chain->tip_wei = wei;
}

void sim_chain_set_capacity(struct sim_chain *chain, uint32_t transactions)
{
    chain->capacity = transactions;
}

void sim_chain_set_next_time(struct sim_chain *chain, uint64_t timestamp_s)
{
    chain->next_time_s = timestamp_s;
}

uint64_t sim_chain_height(const struct sim_chain *chain)
{
    return chain->canonical_count - 1;
}

uint64_t sim_chain_final_number(const struct sim_chain *chain)
{
    return chain->final_number;
}

uint32_t sim_chain_head(const struct sim_chain *chain)
{
    return chain->canonical[chain->canonical_count - 1];
}

uint32_t sim_chain_at(const struct sim_chain *chain, uint32_t head, uint64_t number)
{
    const struct sim_block *block = &chain->blocks[head];
    if (number > block->number)
        return SIM_NONE;
    /* A fork is short: it can't be longer than what is not final. */
    while (block->number >= chain->canonical_count || chain->canonical[block->number] != head) {
        if (block->number == number)
            return head;
        head = block->parent;
        block = &chain->blocks[head];
    }
    return number > block->number ? SIM_NONE : chain->canonical[number];
}

uint32_t sim_chain_block_by_hash(const struct sim_chain *chain, const struct bursar_hash *hash)
{
    return sim_map_get(&chain->by_block, hash);
}

const struct sim_block *sim_chain_block(const struct sim_chain *chain, uint32_t index)
{
    return &chain->blocks[index];
}

const struct sim_inclusion *sim_chain_inclusion(const struct sim_chain *chain, uint32_t index)
{
    return &chain->inclusions[index];
}

uint32_t sim_chain_place(const struct sim_chain *chain, uint32_t head, uint32_t transaction)
{
    uint32_t at = chain->transactions[transaction].inclusions;
    for (; at != SIM_NONE; at = chain->inclusions[at].next) {
        uint32_t block = chain->inclusions[at].block;
        if (sim_chain_at(chain, head, chain->blocks[block].number) == block)
            return at;
    }
    return SIM_NONE;
}

size_t sim_chain_transaction_count(const struct sim_chain *chain)
{
    return chain->transaction_count;
}

const struct sim_transaction *sim_chain_transaction(const struct sim_chain *chain, uint32_t index)
{
    return &chain->transactions[index];
}

uint32_t sim_chain_find(const struct sim_chain *chain, const struct bursar_hash *hash)
{
    return sim_map_get(&chain->by_transaction, hash);
}

size_t sim_chain_pooled(const struct sim_chain *chain, unsigned pool)
{
    return chain->pooled[pool];
}

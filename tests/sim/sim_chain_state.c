/* Accounts, as every block left them. A state is written once and never changed by later blocks, so that a reorg only
 * moves pointers and a node that is behind, or on a fork, sees what it would see. */
#include "sim_chain_parts.h"

#include "base/bytes.h"

static void impossible(const char *what)
{
    (void)fprintf(stderr, "sim: the simulated chain is wrong: %s\n", what);
    abort();
}

void sim_amount_add(struct bursar_amount *a, struct bursar_amount b)
{
    if (!bursar_amount_add(*a, b, a))
        impossible("a sum of more than 2^256");
}

void sim_amount_subtract(struct bursar_amount *a, struct bursar_amount b)
{
    if (!bursar_amount_subtract(*a, b, a))
        impossible("more is taken than there is");
}

struct bursar_amount sim_amount_product(uint64_t a, uint64_t b)
{
    struct bursar_amount product;
    if (!bursar_amount_multiply(bursar_amount_from_u64(a), b, &product))
        impossible("a product of more than 2^256");
    return product;
}

static struct bursar_hash key_of(const struct bursar_address *address)
{
    struct bursar_hash key = { { 0 } };
    memcpy(key.bytes + BURSAR_HASH_BYTES - BURSAR_ADDRESS_BYTES, address->bytes, BURSAR_ADDRESS_BYTES);
    return key;
}

uint32_t sim_account_find(const struct sim_chain *chain, const struct bursar_address *address)
{
    struct bursar_hash key = key_of(address);
    return sim_map_get(&chain->by_address, &key);
}

uint32_t sim_account_of(struct sim_chain *chain, const struct bursar_address *address)
{
    struct bursar_hash key = key_of(address);
    uint32_t found = sim_map_get(&chain->by_address, &key);
    if (found != SIM_NONE)
        return found;
    chain->accounts =
        sim_grow(chain->accounts, chain->account_count, &chain->account_capacity, sizeof *chain->accounts);
    chain->accounts[chain->account_count] = (struct sim_account){ .address = *address, .latest = SIM_NONE };
    sim_map_put(&chain->by_address, &key, (uint32_t)chain->account_count);
    return (uint32_t)chain->account_count++;
}

static bool is_canonical(const struct sim_chain *chain, uint32_t block)
{
    uint64_t number = chain->blocks[block].number;
    return number < chain->canonical_count && chain->canonical[number] == block;
}

struct sim_account_state sim_state_at(const struct sim_chain *chain, uint32_t block, uint32_t account)
{
    for (; !is_canonical(chain, block); block = chain->blocks[block].parent) {
        const struct sim_block *orphan = &chain->blocks[block];
        for (uint32_t i = 0; i < orphan->state_count; i++) {
            const struct sim_state *state = &chain->states[orphan->first_state + i];
            if (state->owner == account)
                return state->account;
        }
    }
    uint32_t at = chain->accounts[account].latest;
    while (at != SIM_NONE && chain->blocks[chain->states[at].block].number > chain->blocks[block].number)
        at = chain->states[at].previous;
    return at == SIM_NONE ? (struct sim_account_state){ 0 } : chain->states[at].account;
}

struct sim_account_state sim_state_now(const struct sim_chain *chain, uint32_t account)
{
    uint32_t at = chain->accounts[account].latest;
    return at == SIM_NONE ? (struct sim_account_state){ 0 } : chain->states[at].account;
}

struct sim_account_state sim_chain_account(const struct sim_chain *chain, uint32_t block,
                                           const struct bursar_address *address)
{
    uint32_t account = sim_account_find(chain, address);
    return account == SIM_NONE ? (struct sim_account_state){ 0 } : sim_state_at(chain, block, account);
}

struct sim_account_state *sim_state_touch(struct sim_chain *chain, uint32_t account)
{
    uint32_t head = chain->canonical[chain->canonical_count - 1];
    struct sim_block *block = &chain->blocks[head];
    uint32_t latest = chain->accounts[account].latest;
    /* The newest block's states are the last of all. */
    if (latest != SIM_NONE && latest >= block->first_state)
        return &chain->states[latest].account;
    struct sim_state state = {
        .account = sim_state_now(chain, account), .owner = account, .block = head, .previous = latest
    };
    chain->states = sim_grow(chain->states, chain->state_count, &chain->state_capacity, sizeof *chain->states);
    chain->states[chain->state_count] = state;
    chain->accounts[account].latest = (uint32_t)chain->state_count;
    block->state_count++;
    return &chain->states[chain->state_count++].account;
}

void sim_states_undo(struct sim_chain *chain, const struct sim_block *block)
{
    for (uint32_t i = 0; i < block->state_count; i++) {
        const struct sim_state *state = &chain->states[block->first_state + i];
        chain->accounts[state->owner].latest = state->previous;
    }
}

void sim_effect_apply(struct sim_chain *chain, const struct sim_effect *effect)
{
    struct sim_account_state *state = sim_state_touch(chain, effect->account);
    if (effect->is_code) {
        state->has_code = true;
        return;
    }
    sim_amount_add(&state->balance, effect->deposit);
    sim_amount_add(&chain->deposited, effect->deposit);
    bool is_more = bursar_amount_compare(effect->taken, state->balance) > 0;
    struct bursar_amount taken = is_more ? state->balance : effect->taken;
    sim_amount_subtract(&state->balance, taken);
    sim_amount_add(&sim_state_touch(chain, chain->fees)->balance, taken); /* somebody has it */
}

bool sim_chain_conserves(const struct sim_chain *chain)
{
    struct bursar_amount sum = { { 0 } };
    for (uint32_t i = 0; i < chain->account_count; i++)
        sim_amount_add(&sum, sim_state_now(chain, i).balance);
    return bursar_amount_compare(sum, chain->deposited) == 0;
}

uint64_t sim_chain_payments_to(const struct sim_chain *chain, const struct bursar_address *address)
{
    uint32_t account = sim_account_find(chain, address);
    return account == SIM_NONE ? 0 : chain->accounts[account].payments;
}

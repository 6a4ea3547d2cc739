/* The chain itself: blocks, pool, and what can be done to them. What the node answers is memory_node.c's. */
#include "memory_chain.h"

#include "base/bytes.h"
#include "eth/keccak.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#define GENESIS_TIME_S 1700000000

static void put_u64(uint8_t *bytes, uint64_t value)
{
    for (int i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(value >> (56 - 8 * i));
}

static void append_block(struct memory_chain *chain)
{
    struct memory_block block = { .timestamp_s = GENESIS_TIME_S };
    if (chain->block_count) {
        block.parent_hash = chain->blocks[chain->block_count - 1].hash;
        block.timestamp_s = chain->blocks[chain->block_count - 1].timestamp_s + chain->seconds_per_block;
    }
    uint8_t content[BURSAR_HASH_BYTES + 24];
    memcpy(content, block.parent_hash.bytes, BURSAR_HASH_BYTES);
    put_u64(content + BURSAR_HASH_BYTES, chain->block_count);
    put_u64(content + BURSAR_HASH_BYTES + 8, chain->fork);
    put_u64(content + BURSAR_HASH_BYTES + 16, chain->chain_id);
    keccak256(content, sizeof content, &block.hash);
    chain->blocks = realloc(chain->blocks, (chain->block_count + 1) * sizeof *chain->blocks);
    assert_non_null(chain->blocks);
    chain->blocks[chain->block_count++] = block;
}

struct memory_chain *memory_chain_new(uint64_t chain_id, const struct bursar_address *account, uint64_t deposit_wei)
{
    struct memory_chain *chain = calloc(1, sizeof *chain);
    assert_non_null(chain);
    chain->chain_id = chain_id;
    chain->account = *account;
    chain->deposited = bursar_amount_from_u64(deposit_wei);
    chain->finality_depth = 3;
    chain->base_fee_wei = 10;
    chain->seconds_per_block = 12;
    append_block(chain);
    return chain;
}

void memory_chain_free(struct memory_chain *chain)
{
    if (!chain)
        return;
    for (size_t i = 0; i < chain->transaction_count; i++)
        free(chain->transactions[i].raw);
    free(chain->transactions);
    free(chain->blocks);
    free(chain->with_code);
    free(chain->reverting);
    free(chain);
}

uint64_t memory_chain_head(const struct memory_chain *chain)
{
    return chain->block_count - 1;
}

uint64_t memory_chain_nonce(const struct memory_chain *chain)
{
    uint64_t nonce = chain->first_nonce;
    for (size_t i = 0; i < chain->transaction_count; i++)
        nonce += chain->transactions[i].block != MEMORY_CHAIN_NO_BLOCK;
    return nonce;
}

static bool is_listed(const struct bursar_address *list, size_t count, const struct bursar_address *address)
{
    for (size_t i = 0; i < count; i++) {
        if (address_equal(&list[i], address))
            return true;
    }
    return false;
}

static struct memory_transaction *minable(struct memory_chain *chain, uint64_t nonce)
{
    for (size_t i = 0; i < chain->transaction_count; i++) {
        struct memory_transaction *tx = &chain->transactions[i];
        if (tx->is_pooled && tx->nonce == nonce && tx->max_fee_per_gas_wei >= chain->base_fee_wei)
            return tx;
    }
    return NULL;
}

void memory_chain_mine(struct memory_chain *chain, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        uint64_t nonce = memory_chain_nonce(chain), taken = 0;
        struct memory_transaction *tx;
        append_block(chain);
        while ((chain->block_capacity == 0 || taken < chain->block_capacity) && (tx = minable(chain, nonce))) {
            tx->is_pooled = false;
            tx->block = memory_chain_head(chain);
            tx->succeeded = !is_listed(chain->reverting, chain->reverting_count, &tx->to);
            tx->gas_price_wei = chain->base_fee_wei;
            nonce++;
            taken++;
        }
    }
}

void memory_chain_drop_pool(struct memory_chain *chain)
{
    for (size_t i = 0; i < chain->transaction_count; i++)
        chain->transactions[i].is_pooled = false;
}

void memory_chain_lose(struct memory_chain *chain, uint64_t depth, enum orphans orphans)
{
    assert_true(depth < chain->block_count);
    chain->block_count -= depth;
    chain->fork++;
    for (size_t i = 0; i < chain->transaction_count; i++) {
        struct memory_transaction *tx = &chain->transactions[i];
        if (tx->block == MEMORY_CHAIN_NO_BLOCK || tx->block < chain->block_count)
            continue;
        tx->block = MEMORY_CHAIN_NO_BLOCK;
        tx->is_pooled = orphans == ORPHANS_REPOOLED;
    }
}

void memory_chain_reorg(struct memory_chain *chain, uint64_t depth, enum orphans orphans)
{
    memory_chain_lose(chain, depth, orphans);
    for (uint64_t i = 0; i <= depth; i++)
        append_block(chain);
}

void memory_chain_replace_all(struct memory_chain *chain, uint64_t blocks)
{
    memory_chain_drop_pool(chain);
    memory_chain_lose(chain, chain->block_count - 1, ORPHANS_DROPPED);
    memory_chain_mine(chain, blocks);
}

void memory_chain_send_foreign(struct memory_chain *chain, uint64_t nonce, const struct bursar_address *to,
                               uint64_t value_wei)
{
    struct memory_transaction tx = { .is_foreign = true,
                                     .nonce = nonce,
                                     .to = *to,
                                     .value = bursar_amount_from_u64(value_wei),
                                     .gas_limit = 21000,
                                     .max_fee_per_gas_wei = UINT64_MAX,
                                     .is_pooled = true,
                                     .block = MEMORY_CHAIN_NO_BLOCK };
    uint8_t content[16];
    put_u64(content, nonce);
    put_u64(content + 8, chain->transaction_count);
    keccak256(content, sizeof content, &tx.hash);
    for (size_t i = 0; i < chain->transaction_count; i++) {
        if (chain->transactions[i].nonce == nonce)
            chain->transactions[i].is_pooled = false;
    }
    chain->transactions = realloc(chain->transactions, (chain->transaction_count + 1) * sizeof tx);
    assert_non_null(chain->transactions);
    chain->transactions[chain->transaction_count++] = tx;
}

static void list(struct bursar_address **addresses, size_t *count, const struct bursar_address *address)
{
    *addresses = realloc(*addresses, (*count + 1) * sizeof **addresses);
    assert_non_null(*addresses);
    (*addresses)[(*count)++] = *address;
}

void memory_chain_put_code(struct memory_chain *chain, const struct bursar_address *address)
{
    list(&chain->with_code, &chain->with_code_count, address);
}

void memory_chain_make_revert(struct memory_chain *chain, const struct bursar_address *address)
{
    list(&chain->reverting, &chain->reverting_count, address);
}

void memory_chain_repair(struct memory_chain *chain, const struct bursar_address *address)
{
    size_t kept = 0;
    for (size_t i = 0; i < chain->reverting_count; i++) {
        if (!address_equal(&chain->reverting[i], address))
            chain->reverting[kept++] = chain->reverting[i];
    }
    chain->reverting_count = kept;
}

void memory_chain_fail(struct memory_chain *chain, enum chain_call call, enum bursar_status status, uint64_t skip,
                       uint64_t count)
{
    chain->faults[call] = (struct chain_fault){ .status = status, .skip = skip, .count = count };
}

void memory_chain_deposit(struct memory_chain *chain, uint64_t wei)
{
    assert_true(bursar_amount_add(chain->deposited, bursar_amount_from_u64(wei), &chain->deposited));
}

void memory_chain_take(struct memory_chain *chain, uint64_t wei)
{
    assert_true(bursar_amount_subtract(chain->deposited, bursar_amount_from_u64(wei), &chain->deposited));
}

size_t memory_chain_pooled(const struct memory_chain *chain)
{
    size_t count = 0;
    for (size_t i = 0; i < chain->transaction_count; i++)
        count += chain->transactions[i].is_pooled;
    return count;
}

size_t memory_chain_payments_to(const struct memory_chain *chain, const struct bursar_address *address)
{
    size_t count = 0;
    for (size_t i = 0; i < chain->transaction_count; i++) {
        const struct memory_transaction *tx = &chain->transactions[i];
        count += tx->block != MEMORY_CHAIN_NO_BLOCK && tx->succeeded && address_equal(&tx->to, address);
    }
    return count;
}

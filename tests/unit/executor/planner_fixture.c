/* The treasury and its chain, and short ways to say amounts and hashes. */
#include "planner_fixture.h"

struct bursar_amount wei(uint64_t value)
{
    return bursar_amount_from_u64(value);
}

struct bursar_hash hash_of(uint8_t byte)
{
    struct bursar_hash hash;
    memset(hash.bytes, byte, sizeof hash.bytes);
    return hash;
}

struct treasury a_treasury(void)
{
    return (struct treasury){ .id = 1,
                              .chain_id = 31337,
                              .is_pinned = true,
                              .genesis_hash = hash_of(1),
                              .first_nonce = 5,
                              .anchor = { 100, hash_of(2) } };
}

struct chain_view a_view(void)
{
    return (struct chain_view){ .chain_id = 31337,
                                .genesis_hash = hash_of(1),
                                .latest = { .block = { 200, hash_of(9) } },
                                .has_final = true,
                                .final = { .block = { 136, hash_of(8) }, .timestamp_s = 7200 },
                                .has_anchor_block = true,
                                .anchor_hash = hash_of(2),
                                .nonce_latest = 5,
                                .nonce_final = 5,
                                .nonce_pending = 5,
                                .next_base_fee_per_gas_wei = 10 * GWEI,
                                .suggested_priority_fee_per_gas_wei = GWEI };
}

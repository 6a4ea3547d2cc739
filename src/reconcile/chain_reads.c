/* Only faults of the way to the node are tried again: an answer is an answer. */
#include "reconcile/chain_reads.h"

#include <stdlib.h>

#define FIRST_WAIT_MS 200

/* After try number `tries` (from 0) came to `status`: once more? */
static bool once_more(const struct reconcile_env *env, enum bursar_status status, unsigned tries)
{
    bool is_fault = status == BURSAR_EUNREACHABLE || status == BURSAR_EUNKNOWN || status == BURSAR_EPROTOCOL;
    if (!is_fault || tries + 1 >= RECONCILE_READ_TRIES)
        return false;
    env->wait(env->wait_ctx, (uint64_t)FIRST_WAIT_MS << tries);
    return true;
}

enum bursar_status read_view(const struct reconcile_env *env, const struct chain_query *query, struct chain_view *ret,
                             struct bursar_error *err)
{
    enum bursar_status status;
    unsigned tries = 0;
    do
        status = env->chain.observe(env->chain.ctx, query, ret, err);
    while (once_more(env, status, tries++));
    return status;
}

enum bursar_status read_transactions(const struct reconcile_env *env, const struct bursar_hash *hashes, size_t count,
                                     struct chain_transaction *ret, struct bursar_error *err)
{
    enum bursar_status status = BURSAR_OK;
    unsigned tries = 0;
    if (count == 0)
        return BURSAR_OK;
    do
        status = env->chain.transactions(env->chain.ctx, hashes, count, ret, err);
    while (once_more(env, status, tries++));
    return status;
}

enum bursar_status read_receipts(const struct reconcile_env *env, const struct bursar_hash *hashes, size_t count,
                                 struct chain_receipt *ret, struct bursar_error *err)
{
    enum bursar_status status = BURSAR_OK;
    unsigned tries = 0;
    if (count == 0)
        return BURSAR_OK;
    do
        status = env->chain.receipts(env->chain.ctx, hashes, count, ret, err);
    while (once_more(env, status, tries++));
    return status;
}

static enum bursar_status read_some(const struct reconcile_env *env, const uint64_t *numbers, size_t count,
                                    struct chain_block *blocks, struct bursar_error *err)
{
    enum bursar_status status;
    unsigned tries = 0;
    do
        status = env->chain.blocks(env->chain.ctx, numbers, count, blocks, err);
    while (once_more(env, status, tries++));
    return status;
}

enum bursar_status read_block_hashes(const struct reconcile_env *env, const uint64_t *numbers, size_t count,
                                     bool *ret_present, struct bursar_hash *ret_hashes, struct bursar_error *err)
{
    enum bursar_status status = BURSAR_OK;
    for (size_t done = 0; done < count && status == BURSAR_OK;) {
        struct chain_block blocks[CHAIN_BLOCKS_MAX_COUNT] = { 0 };
        size_t some = count - done < CHAIN_BLOCKS_MAX_COUNT ? count - done : CHAIN_BLOCKS_MAX_COUNT;
        status = read_some(env, numbers + done, some, blocks, err);
        for (size_t i = 0; i < some && status == BURSAR_OK; i++) {
            ret_present[done + i] = blocks[i].is_present;
            ret_hashes[done + i] = blocks[i].head.block.hash;
        }
        if (status == BURSAR_OK)
            chain_blocks_clear(blocks, some);
        done += some;
    }
    return status;
}

enum bursar_status read_bodies(const struct reconcile_env *env, const struct bursar_address *account,
                               const uint64_t *numbers, size_t count, struct chain_body *ret, struct bursar_error *err)
{
    enum bursar_status status;
    unsigned tries = 0;
    if (!env->chain.bodies)
        return bursar_fail(err, BURSAR_EREFUSED, "this chain has no blocks that could be searched");
    do
        status = env->chain.bodies(env->chain.ctx, account, numbers, count, ret, err);
    while (once_more(env, status, tries++));
    return status;
}

enum bursar_status read_raws(const struct reconcile_env *env, const struct bursar_hash *hashes, size_t count,
                             struct chain_raw *ret, struct bursar_error *err)
{
    enum bursar_status status;
    unsigned tries = 0;
    if (!env->chain.raws)
        return bursar_fail(err, BURSAR_EREFUSED, "this chain does not show signed bytes");
    do
        status = env->chain.raws(env->chain.ctx, hashes, count, ret, err);
    while (once_more(env, status, tries++));
    return status;
}

enum bursar_status read_code(const struct reconcile_env *env, const struct chain_block_ref *at,
                             const struct bursar_address *addresses, size_t count, bool *ret, struct bursar_error *err)
{
    enum bursar_status status;
    unsigned tries = 0;
    do
        status = env->chain.has_code(env->chain.ctx, at, addresses, count, ret, err);
    while (once_more(env, status, tries++));
    return status;
}

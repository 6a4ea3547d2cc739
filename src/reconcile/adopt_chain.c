/* What the chain shows: first the transactions whose hashes are known; and, once all are found, whether what was shown
 * fits together. Every used nonce must be explained by a transaction that is where the account's nonces say it is. */
#include "reconcile/adopt_parts.h"

#include "base/bytes.h"
#include "reconcile/chain_reads.h"

#include <stdlib.h>
#include <string.h>

#define READ_MAX_COUNT 200

typedef unsigned long long ull;

static void tell_progress(const struct adopt_look *look, const char *what, uint64_t done, uint64_t total)
{
    if (look->options->progress)
        look->options->progress(look->options->progress_ctx, what, done, total);
}

void sight_take(struct sight *sight, const struct bursar_hash *hash, const struct chain_transaction *transaction,
                const struct chain_view *view)
{
    bool is_in_view = transaction->is_mined && transaction->block.number <= view->latest.block.number;
    sight->seen = is_in_view ? SEEN_MINED : SEEN_POOL;
    sight->hash = *hash;
    sight->payload = payload_of_transaction(transaction);
    sight->block = (struct block_mark){ .number = transaction->block.number, .hash = transaction->block.hash };
}

static enum bursar_status take_known(struct adopt_look *look, const struct known_hash *known,
                                     const struct chain_transaction *found, struct bursar_error *err)
{
    struct sight *sight = &look->plan->sights[known->sight];
    if (!found->is_present || (sight->seen == SEEN_MINED && !found->is_mined) ||
        (sight->seen == SEEN_POOL && !found->is_mined && !known->in_store)) /* of two in a pool, ours is as good */
        return BURSAR_OK;
    if (!address_equal(&found->from, &look->plan->treasury.address) || found->nonce != sight->nonce)
        return bursar_fail(err, BURSAR_EPROTOCOL,
                           "the node shows a transaction with nonce %llu otherwise than it was signed",
                           (ull)sight->nonce);
    if (sight->seen == SEEN_MINED)
        return bursar_fail(err, BURSAR_EPROTOCOL,
                           "the node shows two transactions in blocks with the nonce %llu: try again",
                           (ull)sight->nonce);
    sight_take(sight, &known->hash, found, &look->plan->view);
    sight->in_store = known->in_store;
    sight->in_log = known->in_log;
    sight->purpose = known->purpose;
    return BURSAR_OK;
}

enum bursar_status adopt_read_chain(struct adopt_look *look, struct bursar_error *err)
{
    struct bursar_hash hashes[READ_MAX_COUNT];
    struct chain_transaction found[READ_MAX_COUNT];
    enum bursar_status status = BURSAR_OK;
    for (size_t done = 0; done < look->known_count && status == BURSAR_OK;) {
        size_t some = look->known_count - done < READ_MAX_COUNT ? look->known_count - done : READ_MAX_COUNT;
        for (size_t i = 0; i < some; i++)
            hashes[i] = look->known[done + i].hash;
        status = read_transactions(look->env, hashes, some, found, err);
        for (size_t i = 0; i < some && status == BURSAR_OK; i++)
            status = take_known(look, &look->known[done + i], &found[i], err);
        done += some;
        tell_progress(look, "transactions", done, look->known_count);
    }
    return status;
}

/* --- does it fit together? --- */

static int compare_numbers(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

struct blocks {
    uint64_t *numbers;
    bool *present;
    struct bursar_hash *hashes;
    size_t count;
};

static void blocks_free(struct blocks *blocks)
{
    free(blocks->numbers);
    free(blocks->present);
    free(blocks->hashes);
}

/* The canonical hashes of every block that something final is in; each block once. */
static enum bursar_status read_final_blocks(struct adopt_look *look, struct blocks *ret, struct bursar_error *err)
{
    const struct adopt_plan *plan = look->plan;
    size_t count = 0, distinct = 0;
    ret->numbers = calloc(plan->count + 1, sizeof *ret->numbers);
    ret->present = calloc(plan->count + 1, sizeof *ret->present);
    ret->hashes = calloc(plan->count + 1, sizeof *ret->hashes);
    if (!ret->numbers || !ret->present || !ret->hashes)
        return bursar_fail(err, BURSAR_ENOMEM, "out of memory");
    ret->numbers[count++] = plan->final.number;
    for (size_t i = 0; i < plan->count; i++) {
        if (plan->sights[i].seen == SEEN_MINED && plan->sights[i].block.number < plan->final.number)
            ret->numbers[count++] = plan->sights[i].block.number;
    }
    qsort(ret->numbers, count, sizeof *ret->numbers, compare_numbers);
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || ret->numbers[i] != ret->numbers[i - 1])
            ret->numbers[distinct++] = ret->numbers[i];
    }
    ret->count = distinct;
    return read_block_hashes(look->env, ret->numbers, distinct, ret->present, ret->hashes, err);
}

static bool is_canonical(const struct blocks *blocks, const struct block_mark *block)
{
    const uint64_t *found =
        bsearch(&block->number, blocks->numbers, blocks->count, sizeof *blocks->numbers, compare_numbers);
    size_t i = found ? (size_t)(found - blocks->numbers) : 0;
    return found && blocks->present[i] && hash_equal(&blocks->hashes[i], &block->hash);
}

static enum bursar_status unsteady(struct bursar_error *err)
{
    return bursar_fail(err, BURSAR_EPROTOCOL,
                       "what the node shows changed while it was read (a reorg, or a node that lags): try again");
}

/* INV-4: the account's nonce at the final block says how many are final, and at the head how many are in blocks. */
static enum bursar_status check_places(struct adopt_look *look, const struct blocks *blocks, struct bursar_error *err)
{
    struct adopt_plan *plan = look->plan;
    uint64_t nonce_final = plan->view.has_final ? plan->view.nonce_final : 0;
    if (!is_canonical(blocks, &plan->final))
        return unsteady(err);
    for (size_t i = 0; i < plan->count; i++) {
        struct sight *sight = &plan->sights[i];
        bool is_mined = sight->seen == SEEN_MINED;
        sight->is_final = is_mined && sight->block.number <= plan->final.number;
        if (sight->is_final != (sight->nonce < nonce_final) ||
            (sight->is_final && !is_canonical(blocks, &sight->block)) ||
            (is_mined && sight->nonce >= plan->view.nonce_latest) ||
            (!is_mined && sight->nonce < plan->view.nonce_latest))
            return unsteady(err);
    }
    return BURSAR_OK;
}

static enum bursar_status take_receipt(struct sight *sight, const struct chain_receipt *receipt,
                                       struct bursar_error *err)
{
    if (!receipt->is_present || receipt->block.number != sight->block.number ||
        !hash_equal(&receipt->block.hash, &sight->block.hash))
        return bursar_fail(err, BURSAR_EPROTOCOL,
                           "the node does not show the receipt of nonce %llu in its final block %llu: try again",
                           (ull)sight->nonce, (ull)sight->block.number);
    /* A call that moved neither coins nor tokens has paid nothing, whatever it is called. */
    sight->succeeded = receipt->succeeded && (!bursar_amount_is_zero(sight->payload.value) ||
                                              payload_has_no_data(&sight->payload) || receipt->transfer_count > 0);
    sight->receipt = *receipt;
    sight->gas_used = receipt->gas_used;
    sight->effective_gas_price_wei = receipt->effective_gas_price_wei;
    return BURSAR_OK;
}

/* `wants` says of which sights something is read, a batch at a time. */
static size_t next_batch(const struct adopt_plan *plan, bool (*wants)(const struct sight *sight), size_t *at,
                         size_t ret_indexes[READ_MAX_COUNT], struct bursar_hash ret_hashes[READ_MAX_COUNT])
{
    size_t count = 0;
    for (; *at < plan->count && count < READ_MAX_COUNT; (*at)++) {
        if (!wants(&plan->sights[*at]))
            continue;
        ret_indexes[count] = *at;
        ret_hashes[count++] = plan->sights[*at].hash;
    }
    return count;
}

static bool is_final(const struct sight *sight)
{
    return sight->is_final;
}

static enum bursar_status fill_receipts(struct adopt_look *look, struct bursar_error *err)
{
    struct adopt_plan *plan = look->plan;
    size_t indexes[READ_MAX_COUNT], at = 0, count;
    struct bursar_hash hashes[READ_MAX_COUNT] = { 0 };
    struct chain_receipt receipts[READ_MAX_COUNT];
    enum bursar_status status = BURSAR_OK;
    while (status == BURSAR_OK && (count = next_batch(plan, is_final, &at, indexes, hashes)) > 0) {
        status = read_receipts(look->env, hashes, count, receipts, err);
        for (size_t i = 0; i < count && status == BURSAR_OK; i++)
            status = take_receipt(&plan->sights[indexes[i]], &receipts[i], err);
        tell_progress(look, "receipts", at, plan->count);
    }
    return status;
}

static bool is_unstored(const struct sight *sight)
{
    return sight->seen != SEEN_NOWHERE && !sight->in_store;
}

static enum bursar_status fill_raws(struct adopt_look *look, struct bursar_error *err)
{
    struct adopt_plan *plan = look->plan;
    size_t indexes[READ_MAX_COUNT], at = 0, count;
    struct bursar_hash hashes[READ_MAX_COUNT] = { 0 };
    struct chain_raw raws[READ_MAX_COUNT];
    enum bursar_status status = BURSAR_OK;
    while (status == BURSAR_OK && (count = next_batch(plan, is_unstored, &at, indexes, hashes)) > 0) {
        status = read_raws(look->env, hashes, count, raws, err);
        for (size_t i = 0; i < count && status == BURSAR_OK; i++)
            plan->sights[indexes[i]].raw = raws[i];
        tell_progress(look, "signed bytes", at, plan->count);
    }
    return status;
}

enum bursar_status adopt_verify(struct adopt_look *look, struct bursar_error *err)
{
    struct blocks blocks = { 0 };
    enum bursar_status status = read_final_blocks(look, &blocks, err);
    if (status == BURSAR_OK)
        status = check_places(look, &blocks, err);
    blocks_free(&blocks);
    if (status == BURSAR_OK)
        status = fill_receipts(look, err);
    if (status == BURSAR_OK)
        status = fill_raws(look, err);
    return status;
}

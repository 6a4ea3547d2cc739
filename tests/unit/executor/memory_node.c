/* What the node of the memory chain answers: the chain seam, with the faults that were scripted. */
#include "memory_chain.h"

#include "base/bytes.h"
#include "eth/keccak.h"
#include "eth/transaction.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#define PRIORITY_FEE_WEI 1

/* Starts a call: OK, or the fault that is due. *ret_head is the newest block that this call may show. */
static enum bursar_status begin(struct memory_chain *chain, enum chain_call call, uint64_t *ret_head,
                                struct bursar_error *err)
{
    static const char *const names[CALL_COUNT] = { "observe", "blocks",   "receipts", "transactions",
                                                   "bodies",  "has_code", "estimate", "submit" };
    struct chain_fault *fault = &chain->faults[call];
    chain->calls[call]++;
    *ret_head = memory_chain_head(chain);
    if (chain->is_dead && *chain->is_dead)
        return bursar_fail(err, BURSAR_EUNREACHABLE, "this process is dead");
    if (chain->lag_calls) {
        chain->lag_calls--;
        *ret_head = *ret_head > chain->lag_blocks ? *ret_head - chain->lag_blocks : 0;
    }
    if (fault->skip) {
        fault->skip--;
        return BURSAR_OK;
    }
    if (fault->count == 0)
        return BURSAR_OK;
    fault->count--;
    return bursar_fail(err, fault->status, "scripted fault of %s", names[call]);
}

static void show_head(const struct memory_chain *chain, uint64_t number, struct chain_head *ret)
{
    const struct memory_block *block = &chain->blocks[number];
    *ret = (struct chain_head){ .block = { number, block->hash },
                                .parent_hash = block->parent_hash,
                                .timestamp_s = block->timestamp_s };
}

static uint64_t nonce_at(const struct memory_chain *chain, uint64_t number)
{
    uint64_t nonce = chain->first_nonce;
    for (size_t i = 0; i < chain->transaction_count; i++)
        nonce += chain->transactions[i].block <= number;
    return nonce;
}

static bool is_nonce_pooled(const struct memory_chain *chain, uint64_t nonce)
{
    for (size_t i = 0; i < chain->transaction_count; i++) {
        if (chain->transactions[i].is_pooled && chain->transactions[i].nonce == nonce)
            return true;
    }
    return false;
}

/* Deposits less all that canonical blocks up to `number` spent. */
static struct bursar_amount balance_at(const struct memory_chain *chain, uint64_t number)
{
    struct bursar_amount balance = chain->deposited;
    for (size_t i = 0; i < chain->transaction_count; i++) {
        const struct memory_transaction *tx = &chain->transactions[i];
        if (tx->block > number)
            continue;
        struct bursar_amount gas = bursar_amount_from_u64(tx->gas_limit * tx->gas_price_wei);
        assert_true(bursar_amount_subtract(balance, gas, &balance));
        if (tx->succeeded)
            assert_true(bursar_amount_subtract(balance, tx->value, &balance));
    }
    return balance;
}

static enum bursar_status observe(void *ctx, const struct chain_query *query, struct chain_view *ret,
                                  struct bursar_error *err)
{
    struct memory_chain *chain = ctx;
    uint64_t head;
    enum bursar_status status = begin(chain, CALL_OBSERVE, &head, err);
    if (status != BURSAR_OK)
        return status;
    assert_memory_equal(query->account.bytes, chain->account.bytes, BURSAR_ADDRESS_BYTES);
    uint64_t depth = query->finality_blocks ? query->finality_blocks : chain->finality_depth;
    struct chain_view view = { .chain_id = chain->chain_id,
                               .genesis_hash = chain->blocks[0].hash,
                               .has_final = head >= depth,
                               .nonce_latest = nonce_at(chain, head),
                               .balance = balance_at(chain, head),
                               .next_base_fee_per_gas_wei = chain->base_fee_wei,
                               .suggested_priority_fee_per_gas_wei = PRIORITY_FEE_WEI };
    show_head(chain, head, &view.latest);
    if (view.has_final) {
        show_head(chain, head - depth, &view.final);
        view.nonce_final = nonce_at(chain, head - depth);
        view.has_balance_final = !chain->hides_balance_final;
        view.balance_final = balance_at(chain, head - depth);
    }
    view.has_anchor_block = query->has_anchor && query->anchor_number <= head;
    if (view.has_anchor_block)
        view.anchor_hash = chain->blocks[query->anchor_number].hash;
    view.nonce_pending = view.nonce_latest;
    while (is_nonce_pooled(chain, view.nonce_pending))
        view.nonce_pending++;
    *ret = view;
    return BURSAR_OK;
}

static void show_block(const struct memory_chain *chain, uint64_t number, struct chain_block *ret)
{
    *ret = (struct chain_block){ .is_present = true };
    show_head(chain, number, &ret->head);
    for (size_t i = 0; i < chain->transaction_count; i++)
        ret->transaction_count += chain->transactions[i].block == number;
    if (ret->transaction_count == 0)
        return;
    ret->transactions = calloc(ret->transaction_count, sizeof *ret->transactions);
    assert_non_null(ret->transactions);
    size_t at = 0;
    for (size_t i = 0; i < chain->transaction_count; i++) {
        if (chain->transactions[i].block == number)
            ret->transactions[at++] = chain->transactions[i].hash;
    }
}

static enum bursar_status blocks(void *ctx, const uint64_t *numbers, size_t count, struct chain_block *ret,
                                 struct bursar_error *err)
{
    struct memory_chain *chain = ctx;
    uint64_t head;
    assert_in_range(count, 1, CHAIN_BLOCKS_MAX_COUNT);
    enum bursar_status status = begin(chain, CALL_BLOCKS, &head, err);
    if (status != BURSAR_OK)
        return status;
    for (size_t i = 0; i < count; i++) {
        ret[i] = (struct chain_block){ 0 };
        if (numbers[i] <= head)
            show_block(chain, numbers[i], &ret[i]);
    }
    return BURSAR_OK;
}

static struct memory_transaction *find(struct memory_chain *chain, const struct bursar_hash *hash)
{
    for (size_t i = 0; i < chain->transaction_count; i++) {
        if (hash_equal(&chain->transactions[i].hash, hash))
            return &chain->transactions[i];
    }
    return NULL;
}

static struct chain_block_ref ref_of(const struct memory_chain *chain, uint64_t number)
{
    return (struct chain_block_ref){ number, chain->blocks[number].hash };
}

static enum bursar_status receipts(void *ctx, const struct bursar_hash *hashes, size_t count, struct chain_receipt *ret,
                                   struct bursar_error *err)
{
    struct memory_chain *chain = ctx;
    uint64_t head;
    assert_in_range(count, 1, CHAIN_ITEMS_MAX_COUNT);
    enum bursar_status status = begin(chain, CALL_RECEIPTS, &head, err);
    if (status != BURSAR_OK)
        return status;
    for (size_t i = 0; i < count; i++) {
        const struct memory_transaction *tx = find(chain, &hashes[i]);
        ret[i] = (struct chain_receipt){ 0 };
        if (tx && tx->block <= head && !chain->missing_receipts)
            ret[i] = (struct chain_receipt){ .is_present = true,
                                             .succeeded = tx->succeeded,
                                             .block = ref_of(chain, tx->block),
                                             .gas_used = tx->gas_limit,
                                             .effective_gas_price_wei = tx->gas_price_wei };
        if (chain->strange_receipts) {
            ret[i].succeeded = false;
            ret[i].block.hash.bytes[0] ^= 1;
        }
    }
    chain->strange_receipts -= chain->strange_receipts > 0;
    chain->missing_receipts -= chain->missing_receipts > 0;
    return BURSAR_OK;
}

static struct chain_transaction show_transaction(const struct memory_chain *chain, const struct memory_transaction *tx)
{
    struct chain_transaction shown = { .is_present = true,
                                       .is_mined = !tx->is_pooled,
                                       .from = chain->account,
                                       .nonce = tx->nonce,
                                       .has_to = true,
                                       .to = tx->to,
                                       .value = tx->value };
    keccak256("", 0, &shown.data_hash);
    if (shown.is_mined)
        shown.block = ref_of(chain, tx->block);
    return shown;
}

static void show_body(const struct memory_chain *chain, uint64_t number, struct chain_body *ret)
{
    *ret = (struct chain_body){ .is_present = true };
    show_head(chain, number, &ret->head);
    ret->sent = calloc(chain->transaction_count + 1, sizeof *ret->sent);
    assert_non_null(ret->sent);
    for (size_t i = 0; i < chain->transaction_count; i++) {
        const struct memory_transaction *tx = &chain->transactions[i];
        if (tx->block == number && !(tx->is_foreign && chain->omits_foreign))
            ret->sent[ret->sent_count++] = (struct chain_sent){ tx->hash, show_transaction(chain, tx) };
    }
}

static enum bursar_status bodies(void *ctx, const struct bursar_address *account, const uint64_t *numbers, size_t count,
                                 struct chain_body *ret, struct bursar_error *err)
{
    struct memory_chain *chain = ctx;
    uint64_t head;
    assert_in_range(count, 1, CHAIN_BODIES_MAX_COUNT);
    assert_memory_equal(account->bytes, chain->account.bytes, BURSAR_ADDRESS_BYTES);
    enum bursar_status status = begin(chain, CALL_BODIES, &head, err);
    if (status != BURSAR_OK)
        return status;
    for (size_t i = 0; i < count; i++) {
        ret[i] = (struct chain_body){ 0 };
        if (numbers[i] <= head && numbers[i] >= chain->oldest_body)
            show_body(chain, numbers[i], &ret[i]);
        ret[i].head.block.hash.bytes[0] ^= chain->strange_bodies > 0;
    }
    chain->strange_bodies -= chain->strange_bodies > 0;
    return BURSAR_OK;
}

static enum bursar_status transactions(void *ctx, const struct bursar_hash *hashes, size_t count,
                                       struct chain_transaction *ret, struct bursar_error *err)
{
    struct memory_chain *chain = ctx;
    uint64_t head;
    enum bursar_status status = begin(chain, CALL_TRANSACTIONS, &head, err);
    if (status != BURSAR_OK)
        return status;
    for (size_t i = 0; i < count; i++) {
        const struct memory_transaction *tx = find(chain, &hashes[i]);
        ret[i] = (struct chain_transaction){ 0 };
        if (!tx || (!tx->is_pooled && tx->block > head))
            continue;
        ret[i] = show_transaction(chain, tx);
    }
    return BURSAR_OK;
}

static enum bursar_status has_code(void *ctx, const struct chain_block_ref *at, const struct bursar_address *addresses,
                                   size_t count, bool *ret, struct bursar_error *err)
{
    struct memory_chain *chain = ctx;
    uint64_t head;
    (void)at;
    assert_in_range(count, 1, CHAIN_ITEMS_MAX_COUNT);
    enum bursar_status status = begin(chain, CALL_HAS_CODE, &head, err);
    if (status != BURSAR_OK)
        return status;
    for (size_t i = 0; i < count; i++) {
        ret[i] = false;
        for (size_t k = 0; k < chain->with_code_count; k++)
            ret[i] = ret[i] || address_equal(&chain->with_code[k], &addresses[i]);
    }
    return BURSAR_OK;
}

static enum bursar_status estimate(void *ctx, const struct chain_trial *trial, const struct chain_payload *calls,
                                   size_t count, struct chain_estimate *ret, struct bursar_error *err)
{
    struct memory_chain *chain = ctx;
    uint64_t head;
    assert_in_range(count, 1, CHAIN_ESTIMATES_MAX_COUNT);
    assert_true(address_equal(&trial->from, &chain->account));
    enum bursar_status status = begin(chain, CALL_ESTIMATE, &head, err);
    if (status != BURSAR_OK)
        return status;
    for (size_t i = 0; i < count; i++) {
        uint64_t gas = 21000 + (chain->contract_gas ? chain->contract_gas : 10000);
        ret[i] =
            (struct chain_estimate){ .outcome = gas > trial->gas_max ? ESTIMATE_EXCEEDS : ESTIMATE_GAS, .gas = gas };
        for (size_t k = 0; k < chain->reverting_count; k++) {
            if (address_equal(&chain->reverting[k], &calls[i].to))
                ret[i] = (struct chain_estimate){ .outcome = ESTIMATE_REVERTS, .words = "not today" };
        }
        if (chain->estimates_are_unknown)
            ret[i] = (struct chain_estimate){ .outcome = ESTIMATE_UNKNOWN, .words = "no idea" };
    }
    return BURSAR_OK;
}

static struct memory_transaction *remember(struct memory_chain *chain, const struct raw_transaction *raw)
{
    struct eth_transaction decoded;
    struct eth_signature signature;
    struct bursar_hash hash;
    keccak256(raw->bytes, raw->length_bytes, &hash);
    assert_memory_equal(hash.bytes, raw->hash.bytes, BURSAR_HASH_BYTES); /* a hash stands for its bytes: INV-3 */
    struct memory_transaction *known = find(chain, &hash);
    if (known)
        return known;
    assert_int_equal(eth_transaction_decode(raw->bytes, raw->length_bytes, &decoded, &signature, NULL), BURSAR_OK);
    assert_int_equal(decoded.data_bytes, 0);
    chain->transactions = realloc(chain->transactions, (chain->transaction_count + 1) * sizeof *chain->transactions);
    assert_non_null(chain->transactions);
    struct memory_transaction *tx = &chain->transactions[chain->transaction_count++];
    *tx = (struct memory_transaction){ .hash = hash,
                                       .raw = malloc(raw->length_bytes),
                                       .raw_bytes = raw->length_bytes,
                                       .nonce = decoded.nonce,
                                       .to = decoded.to,
                                       .value = decoded.value_wei,
                                       .gas_limit = decoded.gas_limit,
                                       .max_fee_per_gas_wei = decoded.max_fee_per_gas_wei,
                                       .max_priority_fee_per_gas_wei = decoded.max_priority_fee_per_gas_wei,
                                       .block = MEMORY_CHAIN_NO_BLOCK };
    assert_non_null(tx->raw);
    memcpy(tx->raw, raw->bytes, raw->length_bytes);
    return tx;
}

static bool is_affordable(const struct memory_chain *chain, const struct memory_transaction *tx)
{
    struct bursar_amount gas = bursar_amount_from_u64(tx->gas_limit * tx->max_fee_per_gas_wei), cost;
    return bursar_amount_add(tx->value, gas, &cost) &&
           bursar_amount_compare(cost, balance_at(chain, memory_chain_head(chain))) <= 0;
}

static struct memory_transaction *pooled_at(const struct memory_chain *chain, uint64_t nonce)
{
    for (size_t i = 0; i < chain->transaction_count; i++) {
        if (chain->transactions[i].is_pooled && chain->transactions[i].nonce == nonce)
            return &chain->transactions[i];
    }
    return NULL;
}

static bool outbids(const struct memory_chain *chain, const struct memory_transaction *tx,
                    const struct memory_transaction *rival)
{
    const uint64_t percent = 100 + (chain->bump_percent ? chain->bump_percent : 10);
    return !rival->is_foreign && tx->max_fee_per_gas_wei * 100 >= rival->max_fee_per_gas_wei * percent &&
           tx->max_priority_fee_per_gas_wei * 100 >= rival->max_priority_fee_per_gas_wei * percent;
}

static enum submit_verdict judge(struct memory_chain *chain, const struct raw_transaction *raw)
{
    struct memory_transaction *tx = remember(chain, raw);
    tx->hand_overs++;
    if (tx->block != MEMORY_CHAIN_NO_BLOCK || tx->is_pooled)
        return SUBMIT_KNOWN;
    if (tx->nonce < memory_chain_nonce(chain))
        return SUBMIT_NONCE_TOO_LOW;
    struct memory_transaction *rival = pooled_at(chain, tx->nonce);
    if (rival && !outbids(chain, tx, rival))
        return SUBMIT_UNDERPRICED;
    if (tx->max_fee_per_gas_wei < chain->base_fee_wei)
        return SUBMIT_FEE_TOO_LOW;
    if (!is_affordable(chain, tx))
        return SUBMIT_INSUFFICIENT_FUNDS;
    if (rival)
        rival->is_pooled = false;
    tx->is_pooled = true;
    return SUBMIT_ACCEPTED;
}

static void die(struct memory_chain *chain)
{
    if (chain->is_dead)
        *chain->is_dead = true;
}

static enum bursar_status submit(void *ctx, const struct raw_transaction *raw, size_t count, struct submit_result *ret,
                                 struct bursar_error *err)
{
    struct memory_chain *chain = ctx;
    uint64_t head;
    assert_in_range(count, 1, CHAIN_ITEMS_MAX_COUNT);
    bool dies = chain->die_at_submit && chain->calls[CALL_SUBMIT] + 1 == chain->die_at_submit;
    if (dies && !chain->die_after_submit)
        die(chain);
    enum bursar_status status = begin(chain, CALL_SUBMIT, &head, err);
    size_t delivered = status == BURSAR_OK ? count : chain->faults[CALL_SUBMIT].delivered;
    if (chain->is_dead && *chain->is_dead)
        delivered = 0;
    for (size_t i = 0; i < count; i++) {
        enum submit_verdict verdict = i < delivered ? judge(chain, &raw[i]) : SUBMIT_UNSENT;
        if (status == BURSAR_EUNKNOWN)
            verdict = SUBMIT_UNKNOWN;
        ret[i] = (struct submit_result){ .verdict = verdict };
        if (verdict != SUBMIT_ACCEPTED)
            (void)snprintf(ret[i].message, sizeof ret[i].message, "verdict %d", (int)verdict);
    }
    if (dies)
        die(chain);
    return status;
}

static enum bursar_status submit_start(void *ctx, size_t at, const struct raw_transaction *raw, size_t count,
                                       struct bursar_error *err)
{
    struct memory_chain *chain = ctx;
    struct memory_lane *lane = &chain->lanes[at];
    assert_true(at < chain->lane_count);
    assert_int_equal(lane->count, 0);
    assert_in_range(count, 1, CHAIN_LANE_ITEMS_MAX_COUNT);
    if (chain->is_dead && *chain->is_dead)
        return bursar_fail(err, BURSAR_EUNREACHABLE, "this process is dead");
    *lane = (struct memory_lane){ .transactions = raw, .count = count };
    if (!chain->lanes_are_late)
        lane->status = submit(ctx, raw, count, lane->results, &lane->error);
    return BURSAR_OK;
}

static enum bursar_status submit_finish(void *ctx, size_t at, const struct raw_transaction *raw, size_t count,
                                        struct submit_result *ret, struct bursar_error *err)
{
    struct memory_chain *chain = ctx;
    struct memory_lane *lane = &chain->lanes[at];
    assert_int_equal(lane->count, count);
    assert_ptr_equal(lane->transactions, raw);
    lane->count = 0;
    if (chain->lanes_are_late)
        lane->status = submit(ctx, raw, count, lane->results, &lane->error);
    memcpy(ret, lane->results, count * sizeof *ret);
    if (!chain->is_dead || !*chain->is_dead)
        return lane->status == BURSAR_OK ? BURSAR_OK : bursar_fail(err, lane->status, "%s", lane->error.message);
    for (size_t i = 0; i < count; i++)
        ret[i] = (struct submit_result){ .verdict = SUBMIT_UNKNOWN };
    return bursar_fail(err, BURSAR_EUNREACHABLE, "this process is dead");
}

struct chain memory_chain_interface(struct memory_chain *chain)
{
    return (struct chain){ .ctx = chain,
                           .observe = observe,
                           .blocks = blocks,
                           .receipts = receipts,
                           .transactions = transactions,
                           .bodies = bodies,
                           .has_code = has_code,
                           .estimate = estimate,
                           .submit = submit,
                           .lanes = chain->lane_count,
                           .submit_start = submit_start,
                           .submit_finish = submit_finish };
}

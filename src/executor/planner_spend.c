/* Which due rows are bound, with how much gas, and why others are passed over. Pure, as all of the planner. */
#include "executor/planner.h"

#include "base/bytes.h"
#include "eth/abi.h"

#include <stdio.h>
#include <string.h>

uint64_t plan_gas_limit(uint64_t estimated)
{
    uint64_t margin = estimated / 100 * GAS_MARGIN_PERCENT;
    if (estimated >= GAS_LIMIT_MAX)
        return GAS_LIMIT_MAX;
    if (margin < GAS_MARGIN_MIN)
        margin = GAS_MARGIN_MIN;
    return margin < GAS_LIMIT_MAX - estimated ? estimated + margin : GAS_LIMIT_MAX;
}

uint64_t plan_recheck(uint64_t head_number, uint64_t first_blocks, unsigned looks)
{
    uint64_t blocks = first_blocks;
    for (unsigned i = 0; i < looks && blocks < RECHECK_MAX_BLOCKS; i++)
        blocks *= 2;
    return head_number + (blocks < RECHECK_MAX_BLOCKS ? blocks : RECHECK_MAX_BLOCKS);
}

static bool covers(const struct bursar_amount *available, const struct bursar_amount *amount, uint64_t gas_limit,
                   uint64_t max_fee_per_gas_wei, struct bursar_amount *ret_left)
{
    struct bursar_amount cost;
    return plan_worst_case(amount, gas_limit, max_fee_per_gas_wei, &cost) &&
           bursar_amount_subtract(*available, cost, ret_left);
}

static struct purse *purse_of(struct purse *purses, size_t count, const struct bursar_address *token)
{
    for (size_t i = 0; i < count; i++) {
        if (address_equal(&purses[i].token, token))
            return &purses[i];
    }
    return NULL;
}

size_t plan_purses(const struct due_row *rows, size_t count, struct purse purses[PURSES_MAX_COUNT])
{
    size_t purse_count = 0;
    for (size_t i = 0; i < count && purse_count < PURSES_MAX_COUNT; i++) {
        if (rows[i].asset.is_token && !purse_of(purses, purse_count, &rows[i].asset.token))
            purses[purse_count++] = (struct purse){ .token = rows[i].asset.token };
    }
    return purse_count;
}

void plan_purse_available(struct purse *purse, const struct bursar_amount *balance, const struct flight *flights,
                          size_t flight_count)
{
    purse->is_known = true;
    purse->available = *balance;
    for (size_t i = 0; i < flight_count; i++) {
        struct bursar_address to;
        struct bursar_amount amount;
        if (!address_equal(&flights[i].to, &purse->token) ||
            !abi_transfer_decode(flights[i].data.bytes, flights[i].data.length_bytes, &to, &amount))
            continue;
        if (!bursar_amount_subtract(purse->available, amount, &purse->available)) {
            purse->available = (struct bursar_amount){ 0 };
            return;
        }
    }
}

void plan_payment(const struct due_row *row, bool tags, struct bursar_address *ret_to, struct bursar_amount *ret_value,
                  struct call_data *ret_data)
{
    *ret_data = (struct call_data){ 0 };
    *ret_to = row->destination;
    *ret_value = row->amount;
    if (row->asset.is_token) {
        *ret_to = row->asset.token;
        *ret_value = (struct bursar_amount){ 0 };
        abi_transfer_encode(&row->destination, row->amount, ret_data->bytes);
        ret_data->length_bytes = ABI_TRANSFER_BYTES;
    }
    if (tags) {
        memcpy(ret_data->bytes + ret_data->length_bytes, row->content_hash.bytes, TAG_BYTES);
        ret_data->length_bytes += TAG_BYTES;
    }
}

_Static_assert(ABI_TRANSFER_BYTES + TAG_BYTES <= CALL_DATA_MAX_BYTES, "a transfer and its tag fit");
_Static_assert(TAG_BYTES == sizeof(struct bursar_hash) && TAG_BYTES == ABI_WORD_BYTES, "a tag is a hash, and a word");

uint64_t plan_transfer_gas(bool tags)
{
    return tags ? TRANSFER_GAS + TAG_GAS : TRANSFER_GAS;
}

/* In the purse or not: says how much is missing. */
static enum outlook_kind look_into(const struct purse *purse, const struct bursar_amount *amount,
                                   struct chain_estimate *ret)
{
    struct bursar_amount missing;
    char text[BURSAR_AMOUNT_TEXT_BYTES];
    if (!purse)
        return OUTLOOK_LATER;
    if (!purse->is_known)
        return OUTLOOK_UNKNOWN;
    if (!bursar_amount_subtract(*amount, purse->available, &missing) || bursar_amount_is_zero(missing))
        return OUTLOOK_ESTIMATED;
    bursar_amount_to_text(missing, text);
    (void)snprintf(ret->words, sizeof ret->words, "%s", text);
    return OUTLOOK_NO_TOKENS;
}

void plan_outlooks(const struct due_row *rows, const bool *has_code, size_t count, bool can_estimate, size_t most,
                   uint64_t max_fee_per_gas_wei, const struct bursar_amount *available, const struct purse *purses,
                   size_t purse_count, struct outlook *ret)
{
    size_t estimates = 0;
    for (size_t i = 0; i < count; i++) {
        const struct due_row *row = &rows[i];
        struct outlook *outlook = &ret[i];
        struct bursar_address to;
        struct bursar_amount value, left;
        struct call_data data;
        *outlook = (struct outlook){ .kind = OUTLOOK_TRANSFER };
        if (!has_code[i] && !row->asset.is_token)
            continue;
        plan_payment(row, false, &to, &value, &data);
        if (!can_estimate)
            outlook->kind = OUTLOOK_IMPOSSIBLE;
        else if (!covers(available, &value, TRANSFER_GAS, max_fee_per_gas_wei, &left))
            outlook->kind = OUTLOOK_UNFUNDED; /* trying it out would only show that */
        else if (row->asset.is_token)
            outlook->kind = look_into(purse_of((struct purse *)purses, purse_count, &row->asset.token), &row->amount,
                                      &outlook->estimate);
        else
            outlook->kind = OUTLOOK_ESTIMATED;
        if (outlook->kind == OUTLOOK_ESTIMATED && estimates++ >= most)
            outlook->kind = OUTLOOK_LATER;
    }
}

static enum block_code judge_estimate(const struct chain_estimate *estimate, uint64_t *ret_gas_limit)
{
    switch (estimate->outcome) {
    case ESTIMATE_GAS:
        *ret_gas_limit = plan_gas_limit(estimate->gas);
        return estimate->gas > GAS_LIMIT_MAX ? BLOCK_GAS : BLOCK_NONE;
    case ESTIMATE_REVERTS:
        return BLOCK_REVERTS;
    case ESTIMATE_EXCEEDS:
        return BLOCK_GAS;
    case ESTIMATE_UNKNOWN:
        return BLOCK_UNESTIMATED;
    }
    return BLOCK_UNESTIMATED;
}

/* *ret_gas_limit: 0 where it is not known. */
static enum block_code judge_outlook(const struct outlook *outlook, bool tags, uint64_t *ret_gas_limit)
{
    *ret_gas_limit = 0;
    switch (outlook->kind) {
    case OUTLOOK_TRANSFER:
        *ret_gas_limit = plan_transfer_gas(tags);
        return BLOCK_NONE;
    case OUTLOOK_ESTIMATED:
        return judge_estimate(&outlook->estimate, ret_gas_limit);
    case OUTLOOK_UNFUNDED:
        return BLOCK_FUNDS;
    case OUTLOOK_NO_TOKENS:
        return BLOCK_FUNDS;
    case OUTLOOK_UNKNOWN:
        return BLOCK_UNESTIMATED;
    case OUTLOOK_IMPOSSIBLE:
    case OUTLOOK_LATER:
        return BLOCK_DESTINATION_CODE;
    }
    return BLOCK_UNESTIMATED;
}

/* What calls a contract is looked at again as blocks pass: it may be another one by then. */
static struct block_decision pass_over(const struct due_row *row, const struct outlook *outlook, enum block_code code,
                                       uint64_t gas_limit, uint64_t head_number)
{
    struct block_decision decision = { .disbursement = row->id, .version = row->version, .code = code };
    if (outlook->kind == OUTLOOK_IMPOSSIBLE && row->asset.is_token)
        decision.code = BLOCK_TOKEN;
    if (outlook->kind == OUTLOOK_NO_TOKENS) /* woken when there are some */
        decision.note = outlook->estimate.words;
    if (outlook->kind == OUTLOOK_TRANSFER || outlook->kind == OUTLOOK_IMPOSSIBLE || outlook->kind == OUTLOOK_NO_TOKENS)
        return decision;
    decision.gas_limit = gas_limit;
    if (code == BLOCK_FUNDS) { /* money may come at any time: no reason to wait longer and longer */
        decision.recheck_number = head_number + RECHECK_BLOCKS;
        return decision;
    }
    decision.note = outlook->kind == OUTLOOK_UNKNOWN ? "its token does not say what the account has of it"
                                                     : outlook->estimate.words;
    decision.recheck_number =
        plan_recheck(head_number, code == BLOCK_UNESTIMATED ? RECHECK_UNKNOWN_BLOCKS : RECHECK_BLOCKS, row->looks);
    return decision;
}

/* Takes what it costs off what there is; false: it is not covered, and nothing was taken. */
static bool spend(const struct due_row *row, const struct bursar_amount *value, uint64_t gas_limit,
                  const struct spending_terms *terms, struct bursar_amount *available)
{
    struct purse *purse = row->asset.is_token ? purse_of(terms->purses, terms->purse_count, &row->asset.token) : NULL;
    struct bursar_amount left;
    if (!covers(available, value, gas_limit, terms->max_fee_per_gas_wei, &left) ||
        (row->asset.is_token && (!purse || !bursar_amount_subtract(purse->available, row->amount, &purse->available))))
        return false;
    *available = left;
    return true;
}

void plan_spending(const struct due_row *rows, struct outlook *outlooks, size_t count,
                   const struct spending_terms *terms, struct spending_plan *ret)
{
    struct bursar_amount available = terms->available, left = available;
    uint64_t nonce = terms->next_nonce;
    ret->binding_count = ret->block_count = 0;
    ret->over = 0;
    for (size_t i = 0; i < count; i++) {
        const struct due_row *row = &rows[i];
        struct binding binding = {
            .disbursement = row->id, .version = row->version, .nonce = nonce, .asset = row->asset, .amount = row->amount
        };
        if (outlooks[i].kind == OUTLOOK_LATER)
            continue;
        plan_payment(row, terms->tags, &binding.to, &binding.value, &binding.data);
        if (row->asset.is_token && outlooks[i].kind == OUTLOOK_ESTIMATED) /* those before may have taken it */
            outlooks[i].kind = look_into(purse_of(terms->purses, terms->purse_count, &row->asset.token), &row->amount,
                                         &outlooks[i].estimate);
        enum block_code block = judge_outlook(&outlooks[i], terms->tags, &binding.gas_limit);
        if (block == BLOCK_NONE && !spend(row, &binding.value, binding.gas_limit, terms, &available))
            block = BLOCK_FUNDS;
        if (block != BLOCK_NONE) {
            ret->blocks[ret->block_count++] =
                pass_over(row, &outlooks[i], block, binding.gas_limit, terms->head_number);
            continue;
        }
        if (terms->limits && !money_spend(terms->limits, terms->spent, &row->asset, &row->amount, &ret->over_rate)) {
            ret->over = row->id;
            break;
        }
        ret->bindings[ret->binding_count++] = binding;
        left = available;
        nonce++;
    }
    ret->available = left;
}

/* What the account is short of once it is final. */
static struct bursar_amount taken(const struct included_attempt *included, const struct chain_receipt *receipt)
{
    const bool moves_value = receipt->succeeded && included->purpose != SIGN_SELF;
    struct bursar_amount gas = bursar_amount_from_u64(receipt->gas_used), sum = { 0 };
    if (!bursar_amount_multiply(gas, receipt->effective_gas_price_wei, &gas) ||
        !bursar_amount_add(gas, receipt->other_fee_wei, &sum) ||
        (moves_value && !bursar_amount_add(sum, included->value, &sum)))
        return (struct bursar_amount){ { UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX } }; /* no chain has so much */
    return sum;
}

void plan_final(const struct included_attempt *included, const struct chain_receipt *receipt, struct final_attempt *ret)
{
    struct bursar_address to;
    struct bursar_amount owed, moved = { 0 };
    *ret = (struct final_attempt){ .attempt = included->attempt,
                                   .intent = included->intent,
                                   .nonce = included->nonce,
                                   .purpose = included->purpose,
                                   .paid = taken(included, receipt),
                                   .succeeded = receipt->succeeded,
                                   .gas_used = receipt->gas_used,
                                   .effective_gas_price_wei = receipt->effective_gas_price_wei };
    if (!receipt->succeeded || (included->purpose != SIGN_PAYMENT && included->purpose != SIGN_REPLACEMENT) ||
        !abi_transfer_decode(included->data.bytes, included->data.length_bytes, &to, &owed))
        return;
    for (size_t i = 0; i < receipt->transfer_count; i++) {
        if (address_equal(&receipt->transfers[i].to, &to))
            moved = receipt->transfers[i].amount;
    }
    if (!bursar_amount_subtract(owed, moved, &ret->short_by) || bursar_amount_is_zero(ret->short_by))
        return;
    /* Logs that were too many to be kept may have been the payment: never called unpaid, so that nobody pays it again.
     */
    ret->is_unpaid = bursar_amount_is_zero(moved) && !receipt->has_more_transfers;
    ret->is_short = !ret->is_unpaid;
}

/* Remembers what opens it, and compares at once. */
#include "witness_money.h"

#include "base/bytes.h"
#include "signer/signer.h"

#include <stdlib.h>

#define FIRST_CAPACITY 64

typedef unsigned long long ull;

static void forget(struct money_moments *moments)
{
    moments->count = 0;
}

static void remember(struct money_moments *moments, const struct money_moment *moment)
{
    if (moments->count == moments->capacity) {
        size_t capacity = moments->capacity ? moments->capacity * 2 : FIRST_CAPACITY;
        struct money_moment *items = realloc(moments->items, capacity * sizeof *items);
        if (!items)
            abort(); /* nothing that is judged afterwards would be worth anything */
        moments->items = items;
        moments->capacity = capacity;
    }
    moments->items[moments->count++] = *moment;
}

void money_witness_free(struct money_witness *witness)
{
    free(witness->reverts.items);
    free(witness->bound.items);
}

static void start_over(struct money_witness *witness)
{
    witness->is_open = witness->was_foreign = witness->was_missing = false;
    witness->mark = MARK_UNKNOWN;
    forget(&witness->reverts);
    forget(&witness->bound);
}

void money_witness_replaced(struct money_witness *witness)
{
    start_over(witness);
    witness->is_unsure = true;
}

void money_witness_adopted(struct money_witness *witness, enum bursar_status status)
{
    witness->mark = status == BURSAR_OK ? MARK_NONE : MARK_UNKNOWN;
}

void money_witness_closing(struct money_witness *witness)
{
    start_over(witness);
    witness->is_unsure = true;
}

void money_witness_commanded(struct money_witness *witness, bool opens, bool is_done)
{
    if (is_done && opens)
        witness->is_open = true;
    if (!is_done || opens)
        return;
    witness->is_unsure = false;
    witness->mark = MARK_NONE;
}

void money_witness_loaded(const struct money_witness *witness, const struct money_record *record)
{
    if (witness->is_open && record->cause == MONEY_NONE)
        finding_add(witness->finding, PROPERTY_NOT_STOPPED, *witness->step,
                    "the money breaker was open, nobody has closed it, and it is closed");
    if (witness->mark == MARK_NONE && record->has_mark)
        finding_add(witness->finding, PROPERTY_STORE_UNTRUE, *witness->step,
                    "what the account had in block %llu is not forgotten", (ull)record->mark_number);
    if (witness->mark == MARK_SET && (!record->has_mark || record->mark_number != witness->mark_number))
        finding_add(witness->finding, PROPERTY_STORE_UNTRUE, *witness->step,
                    "what the account had in block %llu is forgotten", (ull)witness->mark_number);
}

void money_witness_fence(const struct money_witness *witness, struct fence fence, const char *call)
{
    if (!fence.money_version)
        finding_add(witness->finding, PROPERTY_NOT_FENCED, *witness->step,
                    "%s does not say which money breaker it was decided by", call);
}

/* Nobody knows whether it was written. */
static bool is_unknown(enum bursar_status status)
{
    return status != BURSAR_OK && status != BURSAR_EFENCED && status != BURSAR_ESTALE;
}

static void not_tripped(const struct money_witness *witness, const char *call, const char *why)
{
    finding_add(witness->finding, PROPERTY_NOT_TRIPPED, *witness->step, "%s went through although %s", call, why);
}

static uint64_t count_since(const struct money_moments *moments, uint64_t since_ms)
{
    uint64_t count = 0;
    for (size_t i = 0; i < moments->count; i++)
        count += moments->items[i].at_ms >= since_ms;
    return count;
}

/* This is spending. */
static void judge_spending(const struct money_witness *witness, const struct money_view *view, const char *call)
{
    const struct money_limits *limits = witness->limits;
    if (witness->is_open)
        finding_add(witness->finding, PROPERTY_NOT_STOPPED, *witness->step,
                    "%s went through while the money breaker is open", call);
    if (witness->was_foreign && limits->watches_foreign_nonce)
        not_tripped(witness, call, "somebody else's transaction was exhibited");
    if (witness->was_missing && limits->watches_balance)
        not_tripped(witness, call, "money is missing");
    if (limits->reverts && count_since(&witness->reverts, view->reverts_since_ms) >= limits->reverts)
        not_tripped(witness, call, "as many payments have failed as open the money breaker");
}

/* --- opening --- */

static bool is_justified(const struct money_witness *witness, enum money_cause cause)
{
    const struct money_limits *limits = witness->limits;
    switch (cause) {
    case MONEY_FOREIGN_NONCE:
        return limits->watches_foreign_nonce && (witness->was_foreign || witness->is_unsure);
    case MONEY_BALANCE_MISMATCH:
        return limits->watches_balance && witness->any_taken && (witness->was_missing || witness->is_unsure);
    case MONEY_REVERTS:
        return limits->reverts && (witness->reverts.count >= limits->reverts || witness->is_unsure);
    case MONEY_SPENDING_RATE:
        return limits->payments_per_hour || limits->rate_count;
    case MONEY_NONE:
    case MONEY_PERSON:
        return false;
    }
    return false;
}

void money_witness_tripped(struct money_witness *witness, enum money_cause cause, enum bursar_status status)
{
    if (status != BURSAR_OK)
        return;
    if (!is_justified(witness, cause))
        finding_add(witness->finding, PROPERTY_FALSE_TRIP, *witness->step, "the money breaker opens for %s",
                    money_cause_name(cause));
    witness->is_open = true;
    witness->trips++;
}

/* --- what happened --- */

static void note_revert(struct money_witness *witness, uint64_t now_ms)
{
    remember(&witness->reverts, &(struct money_moment){ .at_ms = now_ms });
}

/* What the account's own transactions behind block `from` up to block `to` have taken out of it. */
static struct bursar_amount paid_between(const struct money_witness *witness, uint64_t from, uint64_t to)
{
    const struct sim_chain *chain = witness->chain;
    const size_t count = sim_chain_transaction_count(chain);
    struct bursar_amount sum = { 0 }, fee;
    for (uint32_t i = 0; i < count; i++) {
        const struct sim_transaction *tx = sim_chain_transaction(chain, i);
        if (tx->canonical == SIM_NONE || tx->is_foreign || !address_equal(&tx->from, &witness->account))
            continue;
        const struct sim_inclusion *inclusion = sim_chain_inclusion(chain, tx->canonical);
        const uint64_t number = sim_chain_block(chain, inclusion->block)->number;
        const bool moves = inclusion->succeeded && !address_equal(&tx->to, &tx->from);
        if (number <= from || number > to)
            continue;
        if (!bursar_amount_multiply(bursar_amount_from_u64(inclusion->gas_price_wei), inclusion->gas_used, &fee) ||
            !bursar_amount_add(sum, fee, &sum) || (moves && !bursar_amount_add(sum, tx->value, &sum)))
            finding_add(witness->finding, PROPERTY_SUMS, *witness->step, "a sum leaves 256 bits");
    }
    return sum;
}

static struct bursar_amount balance_at(const struct money_witness *witness, uint32_t block)
{
    return sim_chain_account(witness->chain, block, &witness->account).balance;
}

/* The very balance of the very block: else a node that is believed alone has said something else. */
static bool is_true(const struct money_witness *witness, const struct settlement *settlement, uint32_t *ret_block)
{
    const struct sim_chain *chain = witness->chain;
    *ret_block = sim_chain_block_by_hash(chain, &settlement->anchor.hash);
    if (*ret_block == SIM_NONE || sim_chain_at(chain, sim_chain_head(chain), settlement->anchor.number) != *ret_block)
        return false;
    return bursar_amount_compare(balance_at(witness, *ret_block), settlement->balance) == 0;
}

/* From one mark to the next: how much is missing, to the wei, and is it what the executor says? */
static bool judge_balance(const struct money_witness *witness, const struct money_view *view,
                          const struct settlement *settlement, uint32_t block)
{
    const struct sim_chain *chain = witness->chain;
    const struct bursar_amount before =
        balance_at(witness, sim_chain_at(chain, sim_chain_head(chain), witness->mark_number));
    const struct bursar_amount paid = paid_between(witness, witness->mark_number, settlement->anchor.number);
    const struct bursar_amount now = balance_at(witness, block);
    struct bursar_amount missing;
    const bool is_missing = money_is_missing(&before, &paid, &now, &witness->limits->balance_tolerance, &missing);
    if (view->record.has_mark && view->record.mark_number == witness->mark_number &&
        bursar_amount_compare(paid, view->record.paid) != 0)
        finding_add(witness->finding, PROPERTY_SUMS, *witness->step,
                    "what was paid between blocks %llu and %llu is not what the store says", (ull)witness->mark_number,
                    (ull)settlement->anchor.number);
    if (is_missing && !settlement->missing)
        finding_add(witness->finding, PROPERTY_NOT_TRIPPED, *witness->step,
                    "money has gone between blocks %llu and %llu, and it is not missed", (ull)witness->mark_number,
                    (ull)settlement->anchor.number);
    if (!is_missing && settlement->missing)
        finding_add(witness->finding, PROPERTY_FALSE_TRIP, *witness->step, "nothing is missing: %s",
                    settlement->missing);
    return is_missing;
}

static void see_balance(struct money_witness *witness, const struct money_view *view,
                        const struct settlement *settlement, enum bursar_status status)
{
    uint32_t block = SIM_NONE;
    const bool is_believed = is_true(witness, settlement, &block);
    bool is_missing = settlement->missing;
    if (!is_believed && witness->nodes->quorum > 1)
        finding_add(witness->finding, PROPERTY_FALSE_BALANCE, *witness->step,
                    "the account did not have that in block %llu", (ull)settlement->anchor.number);
    if (settlement->missing && !witness->any_taken)
        finding_add(witness->finding, PROPERTY_FALSE_TRIP, *witness->step, "nobody has taken anything: %s",
                    settlement->missing);
    if (is_believed && witness->mark == MARK_SET && witness->mark_is_true)
        is_missing = judge_balance(witness, view, settlement, block);
    if (status == BURSAR_OK)
        witness->was_missing = witness->was_missing || is_missing;
    witness->mark = status == BURSAR_OK ? MARK_SET : MARK_UNKNOWN;
    witness->mark_is_true = is_believed;
    witness->mark_number = settlement->anchor.number;
}

void money_witness_settled(struct money_witness *witness, const struct money_view *view, uint64_t now_ms,
                           const struct settlement *settlement, enum bursar_status status)
{
    if (status != BURSAR_OK && !is_unknown(status))
        return;
    witness->is_unsure = witness->is_unsure || is_unknown(status);
    for (size_t i = 0; i < settlement->final_count && status == BURSAR_OK; i++) {
        const struct final_attempt *final = &settlement->final[i];
        if (final->purpose != SIGN_SELF && (!final->succeeded || final->is_unpaid))
            note_revert(witness, now_ms);
    }
    if (settlement->has_anchor && settlement->has_balance)
        see_balance(witness, view, settlement, status);
}

void money_witness_exhibited(struct money_witness *witness, uint64_t now_ms, const struct adopted_nonce *nonces,
                             size_t count, enum bursar_status status)
{
    if (status != BURSAR_OK && !is_unknown(status))
        return;
    witness->is_unsure = witness->is_unsure || is_unknown(status);
    witness->mark = status == BURSAR_OK ? MARK_NONE : MARK_UNKNOWN;
    for (size_t i = 0; i < count && status == BURSAR_OK; i++) {
        if (nonces[i].purpose == PURPOSE_FOREIGN)
            witness->was_foreign = true;
        else if (nonces[i].purpose != SIGN_SELF && !nonces[i].succeeded)
            note_revert(witness, now_ms);
    }
}

/* --- spending --- */

static uint64_t slice_of(uint64_t at_ms)
{
    return at_ms - at_ms % MONEY_SLICE_MS;
}

/* What the store may have forgotten by now, because of a clock that went ahead. */
static void forget_old(struct money_moments *bound, uint64_t now_ms)
{
    size_t kept = 0;
    for (size_t i = 0; i < bound->count; i++) {
        if (slice_of(bound->items[i].at_ms) + 2 * MONEY_HOUR_MS >= slice_of(now_ms))
            bound->items[kept++] = bound->items[i];
    }
    bound->count = kept;
}

/* Never more within an hour than may be, by the clocks of those that bound it. */
static void judge_hour(const struct money_witness *witness, uint64_t now_ms)
{
    const struct money_limits *limits = witness->limits;
    struct money_spent spent = { 0 };
    const struct money_rate *over;
    for (size_t i = 0; i < witness->bound.count; i++) {
        const struct money_moment *moment = &witness->bound.items[i];
        if (moment->at_ms + MONEY_HOUR_MS < now_ms ||
            money_spend(limits, &spent, &moment->asset, &moment->amount, &over))
            continue;
        finding_add(witness->finding, PROPERTY_UNBOUNDED, *witness->step,
                    "bind went through although %s within an hour",
                    over ? "that is more of an asset than may be paid" : "that are more payments than may be made");
        return;
    }
}

void money_witness_bound(struct money_witness *witness, const struct money_view *view, int64_t offset_ms,
                         uint64_t now_ms, const struct binding *bindings, size_t count, enum bursar_status status)
{
    if (status != BURSAR_OK || count == 0)
        return;
    judge_spending(witness, view, "bind");
    forget_old(&witness->bound, now_ms);
    for (size_t i = 0; i < count; i++)
        remember(&witness->bound, &(struct money_moment){ now_ms, bindings[i].asset, bindings[i].amount });
    if (offset_ms == view->hour_offset_ms) /* it did not jump in between */
        judge_hour(witness, now_ms);
}

void money_witness_staged(struct money_witness *witness, const struct money_view *view,
                          const struct new_attempt *attempts, size_t count, enum bursar_status status)
{
    bool pays = false;
    for (size_t i = 0; i < count; i++)
        pays = pays || attempts[i].purpose != SIGN_SELF;
    if (status == BURSAR_OK && pays)
        judge_spending(witness, view, "attempts_add");
}

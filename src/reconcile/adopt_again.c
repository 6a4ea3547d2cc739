/* What the executor is to sign again, because no bytes of it were seen, and what a cancel took the nonce from: data and
 * gas limit, which neither the signing log nor the chain tells. The data is what the disbursement owes, and must be
 * what was signed. Gas is given as much as a payment may take at all where the destination holds code: less could
 * revert, more costs nothing. */
#include "reconcile/adopt_parts.h"

#include "base/bytes.h"
#include "eth/keccak.h"
#include "executor/planner.h"
#include "reconcile/chain_reads.h"

typedef unsigned long long ull;

static bool is_known_by_its_debt(const struct sight *sight)
{
    return sight->intent == 0 && sight->pays != 0 && sight_pays(sight) == &sight->signed_payload &&
           sight->step != ADOPT_UNDECIDED && sight->step != ADOPT_WAIT;
}

struct owed {
    int64_t id;
    struct sight *sight;
    bool is_found;
};

static enum bursar_status take_owed(void *ctx, const struct content_record *record)
{
    struct owed *owed = ctx;
    struct bursar_address to;
    struct bursar_amount value;
    struct bursar_hash hash;
    if (record->id != owed->id)
        return BURSAR_OK;
    const struct due_row row = { .destination = record->destination,
                                 .asset = record->asset,
                                 .amount = record->amount,
                                 .content_hash = record->content_hash };
    for (int tags = 0; tags <= 1 && !owed->is_found; tags++) {
        plan_payment(&row, tags == 1, &to, &value, &owed->sight->data);
        keccak256(owed->sight->data.bytes, owed->sight->data.length_bytes, &hash);
        owed->is_found = hash_equal(&hash, &sight_pays(owed->sight)->data_hash);
    }
    return BURSAR_OK;
}

static enum bursar_status read_data(struct adopt_look *look, struct sight *sight, struct bursar_error *err)
{
    const struct store *store = &look->env->store;
    struct owed owed = { .id = sight->pays, .sight = sight };
    enum bursar_status status =
        store->contents(store->ctx, look->plan->treasury.id, sight->pays - 1, 1, take_owed, &owed, err);
    if (status == BURSAR_OK && !owed.is_found)
        return bursar_fail(err, BURSAR_EINTERNAL, "disbursement %lld does not owe what nonce %llu was signed for",
                           (long long)sight->pays, (ull)sight->nonce);
    return status;
}

static enum bursar_status choose_gas(struct adopt_look *look, struct sight *const *sights, size_t count,
                                     struct bursar_error *err)
{
    struct bursar_address addresses[CHAIN_ITEMS_MAX_COUNT] = { 0 };
    bool has_code[CHAIN_ITEMS_MAX_COUNT];
    if (count == 0)
        return BURSAR_OK;
    for (size_t i = 0; i < count; i++)
        addresses[i] = sight_pays(sights[i])->to;
    enum bursar_status status = read_code(look->env, &look->plan->view.latest.block, addresses, count, has_code, err);
    for (size_t i = 0; i < count && status == BURSAR_OK; i++)
        sights[i]->gas_limit = has_code[i] ? GAS_LIMIT_MAX : plan_transfer_gas(sights[i]->data.length_bytes > 0);
    return status;
}

enum bursar_status adopt_prepare_again(struct adopt_look *look, struct bursar_error *err)
{
    struct adopt_plan *plan = look->plan;
    struct sight *sights[CHAIN_ITEMS_MAX_COUNT];
    size_t count = 0;
    enum bursar_status status = BURSAR_OK;
    for (size_t i = 0; i < plan->count && status == BURSAR_OK; i++) {
        if (!is_known_by_its_debt(&plan->sights[i]))
            continue;
        status = read_data(look, &plan->sights[i], err);
        sights[count++] = &plan->sights[i];
        if (status == BURSAR_OK && count == CHAIN_ITEMS_MAX_COUNT) {
            status = choose_gas(look, sights, count, err);
            count = 0;
        }
    }
    return status == BURSAR_OK ? choose_gas(look, sights, count, err) : status;
}

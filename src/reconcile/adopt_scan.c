/* Block bodies, for nonces that were used by transactions whose hashes nobody here knows: the signing log was lost, or
 * somebody else sends from the account. A missing nonce lies between the blocks of its neighbours. */
#include "reconcile/adopt_parts.h"

#include "base/bytes.h"
#include "reconcile/chain_reads.h"

typedef unsigned long long ull;

/* Sights [first, end), all of them used and unexplained. */
struct gap {
    size_t first, end;
    uint64_t low, high; /* blocks */
    size_t found;
};

static bool is_missing(const struct adopt_plan *plan, const struct sight *sight)
{
    return sight->nonce < plan->view.nonce_latest && sight->seen != SEEN_MINED;
}

static enum bursar_status take_block(void *ctx, const struct intent_record *record)
{
    struct intent_record *last = ctx;
    *last = *record;
    return BURSAR_OK;
}

/* Nothing of the gap is below this block. */
static enum bursar_status find_low(struct adopt_look *look, struct gap *gap, struct bursar_error *err)
{
    const struct adopt_plan *plan = look->plan;
    const struct store *store = &look->env->store;
    const struct sight *first = &plan->sights[gap->first];
    struct intent_record below = { 0 };
    if (gap->first > 0 && first[-1].nonce + 1 == first->nonce) {
        gap->low = first[-1].block.number; /* it is not missing itself, and below a used one: mined */
        return BURSAR_OK;
    }
    gap->low = look->options->has_from_block ? look->options->from_block : 0;
    if (first->nonce == 0)
        return BURSAR_OK;
    enum bursar_status status =
        store->intents(store->ctx, look->env->treasury, first->nonce - 1, 1, take_block, &below, err);
    if (status == BURSAR_OK && below.nonce == first->nonce - 1 && below.has_block && below.block.number > gap->low)
        gap->low = below.block.number;
    return status;
}

static void take_body(struct adopt_look *look, const struct chain_body *body, struct gap *gap)
{
    struct adopt_plan *plan = look->plan;
    for (size_t i = 0; i < body->sent_count; i++) {
        struct sight *sight = sight_of(plan, body->sent[i].transaction.nonce);
        if (!sight || !is_missing(plan, sight))
            continue;
        gap->found += sight >= &plan->sights[gap->first] && sight < &plan->sights[gap->end];
        sight_take(sight, &body->sent[i].hash, &body->sent[i].transaction, &plan->view);
        sight->in_store = sight->in_log = false;
        sight->purpose = 0;
    }
}

static enum bursar_status scan_gap(struct adopt_look *look, struct gap *gap, struct bursar_error *err)
{
    const struct adopt_plan *plan = look->plan;
    enum bursar_status status = BURSAR_OK;
    for (uint64_t at = gap->low; at <= gap->high && gap->found < gap->end - gap->first && status == BURSAR_OK;) {
        struct chain_body bodies[CHAIN_BODIES_MAX_COUNT] = { 0 };
        uint64_t numbers[CHAIN_BODIES_MAX_COUNT], left = gap->high - at + 1;
        size_t count = left < CHAIN_BODIES_MAX_COUNT ? (size_t)left : CHAIN_BODIES_MAX_COUNT;
        for (size_t i = 0; i < count; i++)
            numbers[i] = at + i;
        status = read_bodies(look->env, &plan->treasury.address, numbers, count, bodies, err);
        for (size_t i = 0; i < count && status == BURSAR_OK; i++)
            take_body(look, &bodies[i], gap);
        chain_bodies_clear(bodies, count);
        at += count;
        if (look->options->progress)
            look->options->progress(look->options->progress_ctx, "blocks", at - gap->low, gap->high - gap->low + 1);
    }
    return status;
}

static enum bursar_status refuse(const struct adopt_plan *plan, const struct gap *gap, struct bursar_error *err)
{
    const struct sight *sight = &plan->sights[gap->first];
    while (!is_missing(plan, sight))
        sight++;
    return bursar_fail(
        err, BURSAR_EREFUSED,
        "nonce %llu of the account was used, but the node shows no transaction with it in blocks %llu to "
        "%llu. Name an earlier block with --from-block, or ask a node that has older blocks",
        (ull)sight->nonce, (ull)gap->low, (ull)gap->high);
}

enum bursar_status adopt_scan(struct adopt_look *look, struct bursar_error *err)
{
    const struct adopt_plan *plan = look->plan;
    enum bursar_status status = BURSAR_OK;
    for (size_t i = 0; i < plan->count && status == BURSAR_OK;) {
        if (!is_missing(plan, &plan->sights[i])) {
            i++;
            continue;
        }
        struct gap gap = { .first = i, .high = plan->view.latest.block.number };
        while (i < plan->count && is_missing(plan, &plan->sights[i]))
            i++;
        gap.end = i;
        if (i < plan->count && plan->sights[i].seen == SEEN_MINED)
            gap.high = plan->sights[i].block.number;
        status = find_low(look, &gap, err);
        if (status == BURSAR_OK)
            status = scan_gap(look, &gap, err);
        if (status == BURSAR_OK && gap.found < gap.end - gap.first)
            status = refuse(plan, &gap, err);
    }
    return status;
}

/* A nonce of ours was used, finally, and none of our attempts is seen: what has used it is looked for in the bodies of
 * final blocks, a few a tick. Only once it is exhibited is anything concluded (INV-4): it is the payment after all, or
 * our cancel; or a stranger's, and then what the nonce was bound to is queued again, unless the stranger's might have
 * been meant to pay something of ours. What can't be found frees nothing, and halts (INV-5). */
#include "executor/exhibit.h"
#include "executor/tick.h"

#include "base/bytes.h"

#include <stdio.h>

#define BLOCKS_PER_TICK 64
#define ROWS_PER_PAGE 1000
#define PAGES_PER_TICK 20
#define MISSES_MAX_COUNT 3    /* a block that the node does not show after so many looks in a row counts as pruned */
#define AGAIN_MS 10000        /* after a search in vain: by then another node may answer; */
#define AGAIN_PER_BLOCK_MS 10 /* and the longer it took, the later */

static uint64_t monotonic_ms(const struct executor *executor)
{
    return executor->env.clock.monotonic_ms(executor->env.clock.ctx);
}

/* --- looking --- */

static enum bursar_status take_block(void *ctx, const struct intent_record *record)
{
    struct intent_record *last = ctx;
    *last = *record;
    return BURSAR_OK;
}

/* The account's nonces are used in order: not below the block of the one before. */
static enum bursar_status start(struct executor *executor, const struct tick *tick, struct bursar_error *err)
{
    struct store *store = &executor->env.store;
    const uint64_t nonce = executor->scratch.flights[0].nonce;
    struct intent_record before = { 0 };
    uint64_t low = 0;
    enum bursar_status status = BURSAR_OK;
    if (nonce > 0)
        status = store->intents(store->ctx, tick->treasury.id, nonce - 1, 1, take_block, &before, err);
    if (nonce > 0 && before.intent && before.nonce == nonce - 1 && before.has_block)
        low = before.block.number;
    if (status == BURSAR_OK)
        search_start(executor->search, &tick->view.final, low);
    return status;
}

static void give_up(struct executor *executor)
{
    executor->search->state = SEARCH_IN_VAIN;
    executor->search->ended_ms = monotonic_ms(executor);
}

/* The node shows no such block, or another chain: a moment's, until it goes on. */
static void miss(struct executor *executor, struct tick *tick)
{
    struct search *search = executor->search;
    struct bursar_error fault = { 0 };
    (void)bursar_fail(&fault, BURSAR_EPROTOCOL, "the node does not show all of the final chain from block %llu down",
                      (unsigned long long)search->next.number);
    tick_note_fault(executor, tick, &fault);
    if (++search->misses >= MISSES_MAX_COUNT)
        give_up(executor);
}

/* False when the node failed. */
static bool read_on(struct executor *executor, struct tick *tick, size_t *ret_blocks)
{
    struct chain *chain = &executor->env.chain;
    struct search *search = executor->search;
    struct chain_body bodies[CHAIN_BODIES_MAX_COUNT] = { 0 };
    uint64_t numbers[CHAIN_BODIES_MAX_COUNT];
    struct bursar_error fault = { 0 };
    uint64_t left = search->next.number - search->low + 1;
    size_t count = left < CHAIN_BODIES_MAX_COUNT ? (size_t)left : CHAIN_BODIES_MAX_COUNT;
    for (size_t i = 0; i < count; i++)
        numbers[i] = search->next.number - (count - 1 - i);
    if (chain->bodies(chain->ctx, &tick->treasury.address, numbers, count, bodies, &fault) != BURSAR_OK) {
        tick_note_fault(executor, tick, &fault);
        return false;
    }
    bool ok = search_take(search, bodies, count, executor->scratch.flights, executor->scratch.flight_count,
                          tick->view.nonce_final);
    chain_bodies_clear(bodies, count);
    *ret_blocks = count;
    if (!ok)
        miss(executor, tick);
    else
        search->misses = 0;
    if (search->state == SEARCH_IN_VAIN)
        search->ended_ms = monotonic_ms(executor);
    return ok;
}

static void look(struct executor *executor, struct tick *tick)
{
    struct search *search = executor->search;
    size_t blocks = 0;
    for (size_t total = 0; total < BLOCKS_PER_TICK && search->state == SEARCH_OPEN && search->count == 0;
         total += blocks) {
        if (!read_on(executor, tick, &blocks))
            return;
    }
    tick->go_on = tick->go_on || (search->state == SEARCH_OPEN && search->count == 0);
}

/* --- judging --- */

static bool is_any_foreign(const struct search *search)
{
    for (size_t i = 0; i < search->count; i++) {
        if (search->found[i].kind == EXHIBIT_FOREIGN)
            return true;
    }
    return false;
}

static enum bursar_status judge(struct executor *executor, struct tick *tick, bool *ret_ok, struct bursar_error *err)
{
    struct signer *signer = &executor->env.signer;
    struct scratch *scratch = &executor->scratch;
    struct search *search = executor->search;
    struct bursar_error fault = { 0 };
    enum bursar_status status = flights_watch(executor, err);
    *ret_ok = false;
    for (size_t i = 0; i < search->count && status == BURSAR_OK; i++) {
        struct exhibit *exhibit = &search->found[i];
        const struct flight *flight = flight_find(scratch, exhibit->nonce);
        const struct watched *watched = plan_find_watched(scratch->watched, scratch->watched_count, &exhibit->hash);
        struct signed_payload logged = { 0 };
        enum bursar_status found = signer->log_find(signer->ctx, exhibit->nonce, &logged, &fault);
        if (found != BURSAR_OK && found != BURSAR_ENOTFOUND) {
            tick_note_fault(executor, tick, &fault);
            return BURSAR_OK;
        }
        exhibit_judge(exhibit, flight, watched && watched->flight == flight ? watched : NULL, &logged,
                      &tick->treasury.address);
    }
    *ret_ok = status == BURSAR_OK;
    return status;
}

/* What it did, as of the very block that it was seen in. False when the node does not say. */
/* A payment in a token is one only by what its logs say. */
static void take_receipt(struct executor *executor, struct exhibit *exhibit, const struct chain_receipt *receipt)
{
    const struct flight *flight = flight_find(&executor->scratch, exhibit->nonce);
    struct included_attempt included = { .purpose = SIGN_PAYMENT };
    struct final_attempt final;
    if (flight && exhibit->kind == EXHIBIT_FOUND)
        included.data = flight->data;
    plan_final(&included, receipt, &final);
    exhibit->has_receipt = true;
    exhibit->succeeded = final.succeeded && !final.is_unpaid;
    exhibit->is_short = final.is_short || final.is_unpaid;
    exhibit->short_by = final.short_by;
    exhibit->gas_used = final.gas_used;
    exhibit->effective_gas_price_wei = final.effective_gas_price_wei;
}

static bool read_receipts(struct executor *executor, struct tick *tick)
{
    struct chain *chain = &executor->env.chain;
    struct search *search = executor->search;
    struct bursar_hash hashes[EXHIBIT_MAX_COUNT];
    struct chain_receipt receipts[EXHIBIT_MAX_COUNT];
    struct bursar_error fault = { 0 };
    if (search->count == 0 || search->found[search->count - 1].has_receipt)
        return true;
    for (size_t i = 0; i < search->count; i++)
        hashes[i] = search->found[i].hash;
    if (chain->receipts(chain->ctx, hashes, search->count, receipts, &fault) != BURSAR_OK) {
        tick_note_fault(executor, tick, &fault);
        return false;
    }
    for (size_t i = 0; i < search->count; i++) {
        struct exhibit *exhibit = &search->found[i];
        const struct chain_receipt *receipt = &receipts[i];
        if (!receipt->is_present || receipt->block.number != exhibit->block.number ||
            !hash_equal(&receipt->block.hash, &exhibit->block.hash)) {
            (void)bursar_fail(&fault, BURSAR_EPROTOCOL,
                              "the receipt of nonce %llu does not agree with its final block %llu: waiting",
                              (unsigned long long)exhibit->nonce, (unsigned long long)exhibit->block.number);
            tick_note_fault(executor, tick, &fault);
            return false;
        }
    }
    for (size_t i = 0; i < search->count; i++)
        take_receipt(executor, &search->found[i], &receipts[i]);
    return true;
}

/* --- does a stranger's pay anything that is owed? --- */

struct walk {
    struct search *search;
    size_t rows;
    int64_t last_id;
};

static enum bursar_status hold_against(void *ctx, const struct content_record *content)
{
    struct walk *walk = ctx;
    walk->rows++;
    walk->last_id = content->id;
    for (size_t i = 0; i < walk->search->count; i++) {
        struct exhibit *exhibit = &walk->search->found[i];
        if (exhibit->kind == EXHIBIT_FOREIGN && !exhibit->match && exhibit_matches(exhibit, content))
            exhibit->match = content->id;
    }
    return BURSAR_OK;
}

/* What was met may have been paid or cancelled since; then all are looked at again. */
static enum bursar_status check_matches(struct executor *executor, const struct tick *tick, struct bursar_error *err)
{
    struct store *store = &executor->env.store;
    struct search *search = executor->search;
    enum bursar_status status = BURSAR_OK;
    for (size_t i = 0; i < search->count && status == BURSAR_OK; i++) {
        const int64_t match = search->found[i].match;
        struct walk walk = { .search = search };
        if (!match)
            continue;
        search->found[i].match = 0;
        status = store->contents(store->ctx, tick->treasury.id, match - 1, 1, hold_against, &walk, err);
        if (search->found[i].match != match) {
            search->checked_id = 0;
            search->is_checked = false;
        }
    }
    return status;
}

static enum bursar_status walk_contents(struct executor *executor, struct tick *tick, struct bursar_error *err)
{
    struct store *store = &executor->env.store;
    struct search *search = executor->search;
    enum bursar_status status = check_matches(executor, tick, err);
    for (size_t page = 0; page < PAGES_PER_TICK && !search->is_checked && status == BURSAR_OK; page++) {
        struct walk walk = { .search = search, .last_id = search->checked_id };
        status =
            store->contents(store->ctx, tick->treasury.id, search->checked_id, ROWS_PER_PAGE, hold_against, &walk, err);
        search->checked_id = walk.last_id;
        search->is_checked = status == BURSAR_OK && walk.rows < ROWS_PER_PAGE;
    }
    return status;
}

/* --- concluding --- */

static bool is_decided(const struct executor *executor, const struct exhibit *exhibit)
{
    if (exhibit->kind != EXHIBIT_FOREIGN)
        return true;
    return executor->config.finality_blocks == 0 && executor->search->is_checked && !exhibit->match; /* INV-4 */
}

#define DETAIL_BYTES 160

static void describe(const struct exhibit *exhibit, char ret[DETAIL_BYTES])
{
    char hash[HASH_TEXT_BYTES];
    hash_to_text(&exhibit->hash, hash);
    if (exhibit->kind == EXHIBIT_FOREIGN)
        (void)snprintf(ret, DETAIL_BYTES, "nonce %llu was used by %s, which pays none of ours, final in block %llu",
                       (unsigned long long)exhibit->nonce, hash, (unsigned long long)exhibit->block.number);
    else
        (void)snprintf(ret, DETAIL_BYTES, "nonce %llu: %s, found in final block %llu",
                       (unsigned long long)exhibit->nonce, hash, (unsigned long long)exhibit->block.number);
}

static struct adopted_nonce record_of(const struct exhibit *exhibit, const char *detail)
{
    return (struct adopted_nonce){ .nonce = exhibit->nonce,
                                   .intent = exhibit->intent,
                                   .has_transaction = true,
                                   .hash = exhibit->hash,
                                   .is_new = true,
                                   .purpose = exhibit->purpose,
                                   .is_final = true,
                                   .block = exhibit->block,
                                   .succeeded = exhibit->succeeded,
                                   .is_short = exhibit->is_short,
                                   .short_by = exhibit->short_by,
                                   .gas_used = exhibit->gas_used,
                                   .effective_gas_price_wei = exhibit->effective_gas_price_wei,
                                   .detail = detail };
}

static void tell(struct executor *executor, const struct exhibit *exhibit, const char *detail)
{
    const bool is_foreign = exhibit->kind == EXHIBIT_FOREIGN;
    note(&executor->env.notes, is_foreign ? NOTE_ERROR : NOTE_WARN, "%s%s", detail,
         is_foreign ? ": what it was bound to is queued again. Somebody else has the key of this account" : "");
}

/* What is an attempt of ours was only overlooked, and goes the way of any that is included. */
static enum bursar_status include(struct executor *executor, struct bursar_error *err)
{
    const struct search *search = executor->search;
    struct included_attempt included[EXHIBIT_MAX_COUNT];
    struct settlement settlement = { .included = included };
    for (size_t i = 0; i < search->count; i++) {
        const struct exhibit *exhibit = &search->found[i];
        if (exhibit->kind == EXHIBIT_ATTEMPT)
            included[settlement.included_count++] = (struct included_attempt){ .attempt = exhibit->attempt,
                                                                               .intent = exhibit->intent,
                                                                               .nonce = exhibit->nonce,
                                                                               .purpose = exhibit->purpose,
                                                                               .hash = exhibit->hash,
                                                                               .block = exhibit->block };
    }
    return settlement.included_count ? tick_settle(executor, &settlement, err) : BURSAR_OK;
}

/* What is decided is written: all that is new in one transaction. The rest is kept. */
static enum bursar_status conclude(struct executor *executor, struct tick *tick, struct bursar_error *err)
{
    struct store *store = &executor->env.store;
    struct search *search = executor->search;
    struct adopted_nonce nonces[EXHIBIT_MAX_COUNT];
    char details[EXHIBIT_MAX_COUNT][DETAIL_BYTES];
    size_t count = 0, kept = 0;
    for (size_t i = 0; i < search->count; i++) {
        if (!is_decided(executor, &search->found[i]) || search->found[i].kind == EXHIBIT_ATTEMPT)
            continue;
        describe(&search->found[i], details[count]);
        nonces[count] = record_of(&search->found[i], details[count]);
        count++;
    }
    enum bursar_status status = include(executor, err);
    if (status == BURSAR_OK && count)
        status = store->exhibited(store->ctx, executor->fence, executor->env.clock.wall_ms(executor->env.clock.ctx),
                                  nonces, count, err);
    if (status != BURSAR_OK)
        return status;
    for (size_t i = 0, told = 0; i < search->count; i++) {
        if (!is_decided(executor, &search->found[i]))
            search->found[kept++] = search->found[i];
        else if (search->found[i].kind != EXHIBIT_ATTEMPT)
            tell(executor, &search->found[i], details[told++]);
    }
    if (kept == search->count)
        return BURSAR_OK;
    search->count = kept;
    tick->go_on = true; /* what is used and not explained by now is looked for in the next tick */
    return flights_load(executor, err);
}

static enum bursar_status decide(struct executor *executor, struct tick *tick, struct bursar_error *err)
{
    struct search *search = executor->search;
    bool ok = false;
    enum bursar_status status = judge(executor, tick, &ok, err);
    if (status != BURSAR_OK || !ok || !read_receipts(executor, tick))
        return status;
    if (is_any_foreign(search) && executor->config.finality_blocks == 0)
        status = walk_contents(executor, tick, err);
    if (status == BURSAR_OK)
        status = conclude(executor, tick, err);
    tick->go_on = tick->go_on || (search->count && executor->config.finality_blocks == 0 && !search->is_checked);
    return status;
}

/* What was found belongs to flights that are there still. */
static bool is_stale(struct executor *executor, const struct tick *tick)
{
    const struct search *search = executor->search;
    for (size_t i = 0; i < search->count; i++) {
        const struct flight *flight = flight_find(&executor->scratch, search->found[i].nonce);
        if (!flight || flight->intent != search->found[i].intent)
            return true;
    }
    const uint64_t again_ms = AGAIN_MS + AGAIN_PER_BLOCK_MS * (search->top - search->next.number);
    return search->state == SEARCH_NONE || search->top > tick->view.final.block.number ||
           (search->state == SEARCH_IN_VAIN && monotonic_ms(executor) - search->ended_ms >= again_ms);
}

static bool is_unexplained(const struct executor *executor, const struct tick *tick)
{
    const struct scratch *scratch = &executor->scratch;
    return tick->view.has_final && scratch->flight_count && scratch->flights[0].nonce < tick->view.nonce_final;
}

enum bursar_status tick_exhibit(struct executor *executor, struct tick *tick, struct bursar_error *err)
{
    struct search *search = executor->search;
    enum bursar_status status = BURSAR_OK;
    if (!is_unexplained(executor, tick)) {
        search->state = SEARCH_NONE;
        search->count = 0;
        return BURSAR_OK;
    }
    if (tick->verdict.halt != HALT_FOREIGN_NONCE || halt_latches(tick->treasury.halt) || !executor->env.chain.bodies)
        return BURSAR_OK;
    if (is_stale(executor, tick))
        status = start(executor, tick, err);
    if (status == BURSAR_OK)
        look(executor, tick);
    if (status == BURSAR_OK && search->count)
        status = decide(executor, tick, err);
    if (status != BURSAR_OK)
        return status;
    if (is_unexplained(executor, tick))
        exhibit_verdict(search, executor->scratch.flights, executor->config.finality_blocks, &tick->verdict);
    else
        tick->verdict = (struct verdict){ .holds = true, .reason = "what has used a nonce of ours was found" };
    return BURSAR_OK;
}

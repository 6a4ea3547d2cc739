/* Reads the store first, then the chain: what the store knows happened before. */
#include "reconcile/page.h"

#include "reconcile/chain_reads.h"

#include <string.h>

struct page_filling {
    struct page *page;
    uint64_t end_nonce;
};

static enum bursar_status take_intent(void *ctx, const struct intent_record *record)
{
    struct page_filling *filling = ctx;
    if (record->nonce < filling->end_nonce && filling->page->count < PAGE_INTENTS_MAX_COUNT)
        filling->page->intents[filling->page->count++] = *record;
    return BURSAR_OK;
}

static enum bursar_status fill_transactions(const struct reconcile_env *env, struct page *page,
                                            struct bursar_error *err)
{
    struct bursar_hash hashes[PAGE_INTENTS_MAX_COUNT] = { 0 };
    struct chain_transaction found[PAGE_INTENTS_MAX_COUNT];
    size_t of[PAGE_INTENTS_MAX_COUNT], count = 0;
    for (size_t i = 0; i < page->count; i++) {
        if (!page->intents[i].has_attempt)
            continue;
        of[count] = i;
        hashes[count++] = page->intents[i].hash;
    }
    enum bursar_status status = read_transactions(env, hashes, count, found, err);
    for (size_t i = 0; i < count && status == BURSAR_OK; i++) {
        page->has_transaction[of[i]] = true;
        page->transactions[of[i]] = found[i];
    }
    return status;
}

static bool is_included(const struct intent_record *intent)
{
    return intent->has_attempt && (intent->status == INTENT_INCLUDED || intent->status == INTENT_FINAL);
}

static enum bursar_status fill_receipts(const struct reconcile_env *env, struct page *page, struct bursar_error *err)
{
    struct bursar_hash hashes[PAGE_INTENTS_MAX_COUNT] = { 0 };
    struct chain_receipt found[PAGE_INTENTS_MAX_COUNT];
    size_t of[PAGE_INTENTS_MAX_COUNT], count = 0;
    for (size_t i = 0; i < page->count; i++) {
        if (!is_included(&page->intents[i]))
            continue;
        of[count] = i;
        hashes[count++] = page->intents[i].hash;
    }
    enum bursar_status status = read_receipts(env, hashes, count, found, err);
    for (size_t i = 0; i < count && status == BURSAR_OK; i++) {
        page->has_receipt[of[i]] = true;
        page->receipts[of[i]] = found[i];
    }
    return status;
}

/* Neighbouring nonces share blocks: each block is asked for once a page. */
static enum bursar_status fill_blocks(const struct reconcile_env *env, struct page *page, struct bursar_error *err)
{
    uint64_t numbers[PAGE_INTENTS_MAX_COUNT] = { 0 };
    bool present[PAGE_INTENTS_MAX_COUNT];
    struct bursar_hash hashes[PAGE_INTENTS_MAX_COUNT];
    size_t of[PAGE_INTENTS_MAX_COUNT], count = 0;
    for (size_t i = 0; i < page->count; i++) {
        const struct intent_record *intent = &page->intents[i];
        of[i] = PAGE_INTENTS_MAX_COUNT;
        if (!is_included(intent) || !intent->has_block)
            continue;
        size_t n = 0;
        while (n < count && numbers[n] != intent->block.number)
            n++;
        if (n == count)
            numbers[count++] = intent->block.number;
        of[i] = n;
    }
    enum bursar_status status = read_block_hashes(env, numbers, count, present, hashes, err);
    for (size_t i = 0; i < page->count && status == BURSAR_OK; i++) {
        page->has_canonical[i] = of[i] < count && present[of[i]];
        if (page->has_canonical[i])
            page->canonical[i] = hashes[of[i]];
    }
    return status;
}

enum bursar_status page_read(const struct reconcile_env *env, uint64_t from_nonce, uint64_t end_nonce, size_t limit,
                             struct page *ret, struct bursar_error *err)
{
    struct page_filling filling = { .page = ret, .end_nonce = end_nonce };
    memset(ret, 0, sizeof *ret);
    enum bursar_status status =
        env->store.intents(env->store.ctx, env->treasury, from_nonce,
                           limit < PAGE_INTENTS_MAX_COUNT ? limit : PAGE_INTENTS_MAX_COUNT, take_intent, &filling, err);
    if (status == BURSAR_OK)
        status = fill_transactions(env, ret, err);
    if (status == BURSAR_OK)
        status = fill_receipts(env, ret, err);
    if (status == BURSAR_OK)
        status = fill_blocks(env, ret, err);
    return status;
}

#define ATTEMPTS_MAX_COUNT 64

struct attempts {
    uint64_t nonce;
    size_t count;
    struct bursar_hash hashes[ATTEMPTS_MAX_COUNT];
};

static enum bursar_status take_attempt(void *ctx, const struct attempt_record *record)
{
    struct attempts *attempts = ctx;
    if (record->nonce == attempts->nonce && attempts->count < ATTEMPTS_MAX_COUNT)
        attempts->hashes[attempts->count++] = record->hash;
    return BURSAR_OK;
}

static enum bursar_status skip_record(void *ctx, const struct disbursement_record *record)
{
    (void)ctx;
    (void)record;
    return BURSAR_OK;
}

static enum bursar_status skip_event(void *ctx, const struct event_record *record)
{
    (void)ctx;
    (void)record;
    return BURSAR_OK;
}

static void skip_text(void *ctx, const char *text)
{
    (void)ctx;
    (void)text;
}

enum bursar_status page_other_attempt_mined(const struct reconcile_env *env, const struct intent_record *intent,
                                            bool *ret, struct bursar_error *err)
{
    struct attempts attempts = { .nonce = intent->nonce };
    struct chain_transaction found[ATTEMPTS_MAX_COUNT];
    bool is_mined = false;
    enum bursar_status status = intent->disbursement == 0
                                    ? BURSAR_OK
                                    : env->store.show(env->store.ctx, env->treasury, intent->disbursement, skip_record,
                                                      skip_text, skip_event, take_attempt, &attempts, err);
    if (status == BURSAR_OK)
        status = read_transactions(env, attempts.hashes, attempts.count, found, err);
    for (size_t i = 0; i < attempts.count && status == BURSAR_OK; i++)
        is_mined = is_mined || (found[i].is_present && found[i].is_mined);
    if (status == BURSAR_OK)
        *ret = is_mined;
    return status;
}

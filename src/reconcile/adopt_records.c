/* What store and signing log know of the nonces that are not settled, and which hashes to ask the chain for. */
#include "reconcile/adopt_parts.h"

#include "base/bytes.h"

#include <stdlib.h>

#define PAGE_ROWS 500

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static enum bursar_status add_known(struct adopt_look *look, const struct known_hash *known, struct bursar_error *err)
{
    if (look->known_count == look->known_capacity) {
        size_t capacity = look->known_capacity ? look->known_capacity * 2 : 256;
        struct known_hash *grown = realloc(look->known, capacity * sizeof *grown);
        if (!grown)
            return bursar_fail(err, BURSAR_ENOMEM, "out of memory");
        look->known = grown;
        look->known_capacity = capacity;
    }
    look->known[look->known_count++] = *known;
    return BURSAR_OK;
}

/* Nonces [first, end) of the account are ours to explain. */
static void choose_range(struct adopt_plan *plan, uint64_t *ret_end)
{
    const struct treasury *treasury = &plan->treasury;
    uint64_t sent = larger(plan->view.nonce_latest, plan->view.nonce_pending), end = sent;
    plan->first_nonce = treasury->is_pinned ? treasury->first_nonce : sent;
    if (treasury->is_pinned &&
        plan->view.nonce_latest < plan->first_nonce) /* a gap below: nothing above it is ever mined */
        plan->first_nonce = plan->view.nonce_latest;
    if (plan->log.entries) {
        plan->first_nonce = plan->log.first_nonce < plan->first_nonce ? plan->log.first_nonce : plan->first_nonce;
        end = larger(end, plan->log.next_nonce);
    }
    *ret_end = treasury->is_pinned ? larger(end, plan->lane.next_nonce) : end;
}

/* What lies between the treasury's first nonce and its lowest unfinished one is final, and left alone. */
static enum bursar_status make_sights(struct adopt_plan *plan, struct bursar_error *err)
{
    uint64_t end, settled_from = 0, settled_to = 0;
    choose_range(plan, &end);
    if (plan->treasury.is_pinned && plan->lane.has_intents && !plan->is_rebased) {
        settled_from = plan->treasury.first_nonce;
        settled_to = plan->lane.lowest_unfinished_nonce;
    }
    uint64_t total = end - plan->first_nonce - (settled_to - settled_from);
    size_t room = total < ADOPT_NONCES_MAX_COUNT ? (size_t)total : ADOPT_NONCES_MAX_COUNT;
    plan->has_more = total > room;
    if (plan->has_more && plan->is_rebased)
        return bursar_fail(err, BURSAR_ELIMIT,
                           "the history of the chain was replaced, and more than %d nonces would have to be compared "
                           "with it at once",
                           ADOPT_NONCES_MAX_COUNT);
    plan->sights = calloc(room + 1, sizeof *plan->sights);
    if (!plan->sights)
        return bursar_fail(err, BURSAR_ENOMEM, "out of memory");
    for (uint64_t nonce = plan->first_nonce; nonce < end && plan->count < room; nonce++) {
        if (nonce == settled_from && settled_to > settled_from)
            nonce = settled_to;
        if (nonce < end)
            plan->sights[plan->count++].nonce = nonce;
    }
    return BURSAR_OK;
}

struct paging {
    struct adopt_look *look;
    uint64_t next_nonce;
    unsigned seq;
    size_t rows;
    struct bursar_error *err;
};

static enum bursar_status take_intent(void *ctx, const struct intent_record *record)
{
    struct paging *paging = ctx;
    struct sight *sight = sight_of(paging->look->plan, record->nonce);
    paging->rows++;
    paging->next_nonce = record->nonce + 1;
    if (!sight)
        return BURSAR_OK;
    sight->intent = record->intent;
    sight->kind = record->kind;
    sight->status = record->status;
    sight->disbursement = record->is_live ? record->disbursement : 0;
    sight->bound = payload_of_intent(record);
    sight->has_ended_well = record->outcome != CAUSE_FINAL_REVERT;
    sight->stored_block = record->block;
    return BURSAR_OK;
}

static enum bursar_status read_intents(struct adopt_look *look, struct bursar_error *err)
{
    const struct store *store = &look->env->store;
    struct paging paging = { .look = look, .next_nonce = look->plan->count ? look->plan->sights[0].nonce : 0 };
    enum bursar_status status = BURSAR_OK;
    do {
        paging.rows = 0;
        if (look->plan->count)
            status = store->intents(store->ctx, look->env->treasury, paging.next_nonce, PAGE_ROWS, take_intent, &paging,
                                    err);
    } while (status == BURSAR_OK && paging.rows == PAGE_ROWS);
    return status;
}

static enum bursar_status take_entry(void *ctx, const struct signing_log_entry *entry)
{
    struct paging *paging = ctx;
    const struct adopt_plan *plan = paging->look->plan;
    struct sight *sight = sight_of(plan, entry->nonce);
    if (entry->purpose == SIGN_SELF)
        sight->has_self = true;
    if (entry->purpose != SIGN_SELF && !sight->has_payment) { /* the newest comes first */
        sight->has_payment = true;
        sight->signed_payload =
            (struct payload){ .to = entry->to, .value = entry->value, .data_hash = entry->data_hash };
        sight->signed_hash = entry->transaction_hash;
    }
    const struct known_hash known = { .hash = entry->transaction_hash,
                                      .sight = (size_t)(sight - plan->sights),
                                      .purpose =
                                          entry->purpose == SIGN_REPLACEMENT ? (int)SIGN_PAYMENT : (int)entry->purpose,
                                      .in_log = true };
    return add_known(paging->look, &known, paging->err);
}

static enum bursar_status read_log(struct adopt_look *look, struct bursar_error *err)
{
    struct paging paging = { .look = look, .err = err };
    enum bursar_status status = BURSAR_OK;
    for (size_t i = 0; look->log && i < look->plan->count && status == BURSAR_OK; i++)
        status = signing_log_walk(look->log, look->plan->sights[i].nonce, take_entry, &paging, err);
    return status;
}

static bool was_signed_elsewhere(const struct attempt_record *record)
{
    return record->purpose == PURPOSE_FOREIGN || record->purpose == PURPOSE_FOUND;
}

/* Every attempt of the store is looked up in the log; those of the nonces in sight also on the chain. */
static enum bursar_status take_attempt(void *ctx, const struct attempt_record *record)
{
    struct paging *paging = ctx;
    struct adopt_plan *plan = paging->look->plan;
    struct sight *sight = sight_of(plan, record->nonce);
    bool is_logged = false;
    paging->rows++;
    paging->next_nonce = record->nonce;
    paging->seq = record->seq;
    enum bursar_status status = BURSAR_OK;
    if (paging->look->log)
        status = signing_log_has_transaction(paging->look->log, record->nonce, &record->hash, &is_logged, paging->err);
    if (!is_logged && !was_signed_elsewhere(record))
        plan->log_lacks++;
    if (status != BURSAR_OK || !sight)
        return status;
    sight->is_being_cancelled = sight->is_being_cancelled || record->purpose == SIGN_SELF;
    const struct known_hash known = { .hash = record->hash,
                                      .sight = (size_t)(sight - plan->sights),
                                      .purpose = record->purpose,
                                      .in_store = true,
                                      .in_log = is_logged };
    return add_known(paging->look, &known, paging->err);
}

static enum bursar_status read_attempts(struct adopt_look *look, struct bursar_error *err)
{
    const struct store *store = &look->env->store;
    struct paging paging = { .look = look, .err = err };
    enum bursar_status status = BURSAR_OK;
    do {
        paging.rows = 0;
        status = store->attempts(store->ctx, look->env->treasury, paging.next_nonce, paging.seq, PAGE_ROWS,
                                 take_attempt, &paging, err);
    } while (status == BURSAR_OK && paging.rows == PAGE_ROWS);
    return status;
}

static enum bursar_status read_cancels(struct adopt_look *look, struct bursar_error *err)
{
    const struct store *store = &look->env->store;
    struct cancel_request *asked = calloc(CANCEL_REQUESTS_MAX_COUNT, sizeof *asked);
    size_t count = 0;
    if (!asked)
        return bursar_fail(err, BURSAR_ENOMEM, "out of memory");
    enum bursar_status status =
        store->cancels_select(store->ctx, look->env->treasury, CANCEL_REQUESTS_MAX_COUNT, asked, &count, err);
    for (size_t i = 0; i < count && status == BURSAR_OK; i++) {
        struct sight *sight = sight_of(look->plan, asked[i].nonce);
        if (sight)
            sight->is_being_cancelled = true;
    }
    free(asked);
    return status;
}

static int compare_known(const void *left, const void *right)
{
    const struct known_hash *a = left, *b = right;
    int order = memcmp(a->hash.bytes, b->hash.bytes, sizeof a->hash.bytes);
    return order ? order : (int)b->in_store - (int)a->in_store;
}

/* What both know is asked for once. */
static void merge_known(struct adopt_look *look)
{
    size_t kept = 0;
    if (look->known_count)
        qsort(look->known, look->known_count, sizeof *look->known, compare_known);
    for (size_t i = 0; i < look->known_count; i++) {
        if (kept && hash_equal(&look->known[kept - 1].hash, &look->known[i].hash)) {
            look->known[kept - 1].in_log = look->known[kept - 1].in_log || look->known[i].in_log;
            continue;
        }
        look->known[kept++] = look->known[i];
    }
    look->known_count = kept;
}

enum bursar_status adopt_read_records(struct adopt_look *look, struct bursar_error *err)
{
    enum bursar_status status = make_sights(look->plan, err);
    if (status == BURSAR_OK)
        status = read_intents(look, err);
    if (status == BURSAR_OK)
        status = read_log(look, err);
    if (status == BURSAR_OK)
        status = read_attempts(look, err);
    if (status == BURSAR_OK)
        status = read_cancels(look, err);
    if (status == BURSAR_OK)
        merge_known(look);
    return status;
}

/* Writing what a look came to. The signing log first: whatever the store knows of, the key must know it signed
 * (INV-12). Dying in between leaves the log ahead of the store, which halts as before, and the next look sees the same.
 */
#include "reconcile/adopt_parts.h"

#include "eth/transaction.h"
#include "executor/planner.h"

#include <stdlib.h>
#include <string.h>

#define PAGE_ROWS 500

struct writing {
    const struct reconcile_env *env;
    struct signing_log *log;
    const struct adopt_plan *plan;
    uint64_t lease_epoch;
    struct intent_record intent; /* of the attempt at hand */
    uint64_t next_nonce;
    unsigned seq;
    size_t rows, pending;
    struct bursar_error *err;
};

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* What was recorded before is not recorded twice. */
static enum bursar_status record(struct writing *writing, uint64_t nonce, int purpose, const struct payload *payload,
                                 const struct bursar_hash *hash)
{
    struct signing_log_entry entry = { .lease_epoch = writing->lease_epoch,
                                       .nonce = nonce,
                                       .purpose = (enum sign_purpose)purpose,
                                       .to = payload->to,
                                       .value = payload->value,
                                       .data_hash = payload->data_hash,
                                       .transaction_hash = *hash };
    bool is_there = false;
    enum bursar_status status = signing_log_has_transaction(writing->log, nonce, hash, &is_there, writing->err);
    if (status == BURSAR_OK && !is_there)
        status = signing_log_append_past(writing->log, &entry, writing->err);
    if (status == BURSAR_OK && !is_there && ++writing->pending == SIGN_BATCH_MAX_ITEMS) {
        status = signing_log_sync(writing->log, writing->err);
        writing->pending = 0;
    }
    return status;
}

static enum bursar_status take_intent(void *ctx, const struct intent_record *record_)
{
    ((struct writing *)ctx)->intent = *record_;
    return BURSAR_OK;
}

static enum bursar_status take_attempt(void *ctx, const struct attempt_record *attempt)
{
    struct writing *writing = ctx;
    const struct store *store = &writing->env->store;
    writing->rows++;
    writing->next_nonce = attempt->nonce;
    writing->seq = attempt->seq;
    if (attempt->purpose == PURPOSE_FOREIGN)
        return BURSAR_OK;
    struct payload payload = payload_of_self_transfer(&writing->plan->treasury.address);
    if (attempt->purpose != SIGN_SELF) {
        enum bursar_status status =
            store->intents(store->ctx, writing->env->treasury, attempt->nonce, 1, take_intent, writing, writing->err);
        if (status != BURSAR_OK)
            return status;
        payload = payload_of_intent(&writing->intent);
    }
    return record(writing, attempt->nonce, attempt->purpose, &payload, &attempt->hash);
}

/* Everything the store has bytes of: a log that was lost is made anew with it. */
static enum bursar_status record_stored(struct writing *writing)
{
    const struct store *store = &writing->env->store;
    enum bursar_status status = BURSAR_OK;
    do {
        writing->rows = 0;
        status = store->attempts(store->ctx, writing->env->treasury, writing->next_nonce, writing->seq, PAGE_ROWS,
                                 take_attempt, writing, writing->err);
    } while (status == BURSAR_OK && writing->rows == PAGE_ROWS);
    return status;
}

static bool becomes_attempt(const struct sight *sight)
{
    return sight->step != ADOPT_NOT && sight->step != ADOPT_MOVED && sight->step != ADOPT_REOPENED &&
           sight->seen != SEEN_NOWHERE && !sight->in_store;
}

static enum bursar_status write_log(struct writing *writing)
{
    const struct adopt_plan *plan = writing->plan;
    enum bursar_status status = plan->log_lacks ? record_stored(writing) : BURSAR_OK;
    for (size_t i = 0; i < plan->count && status == BURSAR_OK; i++) {
        const struct sight *sight = &plan->sights[i];
        if (becomes_attempt(sight) && sight->purpose != PURPOSE_FOREIGN && !sight->in_log)
            status = record(writing, sight->nonce, sight->purpose, &sight->payload, &sight->hash);
    }
    return status == BURSAR_OK ? signing_log_sync(writing->log, writing->err) : status;
}

/* An intent that the store does not have yet. */
static void fill_intent(const struct adopt_plan *plan, const struct sight *sight, const struct eth_transaction *tx,
                        struct adopted_nonce *ret)
{
    bool is_payment = sight->pays != 0;
    ret->kind = is_payment ? INTENT_PAYMENT : INTENT_GAP_FILL;
    ret->gas_limit = tx->gas_limit ? tx->gas_limit : sight->gas_limit ? sight->gas_limit : TRANSFER_GAS;
    ret->to = plan->treasury.address;
    if (!is_payment)
        return;
    const struct payload *payload = sight_pays(sight);
    ret->to = payload->to;
    ret->value = payload->value;
    bool was_seen = payload == &sight->payload; /* else its bytes, if any, are those of the cancel */
    ret->data = was_seen ? tx->data : sight->data.bytes;
    ret->data_bytes = was_seen ? tx->data_bytes : sight->data.length_bytes;
    ret->disbursement = sight->pays;
    ret->version = sight->pays_version;
    ret->from_state = sight->pays_state;
}

/* A token may have moved less than it was told to. */
static void note_short(const struct sight *sight, const struct eth_transaction *tx, struct adopted_nonce *ret)
{
    struct included_attempt included = { .purpose = sight->purpose, .to = tx->to };
    struct final_attempt final;
    if (!sight->is_final || tx->data_bytes == 0 || tx->data_bytes > sizeof included.data.bytes)
        return;
    memcpy(included.data.bytes, tx->data, tx->data_bytes);
    included.data.length_bytes = tx->data_bytes;
    plan_final(&included, &sight->receipt, &final);
    ret->is_short = final.is_short || final.is_unpaid;
    ret->short_by = final.short_by;
}

static enum bursar_status fill(const struct adopt_plan *plan, const struct sight *sight, struct adopted_nonce *ret,
                               struct bursar_error *err)
{
    struct eth_transaction tx = { 0 };
    struct eth_signature signature;
    enum bursar_status status = BURSAR_OK;
    if (sight->raw.bytes)
        status = eth_transaction_decode(sight->raw.bytes, sight->raw.length_bytes, &tx, &signature, err);
    if (status != BURSAR_OK)
        return status;
    *ret = (struct adopted_nonce){ .nonce = sight->nonce, .intent = sight->intent, .detail = sight->detail };
    if (sight->intent == 0)
        fill_intent(plan, sight, &tx, ret);
    ret->cancels = sight->step == ADOPT_CANCELLING;
    if (ret->cancels && sight->intent)
        ret->disbursement = sight->disbursement;
    if (sight->seen == SEEN_NOWHERE || sight->step == ADOPT_REOPENED)
        return BURSAR_OK;
    ret->has_transaction = true;
    ret->hash = sight->hash;
    ret->is_new = !sight->in_store;
    ret->purpose = sight->purpose;
    ret->raw = sight->raw.bytes;
    ret->raw_bytes = sight->raw.length_bytes;
    ret->max_priority_fee_per_gas_wei = tx.max_priority_fee_per_gas_wei;
    ret->max_fee_per_gas_wei = tx.max_fee_per_gas_wei;
    ret->is_final = sight->is_final;
    ret->block = sight->block;
    ret->succeeded = sight->succeeded;
    ret->gas_used = sight->gas_used;
    ret->effective_gas_price_wei = sight->effective_gas_price_wei;
    note_short(sight, &tx, ret);
    return BURSAR_OK;
}

/* What is in flight now may be in a block that was read already: those above the final one are read again. */
static void choose_marks(const struct adopt_plan *plan, struct adoption *ret)
{
    bool has_flights = false;
    for (size_t i = 0; i < plan->count && !has_flights; i++)
        has_flights = plan->sights[i].step == ADOPT_IN_FLIGHT;
    ret->scan = ret->anchor = plan->final;
    ret->has_anchor = plan->is_rebased;
    ret->rewinds = plan->is_rebased || (has_flights && plan->treasury.scan.number > plan->final.number);
}

static enum bursar_status write_store(const struct writing *writing, const struct decision *decision,
                                      struct fence *fence, struct bursar_error *err)
{
    const struct adopt_plan *plan = writing->plan;
    const struct store *store = &writing->env->store;
    struct adopted_nonce *nonces = calloc(plan->changes + 1, sizeof *nonces);
    enum bursar_status status = BURSAR_OK;
    struct adoption adoption = { .nonces = nonces,
                                 .first_nonce = plan->first_nonce,
                                 .lease_epoch = larger(plan->log_lease_epoch, writing->lease_epoch) };
    if (!nonces)
        return bursar_fail(err, BURSAR_ENOMEM, "out of memory");
    for (size_t i = 0; i < plan->count && status == BURSAR_OK; i++) {
        if (plan->sights[i].step != ADOPT_NOT)
            status = fill(plan, &plan->sights[i], &nonces[adoption.count++], err);
    }
    choose_marks(plan, &adoption);
    if (status == BURSAR_OK)
        status = store->adopt(store->ctx, fence, &adoption, decision, err);
    free(nonces);
    return status;
}

/* A treasury that was added to the configuration and never saw its chain. */
static enum bursar_status pin(const struct writing *writing, struct bursar_error *err)
{
    const struct adopt_plan *plan = writing->plan;
    const struct store *store = &writing->env->store;
    if (plan->treasury.is_pinned)
        return BURSAR_OK;
    return store->treasury_pin(store->ctx, plan->treasury.id, &plan->view.genesis_hash, plan->first_nonce, &plan->final,
                               &plan->final, err);
}

enum bursar_status adopt_write(const struct reconcile_env *env, struct signing_log *log, const struct adopt_plan *plan,
                               const struct decision *decision, struct fence *fence, struct bursar_error *err)
{
    struct writing writing = { .env = env,
                               .log = log,
                               .plan = plan,
                               .lease_epoch = larger(fence->lease_epoch, plan->log_lease_epoch),
                               .err = err };
    if (plan->undecided)
        return bursar_fail(err, BURSAR_EINTERNAL, "a plan with undecided nonces is not written");
    enum bursar_status status = write_log(&writing);
    if (status == BURSAR_OK)
        status = pin(&writing, err);
    return status == BURSAR_OK ? write_store(&writing, decision, fence, err) : status;
}

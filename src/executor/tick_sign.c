/* From bound to staged, and from stuck to replaced: signed bytes are durable, under our lease epoch, before the first
 * of them leaves (INV-2, INV-6). */
#include "executor/tick.h"

#include <stdio.h>
#include <stdlib.h>

_Static_assert(SIGN_SELF == PURPOSE_SELF_TRANSFER, "stored with every attempt");

#define SIGN_BATCH 200 /* one fsync of the signing log and one commit each; while the node takes the one before */

struct signing {
    const struct flight *flights[SIGN_BATCH];
    struct sign_request requests[SIGN_BATCH];
    struct signed_transaction answers[SIGN_BATCH];
    struct new_attempt attempts[SIGN_BATCH];
    size_t count;
};

static uint64_t wall_ms(const struct executor *executor)
{
    return executor->env.clock.wall_ms(executor->env.clock.ctx);
}

/* What a person wants cancelled gets a transfer of 0 to self at its nonce, and from then on nothing else (INV-7). */
static bool is_to_self(const struct flight *flight)
{
    return flight->kind != INTENT_PAYMENT || flight->cancel_wanted ||
           (flight->has_attempt && flight->purpose == SIGN_SELF);
}

static void request_of(const struct executor *executor, const struct tick *tick, const struct flight *flight,
                       const struct fees *fees, struct sign_request *ret)
{
    *ret = (struct sign_request){ .lease_epoch = executor->fence.lease_epoch,
                                  .nonce = flight->nonce,
                                  .purpose = flight->has_attempt ? SIGN_REPLACEMENT : SIGN_PAYMENT,
                                  .max_priority_fee_per_gas_wei = fees->max_priority_fee_per_gas_wei,
                                  .max_fee_per_gas_wei = fees->max_fee_per_gas_wei,
                                  .gas_limit = flight->gas_limit,
                                  .to = flight->to,
                                  .value = flight->value,
                                  .data = flight->data.bytes,
                                  .data_bytes = flight->data.length_bytes }; /* INV-3 */
    if (!is_to_self(flight))
        return;
    ret->purpose = SIGN_SELF;
    ret->to = tick->treasury.address;
    ret->value = (struct bursar_amount){ 0 };
    ret->data = NULL;
    ret->data_bytes = 0;
}

enum replacement tick_replacement(struct executor *executor, const struct tick *tick, const struct flight *flight,
                                  struct fees *ret)
{
    const struct fee_caps caps = { executor->config.max_fee_per_gas_wei,
                                   executor->config.max_priority_fee_per_gas_wei };
    const struct patience patience = { .after_blocks = executor->config.replace_after_blocks,
                                       .progress_number = executor->progress_number,
                                       .is_lowest = flight == executor->scratch.flights };
    if (!tick->is_current)
        return REPLACE_NOT;
    return plan_replacement(flight, &patience, &tick->view, &caps, ret);
}

/* What is bound and has no bytes, and what is to be replaced, in nonce order. */
static void find_wanted(struct executor *executor, const struct tick *tick, const struct fees *fees,
                        struct signing *signing)
{
    const bool replaces = tick_breaker_state(executor) == BURSAR_BREAKER_CLOSED; /* INV-10: else only trials go out */
    signing->count = 0;
    for (size_t i = 0; i < executor->scratch.flight_count && signing->count < SIGN_BATCH; i++) {
        const struct flight *flight = &executor->scratch.flights[i];
        struct fees bumped = *fees;
        if (tick_money_is_open(executor) && !is_to_self(flight)) /* INV-10 */
            continue;
        if (flight->has_attempt && (!replaces || tick_replacement(executor, tick, flight, &bumped) != REPLACE_NOW))
            continue;
        signing->flights[signing->count] = flight;
        request_of(executor, tick, flight, &bumped, &signing->requests[signing->count++]);
    }
}

/* One item's refusal never stops its neighbours. What the signer will refuse again is a halt: a payload that differs
 * from the signed one, or a newer lease epoch in the log, show that this store is not the one that was signed from
 * (INV-12). */
static void refuse(struct executor *executor, struct tick *tick, const struct bursar_error *error)
{
    tick_note_fault(executor, tick, error);
    if (bursar_status_remedy(error->status) == BURSAR_REMEDY_RETRY)
        return;
    bool is_behind = error->status == BURSAR_EEQUIVOCATION || error->status == BURSAR_EFENCED;
    struct verdict verdict = { .halt = is_behind ? HALT_STORE_BEHIND_LOG : HALT_SIGNER, .holds = true };
    (void)snprintf(verdict.reason, sizeof verdict.reason, "%s", error->message);
    tick->verdict = verdict;
    if (is_behind)
        executor->log_verdict = verdict; /* no use in asking again under this lease */
}

/* INV-2, INV-6: the bytes are stored under our lease epoch, or they are never sent. *ret_staged: how many were. */
static enum bursar_status stage(struct executor *executor, struct tick *tick, struct signing *signing,
                                size_t *ret_staged, struct bursar_error *err)
{
    struct store *store = &executor->env.store;
    const struct executor_meters *meters = &executor->env.meters;
    size_t staged = 0;
    for (size_t i = 0; i < signing->count; i++) {
        const struct signed_transaction *answer = &signing->answers[i];
        const struct sign_request *request = &signing->requests[i];
        if (meters->signing)
            meters->signing(meters->ctx, (int)request->purpose, answer->error.status == BURSAR_OK);
        if (answer->error.status != BURSAR_OK) {
            refuse(executor, tick, &answer->error);
            continue;
        }
        signing->attempts[staged++] =
            (struct new_attempt){ .intent = signing->flights[i]->intent,
                                  .purpose = request->purpose,
                                  .raw = answer->raw,
                                  .raw_bytes = answer->raw_bytes,
                                  .hash = answer->hash,
                                  .max_priority_fee_per_gas_wei = request->max_priority_fee_per_gas_wei,
                                  .max_fee_per_gas_wei = request->max_fee_per_gas_wei,
                                  .head_number = tick->view.latest.block.number };
    }
    *ret_staged = staged;
    if (staged == 0)
        return BURSAR_OK;
    return store->attempts_add(store->ctx, executor->fence, wall_ms(executor), signing->attempts, staged, err);
}

/* *ret_more: all of a full batch were signed, there may be another. */
static enum bursar_status sign_batch(struct executor *executor, struct tick *tick, const struct fees *fees,
                                     struct signing *signing, bool *ret_more, struct bursar_error *err)
{
    struct signer *signer = &executor->env.signer;
    struct bursar_error fault = { 0 };
    size_t staged = 0;
    *ret_more = false;
    find_wanted(executor, tick, fees, signing);
    if (signing->count == 0)
        return BURSAR_OK;
    enum bursar_status status = signer->sign(signer->ctx, signing->requests, signing->count, signing->answers, &fault);
    if (status != BURSAR_OK) {
        tick_note_fault(executor, tick, &fault);
        /* What the signing log holds now is unknown: it is opened and compared anew. */
        signer->release(signer->ctx);
        executor->signer_ready = false;
        return BURSAR_OK;
    }
    uint64_t first_nonce = signing->flights[0]->nonce, last_nonce = signing->flights[signing->count - 1]->nonce;
    status = stage(executor, tick, signing, &staged, err);
    *ret_more = staged == SIGN_BATCH;
    for (size_t i = 0; i < signing->count; i++)
        signed_transaction_clear(&signing->answers[i]);
    return status == BURSAR_OK ? flights_reread(executor, first_nonce, last_nonce, err) : status;
}

enum bursar_status tick_sign(struct executor *executor, struct tick *tick, struct bursar_error *err)
{
    struct fees fees;
    struct fee_caps caps = { executor->config.max_fee_per_gas_wei, executor->config.max_priority_fee_per_gas_wei };
    plan_fees(&tick->view, &caps, &fees);
    if (tick->verdict.halt != HALT_NONE || halt_latches(tick->treasury.halt) || !executor->signer_ready)
        return BURSAR_OK;
    struct signing *signing = calloc(1, sizeof *signing);
    if (!signing)
        return bursar_fail(err, BURSAR_ENOMEM, "out of memory");
    enum bursar_status status = BURSAR_OK;
    /* INV-10: asked anew for each batch; what was handed over in between may have shown that a person opened it. */
    for (bool more = true; status == BURSAR_OK && more && tick_breaker_state(executor) != BURSAR_BREAKER_OPEN;) {
        status = sign_batch(executor, tick, &fees, signing, &more, err);
        if (status == BURSAR_OK && more && executor->env.chain.lanes)
            status = tick_submit(executor, tick, err);
    }
    free(signing);
    return status;
}

/* The walk over all nonces, and the second look at what differs.
 *
 * Order of reads, so that a running executor can't make agreement look like a difference: counts, lane (the end of the
 * walk), chain view, signing log, lane again (everything the log and the chain know of is bound by then), the walk,
 * chain view again. */
#include "reconcile/reconcile.h"

#include "reconcile/chain_reads.h"
#include "reconcile/reconcile_parts.h"

#include <stdio.h>
#include <stdlib.h>

#define SECOND_LOOK_WAIT_MS 2000
#define TALLY_PAGE_ROWS 1000

struct ref_copy {
    char ref[REF_MAX_BYTES + 1];
};

static enum bursar_status copy_ref(void *ctx, const struct disbursement_record *record)
{
    struct ref_copy *copy = ctx;
    (void)snprintf(copy->ref, sizeof copy->ref, "%s", record->ref);
    return BURSAR_OK;
}

static void skip_text(void *ctx, const char *text)
{
    (void)ctx;
    (void)text;
}

static enum bursar_status skip_event(void *ctx, const struct event_record *record)
{
    (void)ctx;
    (void)record;
    return BURSAR_OK;
}

static enum bursar_status skip_attempt(void *ctx, const struct attempt_record *record)
{
    (void)ctx;
    (void)record;
    return BURSAR_OK;
}

void reconcile_tell(struct reconciling *now, bool has_nonce, uint64_t nonce, int64_t disbursement, const char *what)
{
    struct ref_copy copy = { "" };
    struct bursar_error ignored;
    if (now->result.differences++ >= RECONCILE_DIFFERENCES_MAX_COUNT)
        return;
    if (disbursement != 0 && now->env->store.show(now->env->store.ctx, now->treasury.id, disbursement, copy_ref,
                                                  skip_text, skip_event, skip_attempt, &copy, &ignored) != BURSAR_OK)
        copy.ref[0] = 0; /* then it is told without */
    struct reconcile_difference difference = {
        .has_nonce = has_nonce, .nonce = nonce, .disbursement = disbursement, .ref = copy.ref, .what = what
    };
    now->visit(now->visit_ctx, &difference);
}

static enum bursar_status add(struct bursar_amount *total, struct bursar_amount amount, struct bursar_error *err)
{
    return bursar_amount_add(*total, amount, total) ? BURSAR_OK
                                                    : bursar_fail(err, BURSAR_EINTERNAL, "a sum exceeds 256 bits");
}

static enum bursar_status add_fee(struct bursar_amount *total, uint64_t gas_used, uint64_t gas_price_wei,
                                  struct bursar_error *err)
{
    struct bursar_amount fee;
    if (!bursar_amount_multiply(bursar_amount_from_u64(gas_price_wei), gas_used, &fee))
        return bursar_fail(err, BURSAR_EINTERNAL, "a fee exceeds 256 bits");
    return add(total, fee, err);
}

/* Final ones, once on each side of the comparison. */
static enum bursar_status sum_up(struct reconciling *now, const struct intent_sight *sight, struct bursar_error *err)
{
    const struct intent_record *intent = sight->intent;
    enum bursar_status status = BURSAR_OK;
    if (intent->status != INTENT_FINAL)
        return BURSAR_OK;
    if (intent->is_live && intent->state == STATE_FINALIZED) /* not what was retried, and paid by another intent */
        status = add(&now->stored.paid, intent->value, err);
    if (status == BURSAR_OK && intent->has_fee)
        status = add_fee(&now->stored.fees, intent->gas_used, intent->effective_gas_price_wei, err);
    if (status == BURSAR_OK)
        status = token_sums_add(&now->result.tokens, intent, sight->receipt, err);
    if (status != BURSAR_OK || !sight->receipt || !sight->receipt->is_present || !sight->transaction ||
        !sight->transaction->is_present)
        return status;
    if (sight->receipt->succeeded && intent->kind == INTENT_PAYMENT && intent->purpose != PURPOSE_SELF_TRANSFER &&
        intent->purpose != PURPOSE_FOREIGN)
        status = add(&now->on_chain.paid, sight->transaction->value, err);
    if (status == BURSAR_OK)
        status = add_fee(&now->on_chain.fees, sight->receipt->gas_used, sight->receipt->effective_gas_price_wei, err);
    return status;
}

static enum bursar_status see_log(struct reconciling *now, struct intent_sight *sight, struct bursar_error *err)
{
    const struct intent_record *intent = sight->intent;
    if (!now->log) { /* told once for the whole: not again for every intent */
        sight->is_logged = sight->log_has_transaction = true;
        return BURSAR_OK;
    }
    enum bursar_status status = signing_log_find(now->log, intent->nonce, &sight->logged, err);
    if (status == BURSAR_ENOTFOUND)
        return BURSAR_OK;
    sight->is_logged = status == BURSAR_OK;
    if (status == BURSAR_OK && intent->has_attempt)
        status = signing_log_has_transaction(now->log, intent->nonce, &intent->hash, &sight->log_has_transaction, err);
    return status;
}

/* Judges intent `i` of the page; a difference is kept for the second look, or told in it. */
static enum bursar_status judge(struct reconciling *now, size_t i, struct bursar_error *err)
{
    const struct page *page = &now->page;
    const struct intent_record *intent = &page->intents[i];
    char what[DIFFERENCE_MAX_BYTES] = "";
    struct intent_sight sight = { .intent = intent,
                                  .account = now->treasury.address,
                                  .transaction = page->has_transaction[i] ? &page->transactions[i] : NULL,
                                  .receipt = page->has_receipt[i] ? &page->receipts[i] : NULL,
                                  .has_canonical_block = page->has_canonical[i],
                                  .canonical_hash = page->canonical[i],
                                  .nonce_latest = now->view.nonce_latest };
    enum bursar_status status = see_log(now, &sight, err);
    if (status == BURSAR_OK && now->is_second_look && intent->status == INTENT_SIGNED)
        status = page_other_attempt_mined(now->env, intent, &sight.other_attempt_mined, err);
    if (status != BURSAR_OK)
        return status;
    switch (intent_compare(&sight, what)) {
    case INTENT_AGREES:
        now->result.checked++;
        return sum_up(now, &sight, err);
    case INTENT_IN_FLIGHT:
        now->result.in_flight++;
        return BURSAR_OK;
    case INTENT_DIFFERS:
        if (!now->is_second_look && now->suspect_count < RECONCILE_DIFFERENCES_MAX_COUNT) {
            now->suspects[now->suspect_count++] = intent->nonce;
            return BURSAR_OK;
        }
        reconcile_tell(now, true, intent->nonce, intent->disbursement, what);
        return sum_up(now, &sight, err);
    }
    return BURSAR_OK;
}

static void count_met(struct walk_tally *tally, const struct intent_record *intent)
{
    if (intent->disbursement != 0 && intent->is_newest && intent->state >= STATE_FIRST && intent->state <= STATE_LAST)
        tally->states[intent->state]++;
    if (intent->status == INTENT_INCLUDED || intent->status == INTENT_FINAL) {
        tally->has_included = true;
        tally->highest_included_nonce = intent->nonce;
    }
}

/* Every nonce from the first to the last bound has its intent (INV-1). */
static enum bursar_status walk(struct reconciling *now, uint64_t end_nonce, struct bursar_error *err)
{
    uint64_t expected = now->treasury.first_nonce;
    while (expected < end_nonce) {
        enum bursar_status status = page_read(now->env, expected, end_nonce, PAGE_INTENTS_MAX_COUNT, &now->page, err);
        if (status != BURSAR_OK)
            return status;
        for (size_t i = 0; i < now->page.count; i++) {
            uint64_t nonce = now->page.intents[i].nonce;
            if (nonce != expected)
                reconcile_tell(now, true, expected, 0, "the store has no intent for this nonce, but for higher ones");
            expected = nonce + 1;
            count_met(&now->tally, &now->page.intents[i]);
            status = judge(now, i, err);
            if (status != BURSAR_OK)
                return status;
        }
        if (now->page.count == 0) {
            reconcile_tell(now, true, expected, 0, "the store has no intent for this nonce, but for higher ones");
            break;
        }
    }
    return BURSAR_OK;
}

static void open_log(struct reconciling *now)
{
    struct bursar_error err = { 0 };
    signing_log_close(now->log);
    now->log = NULL;
    now->log_fault[0] = 0;
    now->extent = (struct signing_log_extent){ 0 };
    enum bursar_status status =
        signing_log_open_read_only(now->env->log_path, now->treasury.chain_id, &now->treasury.address, &now->log, &err);
    if (status != BURSAR_OK) {
        now->log = NULL;
        (void)snprintf(now->log_fault, sizeof now->log_fault, "%s", err.message);
        return;
    }
    signing_log_extent(now->log, &now->extent);
}

/* With the anchor that the view is asked about. */
static enum bursar_status read_treasury(struct reconciling *now, struct bursar_error *err)
{
    const struct store *store = &now->env->store;
    enum bursar_status status = store->treasury_get(store->ctx, now->env->treasury, &now->treasury, err);
    now->query = (struct chain_query){ .account = now->treasury.address,
                                       .has_anchor = now->treasury.is_pinned,
                                       .anchor_number = now->treasury.anchor.number,
                                       .finality_blocks = now->env->finality_blocks,
                                       .chain_id = now->treasury.chain_id,
                                       .has_pins = now->treasury.is_pinned,
                                       .genesis_hash = now->treasury.genesis_hash,
                                       .anchor_hash = now->treasury.anchor.hash };
    return status;
}

/* Reads view, log, lane and lease in that order: what was signed under a lease is younger than that. */
static enum bursar_status read_whole(struct reconciling *now, struct bursar_error *err)
{
    const struct store *store = &now->env->store;
    enum bursar_status status = read_view(now->env, &now->query, &now->view, err);
    if (status != BURSAR_OK)
        return status;
    open_log(now);
    struct treasury treasury;
    status = store->lane_read(store->ctx, now->treasury.id, &now->lane, err);
    if (status == BURSAR_OK)
        status = store->treasury_get(store->ctx, now->treasury.id, &treasury, err);
    if (status == BURSAR_OK)
        now->lease_epoch = treasury.lease_epoch;
    return status;
}

static enum bursar_status take_met(void *ctx, const struct intent_record *intent)
{
    struct reconciling *now = ctx;
    count_met(&now->tally, intent);
    now->tally.next_nonce = intent->nonce + 1;
    now->tally.page_rows++;
    return BURSAR_OK;
}

/* Of the store alone, which is quick. */
static enum bursar_status count_again(struct reconciling *now, struct bursar_error *err)
{
    const struct store *store = &now->env->store;
    uint64_t before[STATE_COUNT], after[STATE_COUNT];
    now->tally = (struct walk_tally){ .next_nonce = now->treasury.first_nonce };
    enum bursar_status status = store->counts(store->ctx, now->treasury.id, before, err);
    do {
        now->tally.page_rows = 0;
        if (status == BURSAR_OK)
            status = store->intents(store->ctx, now->treasury.id, now->tally.next_nonce, TALLY_PAGE_ROWS, take_met, now,
                                    err);
    } while (status == BURSAR_OK && now->tally.page_rows == TALLY_PAGE_ROWS);
    if (status == BURSAR_OK)
        status = store->counts(store->ctx, now->treasury.id, after, err);
    if (status == BURSAR_OK)
        whole_check_counts(now, before, after);
    return status;
}

static enum bursar_status first_look(struct reconciling *now, struct bursar_error *err)
{
    const struct store *store = &now->env->store;
    uint64_t before[STATE_COUNT], after[STATE_COUNT];
    struct lane lane;
    enum bursar_status status = store->counts(store->ctx, now->treasury.id, before, err);
    if (status == BURSAR_OK)
        status = store->lane_read(store->ctx, now->treasury.id, &lane, err);
    if (status == BURSAR_OK)
        status = read_whole(now, err);
    if (status != BURSAR_OK)
        return status;
    whole_check_chain(now);
    whole_check_log(now);
    status = walk(now, lane.has_intents ? lane.next_nonce : now->treasury.first_nonce, err);
    if (status == BURSAR_OK)
        status = store->counts(store->ctx, now->treasury.id, after, err);
    if (status == BURSAR_OK)
        status = read_view(now->env, &now->query, &now->view, err);
    if (status != BURSAR_OK)
        return status;
    whole_check_included(now);
    whole_check_counts(now, before, after);
    return BURSAR_OK;
}

/* Anew from all three sides, for what differed in the first look only. */
static enum bursar_status second_look(struct reconciling *now, struct bursar_error *err)
{
    now->env->wait(now->env->wait_ctx, SECOND_LOOK_WAIT_MS);
    now->is_second_look = true;
    enum bursar_status status = read_treasury(now, err);
    if (status == BURSAR_OK)
        status = read_whole(now, err);
    if (status != BURSAR_OK)
        return status;
    whole_check_chain(now);
    whole_check_log(now);
    whole_check_included(now);
    if (now->counts_differ && (status = count_again(now, err)) != BURSAR_OK)
        return status;
    for (size_t i = 0; i < now->suspect_count; i++) {
        uint64_t nonce = now->suspects[i];
        status = page_read(now->env, nonce, nonce + 1, 1, &now->page, err);
        if (status == BURSAR_OK && now->page.count == 1)
            status = judge(now, 0, err);
        if (status != BURSAR_OK)
            return status;
    }
    return BURSAR_OK;
}

enum bursar_status reconcile(const struct reconcile_env *env, difference_visitor *visit, void *visit_ctx,
                             struct reconcile_result *ret, struct bursar_error *err)
{
    struct reconciling *now = calloc(1, sizeof *now);
    if (!now)
        return bursar_fail(err, BURSAR_ENOMEM, "out of memory");
    now->env = env;
    now->visit = visit;
    now->visit_ctx = visit_ctx;
    enum bursar_status status = read_treasury(now, err);
    if (status == BURSAR_OK)
        status = first_look(now, err);
    if (status == BURSAR_OK && (now->is_suspicious || now->counts_differ || now->suspect_count > 0))
        status = second_look(now, err);
    if (status == BURSAR_OK) {
        whole_check_sums(now);
        now->result.paid_total = now->on_chain.paid;
        now->result.fees_total = now->on_chain.fees;
        *ret = now->result;
    }
    signing_log_close(now->log);
    free(now);
    return status;
}

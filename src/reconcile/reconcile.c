/* The walk over all nonces, the checks of the whole, and the second look at what differs.
 *
 * Order of reads, so that a running executor can't make agreement look like a difference: counts, lane (the end of the
 * walk), chain view, signing log, lane again (everything the log and the chain know of is bound by then), the walk,
 * chain view again. */
#include "reconcile/reconcile.h"

#include "base/bytes.h"
#include "eth/address.h"
#include "reconcile/chain_reads.h"
#include "reconcile/page.h"
#include "signer/signing_log.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define SECOND_LOOK_WAIT_MS 2000
#define TALLY_PAGE_ROWS 1000

struct totals {
    struct bursar_amount paid;
    struct bursar_amount fees;
};

/* How often each state was met on the walk. */
struct walk_tally {
    uint64_t states[STATE_COUNT];
    bool has_included;
    uint64_t highest_included_nonce;
    uint64_t next_nonce; /* these two: of a walk over the store alone */
    size_t page_rows;
};

struct reconciling {
    const struct reconcile_env *env;
    difference_visitor *visit;
    void *visit_ctx;
    struct reconcile_result result;
    struct treasury treasury;
    struct chain_query query;
    uint64_t lease_epoch; /* of the store, read after the log */
    struct chain_view view;
    struct lane lane;
    struct signing_log *log; /* NULL: there is none to compare with */
    struct signing_log_extent extent;
    char log_fault[BURSAR_ERROR_MESSAGE_MAX_BYTES];
    bool is_second_look;
    bool is_suspicious; /* the whole: look again */
    bool counts_differ; /* as last compared */
    uint64_t suspects[RECONCILE_DIFFERENCES_MAX_COUNT];
    size_t suspect_count;
    struct walk_tally tally;
    struct totals stored;
    struct totals on_chain;
    struct page page;
};

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

static void tell(struct reconciling *now, bool has_nonce, uint64_t nonce, int64_t disbursement, const char *what)
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

/* Something about the whole: a reason for a second look, told after it. */
static void whole_differs(struct reconciling *now, const char *format, ...) BURSAR_PRINTF(2, 3);
static void whole_differs(struct reconciling *now, const char *format, ...)
{
    char what[DIFFERENCE_MAX_BYTES];
    now->is_suspicious = true;
    if (!now->is_second_look)
        return;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(what, sizeof what, format, args);
    va_end(args);
    tell(now, false, 0, 0, what);
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
        tell(now, true, intent->nonce, intent->disbursement, what);
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
                tell(now, true, expected, 0, "the store has no intent for this nonce, but for higher ones");
            expected = nonce + 1;
            count_met(&now->tally, &now->page.intents[i]);
            status = judge(now, i, err);
            if (status != BURSAR_OK)
                return status;
        }
        if (now->page.count == 0) {
            tell(now, true, expected, 0, "the store has no intent for this nonce, but for higher ones");
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

static void check_chain(struct reconciling *now)
{
    const struct treasury *treasury = &now->treasury;
    const struct chain_view *view = &now->view;
    if (view->chain_id != treasury->chain_id) {
        whole_differs(now, "the node is on chain %llu, the treasury on chain %llu", (unsigned long long)view->chain_id,
                      (unsigned long long)treasury->chain_id);
        return;
    }
    if (!treasury->is_pinned) { /* no executor has looked at its chain yet */
        uint64_t sent = view->nonce_latest > view->nonce_pending ? view->nonce_latest : view->nonce_pending;
        if (sent > now->extent.next_nonce)
            whole_differs(now, "the account has sent %llu transactions, and there is no record of them here",
                          (unsigned long long)sent);
        return;
    }
    if (!hash_equal(&view->genesis_hash, &treasury->genesis_hash))
        whole_differs(now, "the chain has another genesis block than the one pinned");
    if (view->has_anchor_block && !hash_equal(&view->anchor_hash, &treasury->anchor.hash))
        whole_differs(now, "block %llu, pinned as final, has another hash on the chain",
                      (unsigned long long)treasury->anchor.number);
    if (view->nonce_latest < treasury->first_nonce)
        whole_differs(now, "the account has sent %llu transactions on the chain, fewer than the %llu it started with",
                      (unsigned long long)view->nonce_latest, (unsigned long long)treasury->first_nonce);
    if (view->nonce_latest > now->lane.next_nonce)
        whole_differs(now, "the account has sent %llu transactions on the chain, the store knows of nonces below %llu",
                      (unsigned long long)view->nonce_latest, (unsigned long long)now->lane.next_nonce);
    else if (view->nonce_pending > now->lane.next_nonce)
        whole_differs(
            now,
            "in the node's pool the account's next nonce is %llu, the store knows of nonces below %llu: something "
            "else sends from this account",
            (unsigned long long)view->nonce_pending, (unsigned long long)now->lane.next_nonce);
}

static void check_log(struct reconciling *now)
{
    const struct signing_log_extent *extent = &now->extent;
    if (!now->log) {
        whole_differs(now, "the signing log can't be compared: %.300s", now->log_fault);
        return;
    }
    if (extent->entries == 0)
        return;
    if (signing_log_lease_epoch(now->log) > now->lease_epoch) /* INV-6 */
        whole_differs(now, "the key has signed for lease %llu, the store knows leases up to %llu: it is an older copy",
                      (unsigned long long)signing_log_lease_epoch(now->log), (unsigned long long)now->lease_epoch);
    if (extent->next_nonce > now->lane.next_nonce)
        whole_differs(now, "the signing log knows nonces up to %llu, the store has bound those below %llu",
                      (unsigned long long)(extent->next_nonce - 1), (unsigned long long)now->lane.next_nonce);
    if (now->treasury.is_pinned && extent->first_nonce < now->treasury.first_nonce)
        whole_differs(now, "the signing log knows nonces from %llu, the store only those from %llu",
                      (unsigned long long)extent->first_nonce, (unsigned long long)now->treasury.first_nonce);
}

/* With the view read after the walk: what is stored as included is used up on the chain. */
static void check_included(struct reconciling *now)
{
    if (now->tally.has_included && now->view.nonce_latest <= now->tally.highest_included_nonce)
        whole_differs(now, "nonce %llu is stored as included, but the account has sent only %llu transactions",
                      (unsigned long long)now->tally.highest_included_nonce,
                      (unsigned long long)now->view.nonce_latest);
}

static uint64_t with_bytes(const uint64_t counts[STATE_COUNT])
{
    return counts[STATE_STAGED] + counts[STATE_EXECUTED] + counts[STATE_FINALIZED] + counts[STATE_FAILED];
}

/* Disbursements with bytes and no intent, or counted wrongly. Both only grow while an executor works; a person who
 * retries one meanwhile makes the second look necessary. */
static void check_counts(struct reconciling *now, const uint64_t before[STATE_COUNT], const uint64_t after[STATE_COUNT])
{
    const uint64_t *met = now->tally.states;
    bool is_final_off = met[STATE_FINALIZED] < before[STATE_FINALIZED] || met[STATE_FINALIZED] > after[STATE_FINALIZED];
    bool is_off = with_bytes(met) < with_bytes(before) || with_bytes(met) > with_bytes(after);
    char what[DIFFERENCE_MAX_BYTES];
    now->counts_differ = is_final_off || is_off;
    if (!now->counts_differ || !now->is_second_look)
        return;
    (void)snprintf(what, sizeof what,
                   "%llu disbursements are finalized and %llu have a nonce, but %llu and %llu intents say so",
                   (unsigned long long)after[STATE_FINALIZED], (unsigned long long)with_bytes(after),
                   (unsigned long long)met[STATE_FINALIZED], (unsigned long long)with_bytes(met));
    tell(now, false, 0, 0, what);
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
        check_counts(now, before, after);
    return status;
}

static void check_sums(struct reconciling *now)
{
    char stored[BURSAR_AMOUNT_TEXT_BYTES], on_chain[BURSAR_AMOUNT_TEXT_BYTES], what[DIFFERENCE_MAX_BYTES];
    if (bursar_amount_compare(now->stored.paid, now->on_chain.paid) != 0) {
        bursar_amount_to_text(now->stored.paid, stored);
        bursar_amount_to_text(now->on_chain.paid, on_chain);
        (void)snprintf(what, sizeof what, "paid in total: %s wei stored, %s wei on the chain", stored, on_chain);
        tell(now, false, 0, 0, what);
    }
    if (bursar_amount_compare(now->stored.fees, now->on_chain.fees) != 0) {
        bursar_amount_to_text(now->stored.fees, stored);
        bursar_amount_to_text(now->on_chain.fees, on_chain);
        (void)snprintf(what, sizeof what, "fees in total: %s wei stored, %s wei on the chain", stored, on_chain);
        tell(now, false, 0, 0, what);
    }
    for (size_t i = 0; i < now->result.tokens.count; i++) {
        const struct token_sum *sum = &now->result.tokens.sums[i];
        char token[ADDRESS_TEXT_BYTES];
        if (bursar_amount_compare(sum->stored, sum->on_chain) == 0)
            continue;
        address_to_text(&sum->token, token);
        bursar_amount_to_text(sum->stored, stored);
        bursar_amount_to_text(sum->on_chain, on_chain);
        (void)snprintf(what, sizeof what, "paid of token %s in total: %s base units stored, %s by its logs", token,
                       stored, on_chain);
        tell(now, false, 0, 0, what);
    }
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
    check_chain(now);
    check_log(now);
    status = walk(now, lane.has_intents ? lane.next_nonce : now->treasury.first_nonce, err);
    if (status == BURSAR_OK)
        status = store->counts(store->ctx, now->treasury.id, after, err);
    if (status == BURSAR_OK)
        status = read_view(now->env, &now->query, &now->view, err);
    if (status != BURSAR_OK)
        return status;
    check_included(now);
    check_counts(now, before, after);
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
    check_chain(now);
    check_log(now);
    check_included(now);
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
        check_sums(now);
        now->result.paid_total = now->on_chain.paid;
        now->result.fees_total = now->on_chain.fees;
        *ret = now->result;
    }
    signing_log_close(now->log);
    free(now);
    return status;
}

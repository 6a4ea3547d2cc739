/* The checks of the whole: what store, signing log and chain say beside single nonces, and the sums at the end. */
#include "base/bytes.h"
#include "eth/address.h"
#include "reconcile/reconcile_parts.h"

#include <stdarg.h>
#include <stdio.h>

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
    reconcile_tell(now, false, 0, 0, what);
}

void whole_check_chain(struct reconciling *now)
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

void whole_check_log(struct reconciling *now)
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

void whole_check_included(struct reconciling *now)
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

void whole_check_counts(struct reconciling *now, const uint64_t before[STATE_COUNT], const uint64_t after[STATE_COUNT])
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
    reconcile_tell(now, false, 0, 0, what);
}

void whole_check_sums(struct reconciling *now)
{
    char stored[BURSAR_AMOUNT_TEXT_BYTES], on_chain[BURSAR_AMOUNT_TEXT_BYTES], what[DIFFERENCE_MAX_BYTES];
    if (bursar_amount_compare(now->stored.paid, now->on_chain.paid) != 0) {
        bursar_amount_to_text(now->stored.paid, stored);
        bursar_amount_to_text(now->on_chain.paid, on_chain);
        (void)snprintf(what, sizeof what, "paid in total: %s wei stored, %s wei on the chain", stored, on_chain);
        reconcile_tell(now, false, 0, 0, what);
    }
    if (bursar_amount_compare(now->stored.fees, now->on_chain.fees) != 0) {
        bursar_amount_to_text(now->stored.fees, stored);
        bursar_amount_to_text(now->on_chain.fees, on_chain);
        (void)snprintf(what, sizeof what, "fees in total: %s wei stored, %s wei on the chain", stored, on_chain);
        reconcile_tell(now, false, 0, 0, what);
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
        reconcile_tell(now, false, 0, 0, what);
    }
}

/* Looking at the chain once, and at nothing more when it is the wrong one. */
#include "executor/tick.h"

#include <stdio.h>

/* A treasury that was added to the configuration after `init`: pinned at its first look at the chain. */
static enum bursar_status pin(struct executor *executor, struct tick *tick, struct bursar_error *err)
{
    struct store *store = &executor->env.store;
    struct signer *signer = &executor->env.signer;
    struct signing_log_extent log = { 0 };
    const struct chain_view *view = &tick->view;
    struct bursar_error fault = { 0 };
    if (!executor->signer_ready) {
        tick->verdict = executor->signer_verdict;
        tick->observed = false;
        return BURSAR_OK;
    }
    if (signer->log_extent(signer->ctx, &log, &fault) != BURSAR_OK) {
        tick_note_fault(executor, tick, &fault);
        tick->observed = false;
        return BURSAR_OK;
    }
    plan_adoption(view, &log, &tick->verdict);
    if (tick->verdict.halt != HALT_NONE && view->nonce_latest == 0) { /* a pool has shown it, and no block */
        struct verdict pending;
        tick_pending(executor, tick, 0, &pending);
        if (pending.holds && pending.halt == HALT_NONE) {
            tick->verdict = pending;
            tick->observed = false;
            return BURSAR_OK;
        }
    }
    if (tick->verdict.halt != HALT_NONE) {
        tick->observed = false;
        return BURSAR_OK;
    }
    struct block_mark anchor = { 0, view->genesis_hash };
    if (view->has_final)
        anchor = (struct block_mark){ view->final.block.number, view->final.block.hash };
    uint64_t first_nonce = log.entries ? log.first_nonce : view->nonce_latest;
    enum bursar_status status =
        store->treasury_pin(store->ctx, tick->treasury.id, &view->genesis_hash, first_nonce, &anchor, &anchor, err);
    return status == BURSAR_OK ? store->treasury_get(store->ctx, tick->treasury.id, &tick->treasury, err) : status;
}

/* For people, kept with the snapshot: the balance, and what schedules are compared with. */
static void note_balance(struct executor *executor, const struct tick *tick)
{
    struct snapshot *snapshot = &executor->snapshot;
    snapshot->has_balance = true;
    snapshot->balance = tick->view.balance;
    snapshot->balance_block = tick->view.latest.block.number;
    snapshot->balance_ms = executor->env.clock.wall_ms(executor->env.clock.ctx);
    if (!tick->view.has_final)
        return;
    snapshot->has_final = true;
    snapshot->final_time_s = tick->view.final.timestamp_s;
    if (!executor->env.host.epoch) /* a host is asked once, when something may be bound */
        snapshot->final_epoch = plan_epoch(&executor->config.epoch, &tick->view.final);
}

enum bursar_status tick_observe(struct executor *executor, struct tick *tick, struct bursar_error *err)
{
    struct chain *chain = &executor->env.chain;
    struct bursar_error fault = { 0 };
    struct chain_query query = {
        .account = tick->treasury.address,
        .has_anchor = tick->treasury.is_pinned,
        .anchor_number = tick->treasury.anchor.number,
        .finality_blocks = executor->config.finality_blocks,
        .chain_id = tick->treasury.chain_id,
        .has_pins = tick->treasury.is_pinned,
        .genesis_hash = tick->treasury.genesis_hash,
        .anchor_hash = tick->treasury.anchor.hash,
    };
    enum bursar_status status = chain->observe(chain->ctx, &query, &tick->view, &fault);
    if (status == BURSAR_EREFUSED) {
        tick->verdict = (struct verdict){ .halt = HALT_CHAIN_UNSUITABLE, .holds = true };
        (void)snprintf(tick->verdict.reason, sizeof tick->verdict.reason, "%s", fault.message);
        return BURSAR_OK;
    }
    if (status != BURSAR_OK) { /* a failed read is never a negative fact (INV-5) */
        tick_note_fault(executor, tick, &fault);
        tick->blind = tick->verdict.holds = true;
        (void)snprintf(tick->verdict.reason, sizeof tick->verdict.reason, "the node can't be read");
        return BURSAR_OK;
    }
    plan_identity(&tick->treasury, &tick->view, &tick->verdict);
    tick->observed = tick->verdict.halt == HALT_NONE && !tick->verdict.holds;
    tick->blind = tick->verdict.halt == HALT_NONE && !tick->observed; /* a node that is catching up shows nothing */
    if (tick->observed)
        note_balance(executor, tick);
    if (tick->observed && !tick->treasury.is_pinned)
        return pin(executor, tick, err);
    return BURSAR_OK;
}

"""The planted faults: each breaks one invariant of docs/INVARIANTS.md and nothing else, by replacing exact texts of the
sources. A text that is not found exactly once fails the hunt, so that this list can't fall behind the code unseen.

The code is defended in depth: where one lock alone still holds the door, a fault takes away all that guard the same
thing, and says so.
"""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Edit:
    path: str
    old: str
    new: str


@dataclasses.dataclass(frozen=True)
class Fault:
    name: str
    invariant: str
    what: str
    edits: tuple
    arguments: tuple = ()  # of the simulator, beside the seeds


FORGETFUL = ("--forgetful", "--steps", "150")


FAULTS = (
    Fault("send_before_stage", "INV-2", "bytes leave before they are stored", (
        Edit("src/executor/tick_sign.c",
             "    return store->attempts_add(store->ctx, executor->fence, wall_ms(executor), signing->attempts, staged, err);",
             """    struct chain *chain = &executor->env.chain;
    for (size_t i = 0; i < staged; i++) {
        struct raw_transaction raw = { signing->attempts[i].raw, signing->attempts[i].raw_bytes,
                                       signing->attempts[i].hash };
        struct submit_result result;
        struct bursar_error ignored = { 0 };
        (void)!chain->submit(chain->ctx, &raw, 1, &result, &ignored);
    }
    return store->attempts_add(store->ctx, executor->fence, wall_ms(executor), signing->attempts, staged, err);"""),)),
    Fault("log_not_synced", "INV-2", "the signing log is written and not fsync'd", (
        Edit("src/signer/signing_log_file.c", "    if (fdatasync(file->fd) != 0) /* INV-2 */",
             "    if (file->fd < 0) /* INV-2 */"),)),
    Fault("store_not_synced", "INV-2", "commits of the store are not fsync'd", (
        Edit("src/store/sqlite_open.c", "PRAGMA synchronous = FULL", "PRAGMA synchronous = OFF"),)),
    Fault("wal_not_rewritten", "INV-2", "what a failed fsync left in the page cache is believed and built upon", (
        Edit("src/store/sqlite_guard.c", "        code = write_frames_again(wal, real, header, size);",
             "        code = write_frames_again(wal, real, header, 0);"),)),
    Fault("unknown_is_failed", "INV-5", "no answer to a payment means that it failed: it is queued for another nonce", (
        Edit("src/store/sqlite_spending.c", "        bind_text(stmt, 4, submissions[i].message);\n",
             """        bind_text(stmt, 4, submissions[i].message);
        if (submissions[i].verdict == 8) {
            char sql[400];
            (void)snprintf(sql, sizeof sql,
                           "UPDATE disbursement SET state = 3, version = version + 1 WHERE state = 4 AND id IN (SELECT "
                           "disbursement FROM intent_item WHERE live = 1 AND intent = (SELECT intent FROM attempt WHERE id "
                           "= %lld)); UPDATE intent_item SET live = 0 WHERE intent = (SELECT intent FROM attempt WHERE id "
                           "= %lld)", (long long)submissions[i].attempt, (long long)submissions[i].attempt);
            (void)sqlite3_exec(store->db, sql, NULL, NULL, NULL);
        }
"""),)),
    Fault("new_nonce_on_retry", "INV-1", "what a node refuses as too low or underpriced is bound to another nonce", (
        Edit("src/store/sqlite_spending.c", "        bind_text(stmt, 4, submissions[i].message);\n",
             """        bind_text(stmt, 4, submissions[i].message);
        if (submissions[i].verdict == 3 || submissions[i].verdict == 4) {
            char sql[400];
            (void)snprintf(sql, sizeof sql,
                           "UPDATE disbursement SET state = 3, version = version + 1 WHERE state = 4 AND id IN (SELECT "
                           "disbursement FROM intent_item WHERE live = 1 AND intent = (SELECT intent FROM attempt WHERE id "
                           "= %lld)); UPDATE intent_item SET live = 0 WHERE intent = (SELECT intent FROM attempt WHERE id "
                           "= %lld)", (long long)submissions[i].attempt, (long long)submissions[i].attempt);
            (void)sqlite3_exec(store->db, sql, NULL, NULL, NULL);
        }
"""),)),
    Fault("no_fencing", "INV-6", "writes do not compare the lease epoch", (
        Edit("src/store/sqlite_core.c", "    if (!is_current)\n        return bursar_fail(err, BURSAR_EFENCED",
             "    if (!is_current && fence->lease_epoch == UINT64_MAX)\n        return bursar_fail(err, BURSAR_EFENCED"),)),
    Fault("signer_not_fenced", "INV-6", "neither store nor signer compare the lease epoch", (
        Edit("src/store/sqlite_core.c", "    if (!is_current)\n        return bursar_fail(err, BURSAR_EFENCED",
             "    if (!is_current && fence->lease_epoch == UINT64_MAX)\n        return bursar_fail(err, BURSAR_EFENCED"),
        Edit("src/executor/executor.c",
             "    if (status == BURSAR_OK && tick->treasury.lease_epoch != executor->fence.lease_epoch)",
             "    if (status == BURSAR_OK && tick->treasury.lease_epoch == 0)"),
        Edit("src/signer/signing_log.c", "    if (entry->lease_epoch < log->lease_epoch) /* INV-6 */",
             "    if (entry->lease_epoch == 0) /* INV-6 */"),)),
    Fault("final_at_once", "INV-7", "a receipt counts before its block is final", (
        Edit("src/executor/tick_finalize.c", "    const struct chain_head *final = &tick->view.final;\n    bool ours",
             "    tick->view.final = tick->view.latest;\n    tick->view.has_final = true;\n"
             "    const struct chain_head *final = &tick->view.final;\n    bool ours"),)),
    Fault("payment_after_cancel", "INV-7", "a stuck cancel is replaced by the payment again", (
        Edit("src/executor/tick_sign.c", " ||\n           (flight->has_attempt && flight->purpose == SIGN_SELF);",
             " && !(flight->has_attempt && flight->purpose == SIGN_SELF);"),
        Edit("src/signer/signing_log.c", "    if (history->has_self_transfer && !is_past) {",
             "    if (history->has_self_transfer && !is_past && entry->lease_epoch == 0) {"),)),
    Fault("reorg_unseen", "INV-8", "blocks are taken without looking whether they link up", (
        Edit("src/executor/tick_follow.c",
             "blocks[linked].is_present && hash_equal(&blocks[linked].head.parent_hash, above)) {",
             "blocks[linked].is_present) {"),
        Edit("src/executor/tick_follow.c",
             "    if (latest->block.number == scan->number && !hash_equal(&latest->block.hash, &scan->hash)) {",
             "    if (latest->block.number == 0 && !hash_equal(&latest->block.hash, &scan->hash)) {"),)),
    Fault("anchor_unchecked", "INV-8", "another history of the chain is believed", (
        Edit("src/executor/planner.c", "    bool differs = !hash_equal(&view->anchor_hash, &treasury->anchor.hash);",
             "    bool differs = treasury->anchor.number == UINT64_MAX;"),
        Edit("src/executor/planner.c", "    if (!hash_equal(&view->genesis_hash, &treasury->genesis_hash)) { /* INV-8 */",
             "    if (treasury->chain_id == 0) { /* INV-8 */"),)),
    Fault("breaker_ignored", "INV-10", "an open circuit breaker does not stop requests", (
        Edit("src/executor/tick_breaker.c",
             "    return breaker ? bursar_breaker_state(breaker, monotonic_ms(executor)) : BURSAR_BREAKER_CLOSED;",
             "    return breaker && !executor ? BURSAR_BREAKER_OPEN : BURSAR_BREAKER_CLOSED;"),
        Edit("src/executor/tick_breaker.c",
             "    *ret_allowed = bursar_breaker_allow_request(breaker, monotonic_ms(executor), ret_ticket);",
             "    (void)bursar_breaker_allow_request(breaker, monotonic_ms(executor), ret_ticket);"),)),
    Fault("restored_store_believed", "INV-12", "an old copy of the store goes on at the chain's next nonce, by no log stopped", (
        Edit("src/executor/planner.c", "    if (behind_log(treasury, lane, log, ret) || behind_chain(lane, view, ret))",
             "    if (!treasury && (behind_log(treasury, lane, log, ret) || behind_chain(lane, view, ret)))"),
        Edit("src/executor/tick_bind.c",
             "    const struct spending_terms terms = {",
             "    if (tick->view.nonce_pending > tick->lane.next_nonce)\n"
             "        tick->lane.next_nonce = tick->view.nonce_pending;\n"
             "    const struct spending_terms terms = {"),
        Edit("src/store/sqlite_spending.c", "        if (bindings[i].nonce != nonce)", "        if (bindings[i].nonce < nonce)"),
        Edit("src/signer/signing_log.c", "    if (entry->lease_epoch < log->lease_epoch) /* INV-6 */",
             "    if (entry->lease_epoch == 0) /* INV-6 */"),)),
    Fault("used_nonce_unexplained", "INV-4", "payments go on above a nonce that was used, and not by us", (
        Edit("src/executor/planner.c", "    if (flight_count == 0 || flights[0].nonce >= view->nonce_latest) {",
             "    if (flight_count == 0 || view->nonce_latest > 0 || flights[0].nonce >= view->nonce_latest) {"),)),
    Fault("unknown_estimate_refuses", "INV-5", "a contract of which the node could say nothing is taken to refuse for good", (
        Edit("src/executor/planner_spend.c", "        return BLOCK_GAS;\n    case ESTIMATE_UNKNOWN:\n        return BLOCK_UNESTIMATED;",
             "        return BLOCK_GAS;\n    case ESTIMATE_UNKNOWN:\n        *ret_gas_limit = 1;\n        return BLOCK_REVERTS;"),
        Edit("src/executor/planner_spend.c", "    decision.note = outlook->estimate.words;\n",
             "    decision.note = outlook->estimate.words;\n    if (code == BLOCK_REVERTS && gas_limit == 1)\n"
             "        return decision;\n"),)),
    Fault("transfer_log_unchecked", "a token has moved what is called paid", "of a token's payment only the status counts", (
        Edit("src/executor/planner_spend.c", "    if (!receipt->succeeded || (included->purpose",
             "    if (receipt->succeeded || (included->purpose"),)),
    Fault("refused_for_ever", "a contract that changes its mind is paid", "what was refused once is not looked at again", (
        Edit("src/executor/planner_spend.c", "    decision.recheck_number =\n        plan_recheck(",
             "    decision.recheck_number = code == BLOCK_REVERTS ? 0 : plan_recheck("),)),
    Fault("freed_before_final", "INV-4", "a stranger's transaction frees a payment before its block is final", (
        Edit("src/executor/planner.c", "    if (view->has_final && flights[0].nonce < view->nonce_final) {",
             "    if (view->has_final && flights[0].nonce < view->nonce_latest) {"),
        Edit("src/executor/tick_exhibit.c", "        search_start(executor->search, &tick->view.final, low);",
             "        search_start(executor->search, &tick->view.latest, low);"),
        Edit("src/executor/tick_exhibit.c", "                          tick->view.nonce_final);",
             "                          tick->view.nonce_latest);"),
        Edit("src/executor/tick_exhibit.c", "search->top > tick->view.final.block.number", "search->top == UINT64_MAX"),
        Edit("src/executor/tick_exhibit.c",
             "scratch->flight_count && scratch->flights[0].nonce < tick->view.nonce_final;",
             "scratch->flight_count && scratch->flights[0].nonce < tick->view.nonce_latest;"),)),
    Fault("freed_without_proof", "INV-4", "that a nonce is used, and not seen to be ours, frees its payment", (
        Edit("src/executor/tick_exhibit.c", "        look(executor, tick);", """    {
        const struct flight *lowest = executor->scratch.flights;
        search->found[0] = (struct exhibit){ .nonce = lowest->nonce,
                                             .intent = lowest->intent,
                                             .hash = lowest->hash,
                                             .block = { tick->view.final.block.number, tick->view.final.block.hash },
                                             .has_receipt = true };
        search->found[0].hash.bytes[0] ^= 0xff;
        search->count = 1;
    }"""),)),
    Fault("freed_though_it_matches", "INV-4", "a stranger's transaction that pays what is owed elsewhere frees as any other", (
        Edit("src/executor/exhibit.c", "    return is_unpaid(content->state) &&\n           (payload_compare(",
             "    return content->id < 0 && is_unpaid(content->state) &&\n           (payload_compare("),)),
    Fault("money_judged_late", "INV-10", "what went wrong opens the money breaker only after more was bound", (
        Edit("src/executor/executor.c", "        tick_money,   tick_bind,   tick_sign,     tick_submit,",
             "        tick_bind,    tick_money,  tick_sign,     tick_submit,"),)),
    Fault("money_open_binds", "INV-10", "an open money breaker does not stop binding", (
        Edit("src/executor/tick_money.c", "    tick->verdict.holds = true;\n", ""),)),
    Fault("money_open_signs", "INV-10", "an open money breaker does not stop signing what is bound", (
        Edit("src/executor/tick_sign.c", "        if (tick_money_is_open(executor) && !is_to_self(flight)) /* INV-10 */",
             "        if (!executor->config.batch_size && !is_to_self(flight)) /* INV-10 */"),)),
    Fault("money_closes_itself", "INV-10", "with the next lease the money breaker is closed again", (
        Edit("src/store/sqlite_lease.c", "        if (status == BURSAR_OK) {\n            stmt = statement(store, SQL_LEASE_EPOCH, err);",
             """        if (status == BURSAR_OK)
            (void)sqlite3_exec(store->db, "UPDATE money_breaker SET cause = 0, version = version + 1 WHERE cause <> 0", NULL,
                               NULL, NULL);
        if (status == BURSAR_OK) {
            stmt = statement(store, SQL_LEASE_EPOCH, err);"""),)),
    Fault("money_version_unchecked", "INV-6", "what spends does not compare the money breaker's version", (
        Edit("src/store/sqlite_core.c",
             "row && (!fence->money_version || column_u64(stmt, 1) == fence->money_version);",
             "row;"),)),
    Fault("money_version_of_old_lease", "INV-6", "with a lease taken again, the money breaker's version is not told", (
        Edit("src/executor/tick_money.c", "money->version == executor->fence.money_version)",
             "money->version == before.version)"),)),
    Fault("money_fee_forgotten", "INV-10", "what the account has is compared without the fees it paid", (
        Edit("src/executor/planner_spend.c", "bursar_amount_from_u64(receipt->gas_used), sum", "bursar_amount_from_u64(0), sum"),)),
    Fault("money_cancel_pays", "INV-10", "a cancel counts as the payment that it took the nonce of", (
        Edit("src/executor/planner_spend.c", "    const bool moves_value = receipt->succeeded && included->purpose != SIGN_SELF;",
             "    const bool moves_value = receipt->succeeded;"),)),
    Fault("money_missing_unwritten", "INV-10", "that money is missing is seen and not written down", (
        Edit("src/store/sqlite_settle.c", "    if (status == BURSAR_OK && settlement->missing)",
             "    if (status == BURSAR_OK && settlement->missing && !count_of_none)"),
        Edit("src/store/sqlite_settle.c", "    bool any_cancel = false;\n", "    const bool count_of_none = true;\n    bool any_cancel = false;\n"),)),
    Fault("money_unaccounted", "INV-10", "what the account has is compared before all that it paid is known", (
        Edit("src/executor/tick_money.c", "        *ret = lane.lowest_unfinished_nonce == tick->view.nonce_final;",
             "        *ret = true;"),)),
    Fault("money_reverts_unwritten", "INV-10", "that a payment failed is not written down for the money breaker", (
        Edit("src/store/sqlite_settle.c", "    if (status == BURSAR_OK && move.cause == CAUSE_FINAL_REVERT) {",
             "    if (status != BURSAR_OK && move.cause == CAUSE_FINAL_REVERT) {"),)),
    Fault("money_stranger_unwritten", "INV-10", "that somebody else has the key is not written down for the money breaker", (
        Edit("src/store/sqlite_adopt.c", "        if (status == BURSAR_OK)\n            status = note_incident(",
             "        if (status == BURSAR_OK && count == 0)\n            status = note_incident("),)),
    Fault("money_close_keeps_mark", "INV-10", "closed, it goes on to compare with what the account had before", (
        Edit("src/store/sqlite_money.c", "    enum bursar_status status = money_set_mark(store, treasury, 0, NULL, err);",
             "    enum bursar_status status = BURSAR_OK;"),)),
    Fault("money_bound_uncounted", "INV-10", "what is bound is not counted into its hour", (
        Edit("src/store/sqlite_spending.c",
             "        status = money_note_bound(store, fence.treasury, now_ms, bindings, count, err);",
             "        status = money_note_bound(store, fence.treasury, now_ms, bindings, 0, err);"),)),
    Fault("money_hour_too_short", "INV-10", "only the newest part of an hour counts", (
        Edit("src/executor/tick_money.c", "ago_ms(wall_ms(executor), MONEY_HOUR_MS);", "ago_ms(wall_ms(executor), 1000);"),)),
    Fault("older_attempts_forgotten", "INV-3", "of several attempts only the newest is looked for in blocks", (
        Edit("src/executor/flights.c", "        if (flight->seq > 1)\n            status = watch_older",
             "        if (flight->seq > 1000)\n            status = watch_older"),)),
    Fault("in_flight_unbounded", "INV-11", "new payments are bound however many are in flight", (
        Edit("src/executor/tick_bind.c", "    uint64_t room = in_flight < most ? most - in_flight : 0;",
             "    uint64_t room = in_flight < most ? most - in_flight : most;"),)),
    Fault("same_ref_paid_again", "idempotency", "a ref that is stored already is added once more", (
        Edit("src/store/sql/sqlite/0001_initial.sql", "    UNIQUE (treasury, ref),\n", ""),
        Edit("src/store/sqlite_sql.h",
             '"SELECT id, content_hash FROM disbursement WHERE treasury = ?1 AND ref = ?2")',
             '"SELECT id, content_hash FROM disbursement WHERE treasury = ?1 AND ref = ?2 AND 0")'),)),
    Fault("quorum_ignored", "INV-5", "of several nodes the first that answers is believed", (
        Edit("src/chain/nodes_agree.c", "    if (nodes->config.quorum == 1)\n        return read_first",
             "    if (nodes->config.quorum > 0)\n        return read_first"),
        Edit("src/chain/nodes_observe.c", "        if (count_bits(members) < nodes->config.quorum)\n            continue;",
             "        if (count_bits(members) < 1)\n            continue;"),)),
    Fault("refusal_outweighs_unknown", "INV-5", "one node's refusal stands against another that gave no answer", (
        Edit("src/chain/nodes_submit.c", "    case SUBMIT_UNKNOWN:\n        return 7;",
             "    case SUBMIT_UNKNOWN:\n        return 1;"),)),
    Fault("adopt_matches_twice", "INV-12", "one disbursement is adopted as paid by two transactions", (
        Edit("src/reconcile/adopt_match.c",
             "        candidates[group->next].is_taken = true;\n    } else if", "    } else if"),), FORGETFUL),
    Fault("adopt_skips_pool", "INV-12", "what waits in the pool only is not adopted", (
        Edit("src/reconcile/adopt_chain.c", "    if (!found->is_present || (sight->seen == SEEN_MINED",
             "    if (!found->is_present || !found->is_mined || (sight->seen == SEEN_MINED"),), FORGETFUL),
    Fault("adopt_frees_unmatched", "INV-12", "what no unpaid disbursement owes is taken for a stranger's", (
        Edit("src/reconcile/adopt_match.c",
             "        ret->verdict = unmatched_is_foreign ? MATCH_PAYS_NOTHING : MATCH_NOTHING;",
             "        ret->verdict = MATCH_PAYS_NOTHING;\n        (void)unmatched_is_foreign;"),), FORGETFUL),
)

/* Adopting: a store that is an older copy, or a new one, learns what was signed and paid without its knowing; and what
 * an executor sees of one nonce in a final block, that none of its attempts explains. One transaction; every
 * disbursement still moves by the lifecycle's table, every nonce is still bound once (INV-1, INV-12).
 */
#include "store/sqlite_core.h"

struct adopting {
    struct sqlite_store *store;
    struct fence fence;
    const struct decision *decision;
};

static enum bursar_status one_row(struct adopting *now, sqlite3_stmt *stmt, const char *what, struct bursar_error *err)
{
    int changed = 0;
    enum bursar_status status = run_statement(now->store, stmt, &changed, err);
    if (status == BURSAR_OK && changed != 1)
        return bursar_fail(err, BURSAR_ESTALE, "%s changed under us", what);
    return status;
}

/* A number of one row; ESTALE when there is none. */
static enum bursar_status read_number(struct adopting *now, sqlite3_stmt *stmt, const char *what, int64_t *ret,
                                      struct bursar_error *err)
{
    bool row = false;
    enum bursar_status status = step_row(now->store, stmt, &row, err);
    if (status != BURSAR_OK)
        return status;
    if (!row)
        return bursar_fail(err, BURSAR_ESTALE, "%s changed under us", what);
    *ret = sqlite3_column_int64(stmt, 0);
    (void)sqlite3_reset(stmt);
    return BURSAR_OK;
}

static enum bursar_status move_one(struct adopting *now, const struct adopted_nonce *adopted, int64_t intent,
                                   struct disbursement_version *row, enum disbursement_state to,
                                   enum lifecycle_cause cause, struct bursar_error *err)
{
    struct disbursement_move move = { to, cause, intent, now->decision->at_ms, now->decision->actor, adopted->detail };
    enum bursar_status status = disbursement_move(now->store, now->fence.treasury, row, &move, err);
    row->state = to;
    row->version++;
    return status;
}

/* From queued (or failed, and thereby retried) to staged, as binding does. */
static enum bursar_status attach(struct adopting *now, const struct adopted_nonce *adopted, int64_t intent,
                                 struct bursar_error *err)
{
    struct disbursement_version row = { adopted->disbursement, adopted->from_state, adopted->version };
    enum bursar_status status = BURSAR_OK;
    if (row.state == STATE_FAILED)
        status = move_one(now, adopted, 0, &row, STATE_QUEUED, CAUSE_PERSON_RETRIED, err);
    if (status == BURSAR_OK)
        status = move_one(now, adopted, intent, &row, STATE_STAGED, CAUSE_BOUND, err);
    if (status != BURSAR_OK)
        return status;
    sqlite3_stmt *stmt = statement(now->store, SQL_WAIT_ON, err); /* whatever it waited for has not held it up */
    bind_i64(stmt, 1, adopted->disbursement);
    status = run_statement(now->store, stmt, NULL, err);
    if (status != BURSAR_OK)
        return status;
    stmt = statement(now->store, SQL_ITEM_ADD, err);
    bind_i64(stmt, 1, intent);
    bind_i64(stmt, 2, adopted->disbursement);
    return run_statement(now->store, stmt, NULL, err);
}

static enum bursar_status tell(struct adopting *now, const struct adopted_nonce *adopted, int64_t intent,
                               struct bursar_error *err)
{
    struct event_fields event = { .treasury = now->fence.treasury,
                                  .intent = intent,
                                  .at_ms = now->decision->at_ms,
                                  .cause = CAUSE_ADOPTED,
                                  .actor = now->decision->actor,
                                  .detail = adopted->detail };
    return event_append(now->store, &event, err);
}

static enum bursar_status make_intent(struct adopting *now, const struct adopted_nonce *adopted, int64_t *ret,
                                      struct bursar_error *err)
{
    sqlite3_stmt *stmt = statement(now->store, SQL_ADOPT_INTENT, err);
    bind_i64(stmt, 1, now->fence.treasury);
    bind_u64(stmt, 2, adopted->nonce);
    bind_i64(stmt, 3, adopted->kind);
    bind_address(stmt, 4, &adopted->to);
    bind_amount(stmt, 5, &adopted->value);
    if (stmt && adopted->data_bytes <= INT32_MAX)
        (void)sqlite3_bind_blob(stmt, 6, adopted->data_bytes ? adopted->data : (const uint8_t *)"",
                                (int)adopted->data_bytes, SQLITE_STATIC);
    bind_u64(stmt, 7, adopted->gas_limit);
    bind_u64(stmt, 8, now->fence.lease_epoch);
    bind_u64(stmt, 9, now->decision->at_ms);
    enum bursar_status status = run_statement(now->store, stmt, NULL, err);
    if (status != BURSAR_OK)
        return status;
    *ret = sqlite3_last_insert_rowid(now->store->db);
    return adopted->disbursement ? attach(now, adopted, *ret, err) : tell(now, adopted, *ret, err);
}

/* An intent that the store took for included is in flight again, so that what follows starts from one state. */
static enum bursar_status reopen(struct adopting *now, const struct adopted_nonce *adopted,
                                 enum intent_status *ret_status, struct bursar_error *err)
{
    int64_t is = 0, purpose = 0;
    sqlite3_stmt *stmt = statement(now->store, SQL_ADOPT_INTENT_STATUS, err);
    bind_i64(stmt, 1, adopted->intent);
    bind_i64(stmt, 2, now->fence.treasury);
    bind_u64(stmt, 3, adopted->nonce);
    enum bursar_status status = read_number(now, stmt, "an intent", &is, err);
    *ret_status = (enum intent_status)is;
    if (status != BURSAR_OK || *ret_status != INTENT_INCLUDED)
        return status;
    stmt = statement(now->store, SQL_ADOPT_INCLUDED_PURPOSE, err);
    bind_i64(stmt, 1, adopted->intent);
    status = read_number(now, stmt, "an attempt", &purpose, err);
    if (status != BURSAR_OK)
        return status;
    stmt = statement(now->store, SQL_ADOPT_REOPEN_ATTEMPTS, err);
    bind_i64(stmt, 1, adopted->intent);
    status = one_row(now, stmt, "an attempt", err);
    int changed = 0;
    if (status == BURSAR_OK)
        status = intent_move(now->store, now->fence.treasury, adopted->intent, INTENT_INCLUDED, INTENT_SIGNED, &changed,
                             err);
    struct disbursement_move move = { .to = STATE_STAGED,
                                      .cause = CAUSE_REORGED,
                                      .intent = adopted->intent,
                                      .at_ms = now->decision->at_ms,
                                      .actor = now->decision->actor,
                                      .detail = "the chain shows its nonce otherwise" };
    *ret_status = INTENT_SIGNED;
    if (status != BURSAR_OK || purpose == PURPOSE_SELF_TRANSFER) /* by which nothing was executed */
        return status;
    return move_items(now->store, now->fence.treasury, &move, err);
}

static enum bursar_status add_attempt(struct adopting *now, const struct adopted_nonce *adopted, int64_t intent,
                                      enum intent_status *intent_status, struct bursar_error *err)
{
    int changed = 0;
    enum bursar_status status = BURSAR_OK;
    if (*intent_status == INTENT_BOUND) {
        status = intent_move(now->store, now->fence.treasury, intent, INTENT_BOUND, INTENT_SIGNED, &changed, err);
        *intent_status = INTENT_SIGNED;
    }
    if (status != BURSAR_OK)
        return status;
    sqlite3_stmt *stmt = statement(now->store, SQL_ADOPT_ATTEMPT, err);
    bind_i64(stmt, 1, now->fence.treasury);
    bind_i64(stmt, 2, intent);
    bind_i64(stmt, 3, adopted->purpose);
    bind_hash(stmt, 4, &adopted->hash);
    bind_u64(stmt, 5, adopted->max_priority_fee_per_gas_wei);
    bind_u64(stmt, 6, adopted->max_fee_per_gas_wei);
    bind_u64(stmt, 7, now->decision->at_ms);
    if (stmt && adopted->raw_bytes <= INT32_MAX)
        (void)sqlite3_bind_blob(stmt, 8, adopted->raw_bytes ? adopted->raw : (const uint8_t *)"",
                                (int)adopted->raw_bytes, SQLITE_STATIC);
    return run_statement(now->store, stmt, NULL, err);
}

struct ending {
    enum disbursement_state state;
    enum lifecycle_cause cause;
    bool is_executed_first; /* the table leads to it through `executed` */
};

/* What a final transaction of this purpose makes of what its nonce is bound to (INV-7). */
static struct ending ending_of(int purpose, bool succeeded)
{
    if (purpose == PURPOSE_FOREIGN) /* INV-4: exhibited, in a final block */
        return (struct ending){ STATE_QUEUED, CAUSE_NONCE_FREED, false };
    if (purpose == PURPOSE_SELF_TRANSFER)
        return (struct ending){ STATE_CANCELLED, CAUSE_FINAL_CANCEL, false };
    if (!succeeded)
        return (struct ending){ STATE_FAILED, CAUSE_FINAL_REVERT, false };
    return (struct ending){ STATE_FINALIZED, CAUSE_FINAL_SUCCESS, true };
}

static enum bursar_status finish(struct adopting *now, const struct adopted_nonce *adopted, int64_t intent,
                                 enum intent_status intent_status, struct bursar_error *err)
{
    int64_t purpose = 0;
    int changed = 0;
    sqlite3_stmt *stmt = statement(now->store, SQL_ADOPT_FINISH, err);
    bind_i64(stmt, 1, intent);
    bind_hash(stmt, 2, &adopted->hash);
    bind_u64(stmt, 3, adopted->block.number);
    bind_hash(stmt, 4, &adopted->block.hash);
    bind_u64(stmt, 5, adopted->gas_used);
    bind_u64(stmt, 6, adopted->effective_gas_price_wei);
    enum bursar_status status = one_row(now, stmt, "an attempt", err);
    if (status != BURSAR_OK || intent_status == INTENT_FINAL) /* then only its block is another */
        return status;
    stmt = statement(now->store, SQL_ADOPT_PURPOSE, err);
    bind_i64(stmt, 1, intent);
    bind_hash(stmt, 2, &adopted->hash);
    status = read_number(now, stmt, "an attempt", &purpose, err);
    if (status == BURSAR_OK)
        status = intent_move(now->store, now->fence.treasury, intent, INTENT_SIGNED, INTENT_FINAL, &changed, err);
    if (status == BURSAR_OK && changed != 1)
        status = bursar_fail(err, BURSAR_ESTALE, "intent %lld changed under us", (long long)intent);
    bool any = false; /* of what is freed the wish stands: it is queued again, and will be cancelled when it is bound */
    if (status == BURSAR_OK && purpose != PURPOSE_FOREIGN)
        status = close_cancels(now->store, intent, now->decision->at_ms, &any, err);
    const struct ending ending = ending_of((int)purpose, adopted->succeeded);
    struct disbursement_move move = { STATE_EXECUTED,       CAUSE_INCLUDED,       intent,
                                      now->decision->at_ms, now->decision->actor, adopted->detail };
    if (status == BURSAR_OK && ending.is_executed_first)
        status = move_items(now->store, now->fence.treasury, &move, err);
    move.to = ending.state;
    move.cause = ending.cause;
    if (status == BURSAR_OK)
        status = move_items(now->store, now->fence.treasury, &move, err);
    if (status == BURSAR_OK && adopted->is_short) {
        stmt = statement(now->store, SQL_ITEM_SHORT, err);
        bind_i64(stmt, 1, intent);
        bind_amount(stmt, 2, &adopted->short_by);
        status = run_statement(now->store, stmt, NULL, err);
    }
    if (status != BURSAR_OK)
        return status;
    return end_items(now->store, intent, ending.state == STATE_FINALIZED, ending.cause, err);
}

static enum bursar_status adopt_nonce(struct adopting *now, const struct adopted_nonce *adopted,
                                      struct bursar_error *err)
{
    int64_t intent = adopted->intent;
    enum intent_status intent_status = INTENT_BOUND;
    enum bursar_status status =
        intent ? reopen(now, adopted, &intent_status, err) : make_intent(now, adopted, &intent, err);
    if (status == BURSAR_OK && adopted->has_transaction && adopted->is_new)
        status = add_attempt(now, adopted, intent, &intent_status, err);
    if (status == BURSAR_OK && adopted->cancels)
        status = request_cancel(now->store, now->fence.treasury, adopted->disbursement, now->decision, err);
    if (status == BURSAR_OK && adopted->is_final)
        status = finish(now, adopted, intent, intent_status, err);
    return status;
}

static enum bursar_status set_marks(struct adopting *now, const struct adoption *adoption, struct bursar_error *err)
{
    struct sqlite_store *store = now->store;
    int64_t treasury = now->fence.treasury;
    enum bursar_status status = BURSAR_OK;
    if (adoption->has_anchor) {
        sqlite3_stmt *stmt = statement(store, SQL_ADOPT_ANCHOR, err);
        bind_i64(stmt, 1, treasury);
        bind_u64(stmt, 2, adoption->anchor.number);
        bind_hash(stmt, 3, &adoption->anchor.hash);
        status = run_statement(store, stmt, NULL, err);
    }
    if (status != BURSAR_OK || !adoption->rewinds)
        return status;
    status = undo_above(store, treasury, now->decision->at_ms, adoption->scan.number, err);
    if (status == BURSAR_OK && adoption->has_anchor) { /* none of the blocks read before counts */
        sqlite3_stmt *stmt = statement(store, SQL_SCANNED_FORGET_BELOW, err);
        bind_i64(stmt, 1, treasury);
        bind_u64(stmt, 2, adoption->scan.number + 1);
        status = run_statement(store, stmt, NULL, err);
    }
    if (status != BURSAR_OK)
        return status;
    sqlite3_stmt *stmt = statement(store, SQL_SCAN_SET, err);
    bind_i64(stmt, 1, treasury);
    bind_u64(stmt, 2, adoption->scan.number);
    bind_hash(stmt, 3, &adoption->scan.hash);
    return run_statement(store, stmt, NULL, err);
}

/* The halt ends here, whichever it was: the next tick compares anew. */
static enum bursar_status end_halt(struct adopting *now, const struct adoption *adoption, struct bursar_error *err)
{
    sqlite3_stmt *stmt = statement(now->store, SQL_ADOPT_TREASURY, err);
    bind_i64(stmt, 1, now->fence.treasury);
    bind_u64(stmt, 2, adoption->first_nonce);
    bind_u64(stmt, 3, adoption->lease_epoch);
    enum bursar_status status = run_statement(now->store, stmt, NULL, err);
    struct event_fields event = { .treasury = now->fence.treasury,
                                  .at_ms = now->decision->at_ms,
                                  .cause = CAUSE_ADOPTED,
                                  .actor = now->decision->actor,
                                  .detail = now->decision->reason };
    return status == BURSAR_OK ? event_append(now->store, &event, err) : status;
}

/* INV-1: the next nonce is the highest bound + 1, so that a nonce left out would never be looked at again. */
static enum bursar_status check_holes(struct adopting *now, struct bursar_error *err)
{
    int64_t holes = 0;
    sqlite3_stmt *stmt = statement(now->store, SQL_ADOPT_HOLES, err);
    bind_i64(stmt, 1, now->fence.treasury);
    enum bursar_status status = read_number(now, stmt, "the treasury", &holes, err);
    if (status == BURSAR_OK && holes != 0)
        return bursar_fail(err, BURSAR_EINTERNAL, "%lld nonces would be missing between the first and the last one",
                           (long long)holes);
    return status;
}

static enum bursar_status adopt(void *ctx, struct fence *fence, const struct adoption *adoption,
                                const struct decision *decision, struct bursar_error *err)
{
    struct sqlite_store *store = ctx;
    struct adopting now = { store, *fence, decision };
    enum bursar_status status = decision_check(decision, err);
    if (status == BURSAR_OK)
        status = write_begin(store, fence, err);
    if (status != BURSAR_OK)
        return status;
    for (size_t i = 0; i < adoption->count && status == BURSAR_OK; i++)
        status = adopt_nonce(&now, &adoption->nonces[i], err);
    if (status == BURSAR_OK)
        status = set_marks(&now, adoption, err);
    if (status == BURSAR_OK)
        status = end_halt(&now, adoption, err);
    if (status == BURSAR_OK) /* what the account paid by then is not all known */
        status = money_set_mark(store, fence->treasury, 0, NULL, err);
    if (status == BURSAR_OK)
        status = check_holes(&now, err);
    status = write_end(store, status, err);
    if (status == BURSAR_OK && adoption->lease_epoch > fence->lease_epoch)
        fence->lease_epoch = adoption->lease_epoch;
    return status;
}

/* For the money breaker: somebody else has the key, or a payment has failed. */
static enum bursar_status note_incident(struct adopting *now, const struct adopted_nonce *adopted,
                                        struct bursar_error *err)
{
    enum money_cause cause = MONEY_NONE;
    if (adopted->purpose == PURPOSE_FOREIGN)
        cause = MONEY_FOREIGN_NONCE;
    else if (ending_of(adopted->purpose, adopted->succeeded).cause == CAUSE_FINAL_REVERT)
        cause = MONEY_REVERTS;
    if (cause == MONEY_NONE)
        return BURSAR_OK;
    return money_note_incident(now->store, now->fence.treasury, now->decision->at_ms, cause, adopted->detail, err);
}

/* The same, of single nonces, by the executor that has seen it: nobody's decision. */
static enum bursar_status exhibited(void *ctx, struct fence fence, uint64_t now_ms, const struct adopted_nonce *nonces,
                                    size_t count, struct bursar_error *err)
{
    struct sqlite_store *store = ctx;
    const struct decision seen = { .actor = store->holder, .reason = "", .at_ms = now_ms };
    struct adopting now = { store, fence, &seen };
    enum bursar_status status = write_begin(store, &fence, err);
    if (status != BURSAR_OK)
        return status;
    for (size_t i = 0; i < count && status == BURSAR_OK; i++) {
        if (!nonces[i].intent || !nonces[i].is_final)
            status = bursar_fail(err, BURSAR_EINTERNAL, "nonce %llu is not bound, or what has used it is not final",
                                 (unsigned long long)nonces[i].nonce);
        else
            status = adopt_nonce(&now, &nonces[i], err);
        if (status == BURSAR_OK)
            status = note_incident(&now, &nonces[i], err);
    }
    if (status == BURSAR_OK) /* what the account paid by these is not known to the wei */
        status = money_set_mark(store, fence.treasury, 0, NULL, err);
    return write_end(store, status, err);
}

void sqlite_fill_adopt(struct store *interface)
{
    interface->exhibited = exhibited;
    interface->adopt = adopt;
}

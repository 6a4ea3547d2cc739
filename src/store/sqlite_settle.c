/* Settling: what the chain showed becomes state, in one transaction an observation (INV-7, INV-8). */
#include "store/sqlite_core.h"

#define ITEMS_MAX_COUNT 64
#define UNDO_BATCH_COUNT 256
#define SHORT_TEXT_BYTES 200

static enum bursar_status change_one(struct sqlite_store *store, sqlite3_stmt *stmt, const char *what,
                                     struct bursar_error *err)
{
    int changed = 0;
    enum bursar_status status = run_statement(store, stmt, &changed, err);
    if (status == BURSAR_OK && changed != 1)
        return bursar_fail(err, BURSAR_ESTALE, "%s changed under us", what);
    return status;
}

static enum bursar_status advance_intent(struct sqlite_store *store, int64_t treasury, int64_t intent,
                                         enum intent_status from, enum intent_status to, struct bursar_error *err)
{
    int changed = 0;
    enum bursar_status status = intent_move(store, treasury, intent, from, to, &changed, err);
    if (status == BURSAR_OK && changed != 1)
        return bursar_fail(err, BURSAR_ESTALE, "intent %lld changed under us", (long long)intent);
    return status;
}

static void read_item(sqlite3_stmt *stmt, void *rows, size_t index)
{
    struct disbursement_version *item = (struct disbursement_version *)rows + index;
    item->id = sqlite3_column_int64(stmt, 0);
    item->state = (enum disbursement_state)sqlite3_column_int(stmt, 1);
    item->version = column_u64(stmt, 2);
}

/* The disbursements an intent pays, with the state they are in now. */
struct items {
    struct disbursement_version rows[ITEMS_MAX_COUNT + 1];
    size_t count;
};

static enum bursar_status live_items(struct sqlite_store *store, int64_t intent, struct items *ret,
                                     struct bursar_error *err)
{
    sqlite3_stmt *stmt = statement(store, SQL_ITEMS_LIVE, err);
    bind_i64(stmt, 1, intent);
    ret->count = 0;
    enum bursar_status status = collect_rows(store, stmt, read_item, ret->rows, ITEMS_MAX_COUNT + 1, &ret->count, err);
    if (status == BURSAR_OK && ret->count > ITEMS_MAX_COUNT)
        return bursar_fail(err, BURSAR_ELIMIT, "intent %lld has more than %d items", (long long)intent,
                           ITEMS_MAX_COUNT);
    return status;
}

enum bursar_status move_items(struct sqlite_store *store, int64_t treasury, const struct disbursement_move *move,
                              struct bursar_error *err)
{
    struct items items;
    enum bursar_status status = live_items(store, move->intent, &items, err);
    for (size_t i = 0; i < items.count && status == BURSAR_OK; i++)
        status = disbursement_move(store, treasury, &items.rows[i], move, err);
    return status;
}

/* A paid item stays live for ever, so that the schema itself refuses to bind it again (INV-1). */
enum bursar_status end_items(struct sqlite_store *store, int64_t intent, bool stays_live, enum lifecycle_cause outcome,
                             struct bursar_error *err)
{
    sqlite3_stmt *stmt = statement(store, stays_live ? SQL_ITEMS_PAID : SQL_ITEMS_END, err);
    bind_i64(stmt, 1, intent);
    bind_i64(stmt, 2, outcome);
    return run_statement(store, stmt, NULL, err);
}

static enum bursar_status include(struct sqlite_store *store, int64_t treasury, uint64_t now_ms,
                                  const struct included_attempt *included, struct bursar_error *err)
{
    sqlite3_stmt *stmt = statement(store, SQL_ATTEMPT_INCLUDE, err);
    bind_i64(stmt, 1, included->attempt);
    bind_u64(stmt, 2, included->block.number);
    bind_hash(stmt, 3, &included->block.hash);
    bind_i64(stmt, 4, included->intent);
    enum bursar_status status = change_one(store, stmt, "the attempt", err);
    if (status == BURSAR_OK)
        status = advance_intent(store, treasury, included->intent, INTENT_SIGNED, INTENT_INCLUDED, err);
    char detail[64];
    (void)snprintf(detail, sizeof detail, "block %llu", (unsigned long long)included->block.number);
    struct disbursement_move move = { STATE_EXECUTED, CAUSE_INCLUDED, included->intent, now_ms, store->holder, detail };
    if (status != BURSAR_OK || included->purpose == PURPOSE_SELF_TRANSFER) /* nothing is paid by it */
        return status;
    return move_items(store, treasury, &move, err);
}

struct attempt_key {
    int64_t attempt, intent;
    int purpose;
};

static enum bursar_status exclude(struct sqlite_store *store, int64_t treasury, uint64_t now_ms,
                                  const struct attempt_key *key, struct bursar_error *err)
{
    sqlite3_stmt *stmt = statement(store, SQL_ATTEMPT_EXCLUDE, err);
    bind_i64(stmt, 1, key->attempt);
    enum bursar_status status = change_one(store, stmt, "the attempt", err);
    if (status == BURSAR_OK)
        status = advance_intent(store, treasury, key->intent, INTENT_INCLUDED, INTENT_SIGNED, err);
    struct disbursement_move move = { STATE_STAGED, CAUSE_REORGED, key->intent,
                                      now_ms,       store->holder, "its block is not canonical any more" };
    if (status != BURSAR_OK || key->purpose == PURPOSE_SELF_TRANSFER)
        return status;
    return move_items(store, treasury, &move, err);
}

static void read_attempt_key(sqlite3_stmt *stmt, void *rows, size_t index)
{
    ((struct attempt_key *)rows)[index] =
        (struct attempt_key){ sqlite3_column_int64(stmt, 0), sqlite3_column_int64(stmt, 1),
                              sqlite3_column_int(stmt, 2) };
}

/* INV-8: what was included above the fork goes back to staged, same intent, same bytes. */
enum bursar_status undo_above(struct sqlite_store *store, int64_t treasury, uint64_t now_ms, uint64_t number,
                              struct bursar_error *err)
{
    struct attempt_key keys[UNDO_BATCH_COUNT];
    size_t count;
    enum bursar_status status;
    do {
        sqlite3_stmt *stmt = statement(store, SQL_INCLUDED_ABOVE, err);
        bind_i64(stmt, 1, treasury);
        bind_u64(stmt, 2, number);
        bind_u64(stmt, 3, UNDO_BATCH_COUNT);
        count = 0;
        status = collect_rows(store, stmt, read_attempt_key, keys, UNDO_BATCH_COUNT, &count, err);
        for (size_t i = 0; i < count && status == BURSAR_OK; i++)
            status = exclude(store, treasury, now_ms, &keys[i], err);
    } while (status == BURSAR_OK && count > 0);
    if (status != BURSAR_OK)
        return status;
    sqlite3_stmt *stmt = statement(store, SQL_SCANNED_FORGET_ABOVE, err);
    bind_i64(stmt, 1, treasury);
    bind_u64(stmt, 2, number);
    return run_statement(store, stmt, NULL, err);
}

/* How it ended (INV-7): a transfer of 0 to self has cancelled what its nonce was bound to, reverted or not. */
static struct disbursement_move final_move(const struct sqlite_store *store, const struct final_attempt *final,
                                           bool cancel_wanted, uint64_t now_ms, char short_text[SHORT_TEXT_BYTES])
{
    struct disbursement_move move = { .intent = final->intent, .at_ms = now_ms, .actor = store->holder };
    if (final->purpose == PURPOSE_SELF_TRANSFER) {
        move.to = STATE_CANCELLED;
        move.cause = CAUSE_FINAL_CANCEL;
        move.detail = "a transfer of 0 to self used its nonce, in a final block";
    } else if (final->succeeded && final->is_unpaid) {
        move.to = STATE_FAILED;
        move.cause = CAUSE_FINAL_REVERT;
        move.detail = "its transaction went through, in a final block, but its token moved nothing to the destination";
    } else if (final->succeeded && final->is_short) {
        char amount[BURSAR_AMOUNT_TEXT_BYTES];
        bursar_amount_to_text(final->short_by, amount);
        (void)snprintf(short_text, SHORT_TEXT_BYTES,
                       "its block is final; short-paid: the token moved %s base units less than was owed", amount);
        move.to = STATE_FINALIZED;
        move.cause = CAUSE_FINAL_SUCCESS;
        move.detail = short_text;
    } else if (final->succeeded) {
        move.to = STATE_FINALIZED;
        move.cause = CAUSE_FINAL_SUCCESS;
        move.detail = cancel_wanted ? "its block is final; to cancel it came too late, the payment was mined first"
                                    : "its block is final";
    } else {
        move.to = STATE_FAILED;
        move.cause = CAUSE_FINAL_REVERT;
        move.detail = "its transaction reverted, in a final block";
    }
    return move;
}

/* What was asked about these is answered now; *ret_any: something was. */
enum bursar_status close_cancels(struct sqlite_store *store, int64_t intent, uint64_t now_ms, bool *ret_any,
                                 struct bursar_error *err)
{
    struct items items;
    enum bursar_status status = live_items(store, intent, &items, err);
    for (size_t i = 0; i < items.count && status == BURSAR_OK; i++) {
        int changed = 0;
        sqlite3_stmt *stmt = statement(store, SQL_REQUEST_DONE, err);
        bind_i64(stmt, 1, REQUEST_CANCEL);
        bind_i64(stmt, 2, items.rows[i].id);
        bind_u64(stmt, 3, now_ms);
        status = run_statement(store, stmt, &changed, err);
        *ret_any = *ret_any || changed > 0;
    }
    return status;
}

static enum bursar_status any_cancel_open(struct sqlite_store *store, bool *ret, struct bursar_error *err)
{
    sqlite3_stmt *stmt = statement(store, SQL_REQUEST_OPEN_EXISTS, err);
    bind_i64(stmt, 1, REQUEST_CANCEL);
    enum bursar_status status = step_row(store, stmt, ret, err);
    if (status == BURSAR_OK && *ret)
        (void)sqlite3_reset(stmt);
    return status;
}

static enum bursar_status finish(struct sqlite_store *store, int64_t treasury, uint64_t now_ms,
                                 const struct final_attempt *final, bool any_cancel, struct bursar_error *err)
{
    bool cancel_wanted = false;
    sqlite3_stmt *stmt = statement(store, SQL_ATTEMPT_FINISH, err);
    bind_i64(stmt, 1, final->attempt);
    bind_u64(stmt, 2, final->gas_used);
    bind_u64(stmt, 3, final->effective_gas_price_wei);
    bind_i64(stmt, 4, final->intent);
    enum bursar_status status = change_one(store, stmt, "the attempt", err);
    if (status == BURSAR_OK)
        status = advance_intent(store, treasury, final->intent, INTENT_INCLUDED, INTENT_FINAL, err);
    if (status == BURSAR_OK && any_cancel)
        status = close_cancels(store, final->intent, now_ms, &cancel_wanted, err);
    if (status != BURSAR_OK)
        return status;
    char text[SHORT_TEXT_BYTES];
    const struct disbursement_move move = final_move(store, final, cancel_wanted, now_ms, text);
    status = move_items(store, treasury, &move, err);
    if (status == BURSAR_OK && (final->is_short || final->is_unpaid)) {
        stmt = statement(store, SQL_ITEM_SHORT, err);
        bind_i64(stmt, 1, final->intent);
        bind_amount(stmt, 2, &final->short_by);
        status = run_statement(store, stmt, NULL, err);
    }
    if (status == BURSAR_OK && move.cause == CAUSE_FINAL_REVERT) {
        char incident[SHORT_TEXT_BYTES];
        (void)snprintf(incident, sizeof incident, "nonce %llu: %s", (unsigned long long) final->nonce, move.detail);
        status = money_note_incident(store, treasury, now_ms, MONEY_REVERTS, incident, err);
    }
    if (status != BURSAR_OK)
        return status;
    return end_items(store, final->intent, move.to == STATE_FINALIZED, move.cause, err);
}

static enum bursar_status set_mark(struct sqlite_store *store, enum sqlite_statement which, int64_t treasury,
                                   const struct block_mark *mark, struct bursar_error *err)
{
    sqlite3_stmt *stmt = statement(store, which, err);
    bind_i64(stmt, 1, treasury);
    bind_u64(stmt, 2, mark->number);
    bind_hash(stmt, 3, &mark->hash);
    return run_statement(store, stmt, NULL, err);
}

static enum bursar_status set_marks(struct sqlite_store *store, int64_t treasury, const struct settlement *settlement,
                                    struct bursar_error *err)
{
    enum bursar_status status = BURSAR_OK;
    for (size_t i = 0; i < settlement->scanned_count && status == BURSAR_OK; i++)
        status = set_mark(store, SQL_SCANNED_ADD, treasury, &settlement->scanned[i], err);
    if (status == BURSAR_OK && settlement->has_scan)
        status = set_mark(store, SQL_SCAN_SET, treasury, &settlement->scan, err);
    if (status != BURSAR_OK || !settlement->has_anchor)
        return status;
    status = set_mark(store, SQL_ANCHOR_SET, treasury, &settlement->anchor, err);
    if (status != BURSAR_OK)
        return status;
    sqlite3_stmt *stmt = statement(store, SQL_SCANNED_FORGET_BELOW, err);
    bind_i64(stmt, 1, treasury);
    bind_u64(stmt, 2, settlement->anchor.number);
    status = run_statement(store, stmt, NULL, err);
    if (status == BURSAR_OK && (settlement->has_balance || settlement->forgets_balance))
        status = money_set_mark(store, treasury, settlement->anchor.number,
                                settlement->has_balance ? &settlement->balance : NULL, err);
    return status;
}

static enum bursar_status settle(void *ctx, struct fence fence, uint64_t now_ms, const struct settlement *settlement,
                                 struct bursar_error *err)
{
    struct sqlite_store *store = ctx;
    enum bursar_status status = write_begin(store, &fence, err);
    if (status != BURSAR_OK)
        return status;
    if (settlement->has_fork)
        status = undo_above(store, fence.treasury, now_ms, settlement->fork_number, err);
    for (size_t i = 0; i < settlement->included_count && status == BURSAR_OK; i++)
        status = include(store, fence.treasury, now_ms, &settlement->included[i], err);
    bool any_cancel = false;
    if (status == BURSAR_OK && settlement->final_count)
        status = any_cancel_open(store, &any_cancel, err);
    for (size_t i = 0; i < settlement->final_count && status == BURSAR_OK; i++)
        status = finish(store, fence.treasury, now_ms, &settlement->final[i], any_cancel, err);
    if (status == BURSAR_OK && settlement->final_count)
        status = money_note_final(store, fence.treasury, settlement->final, settlement->final_count, err);
    if (status == BURSAR_OK && settlement->missing)
        status = money_note_incident(store, fence.treasury, now_ms, MONEY_BALANCE_MISMATCH, settlement->missing, err);
    if (status == BURSAR_OK)
        status = set_marks(store, fence.treasury, settlement, err);
    return write_end(store, status, err);
}

static void read_included(sqlite3_stmt *stmt, void *rows, size_t index)
{
    struct included_attempt *included = (struct included_attempt *)rows + index;
    *included = (struct included_attempt){ .attempt = sqlite3_column_int64(stmt, 0),
                                           .intent = sqlite3_column_int64(stmt, 1),
                                           .nonce = column_u64(stmt, 2),
                                           .purpose = sqlite3_column_int(stmt, 6),
                                           .block.number = column_u64(stmt, 4) };
    column_hash(stmt, 3, &included->hash);
    column_hash(stmt, 5, &included->block.hash);
    column_address(stmt, 7, &included->to);
    column_data(stmt, 8, &included->data);
    column_amount(stmt, 9, &included->value);
}

static void read_mark(sqlite3_stmt *stmt, void *rows, size_t index)
{
    struct block_mark *mark = (struct block_mark *)rows + index;
    mark->number = column_u64(stmt, 0);
    column_hash(stmt, 1, &mark->hash);
}

/* Both selects are (treasury, block number, limit). */
static enum bursar_status select_by_block(struct sqlite_store *store, enum sqlite_statement which, int64_t treasury,
                                          uint64_t number, size_t limit, row_reader *read, void *ret, size_t *ret_count,
                                          struct bursar_error *err)
{
    sqlite3_stmt *stmt = statement(store, which, err);
    bind_i64(stmt, 1, treasury);
    bind_u64(stmt, 2, number);
    bind_u64(stmt, 3, limit);
    size_t count = 0;
    enum bursar_status status = collect_rows(store, stmt, read, ret, limit, &count, err);
    if (status == BURSAR_OK)
        *ret_count = count;
    return status;
}

static enum bursar_status included_select(void *ctx, int64_t treasury, uint64_t number, size_t limit,
                                          struct included_attempt *ret, size_t *ret_count, struct bursar_error *err)
{
    return select_by_block(ctx, SQL_INCLUDED_UP_TO, treasury, number, limit, read_included, ret, ret_count, err);
}

static enum bursar_status scanned_select(void *ctx, int64_t treasury, uint64_t from_number, size_t limit,
                                         struct block_mark *ret, size_t *ret_count, struct bursar_error *err)
{
    return select_by_block(ctx, SQL_SCANNED, treasury, from_number, limit, read_mark, ret, ret_count, err);
}

void sqlite_fill_settle(struct store *interface)
{
    interface->settle = settle;
    interface->included_select = included_select;
    interface->scanned_select = scanned_select;
}

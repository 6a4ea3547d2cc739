/* What people see: snapshot, counts, lists, histories, intents for reconciling. */
#include "store/sqlite_core.h"

static const char *column_string(sqlite3_stmt *stmt, int column)
{
    const unsigned char *text = sqlite3_column_text(stmt, column);
    return text ? (const char *)text : "";
}

static bool has_column(sqlite3_stmt *stmt, int column)
{
    return sqlite3_column_type(stmt, column) != SQLITE_NULL;
}

/* INV-8: a latched halt gives way to nothing here. */
static enum bursar_status save_halt(struct sqlite_store *store, int64_t id, enum halt_code halt, const char *reason,
                                    struct bursar_error *err)
{
    sqlite3_stmt *stmt = statement(store, SQL_TREASURY_GET, err);
    bind_i64(stmt, 1, id);
    bool row;
    enum bursar_status status = step_row(store, stmt, &row, err);
    if (status != BURSAR_OK)
        return status;
    enum halt_code stored = row ? (enum halt_code)sqlite3_column_int(stmt, 11) : HALT_NONE;
    if (row)
        (void)sqlite3_reset(stmt);
    if (halt_latches(stored))
        return BURSAR_OK;
    stmt = statement(store, SQL_HALT_SET, err);
    bind_i64(stmt, 1, id);
    bind_i64(stmt, 2, halt);
    bind_text(stmt, 3, reason);
    return run_statement(store, stmt, NULL, err);
}

static enum bursar_status snapshot_save(void *ctx, struct fence fence, const struct snapshot *snapshot,
                                        enum halt_code halt, const char *halt_reason, struct bursar_error *err)
{
    struct sqlite_store *store = ctx;
    enum bursar_status status = write_begin(store, &fence, err);
    if (status != BURSAR_OK)
        return status;
    sqlite3_stmt *stmt = statement(store, SQL_SNAPSHOT_SAVE, err);
    bind_i64(stmt, 1, fence.treasury);
    bind_u64(stmt, 2, snapshot->last_tick_ms);
    bind_u64(stmt, 3, snapshot->last_success_ms);
    bind_u64(stmt, 4, snapshot->last_error_ms);
    bind_text(stmt, 5, snapshot->last_error);
    bind_text(stmt, 6, snapshot->hold);
    if (snapshot->has_available) {
        bind_amount(stmt, 7, &snapshot->available);
        bind_amount(stmt, 8, &snapshot->gas_cost);
    }
    if (snapshot->has_final) {
        bind_u64(stmt, 9, snapshot->final_time_s);
        bind_u64(stmt, 10, snapshot->final_epoch);
    }
    status = run_statement(store, stmt, NULL, err);
    if (status == BURSAR_OK)
        status = save_halt(store, fence.treasury, halt, halt_reason ? halt_reason : "", err);
    if (status == BURSAR_OK)
        status = balance_keep(store, fence.treasury, snapshot, err);
    return write_end(store, status, err);
}

static enum bursar_status snapshot_read(void *ctx, int64_t treasury, struct snapshot *ret, struct bursar_error *err)
{
    struct sqlite_store *store = ctx;
    sqlite3_stmt *stmt = statement(store, SQL_SNAPSHOT_READ, err);
    bind_i64(stmt, 1, treasury);
    bool row;
    enum bursar_status status = step_row(store, stmt, &row, err);
    if (status != BURSAR_OK)
        return status;
    if (!row)
        return bursar_fail(err, BURSAR_ENOTFOUND, "no such treasury");
    *ret = (struct snapshot){ .last_tick_ms = column_u64(stmt, 0),
                              .last_success_ms = column_u64(stmt, 1),
                              .last_error_ms = column_u64(stmt, 2),
                              .has_available = has_column(stmt, 5) };
    column_copy(stmt, 3, ret->last_error, sizeof ret->last_error);
    column_copy(stmt, 4, ret->hold, sizeof ret->hold);
    column_amount(stmt, 5, &ret->available);
    column_amount(stmt, 6, &ret->gas_cost);
    (void)sqlite3_reset(stmt);
    return BURSAR_OK;
}

enum bursar_status each_row(struct sqlite_store *store, sqlite3_stmt *stmt,
                            enum bursar_status (*row_seen)(void *ctx, sqlite3_stmt *stmt), void *ctx,
                            struct bursar_error *err)
{
    bool row = true;
    for (;;) {
        enum bursar_status status = step_row(store, stmt, &row, err);
        if (status != BURSAR_OK || !row)
            return status;
        status = row_seen(ctx, stmt);
        if (status != BURSAR_OK) {
            (void)sqlite3_reset(stmt);
            return status;
        }
    }
}

static enum bursar_status count_seen(void *ctx, sqlite3_stmt *stmt)
{
    uint64_t *counts = ctx;
    int state = sqlite3_column_int(stmt, 0);
    if (state >= STATE_FIRST && state <= STATE_LAST)
        counts[state] = column_u64(stmt, 1);
    return BURSAR_OK;
}

static enum bursar_status counts(void *ctx, int64_t treasury, uint64_t ret_counts[STATE_COUNT],
                                 struct bursar_error *err)
{
    struct sqlite_store *store = ctx;
    for (int i = 0; i < STATE_COUNT; i++)
        ret_counts[i] = 0;
    sqlite3_stmt *stmt = statement(store, SQL_COUNTS, err);
    bind_i64(stmt, 1, treasury);
    return each_row(store, stmt, count_seen, ret_counts, err);
}

static bool never_settles(enum disbursement_state state)
{
    return state == STATE_FAILED || state == STATE_CANCELLED || state == STATE_ROLLED_BACK;
}

/* What holds a row up: its own stored reason, else what it waits for, else that it failed. */
static enum block_code blocked_by(enum disbursement_state state, enum block_code stored,
                                  enum disbursement_state awaited)
{
    if (state == STATE_FAILED)
        return BLOCK_FAILED;
    if (state != STATE_QUEUED)
        return BLOCK_NONE;
    return stored == BLOCK_NONE && never_settles(awaited) ? BLOCK_DEPENDENCY : stored;
}

enum bursar_status disbursement_seen(void *ctx, sqlite3_stmt *stmt)
{
    const struct disbursement_seer *seer = ctx;
    enum disbursement_state awaited = (enum disbursement_state)sqlite3_column_int(stmt, 12);
    struct disbursement_record record = {
        .id = sqlite3_column_int64(stmt, 0),
        .version = column_u64(stmt, 1),
        .ref = column_string(stmt, 2),
        .memo = column_string(stmt, 6),
        .schedule = (enum schedule_kind)sqlite3_column_int(stmt, 7),
        .schedule_value = column_u64(stmt, 8),
        .state = (enum disbursement_state)sqlite3_column_int(stmt, 9),
        .blocked_note = column_string(stmt, 33),
        .blocked_gas = column_u64(stmt, 34),
        .recheck_number = column_u64(stmt, 35),
        .blocked_on_ref = has_column(stmt, 11) ? column_string(stmt, 11) : NULL,
        .blocked_on_state = awaited,
        .queued_ms = column_u64(stmt, 13),
        .has_nonce = has_column(stmt, 14),
        .nonce = column_u64(stmt, 14),
        .has_transaction = has_column(stmt, 15),
        .has_block = has_column(stmt, 16),
        .block.number = column_u64(stmt, 16),
        .has_fee = has_column(stmt, 18),
        .gas_used = column_u64(stmt, 18),
        .effective_gas_price_wei = column_u64(stmt, 19),
    };
    record.newest = (struct shown_attempt){ .seq = (unsigned)sqlite3_column_int(stmt, 21),
                                            .purpose = sqlite3_column_int(stmt, 22),
                                            .max_fee_per_gas_wei = column_u64(stmt, 23),
                                            .max_priority_fee_per_gas_wei = column_u64(stmt, 24),
                                            .head_number = column_u64(stmt, 25),
                                            .sends = column_u64(stmt, 26),
                                            .last_sent_ms = column_u64(stmt, 27),
                                            .verdict = sqlite3_column_int(stmt, 28),
                                            .message = column_string(stmt, 29) };
    record.cancel_wanted = sqlite3_column_int(stmt, 30) != 0;
    record.ended_ms = state_is_terminal_or_failed(record.state) ? column_u64(stmt, 20) : 0;
    record.blocked = blocked_by(record.state, (enum block_code)sqlite3_column_int(stmt, 10), awaited);
    column_hash(stmt, 3, &record.content_hash);
    column_address(stmt, 4, &record.destination);
    column_amount(stmt, 5, &record.amount);
    column_asset(stmt, 31, &record.asset);
    record.is_short = has_column(stmt, 36);
    if (record.is_short)
        column_amount(stmt, 36, &record.short_by);
    record.has_decimals = has_column(stmt, 32);
    record.decimals = (unsigned)sqlite3_column_int(stmt, 32);
    column_hash(stmt, 15, &record.transaction_hash);
    column_hash(stmt, 17, &record.block.hash);
    return seer->visit(seer->ctx, &record);
}

static enum bursar_status list(void *ctx, int64_t treasury, const struct list_filter *filter,
                               disbursement_visitor *visit, void *visit_ctx, struct bursar_error *err)
{
    struct sqlite_store *store = ctx;
    enum sqlite_statement which = filter->only_blocked ? SQL_LIST_BLOCKED : filter->state ? SQL_LIST_STATE : SQL_LIST;
    sqlite3_stmt *stmt = statement(store, which, err);
    bind_i64(stmt, 1, treasury);
    bind_i64(stmt, 2, filter->after_id);
    bind_u64(stmt, 3, filter->limit);
    if (which == SQL_LIST_STATE)
        bind_i64(stmt, 4, filter->state);
    struct disbursement_seer seer = { visit, visit_ctx };
    return each_row(store, stmt, disbursement_seen, &seer, err);
}

static enum bursar_status progress_of(struct sqlite_store *store, int64_t id, size_t *finalized, size_t *stuck,
                                      struct bursar_error *err)
{
    sqlite3_stmt *stmt = statement(store, SQL_PROGRESS, err);
    bind_i64(stmt, 1, id);
    bool row;
    enum bursar_status status = step_row(store, stmt, &row, err);
    if (status != BURSAR_OK || !row)
        return status;
    enum disbursement_state state = (enum disbursement_state)sqlite3_column_int(stmt, 0);
    enum block_code blocked = blocked_by(state, (enum block_code)sqlite3_column_int(stmt, 1),
                                         (enum disbursement_state)sqlite3_column_int(stmt, 2));
    *finalized += state == STATE_FINALIZED;
    *stuck += never_settles(state) || (blocked != BLOCK_NONE && blocked != BLOCK_UNESTIMATED);
    (void)sqlite3_reset(stmt);
    return BURSAR_OK;
}

static enum bursar_status progress(void *ctx, const int64_t *ids, size_t count, size_t *ret_finalized,
                                   size_t *ret_stuck, struct bursar_error *err)
{
    struct sqlite_store *store = ctx;
    *ret_finalized = *ret_stuck = 0;
    enum bursar_status status = run_statement(store, statement(store, SQL_BEGIN_READ, err), NULL, err);
    if (status != BURSAR_OK)
        return status;
    for (size_t i = 0; i < count && status == BURSAR_OK; i++)
        status = progress_of(store, ids[i], ret_finalized, ret_stuck, err);
    return write_end(store, status, err);
}

static enum bursar_status ref_find(void *ctx, int64_t treasury, const char *ref, int64_t *ret_id,
                                   struct bursar_error *err)
{
    struct sqlite_store *store = ctx;
    sqlite3_stmt *stmt = statement(store, SQL_REF_FIND, err);
    bind_i64(stmt, 1, treasury);
    bind_text(stmt, 2, ref);
    bool row;
    enum bursar_status status = step_row(store, stmt, &row, err);
    if (status != BURSAR_OK)
        return status;
    if (!row)
        return bursar_fail(err, BURSAR_ENOTFOUND, "no disbursement has the ref '%s'", ref);
    *ret_id = sqlite3_column_int64(stmt, 0);
    (void)sqlite3_reset(stmt);
    return BURSAR_OK;
}

static enum bursar_status foreign_uses(void *ctx, int64_t treasury, struct foreign_uses *ret, struct bursar_error *err)
{
    struct sqlite_store *store = ctx;
    sqlite3_stmt *stmt = statement(store, SQL_FOREIGN_USES, err);
    struct foreign_uses uses = { 0 };
    bind_i64(stmt, 1, treasury);
    bool row;
    enum bursar_status status = step_row(store, stmt, &row, err);
    if (status != BURSAR_OK)
        return status;
    if (row) {
        uses = (struct foreign_uses){ .count = column_u64(stmt, 0),
                                      .nonce = column_u64(stmt, 1),
                                      .block_number = column_u64(stmt, 3),
                                      .seen_ms = column_u64(stmt, 4) };
        column_hash(stmt, 2, &uses.hash);
        (void)sqlite3_reset(stmt);
    }
    *ret = uses;
    return BURSAR_OK;
}

struct story_seer {
    text_visitor *visit_dependency;
    event_visitor *visit_event;
    attempt_visitor *visit_attempt;
    void *ctx;
};

static enum bursar_status dependency_seen(void *ctx, sqlite3_stmt *stmt)
{
    const struct story_seer *seer = ctx;
    seer->visit_dependency(seer->ctx, column_string(stmt, 0));
    return BURSAR_OK;
}

static enum bursar_status event_seen(void *ctx, sqlite3_stmt *stmt)
{
    const struct story_seer *seer = ctx;
    struct event_record record = {
        .seq = column_u64(stmt, 0),
        .at_ms = column_u64(stmt, 1),
        .cause = (enum lifecycle_cause)sqlite3_column_int(stmt, 2),
        .from_state = sqlite3_column_int(stmt, 3),
        .to_state = sqlite3_column_int(stmt, 4),
        .actor = column_string(stmt, 5),
        .detail = column_string(stmt, 6),
    };
    return seer->visit_event(seer->ctx, &record);
}

static enum bursar_status attempt_seen(void *ctx, sqlite3_stmt *stmt)
{
    const struct story_seer *seer = ctx;
    struct attempt_record record = {
        .id = sqlite3_column_int64(stmt, 0),
        .intent = sqlite3_column_int64(stmt, 1),
        .nonce = column_u64(stmt, 2),
        .seq = (unsigned)sqlite3_column_int(stmt, 3),
        .purpose = sqlite3_column_int(stmt, 4),
        .status = (enum attempt_status)sqlite3_column_int(stmt, 5),
        .max_priority_fee_per_gas_wei = column_u64(stmt, 7),
        .max_fee_per_gas_wei = column_u64(stmt, 8),
        .signed_ms = column_u64(stmt, 9),
        .sends = column_u64(stmt, 10),
        .last_sent_ms = column_u64(stmt, 11),
        .verdict = sqlite3_column_int(stmt, 12),
        .message = column_string(stmt, 13),
        .has_block = has_column(stmt, 14),
        .block.number = column_u64(stmt, 14),
        .has_fee = has_column(stmt, 16),
        .gas_used = column_u64(stmt, 16),
        .effective_gas_price_wei = column_u64(stmt, 17),
    };
    column_hash(stmt, 6, &record.hash);
    column_hash(stmt, 15, &record.block.hash);
    return seer->visit_attempt(seer->ctx, &record);
}

static enum bursar_status note_found(void *ctx, const struct disbursement_record *record)
{
    (void)record;
    *(bool *)ctx = true;
    return BURSAR_OK;
}

static enum bursar_status show_one(struct sqlite_store *store, int64_t treasury, int64_t id,
                                   disbursement_visitor *visit, void *visit_ctx, struct bursar_error *err)
{
    sqlite3_stmt *stmt = statement(store, SQL_SHOW, err);
    bind_i64(stmt, 1, treasury);
    bind_i64(stmt, 2, id);
    struct disbursement_seer seer = { visit, visit_ctx };
    return each_row(store, stmt, disbursement_seen, &seer, err);
}

static enum bursar_status story(struct sqlite_store *store, enum sqlite_statement which, int64_t id,
                                enum bursar_status (*seen)(void *, sqlite3_stmt *), struct story_seer *seer,
                                struct bursar_error *err)
{
    sqlite3_stmt *stmt = statement(store, which, err);
    bind_i64(stmt, 1, id);
    return each_row(store, stmt, seen, seer, err);
}

static enum bursar_status show(void *ctx, int64_t treasury, int64_t id, disbursement_visitor *visit,
                               text_visitor *visit_dependency, event_visitor *visit_event,
                               attempt_visitor *visit_attempt, void *visit_ctx, struct bursar_error *err)
{
    struct sqlite_store *store = ctx;
    struct story_seer seer = { visit_dependency, visit_event, visit_attempt, visit_ctx };
    bool found = false;
    enum bursar_status status = run_statement(store, statement(store, SQL_BEGIN_READ, err), NULL, err);
    if (status != BURSAR_OK)
        return status;
    status = show_one(store, treasury, id, note_found, &found, err);
    if (status == BURSAR_OK && !found)
        status = bursar_fail(err, BURSAR_ENOTFOUND, "this treasury has no disbursement %lld", (long long)id);
    if (status == BURSAR_OK)
        status = show_one(store, treasury, id, visit, visit_ctx, err);
    if (status == BURSAR_OK)
        status = story(store, SQL_SHOW_DEPENDENCIES, id, dependency_seen, &seer, err);
    if (status == BURSAR_OK)
        status = story(store, SQL_SHOW_EVENTS, id, event_seen, &seer, err);
    if (status == BURSAR_OK)
        status = story(store, SQL_SHOW_ATTEMPTS, id, attempt_seen, &seer, err);
    return write_end(store, status, err);
}

struct content_seer {
    content_visitor *visit;
    void *ctx;
};

struct intent_seer {
    intent_visitor *visit;
    void *ctx;
};

static enum bursar_status intent_seen(void *ctx, sqlite3_stmt *stmt)
{
    const struct intent_seer *seer = ctx;
    struct intent_record record = {
        .intent = sqlite3_column_int64(stmt, 0),
        .nonce = column_u64(stmt, 1),
        .kind = (enum intent_kind)sqlite3_column_int(stmt, 2),
        .status = (enum intent_status)sqlite3_column_int(stmt, 3),
        .disbursement = sqlite3_column_int64(stmt, 6),
        .state = (enum disbursement_state)sqlite3_column_int(stmt, 7),
        .has_attempt = has_column(stmt, 8),
        .has_block = has_column(stmt, 9),
        .block.number = column_u64(stmt, 9),
        .has_fee = has_column(stmt, 11),
        .gas_used = column_u64(stmt, 11),
        .effective_gas_price_wei = column_u64(stmt, 12),
        .is_live = sqlite3_column_int(stmt, 13) == 1,
        .outcome = sqlite3_column_int(stmt, 14),
        .is_newest = sqlite3_column_int(stmt, 15) == 1,
        .purpose = sqlite3_column_int(stmt, 16),
    };
    column_address(stmt, 4, &record.to);
    column_amount(stmt, 5, &record.value);
    column_data(stmt, 17, &record.data);
    record.is_short = has_column(stmt, 18);
    if (record.is_short)
        column_amount(stmt, 18, &record.short_by);
    column_hash(stmt, 8, &record.hash);
    column_hash(stmt, 10, &record.block.hash);
    return seer->visit(seer->ctx, &record);
}

static enum bursar_status intents(void *ctx, int64_t treasury, uint64_t from_nonce, size_t limit, intent_visitor *visit,
                                  void *visit_ctx, struct bursar_error *err)
{
    struct sqlite_store *store = ctx;
    sqlite3_stmt *stmt = statement(store, SQL_INTENTS, err);
    bind_i64(stmt, 1, treasury);
    bind_u64(stmt, 2, from_nonce);
    bind_u64(stmt, 3, limit);
    struct intent_seer seer = { visit, visit_ctx };
    return each_row(store, stmt, intent_seen, &seer, err);
}

static enum bursar_status attempts(void *ctx, int64_t treasury, uint64_t nonce, unsigned seq, size_t limit,
                                   attempt_visitor *visit, void *visit_ctx, struct bursar_error *err)
{
    struct sqlite_store *store = ctx;
    struct story_seer seer = { .visit_attempt = visit, .ctx = visit_ctx };
    sqlite3_stmt *stmt = statement(store, SQL_ATTEMPTS, err);
    bind_i64(stmt, 1, treasury);
    bind_u64(stmt, 2, nonce);
    bind_u64(stmt, 3, seq);
    bind_u64(stmt, 4, limit);
    return each_row(store, stmt, attempt_seen, &seer, err);
}

static enum bursar_status content_seen(void *ctx, sqlite3_stmt *stmt)
{
    const struct content_seer *seer = ctx;
    struct content_record record = {
        .id = sqlite3_column_int64(stmt, 0),
        .version = column_u64(stmt, 1),
        .state = (enum disbursement_state)sqlite3_column_int(stmt, 2),
        .ref = column_string(stmt, 3),
        .waits = sqlite3_column_int(stmt, 6) == 1,
        .schedule = (enum schedule_kind)sqlite3_column_int(stmt, 7),
        .schedule_value = column_u64(stmt, 8),
    };
    column_address(stmt, 4, &record.destination);
    column_amount(stmt, 5, &record.amount);
    column_asset(stmt, 9, &record.asset);
    column_hash(stmt, 10, &record.content_hash);
    return seer->visit(seer->ctx, &record);
}

static enum bursar_status contents(void *ctx, int64_t treasury, int64_t after_id, size_t limit, content_visitor *visit,
                                   void *visit_ctx, struct bursar_error *err)
{
    struct sqlite_store *store = ctx;
    struct content_seer seer = { visit, visit_ctx };
    sqlite3_stmt *stmt = statement(store, SQL_CONTENTS, err);
    bind_i64(stmt, 1, treasury);
    bind_i64(stmt, 2, after_id);
    bind_u64(stmt, 3, limit);
    return each_row(store, stmt, content_seen, &seer, err);
}

void sqlite_fill_shown(struct store *interface)
{
    interface->snapshot_save = snapshot_save;
    interface->snapshot_read = snapshot_read;
    interface->counts = counts;
    interface->list = list;
    interface->progress = progress;
    interface->ref_find = ref_find;
    interface->show = show;
    interface->intents = intents;
    interface->foreign_uses = foreign_uses;
    interface->attempts = attempts;
    interface->contents = contents;
}

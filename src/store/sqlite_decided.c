/* What people decide about one disbursement: each is one move of the lifecycle, or a refusal that says why. */
#include "store/sqlite_core.h"

#include <string.h>

enum bursar_status decision_check(const struct decision *decision, struct bursar_error *err)
{
    size_t length = strlen(decision->reason);
    if (!*decision->actor || strlen(decision->actor) >= ACTOR_MAX_BYTES)
        return bursar_fail(err, BURSAR_EINVAL, "a decision needs the name of who makes it, of at most %d bytes",
                           ACTOR_MAX_BYTES - 1);
    if (length == 0 || length > REASON_MAX_BYTES)
        return bursar_fail(err, BURSAR_EINVAL, "a decision needs a reason of 1-%d bytes", REASON_MAX_BYTES);
    return BURSAR_OK;
}

static enum bursar_status read_standing(struct sqlite_store *store, int64_t treasury, struct disbursement_version *row,
                                        struct bursar_error *err)
{
    sqlite3_stmt *stmt = statement(store, SQL_STANDING, err);
    bind_i64(stmt, 1, row->id);
    bind_i64(stmt, 2, treasury);
    bool found = false;
    enum bursar_status status = step_row(store, stmt, &found, err);
    if (status != BURSAR_OK)
        return status;
    if (!found)
        return bursar_fail(err, BURSAR_ENOTFOUND, "this treasury has no disbursement %lld", (long long)row->id);
    row->state = (enum disbursement_state)sqlite3_column_int(stmt, 0);
    row->version = column_u64(stmt, 1);
    (void)sqlite3_reset(stmt);
    return BURSAR_OK;
}

static enum bursar_status refuse(const struct disbursement_version *row, enum lifecycle_cause cause, const char *why,
                                 struct bursar_error *err)
{
    const char *state = state_name(row->state);
    return bursar_fail(err, BURSAR_EREFUSED, "disbursement %lld is %s and can't be %s: %s", (long long)row->id,
                       state ? state : "?", cause == CAUSE_PERSON_RETRIED ? "retried" : "cancelled", why);
}

/* One move by a person, inside a write transaction. */
static enum bursar_status decide(struct sqlite_store *store, int64_t treasury, int64_t id, enum disbursement_state to,
                                 enum lifecycle_cause cause, const struct decision *decision, struct bursar_error *err)
{
    struct disbursement_version row = { .id = id };
    enum bursar_status status = read_standing(store, treasury, &row, err);
    if (status != BURSAR_OK)
        return status;
    const char *why_not = lifecycle_refusal(row.state, cause);
    if (why_not)
        return refuse(&row, cause, why_not, err);
    struct disbursement_move move = {
        .to = to, .cause = cause, .at_ms = decision->at_ms, .actor = decision->actor, .detail = decision->reason
    };
    return disbursement_move(store, treasury, &row, &move, err);
}

static enum bursar_status cancel(void *ctx, int64_t treasury, int64_t id, const struct decision *decision,
                                 struct bursar_error *err)
{
    struct sqlite_store *store = ctx;
    enum bursar_status status = decision_check(decision, err);
    if (status == BURSAR_OK)
        status = write_begin(store, NULL, err);
    if (status != BURSAR_OK)
        return status;
    status = decide(store, treasury, id, STATE_CANCELLED, CAUSE_PERSON_CANCELLED, decision, err);
    return write_end(store, status, err);
}

static enum bursar_status add_request(struct sqlite_store *store, int64_t treasury,
                                      const struct disbursement_version *row, const struct decision *decision,
                                      struct bursar_error *err)
{
    sqlite3_stmt *stmt = statement(store, SQL_REQUEST_ADD, err);
    bind_i64(stmt, 1, REQUEST_CANCEL);
    bind_i64(stmt, 2, row->id);
    bind_u64(stmt, 3, row->version);
    bind_text(stmt, 4, decision->actor);
    bind_text(stmt, 5, decision->reason);
    bind_u64(stmt, 6, decision->at_ms);
    enum bursar_status status = run_statement(store, stmt, NULL, err);
    const struct event_fields event = { .treasury = treasury,
                                        .disbursement = row->id,
                                        .at_ms = decision->at_ms,
                                        .cause = CAUSE_CANCEL_REQUESTED,
                                        .from_state = row->state,
                                        .to_state = row->state,
                                        .actor = decision->actor,
                                        .detail = decision->reason };
    return status == BURSAR_OK ? event_append(store, &event, err) : status;
}

static enum bursar_status is_asked_already(struct sqlite_store *store, int64_t id, bool *ret, struct bursar_error *err)
{
    sqlite3_stmt *stmt = statement(store, SQL_REQUEST_OPEN_FOR, err);
    bind_i64(stmt, 1, REQUEST_CANCEL);
    bind_i64(stmt, 2, id);
    enum bursar_status status = step_row(store, stmt, ret, err);
    if (status == BURSAR_OK && *ret)
        (void)sqlite3_reset(stmt);
    return status;
}

enum bursar_status request_cancel(struct sqlite_store *store, int64_t treasury, int64_t id,
                                  const struct decision *decision, struct bursar_error *err)
{
    struct disbursement_version row = { .id = id };
    bool asked = false;
    enum bursar_status status = read_standing(store, treasury, &row, err);
    if (status != BURSAR_OK)
        return status;
    if (row.state != STATE_STAGED) {
        const char *why_not = lifecycle_refusal(row.state, CAUSE_PERSON_CANCELLED);
        return refuse(&row, CAUSE_PERSON_CANCELLED, why_not ? why_not : "it is not bound yet: cancel it at once", err);
    }
    status = is_asked_already(store, id, &asked, err);
    if (status == BURSAR_OK && asked)
        return bursar_fail(err, BURSAR_EEXIST, "disbursement %lld is being cancelled already", (long long)id);
    return status == BURSAR_OK ? add_request(store, treasury, &row, decision, err) : status;
}

static enum bursar_status cancel_request(void *ctx, int64_t treasury, int64_t id, const struct decision *decision,
                                         struct bursar_error *err)
{
    struct sqlite_store *store = ctx;
    enum bursar_status status = decision_check(decision, err);
    if (status == BURSAR_OK)
        status = write_begin(store, NULL, err);
    if (status != BURSAR_OK)
        return status;
    return write_end(store, request_cancel(store, treasury, id, decision, err), err);
}

/* INV-1: what failed has ended its intent item for good, and only so can it be bound to another nonce. */
static enum bursar_status check_released(struct sqlite_store *store, int64_t id, struct bursar_error *err)
{
    sqlite3_stmt *stmt = statement(store, SQL_ITEM_LIVE_EXISTS, err);
    bind_i64(stmt, 1, id);
    bool row = false;
    enum bursar_status status = step_row(store, stmt, &row, err);
    if (status != BURSAR_OK || !row)
        return status;
    (void)sqlite3_reset(stmt);
    return bursar_fail(err, BURSAR_EREFUSED,
                       "disbursement %lld failed, but its nonce still counts as its payment: run `bursar reconcile`",
                       (long long)id);
}

static enum bursar_status retry(void *ctx, int64_t treasury, int64_t id, const struct decision *decision,
                                struct bursar_error *err)
{
    struct sqlite_store *store = ctx;
    enum bursar_status status = decision_check(decision, err);
    if (status == BURSAR_OK)
        status = write_begin(store, NULL, err);
    if (status != BURSAR_OK)
        return status;
    status = decide(store, treasury, id, STATE_QUEUED, CAUSE_PERSON_RETRIED, decision, err);
    if (status == BURSAR_OK)
        status = check_released(store, id, err);
    if (status == BURSAR_OK)
        status = wait_on_next(store, id, err);
    return write_end(store, status, err);
}

void sqlite_fill_decided(struct store *interface)
{
    interface->cancel = cancel;
    interface->retry = retry;
    interface->cancel_request = cancel_request;
}

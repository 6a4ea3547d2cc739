/* The event log, chained by hashes, and the one function that moves a disbursement. */
#include "store/sqlite_core.h"

#include <nettle/sha2.h>
#include <string.h>

static void hash_u64(struct sha256_ctx *sha, uint64_t value)
{
    uint8_t bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(value >> (56 - 8 * i));
    sha256_update(sha, sizeof bytes, bytes);
}

static void hash_text(struct sha256_ctx *sha, const char *text)
{
    size_t length = strlen(text);
    hash_u64(sha, length);
    sha256_update(sha, length, (const uint8_t *)text);
}

/* Version 1 of an event's hash: the chain's previous hash, then every field, texts length-prefixed. */
static void event_hash(const struct bursar_hash *prev_hash, uint64_t seq, const struct event_fields *event,
                       struct bursar_hash *ret)
{
    struct sha256_ctx sha;
    sha256_init(&sha);
    hash_text(&sha, "bursar-event-v1");
    sha256_update(&sha, sizeof prev_hash->bytes, prev_hash->bytes);
    hash_u64(&sha, seq);
    hash_u64(&sha, (uint64_t)event->treasury);
    hash_u64(&sha, (uint64_t)event->disbursement);
    hash_u64(&sha, (uint64_t)event->intent);
    hash_u64(&sha, event->at_ms);
    hash_u64(&sha, (uint64_t)event->cause);
    hash_u64(&sha, (uint64_t)event->from_state);
    hash_u64(&sha, (uint64_t)event->to_state);
    hash_text(&sha, event->actor);
    hash_text(&sha, event->detail);
    sha256_digest(&sha, sizeof ret->bytes, ret->bytes);
}

static enum bursar_status event_tail_read(struct sqlite_store *store, struct bursar_error *err)
{
    sqlite3_stmt *stmt = statement(store, SQL_EVENT_LAST, err);
    bool row;
    enum bursar_status status = step_row(store, stmt, &row, err);
    if (status != BURSAR_OK)
        return status;
    store->tail = (struct event_tail){ 0 };
    if (!row)
        return BURSAR_OK;
    struct bursar_hash prev_hash;
    struct event_fields last = {
        .treasury = sqlite3_column_int64(stmt, 1),
        .disbursement = sqlite3_column_int64(stmt, 2),
        .intent = sqlite3_column_int64(stmt, 3),
        .at_ms = column_u64(stmt, 4),
        .cause = (enum lifecycle_cause)sqlite3_column_int(stmt, 5),
        .from_state = sqlite3_column_int(stmt, 6),
        .to_state = sqlite3_column_int(stmt, 7),
        .actor = (const char *)sqlite3_column_text(stmt, 8),
        .detail = (const char *)sqlite3_column_text(stmt, 9),
    };
    if (!last.actor || !last.detail)
        return bursar_fail(err, BURSAR_ENOMEM, "out of memory reading the event log");
    store->tail.seq = column_u64(stmt, 0);
    column_hash(stmt, 10, &prev_hash);
    event_hash(&prev_hash, store->tail.seq, &last, &store->tail.hash);
    (void)sqlite3_reset(stmt);
    return BURSAR_OK;
}

enum bursar_status event_append(struct sqlite_store *store, const struct event_fields *event, struct bursar_error *err)
{
    enum bursar_status status = BURSAR_OK;
    if (store->tail.seq == 0 && (status = event_tail_read(store, err)) != BURSAR_OK)
        return status;
    uint64_t seq = store->tail.seq + 1;
    sqlite3_stmt *stmt = statement(store, SQL_EVENT_ADD, err);
    bind_u64(stmt, 1, seq);
    bind_i64(stmt, 2, event->treasury);
    if (event->disbursement)
        bind_i64(stmt, 3, event->disbursement);
    if (event->intent)
        bind_i64(stmt, 4, event->intent);
    bind_u64(stmt, 5, event->at_ms);
    bind_i64(stmt, 6, event->cause);
    bind_i64(stmt, 7, event->from_state);
    bind_i64(stmt, 8, event->to_state);
    bind_text(stmt, 9, event->actor);
    bind_text(stmt, 10, event->detail);
    bind_hash(stmt, 11, &store->tail.hash);
    status = run_statement(store, stmt, NULL, err);
    if (status != BURSAR_OK)
        return status;
    struct bursar_hash prev_hash = store->tail.hash;
    event_hash(&prev_hash, seq, event, &store->tail.hash);
    store->tail.seq = seq;
    return BURSAR_OK;
}

/* From staged or executed to the next, or back: not to queued, failed or cancelled, where more is to be set. */
static bool goes_on(enum disbursement_state from, enum disbursement_state to)
{
    return (from == STATE_STAGED || from == STATE_EXECUTED) &&
           (to == STATE_STAGED || to == STATE_EXECUTED || to == STATE_FINALIZED);
}

enum bursar_status disbursement_move(struct sqlite_store *store, int64_t treasury,
                                     const struct disbursement_version *from, const struct disbursement_move *move,
                                     struct bursar_error *err)
{
    if (!lifecycle_allows(from->state, move->to, move->cause))
        return bursar_fail(err, BURSAR_EINTERNAL, "disbursement %lld may not move from %s to %s (%s)",
                           (long long)from->id, state_name(from->state), state_name(move->to),
                           lifecycle_cause_name(move->cause));
    sqlite3_stmt *stmt =
        statement(store, goes_on(from->state, move->to) ? SQL_DISBURSEMENT_GO_ON : SQL_DISBURSEMENT_MOVE, err);
    bind_i64(stmt, 1, from->id);
    bind_i64(stmt, 2, from->state);
    bind_u64(stmt, 3, from->version);
    bind_i64(stmt, 4, move->to);
    bind_i64(stmt, 5, treasury);
    int changed = 0;
    enum bursar_status status = run_statement(store, stmt, &changed, err);
    if (status != BURSAR_OK)
        return status;
    if (changed != 1)
        return bursar_fail(err, BURSAR_ESTALE, "disbursement %lld was moved by somebody else", (long long)from->id);
    struct event_fields event = {
        .treasury = treasury,
        .disbursement = from->id,
        .intent = move->intent,
        .at_ms = move->at_ms,
        .cause = move->cause,
        .from_state = from->state,
        .to_state = move->to,
        .actor = move->actor,
        .detail = move->detail,
    };
    return event_append(store, &event, err);
}

/* What a host gets to see: lists, one disbursement with its history, the executor's snapshot. */
#include "embed/embed_store.h"

#include "chain/chain.h"

#include <string.h>

#define STATE_NUMBER(name) (int)BURSAR_STATE_##name == (int)STATE_##name
_Static_assert(STATE_NUMBER(DRAFT) && STATE_NUMBER(VOTING) && STATE_NUMBER(QUEUED) && STATE_NUMBER(STAGED) &&
                   STATE_NUMBER(EXECUTED) && STATE_NUMBER(FINALIZED) && STATE_NUMBER(CANCELLED) &&
                   STATE_NUMBER(FAILED) && STATE_NUMBER(ROLLED_BACK) && BURSAR_STATE_COUNT == STATE_COUNT,
               "states are stored, and are the same inside and outside");
_Static_assert(BURSAR_LIST_MAX_COUNT == LIST_MAX_ROWS, "limits are the same inside and outside");

#define FLIGHT_PAGE 256

const char *bursar_state_name(enum bursar_state state)
{
    return state_name((enum disbursement_state)state);
}

static const char *blocked_name(enum block_code code)
{
    switch (code) {
    case BLOCK_NONE:
        return NULL;
    case BLOCK_FUNDS:
        return "funds";
    case BLOCK_DESTINATION_CODE:
        return "destination_code";
    case BLOCK_DEPENDENCY:
        return "dependency";
    case BLOCK_FAILED:
        return "failed";
    case BLOCK_REVERTS:
        return "reverts";
    case BLOCK_UNESTIMATED:
        return "unestimated";
    case BLOCK_GAS:
        return "gas";
    case BLOCK_TOKEN:
        return "token";
    }
    return NULL;
}

void embed_disbursement(const struct disbursement_record *record, struct bursar_disbursement *ret)
{
    *ret = (struct bursar_disbursement){ .size = sizeof *ret,
                                         .id = record->id,
                                         .ref = record->ref,
                                         .destination = record->destination,
                                         .amount = record->amount,
                                         .memo = record->memo,
                                         .schedule = (enum bursar_schedule)record->schedule,
                                         .schedule_value = record->schedule_value,
                                         .state = (enum bursar_state)record->state,
                                         .blocked = blocked_name(record->blocked),
                                         .waits_for = record->blocked_on_ref,
                                         .queued_ms = record->queued_ms,
                                         .has_nonce = record->has_nonce,
                                         .nonce = record->nonce,
                                         .has_transaction = record->has_transaction,
                                         .transaction = record->transaction_hash,
                                         .has_block = record->has_block,
                                         .block_number = record->block.number,
                                         .token = record->asset.is_token ? &record->asset.token : NULL };
    ret->has_fee = record->has_fee && bursar_amount_multiply(bursar_amount_from_u64(record->effective_gas_price_wei),
                                                             record->gas_used, &ret->fee);
}

/* -- list and show ------------------------------------------------------------------------------------------------- */

#define ENOUGH BURSAR_ECANCELLED /* the host's visitor has seen enough */

struct viewing {
    struct bursar_show show;
    bool has_enough;
};

static enum bursar_status view_disbursement(void *ctx, const struct disbursement_record *record)
{
    struct viewing *viewing = ctx;
    struct bursar_disbursement shown;
    if (!viewing->show.disbursement)
        return BURSAR_OK;
    embed_disbursement(record, &shown);
    viewing->has_enough = !viewing->show.disbursement(viewing->show.ctx, &shown);
    return viewing->has_enough ? ENOUGH : BURSAR_OK;
}

static void view_dependency(void *ctx, const char *ref)
{
    struct viewing *viewing = ctx;
    if (viewing->show.dependency && !viewing->has_enough)
        viewing->has_enough = !viewing->show.dependency(viewing->show.ctx, ref);
}

static enum bursar_status view_event(void *ctx, const struct event_record *record)
{
    struct viewing *viewing = ctx;
    const char *cause = lifecycle_cause_name(record->cause);
    const struct bursar_event shown = { .size = sizeof shown,
                                        .seq = record->seq,
                                        .at_ms = record->at_ms,
                                        .from_state = record->from_state,
                                        .to_state = (enum bursar_state)record->to_state,
                                        .cause = cause ? cause : "",
                                        .actor = record->actor,
                                        .detail = record->detail };
    if (viewing->show.event && !viewing->has_enough)
        viewing->has_enough = !viewing->show.event(viewing->show.ctx, &shown);
    return viewing->has_enough ? ENOUGH : BURSAR_OK;
}

static enum bursar_status view_attempt(void *ctx, const struct attempt_record *record)
{
    struct viewing *viewing = ctx;
    const char *verdict = record->verdict ? submit_verdict_name((enum submit_verdict)record->verdict) : NULL;
    const struct bursar_attempt shown = { .size = sizeof shown,
                                          .nonce = record->nonce,
                                          .transaction = record->hash,
                                          .signed_ms = record->signed_ms,
                                          .sends = record->sends,
                                          .last_sent_ms = record->last_sent_ms,
                                          .verdict = verdict ? verdict : "",
                                          .message = record->message,
                                          .has_block = record->has_block,
                                          .block_number = record->block.number };
    if (viewing->show.attempt && !viewing->has_enough)
        viewing->has_enough = !viewing->show.attempt(viewing->show.ctx, &shown);
    return viewing->has_enough ? ENOUGH : BURSAR_OK;
}

enum bursar_status bursar_store_list(struct bursar_store *store, int64_t treasury, int state, int64_t after_id,
                                     size_t limit, bursar_disbursement_visitor *visit, void *ctx,
                                     struct bursar_error *err)
{
    if (state < 0 || state > STATE_LAST || !visit || limit == 0 || limit > BURSAR_LIST_MAX_COUNT)
        return bursar_fail(err, BURSAR_EUSAGE, "state 0 to %d, limit 1 to %d and a visitor are needed", STATE_LAST,
                           BURSAR_LIST_MAX_COUNT);
    struct viewing viewing = { .show = { .ctx = ctx, .disbursement = visit } };
    const struct list_filter filter = { .state = state, .after_id = after_id, .limit = limit };
    enum bursar_status status = embed_store_enter(store, err);
    if (status != BURSAR_OK)
        return status;
    status = store->store.list(store->store.ctx, treasury, &filter, view_disbursement, &viewing, err);
    embed_store_leave(store);
    return viewing.has_enough && status == ENOUGH ? BURSAR_OK : status;
}

enum bursar_status bursar_store_show(struct bursar_store *store, int64_t treasury, int64_t id,
                                     const struct bursar_show *show, struct bursar_error *err)
{
    struct viewing viewing = { 0 };
    enum bursar_status status = embed_check_size(show->size, sizeof *show, "bursar_show", err);
    if (status != BURSAR_OK)
        return status;
    embed_read_struct(&viewing.show, sizeof viewing.show, show, show->size);
    status = embed_store_enter(store, err);
    if (status != BURSAR_OK)
        return status;
    status = store->store.show(store->store.ctx, treasury, id, view_disbursement, view_dependency, view_event,
                               view_attempt, &viewing, err);
    embed_store_leave(store);
    return viewing.has_enough && status == ENOUGH ? BURSAR_OK : status;
}

enum bursar_status bursar_store_find(struct bursar_store *store, int64_t treasury, const char *ref, int64_t *ret_id,
                                     struct bursar_error *err)
{
    if (!ref)
        return bursar_fail(err, BURSAR_EUSAGE, "a ref is needed");
    enum bursar_status status = embed_store_enter(store, err);
    if (status != BURSAR_OK)
        return status;
    status = store->store.ref_find(store->store.ctx, treasury, ref, ret_id, err);
    embed_store_leave(store);
    return status;
}

/* -- snapshot ------------------------------------------------------------------------------------------------------ */

/* The highest nonce with bytes that were handed over. Bytes go out in nonce order, so what is no flight any more was.
 */
static enum bursar_status find_last_submitted(const struct store *store, int64_t treasury, const struct lane *lane,
                                              uint64_t first_nonce, struct bursar_snapshot *snapshot,
                                              struct bursar_error *err)
{
    struct flight page[FLIGHT_PAGE];
    uint64_t from_nonce = 0, above = lane->next_nonce; /* the lowest nonce that was never handed over */
    size_t count;
    bool was_unsent = false;
    do {
        count = 0;
        enum bursar_status status =
            store->flights_select(store->ctx, treasury, from_nonce, FLIGHT_PAGE, page, &count, err);
        if (status != BURSAR_OK)
            return status;
        for (size_t i = 0; i < count && !was_unsent; i++) {
            was_unsent = page[i].sends == 0;
            above = was_unsent ? page[i].nonce : above;
        }
        from_nonce = count ? page[count - 1].nonce + 1 : 0;
    } while (count == FLIGHT_PAGE && !was_unsent);
    snapshot->has_last_submitted_nonce = lane->has_intents && above > first_nonce;
    snapshot->last_submitted_nonce = snapshot->has_last_submitted_nonce ? above - 1 : 0;
    return BURSAR_OK;
}

static void fill_treasury(const struct treasury *treasury, struct bursar_snapshot *ret)
{
    const char *halt = halt_code_name(treasury->halt);
    if (treasury->halt != HALT_NONE) {
        (void)snprintf(ret->halt, sizeof ret->halt, "%s", halt ? halt : "?");
        (void)snprintf(ret->halt_reason, sizeof ret->halt_reason, "%s", treasury->halt_reason);
    }
    (void)snprintf(ret->lease_holder, sizeof ret->lease_holder, "%s", treasury->lease_holder);
    ret->lease_released = treasury->lease_holder[0] == '\0';
    ret->lease_expires_ms = ret->lease_released ? 0 : treasury->lease_renewed_ms + treasury->lease_ttl_ms;
    ret->lease_renewals = treasury->lease_renewals;
    ret->lease_epoch = treasury->lease_epoch;
}

static void fill_counts(const uint64_t counts[STATE_COUNT], struct bursar_snapshot *ret)
{
    for (int i = 0; i < BURSAR_STATE_COUNT; i++)
        ret->states[i] = counts[i];
    ret->pending = counts[STATE_QUEUED];
    ret->staged = counts[STATE_STAGED];
}

static enum bursar_status take_snapshot(const struct store *store, int64_t id, struct bursar_snapshot *ret,
                                        struct bursar_error *err)
{
    struct treasury treasury;
    struct snapshot snapshot;
    struct lane lane;
    uint64_t counts[STATE_COUNT];
    enum bursar_status status = store->treasury_get(store->ctx, id, &treasury, err);
    if (status == BURSAR_OK)
        status = store->snapshot_read(store->ctx, id, &snapshot, err);
    if (status == BURSAR_OK)
        status = store->counts(store->ctx, id, counts, err);
    if (status == BURSAR_OK)
        status = store->lane_read(store->ctx, id, &lane, err);
    if (status == BURSAR_OK)
        status = find_last_submitted(store, id, &lane, treasury.first_nonce, ret, err);
    if (status != BURSAR_OK)
        return status;
    fill_treasury(&treasury, ret);
    fill_counts(counts, ret);
    ret->last_tick_ms = snapshot.last_tick_ms;
    ret->last_success_ms = snapshot.last_success_ms;
    ret->last_error_ms = snapshot.last_error_ms;
    (void)snprintf(ret->last_error, sizeof ret->last_error, "%s", snapshot.last_error);
    (void)snprintf(ret->hold, sizeof ret->hold, "%s", snapshot.hold);
    ret->has_lease_last_nonce = lane.has_intents;
    ret->lease_last_nonce = lane.has_intents ? lane.next_nonce - 1 : 0;
    return BURSAR_OK;
}

enum bursar_status bursar_store_snapshot(struct bursar_store *store, int64_t treasury, struct bursar_snapshot *ret,
                                         struct bursar_error *err)
{
    struct bursar_snapshot snapshot = { 0 };
    enum bursar_status status = embed_check_size(ret->size, sizeof *ret, "bursar_snapshot", err);
    if (status == BURSAR_OK)
        status = embed_store_enter(store, err);
    if (status != BURSAR_OK)
        return status;
    status = take_snapshot(&store->store, treasury, &snapshot, err);
    embed_store_leave(store);
    if (status == BURSAR_OK)
        embed_write_struct(ret, ret->size, &snapshot, sizeof snapshot);
    return status;
}

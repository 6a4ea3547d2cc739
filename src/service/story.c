/* See story.h. */
#include "service/story.h"

#include "base/cleanup.h"
#include "chain/chain.h"
#include "service/json_values.h"
#include "service/shown.h"

json_t *story_event_json(const struct event_record *event)
{
    const char *cause = lifecycle_cause_name(event->cause);
    const char *from = event->from_state ? state_name((enum disbursement_state)event->from_state) : NULL;
    const char *to = state_name((enum disbursement_state)event->to_state);
    return json_pack("{s:I,s:o,s:s,s:o,s:o,s:o,s:o}", "seq", (json_int_t)event->seq, "at", output_json_ms(event->at_ms),
                     "cause", cause ? cause : "unknown", "from", from ? json_string(from) : json_null(), "to",
                     to ? json_string(to) : json_null(), "actor", output_json_text(event->actor ? event->actor : ""),
                     "detail", output_json_text(event->detail ? event->detail : ""));
}

const char *story_attempt_status_name(enum attempt_status status)
{
    switch (status) {
    case ATTEMPT_SIGNED:
        return "signed";
    case ATTEMPT_INCLUDED:
        return "included";
    case ATTEMPT_FINAL:
        return "final";
    }
    return "unknown";
}

static const char *purpose_name(int purpose)
{
    static const char *const names[] = { "", "payment", "replacement", "self", "foreign", "found" };
    return purpose > 0 && purpose < (int)COUNT_OF(names) ? names[purpose] : "unknown";
}

json_t *story_attempt_json(const struct attempt_record *attempt)
{
    struct bursar_amount fee;
    bool has_fee = shown_fee(attempt->has_fee, attempt->gas_used, attempt->effective_gas_price_wei, &fee);
    const char *verdict = attempt->verdict ? submit_verdict_name((enum submit_verdict)attempt->verdict) : NULL;
    json_t *item = json_pack(
        "{s:I,s:I,s:s,s:s,s:o,s:o,s:o,s:o}", "nonce", (json_int_t)attempt->nonce, "seq", (json_int_t)attempt->seq,
        "purpose", purpose_name(attempt->purpose), "status", story_attempt_status_name(attempt->status), "tx_hash",
        output_json_hash(&attempt->hash), "max_fee_per_gas",
        output_json_amount(bursar_amount_from_u64(attempt->max_fee_per_gas_wei)), "max_priority_fee_per_gas",
        output_json_amount(bursar_amount_from_u64(attempt->max_priority_fee_per_gas_wei)), "signed_at",
        output_json_ms(attempt->signed_ms));
    json_t *more =
        json_pack("{s:I,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "sends", (json_int_t)attempt->sends, "last_sent_at",
                  output_json_ms(attempt->last_sent_ms), "verdict", verdict ? json_string(verdict) : json_null(),
                  "message", output_json_text(attempt->message ? attempt->message : ""), "block_number",
                  attempt->has_block ? json_integer((json_int_t)attempt->block.number) : json_null(), "block_hash",
                  attempt->has_block ? output_json_hash(&attempt->block.hash) : json_null(), "gas_used",
                  attempt->has_fee ? json_integer((json_int_t)attempt->gas_used) : json_null(), "fee",
                  has_fee ? output_json_amount(fee) : json_null());
    if (!item || !more || json_object_update(item, more) != 0) {
        json_decref(item);
        item = NULL;
    }
    json_decref(more);
    return item;
}

json_t *story_log_json(const struct event_record *event, const char *treasury)
{
    json_t *item = story_event_json(event);
    json_t *more = json_pack("{s:s,s:o,s:o}", "treasury", treasury, "id",
                             event->disbursement ? json_integer((json_int_t)event->disbursement) : json_null(), "ref",
                             event->ref ? output_json_text(event->ref) : json_null());
    if (!item || !more || json_object_update(item, more) != 0) {
        json_decref(item);
        item = NULL;
    }
    json_decref(more);
    return item;
}

/* Collects the visits. */
struct story {
    const struct situation *situation;
    const struct asset_names *names;
    json_t *item;
    json_t *dependencies;
    json_t *history;
    json_t *attempts;
};

static enum bursar_status take_record(void *ctx, const struct disbursement_record *record)
{
    struct story *story = ctx;
    story->item = shown_json(record, story->situation, story->names);
    return story->item ? BURSAR_OK : BURSAR_ENOMEM;
}

static void take_dependency(void *ctx, const char *ref)
{
    struct story *story = ctx;
    (void)json_array_append_new(story->dependencies, output_json_text(ref));
}

static enum bursar_status take_event(void *ctx, const struct event_record *event)
{
    struct story *story = ctx;
    return json_array_append_new(story->history, story_event_json(event)) == 0 ? BURSAR_OK : BURSAR_ENOMEM;
}

static enum bursar_status take_attempt(void *ctx, const struct attempt_record *attempt)
{
    struct story *story = ctx;
    return json_array_append_new(story->attempts, story_attempt_json(attempt)) == 0 ? BURSAR_OK : BURSAR_ENOMEM;
}

enum bursar_status story_read(const struct store *store, int64_t id, const struct situation *situation,
                              const struct asset_names *names, json_t **ret, struct bursar_error *err)
{
    struct story story = { .situation = situation,
                           .names = names,
                           .dependencies = json_array(),
                           .history = json_array(),
                           .attempts = json_array() };
    enum bursar_status status = store->show(store->ctx, situation->treasury.id, id, take_record, take_dependency,
                                            take_event, take_attempt, &story, err);
    /* the arrays are taken over, also when there is nothing to put them into */
    bool good = json_object_set_new(story.item, "depends_on", story.dependencies) == 0;
    good = json_object_set_new(story.item, "history", story.history) == 0 && good;
    good = json_object_set_new(story.item, "attempts", story.attempts) == 0 && good;
    if (status == BURSAR_OK && !good)
        status = bursar_fail(err, BURSAR_ENOMEM, "out of memory");
    if (status != BURSAR_OK) {
        json_decref(story.item);
        return status;
    }
    *ret = story.item;
    return BURSAR_OK;
}

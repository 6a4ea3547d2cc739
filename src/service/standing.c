/* See standing.h. */
#include "service/standing.h"

#include "base/time.h"
#include "service/json_values.h"

#define NODE_TIMEOUT_MAX_MS 2000

static enum bursar_status take_blocked(void *ctx, const struct disbursement_record *record)
{
    struct standing *standing = ctx;
    struct diagnosis diagnosis;
    diagnose(record, &standing->situation, &diagnosis);
    if (diagnosis.kind != DIAGNOSIS_BLOCKED || standing->blocked_seen > BLOCKED_SHOWN_MAX_COUNT)
        return BURSAR_OK;
    if (standing->blocked_seen++ == BLOCKED_SHOWN_MAX_COUNT)
        return BURSAR_OK;
    char asset[ASSET_TEXT_BYTES];
    asset_text(&record->asset, asset);
    json_t *item =
        json_pack("{s:I,s:o,s:s,s:o,s:o,s:o}", "id", (json_int_t)record->id, "ref", output_json_text(record->ref),
                  "asset", asset, "amount", output_json_amount(record->amount), "cause",
                  output_json_text(diagnosis.text.cause), "action", output_json_text(diagnosis.text.action));
    return json_array_append_new(standing->blocked, item) == 0 ? BURSAR_OK : BURSAR_ENOMEM;
}

static enum bursar_status read_store(const struct store *store, const struct treasury_settings *settings,
                                     struct standing *standing, struct bursar_error *err)
{
    int64_t id = standing->treasury.id;
    struct list_filter filter = { .only_blocked = true,
                                  .limit = BLOCKED_SHOWN_MAX_COUNT + 2 }; /* one more may be merely under way */
    enum bursar_status status =
        situation_read(store, &standing->treasury, &settings->limits, standing->now_ms, &standing->situation, err);
    if (status == BURSAR_OK)
        status = store->counts(store->ctx, id, standing->counts, err);
    if (status == BURSAR_OK)
        status = store->foreign_uses(store->ctx, id, &standing->foreign, err);
    if (status == BURSAR_OK)
        status = breaker_standing_read(store, id, &settings->limits.breaker, standing->now_ms, &standing->breaker, err);
    if (status == BURSAR_OK)
        status = store->list(store->ctx, id, &filter, take_blocked, standing, err);
    return status;
}

enum bursar_status standing_read(const struct store *store, const struct treasury_settings *settings,
                                 const struct treasury *treasury, bool (*is_cancelled)(void *ctx), void *cancel_ctx,
                                 struct standing *ret, struct bursar_error *err)
{
    struct clock clock = system_clock();
    uint32_t timeout_ms = settings->rpc_timeout_ms;
    *ret = (struct standing){ .section = settings->section,
                              .is_stored = treasury->id != 0,
                              .treasury = *treasury,
                              .now_ms = clock.wall_ms(clock.ctx),
                              .blocked = json_array() };
    breaker_standing_none(&settings->limits.breaker, ret->now_ms, &ret->breaker);
    enum bursar_status status = ret->is_stored ? read_store(store, settings, ret, err) : BURSAR_OK;
    if (status != BURSAR_OK)
        return status;
    if (ret->is_stored)
        live_look_at_log(store, settings->section, &ret->treasury, &ret->look);
    live_look_at_node(settings->section, &ret->treasury,
                      timeout_ms < NODE_TIMEOUT_MAX_MS ? timeout_ms : NODE_TIMEOUT_MAX_MS, is_cancelled, cancel_ctx,
                      &ret->look);
    bool is_recorded = ret->treasury.halt != HALT_NONE;
    ret->halt = is_recorded ? ret->treasury.halt : ret->look.halt;
    ret->halt_reason = is_recorded ? ret->treasury.halt_reason : ret->look.halt_reason;
    return BURSAR_OK;
}

void standing_clear(struct standing *standing)
{
    json_decref(standing->blocked);
    standing->blocked = NULL;
}

static uint64_t lease_left_ms(const struct standing *standing)
{
    uint64_t end_ms = standing->treasury.lease_renewed_ms + standing->treasury.lease_ttl_ms;
    return end_ms > standing->now_ms ? end_ms - standing->now_ms : 0;
}

static json_t *queue_json(const struct standing *standing)
{
    json_t *queue = json_object();
    for (int state = STATE_FIRST; state <= STATE_LAST; state++) {
        const char *name = state_name((enum disbursement_state)state);
        if (name && json_object_set_new(queue, name, json_integer((json_int_t)standing->counts[state])) != 0) {
            json_decref(queue);
            return NULL;
        }
    }
    return queue;
}

static json_t *text_or_null(const char *text)
{
    return *text ? output_json_text(text) : json_null();
}

static json_t *halt_json(const struct standing *standing)
{
    const char *name = halt_code_name(standing->halt);
    if (standing->halt == HALT_NONE)
        return json_null();
    return json_pack("{s:s,s:o,s:s}", "code", name ? name : "unknown", "reason",
                     output_json_text(standing->halt_reason), "action", halt_action(standing->halt));
}

static json_t *lease_json(const struct standing *standing)
{
    const struct treasury *treasury = &standing->treasury;
    if (!treasury->lease_holder[0])
        return json_null();
    return json_pack("{s:o,s:I,s:I}", "holder", output_json_text(treasury->lease_holder), "epoch",
                     (json_int_t)treasury->lease_epoch, "expires_in_ms", (json_int_t)lease_left_ms(standing));
}

static json_t *node_json(const struct standing *standing)
{
    const struct live_look *look = &standing->look;
    if (!look->has_view)
        return json_pack("{s:b,s:o}", "reachable", 0, "error", text_or_null(look->node_error));
    return json_pack("{s:b,s:I,s:o}", "reachable", 1, "latest_block", (json_int_t)look->view.latest.block.number,
                     "final_block",
                     look->view.has_final ? json_integer((json_int_t)look->view.final.block.number) : json_null());
}

static json_t *nodes_json(const struct live_look *look)
{
    json_t *list = json_array();
    for (size_t i = 0; i < look->node_count; i++) {
        const struct live_node *node = &look->nodes[i];
        json_t *item =
            json_pack("{s:o,s:s,s:o,s:o}", "url", output_json_text(node->url), "state", node_state_name(node->state),
                      "last_error", text_or_null(node->last_error), "latest_block",
                      node->has_latest ? json_integer((json_int_t)node->latest_block) : json_null());
        if (json_array_append_new(list, item) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static json_t *foreign_json(const struct standing *standing)
{
    const struct foreign_uses *foreign = &standing->foreign;
    if (foreign->count == 0)
        return json_null();
    return json_pack("{s:I,s:I,s:o,s:I,s:o}", "count", (json_int_t)foreign->count, "nonce", (json_int_t)foreign->nonce,
                     "tx_hash", output_json_hash(&foreign->hash), "block_number", (json_int_t)foreign->block_number,
                     "seen_at", output_json_ms(foreign->seen_ms));
}

json_t *standing_json(const struct standing *standing, json_t *webhooks)
{
    const struct snapshot *snapshot = &standing->situation.snapshot;
    json_t *item = json_pack(
        "{s:s,s:o,s:I,s:o,s:o,s:o,s:o,s:o,s:o,s:O}", "treasury", standing->section->name, "address",
        output_json_address(&standing->treasury.address), "chain_id", (json_int_t)standing->section->chain_id,
        "balance", standing->look.has_view ? output_json_amount(standing->look.view.balance) : json_null(), "queue",
        queue_json(standing), "breaker", breaker_json(&standing->breaker), "lease", lease_json(standing), "last_error",
        text_or_null(snapshot->last_error), "halt", halt_json(standing), "blocked", standing->blocked);
    json_t *more = json_pack(
        "{s:b,s:o,s:o,s:o,s:o,s:o,s:o,s:b,s:I,s:I,s:b,s:o,s:O}", "blocked_more",
        standing->blocked_seen > BLOCKED_SHOWN_MAX_COUNT, "hold", text_or_null(snapshot->hold), "last_error_at",
        output_json_ms(snapshot->last_error_ms), "last_success_at", output_json_ms(snapshot->last_success_ms),
        "last_tick_at", output_json_ms(snapshot->last_tick_ms), "node", node_json(standing), "nodes",
        nodes_json(&standing->look), "executor_running", lease_is_live(&standing->treasury, standing->now_ms),
        "in_flight", (json_int_t)standing->situation.lane.in_flight, "next_nonce",
        (json_int_t)standing->situation.lane.next_nonce, "stored", standing->is_stored, "foreign",
        foreign_json(standing), "webhooks", webhooks);
    if (!item || !more || json_object_update(item, more) != 0) {
        json_decref(item);
        item = NULL;
    }
    json_decref(more);
    return item;
}

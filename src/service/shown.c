/* A disbursement as a JSON object, and the texts that tables share with it. */
#include "service/shown.h"

#include "base/time.h"
#include "service/json_values.h"

void shown_schedule(const struct disbursement_record *record, char ret[SHOWN_SCHEDULE_TEXT_BYTES])
{
    char time_text[RFC3339_TEXT_BYTES];
    ret[0] = 0;
    switch (record->schedule) {
    case SCHEDULE_NOW:
        return;
    case SCHEDULE_TIME:
        rfc3339_from_seconds(record->schedule_value, time_text);
        (void)snprintf(ret, SHOWN_SCHEDULE_TEXT_BYTES, "%s", time_text);
        return;
    case SCHEDULE_EPOCH:
        (void)snprintf(ret, SHOWN_SCHEDULE_TEXT_BYTES, "epoch:%llu", (unsigned long long)record->schedule_value);
        return;
    }
}

bool shown_fee(bool has_fee, uint64_t gas_used, uint64_t effective_gas_price_wei, struct bursar_amount *ret)
{
    return has_fee && bursar_amount_multiply(bursar_amount_from_u64(effective_gas_price_wei), gas_used, ret);
}

/* {"cause","action"} of a diagnosis of this kind, else null. */
static json_t *diagnosis_json(const struct diagnosis *diagnosis, enum diagnosis_kind kind)
{
    if (diagnosis->kind != kind)
        return json_null();
    return json_pack("{s:o,s:o}", "cause", output_json_text(diagnosis->text.cause), "action",
                     output_json_text(diagnosis->text.action));
}

static json_t *text_or_null(const char *text)
{
    return text && *text ? output_json_text(text) : json_null();
}

static json_t *number_or_null(bool has, uint64_t number)
{
    return has ? json_integer((json_int_t)number) : json_null();
}

json_t *shown_json(const struct disbursement_record *record, const struct situation *situation,
                   const struct asset_names *names)
{
    struct diagnosis diagnosis;
    struct bursar_amount fee;
    char schedule[SHOWN_SCHEDULE_TEXT_BYTES], units[BURSAR_AMOUNT_UNITS_TEXT_BYTES], asset[ASSET_TEXT_BYTES];
    const char *state = state_name(record->state);
    diagnose(record, situation, &diagnosis);
    bool is_waiting = record->blocked == BLOCK_NONE && record->state == STATE_QUEUED;
    bool has_fee = shown_fee(record->has_fee, record->gas_used, record->effective_gas_price_wei, &fee);
    shown_schedule(record, schedule);
    bool is_token = record->asset.is_token, has_units = asset_units(record, units);
    asset_text(&record->asset, asset);
    json_t *item = json_pack("{s:I,s:o,s:o,s:s,s:o,s:o,s:s}", "id", (json_int_t)record->id, "ref",
                             output_json_text(record->ref), "destination", output_json_address(&record->destination),
                             "asset", asset, "amount", output_json_amount(record->amount), "memo",
                             output_json_text(record->memo), "state", state ? state : "unknown");
    json_t *more = json_pack(
        "{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "nonce",
        number_or_null(record->has_nonce, record->nonce), "tx_hash",
        record->has_transaction ? output_json_hash(&record->transaction_hash) : json_null(), "block_number",
        number_or_null(record->has_block, record->block.number), "blocked",
        diagnosis_json(&diagnosis, DIAGNOSIS_BLOCKED), "waiting", diagnosis_json(&diagnosis, DIAGNOSIS_WAITING),
        "not_before", text_or_null(schedule), "waits_for", text_or_null(is_waiting ? record->blocked_on_ref : NULL),
        "fee", has_fee ? output_json_amount(fee) : json_null(), "queued_at", output_json_ms(record->queued_ms),
        "content_hash", output_json_hash(&record->content_hash), "amount_ether",
        is_token ? json_null() : json_string(units), "block_hash",
        record->has_block ? output_json_hash(&record->block.hash) : json_null(), "gas_used",
        number_or_null(record->has_fee, record->gas_used), "effective_gas_price",
        record->has_fee ? output_json_amount(bursar_amount_from_u64(record->effective_gas_price_wei)) : json_null(),
        "final_at", output_json_ms(record->ended_ms));
    json_t *about = json_pack(
        "{s:o,s:o,s:o,s:o}", "short_by", record->is_short ? output_json_amount(record->short_by) : json_null(),
        "asset_name", text_or_null(asset_name(names, &record->asset)), "decimals",
        number_or_null(has_units, is_token ? record->decimals : COIN_DECIMALS), "amount_units", text_or_null(units));
    if (!item || !more || !about || json_object_update(item, more) != 0 || json_object_update(item, about) != 0) {
        json_decref(item);
        item = NULL;
    }
    json_decref(more);
    json_decref(about);
    return item;
}

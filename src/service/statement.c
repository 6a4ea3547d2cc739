/* One row a disbursement, all columns always there. Refs and memos are the only free texts: they are always quoted, and
 * never altered, since a statement that changes what it states is none. */
#include "service/statement.h"

#include "base/time.h"
#include "service/json_values.h"
#include "service/shown.h"
#include "eth/address.h"

#define LINE_END "\r\n"

bool statement_csv_heading(struct buf *buf)
{
    return buf_append_text(
        buf,
        "id,ref,destination,asset,amount,amount_ether,memo,state,nonce,tx_hash,block_number,"
        "block_hash,gas_used,effective_gas_price,fee,queued_at,final_at,asset_name,amount_units,short_by" LINE_END);
}

/* RFC 4180: between double quotes, in which a double quote is doubled. */
static bool add_text(struct buf *buf, const char *text)
{
    bool good = buf_append(buf, "\"", 1);
    for (; good && *text; text++)
        good = *text == '"' ? buf_append(buf, "\"\"", 2) : buf_append(buf, text, 1);
    return good && buf_append(buf, "\"", 1);
}

static bool add_number(struct buf *buf, bool has, uint64_t number)
{
    return !has || buf_append_format(buf, "%llu", (unsigned long long)number);
}

static bool add_hash(struct buf *buf, bool has, const struct bursar_hash *hash)
{
    char text[HASH_TEXT_BYTES];
    if (!has)
        return true;
    hash_to_text(hash, text);
    return buf_append_text(buf, text);
}

static bool add_time(struct buf *buf, uint64_t wall_ms)
{
    char text[RFC3339_TEXT_BYTES];
    if (wall_ms == 0)
        return true;
    rfc3339_from_seconds(wall_ms / 1000, text);
    return buf_append_text(buf, text);
}

static bool add_separator(struct buf *buf)
{
    return buf_append(buf, ",", 1);
}

/* ref to state */
static bool add_payment(struct buf *buf, const struct disbursement_record *record)
{
    char address[ADDRESS_TEXT_BYTES], amount[BURSAR_AMOUNT_TEXT_BYTES], units[BURSAR_AMOUNT_UNITS_TEXT_BYTES];
    char asset[ASSET_TEXT_BYTES];
    const char *state = state_name(record->state);
    address_to_text(&record->destination, address);
    bursar_amount_to_text(record->amount, amount);
    asset_text(&record->asset, asset);
    (void)asset_units(record, units);
    return add_text(buf, record->ref) &&
           buf_append_format(buf, ",%s,%s,%s,%s,", address, asset, amount, record->asset.is_token ? "" : units) &&
           add_text(buf, record->memo) && buf_append_format(buf, ",%s", state ? state : "unknown");
}

/* nonce to fee */
static bool add_transaction(struct buf *buf, const struct disbursement_record *record)
{
    char fee_text[BURSAR_AMOUNT_TEXT_BYTES] = "";
    struct bursar_amount fee;
    if (shown_fee(record->has_fee, record->gas_used, record->effective_gas_price_wei, &fee))
        bursar_amount_to_text(fee, fee_text);
    return add_number(buf, record->has_nonce, record->nonce) && add_separator(buf) &&
           add_hash(buf, record->has_transaction, &record->transaction_hash) && add_separator(buf) &&
           add_number(buf, record->has_block, record->block.number) && add_separator(buf) &&
           add_hash(buf, record->has_block, &record->block.hash) && add_separator(buf) &&
           add_number(buf, record->has_fee, record->gas_used) && add_separator(buf) &&
           add_number(buf, record->has_fee, record->effective_gas_price_wei) && add_separator(buf) &&
           buf_append_text(buf, fee_text);
}

/* What came later stands behind what scripts may count on. */
static bool add_asset(struct buf *buf, const struct disbursement_record *record, const struct asset_names *names)
{
    char units[BURSAR_AMOUNT_UNITS_TEXT_BYTES];
    char short_by[BURSAR_AMOUNT_TEXT_BYTES] = "";
    const char *name = asset_name(names, &record->asset);
    (void)asset_units(record, units);
    if (record->is_short)
        bursar_amount_to_text(record->short_by, short_by);
    return buf_append_format(buf, "%s,%s,%s", name ? name : "", units, short_by);
}

bool statement_csv_row(struct buf *buf, const struct disbursement_record *record, const struct asset_names *names)
{
    return buf_append_format(buf, "%lld,", (long long)record->id) && add_payment(buf, record) && add_separator(buf) &&
           add_transaction(buf, record) && add_separator(buf) && add_time(buf, record->queued_ms) &&
           add_separator(buf) && add_time(buf, record->ended_ms) && add_separator(buf) &&
           add_asset(buf, record, names) && buf_append_text(buf, LINE_END);
}

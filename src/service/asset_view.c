/* See asset_view.h. Pure. */
#include "service/asset_view.h"

#include "doctor/words.h"
#include "service/json_values.h"

void asset_text(const struct asset *asset, char ret[ASSET_TEXT_BYTES])
{
    if (asset->is_token)
        address_to_text(&asset->token, ret);
    else
        (void)snprintf(ret, ASSET_TEXT_BYTES, "native");
}

const char *asset_name(const struct asset_names *names, const struct asset *asset)
{
    if (!asset->is_token)
        return NULL;
    const struct asset_config *found = asset_of(names->assets, names->count, names->chain_id, &asset->token);
    return found ? found->name : NULL;
}

bool asset_units(const struct disbursement_record *record, char ret[BURSAR_AMOUNT_UNITS_TEXT_BYTES])
{
    ret[0] = '\0';
    if (record->asset.is_token && !record->has_decimals)
        return false;
    bursar_amount_to_units(record->amount, record->asset.is_token ? record->decimals : COIN_DECIMALS, ret);
    return true;
}

void asset_amount(const struct asset_names *names, const struct disbursement_record *record,
                  char ret[ASSET_AMOUNT_TEXT_BYTES])
{
    char units[BURSAR_AMOUNT_UNITS_TEXT_BYTES], token[ASSET_TEXT_BYTES];
    const char *name = asset_name(names, &record->asset);
    if (!record->asset.is_token) {
        words_coin(record->amount, ret);
        return;
    }
    asset_text(&record->asset, token);
    bool has_units = asset_units(record, units);
    if (!has_units)
        bursar_amount_to_text(record->amount, units);
    (void)snprintf(ret, ASSET_AMOUNT_TEXT_BYTES, "%s%s%s%s", units, has_units ? "" : " base units",
                   name && has_units ? " " : " of ", name ? name : token);
}

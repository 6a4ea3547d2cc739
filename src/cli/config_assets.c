/* [asset NAME] sections: a token on a chain gets one name, and a name is one token on one chain. */
#include "cli/config_options.h"

#include <string.h>

const struct asset_config *config_asset_named(const struct config *config, const char *name, size_t length)
{
    return asset_named(config->assets, config->asset_count, name, length);
}

const struct asset_config *config_asset_of(const struct config *config, uint64_t chain_id,
                                           const struct bursar_address *token)
{
    return asset_of(config->assets, config->asset_count, chain_id, token);
}

/* Without a chain id it is on the treasuries' chain, if that is only one. */
static enum bursar_status settle_chain(const struct config *config, struct asset_config *asset, uint32_t line,
                                       struct bursar_error *err)
{
    for (size_t i = 0; i < config->treasury_count && asset->chain_id == CONFIG_CHAIN_OF_TREASURIES; i++) {
        if (config->treasuries[i].chain_id != config->treasuries[0].chain_id)
            return bursar_fail(err, BURSAR_EINVAL,
                               "%.200s:%u: [asset %s] lacks chain_id: the treasuries are on more than one chain",
                               config->path, line, asset->name);
    }
    if (asset->chain_id == CONFIG_CHAIN_OF_TREASURIES)
        asset->chain_id = config->treasuries[0].chain_id;
    return BURSAR_OK;
}

static enum bursar_status settle_rate(const struct config *config, struct asset_config *asset, uint32_t line,
                                      size_t *rates, struct bursar_error *err)
{
    const char *text = asset->max_spend_per_hour_text;
    struct bursar_error why = { 0 };
    if (!*text)
        return BURSAR_OK;
    if (++*rates >= MONEY_RATES_MAX_COUNT) /* the coin's is one more */
        return bursar_fail(err, BURSAR_EINVAL, "%.200s:%u: [asset %s] max_spend_per_hour: at most %d assets have one",
                           config->path, line, asset->name, MONEY_RATES_MAX_COUNT - 1);
    if (!asset->has_decimals)
        return bursar_fail(err, BURSAR_EINVAL, "%.200s:%u: [asset %s] max_spend_per_hour needs decimals beside it",
                           config->path, line, asset->name);
    if (bursar_amount_from_units(text, strlen(text), asset->decimals, &asset->max_spend_per_hour, &why) != BURSAR_OK)
        return bursar_fail(err, BURSAR_EINVAL, "%.200s:%u: [asset %s] max_spend_per_hour: '%.90s': %.200s",
                           config->path, line, asset->name, text, why.message);
    return BURSAR_OK;
}

enum bursar_status config_check_assets(struct config *config, const uint32_t *lines, struct bursar_error *err)
{
    size_t rates = 0;
    for (size_t i = 0; i < config->asset_count; i++) {
        struct asset_config *asset = &config->assets[i];
        enum bursar_status status = settle_chain(config, asset, lines[i], err);
        if (status == BURSAR_OK)
            status = settle_rate(config, asset, lines[i], &rates, err);
        if (status != BURSAR_OK)
            return status;
        const struct asset_config *first = config_asset_of(config, asset->chain_id, &asset->token);
        if (first != asset)
            return bursar_fail(err, BURSAR_EINVAL,
                               "%.200s:%u: [asset %s] is the token of [asset %s] (line %u): it gets one name only",
                               config->path, lines[i], asset->name, first->name, lines[first - config->assets]);
    }
    return BURSAR_OK;
}

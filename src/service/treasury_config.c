/* See treasury_config.h. */
#include "service/treasury_config.h"

#include "base/bytes.h"

#include <string.h>

size_t config_url_count(const struct treasury_config *treasury)
{
    size_t count = treasury->rpc[0] != '\0';
    for (const char *c = treasury->rpc; *c; c++)
        count += *c == ' ';
    return count;
}

size_t config_quorum(const struct treasury_config *treasury)
{
    size_t count = config_url_count(treasury);
    if (treasury->quorum > 0)
        return (size_t)treasury->quorum;
    return count < 3 ? 1 : count / 2 + 1;
}

const struct asset_config *asset_named(const struct asset_config *assets, size_t count, const char *name, size_t length)
{
    for (size_t i = 0; i < count; i++) {
        const struct asset_config *asset = &assets[i];
        if (strlen(asset->name) == length && memcmp(asset->name, name, length) == 0)
            return asset;
    }
    return NULL;
}

const struct asset_config *asset_of(const struct asset_config *assets, size_t count, uint64_t chain_id,
                                    const struct bursar_address *token)
{
    for (size_t i = 0; i < count; i++) {
        const struct asset_config *asset = &assets[i];
        if (asset->chain_id == chain_id && address_equal(&asset->token, token))
            return asset;
    }
    return NULL;
}

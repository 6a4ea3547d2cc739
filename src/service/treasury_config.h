/* What the configuration says of one treasury. */
#ifndef SERVICE_TREASURY_CONFIG_H
#define SERVICE_TREASURY_CONFIG_H

#include "executor/executor.h"

#include <stddef.h>
#include <stdint.h>

#define CONFIG_PATH_MAX_BYTES 4096
#define CONFIG_RPC_MAX_BYTES 2048
#define CONFIG_RPC_URLS_MAX_COUNT 16

/* The INI reader cuts section names silently from 50 bytes on ("treasury " included): we refuse before that. */
#define CONFIG_NAME_MAX_LENGTH 40

/* A [treasury NAME] section. Paths are ready to open. */
struct treasury_config {
    char name[TREASURY_NAME_MAX_BYTES];
    uint64_t chain_id;
    char rpc[CONFIG_RPC_MAX_BYTES]; /* URLs separated by one space each */
    char keystore[CONFIG_PATH_MAX_BYTES];
    char password_file[CONFIG_PATH_MAX_BYTES];
    uint64_t quorum;          /* 0: as many as config_quorum says */
    uint64_t finality_blocks; /* 0: the node's finalized tag */
    struct epoch_source epoch;
    uint64_t max_in_flight;
    uint64_t tags;                           /* 1: payments carry the hash of what they pay */
    struct bursar_amount max_spend_per_hour; /* of the coin, wei; 0: any */
    uint64_t max_payments_per_hour;          /* 0: any */
};

/* An [asset NAME] section: a token that payment files and lists call by this name. */
struct asset_config {
    char name[CONFIG_NAME_MAX_LENGTH + 1];
    uint64_t chain_id;
    struct bursar_address token;
    bool has_decimals; /* they are said here, and must be the token's */
    unsigned decimals;
    char max_spend_per_hour_text[BURSAR_AMOUNT_UNITS_TEXT_BYTES]; /* in whole tokens; "": any */
    struct bursar_amount max_spend_per_hour;                      /* the same in base units; 0: any */
};
/* Among `count` of them: the one of this name, or this token on this chain; NULL when there is none. */
const struct asset_config *asset_named(const struct asset_config *assets, size_t count, const char *name,
                                       size_t length);
const struct asset_config *asset_of(const struct asset_config *assets, size_t count, uint64_t chain_id,
                                    const struct bursar_address *token);

size_t config_url_count(const struct treasury_config *treasury);
/* How many nodes must agree on what decides: as configured, else one of up to two, and more than half of three or
 * more. */
size_t config_quorum(const struct treasury_config *treasury);

#endif

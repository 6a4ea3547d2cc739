/* Assets and amounts of them as people and scripts see them. A token is called what bursar.conf calls it, and else by
 * its address: never by what it says of itself, as any token can call itself USDC. */
#ifndef SERVICE_ASSET_VIEW_H
#define SERVICE_ASSET_VIEW_H

#include "eth/address.h"
#include "service/treasury_config.h"
#include "store/records.h"

/* Whose names: those of a configuration, on a treasury's chain. */
struct asset_names {
    const struct asset_config *assets; /* borrowed */
    size_t count;
    uint64_t chain_id;
};

#define ASSET_TEXT_BYTES ADDRESS_TEXT_BYTES
/* "native", or the token's address. */
void asset_text(const struct asset *asset, char ret[ASSET_TEXT_BYTES]);
/* NAME of [asset NAME]; NULL: the coin, or a token without a name. */
const char *asset_name(const struct asset_names *names, const struct asset *asset);
/* The amount in whole units; false, and "", when the token's decimals are not known. */
bool asset_units(const struct disbursement_record *record, char ret[BURSAR_AMOUNT_UNITS_TEXT_BYTES]);

#define ASSET_AMOUNT_TEXT_BYTES (BURSAR_AMOUNT_UNITS_TEXT_BYTES + ASSET_TEXT_BYTES + 24)
/* "1.5 ETH", "1.5 usdc", "1.5 of 0x...", or "1500000 base units of 0x..." without decimals. */
void asset_amount(const struct asset_names *names, const struct disbursement_record *record,
                  char ret[ASSET_AMOUNT_TEXT_BYTES]);

#endif

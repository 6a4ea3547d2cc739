/* What a treasury owes, as the store adds it up: plain values. */
#ifndef STORE_OWED_H
#define STORE_OWED_H

#include "domain/asset.h"

#include <bursar/amount.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is still to leave the account in one asset: base units, without fees. */
struct owed_asset {
    struct asset asset;
    bool has_decimals; /* those of the token are known: */
    unsigned decimals;
    uint64_t owed_count; /* disbursements that are queued, for now or later, or bound and not seen in a block */
    struct bursar_amount owed;
    uint64_t due_count; /* of them: bound, or neither waiting for another one nor for their time */
    struct bursar_amount due;
};
#define OWED_ASSETS_MAX_COUNT 32          /* told apart */
#define OWED_SUMS_MAX_COUNT 10000         /* different times and assets that are looked at, of each kind of schedule */
#define OWED_OLDEST_LOOKED_MAX_COUNT 1000 /* of different times, and of blocked ones */

/* What a treasury owes. */
struct owed_view {
    bool is_all;  /* false: there is more than the bounds above, or than an amount can hold: it is at least so much */
    size_t count; /* of assets: the coin first, whatever is owed in it, then tokens in the order of their addresses */
    struct owed_asset assets[OWED_ASSETS_MAX_COUNT];
    uint64_t matured_count; /* due and not bound, in any asset, blocked ones included */
    uint64_t oldest_ms;     /* since when the oldest of them is due: queued, or its time; 0: none is */
};

#endif

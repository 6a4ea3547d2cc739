/* An obligation: the normalised content of a disbursement, and the hash that identifies it. Pure. */
#ifndef DOMAIN_OBLIGATION_H
#define DOMAIN_OBLIGATION_H

#include "domain/asset.h"

#include <bursar/amount.h>
#include <bursar/status.h>
#include <bursar/types.h>

#include <stddef.h>
#include <stdint.h>

#define REF_MAX_BYTES 128
#define MEMO_MAX_BYTES 8192
#define DEPENDENCIES_MAX_COUNT 100

/* Stored numbers. */
enum schedule_kind {
    SCHEDULE_NOW = 0,
    SCHEDULE_TIME = 1,  /* value: seconds since 1970, compared with the finalized head's timestamp */
    SCHEDULE_EPOCH = 2, /* value: epoch of the finalized head */
};

/* All pointers borrowed. Strings are NUL-terminated. `dependencies` are refs; obligation_normalise sorts and
 * deduplicates them in place. */
struct obligation {
    const char *ref;
    struct bursar_address destination;
    struct asset asset;
    struct bursar_amount amount; /* base units of the asset */
    enum schedule_kind schedule;
    uint64_t schedule_value;
    const char *memo; /* "" when none */
    size_t memo_bytes;
    const char **dependencies;
    size_t dependency_count;
};

/* Checks every bound (ref's bytes and length, a token that is none or is paid to itself, amount > 0, memo UTF-8 and
 * length, dependency count, a dependency on itself, schedule value) and normalises. EINVAL: `err` says what is wrong,
 * `*ret_field` which column ("ref", "amount",
 * ...). */
BURSAR_MUST_CHECK enum bursar_status obligation_normalise(struct obligation *obligation, const char **ret_field,
                                                          struct bursar_error *err);
/* Version 1: SHA-256 over "bursar-obligation-v1" and the length-prefixed fields (treasury chain id and account,
 * and the ref, included); the layout is in obligation.c. */
void obligation_hash(const struct obligation *normalised, uint64_t chain_id, const struct bursar_address *treasury,
                     struct bursar_hash *ret);
/* 1-128 bytes 0x20-0x7e without ';'. */
BURSAR_MUST_CHECK enum bursar_status ref_check(const char *ref, size_t length_bytes, struct bursar_error *err);

#endif

/* Checks and normalises an obligation, and computes the hash that says whether two are the same.
 *
 * The hash is stored and will be signed by approvals: its layout never changes; another layout is another version. */
#include "domain/obligation.h"

#include "base/bytes.h"

#include <nettle/sha2.h>

#include <stdlib.h>
#include <string.h>

#define SCHEDULE_TIME_MAX_SECONDS 253402300799ull /* 9999-12-31T23:59:59Z: what RFC 3339 can write */
#define SCHEDULE_EPOCH_MAX ((uint64_t)INT64_MAX)  /* what a store can keep */

static const char HASH_DOMAIN[] = "bursar-obligation-v1";
static const char NATIVE_ASSET[] = "native";

enum bursar_status ref_check(const char *ref, size_t length_bytes, struct bursar_error *err)
{
    if (length_bytes == 0)
        return bursar_fail(err, BURSAR_EINVAL, "is empty; 1 to %d printable bytes are needed", REF_MAX_BYTES);
    if (length_bytes > REF_MAX_BYTES)
        return bursar_fail(err, BURSAR_EINVAL, "has %zu bytes; at most %d are allowed", length_bytes, REF_MAX_BYTES);
    for (size_t i = 0; i < length_bytes; i++) {
        if (ref[i] < 0x20 || ref[i] > 0x7e || ref[i] == ';')
            return bursar_fail(err, BURSAR_EINVAL,
                               "has byte 0x%02x at position %zu; only printable ASCII without ';' is allowed",
                               (unsigned)(unsigned char)ref[i], i + 1);
    }
    return BURSAR_OK;
}

static enum bursar_status schedule_check(const struct obligation *obligation, struct bursar_error *err)
{
    switch (obligation->schedule) {
    case SCHEDULE_NOW:
        if (obligation->schedule_value != 0)
            return bursar_fail(err, BURSAR_EINVAL, "has a value although it says at once");
        return BURSAR_OK;
    case SCHEDULE_TIME:
        if (obligation->schedule_value > SCHEDULE_TIME_MAX_SECONDS)
            return bursar_fail(err, BURSAR_EINVAL, "is later than 9999-12-31T23:59:59Z");
        return BURSAR_OK;
    case SCHEDULE_EPOCH:
        if (obligation->schedule_value > SCHEDULE_EPOCH_MAX)
            return bursar_fail(err, BURSAR_EINVAL, "has an epoch above %llu", (unsigned long long)SCHEDULE_EPOCH_MAX);
        return BURSAR_OK;
    }
    return bursar_fail(err, BURSAR_EINVAL, "is of no known kind");
}

static enum bursar_status memo_check(const struct obligation *obligation, struct bursar_error *err)
{
    if (obligation->memo_bytes > MEMO_MAX_BYTES)
        return bursar_fail(err, BURSAR_EINVAL, "has %zu bytes; at most %d are allowed", obligation->memo_bytes,
                           MEMO_MAX_BYTES);
    if (memchr(obligation->memo, '\0', obligation->memo_bytes))
        return bursar_fail(err, BURSAR_EINVAL, "has a NUL byte");
    if (!utf8_is_valid(obligation->memo, obligation->memo_bytes))
        return bursar_fail(err, BURSAR_EINVAL, "is not valid UTF-8");
    return BURSAR_OK;
}

/* What is sent to a token's own contract is lost, mostly; and it happens when two columns are mixed up. */
static enum bursar_status asset_check(const struct obligation *obligation, const char **ret_field,
                                      struct bursar_error *err)
{
    static const struct bursar_address nobody = { { 0 } };
    const struct bursar_address *token = &obligation->asset.token;
    if (!obligation->asset.is_token)
        return BURSAR_OK;
    *ret_field = "asset";
    if (memcmp(token, &nobody, sizeof nobody) == 0)
        return bursar_fail(err, BURSAR_EINVAL, "is the zero address, which is no token");
    *ret_field = "destination";
    if (memcmp(token, &obligation->destination, sizeof *token) == 0)
        return bursar_fail(err, BURSAR_EINVAL, "is the token itself: what is paid there is lost");
    return BURSAR_OK;
}

static int compare_refs(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static enum bursar_status dependencies_normalise(struct obligation *obligation, struct bursar_error *err)
{
    if (obligation->dependency_count > DEPENDENCIES_MAX_COUNT)
        return bursar_fail(err, BURSAR_EINVAL, "names %zu refs; at most %d are allowed", obligation->dependency_count,
                           DEPENDENCIES_MAX_COUNT);
    for (size_t i = 0; i < obligation->dependency_count; i++) {
        const char *on = obligation->dependencies[i];
        struct bursar_error why;
        if (ref_check(on, strlen(on), &why) != BURSAR_OK)
            return bursar_fail(err, BURSAR_EINVAL, "ref %zu %s", i + 1, why.message);
        if (strcmp(on, obligation->ref) == 0)
            return bursar_fail(err, BURSAR_EINVAL, "names the row itself: it would wait for ever");
    }
    if (obligation->dependency_count < 2)
        return BURSAR_OK;
    qsort(obligation->dependencies, obligation->dependency_count, sizeof *obligation->dependencies, compare_refs);
    size_t kept = 1;
    for (size_t i = 1; i < obligation->dependency_count; i++) {
        if (strcmp(obligation->dependencies[i], obligation->dependencies[kept - 1]) != 0)
            obligation->dependencies[kept++] = obligation->dependencies[i];
    }
    obligation->dependency_count = kept;
    return BURSAR_OK;
}

enum bursar_status obligation_normalise(struct obligation *obligation, const char **ret_field, struct bursar_error *err)
{
    enum bursar_status status = ref_check(obligation->ref, strlen(obligation->ref), err);
    if (status != BURSAR_OK) {
        *ret_field = "ref";
        return status;
    }
    if (bursar_amount_is_zero(obligation->amount)) {
        *ret_field = "amount";
        return bursar_fail(err, BURSAR_EINVAL, "is zero");
    }
    const char *field = NULL;
    status = asset_check(obligation, &field, err);
    if (status != BURSAR_OK) {
        *ret_field = field;
        return status;
    }
    status = memo_check(obligation, err);
    if (status != BURSAR_OK) {
        *ret_field = "memo";
        return status;
    }
    status = schedule_check(obligation, err);
    if (status != BURSAR_OK) {
        *ret_field = "not_before";
        return status;
    }
    status = dependencies_normalise(obligation, err);
    if (status != BURSAR_OK)
        *ret_field = "depends_on";
    return status;
}

static void hash_u64(struct sha256_ctx *sha, uint64_t value)
{
    uint8_t bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(value >> (8 * (7 - i)));
    sha256_update(sha, sizeof bytes, bytes);
}

/* Every field goes in with its length before it, so that no two obligations have the same bytes. */
static void hash_field(struct sha256_ctx *sha, const void *bytes, size_t length_bytes)
{
    hash_u64(sha, length_bytes);
    sha256_update(sha, length_bytes, bytes);
}

/* Layout, where u64 is 8 bytes big-endian and [x] is the length of x in bytes as u64, then x: the domain string without
 * NUL and without length; u64 chain id; [treasury]; [ref]; [destination]; ["native", or the token's 20 bytes]; [amount,
 * 32 bytes big-endian]; u64 schedule kind; u64 schedule value; [memo]; u64 dependency count; [each ref, sorted]. The
 * ref is in it because an approval of one disbursement must not be good for another one that is alike. */
void obligation_hash(const struct obligation *normalised, uint64_t chain_id, const struct bursar_address *treasury,
                     struct bursar_hash *ret)
{
    struct sha256_ctx sha;
    uint8_t amount[BURSAR_AMOUNT_BE_BYTES];
    bursar_amount_to_be(normalised->amount, amount);
    sha256_init(&sha);
    sha256_update(&sha, sizeof HASH_DOMAIN - 1, (const uint8_t *)HASH_DOMAIN);
    hash_u64(&sha, chain_id);
    hash_field(&sha, treasury->bytes, sizeof treasury->bytes);
    hash_field(&sha, normalised->ref, strlen(normalised->ref));
    hash_field(&sha, normalised->destination.bytes, sizeof normalised->destination.bytes);
    if (normalised->asset.is_token)
        hash_field(&sha, normalised->asset.token.bytes, sizeof normalised->asset.token.bytes);
    else
        hash_field(&sha, NATIVE_ASSET, sizeof NATIVE_ASSET - 1);
    hash_field(&sha, amount, sizeof amount);
    hash_u64(&sha, (uint64_t)normalised->schedule);
    hash_u64(&sha, normalised->schedule_value);
    hash_field(&sha, normalised->memo, normalised->memo_bytes);
    hash_u64(&sha, normalised->dependency_count);
    for (size_t i = 0; i < normalised->dependency_count; i++)
        hash_field(&sha, normalised->dependencies[i], strlen(normalised->dependencies[i]));
    sha256_digest(&sha, sizeof ret->bytes, ret->bytes);
}

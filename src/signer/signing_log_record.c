/* Signing log records to bytes and back. Layout changes need a new SIGNING_LOG_VERSION. */
#include "signer/signing_log_record.h"

#include <nettle/sha2.h>

#include <string.h>

#define MAGIC "BURSARSL"
#define MARK_TAG 0x4d41524bu  /* "MARK" */
#define ENTRY_TAG 0x454e5452u /* "ENTR" */
#define MARK_INDEX 1u
#define CHECKSUM_BYTES 8
#define BODY_BYTES (RECORD_BYTES - CHECKSUM_BYTES)
#define IDENTITY_BYTES (8 + BURSAR_ADDRESS_BYTES)

/* tag 4, index 4, previous 4, batch_first 4, lease_epoch 8, nonce 8, purpose 4, to 20, value 32, two hashes of 32 */
_Static_assert(4 + 4 + 4 + 4 + 8 + 8 + 4 + 20 + 32 + 32 + 32 == BODY_BYTES, "a record has no gaps");
_Static_assert(SIGN_PAYMENT == 1 && SIGN_REPLACEMENT == 2 && SIGN_SELF == 3, "stored numbers are pinned");

static uint8_t *put_u32(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (24 - 8 * i));
    return at + 4;
}

static uint8_t *put_u64(uint8_t *at, uint64_t value)
{
    return put_u32(put_u32(at, (uint32_t)(value >> 32)), (uint32_t)value);
}

static uint8_t *put_bytes(uint8_t *at, const uint8_t *bytes, size_t count)
{
    memcpy(at, bytes, count);
    return at + count;
}

static uint32_t take_u32(const uint8_t **at)
{
    uint32_t value = 0;
    for (int i = 0; i < 4; i++)
        value = value << 8 | *(*at)++;
    return value;
}

static uint64_t take_u64(const uint8_t **at)
{
    uint64_t high = take_u32(at);
    return high << 32 | take_u32(at);
}

static void take_bytes(const uint8_t **at, uint8_t *ret, size_t count)
{
    memcpy(ret, *at, count);
    *at += count;
}

/* The first 8 bytes of SHA-256 over the identity (none for the header, which carries it) and the record's body. */
static void checksum(const struct log_identity *identity, const uint8_t body[BODY_BYTES], uint8_t ret[CHECKSUM_BYTES])
{
    struct sha256_ctx context;
    uint8_t whose[IDENTITY_BYTES] = { 0 };
    if (identity)
        (void)put_bytes(put_u64(whose, identity->chain_id), identity->account.bytes, sizeof identity->account.bytes);
    sha256_init(&context);
    sha256_update(&context, sizeof whose, whose);
    sha256_update(&context, BODY_BYTES, body);
    sha256_digest(&context, CHECKSUM_BYTES, ret);
}

static void seal(const struct log_identity *identity, uint8_t bytes[RECORD_BYTES])
{
    checksum(identity, bytes, bytes + BODY_BYTES);
}

static bool seal_holds(const struct log_identity *identity, const uint8_t bytes[RECORD_BYTES])
{
    uint8_t expected[CHECKSUM_BYTES];
    checksum(identity, bytes, expected);
    return memcmp(bytes + BODY_BYTES, expected, sizeof expected) == 0;
}

void log_header_encode(const struct log_identity *identity, uint8_t ret[RECORD_BYTES])
{
    memset(ret, 0, RECORD_BYTES);
    uint8_t *at = put_bytes(ret, (const uint8_t *)MAGIC, sizeof MAGIC - 1);
    at = put_u32(put_u32(at, SIGNING_LOG_VERSION), RECORD_BYTES);
    (void)put_bytes(put_u64(at, identity->chain_id), identity->account.bytes, sizeof identity->account.bytes);
    seal(NULL, ret);
}

enum bursar_status log_header_decode(const uint8_t bytes[RECORD_BYTES], struct log_identity *ret,
                                     struct bursar_error *err)
{
    const uint8_t *at = bytes + sizeof MAGIC - 1;
    if (memcmp(bytes, MAGIC, sizeof MAGIC - 1) != 0)
        return bursar_fail(err, BURSAR_EREFUSED, "is not a signing log, or its first record is damaged");
    uint32_t version = take_u32(&at);
    if (version != SIGNING_LOG_VERSION)
        return bursar_fail(err, BURSAR_EREFUSED,
                           "is a signing log of version %u, this program knows version %u: it was written by a newer "
                           "bursar, or is damaged",
                           version, SIGNING_LOG_VERSION);
    if (take_u32(&at) != RECORD_BYTES || !seal_holds(NULL, bytes))
        return bursar_fail(err, BURSAR_EREFUSED, "is damaged in record 0 (the header) at offset 0");
    ret->chain_id = take_u64(&at);
    take_bytes(&at, ret->account.bytes, sizeof ret->account.bytes);
    return BURSAR_OK;
}

void log_mark_encode(const struct log_identity *identity, uint32_t synced_end, uint8_t ret[RECORD_BYTES])
{
    memset(ret, 0, RECORD_BYTES);
    (void)put_u32(put_u32(put_u32(ret, MARK_TAG), MARK_INDEX), synced_end);
    seal(identity, ret);
}

bool log_mark_decode(const struct log_identity *identity, const uint8_t bytes[RECORD_BYTES], uint32_t *ret_synced_end)
{
    const uint8_t *at = bytes;
    if (!seal_holds(identity, bytes) || take_u32(&at) != MARK_TAG || take_u32(&at) != MARK_INDEX)
        return false;
    uint32_t synced_end = take_u32(&at);
    if (synced_end < FIRST_ENTRY)
        return false;
    *ret_synced_end = synced_end;
    return true;
}

void log_record_encode(const struct log_identity *identity, const struct log_record *record, uint8_t ret[RECORD_BYTES])
{
    const struct signing_log_entry *entry = &record->entry;
    uint8_t *at = put_u32(put_u32(ret, ENTRY_TAG), record->index);
    at = put_u32(put_u32(at, record->previous), record->batch_first);
    at = put_u64(put_u64(at, entry->lease_epoch), entry->nonce);
    at = put_u32(at, (uint32_t)entry->purpose);
    at = put_bytes(at, entry->to.bytes, sizeof entry->to.bytes);
    bursar_amount_to_be(entry->value, at);
    at = put_bytes(at + BURSAR_AMOUNT_BE_BYTES, entry->data_hash.bytes, sizeof entry->data_hash.bytes);
    (void)put_bytes(at, entry->transaction_hash.bytes, sizeof entry->transaction_hash.bytes);
    seal(identity, ret);
}

bool log_record_decode(const struct log_identity *identity, uint32_t index, const uint8_t bytes[RECORD_BYTES],
                       struct log_record *ret)
{
    const uint8_t *at = bytes;
    struct log_record record = { 0 };
    struct signing_log_entry *entry = &record.entry;
    if (!seal_holds(identity, bytes) || take_u32(&at) != ENTRY_TAG)
        return false;
    record.index = take_u32(&at);
    record.previous = take_u32(&at);
    record.batch_first = take_u32(&at);
    entry->lease_epoch = take_u64(&at);
    entry->nonce = take_u64(&at);
    uint32_t purpose = take_u32(&at);
    take_bytes(&at, entry->to.bytes, sizeof entry->to.bytes);
    entry->value = bursar_amount_from_be(at);
    at += BURSAR_AMOUNT_BE_BYTES;
    take_bytes(&at, entry->data_hash.bytes, sizeof entry->data_hash.bytes);
    take_bytes(&at, entry->transaction_hash.bytes, sizeof entry->transaction_hash.bytes);
    if (record.index != index || index < FIRST_ENTRY || record.previous >= index ||
        record.previous == FIRST_ENTRY - 1 || record.batch_first < FIRST_ENTRY || record.batch_first > index ||
        index - record.batch_first >= SIGN_BATCH_MAX_ITEMS || purpose < SIGN_PAYMENT || purpose > SIGN_SELF)
        return false;
    entry->purpose = (enum sign_purpose)purpose;
    *ret = record;
    return true;
}

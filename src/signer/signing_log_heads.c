/* The array from nonce to newest record. */
#include "signer/signing_log_heads.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 1024

uint32_t log_heads_get(const struct log_heads *heads, uint64_t nonce)
{
    if (nonce < heads->first_nonce || nonce - heads->first_nonce >= heads->count)
        return 0;
    return heads->index[nonce - heads->first_nonce];
}

bool log_heads_in_reach(const struct log_heads *heads, uint64_t nonce)
{
    if (nonce == UINT64_MAX)
        return false;
    if (heads->count == 0)
        return true;
    if (nonce < heads->first_nonce)
        return heads->first_nonce - nonce <= NONCE_GAP_MAX;
    uint64_t next = heads->first_nonce + heads->count;
    return nonce < next || nonce - next <= NONCE_GAP_MAX;
}

static bool reserve(struct log_heads *heads, uint64_t count)
{
    if (count <= heads->capacity)
        return true;
    uint64_t capacity = heads->capacity ? heads->capacity : FIRST_CAPACITY;
    while (capacity < count)
        capacity *= 2; /* count is at most the number of records (32 bits) times the gap (17 bits) */
    if (capacity > SIZE_MAX / sizeof *heads->index)
        return false;
    uint32_t *index = realloc(heads->index, (size_t)capacity * sizeof *index);
    if (!index)
        return false;
    heads->index = index;
    heads->capacity = capacity;
    return true;
}

/* Makes room for nonces below the first: when the lowest of a batch was refused at first and is signed later. */
static bool extend_down(struct log_heads *heads, uint64_t nonce)
{
    uint64_t more = heads->first_nonce - nonce;
    if (!reserve(heads, heads->count + more))
        return false;
    memmove(heads->index + more, heads->index, (size_t)heads->count * sizeof *heads->index);
    memset(heads->index, 0, (size_t)more * sizeof *heads->index);
    heads->first_nonce = nonce;
    heads->count += more;
    return true;
}

static bool extend_up(struct log_heads *heads, uint64_t nonce)
{
    uint64_t count = nonce - heads->first_nonce + 1;
    if (!reserve(heads, count))
        return false;
    memset(heads->index + heads->count, 0, (size_t)(count - heads->count) * sizeof *heads->index);
    heads->count = count;
    return true;
}

enum bursar_status log_heads_set(struct log_heads *heads, uint64_t nonce, uint32_t record_index,
                                 struct bursar_error *err)
{
    if (!log_heads_in_reach(heads, nonce))
        return bursar_fail(err, BURSAR_ELIMIT,
                           "nonce %" PRIu64 " is out of line: the signing log holds %" PRIu64 " to %" PRIu64
                           " and takes at most %" PRIu64 " beyond either end",
                           nonce, heads->first_nonce, heads->first_nonce + heads->count - 1, NONCE_GAP_MAX);
    if (heads->count == 0)
        heads->first_nonce = nonce;
    bool ok = true;
    if (nonce < heads->first_nonce)
        ok = extend_down(heads, nonce);
    else if (nonce - heads->first_nonce >= heads->count)
        ok = extend_up(heads, nonce);
    if (!ok)
        return bursar_fail(err, BURSAR_ENOMEM, "no memory for the index of the signing log");
    heads->index[nonce - heads->first_nonce] = record_index;
    return BURSAR_OK;
}

void log_heads_free(struct log_heads *heads)
{
    free(heads->index);
    *heads = (struct log_heads){ 0 };
}

/* Remembers, and compares at once. */
#include "witness.h"

#include "base/bytes.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 256
#define NONCES_MAX_COUNT 1000000

typedef unsigned long long ull;

void witness_free(struct witness *witness)
{
    free(witness->staged);
    free(witness->staged_used);
    free(witness->nonces);
    money_witness_free(&witness->money);
}

void witness_taken(struct witness *witness, uint64_t token)
{
    if (token <= witness->token)
        finding_add(witness->finding, PROPERTY_NOT_FENCED, *witness->step,
                    "a lease was given out with token %llu after one with %llu", (ull)token, (ull)witness->token);
    witness->token = token;
}

void witness_store_replaced(struct witness *witness)
{
    witness->token = 0;
    witness->is_stopped = false; /* it may have forgotten that as well */
    money_witness_replaced(&witness->money);
}

void witness_write(struct witness *witness, uint64_t token, const char *call, enum bursar_status status)
{
    if (status == BURSAR_EFENCED)
        witness->fenced++;
    if (status == BURSAR_OK && token != witness->token)
        finding_add(witness->finding, PROPERTY_NOT_FENCED, *witness->step,
                    "%s went through with token %llu, the lease has passed on with %llu", call, (ull)token,
                    (ull)witness->token);
}

void witness_spent(struct witness *witness, const char *call, enum bursar_status status)
{
    if (status == BURSAR_OK && witness->is_stopped)
        finding_add(witness->finding, PROPERTY_NOT_STOPPED, *witness->step,
                    "%s went through while a person keeps the breaker open", call);
}

void witness_bound(struct witness *witness, uint64_t highest_nonce, size_t count, uint64_t at_once, uint64_t in_flight)
{
    uint64_t reached = witness->nonce_reached;
    if (count > at_once)
        finding_add(witness->finding, PROPERTY_UNBOUNDED, *witness->step, "%zu were bound at once, at most %llu may be",
                    count, (ull)at_once);
    /* What a reorg undoes was seen mined before; so what was never mined is in flight in every view. */
    if (highest_nonce >= reached && highest_nonce - reached >= in_flight)
        finding_add(witness->finding, PROPERTY_UNBOUNDED, *witness->step,
                    "nonce %llu was bound, %llu were ever used: more than %llu are in flight", (ull)highest_nonce,
                    (ull)reached, (ull)in_flight);
}

static struct signed_nonce *nonce_at(struct witness *witness, uint64_t nonce)
{
    if (nonce >= NONCES_MAX_COUNT)
        return NULL;
    if (nonce >= witness->nonce_capacity) {
        size_t capacity = witness->nonce_capacity ? witness->nonce_capacity : FIRST_CAPACITY;
        while (capacity <= nonce)
            capacity *= 2;
        struct signed_nonce *nonces = realloc(witness->nonces, capacity * sizeof *nonces);
        if (!nonces)
            return NULL;
        memset(nonces + witness->nonce_capacity, 0, (capacity - witness->nonce_capacity) * sizeof *nonces);
        witness->nonces = nonces;
        witness->nonce_capacity = capacity;
    }
    return &witness->nonces[nonce];
}

void witness_signed(struct witness *witness, uint64_t token, uint64_t nonce, const struct bursar_address *to,
                    const struct bursar_amount *value, bool is_payment, bool log_is_orphan)
{
    if (token != witness->token && log_is_orphan)
        witness->stale_signatures++;
    else if (token != witness->token)
        finding_add(witness->finding, PROPERTY_NOT_FENCED, *witness->step,
                    "nonce %llu was signed for token %llu, the lease has passed on with %llu", (ull)nonce, (ull)token,
                    (ull)witness->token);
    struct signed_nonce *at = nonce_at(witness, nonce);
    if (!at)
        return;
    if (!is_payment) {
        at->is_to_self = true;
        return;
    }
    if (at->is_set && (!address_equal(&at->to, to) || bursar_amount_compare(at->value, *value) != 0))
        finding_add(witness->finding, PROPERTY_TWO_PAYLOADS, *witness->step,
                    "nonce %llu was signed for two different payments", (ull)nonce);
    if (at->is_to_self && !log_is_orphan)
        finding_add(witness->finding, PROPERTY_TWO_PAYLOADS, *witness->step,
                    "nonce %llu was signed for a payment after a cancel", (ull)nonce);
    at->is_set = true;
    at->to = *to;
    at->value = *value;
}

/* Where it is, or belongs. */
static size_t slot_of(const struct witness *witness, const struct bursar_hash *hash)
{
    uint64_t start;
    memcpy(&start, hash->bytes, sizeof start);
    size_t at = (size_t)start & (witness->staged_capacity - 1);
    while (witness->staged_used[at] && !hash_equal(&witness->staged[at], hash))
        at = (at + 1) & (witness->staged_capacity - 1);
    return at;
}

static bool grow(struct witness *witness)
{
    struct witness larger = *witness;
    larger.staged_capacity = witness->staged_capacity ? witness->staged_capacity * 2 : FIRST_CAPACITY;
    larger.staged = calloc(larger.staged_capacity, sizeof *larger.staged);
    larger.staged_used = calloc(larger.staged_capacity, sizeof *larger.staged_used);
    if (!larger.staged || !larger.staged_used) {
        free(larger.staged);
        free(larger.staged_used);
        return false;
    }
    for (size_t i = 0; i < witness->staged_capacity; i++) {
        if (!witness->staged_used[i])
            continue;
        size_t at = slot_of(&larger, &witness->staged[i]);
        larger.staged[at] = witness->staged[i];
        larger.staged_used[at] = true;
    }
    free(witness->staged);
    free(witness->staged_used);
    *witness = larger;
    return true;
}

void witness_staged(struct witness *witness, const struct bursar_hash *hash)
{
    if (witness->staged_count * 2 >= witness->staged_capacity && !grow(witness))
        return;
    size_t at = slot_of(witness, hash);
    if (!witness->staged_used[at])
        witness->staged_count++;
    witness->staged[at] = *hash;
    witness->staged_used[at] = true;
}

void witness_submitted(struct witness *witness, const struct bursar_hash *hash)
{
    char text[HASH_TEXT_BYTES];
    if (witness->staged_capacity && witness->staged_used[slot_of(witness, hash)])
        return;
    hash_to_text(hash, text);
    finding_add(witness->finding, PROPERTY_NOT_DURABLE, *witness->step,
                "transaction %s was handed over before the store had it", text);
}

/* Which record of a signing log is the newest of a nonce. Nonces are dense, so this is an array of four bytes a nonce:
 * a million signatures cost 4 MB. */
#ifndef SIGNER_SIGNING_LOG_HEADS_H
#define SIGNER_SIGNING_LOG_HEADS_H

#include <bursar/status.h>

#include <stdbool.h>
#include <stdint.h>

/* How far a nonce may lie outside of those known: a wild one must not make the array huge. */
#define NONCE_GAP_MAX ((uint64_t)100000)

/* Zero-initialise. Covers the nonces [first_nonce, first_nonce + count). */
struct log_heads {
    uint32_t *index;
    uint64_t first_nonce;
    uint64_t count;
    uint64_t capacity;
};

/* 0 when the nonce has no record. */
uint32_t log_heads_get(const struct log_heads *heads, uint64_t nonce);
bool log_heads_in_reach(const struct log_heads *heads, uint64_t nonce);
/* ELIMIT when the nonce is out of reach, ENOMEM; then nothing changed. */
BURSAR_MUST_CHECK enum bursar_status log_heads_set(struct log_heads *heads, uint64_t nonce, uint32_t record_index,
                                                   struct bursar_error *err);
void log_heads_free(struct log_heads *heads);

#endif

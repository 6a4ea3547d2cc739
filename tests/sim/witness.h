/* What the wrappers at the seams saw go through, whoever asked: for the properties that the chain alone can't show
 * (fencing, durable before the wire). One of each treasury. */
#ifndef SIM_WITNESS_H
#define SIM_WITNESS_H

#include "finding.h"
#include "store/records.h"
#include "witness_money.h"

struct signed_nonce {
    bool is_set, is_to_self; /* a payment; a transfer of 0 to self */
    struct bursar_address to;
    struct bursar_amount value;
};

struct witness {
    struct finding *finding; /* borrowed */
    const uint64_t *step;    /* borrowed: now */
    uint64_t token;          /* of the newest lease that was taken; 0: none */
    struct bursar_hash *staged;
    bool *staged_used;
    size_t staged_count, staged_capacity; /* a power of two */
    struct signed_nonce *nonces;          /* by nonce */
    size_t nonce_capacity;
    bool is_pinned_wrongly; /* a node lied about the genesis block at the first look: nobody can know */
    bool is_stopped;        /* a person opened the breaker, and the command said so */
    struct money_witness money;
    uint64_t nonce_reached;    /* the highest that the account ever had on the chain */
    uint64_t fenced;           /* refused for a lost token: shows that there was something to fence */
    uint64_t stale_signatures; /* by holders of a log that had passed on, into a file that nobody sees any more */
};

void witness_free(struct witness *witness);
/* A lease was taken. */
void witness_taken(struct witness *witness, uint64_t token);
/* An old copy of the store is back: tokens start over from what it has. */
void witness_store_replaced(struct witness *witness);
/* A write that carried this token was answered so. */
void witness_write(struct witness *witness, uint64_t token, const char *call, enum bursar_status status);
/* This is spending: nothing new while a person keeps the breaker open. */
void witness_spent(struct witness *witness, const char *call, enum bursar_status status);
/* That many more were bound, up to a nonce: never more at once, or not mined yet, than this (INV-11). */
void witness_bound(struct witness *witness, uint64_t highest_nonce, size_t count, uint64_t at_once, uint64_t in_flight);
/* Signed and handed out. `log_is_orphan`: the signer's log has passed on by force, it can't know. */
void witness_signed(struct witness *witness, uint64_t token, uint64_t nonce, const struct bursar_address *to,
                    const struct bursar_amount *value, bool is_payment, bool log_is_orphan);
/* These bytes were written to the store, or it can't say that they were not. */
void witness_staged(struct witness *witness, const struct bursar_hash *hash);
/* These bytes are handed to a node. */
void witness_submitted(struct witness *witness, const struct bursar_hash *hash);

#endif

/* One look at a host's world: which of the executor's transactions are where. Decides nothing but in which block of the
 * made-up chain (host_chain.h) each is shown. */
#ifndef EMBED_HOST_LOOK_H
#define EMBED_HOST_LOOK_H

#include "embed/host_chain.h"

/* A transaction that the host has seen included. */
struct host_inclusion {
    struct bursar_hash hash;
    uint64_t number; /* the made-up block it is in */
    bool is_final, succeeded;
    uint64_t fee;
};

struct host_look {
    struct bursar_chain_head head;
    uint64_t scan_number, anchor_number; /* where the executor stands */
    uint64_t latest_number, final_number;
    bool has_fork; /* something that was included is not any more: blocks above fork_number are gone */
    uint64_t fork_number;
    uint64_t nonce_latest, nonce_pending;
    struct host_inclusion *inclusions; /* sorted by hash */
    size_t count, capacity;
};

/* Asks the observer about everything that is not final. EUNREACHABLE and the like: a failed read, *look is of no use.
 */
BURSAR_MUST_CHECK enum bursar_status host_look_take(const struct host_chain_config *config, struct host_look *look,
                                                    struct bursar_error *err);
/* The inclusion with this hash, or NULL. */
const struct host_inclusion *host_look_find(const struct host_look *look, const struct bursar_hash *hash);
void host_look_clear(struct host_look *look);

#endif

/* A host's submitter and observer as a chain: the seam that the executor drives.
 *
 * The executor follows blocks, a host speaks of single transactions. So there are blocks here that exist in no chain:
 * block n has a hash that is a function of n alone, and holds what the observer (or, without one, the submitter's
 * acceptance) shows newly included. Nothing of it is kept between two looks but in the executor's own rows, so a
 * restart at any point changes nothing. */
#ifndef EMBED_HOST_CHAIN_H
#define EMBED_HOST_CHAIN_H

#include "base/time.h"
#include "chain/chain.h"
#include "store/store.h"

#include <bursar/executor.h>

#include <stdatomic.h>

struct host_chain;

struct host_chain_config {
    int64_t treasury;
    uint64_t chain_id;
    struct bursar_address account;
    struct store store; /* the executor's own handle: what it knows is what is looked at */
    struct clock clock;
    struct bursar_submitter submitter;
    struct bursar_observer observer; /* callbacks NULL: accepted is final */
    const atomic_bool *stop;         /* set: no further callback is called */
};

BURSAR_MUST_CHECK enum bursar_status host_chain_new(const struct host_chain_config *config, struct host_chain **ret,
                                                    struct bursar_error *err);
struct chain host_chain_interface(struct host_chain *chain);
/* Was anything accepted since the last look that, without an observer, the next look will find final? */
bool host_chain_has_news(const struct host_chain *chain);
void host_chain_free(struct host_chain *chain); /* NULL is fine */

/* Block n of every host's chain. */
void host_block_hash(uint64_t chain_id, const struct bursar_address *account, uint64_t number, struct bursar_hash *ret);

#endif

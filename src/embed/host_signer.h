/* A host's signer behind our signing log: it is never asked for a second payload of a nonce (INV-1), and nothing it
 * signs leaves before the log is on disk (INV-2). */
#ifndef EMBED_HOST_SIGNER_H
#define EMBED_HOST_SIGNER_H

#include "signer/signer.h"
#include "store/store.h"

#include <bursar/executor.h>

#include <stdatomic.h>

struct host_signer;

struct host_signer_config {
    int64_t treasury;
    uint64_t chain_id;
    struct bursar_address account;
    struct store store;          /* the executor's own handle: whom a nonce pays */
    struct bursar_signer signer; /* signing_log is copied */
    const atomic_bool *stop;     /* set: no further callback is called */
};

BURSAR_MUST_CHECK enum bursar_status host_signer_new(const struct host_signer_config *config, struct host_signer **ret,
                                                     struct bursar_error *err);
struct signer host_signer_interface(struct host_signer *signer);
void host_signer_free(struct host_signer *signer); /* NULL is fine */

#endif

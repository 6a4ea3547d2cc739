/* A signer in this process: a key from a keystore and its signing log. Not thread-safe. */
#ifndef SIGNER_LOCAL_SIGNER_H
#define SIGNER_LOCAL_SIGNER_H

#include "signer/keystore.h"
#include "signer/signer.h"
#include "signer/signing_log.h"

struct local_signer;

/* Takes ownership of `key` on success only. `log_path` is where the signing log lies; acquire opens and locks it. */
BURSAR_MUST_CHECK enum bursar_status local_signer_new(uint64_t chain_id, struct private_key *key, const char *log_path,
                                                      struct local_signer **ret, struct bursar_error *err);
struct signer local_signer_interface(struct local_signer *signer);
void local_signer_free(struct local_signer *signer); /* wipes the key, releases the log; NULL is fine */

#endif

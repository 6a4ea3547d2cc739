/* Reads of the chain that are tried again, with growing waits, while the node does not answer. */
#ifndef RECONCILE_CHAIN_READS_H
#define RECONCILE_CHAIN_READS_H

#include "reconcile/reconcile.h"

BURSAR_MUST_CHECK enum bursar_status read_view(const struct reconcile_env *env, const struct chain_query *query,
                                               struct chain_view *ret, struct bursar_error *err);
BURSAR_MUST_CHECK enum bursar_status read_transactions(const struct reconcile_env *env,
                                                       const struct bursar_hash *hashes, size_t count,
                                                       struct chain_transaction *ret, struct bursar_error *err);
BURSAR_MUST_CHECK enum bursar_status read_receipts(const struct reconcile_env *env, const struct bursar_hash *hashes,
                                                   size_t count, struct chain_receipt *ret, struct bursar_error *err);
/* Any count; ret_present and ret_hashes have one item a number. */
BURSAR_MUST_CHECK enum bursar_status read_block_hashes(const struct reconcile_env *env, const uint64_t *numbers,
                                                       size_t count, bool *ret_present, struct bursar_hash *ret_hashes,
                                                       struct bursar_error *err);
/* Up to CHAIN_BODIES_MAX_COUNT blocks; EREFUSED where the chain has none to read. */
BURSAR_MUST_CHECK enum bursar_status read_bodies(const struct reconcile_env *env, const struct bursar_address *account,
                                                 const uint64_t *numbers, size_t count, struct chain_body *ret,
                                                 struct bursar_error *err);
BURSAR_MUST_CHECK enum bursar_status read_raws(const struct reconcile_env *env, const struct bursar_hash *hashes,
                                               size_t count, struct chain_raw *ret, struct bursar_error *err);
BURSAR_MUST_CHECK enum bursar_status read_code(const struct reconcile_env *env, const struct chain_block_ref *at,
                                               const struct bursar_address *addresses, size_t count, bool *ret,
                                               struct bursar_error *err);

#endif

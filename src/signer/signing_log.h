/* The anti-equivocation log: per (chain id, account) one append-only file beside the key, fixed-size records with
 * checksums. Per nonce at most one payment payload, besides it only transfers of 0 to self. One process at a time. */
#ifndef SIGNER_SIGNING_LOG_H
#define SIGNER_SIGNING_LOG_H

#include "signer/signer.h"

struct signing_log;

/* What is about to be signed. */
struct signing_log_entry {
    uint64_t lease_epoch;
    uint64_t nonce;
    enum sign_purpose purpose;
    struct bursar_address to;
    struct bursar_amount value;
    struct bursar_hash data_hash;
    struct bursar_hash transaction_hash;
};

#define SIGNING_LOG_PATH_MAX_BYTES 4096
/* "<keystore>.<chain id>.signlog" */
BURSAR_MUST_CHECK enum bursar_status signing_log_path(const char *keystore_path, uint64_t chain_id,
                                                      char ret[SIGNING_LOG_PATH_MAX_BYTES], struct bursar_error *err);
/* Creates an empty log, durable with its directory entry. EEXIST when there is one. */
BURSAR_MUST_CHECK enum bursar_status signing_log_create(const char *path, uint64_t chain_id,
                                                        const struct bursar_address *account, struct bursar_error *err);
/* Opens for signing: takes the lock (EBUSY: another process has it), cuts off what is torn of a batch whose sync never
 * returned (its signatures never left), refuses damage or loss of anything older, another chain's or account's log, a
 * newer version (EREFUSED). ENOTFOUND: no file. ESTORAGE: it cannot be read or repaired. */
BURSAR_MUST_CHECK enum bursar_status signing_log_open(const char *path, uint64_t chain_id,
                                                      const struct bursar_address *account, struct signing_log **ret,
                                                      struct bursar_error *err);
/* As open, without lock and without changing anything, for looking beside a running executor. A torn tail is ignored.
 */
BURSAR_MUST_CHECK enum bursar_status signing_log_open_read_only(const char *path, uint64_t chain_id,
                                                                const struct bursar_address *account,
                                                                struct signing_log **ret, struct bursar_error *err);
/* May this be signed? Sees entries appended but not yet synced. EEQUIVOCATION: another payload was signed for the
 * nonce, both are named; or it is a payment after a self transfer. EFENCED: a lower lease epoch than seen. EREFUSED: a
 * replacement where no payment is known. EINVAL: a self transfer that is none. ELIMIT: a nonce far from all others. */
BURSAR_MUST_CHECK enum bursar_status signing_log_check(const struct signing_log *log,
                                                       const struct signing_log_entry *entry, struct bursar_error *err);
/* Checks, then appends to the batch in memory (so that two items of one batch cannot equivocate either). The same
 * transaction again is not written again. ELIMIT: the batch is full (SIGN_BATCH_MAX_ITEMS). */
BURSAR_MUST_CHECK enum bursar_status signing_log_append(struct signing_log *log, const struct signing_log_entry *entry,
                                                        struct bursar_error *err);
/* The same for what was signed before, and this log has lost: a payment that comes to light after the transfer to self
 * that took its nonce is recorded too. It is never signed again for that. */
BURSAR_MUST_CHECK enum bursar_status
signing_log_append_past(struct signing_log *log, const struct signing_log_entry *entry, struct bursar_error *err);
/* Writes and fsyncs the batch. After a failure the log refuses everything until it is opened anew: what reached the
 * disk is unknown. */
BURSAR_MUST_CHECK enum bursar_status signing_log_sync(struct signing_log *log, struct bursar_error *err);
void signing_log_extent(const struct signing_log *log, struct signing_log_extent *ret);
BURSAR_MUST_CHECK enum bursar_status signing_log_find(const struct signing_log *log, uint64_t nonce,
                                                      struct signed_payload *ret, struct bursar_error *err);
typedef enum bursar_status signing_log_visitor(void *ctx, const struct signing_log_entry *entry);
/* Everything that was signed for a nonce, the newest first. What a visitor returns ends the walk, unless OK. */
BURSAR_MUST_CHECK enum bursar_status signing_log_walk(const struct signing_log *log, uint64_t nonce,
                                                      signing_log_visitor *visit, void *visit_ctx,
                                                      struct bursar_error *err);
/* The highest lease epoch that anything was signed for; 0: none. */
uint64_t signing_log_lease_epoch(const struct signing_log *log);
/* Was this transaction hash recorded for this nonce? Walks only that nonce's records. */
BURSAR_MUST_CHECK enum bursar_status signing_log_has_transaction(const struct signing_log *log, uint64_t nonce,
                                                                 const struct bursar_hash *hash, bool *ret,
                                                                 struct bursar_error *err);
void signing_log_close(struct signing_log *log); /* releases the lock; NULL is fine */

#endif

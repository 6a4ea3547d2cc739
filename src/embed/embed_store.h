/* Inside the embedding API: a host's store handle. One SQLite handle behind one lock, so that any thread may call. */
#ifndef EMBED_EMBED_STORE_H
#define EMBED_EMBED_STORE_H

#include "base/time.h"
#include "store/sqlite_store.h"

#include <bursar/store.h>

#include <pthread.h>

struct bursar_store {
    pthread_mutex_t lock; /* error-checking: a visitor that calls back is told, not left hanging */
    char *path;
    struct sqlite_store *sqlite;
    struct store store;
    struct clock clock;
};

/* EUSAGE when this thread is inside already. Leave after every enter that returned OK. */
BURSAR_MUST_CHECK enum bursar_status embed_store_enter(struct bursar_store *store, struct bursar_error *err);
void embed_store_leave(struct bursar_store *store);

/* A growable struct that the caller allocated: EUSAGE when its `size` is below what the first version had. */
BURSAR_MUST_CHECK enum bursar_status embed_check_size(size_t size, size_t smallest_bytes, const char *name,
                                                      struct bursar_error *err);
/* Copies a growable struct of the caller's, which may be of an older or newer header: what it lacks is zero. */
void embed_read_struct(void *ours, size_t our_bytes, const void *theirs, size_t their_bytes);
/* The other way; `size` stays the caller's. */
void embed_write_struct(void *theirs, size_t their_bytes, const void *ours, size_t our_bytes);

/* Who decides something, and why: EUSAGE when a host may not say it so. */
BURSAR_MUST_CHECK enum bursar_status embed_check_decision(const char *actor, const char *reason,
                                                          struct bursar_error *err);

/* What a host's treasury is pinned to: its chain has no genesis block that we could see. */
void embed_genesis(uint64_t chain_id, const struct bursar_address *account, struct bursar_hash *ret);

/* A stored row as hosts see it. Texts stay the record's. */
void embed_disbursement(const struct disbursement_record *record, struct bursar_disbursement *ret);

#endif

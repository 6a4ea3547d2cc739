/* A host's store handle, and registering treasuries. */
#include "embed/embed_store.h"

#include "embed/host_chain.h"

#include "base/bytes.h"
#include "signer/signing_log.h"

#include <stdlib.h>
#include <string.h>

#define URL_PREFIX "sqlite:"
#define PATH_MAX_BYTES 4000

_Static_assert(BURSAR_TREASURY_NAME_MAX_BYTES + 1 == TREASURY_NAME_MAX_BYTES &&
                   BURSAR_EPOCH_SOURCE_MAX_BYTES + 1 == EPOCH_SOURCE_MAX_BYTES &&
                   BURSAR_IDENTITY_MAX_BYTES + 1 == LEASE_HOLDER_MAX_BYTES,
               "what is promised outside fits inside");

/* -- sizes --------------------------------------------------------------------------------------------------------- */

enum bursar_status embed_check_size(size_t size, size_t smallest_bytes, const char *name, struct bursar_error *err)
{
    if (size >= smallest_bytes)
        return BURSAR_OK;
    return bursar_fail(err, BURSAR_EUSAGE, "struct %s has size %zu: set it to sizeof(struct %s)", name, size, name);
}

void embed_read_struct(void *ours, size_t our_bytes, const void *theirs, size_t their_bytes)
{
    memset(ours, 0, our_bytes);
    memcpy(ours, theirs, our_bytes < their_bytes ? our_bytes : their_bytes);
}

void embed_write_struct(void *theirs, size_t their_bytes, const void *ours, size_t our_bytes)
{
    size_t bytes = our_bytes < their_bytes ? our_bytes : their_bytes;
    memcpy((uint8_t *)theirs + sizeof(size_t), (const uint8_t *)ours + sizeof(size_t), bytes - sizeof(size_t));
}

/* -- the handle ---------------------------------------------------------------------------------------------------- */

enum bursar_status embed_store_enter(struct bursar_store *store, struct bursar_error *err)
{
    if (pthread_mutex_lock(&store->lock) != 0)
        return bursar_fail(err, BURSAR_EUSAGE, "a visitor called into the store handle that it visits");
    return BURSAR_OK;
}

void embed_store_leave(struct bursar_store *store)
{
    (void)pthread_mutex_unlock(&store->lock);
}

static enum bursar_status handle_new(const char *path, struct bursar_store **ret, struct bursar_error *err)
{
    pthread_mutexattr_t checked;
    struct bursar_store *store = calloc(1, sizeof *store);
    if (!store || !(store->path = strdup(path))) {
        free(store);
        return bursar_fail(err, BURSAR_ENOMEM, "out of memory");
    }
    store->clock = system_clock();
    if (pthread_mutexattr_init(&checked) != 0) {
        free(store->path);
        free(store);
        return bursar_fail(err, BURSAR_ENOMEM, "out of memory");
    }
    int failed = pthread_mutexattr_settype(&checked, PTHREAD_MUTEX_ERRORCHECK);
    failed = failed ? failed : pthread_mutex_init(&store->lock, &checked);
    (void)pthread_mutexattr_destroy(&checked);
    if (failed) {
        free(store->path);
        free(store);
        return bursar_fail(err, BURSAR_EINTERNAL, "a lock can't be made: %s", strerror(failed));
    }
    *ret = store;
    return BURSAR_OK;
}

static enum bursar_status open_file(struct bursar_store *store, enum bursar_store_mode mode, struct bursar_error *err)
{
    switch (mode) {
    case BURSAR_STORE_EXISTING:
        return sqlite_store_open(store->path, SQLITE_MODE_WRITE, NULL, NULL, &store->sqlite, err);
    case BURSAR_STORE_CREATE:
        return sqlite_store_create(store->path, &store->sqlite, err);
    }
    return bursar_fail(err, BURSAR_EUSAGE, "a store is opened as EXISTING or CREATE, not as %d", (int)mode);
}

enum bursar_status bursar_store_open(const char *url, enum bursar_store_mode mode, struct bursar_store **ret,
                                     struct bursar_error *err)
{
    struct bursar_store *store = NULL;
    if (!url || strncmp(url, URL_PREFIX, strlen(URL_PREFIX)) != 0 || !url[strlen(URL_PREFIX)])
        return bursar_fail(err, BURSAR_EUSAGE, "'%.200s' is no store: sqlite:PATH is needed", url ? url : "");
    const char *path = url + strlen(URL_PREFIX);
    if (strlen(path) > PATH_MAX_BYTES)
        return bursar_fail(err, BURSAR_EUSAGE, "the path of the store is longer than %d bytes", PATH_MAX_BYTES);
    enum bursar_status status = handle_new(path, &store, err);
    if (status != BURSAR_OK)
        return status;
    status = open_file(store, mode, err);
    if (status != BURSAR_OK) {
        (void)bursar_store_close(store);
        return status;
    }
    store->store = sqlite_store_interface(store->sqlite);
    *ret = store;
    return BURSAR_OK;
}

struct bursar_store *bursar_store_close(struct bursar_store *store)
{
    if (!store)
        return NULL;
    sqlite_store_close(store->sqlite);
    (void)pthread_mutex_destroy(&store->lock);
    free(store->path);
    free(store);
    return NULL;
}

/* -- treasuries ---------------------------------------------------------------------------------------------------- */

void embed_genesis(uint64_t chain_id, const struct bursar_address *account, struct bursar_hash *ret)
{
    host_block_hash(chain_id, account, 0, ret);
}

static bool is_name(const char *name)
{
    size_t length = name ? strlen(name) : 0;
    if (length == 0 || length > BURSAR_TREASURY_NAME_MAX_BYTES)
        return false;
    return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == length;
}

static bool is_epoch_source(const char *text)
{
    size_t length = text ? strlen(text) : 0;
    if (length == 0 || length > BURSAR_EPOCH_SOURCE_MAX_BYTES)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < 0x20 || text[i] > 0x7e)
            return false;
    }
    return true;
}

static enum bursar_status check_treasury(const struct bursar_treasury *treasury, struct bursar_error *err)
{
    if (!is_name(treasury->name))
        return bursar_fail(err, BURSAR_EINVAL, "treasury: name: 1 to %d of a-z, 0-9 and _ are needed",
                           BURSAR_TREASURY_NAME_MAX_BYTES);
    if (treasury->chain_id == 0 || treasury->chain_id > INT64_MAX)
        return bursar_fail(err, BURSAR_EINVAL, "treasury %s: chain_id %llu is not within 1 to 2^63-1", treasury->name,
                           (unsigned long long)treasury->chain_id);
    if (treasury->first_nonce > INT64_MAX)
        return bursar_fail(err, BURSAR_EINVAL, "treasury %s: first_nonce is not below 2^63", treasury->name);
    if (!is_epoch_source(treasury->epoch_source))
        return bursar_fail(err, BURSAR_EINVAL, "treasury %s: epoch_source: 1 to %d bytes of printable ASCII are needed",
                           treasury->name, BURSAR_EPOCH_SOURCE_MAX_BYTES);
    if (!treasury->signing_log || !*treasury->signing_log)
        return bursar_fail(err, BURSAR_EINVAL, "treasury %s: signing_log: a path is needed", treasury->name);
    return BURSAR_OK;
}

/* The log first: a stored treasury without a log means that its log was lost. */
static enum bursar_status add_treasury(struct bursar_store *store, const struct bursar_treasury *treasury,
                                       struct treasury *ret, struct bursar_error *err)
{
    int64_t id = 0;
    enum bursar_status status = signing_log_create(treasury->signing_log, treasury->chain_id, &treasury->account, err);
    if (status ==
        BURSAR_EEXIST) /* of an earlier start that did not get further, or of an earlier store: compared later */
        status = BURSAR_OK;
    if (status == BURSAR_OK)
        status = store->store.treasury_add(store->store.ctx, treasury->name, treasury->chain_id, &treasury->account,
                                           treasury->epoch_source, &id, err);
    return status == BURSAR_OK ? store->store.treasury_get(store->store.ctx, id, ret, err) : status;
}

static enum bursar_status pin_treasury(struct bursar_store *store, const struct bursar_treasury *treasury,
                                       struct treasury *stored, struct bursar_error *err)
{
    struct block_mark genesis = { 0 };
    embed_genesis(treasury->chain_id, &treasury->account, &genesis.hash);
    enum bursar_status status = store->store.treasury_pin(store->store.ctx, stored->id, &genesis.hash,
                                                          treasury->first_nonce, &genesis, &genesis, err);
    if (status == BURSAR_OK || status == BURSAR_ESTALE) /* another process was first */
        status = store->store.treasury_get(store->store.ctx, stored->id, stored, err);
    return status;
}

static enum bursar_status check_stored(struct bursar_store *store, const struct bursar_treasury *treasury,
                                       const struct treasury *stored, struct bursar_error *err)
{
    struct bursar_hash genesis;
    embed_genesis(treasury->chain_id, &treasury->account, &genesis);
    if (!hash_equal(&stored->genesis_hash, &genesis))
        return bursar_fail(err, BURSAR_ECONFLICT,
                           "treasury %s: this account is a treasury of the bursar program in this store (%s)",
                           treasury->name, stored->name);
    if (stored->first_nonce != treasury->first_nonce)
        return bursar_fail(err, BURSAR_ECONFLICT, "treasury %s: it was registered with first_nonce %llu, not %llu",
                           treasury->name, (unsigned long long)stored->first_nonce,
                           (unsigned long long)treasury->first_nonce);
    if (strcmp(stored->epoch_source, treasury->epoch_source) == 0)
        return BURSAR_OK;
    return store->store.treasury_set_epoch_source(store->store.ctx, stored->id, treasury->epoch_source, err);
}

static enum bursar_status ensure_treasury(struct bursar_store *store, const struct bursar_treasury *treasury,
                                          int64_t *ret_id, struct bursar_error *err)
{
    struct treasury stored;
    enum bursar_status status =
        store->store.treasury_find(store->store.ctx, treasury->chain_id, &treasury->account, &stored, err);
    if (status == BURSAR_ENOTFOUND)
        status = add_treasury(store, treasury, &stored, err);
    if (status == BURSAR_OK && !stored.is_pinned)
        status = pin_treasury(store, treasury, &stored, err);
    if (status == BURSAR_OK)
        status = check_stored(store, treasury, &stored, err);
    if (status == BURSAR_OK)
        *ret_id = stored.id;
    return status;
}

enum bursar_status bursar_store_treasury(struct bursar_store *store, const struct bursar_treasury *treasury,
                                         int64_t *ret_id, struct bursar_error *err)
{
    struct bursar_treasury wanted;
    enum bursar_status status = embed_check_size(treasury->size, sizeof wanted, "bursar_treasury", err);
    if (status != BURSAR_OK)
        return status;
    embed_read_struct(&wanted, sizeof wanted, treasury, treasury->size);
    status = check_treasury(&wanted, err);
    if (status == BURSAR_OK)
        status = embed_store_enter(store, err);
    if (status != BURSAR_OK)
        return status;
    status = ensure_treasury(store, &wanted, ret_id, err);
    embed_store_leave(store);
    return status;
}

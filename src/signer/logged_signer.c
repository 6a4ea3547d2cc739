/* Holds requests against the signing log, and syncs it before anything leaves. */
#include "signer/logged_signer.h"

#include "eth/keccak.h"
#include "eth/transaction.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum bursar_status logged_signer_init(struct logged_signer *signer, const struct logged_signer_config *config,
                                      struct bursar_error *err)
{
    char *path = strdup(config->log_path);
    if (!path)
        return bursar_fail(err, BURSAR_ENOMEM, "no memory for a signer");
    *signer = (struct logged_signer){ .config = *config, .log_path = path };
    signer->config.log_path = path;
    return BURSAR_OK;
}

static void release_log(struct logged_signer *signer)
{
    signing_log_close(signer->log);
    signer->log = NULL;
    signer->log_failed = false;
}

void logged_signer_close(struct logged_signer *signer)
{
    release_log(signer);
    free(signer->log_path);
    *signer = (struct logged_signer){ 0 };
}

/* Signs one item and adds it to the log's batch. Nothing leaves before that is synced. */
static enum bursar_status sign_one(struct logged_signer *signer, const struct sign_request *request,
                                   struct signed_transaction *ret, struct bursar_error *err)
{
    struct signing_log_entry entry = {
        .lease_epoch = request->lease_epoch,
        .nonce = request->nonce,
        .purpose = request->purpose,
        .to = request->to,
        .value = request->value,
    };
    if (request->data_bytes > ETH_DATA_MAX_BYTES)
        return bursar_fail(err, BURSAR_ELIMIT, "nonce %" PRIu64 ": %zu bytes of data are over the limit of %zu",
                           request->nonce, request->data_bytes, ETH_DATA_MAX_BYTES);
    keccak256(request->data, request->data_bytes, &entry.data_hash);
    enum bursar_status status = signing_log_check(signer->log, &entry, err);
    if (status == BURSAR_OK)
        status = signer->config.produce(signer->config.ctx, request, ret, err);
    if (status != BURSAR_OK)
        return status;
    entry.transaction_hash = ret->hash;
    status = signing_log_append(signer->log, &entry, err);
    if (status != BURSAR_OK) {
        free(ret->raw);
        ret->raw = NULL;
        ret->raw_bytes = 0;
    }
    return status;
}

static enum bursar_status acquire(void *ctx, struct bursar_error *err)
{
    struct logged_signer *signer = ctx;
    if (signer->log && !signer->log_failed)
        return BURSAR_OK;
    release_log(signer);
    return signing_log_open(signer->log_path, signer->config.chain_id, &signer->config.account, &signer->log, err);
}

static void release(void *ctx)
{
    release_log(ctx);
}

static enum bursar_status check_acquired(const struct logged_signer *signer, struct bursar_error *err)
{
    if (!signer->log)
        return bursar_fail(err, BURSAR_EREFUSED, "signing log %s is not held by this process", signer->log_path);
    return BURSAR_OK;
}

static enum bursar_status sign(void *ctx, const struct sign_request *requests, size_t count,
                               struct signed_transaction *ret, struct bursar_error *err)
{
    struct logged_signer *signer = ctx;
    for (size_t i = 0; i < count; i++)
        ret[i] = (struct signed_transaction){ 0 };
    enum bursar_status status = check_acquired(signer, err);
    if (status != BURSAR_OK)
        return status;
    if (count > SIGN_BATCH_MAX_ITEMS)
        return bursar_fail(err, BURSAR_ELIMIT, "%zu requests in a batch; at most %d can be signed at once", count,
                           SIGN_BATCH_MAX_ITEMS);
    for (size_t i = 0; i < count; i++)
        ret[i].error.status = sign_one(signer, &requests[i], &ret[i], &ret[i].error);
    status = signing_log_sync(signer->log, err); /* INV-2 */
    if (status != BURSAR_OK) {
        signer->log_failed = true;
        for (size_t i = 0; i < count; i++)
            signed_transaction_clear(&ret[i]);
    }
    return status;
}

static enum bursar_status log_extent(void *ctx, struct signing_log_extent *ret, struct bursar_error *err)
{
    struct logged_signer *signer = ctx;
    enum bursar_status status = check_acquired(signer, err);
    if (status == BURSAR_OK)
        signing_log_extent(signer->log, ret);
    return status;
}

static enum bursar_status log_find(void *ctx, uint64_t nonce, struct signed_payload *ret, struct bursar_error *err)
{
    struct logged_signer *signer = ctx;
    enum bursar_status status = check_acquired(signer, err);
    return status == BURSAR_OK ? signing_log_find(signer->log, nonce, ret, err) : status;
}

struct signer logged_signer_interface(struct logged_signer *signer)
{
    return (struct signer){
        .ctx = signer,
        .acquire = acquire,
        .release = release,
        .sign = sign,
        .log_extent = log_extent,
        .log_find = log_find,
    };
}

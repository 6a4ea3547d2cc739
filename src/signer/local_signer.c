/* Signs with a key held in this process. It distrusts the executor: every request is held against the signing log, and
 * every signed transaction is parsed again and held against the request before it is recorded and handed out. */
#include "signer/local_signer.h"

#include "base/cleanup.h"
#include "eth/keccak.h"
#include "eth/transaction.h"
#include "signer/private_key.h"

#include <inttypes.h>
#include <string.h>

struct local_signer {
    uint64_t chain_id;
    struct private_key *key;
    struct bursar_address account;
    char *log_path;
    struct signing_log *log; /* NULL while not acquired */
    bool log_failed;         /* acquire opens it anew */
};

enum bursar_status local_signer_new(uint64_t chain_id, struct private_key *key, const char *log_path,
                                    struct local_signer **ret, struct bursar_error *err)
{
    if (chain_id == 0)
        return bursar_fail(err, BURSAR_EINVAL, "chain id 0 would make signatures valid on no chain");
    struct local_signer *signer = calloc(1, sizeof *signer);
    char *path = strdup(log_path);
    if (!signer || !path) {
        free(signer);
        free(path);
        return bursar_fail(err, BURSAR_ENOMEM, "no memory for a signer");
    }
    *signer = (struct local_signer){ .chain_id = chain_id, .key = key, .log_path = path };
    private_key_address(key, &signer->account);
    *ret = signer;
    return BURSAR_OK;
}

static void release_log(struct local_signer *signer)
{
    signing_log_close(signer->log);
    signer->log = NULL;
    signer->log_failed = false;
}

void local_signer_free(struct local_signer *signer)
{
    if (!signer)
        return;
    release_log(signer);
    private_key_free(signer->key);
    free(signer->log_path);
    free(signer);
}

/* --- one request --- */

static enum bursar_status refused(const struct sign_request *request, enum bursar_status status,
                                  const struct bursar_error *why, struct bursar_error *err)
{
    return bursar_fail(err, status, "nonce %" PRIu64 ": %.*s", request->nonce, (int)(sizeof why->message - 64),
                       why->message);
}

/* Parses what was signed, and checks that it is what was asked for, signed by this account. */
static enum bursar_status verify(const struct local_signer *signer, const struct eth_transaction *asked,
                                 const struct buf *raw, struct bursar_error *err)
{
    struct eth_transaction tx;
    struct eth_signature signature;
    struct bursar_hash hash;
    struct bursar_address sender;
    enum bursar_status status =
        eth_transaction_decode((const uint8_t *)raw->data, raw->length_bytes, &tx, &signature, err);
    if (status == BURSAR_OK)
        status = eth_transaction_signing_hash(&tx, &hash, err);
    if (status == BURSAR_OK)
        status = private_key_recover(signer->key, &hash, &signature, &sender, err);
    if (status != BURSAR_OK)
        return status;
    bool same = tx.chain_id == asked->chain_id && tx.nonce == asked->nonce &&
                tx.max_priority_fee_per_gas_wei == asked->max_priority_fee_per_gas_wei &&
                tx.max_fee_per_gas_wei == asked->max_fee_per_gas_wei && tx.gas_limit == asked->gas_limit &&
                address_equal(&tx.to, &asked->to) && bursar_amount_compare(tx.value_wei, asked->value_wei) == 0 &&
                tx.data_bytes == asked->data_bytes &&
                (tx.data_bytes == 0 || memcmp(tx.data, asked->data, tx.data_bytes) == 0);
    if (!same || !address_equal(&sender, &signer->account))
        return bursar_fail(err, BURSAR_EINTERNAL, "the signed bytes do not say what was asked for: faulty memory?");
    return BURSAR_OK;
}

static enum bursar_status sign_bytes(const struct local_signer *signer, const struct eth_transaction *tx,
                                     struct buf *raw, struct bursar_hash *ret_hash, struct bursar_error *err)
{
    struct bursar_hash signing_hash;
    struct eth_signature signature;
    enum bursar_status status = eth_transaction_signing_hash(tx, &signing_hash, err);
    if (status == BURSAR_OK)
        status = private_key_sign(signer->key, &signing_hash, &signature, err);
    if (status == BURSAR_OK)
        status = eth_transaction_encode(tx, &signature, raw, ret_hash, err);
    if (status == BURSAR_OK)
        status = verify(signer, tx, raw, err);
    return status;
}

/* Signs one item and adds it to the log's batch. Nothing leaves before that is synced. */
static enum bursar_status sign_one(struct local_signer *signer, const struct sign_request *request,
                                   struct signed_transaction *ret, struct bursar_error *err)
{
    const struct eth_transaction tx = {
        .chain_id = signer->chain_id,
        .nonce = request->nonce,
        .max_priority_fee_per_gas_wei = request->max_priority_fee_per_gas_wei,
        .max_fee_per_gas_wei = request->max_fee_per_gas_wei,
        .gas_limit = request->gas_limit,
        .to = request->to,
        .value_wei = request->value,
        .data = request->data,
        .data_bytes = request->data_bytes,
    };
    struct signing_log_entry entry = {
        .lease_epoch = request->lease_epoch,
        .nonce = request->nonce,
        .purpose = request->purpose,
        .to = request->to,
        .value = request->value,
    };
    cleanup(buf_free) struct buf raw = { 0 };
    struct bursar_error why = { 0 };
    if (request->data_bytes > ETH_DATA_MAX_BYTES)
        return bursar_fail(err, BURSAR_ELIMIT, "nonce %" PRIu64 ": %zu bytes of data are over the limit of %zu",
                           request->nonce, request->data_bytes, ETH_DATA_MAX_BYTES);
    keccak256(request->data, request->data_bytes, &entry.data_hash);
    enum bursar_status status = signing_log_check(signer->log, &entry, err);
    if (status != BURSAR_OK)
        return status;
    status = sign_bytes(signer, &tx, &raw, &entry.transaction_hash, &why);
    if (status != BURSAR_OK)
        return refused(request, status, &why, err);
    status = signing_log_append(signer->log, &entry, err);
    if (status != BURSAR_OK)
        return status;
    ret->raw = (uint8_t *)raw.data; /* now the receiver's */
    ret->raw_bytes = raw.length_bytes;
    ret->hash = entry.transaction_hash;
    raw = (struct buf){ 0 };
    return BURSAR_OK;
}

/* --- the seam --- */

static enum bursar_status acquire(void *ctx, struct bursar_error *err)
{
    struct local_signer *signer = ctx;
    if (signer->log && !signer->log_failed)
        return BURSAR_OK;
    release_log(signer);
    return signing_log_open(signer->log_path, signer->chain_id, &signer->account, &signer->log, err);
}

static void release(void *ctx)
{
    release_log(ctx);
}

static enum bursar_status check_acquired(const struct local_signer *signer, struct bursar_error *err)
{
    if (!signer->log)
        return bursar_fail(err, BURSAR_EREFUSED, "signing log %s is not held by this process", signer->log_path);
    return BURSAR_OK;
}

static enum bursar_status sign(void *ctx, const struct sign_request *requests, size_t count,
                               struct signed_transaction *ret, struct bursar_error *err)
{
    struct local_signer *signer = ctx;
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
    struct local_signer *signer = ctx;
    enum bursar_status status = check_acquired(signer, err);
    if (status == BURSAR_OK)
        signing_log_extent(signer->log, ret);
    return status;
}

static enum bursar_status log_find(void *ctx, uint64_t nonce, struct signed_payload *ret, struct bursar_error *err)
{
    struct local_signer *signer = ctx;
    enum bursar_status status = check_acquired(signer, err);
    return status == BURSAR_OK ? signing_log_find(signer->log, nonce, ret, err) : status;
}

struct signer local_signer_interface(struct local_signer *signer)
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

/* Signs with a key held in this process. It distrusts the executor and its own memory: every signed transaction is
 * parsed again and held against the request before it is recorded and handed out. */
#include "signer/local_signer.h"

#include "base/cleanup.h"
#include "eth/transaction.h"
#include "signer/logged_signer.h"
#include "signer/private_key.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct local_signer {
    struct private_key *key;
    struct bursar_address account;
    struct logged_signer logged;
};

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

static enum bursar_status produce(void *ctx, const struct sign_request *request, struct signed_transaction *ret,
                                  struct bursar_error *err)
{
    struct local_signer *signer = ctx;
    const struct eth_transaction tx = {
        .chain_id = signer->logged.config.chain_id,
        .nonce = request->nonce,
        .max_priority_fee_per_gas_wei = request->max_priority_fee_per_gas_wei,
        .max_fee_per_gas_wei = request->max_fee_per_gas_wei,
        .gas_limit = request->gas_limit,
        .to = request->to,
        .value_wei = request->value,
        .data = request->data,
        .data_bytes = request->data_bytes,
    };
    cleanup(buf_free) struct buf raw = { 0 };
    struct bursar_error why = { 0 };
    enum bursar_status status = sign_bytes(signer, &tx, &raw, &ret->hash, &why);
    if (status != BURSAR_OK)
        return refused(request, status, &why, err);
    ret->raw = (uint8_t *)raw.data; /* now the receiver's */
    ret->raw_bytes = raw.length_bytes;
    raw = (struct buf){ 0 };
    return BURSAR_OK;
}

enum bursar_status local_signer_new(uint64_t chain_id, struct private_key *key, const char *log_path,
                                    struct local_signer **ret, struct bursar_error *err)
{
    if (chain_id == 0)
        return bursar_fail(err, BURSAR_EINVAL, "chain id 0 would make signatures valid on no chain");
    struct local_signer *signer = calloc(1, sizeof *signer);
    if (!signer)
        return bursar_fail(err, BURSAR_ENOMEM, "no memory for a signer");
    private_key_address(key, &signer->account);
    const struct logged_signer_config config = {
        .chain_id = chain_id, .account = signer->account, .log_path = log_path, .ctx = signer, .produce = produce
    };
    enum bursar_status status = logged_signer_init(&signer->logged, &config, err);
    if (status != BURSAR_OK) {
        free(signer);
        return status;
    }
    signer->key = key;
    *ret = signer;
    return BURSAR_OK;
}

struct signer local_signer_interface(struct local_signer *signer)
{
    return logged_signer_interface(&signer->logged);
}

void local_signer_free(struct local_signer *signer)
{
    if (!signer)
        return;
    logged_signer_close(&signer->logged);
    private_key_free(signer->key);
    free(signer);
}

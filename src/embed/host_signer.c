/* Asks the host for what the signing log allows. What the host's bytes say is the host's to answer for: their format is
 * its own. */
#include "embed/host_signer.h"

#include "base/bytes.h"
#include "eth/keccak.h"
#include "signer/logged_signer.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct host_signer {
    struct host_signer_config config;
    uint8_t *bytes; /* what the host writes to; BURSAR_TRANSACTION_MAX_BYTES */
    struct logged_signer logged;
};

_Static_assert((int)BURSAR_SIGN_PAYMENT == SIGN_PAYMENT && (int)BURSAR_SIGN_REPLACEMENT == SIGN_REPLACEMENT &&
                   (int)BURSAR_SIGN_SELF == SIGN_SELF,
               "purposes are stored, and are the same inside and outside");

static enum bursar_status take_intent(void *ctx, const struct intent_record *record)
{
    *(struct intent_record *)ctx = *record;
    return BURSAR_OK;
}

/* Whom this nonce pays; 0: nobody. */
static enum bursar_status find_disbursement(const struct host_signer *signer, uint64_t nonce, int64_t *ret,
                                            struct bursar_error *err)
{
    const struct store *store = &signer->config.store;
    struct intent_record record = { 0 };
    enum bursar_status status =
        store->intents(store->ctx, signer->config.treasury, nonce, 1, take_intent, &record, err);
    if (status == BURSAR_OK)
        *ret = record.nonce == nonce ? record.disbursement : 0;
    return status;
}

static enum bursar_status refused(uint64_t nonce, enum bursar_status status, const struct bursar_error *why,
                                  struct bursar_error *err)
{
    /* These two are findings of our own log, and would be taken for its. */
    if (status == BURSAR_EFENCED || status == BURSAR_EEQUIVOCATION)
        status = BURSAR_EREFUSED;
    return bursar_fail(err, status, "nonce %" PRIu64 ": the host's signer refused: %.400s", nonce,
                       *why->message ? why->message : bursar_status_text(status));
}

static enum bursar_status ask(struct host_signer *signer, const struct sign_request *request, int64_t disbursement,
                              struct bursar_signed *ret, struct bursar_error *err)
{
    struct bursar_error why = { 0 };
    const struct bursar_sign_request asked = { .size = sizeof asked,
                                               .purpose = (enum bursar_sign_purpose)request->purpose,
                                               .chain_id = signer->config.chain_id,
                                               .account = signer->config.account,
                                               .nonce = request->nonce,
                                               .destination = request->to,
                                               .amount = request->value,
                                               .disbursement = disbursement,
                                               .lease_epoch = request->lease_epoch };
    struct bursar_signed answer = { .size = sizeof answer,
                                    .bytes = signer->bytes,
                                    .capacity_bytes = BURSAR_TRANSACTION_MAX_BYTES };
    if (atomic_load(signer->config.stop))
        return bursar_fail(err, BURSAR_ECANCELLED, "nonce %" PRIu64 ": shutting down", request->nonce);
    enum bursar_status status = signer->config.signer.sign(signer->config.signer.ctx, &asked, &answer, &why);
    if (status != BURSAR_OK)
        return refused(request->nonce, status, &why, err);
    if (answer.length_bytes == 0 || answer.length_bytes > BURSAR_TRANSACTION_MAX_BYTES)
        return bursar_fail(err, BURSAR_EINVAL,
                           "nonce %" PRIu64 ": the host's signer gave %zu bytes; 1 to %d are possible", request->nonce,
                           answer.length_bytes, BURSAR_TRANSACTION_MAX_BYTES);
    const struct bursar_hash none = { 0 };
    if (hash_equal(&answer.transaction, &none))
        keccak256(signer->bytes, answer.length_bytes, &answer.transaction);
    *ret = answer;
    return BURSAR_OK;
}

static enum bursar_status produce(void *ctx, const struct sign_request *request, struct signed_transaction *ret,
                                  struct bursar_error *err)
{
    struct host_signer *signer = ctx;
    struct bursar_signed answer = { 0 };
    int64_t disbursement = 0;
    if (request->data_bytes > 0)
        return bursar_fail(err, BURSAR_EINVAL, "nonce %" PRIu64 ": a host's chain takes no call data", request->nonce);
    enum bursar_status status = find_disbursement(signer, request->nonce, &disbursement, err);
    if (status == BURSAR_OK)
        status = ask(signer, request, disbursement, &answer, err);
    if (status != BURSAR_OK)
        return status;
    uint8_t *raw = malloc(answer.length_bytes);
    if (!raw)
        return bursar_fail(err, BURSAR_ENOMEM, "out of memory");
    memcpy(raw, signer->bytes, answer.length_bytes);
    ret->raw = raw;
    ret->raw_bytes = answer.length_bytes;
    ret->hash = answer.transaction;
    return BURSAR_OK;
}

enum bursar_status host_signer_new(const struct host_signer_config *config, struct host_signer **ret,
                                   struct bursar_error *err)
{
    struct host_signer *signer = calloc(1, sizeof *signer);
    if (signer) {
        signer->config = *config;
        signer->bytes = malloc(BURSAR_TRANSACTION_MAX_BYTES);
    }
    if (!signer || !signer->bytes) {
        host_signer_free(signer);
        return bursar_fail(err, BURSAR_ENOMEM, "out of memory");
    }
    const struct logged_signer_config logged = { .chain_id = config->chain_id,
                                                 .account = config->account,
                                                 .log_path = config->signer.signing_log,
                                                 .ctx = signer,
                                                 .produce = produce };
    enum bursar_status status = logged_signer_init(&signer->logged, &logged, err);
    if (status != BURSAR_OK) {
        host_signer_free(signer);
        return status;
    }
    *ret = signer;
    return BURSAR_OK;
}

struct signer host_signer_interface(struct host_signer *signer)
{
    return logged_signer_interface(&signer->logged);
}

void host_signer_free(struct host_signer *signer)
{
    if (!signer)
        return;
    logged_signer_close(&signer->logged);
    free(signer->bytes);
    free(signer);
}

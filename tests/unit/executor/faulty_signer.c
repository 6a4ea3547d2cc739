/* Passes everything on but for the batch that is to fail. */
#include "faulty_signer.h"

static enum bursar_status acquire(void *ctx, struct bursar_error *err)
{
    struct faulty_signer *signer = ctx;
    signer->needs_acquire = false;
    return signer->inner.acquire(signer->inner.ctx, err);
}

static void release(void *ctx)
{
    struct faulty_signer *signer = ctx;
    signer->inner.release(signer->inner.ctx);
}

static enum bursar_status fail(struct faulty_signer *signer, struct signed_transaction *ret, size_t count,
                               struct bursar_error *err)
{
    for (size_t i = 0; i < count; i++)
        signed_transaction_clear(&ret[i]);
    if (signer->dies)
        *signer->is_dead = true;
    signer->needs_acquire = true;
    return bursar_fail(err, BURSAR_ESTORAGE, "scripted fault: the signing log can't be written");
}

/* One by one, so that a single item can be refused. */
static enum bursar_status sign_items(struct faulty_signer *signer, const struct sign_request *requests, size_t count,
                                     struct signed_transaction *ret, struct bursar_error *err)
{
    enum bursar_status status = BURSAR_OK;
    for (size_t i = 0; i < count && status == BURSAR_OK; i++) {
        if (signer->refusals && requests[i].nonce == signer->refused_nonce) {
            signer->refusals--;
            (void)bursar_fail(&ret[i].error, BURSAR_EREFUSED, "scripted refusal");
            continue;
        }
        status = signer->inner.sign(signer->inner.ctx, &requests[i], 1, &ret[i], err);
    }
    return status;
}

static enum bursar_status sign(void *ctx, const struct sign_request *requests, size_t count,
                               struct signed_transaction *ret, struct bursar_error *err)
{
    struct faulty_signer *signer = ctx;
    bool fails = ++signer->batches == signer->fail_at;
    for (size_t i = 0; i < count; i++)
        ret[i] = (struct signed_transaction){ 0 };
    if (signer->needs_acquire || (fails && !signer->fail_after))
        return fail(signer, ret, count, err);
    enum bursar_status status = signer->refusals ? sign_items(signer, requests, count, ret, err)
                                                 : signer->inner.sign(signer->inner.ctx, requests, count, ret, err);
    if (signer->interlude) {
        signer->interlude(signer->interlude_ctx);
        signer->interlude = NULL;
    }
    return fails && status == BURSAR_OK ? fail(signer, ret, count, err) : status;
}

static enum bursar_status log_extent(void *ctx, struct signing_log_extent *ret, struct bursar_error *err)
{
    struct faulty_signer *signer = ctx;
    return signer->inner.log_extent(signer->inner.ctx, ret, err);
}

static enum bursar_status log_find(void *ctx, uint64_t nonce, struct signed_payload *ret, struct bursar_error *err)
{
    struct faulty_signer *signer = ctx;
    if (signer->finds_that_fail) {
        signer->finds_that_fail--;
        return bursar_fail(err, BURSAR_ESTORAGE, "scripted fault: the signing log can't be read");
    }
    return signer->inner.log_find(signer->inner.ctx, nonce, ret, err);
}

struct signer faulty_signer_interface(struct faulty_signer *signer)
{
    return (struct signer){ .ctx = signer,
                            .acquire = acquire,
                            .release = release,
                            .sign = sign,
                            .log_extent = log_extent,
                            .log_find = log_find };
}

/* The signer's seam: what went through is witnessed. */
#include "process.h"

static enum bursar_status acquire(void *ctx, struct bursar_error *err)
{
    struct process *process = ctx;
    if (!seam_enter(process, "acquire"))
        return seam_dead(err);
    enum bursar_status status = process->signer.acquire(process->signer.ctx, err);
    if (status == BURSAR_OK)
        process->log_is_orphan = false;
    return seam_leave(process, "acquire", status, err);
}

static void release(void *ctx)
{
    struct process *process = ctx;
    process->signer.release(process->signer.ctx); /* a dead one's lock goes as well */
}

static enum bursar_status sign(void *ctx, const struct sign_request *requests, size_t count,
                               struct signed_transaction *ret, struct bursar_error *err)
{
    struct process *process = ctx;
    for (size_t i = 0; i < count; i++)
        ret[i] = (struct signed_transaction){ 0 };
    if (!seam_enter(process, "sign"))
        return seam_dead(err);
    enum bursar_status status = process->signer.sign(process->signer.ctx, requests, count, ret, err);
    for (size_t i = 0; i < count && status == BURSAR_OK; i++) {
        if (ret[i].error.status == BURSAR_OK)
            witness_signed(process->setup->witness, requests[i].lease_epoch, requests[i].nonce, &requests[i].to,
                           &requests[i].value, requests[i].purpose != SIGN_SELF, process->log_is_orphan);
    }
    bool was_ok = status == BURSAR_OK;
    status = seam_leave(process, "sign", status, err);
    for (size_t i = 0; i < count && was_ok && status != BURSAR_OK; i++)
        signed_transaction_clear(&ret[i]);
    return status;
}

static enum bursar_status log_extent(void *ctx, struct signing_log_extent *ret, struct bursar_error *err)
{
    struct process *process = ctx;
    if (!seam_enter(process, "log_extent"))
        return seam_dead(err);
    return seam_leave(process, "log_extent", process->signer.log_extent(process->signer.ctx, ret, err), err);
}

static enum bursar_status log_find(void *ctx, uint64_t nonce, struct signed_payload *ret, struct bursar_error *err)
{
    struct process *process = ctx; /* called inside a read of the store: no place to freeze or die at */
    return process->is_dead ? seam_dead(err) : process->signer.log_find(process->signer.ctx, nonce, ret, err);
}

struct signer seam_signer(struct process *process)
{
    return (struct signer){ .ctx = process,
                            .acquire = acquire,
                            .release = release,
                            .sign = sign,
                            .log_extent = log_extent,
                            .log_find = log_find };
}

/* What an embedder's callback decides about a due row, before anything is bound for it. */
#include "store/sqlite_core.h"

static enum bursar_status host_refuse(void *ctx, struct fence fence, uint64_t now_ms, int64_t id, uint64_t version,
                                      const char *reason, struct bursar_error *err)
{
    struct sqlite_store *store = ctx;
    struct disbursement_version row = { id, STATE_QUEUED, version };
    struct disbursement_move move = {
        .to = STATE_CANCELLED, .cause = CAUSE_HOST_REFUSED, .at_ms = now_ms, .actor = store->holder, .detail = reason
    };
    enum bursar_status status = write_begin(store, &fence, err);
    if (status != BURSAR_OK)
        return status;
    return write_end(store, disbursement_move(store, fence.treasury, &row, &move, err), err);
}

void sqlite_fill_host(struct store *interface)
{
    interface->host_refuse = host_refuse;
}

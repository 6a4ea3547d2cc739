/* bursar cancel: a queued disbursement will not be paid. */
#include "cli/decide.h"

static enum bursar_status cancel(const struct store *store, int64_t treasury, int64_t id,
                                 const struct decision *decision, struct bursar_error *err)
{
    return store->cancel(store->ctx, treasury, id, decision, err);
}

int cmd_cancel(struct cli *cli, int argc, char **argv)
{
    static const struct deciding deciding = { "cancel",
                                              "cancelled; it will not be paid, and what depends on it is blocked",
                                              cancel };
    return decide(cli, argc, argv, &deciding);
}

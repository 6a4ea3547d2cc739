/* bursar retry: a failed disbursement is to be paid after all. */
#include "cli/decide.h"

static enum bursar_status retry(const struct store *store, int64_t treasury, int64_t id,
                                const struct decision *decision, struct bursar_error *err)
{
    return store->retry(store->ctx, treasury, id, decision, err);
}

int cmd_retry(struct cli *cli, int argc, char **argv)
{
    static const struct deciding deciding = { "retry", "queued again; it will be paid with a nonce of its own", retry };
    return decide(cli, argc, argv, &deciding);
}

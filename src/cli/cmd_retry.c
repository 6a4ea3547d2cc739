/* bursar retry: a failed disbursement is to be paid after all. */
#include "cli/decide.h"

static enum bursar_status retry(const struct store *store, int64_t treasury, int64_t id,
                                const struct decision *decision, const char **ret_done, struct bursar_error *err)
{
    *ret_done = "queued again; it will be paid with a nonce of its own";
    return store->retry(store->ctx, treasury, id, decision, err);
}

int cmd_retry(struct cli *cli, int argc, char **argv)
{
    static const struct deciding deciding = { "retry", retry };
    return decide(cli, argc, argv, &deciding);
}

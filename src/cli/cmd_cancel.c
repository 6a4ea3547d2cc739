/* bursar cancel: a disbursement is not to be paid: at once while it is queued; what is bound to a nonce is left to the
 * executor, which takes the nonce away from it if it still can. */
#include "cli/decide.h"

static enum bursar_status cancel(const struct store *store, int64_t treasury, int64_t id,
                                 const struct decision *decision, const char **ret_done, struct bursar_error *err)
{
    struct bursar_error not_asked = { 0 };
    enum bursar_status status = store->cancel(store->ctx, treasury, id, decision, err);
    *ret_done = "cancelled; it will not be paid, and what depends on it is blocked";
    if (status != BURSAR_EREFUSED)
        return status;
    status = store->cancel_request(store->ctx, treasury, id, decision, &not_asked);
    *ret_done =
        "asked for; it is bound to a nonce already: the executor offers a transfer of 0 to the treasury itself at "
        "that nonce, and whichever of the two is mined decides (`bursar show` tells)";
    if (status == BURSAR_EEXIST)
        return bursar_fail(err, BURSAR_EREFUSED, "%s", not_asked.message);
    return status == BURSAR_OK || status == BURSAR_EREFUSED ? status /* refused: `err` says why, from the first try */
                                                            : bursar_fail(err, status, "%s", not_asked.message);
}

int cmd_cancel(struct cli *cli, int argc, char **argv)
{
    static const struct deciding deciding = { "cancel", cancel };
    return decide(cli, argc, argv, &deciding);
}

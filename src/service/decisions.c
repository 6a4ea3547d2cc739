/* See decisions.h. */
#include "service/decisions.h"

#include "base/bytes.h"

#include <string.h>

static bool is_control(const unsigned char *at)
{
    return at[0] < 0x20 || at[0] == 0x7f || (at[0] == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0); /* the last: C1 */
}

const char *reason_problem(const char *reason)
{
    size_t length = strlen(reason);
    if (reason[strspn(reason, " ")] == 0)
        return "must not be empty: it is kept in the history";
    if (length > REASON_MAX_BYTES)
        return "is longer than 500 bytes";
    if (!utf8_is_valid(reason, length))
        return "is not UTF-8";
    for (size_t i = 0; i < length; i++) {
        if (is_control((const unsigned char *)reason + i))
            return "must be one line of text, without control characters";
    }
    return NULL;
}
_Static_assert(REASON_MAX_BYTES == 500, "said so above");

enum bursar_status decisions_cancel(const struct store *store, int64_t treasury, int64_t id,
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

enum bursar_status decisions_retry(const struct store *store, int64_t treasury, int64_t id,
                                   const struct decision *decision, const char **ret_done, struct bursar_error *err)
{
    *ret_done = "queued again; it will be paid with a nonce of its own";
    return store->retry(store->ctx, treasury, id, decision, err);
}

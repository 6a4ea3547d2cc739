/* Sums that a person can hold against a token's own list of transfers. */
#include "reconcile/token_sums.h"

#include "base/bytes.h"
#include "eth/abi.h"

/* NULL: there is no room for another token. */
static struct token_sum *sum_of(struct token_sums *sums, const struct bursar_address *token)
{
    for (size_t i = 0; i < sums->count; i++) {
        if (address_equal(&sums->sums[i].token, token))
            return &sums->sums[i];
    }
    sums->has_more = sums->has_more || sums->count == TOKEN_SUMS_MAX_COUNT;
    if (sums->count == TOKEN_SUMS_MAX_COUNT)
        return NULL;
    sums->sums[sums->count] = (struct token_sum){ .token = *token };
    return &sums->sums[sums->count++];
}

enum bursar_status token_sums_add(struct token_sums *sums, const struct intent_record *intent,
                                  const struct chain_receipt *receipt, struct bursar_error *err)
{
    struct bursar_address to;
    struct bursar_amount owed, paid;
    if (intent->kind != INTENT_PAYMENT || intent->purpose == PURPOSE_SELF_TRANSFER ||
        intent->purpose == PURPOSE_FOREIGN ||
        !abi_transfer_decode(intent->data.bytes, intent->data.length_bytes, &to, &owed))
        return BURSAR_OK;
    struct token_sum *sum = sum_of(sums, &intent->to);
    if (!sum)
        return BURSAR_OK;
    bool ok = true;
    if (intent->is_live && intent->state == STATE_FINALIZED)
        ok =
            bursar_amount_subtract(owed, intent->short_by, &paid) && bursar_amount_add(sum->stored, paid, &sum->stored);
    for (size_t i = 0; receipt && receipt->is_present && i < receipt->transfer_count && ok; i++) {
        if (address_equal(&receipt->transfers[i].to, &to))
            ok = bursar_amount_add(sum->on_chain, receipt->transfers[i].amount, &sum->on_chain);
    }
    return ok ? BURSAR_OK : bursar_fail(err, BURSAR_EINTERNAL, "a sum of a token exceeds 256 bits");
}

#include "domain/money.h"

#include "base/cleanup.h"

static const char *const NAMES[] = {
    [MONEY_REVERTS] = "reverts",
    [MONEY_FOREIGN_NONCE] = "foreign_nonce",
    [MONEY_BALANCE_MISMATCH] = "balance_mismatch",
    [MONEY_SPENDING_RATE] = "spending_rate",
    [MONEY_PERSON] = "person",
};
_Static_assert(COUNT_OF(NAMES) == MONEY_CAUSE_COUNT, "every cause has a name");

const char *money_cause_name(enum money_cause cause)
{
    return (unsigned)cause < MONEY_CAUSE_COUNT ? NAMES[cause] : NULL;
}

/* The gravest first: that somebody else has the key counts for more than what follows from it. */
enum money_cause money_judge(const struct money_limits *limits, const uint64_t incidents[MONEY_CAUSE_COUNT])
{
    if (limits->watches_foreign_nonce && incidents[MONEY_FOREIGN_NONCE])
        return MONEY_FOREIGN_NONCE;
    if (limits->watches_balance && incidents[MONEY_BALANCE_MISMATCH])
        return MONEY_BALANCE_MISMATCH;
    if (limits->reverts && incidents[MONEY_REVERTS] >= limits->reverts)
        return MONEY_REVERTS;
    return MONEY_NONE;
}

bool money_is_missing(const struct bursar_amount *before, const struct bursar_amount *paid,
                      const struct bursar_amount *now, const struct bursar_amount *tolerance,
                      struct bursar_amount *ret_missing)
{
    struct bursar_amount expected, missing;
    if (!bursar_amount_subtract(*before, *paid, &expected)) /* more came in than was there */
        return false;
    if (!bursar_amount_subtract(expected, *now, &missing) || bursar_amount_compare(missing, *tolerance) <= 0)
        return false;
    *ret_missing = missing;
    return true;
}

bool money_spend(const struct money_limits *limits, struct money_spent *spent, const struct asset *asset,
                 const struct bursar_amount *amount, const struct money_rate **ret_rate)
{
    struct bursar_amount sum = { 0 };
    size_t i = 0;
    *ret_rate = NULL;
    if (limits->payments_per_hour && spent->payments >= limits->payments_per_hour)
        return false;
    while (i < limits->rate_count && !asset_equal(&limits->rates[i].asset, asset))
        i++;
    if (i < limits->rate_count) {
        *ret_rate = &limits->rates[i];
        if (!bursar_amount_add(spent->spent[i], *amount, &sum) ||
            bursar_amount_compare(sum, limits->rates[i].per_hour) > 0)
            return false;
        spent->spent[i] = sum;
    }
    spent->payments++;
    return true;
}

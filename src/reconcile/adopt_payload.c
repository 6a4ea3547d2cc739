/* The one place that knows how what is owed, and what is bound, becomes a transaction's destination, amount and data.
 */
#include "reconcile/adopt_parts.h"

#include "eth/keccak.h"

static struct payload without_data(const struct bursar_address *to, struct bursar_amount value)
{
    struct payload payload = { .to = *to, .value = value };
    keccak256("", 0, &payload.data_hash);
    return payload;
}

struct payload payload_of_intent(const struct intent_record *intent)
{
    return without_data(&intent->to, intent->value);
}

struct payload payload_of_content(const struct content_record *content)
{
    return without_data(&content->destination, content->amount);
}

struct payload payload_of_self_transfer(const struct bursar_address *account)
{
    return without_data(account, (struct bursar_amount){ 0 });
}

const struct payload *sight_pays(const struct sight *sight)
{
    return sight->seen == SEEN_NOWHERE || sight->is_cancellation ? &sight->signed_payload : &sight->payload;
}

bool payload_is_self_transfer(const struct payload *payload, const struct bursar_address *account)
{
    const struct payload wanted = payload_of_self_transfer(account);
    return payload_compare(payload, &wanted) == 0;
}

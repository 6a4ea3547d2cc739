/* The one place that knows how what is owed, and what is bound, becomes a transaction's destination, amount and data.
 */
#include "reconcile/adopt_parts.h"

#include "base/bytes.h"
#include "eth/keccak.h"
#include "executor/planner.h"

static struct payload without_data(const struct bursar_address *to, struct bursar_amount value)
{
    struct payload payload = { .to = *to, .value = value };
    keccak256("", 0, &payload.data_hash);
    return payload;
}

struct payload payload_of_intent(const struct intent_record *intent)
{
    struct payload payload = { .to = intent->to, .value = intent->value };
    keccak256(intent->data.bytes, intent->data.length_bytes, &payload.data_hash);
    return payload;
}

struct payload payload_of_content(const struct content_record *content)
{
    const struct due_row row = { .destination = content->destination,
                                 .asset = content->asset,
                                 .amount = content->amount };
    struct call_data data;
    struct payload payload;
    plan_payment(&row, &payload.to, &payload.value, &data);
    keccak256(data.bytes, data.length_bytes, &payload.data_hash);
    return payload;
}

struct payload payload_of_self_transfer(const struct bursar_address *account)
{
    return without_data(account, (struct bursar_amount){ 0 });
}

const struct payload *sight_pays(const struct sight *sight)
{
    return sight->seen == SEEN_NOWHERE || sight->is_cancellation ? &sight->signed_payload : &sight->payload;
}

bool payload_has_no_data(const struct payload *payload)
{
    struct bursar_hash empty;
    keccak256("", 0, &empty);
    return hash_equal(&payload->data_hash, &empty);
}

bool payload_is_self_transfer(const struct payload *payload, const struct bursar_address *account)
{
    const struct payload wanted = payload_of_self_transfer(account);
    return payload_compare(payload, &wanted) == 0;
}

/* Destination, amount and data, of whatever has them. */
#include "executor/payload.h"

#include "base/bytes.h"
#include "eth/keccak.h"
#include "executor/planner.h"

#include <string.h>

int payload_compare(const struct payload *a, const struct payload *b)
{
    int order = memcmp(a->to.bytes, b->to.bytes, sizeof a->to.bytes);
    if (order == 0)
        order = bursar_amount_compare(a->value, b->value);
    return order ? order : memcmp(a->data_hash.bytes, b->data_hash.bytes, sizeof a->data_hash.bytes);
}

struct payload payload_of_transaction(const struct chain_transaction *transaction)
{
    struct payload payload = { transaction->to, transaction->value, transaction->data_hash };
    if (!transaction->has_to) /* it creates a contract: no data has this hash, so no disbursement owes it */
        memset(payload.data_hash.bytes, 0xff, sizeof payload.data_hash.bytes);
    return payload;
}

static struct payload with_data(const struct bursar_address *to, struct bursar_amount value,
                                const struct call_data *data)
{
    struct payload payload = { .to = *to, .value = value };
    keccak256(data->bytes, data->length_bytes, &payload.data_hash);
    return payload;
}

struct payload payload_of_intent(const struct intent_record *intent)
{
    return with_data(&intent->to, intent->value, &intent->data);
}

struct payload payload_of_flight(const struct flight *flight)
{
    return with_data(&flight->to, flight->value, &flight->data);
}

struct payload payload_of_content(const struct content_record *content, bool tagged)
{
    const struct due_row row = { .destination = content->destination,
                                 .asset = content->asset,
                                 .amount = content->amount,
                                 .content_hash = content->content_hash };
    struct bursar_address to;
    struct bursar_amount value;
    struct call_data data;
    plan_payment(&row, tagged, &to, &value, &data);
    return with_data(&to, value, &data);
}

struct payload payload_of_self_transfer(const struct bursar_address *account)
{
    const struct call_data none = { .length_bytes = 0 };
    return with_data(account, (struct bursar_amount){ 0 }, &none);
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

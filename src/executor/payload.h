/* What a transaction does, and what is bound or owed, as one value that can be compared: destination, amount, data.
 * The one place that knows how what is owed becomes a transaction. Pure. */
#ifndef EXECUTOR_PAYLOAD_H
#define EXECUTOR_PAYLOAD_H

#include "chain/chain.h"
#include "store/records_adopt.h"

struct payload {
    struct bursar_address to;
    struct bursar_amount value;
    struct bursar_hash data_hash; /* keccak256(data) */
};
int payload_compare(const struct payload *a, const struct payload *b);

/* What was seen, what an intent sends, what a disbursement wants sent, and a cancel or a gap fill. */
struct payload payload_of_transaction(const struct chain_transaction *transaction);
struct payload payload_of_intent(const struct intent_record *intent);
struct payload payload_of_flight(const struct flight *flight);
struct payload payload_of_content(const struct content_record *content, bool tagged);
struct payload payload_of_self_transfer(const struct bursar_address *account);
/* Of the coin: a transaction without data that succeeded has paid. */
bool payload_has_no_data(const struct payload *payload);
bool payload_is_self_transfer(const struct payload *payload, const struct bursar_address *account);

#endif

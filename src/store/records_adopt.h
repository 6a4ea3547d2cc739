/* What a store that was lost, or is an older copy, learns of its own past, as plain values. */
#ifndef STORE_RECORDS_ADOPT_H
#define STORE_RECORDS_ADOPT_H

#include "store/records.h"

/* A disbursement by what it owes. The text is the store's until the callback returns. */
struct content_record {
    int64_t id;
    uint64_t version;
    enum disbursement_state state;
    const char *ref;
    struct bursar_address destination;
    struct asset asset;
    struct bursar_amount amount;
    struct bursar_hash content_hash;
    bool waits; /* for another one */
    enum schedule_kind schedule;
    uint64_t schedule_value;
};

/* One nonce, and what is known of it now. All texts and bytes are borrowed. */
struct adopted_nonce {
    uint64_t nonce;
    int64_t intent; /* 0: the store has none, and the next lines are what it is to be */
    enum intent_kind kind;
    struct bursar_address to;
    struct bursar_amount value;
    const uint8_t *data;
    size_t data_bytes;
    uint64_t gas_limit;
    int64_t disbursement; /* what it pays: queued, or failed and retried with this; 0: nothing */
    enum disbursement_state from_state;
    uint64_t version;
    bool cancels;         /* and is to be cancelled, as it was before */
    bool has_transaction; /* else it is bound, and will be signed */
    struct bursar_hash hash;
    bool is_new; /* the store does not have it as an attempt yet: */
    int purpose; /* enum sign_purpose, or PURPOSE_FOREIGN */
    const uint8_t *raw;
    size_t raw_bytes; /* 0: unknown; of what is final only */
    uint64_t max_priority_fee_per_gas_wei;
    uint64_t max_fee_per_gas_wei;
    bool is_final; /* in this block: */
    struct block_mark block;
    bool succeeded;
    uint64_t gas_used;
    uint64_t effective_gas_price_wei;
    bool is_short; /* its token moved so much less than was owed, or nothing */
    struct bursar_amount short_by;
    const char *detail; /* for the event log: how it is known */
};

struct adoption {
    const struct adopted_nonce *nonces; /* ascending */
    size_t count;
    uint64_t first_nonce; /* of the treasury from now on: never higher than before */
    bool rewinds;         /* blocks above `scan` are read again */
    struct block_mark scan;
    bool has_anchor; /* the history of the chain was replaced below what was final: this is final now */
    struct block_mark anchor;
    uint64_t lease_epoch; /* the next lease is above this */
};

#endif

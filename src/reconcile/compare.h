/* Does the store agree with the signing log and the chain about one intent? Pure: no I/O, no clock. */
#ifndef RECONCILE_COMPARE_H
#define RECONCILE_COMPARE_H

#include "chain/chain.h"
#include "signer/signer.h"
#include "store/records.h"

#include <stdbool.h>

#define DIFFERENCE_MAX_BYTES 400

/* All that was seen of one intent. Pointers are borrowed; NULL: was not asked for. */
struct intent_sight {
    const struct intent_record *intent;
    struct bursar_address account;
    bool is_logged; /* the signing log knows the nonce: as `logged` */
    struct signed_payload logged;
    bool log_has_transaction;                    /* it recorded the attempt's hash */
    const struct chain_transaction *transaction; /* of the attempt that counts */
    const struct chain_receipt *receipt;
    bool has_canonical_block; /* the chain has a block at the stored number, with this hash: */
    struct bursar_hash canonical_hash;
    uint64_t nonce_latest;    /* of the account, seen before the rest */
    bool other_attempt_mined; /* another attempt of this intent is in a block */
};

enum intent_verdict {
    INTENT_AGREES = 1,    /* included or final, on the chain as stored */
    INTENT_IN_FLIGHT = 2, /* bound or signed, and nothing speaks against it */
    INTENT_DIFFERS = 3,
};

/* `ret_what` says what differs; set for INTENT_DIFFERS only. */
enum intent_verdict intent_compare(const struct intent_sight *sight, char ret_what[DIFFERENCE_MAX_BYTES]);

#endif

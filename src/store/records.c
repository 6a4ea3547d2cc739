/* Names of the stored numbers. */
#include "store/records.h"

const char *halt_code_name(enum halt_code code)
{
    switch (code) {
    case HALT_NONE:
        return "none";
    case HALT_WRONG_CHAIN:
        return "wrong_chain";
    case HALT_GENESIS_MISMATCH:
        return "genesis_mismatch";
    case HALT_ANCHOR_MISMATCH:
        return "anchor_mismatch";
    case HALT_STORE_BEHIND_LOG:
        return "store_behind_log";
    case HALT_SIGNING_LOG_LOST:
        return "signing_log_lost";
    case HALT_STORE_BEHIND_CHAIN:
        return "store_behind_chain";
    case HALT_FOREIGN_NONCE:
        return "foreign_nonce";
    case HALT_ACCOUNT_HISTORY:
        return "account_history";
    case HALT_SIGNER:
        return "signer";
    case HALT_CHAIN_UNSUITABLE:
        return "chain_unsuitable";
    }
    return NULL;
}

bool halt_latches(enum halt_code code)
{
    return code == HALT_GENESIS_MISMATCH || code == HALT_ANCHOR_MISMATCH;
}

/* What every driver of the chain seam shares: names of verdicts, giving blocks back. */
#include "chain/chain.h"

#include <stdlib.h>

void chain_blocks_clear(struct chain_block *blocks, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(blocks[i].transactions);
        blocks[i] = (struct chain_block){ 0 };
    }
}

void chain_bodies_clear(struct chain_body *bodies, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(bodies[i].sent);
        bodies[i] = (struct chain_body){ 0 };
    }
}

void chain_raws_clear(struct chain_raw *raws, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(raws[i].bytes);
        raws[i] = (struct chain_raw){ 0 };
    }
}

const char *submit_verdict_name(enum submit_verdict verdict)
{
    switch (verdict) {
    case SUBMIT_ACCEPTED:
        return "accepted";
    case SUBMIT_KNOWN:
        return "known";
    case SUBMIT_NONCE_TOO_LOW:
        return "nonce_too_low";
    case SUBMIT_UNDERPRICED:
        return "underpriced";
    case SUBMIT_FEE_TOO_LOW:
        return "fee_too_low";
    case SUBMIT_INSUFFICIENT_FUNDS:
        return "insufficient_funds";
    case SUBMIT_REFUSED:
        return "refused";
    case SUBMIT_UNKNOWN:
        return "unknown";
    case SUBMIT_UNSENT:
        return "unsent";
    case SUBMIT_CONTESTED:
        return "contested";
    }
    return NULL;
}

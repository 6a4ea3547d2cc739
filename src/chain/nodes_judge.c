/* What one node's view says against what was agreed. Pure: no node is asked here. */
#include "base/bytes.h"
#include "chain/nodes_parts.h"

#include <inttypes.h>
#include <stdio.h>

bool views_share_chain(const struct chain_view *a, const struct chain_view *b)
{
    if (a->chain_id != b->chain_id || !hash_equal(&a->genesis_hash, &b->genesis_hash))
        return false;
    return !a->has_anchor_block || !b->has_anchor_block || hash_equal(&a->anchor_hash, &b->anchor_hash);
}

/* Another genesis, or another block where one was final, is never a matter of lagging. */
static bool is_elsewhere(const struct chain_query *query, const struct chain_view *view,
                         const struct chain_view *agreed, char ret_reason[NODE_REASON_MAX_BYTES])
{
    const size_t size = NODE_REASON_MAX_BYTES;
    if (view->chain_id != agreed->chain_id)
        (void)snprintf(ret_reason, size, "is on chain %" PRIu64 ", the others on chain %" PRIu64, view->chain_id,
                       agreed->chain_id);
    else if (!hash_equal(&view->genesis_hash, &agreed->genesis_hash))
        (void)snprintf(ret_reason, size, "has another genesis block than the others");
    else if (!views_share_chain(view, agreed))
        (void)snprintf(ret_reason, size, "has another block %" PRIu64 " than the others, which was final",
                       query->anchor_number);
    else
        return false;
    return true;
}

enum set_aside view_judge(const struct chain_query *query, const struct chain_view *view,
                          const struct chain_view *agreed, char ret_reason[NODE_REASON_MAX_BYTES])
{
    const size_t size = NODE_REASON_MAX_BYTES;
    const uint64_t latest = view->latest.block.number, reference = agreed->latest.block.number;
    ret_reason[0] = '\0';
    if (is_elsewhere(query, view, agreed, ret_reason))
        return ASIDE_LIES;
    if (view->has_final && agreed->has_final && view->final.block.number == agreed->final.block.number) {
        bool is_same_block = hash_equal(&view->final.block.hash, &agreed->final.block.hash);
        if (!is_same_block)
            (void)snprintf(ret_reason, size, "has another block %" PRIu64 " than the others, which is final",
                           agreed->final.block.number);
        else if (view->nonce_final != agreed->nonce_final)
            (void)snprintf(ret_reason, size,
                           "counts %" PRIu64 " transactions of the account at final block %" PRIu64
                           ", the others %" PRIu64,
                           view->nonce_final, agreed->final.block.number, agreed->nonce_final);
        if (ret_reason[0])
            return ASIDE_LIES;
    }
    if (agreed->has_anchor_block && !view->has_anchor_block) {
        (void)snprintf(ret_reason, size, "lacks block %" PRIu64 ", which is final: it is catching up",
                       query->anchor_number);
        return ASIDE_LAGS;
    }
    if (reference > latest && reference - latest > NODES_LAG_MAX_BLOCKS) {
        (void)snprintf(ret_reason, size, "is at block %" PRIu64 ", the others are at %" PRIu64, latest, reference);
        return ASIDE_LAGS;
    }
    return ASIDE_NOT;
}

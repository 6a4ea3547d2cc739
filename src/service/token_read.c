/* The treasury's chain is made sure of first: decimals from another one would be wrong by powers of ten. */
#include "service/token_read.h"

#include "executor/planner.h"
#include "service/node.h"

#define HASTE_TIMEOUT_MAX_MS 2000
#define TRIES_MAX_COUNT 3 /* the head may move in between */

static enum bursar_status read_at(struct chain *chain, const struct chain_block_ref *at,
                                  const struct bursar_address *tokens, size_t count, struct chain_token *ret,
                                  struct bursar_error *err)
{
    enum bursar_status status = BURSAR_OK;
    for (size_t i = 0; i < count && status == BURSAR_OK; i += CHAIN_TOKENS_MAX_COUNT) {
        size_t part = count - i < CHAIN_TOKENS_MAX_COUNT ? count - i : CHAIN_TOKENS_MAX_COUNT;
        status = chain->tokens(chain->ctx, at, tokens + i, part, ret + i, err);
    }
    return status;
}

static enum bursar_status look(struct chain *chain, const struct treasury_config *section,
                               const struct treasury *treasury, struct chain_block_ref *ret, struct bursar_error *err)
{
    const struct chain_query query = { .account = treasury->address,
                                       .has_anchor = treasury->is_pinned,
                                       .anchor_number = treasury->anchor.number,
                                       .finality_blocks = (uint32_t)section->finality_blocks,
                                       .chain_id = section->chain_id,
                                       .has_pins = treasury->is_pinned,
                                       .genesis_hash = treasury->genesis_hash,
                                       .anchor_hash = treasury->anchor.hash };
    struct chain_view view;
    struct verdict verdict;
    enum bursar_status status = chain->observe(chain->ctx, &query, &view, err);
    if (status != BURSAR_OK)
        return status;
    plan_identity(treasury, &view, &verdict);
    if (verdict.halt != HALT_NONE)
        return bursar_fail(err, BURSAR_EREFUSED, "%s", verdict.reason);
    if (verdict.holds)
        return bursar_fail(err, BURSAR_EUNREACHABLE, "%s", verdict.reason);
    *ret = view.latest.block;
    return BURSAR_OK;
}

enum bursar_status token_read(const struct treasury_settings *settings, const struct treasury *treasury, bool in_haste,
                              const struct bursar_address *tokens, size_t count, struct chain_token *ret,
                              struct bursar_error *err)
{
    struct node node = { 0 };
    struct chain_block_ref at;
    struct bursar_error why = { 0 };
    uint64_t timeout_ms = settings->rpc_timeout_ms;
    if (in_haste && timeout_ms > HASTE_TIMEOUT_MAX_MS)
        timeout_ms = HASTE_TIMEOUT_MAX_MS;
    enum bursar_status status =
        node_open(&node, settings->section, (uint32_t)timeout_ms, settings->is_cancelled, settings->cancel_ctx, err);
    bool is_open = status == BURSAR_OK;
    for (int tries = 0; is_open && tries < TRIES_MAX_COUNT && (tries == 0 || status == BURSAR_ESTALE); tries++) {
        status = look(&node.chain, settings->section, treasury, &at, &why);
        if (status == BURSAR_OK)
            status = read_at(&node.chain, &at, tokens, count, ret, &why);
    }
    node_close(&node);
    if (status == BURSAR_OK || !is_open)
        return status;
    return bursar_fail(err, status == BURSAR_ESTALE ? BURSAR_EUNREACHABLE : status, "%s", why.message);
}

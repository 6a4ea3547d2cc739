/* What `status` sees for itself. The order of reads matters: an executor may be writing at the same time. */
#include "service/live_look.h"

#include "base/bytes.h"
#include "doctor/log_look.h"

#include <stdarg.h>
#include <string.h>

static void found_halt(struct live_look *look, enum halt_code code, const char *format, ...) BURSAR_PRINTF(3, 4);
static void found_halt(struct live_look *look, enum halt_code code, const char *format, ...)
{
    if (look->halt != HALT_NONE)
        return;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(look->halt_reason, sizeof look->halt_reason, format, args);
    va_end(args);
    look->halt = code;
}

static void copy_nodes(const struct nodes *nodes, struct live_look *ret)
{
    ret->node_count = nodes ? nodes_count(nodes) : 0;
    for (size_t i = 0; i < ret->node_count; i++) {
        struct node_health health;
        struct live_node *node = &ret->nodes[i];
        nodes_look(nodes, i, &health);
        node->state = health.state;
        node->has_latest = health.has_latest;
        node->latest_block = health.latest_block;
        (void)snprintf(node->url, sizeof node->url, "%s", health.name);
        (void)snprintf(node->last_error, sizeof node->last_error, "%s", health.last_error);
    }
}

void live_look_at_node(const struct treasury_config *section, const struct treasury *treasury, uint32_t timeout_ms,
                       bool (*is_cancelled)(void *ctx), void *cancel_ctx, struct live_look *ret)
{
    struct node node = { 0 };
    struct bursar_error err = { 0 };
    struct chain_query query = { .account = treasury->address,
                                 .has_anchor = treasury->is_pinned,
                                 .anchor_number = treasury->anchor.number,
                                 .finality_blocks = (uint32_t)section->finality_blocks,
                                 .chain_id = section->chain_id,
                                 .has_pins = treasury->is_pinned,
                                 .genesis_hash = treasury->genesis_hash,
                                 .anchor_hash = treasury->anchor.hash };
    enum bursar_status status = node_open(&node, section, timeout_ms, is_cancelled, cancel_ctx, &err);
    if (status == BURSAR_OK)
        status = node.chain.observe(node.chain.ctx, &query, &ret->view, &err);
    if (status != BURSAR_OK)
        (void)snprintf(ret->node_error, sizeof ret->node_error, "%s", err.message);
    else if (ret->view.chain_id != section->chain_id)
        found_halt(ret, HALT_WRONG_CHAIN, "the node is on chain %llu, the treasury on chain %llu",
                   (unsigned long long)ret->view.chain_id, (unsigned long long)section->chain_id);
    else if (treasury->is_pinned && !hash_equal(&ret->view.genesis_hash, &treasury->genesis_hash))
        found_halt(ret, HALT_GENESIS_MISMATCH, "the node shows another genesis block than the one pinned");
    else
        ret->has_view = true;
    if (status == BURSAR_OK && !ret->has_view)
        (void)snprintf(ret->node_error, sizeof ret->node_error, "%s", ret->halt_reason);
    copy_nodes(node.nodes, ret);
    node_close(&node);
}

void live_look_at_log(const struct store *store, const struct treasury_config *section, const struct treasury *treasury,
                      struct live_look *ret)
{
    struct log_look look;
    log_look(store, treasury, section->keystore, &look);
    if (look.halt != HALT_NONE)
        found_halt(ret, look.halt, "%s", look.halt_reason);
}

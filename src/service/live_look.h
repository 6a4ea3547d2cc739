/* A cheap look at what no executor may have looked at yet: the node, and the signing log beside the store. */
#ifndef SERVICE_LIVE_LOOK_H
#define SERVICE_LIVE_LOOK_H

#include "chain/nodes.h"
#include "service/node.h"
#include "store/store.h"

/* One node, as this look found it. */
struct live_node {
    char url[NODE_NAME_MAX_BYTES]; /* without secrets */
    enum node_state state;
    char last_error[BURSAR_ERROR_MESSAGE_MAX_BYTES]; /* "" */
    bool has_latest;
    uint64_t latest_block;
};

struct live_look {
    struct live_node nodes[NODES_MAX_COUNT]; /* in order of preference */
    size_t node_count;
    bool has_view; /* enough nodes answered, and show this treasury's chain */
    struct chain_view view;
    char node_error[BURSAR_ERROR_MESSAGE_MAX_BYTES]; /* why not; "" */
    enum halt_code halt;                             /* found by this look, HALT_NONE otherwise */
    char halt_reason[HALT_REASON_MAX_BYTES];
};

/* Faults end up in `ret`: a look never fails. `treasury->id` 0: not stored yet. */
void live_look_at_node(const struct treasury_config *section, const struct treasury *treasury, uint32_t timeout_ms,
                       bool (*is_cancelled)(void *ctx), void *cancel_ctx, struct live_look *ret);
/* Compares the signing log with the store (INV-12), in both directions, without locking either. */
void live_look_at_log(const struct store *store, const struct treasury_config *section, const struct treasury *treasury,
                      struct live_look *ret);

#endif

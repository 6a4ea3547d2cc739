/* The nodes of a [treasury NAME] section: a driver and its connections for each URL, and all of them as one chain. */
#ifndef SERVICE_NODE_H
#define SERVICE_NODE_H

#include "chain/chain.h"
#include "rpc/http_rpc.h"
#include "service/treasury_config.h"
#include "store/records.h"

#include <stdbool.h>

#define NODE_LANES 8

/* All of them, seen as one chain. */
struct node {
    struct node_link *links; /* one a URL */
    size_t count;
    struct nodes *nodes; /* who is healthy, and where to tell: chain/nodes.h */
    struct chain chain;
};
/* The URLs of `section`; does not connect yet. Zero-initialise; close also after a failure. */
BURSAR_MUST_CHECK enum bursar_status node_open(struct node *node, const struct treasury_config *section,
                                               uint32_t timeout_ms, bool (*is_cancelled)(void *ctx), void *cancel_ctx,
                                               struct bursar_error *err);
/* Tells of every request to URL `index`. Before the first of them. */
void node_set_meter(struct node *node, size_t index, struct rpc_meter meter);
void node_close(struct node *node);
/* One of them by itself: index < node->count. Belong to `node`. */
const char *node_name(const struct node *node, size_t index);
struct chain node_chain(const struct node *node, size_t index);
struct rpc node_rpc(const struct node *node, size_t index);

/* Is somebody renewing the lease? */
bool lease_is_live(const struct treasury *treasury, uint64_t now_ms);

#endif

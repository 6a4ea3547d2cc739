/* See node.h. */
#include "service/node.h"

#include "base/time.h"
#include "chain/evm.h"
#include "chain/nodes.h"
#include "rpc/http_rpc.h"

#include <stdlib.h>
#include <string.h>

/* One URL. */
struct node_link {
    struct http_rpc *rpc;
    struct http_rpc *lanes[NODE_LANES]; /* more connections, for handing over */
    struct evm_chain *evm;
};

static void take_trouble(void *ctx, struct rpc_trouble *ret)
{
    evm_chain_take_trouble(ctx, ret);
}

/* What is opened belongs to the link also after a failure. */
static enum bursar_status link_open(struct node_link *link, const char *url, uint32_t timeout_ms,
                                    bool (*is_cancelled)(void *ctx), void *cancel_ctx, struct bursar_error *err)
{
    enum bursar_status status = http_rpc_new(url, timeout_ms, is_cancelled, cancel_ctx, &link->rpc, err);
    if (status == BURSAR_OK)
        status = evm_chain_new(http_rpc_interface(link->rpc), &link->evm, err);
    for (size_t i = 0; i < NODE_LANES && status == BURSAR_OK; i++) {
        status = http_rpc_new(url, timeout_ms, is_cancelled, cancel_ctx, &link->lanes[i], err);
        if (status == BURSAR_OK)
            status = evm_chain_add_lane(link->evm, http_rpc_interface(link->lanes[i]), err);
    }
    return status;
}

static void link_close(struct node_link *link)
{
    evm_chain_free(link->evm);
    http_rpc_free(link->rpc);
    for (size_t i = 0; i < NODE_LANES; i++)
        http_rpc_free(link->lanes[i]);
}

static enum bursar_status add_link(struct node *node, const char *url, uint32_t timeout_ms,
                                   bool (*is_cancelled)(void *ctx), void *cancel_ctx, struct bursar_error *err)
{
    struct node_link *link = &node->links[node->count++];
    enum bursar_status status = link_open(link, url, timeout_ms, is_cancelled, cancel_ctx, err);
    if (status != BURSAR_OK)
        return status;
    struct nodes_member member = { .name = http_rpc_endpoint(link->rpc),
                                   .chain = evm_chain_interface(link->evm),
                                   .trouble_ctx = link->evm,
                                   .take_trouble = take_trouble };
    return nodes_add(node->nodes, &member, err);
}

enum bursar_status node_open(struct node *node, const struct treasury_config *section, uint32_t timeout_ms,
                             bool (*is_cancelled)(void *ctx), void *cancel_ctx, struct bursar_error *err)
{
    struct nodes_config config = { .quorum = config_quorum(section), .clock = system_clock() };
    char urls[CONFIG_RPC_MAX_BYTES], *rest = NULL;
    (void)snprintf(urls, sizeof urls, "%s", section->rpc);
    node->links = calloc(CONFIG_RPC_URLS_MAX_COUNT, sizeof *node->links);
    if (!node->links)
        return bursar_fail(err, BURSAR_ENOMEM, "out of memory");
    enum bursar_status status = nodes_new(&config, &node->nodes, err);
    for (char *url = strtok_r(urls, " ", &rest); url && status == BURSAR_OK; url = strtok_r(NULL, " ", &rest)) {
        if (node->count == CONFIG_RPC_URLS_MAX_COUNT)
            return bursar_fail(err, BURSAR_EINVAL, "rpc: more than %d URLs", CONFIG_RPC_URLS_MAX_COUNT);
        status = add_link(node, url, timeout_ms, is_cancelled, cancel_ctx, err);
    }
    return status == BURSAR_OK ? nodes_interface(node->nodes, &node->chain, err) : status;
}

const char *node_name(const struct node *node, size_t index)
{
    return http_rpc_endpoint(node->links[index].rpc);
}

struct chain node_chain(const struct node *node, size_t index)
{
    return evm_chain_interface(node->links[index].evm);
}

struct rpc node_rpc(const struct node *node, size_t index)
{
    return http_rpc_interface(node->links[index].rpc);
}

void node_set_meter(struct node *node, size_t index, struct rpc_meter meter)
{
    const struct node_link *link = &node->links[index];
    http_rpc_set_meter(link->rpc, meter);
    for (size_t i = 0; i < NODE_LANES; i++)
        http_rpc_set_meter(link->lanes[i], meter);
}

void node_close(struct node *node)
{
    nodes_free(node->nodes);
    for (size_t i = 0; i < node->count; i++)
        link_close(&node->links[i]);
    free(node->links);
    *node = (struct node){ 0 };
}

bool lease_is_live(const struct treasury *treasury, uint64_t now_ms)
{
    return treasury->lease_holder[0] && now_ms <= treasury->lease_renewed_ms + treasury->lease_ttl_ms;
}

/* See run_telemetry.h. */
#include "cli/run_telemetry.h"

#ifdef BURSAR_TELEMETRY

#include "chain/nodes.h"
#include "telemetry/telemetry.h"

#include <stdio.h>
#include <string.h>

enum bursar_status run_telemetry_start(size_t treasury_count, struct sqlite_store *sqlite, struct telemetry **ret,
                                       struct bursar_error *err)
{
    struct store store = sqlite_store_interface(sqlite);
    uint64_t newest = 0;
    enum bursar_status status = store.event_newest(store.ctx, &newest, err);
    if (status == BURSAR_OK)
        status = telemetry_new(treasury_count, newest, system_clock(), ret, err);
    if (status == BURSAR_OK)
        sqlite_store_set_meter(sqlite, telemetry_commit_meter(*ret));
    return status;
}

void run_telemetry_stop(struct telemetry *telemetry)
{
    telemetry_free(telemetry);
}

/* One that is called as the coin or as all others are counts among the others. */
static void take_assets(const struct asset_names *names, struct telemetry_treasury *treasury)
{
    for (size_t i = 0; i < names->count && treasury->asset_count < TELEMETRY_ASSETS_MAX_COUNT; i++) {
        const struct asset_config *asset = &names->assets[i];
        if (asset->chain_id != names->chain_id || strcmp(asset->name, "native") == 0 ||
            strcmp(asset->name, "other") == 0)
            continue;
        struct telemetry_asset *ret = &treasury->assets[treasury->asset_count++];
        (void)snprintf(ret->name, sizeof ret->name, "%s", asset->name);
        ret->token = asset->token;
    }
}

void run_telemetry_feed(struct telemetry *telemetry, size_t index, const char *name, int64_t id,
                        const struct asset_names *names, struct node *node, struct executor_env *env)
{
    struct telemetry_treasury treasury = { .id = id };
    (void)snprintf(treasury.name, sizeof treasury.name, "%s", name);
    take_assets(names, &treasury);
    telemetry_set_treasury(telemetry, index, &treasury);
    env->meters = telemetry_executor_meters(telemetry, index);
    env->telemetry = telemetry_breaker(telemetry, index);
    for (size_t i = 0; i < nodes_count(node->nodes); i++) {
        struct node_health health;
        nodes_look(node->nodes, i, &health);
        node_set_meter(node, i, telemetry_node_meter(telemetry, index, i, health.name));
    }
}

void run_telemetry_limits(struct telemetry *telemetry, size_t index, const struct money_limits *limits)
{
    telemetry_set_limits(telemetry, index, limits);
}

void run_telemetry_nodes(struct telemetry *telemetry, size_t index, const struct node *node)
{
    for (size_t i = 0; i < nodes_count(node->nodes); i++) {
        struct node_health health;
        nodes_look(node->nodes, i, &health);
        telemetry_node_seen(telemetry, index, i, &health);
    }
}

static bool write_metrics(void *ctx, const struct store *store, struct buf *out)
{
    return telemetry_write(ctx, store, out);
}

struct http_metrics run_telemetry_metrics(struct telemetry *telemetry)
{
    return (struct http_metrics){ .ctx = telemetry, .write = write_metrics };
}

#endif

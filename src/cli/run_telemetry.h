/* The telemetry of `bursar run`: what of it is fed by whom. Built without telemetry, nothing listens. */
#ifndef CLI_RUN_TELEMETRY_H
#define CLI_RUN_TELEMETRY_H

#include "cli/config.h"
#include "executor/executor.h"
#include "http/server.h"
#include "service/asset_view.h"
#include "service/node.h"
#include "store/sqlite_store.h"

struct telemetry;

#ifdef BURSAR_TELEMETRY

/* *ret stays as it is after a failure. */
BURSAR_MUST_CHECK enum bursar_status run_telemetry_start(size_t treasury_count, struct sqlite_store *sqlite,
                                                         struct telemetry **ret, struct bursar_error *err);
/* When nothing is fed or asked any more. NULL is fine. */
void run_telemetry_stop(struct telemetry *telemetry);
/* Treasury `index` is this one (`id` in the store), fed by these nodes and this executor, which is not made yet. */
void run_telemetry_feed(struct telemetry *telemetry, size_t index, const char *name, int64_t id,
                        const struct asset_names *names, struct node *node, struct executor_env *env);
/* Its limits, as configured now. */
void run_telemetry_limits(struct telemetry *telemetry, size_t index, const struct money_limits *limits);
/* How its nodes are now. */
void run_telemetry_nodes(struct telemetry *telemetry, size_t index, const struct node *node);
struct http_metrics run_telemetry_metrics(struct telemetry *telemetry);

#else

static inline enum bursar_status run_telemetry_start(size_t treasury_count, struct sqlite_store *sqlite,
                                                     struct telemetry **ret, struct bursar_error *err)
{
    (void)treasury_count, (void)sqlite, (void)ret, (void)err;
    return BURSAR_OK;
}
static inline void run_telemetry_stop(struct telemetry *telemetry)
{
    (void)telemetry;
}
static inline void run_telemetry_feed(struct telemetry *telemetry, size_t index, const char *name, int64_t id,
                                      const struct asset_names *names, struct node *node, struct executor_env *env)
{
    (void)telemetry, (void)index, (void)name, (void)id, (void)names, (void)node, (void)env;
}
static inline void run_telemetry_limits(struct telemetry *telemetry, size_t index, const struct money_limits *limits)
{
    (void)telemetry, (void)index, (void)limits;
}
static inline void run_telemetry_nodes(struct telemetry *telemetry, size_t index, const struct node *node)
{
    (void)telemetry, (void)index, (void)node;
}
static inline struct http_metrics run_telemetry_metrics(struct telemetry *telemetry)
{
    (void)telemetry;
    return (struct http_metrics){ 0 };
}

#endif

#endif

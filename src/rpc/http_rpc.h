/* JSON-RPC 2.0 over HTTP(S) with libcurl: one keep-alive connection, bounded batches, timeouts, reply size limit. */
#ifndef RPC_HTTP_RPC_H
#define RPC_HTTP_RPC_H

#include "rpc/rpc.h"

#include <stdint.h>

struct http_rpc;

#define RPC_BATCH_MAX_CALLS RPC_START_MAX_CALLS
#define RPC_REPLY_MAX_BYTES ((size_t)32 * 1024 * 1024)
#define RPC_REQUEST_MAX_BYTES ((size_t)4 * 1024 * 1024)

/* `is_cancelled` (may be NULL) is asked while waiting; true gives up the request in hand within 200 ms. `url` must be
 * http:// or https://. Not thread-safe. Messages never hold more of the URL than scheme, host and port. */
BURSAR_MUST_CHECK enum bursar_status http_rpc_new(const char *url, uint32_t timeout_ms, bool (*is_cancelled)(void *ctx),
                                                  void *cancel_ctx, struct http_rpc **ret, struct bursar_error *err);
/* Told of every HTTP request, how long it took, and what became of it. `took` NULL: nobody listens. */
struct rpc_meter {
    void *ctx;
    void (*took)(void *ctx, uint64_t took_us, enum bursar_status status);
};
void http_rpc_set_meter(struct http_rpc *rpc, struct rpc_meter meter);
struct rpc http_rpc_interface(struct http_rpc *rpc);
/* scheme://host:port, without user, password, path and query: what may be shown. Lives as long as `rpc`. */
const char *http_rpc_endpoint(const struct http_rpc *rpc);
void http_rpc_free(struct http_rpc *rpc); /* NULL is fine */

#endif

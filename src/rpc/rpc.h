/* The JSON-RPC seam: a batch of calls in, a reply for each out. */
#ifndef RPC_RPC_H
#define RPC_RPC_H

#include <bursar/status.h>

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Method is borrowed static text; params (an array) is owned by the request. */
struct rpc_request {
    const char *method;
    json_t *params;
};

/* What became of one call. */
enum rpc_outcome {
    RPC_RESULT = 1,  /* `result` is set (may be JSON null) */
    RPC_ERROR = 2,   /* the node answered with an error object: code, message */
    RPC_UNSENT = 3,  /* certainly not delivered: no connection was made */
    RPC_UNKNOWN = 4, /* may have been delivered: timeout, cut connection, unusable reply, HTTP error status */
};

#define RPC_START_MAX_CALLS 100
#define RPC_MESSAGE_MAX_BYTES 256

struct rpc_reply {
    enum rpc_outcome outcome;
    json_t *result; /* owned; RPC_RESULT only */
    long long code; /* RPC_ERROR only */
    json_t *data;   /* owned; RPC_ERROR only: what the error says beside its message, a text, or NULL */
    char message[RPC_MESSAGE_MAX_BYTES];
};

/* The longest that we let a node keep us away, whatever it asked for. */
#define RPC_RETRY_AFTER_MAX_MS 60000

/* What the way to a node has shown, beside the replies themselves. */
struct rpc_trouble {
    bool is_transport_fault; /* a request got no usable reply: no connection, timeout, cut off, not JSON-RPC */
    /* HTTP 429 or 503 with Retry-After: the node wants no further request for so long; 0: it did not say so. */
    uint64_t retry_after_ms;
};

struct rpc {
    void *ctx;
    /* Sends all requests, in as many HTTP requests as the batch limit asks for, and takes ownership of every params.
     * Every reply is filled in. Returns OK when each call has a result or an error object of its own; else the first
     * transport fault (EUNREACHABLE, EUNKNOWN, EPROTOCOL, ECANCELLED) while the replies tell the calls apart. */
    enum bursar_status (*call)(void *ctx, struct rpc_request *requests, size_t count, struct rpc_reply *ret,
                               struct bursar_error *err);
    /* The same in two halves, so that the caller can work while the node does. `start` puts up to RPC_START_MAX_CALLS
     * on their way, as one request, and takes ownership of every params; when it fails nothing was sent. Until `finish`
     * has waited for the replies nothing else may be asked of this rpc. */
    enum bursar_status (*start)(void *ctx, struct rpc_request *requests, size_t count, struct bursar_error *err);
    enum bursar_status (*finish)(void *ctx, struct rpc_reply *ret, struct bursar_error *err);
    /* What was seen since it was last asked; forgotten then. NULL: nothing is ever seen. */
    void (*take_trouble)(void *ctx, struct rpc_trouble *ret);
};

void rpc_replies_clear(struct rpc_reply *replies, size_t count);

#endif

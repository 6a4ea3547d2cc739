/* JSON-RPC 2.0 at /rpc, for hosts that speak it: the methods gov.treasury.*. */
#ifndef HTTP_JSON_RPC_H
#define HTTP_JSON_RPC_H

#include "http/api.h"

/* What a method is given and answers. */
struct rpc_call {
    struct http_call *http;
    const json_t *params; /* an object; NULL: none */
    json_t *result;
    int code; /* of the error; 0: none */
    char message[BURSAR_ERROR_MESSAGE_MAX_BYTES];
    json_t *data; /* of the error; may be NULL */
};

#define RPC_PARSE_ERROR (-32700)
#define RPC_INVALID_REQUEST (-32600)
#define RPC_NO_METHOD (-32601)
#define RPC_INVALID_PARAMS (-32602)
#define RPC_INTERNAL (-32603)
/* Ours: */
#define RPC_NOT_FOUND (-32001)
#define RPC_REFUSED (-32002)
#define RPC_FORBIDDEN (-32003)
#define RPC_UNAVAILABLE (-32004)
#define RPC_NOT_SUPPORTED (-32005)

struct rpc_method {
    const char *name;
    enum http_scope scope;
    const char *parameters; /* those there are, separated by spaces */
    void (*run)(struct rpc_call *call);
    const char *unsupported; /* why there is no such method; then `run` is NULL */
};
extern const struct rpc_method RPC_METHODS[];
extern const size_t RPC_METHOD_COUNT;

#endif

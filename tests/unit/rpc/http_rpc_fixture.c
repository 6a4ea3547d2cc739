/* The client, its calls, and the servers that more than one test needs. */
#include "http_rpc_fixture.h"

struct http_rpc *connect_to(const char *url, uint32_t timeout_ms)
{
    struct http_rpc *rpc = NULL;
    struct bursar_error err = { 0 };
    assert_int_equal(http_rpc_new(url, timeout_ms, NULL, NULL, &rpc, &err), BURSAR_OK);
    return rpc;
}

enum bursar_status call_many(struct http_rpc *rpc, size_t count, struct rpc_reply *replies, struct bursar_error *err)
{
    struct rpc_request *requests = calloc(count, sizeof *requests);
    struct rpc interface = http_rpc_interface(rpc);
    assert_non_null(requests);
    for (size_t i = 0; i < count; i++)
        requests[i] = (struct rpc_request){ .method = "echo", .params = json_pack("[i]", (int)i) };
    enum bursar_status status = interface.call(interface.ctx, requests, count, replies, err);
    for (size_t i = 0; i < count; i++)
        assert_null(requests[i].params);
    free(requests);
    return status;
}

enum bursar_status call_one(struct http_rpc *rpc, struct rpc_reply *reply, struct bursar_error *err)
{
    return call_many(rpc, 1, reply, err);
}

void answer_echo(const char *body, struct buf *reply)
{
    json_t *request = json_loads(body, 0, NULL);
    json_t *answer = json_is_array(request) ? json_array() : NULL;
    for (size_t i = json_array_size(request); i > 0; i--) {
        const json_t *call = json_array_get(request, i - 1);
        json_array_append_new(answer, json_pack("{s:s,s:O,s:O}", "jsonrpc", "2.0", "id", json_object_get(call, "id"),
                                                "result", json_object_get(call, "params")));
    }
    if (!answer)
        answer = json_pack("{s:s,s:O,s:O}", "jsonrpc", "2.0", "id", json_object_get(request, "id"), "result",
                           json_object_get(request, "params"));
    char *text = json_dumps(answer, JSON_COMPACT);
    loopback_reply(reply, 200, text);
    free(text);
    json_decref(answer);
    json_decref(request);
}

enum loopback_next echo(void *ctx, unsigned number, const char *body, struct buf *reply)
{
    struct seen *seen = ctx;
    json_t *request = json_loads(body, 0, NULL);
    seen->requests = number + 1;
    if (json_array_size(request) > seen->largest_batch)
        seen->largest_batch = json_array_size(request);
    seen->single_objects += json_is_object(request) ? 1 : 0;
    json_decref(request);
    answer_echo(body, reply);
    return LOOPBACK_KEEP;
}

enum loopback_next send_canned(void *ctx, unsigned number, const char *body, struct buf *reply)
{
    struct canned *canned = ctx;
    (void)body;
    canned->requests = number + 1;
    if (canned->raw)
        assert_true(buf_append_text(reply, canned->raw));
    return canned->next;
}

enum loopback_next answer_once_then_die(void *ctx, unsigned number, const char *body, struct buf *reply)
{
    unsigned *taken = ctx;
    *taken = number + 1;
    if (number > 0)
        return LOOPBACK_DIE;
    answer_echo(body, reply);
    return LOOPBACK_KEEP;
}

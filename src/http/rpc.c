/* JSON-RPC 2.0: requests, batches and notifications; errors with the numbers of the specification. */
#include "http/rpc.h"

#include "http/host.h"

#include <string.h>

#define RPC_BATCH_MAX_COUNT 100

static json_t *error_json(int code, const char *message, json_t *data)
{
    json_t *error = json_pack("{s:i,s:o}", "code", code, "message", output_json_text(message));
    if (data)
        (void)json_object_set_new(error, "data", data);
    return error;
}

/* Takes result, error and id over; one of the first two is NULL. */
static json_t *response(json_t *result, json_t *error, json_t *id)
{
    return json_pack("{s:s,s:o,s:o}", "jsonrpc", "2.0", error ? "error" : "result", error ? error : result, "id", id);
}

static const struct rpc_method *find_method(const char *name)
{
    for (size_t i = 0; i < RPC_METHOD_COUNT; i++) {
        if (strcmp(RPC_METHODS[i].name, name) == 0)
            return &RPC_METHODS[i];
    }
    return NULL;
}

static void fail(struct rpc_call *call, int code, const char *format, ...) BURSAR_PRINTF(3, 4);
static void fail(struct rpc_call *call, int code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(call->message, sizeof call->message, format, args);
    va_end(args);
    call->code = code;
}

static bool parameters_are_known(struct rpc_call *call, const struct rpc_method *method)
{
    const char *name;
    json_t *value;
    if (call->params && !json_is_object(call->params)) {
        fail(call, RPC_INVALID_PARAMS, "params must be an object");
        return false;
    }
    json_object_foreach((json_t *)call->params, name, value)
    {
        if (!http_word_is_listed(name, method->parameters)) {
            fail(call, RPC_INVALID_PARAMS, "there is no parameter '%.60s'; there are: %s", name, method->parameters);
            return false;
        }
    }
    return true;
}

static void run_method(struct rpc_call *call, const char *name)
{
    const struct rpc_method *method = find_method(name);
    if (!method)
        fail(call, RPC_NO_METHOD, "there is no method '%.100s'", name);
    else if (!method->run)
        fail(call, RPC_NOT_SUPPORTED, "%s: %s", name, method->unsupported);
    else if ((call->http->scopes & method->scope) != method->scope)
        fail(call, RPC_FORBIDDEN, "this token may not call %s: it has not the scope for it", name);
    else if (parameters_are_known(call, method))
        method->run(call);
    if (call->code == 0 && !call->result)
        fail(call, RPC_INTERNAL, "out of memory");
}

/* NULL: a notification, which is carried out and not answered. */
static json_t *answer_request(struct http_call *http, const json_t *request)
{
    const json_t *id = json_object_get(request, "id");
    const char *version = json_string_value(json_object_get(request, "jsonrpc"));
    const char *name = json_string_value(json_object_get(request, "method"));
    bool has_good_id = !id || json_is_string(id) || json_is_number(id) || json_is_null(id);
    json_t *shown_id = id && has_good_id ? json_incref((json_t *)id) : json_null();
    if (!version || strcmp(version, "2.0") != 0 || !name || !has_good_id)
        return response(NULL, error_json(RPC_INVALID_REQUEST, "not a JSON-RPC 2.0 request", NULL), shown_id);
    struct rpc_call call = { .http = http, .params = json_object_get(request, "params") };
    run_method(&call, name);
    json_t *error = call.code ? error_json(call.code, call.message, call.data) : NULL;
    if (error)
        json_decref(call.result);
    if (id)
        return response(error ? NULL : call.result, error, shown_id);
    json_decref(error ? error : call.result);
    json_decref(shown_id);
    return NULL;
}

static json_t *answer_batch(struct http_call *http, const json_t *batch)
{
    size_t i;
    json_t *request;
    if (json_array_size(batch) == 0 || json_array_size(batch) > RPC_BATCH_MAX_COUNT)
        return response(NULL, error_json(RPC_INVALID_REQUEST, "a batch has 1-100 requests", NULL), json_null());
    json_t *answers = json_array();
    json_array_foreach(batch, i, request)
    {
        json_t *answer = answer_request(http, request);
        if (answer)
            (void)json_array_append_new(answers, answer);
    }
    if (json_array_size(answers) > 0)
        return answers;
    json_decref(answers);
    return NULL;
}
_Static_assert(RPC_BATCH_MAX_COUNT == 100, "said so above");

void http_json_rpc(struct http_call *call)
{
    json_error_t why;
    json_t *body = json_loadb(call->body, call->body_bytes, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why);
    json_t *answer;
    if (!body)
        answer = response(NULL, error_json(RPC_PARSE_ERROR, why.text, NULL), json_null());
    else
        answer = json_is_array(body) ? answer_batch(call, body) : answer_request(call, body);
    json_decref(body);
    if (answer) {
        http_json(call, 200, answer);
        return;
    }
    answer_clear(&call->answer);
    call->answer.status = 204;
}

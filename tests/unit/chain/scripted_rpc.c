/* The scripted node. A call that no answer was written for is answered with "method not found". */
#include "scripted_rpc.h"

#include <stdlib.h>
#include <string.h>

static struct script_answer *add(struct scripted_rpc *script, const char *method, const char *params)
{
    if (script->count == SCRIPT_ANSWERS_MAX)
        abort();
    struct script_answer *answer = &script->answers[script->count++];
    *answer = (struct script_answer){ .method = method, .params = params };
    return answer;
}

void script_result(struct scripted_rpc *script, const char *method, const char *params, const char *json)
{
    struct script_answer *answer = add(script, method, params);
    answer->reply.outcome = RPC_RESULT;
    answer->json = strdup(json);
}

void script_result_once(struct scripted_rpc *script, const char *method, const char *params, const char *json)
{
    script_result(script, method, params, json);
    script->answers[script->count - 1].uses_left = 1;
}

void script_error(struct scripted_rpc *script, const char *method, const char *params, long long code,
                  const char *message)
{
    struct script_answer *answer = add(script, method, params);
    answer->reply.outcome = RPC_ERROR;
    answer->reply.code = code;
    (void)snprintf(answer->reply.message, sizeof answer->reply.message, "%s", message);
}

void script_refusal(struct scripted_rpc *script, const char *method, long long code, const char *message,
                    const char *data)
{
    script_error(script, method, NULL, code, message);
    script->answers[script->count - 1].json = strdup(data);
}

static void answer_call(struct scripted_rpc *script, const char *method, const char *params, struct rpc_reply *ret)
{
    for (size_t i = script->count; i > 0; i--) {
        struct script_answer *answer = &script->answers[i - 1];
        if (strcmp(answer->method, method) != 0 || (answer->params && strcmp(answer->params, params) != 0))
            continue;
        *ret = answer->reply;
        if (answer->json && ret->outcome == RPC_ERROR)
            ret->data = json_string(answer->json);
        else if (answer->json)
            ret->result = json_loads(answer->json, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
        if (answer->json && !ret->result && !ret->data)
            abort();
        if (answer->uses_left == 1)
            answer->method = "";
        return;
    }
    *ret = (struct rpc_reply){ .outcome = RPC_ERROR, .code = -32601, .message = "method not found" };
}

static enum bursar_status call(void *ctx, struct rpc_request *requests, size_t count, struct rpc_reply *ret,
                               struct bursar_error *err)
{
    struct scripted_rpc *script = ctx;
    script->batches++;
    script->calls += (unsigned)count;
    for (size_t i = 0; i < count; i++) {
        char *params = json_dumps(requests[i].params, JSON_COMPACT);
        size_t length = strlen(script->log);
        (void)snprintf(script->log + length, sizeof script->log - length, "%s %s\n", requests[i].method, params);
        if (script->fault == BURSAR_OK)
            answer_call(script, requests[i].method, params, &ret[i]);
        else
            ret[i] = (struct rpc_reply){ .outcome = script->fault_outcome, .message = "the line is down" };
        free(params);
        json_decref(requests[i].params);
        requests[i].params = NULL;
    }
    if (script->fault == BURSAR_OK)
        return BURSAR_OK;
    return bursar_fail(err, script->fault, "the line is down");
}

static enum bursar_status start(void *ctx, struct rpc_request *requests, size_t count, struct bursar_error *err)
{
    struct scripted_rpc *script = ctx;
    script->started = calloc(count, sizeof *script->started);
    if (!script->started)
        abort();
    script->started_count = count;
    script->started_status = call(ctx, requests, count, script->started, err);
    return BURSAR_OK;
}

static enum bursar_status finish(void *ctx, struct rpc_reply *ret, struct bursar_error *err)
{
    struct scripted_rpc *script = ctx;
    if (!script->started)
        abort();
    memcpy(ret, script->started, script->started_count * sizeof *ret);
    free(script->started);
    script->started = NULL;
    if (script->started_status == BURSAR_OK)
        return BURSAR_OK;
    return bursar_fail(err, script->started_status, "the line is down");
}

struct rpc script_interface(struct scripted_rpc *script)
{
    return (struct rpc){ .ctx = script, .call = call, .start = start, .finish = finish };
}

void script_free(struct scripted_rpc *script)
{
    for (size_t i = 0; i < script->count; i++)
        free(script->answers[i].json);
    script->count = 0;
}

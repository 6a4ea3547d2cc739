/* gov.treasury.*: the methods that hosts of the original know, as far as they mean something here. */
#include "http/rpc.h"

#include "base/cleanup.h"
#include "service/balance.h"

#include <string.h>

#define LIST_DEFAULT_COUNT 50
#define LIST_MAX_COUNT 200

static int code_of(enum bursar_status status)
{
    switch (status) {
    case BURSAR_EUSAGE:
    case BURSAR_EINVAL:
    case BURSAR_ELIMIT:
        return RPC_INVALID_PARAMS;
    case BURSAR_ENOTFOUND:
        return RPC_NOT_FOUND;
    case BURSAR_EREFUSED:
    case BURSAR_EEXIST:
    case BURSAR_ECONFLICT:
    case BURSAR_ESTALE:
        return RPC_REFUSED;
    case BURSAR_EBUSY:
    case BURSAR_ECANCELLED:
    case BURSAR_ENOMEM:
    case BURSAR_EUNREACHABLE:
    case BURSAR_EUNKNOWN:
    case BURSAR_EPROTOCOL:
        return RPC_UNAVAILABLE;
    case BURSAR_OK:
    case BURSAR_EINTERNAL:
    case BURSAR_ESTORAGE:
    case BURSAR_EFENCED:
    case BURSAR_EEQUIVOCATION:
        return RPC_INTERNAL;
    }
    return RPC_INTERNAL;
}

static void end(struct rpc_call *call, struct api *api, enum bursar_status status, const struct bursar_error *err)
{
    api_close(api);
    if (status == BURSAR_OK)
        return;
    call->code = code_of(status);
    (void)snprintf(call->message, sizeof call->message, "%s",
                   err->message[0] ? err->message : bursar_status_text(status));
}

/* Parameters as texts: what is a number in JSON is written out. */
struct texts {
    const json_t *params;
    char numbers[8][24];
    size_t number_count;
};

static const char *text_value(void *ctx, const char *name)
{
    struct texts *texts = ctx;
    const json_t *value = json_object_get(texts->params, name);
    if (!value || json_is_null(value))
        return NULL;
    if (json_is_string(value))
        return json_string_value(value);
    if (!json_is_integer(value) || texts->number_count == COUNT_OF(texts->numbers))
        return ""; /* nothing that is allowed anywhere */
    char *number = texts->numbers[texts->number_count++];
    (void)snprintf(number, sizeof texts->numbers[0], "%lld", (long long)json_integer_value(value));
    return number;
}

/* `status` is the original's word for state. */
static const char *list_value(void *ctx, const char *name)
{
    const char *value = text_value(ctx, name);
    return value || strcmp(name, "state") != 0 ? value : text_value(ctx, "status");
}

static enum bursar_status open_treasury(struct rpc_call *call, struct api *api, enum http_store_mode mode,
                                        struct bursar_error *err)
{
    struct texts texts = { .params = call->params };
    return api_open(api, call->http, text_value(&texts, "treasury"), mode, err);
}

static void disbursements(struct rpc_call *call)
{
    static const struct listing_limits limits = { LIST_DEFAULT_COUNT, LIST_MAX_COUNT, true };
    struct texts texts = { .params = call->params };
    struct api api;
    struct search_filter filter;
    struct bursar_error err = { 0 };
    enum bursar_status status = open_treasury(call, &api, HTTP_STORE_READ, &err);
    if (status == BURSAR_OK)
        status = listing_parse(list_value, &texts, &limits, &filter, &err);
    if (status == BURSAR_OK)
        status = listing_read(api.store, &api.situation, &api.settings.names, &filter, &call->result, &err);
    end(call, &api, status, &err);
}

static void disbursement(struct rpc_call *call)
{
    struct texts texts = { .params = call->params };
    struct api api;
    struct bursar_error err = { 0 };
    const char *id = text_value(&texts, "id");
    enum bursar_status status = open_treasury(call, &api, HTTP_STORE_READ, &err);
    if (status == BURSAR_OK)
        status = id ? api_show(&api, id, &call->result, &err) : bursar_fail(&err, BURSAR_EINVAL, "id: is missing");
    end(call, &api, status, &err);
}

static enum bursar_status submit(struct rpc_call *call, const struct api *api, struct bursar_error *err)
{
    struct api_created created = { 0 };
    json_t *row = json_deep_copy(call->params);
    if (row)
        (void)json_object_del(row, "treasury");
    json_t *rows = json_pack("[o]", row);
    enum bursar_status status =
        rows ? api_create(api, rows, false, &created, err) : bursar_fail(err, BURSAR_EINVAL, "params are missing");
    json_decref(rows);
    if (created.errors)
        call->data = json_pack("{s:O}", "errors", created.errors);
    if (created.is_conflict)
        status = BURSAR_ECONFLICT;
    if (status == BURSAR_OK)
        call->result = json_pack("{s:O,s:b}", "id", json_array_get(created.ids, 0), "existing", created.existing > 0);
    api_created_clear(&created);
    return status;
}

static void submit_disbursement(struct rpc_call *call)
{
    struct api api;
    struct bursar_error err = { 0 };
    enum bursar_status status = open_treasury(call, &api, HTTP_STORE_WRITE, &err);
    if (status == BURSAR_OK)
        status = submit(call, &api, &err);
    end(call, &api, status, &err);
}

static void balance(struct rpc_call *call)
{
    struct api api;
    struct bursar_error err = { 0 };
    enum bursar_status status = open_treasury(call, &api, HTTP_STORE_READ, &err);
    if (status == BURSAR_OK)
        status = balance_read(api.store, &api.situation, &api.settings.names, &call->result, &err);
    end(call, &api, status, &err);
}

static enum bursar_status read_number(struct texts *texts, const char *name, uint64_t fallback, uint64_t maximum,
                                      uint64_t *ret, struct bursar_error *err)
{
    const char *text = text_value(texts, name);
    *ret = fallback;
    if (!text || u64_from_text(text, strlen(text), 1, maximum, ret))
        return BURSAR_OK;
    return bursar_fail(err, BURSAR_EINVAL, "%s: must be a number from 1 to %llu", name, (unsigned long long)maximum);
}

static void history(struct rpc_call *call)
{
    struct texts texts = { .params = call->params };
    struct api api;
    struct bursar_error err = { 0 };
    uint64_t cursor = 0, limit = 0;
    enum bursar_status status = open_treasury(call, &api, HTTP_STORE_READ, &err);
    if (status == BURSAR_OK)
        status = read_number(&texts, "cursor", 0, INT64_MAX, &cursor, &err);
    if (status == BURSAR_OK)
        status = read_number(&texts, "limit", LIST_DEFAULT_COUNT, LIST_MAX_COUNT, &limit, &err);
    if (status == BURSAR_OK)
        status = balance_history(api.store, api.treasury->id, cursor, (size_t)limit, &call->result, &err);
    end(call, &api, status, &err);
}

const struct rpc_method RPC_METHODS[] = {
    { "gov.treasury.disbursements", HTTP_SCOPE_READ, "treasury status " LISTING_PARAMETERS, disbursements, NULL },
    { "gov.treasury.disbursement", HTTP_SCOPE_READ, "treasury id", disbursement, NULL },
    { "gov.treasury.submit_disbursement", HTTP_SCOPE_PAY,
      "treasury ref destination amount asset memo not_before depends_on", submit_disbursement, NULL },
    { "gov.treasury.balance", HTTP_SCOPE_READ, "treasury", balance, NULL },
    { "gov.treasury.balance_history", HTTP_SCOPE_READ, "treasury cursor limit", history, NULL },
    { "gov.treasury.queue_disbursement", HTTP_SCOPE_PAY, "", NULL,
      "there is nothing to queue: without an approval policy what is submitted is queued at once" },
    { "gov.treasury.execute_disbursement", HTTP_SCOPE_OPERATE, "", NULL,
      "nobody calls a payment executed: it is when a block has it. What is due is paid by `bursar run`" },
    { "gov.treasury.rollback_disbursement", HTTP_SCOPE_OPERATE, "", NULL,
      "what the chain has paid can't be taken back: have it sent back, or cancel it before it is mined" },
};
const size_t RPC_METHOD_COUNT = COUNT_OF(RPC_METHODS);

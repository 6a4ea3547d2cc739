/* /v1/status, /v1/balance, /v1/breaker, /v1/treasury-events: a treasury as a whole. */
#include "http/api.h"

#include "base/cleanup.h"
#include "service/balance.h"
#include "service/decisions.h"
#include "service/standing.h"
#include "service/story.h"

#include <string.h>

#define HISTORY_DEFAULT_COUNT 100
#define HISTORY_MAX_COUNT 1000

static enum bursar_status add_standing(struct http_call *call, const struct http_treasury *treasury,
                                       const struct store *store, json_t *items, struct bursar_error *err)
{
    struct treasury row;
    struct treasury_settings settings;
    struct webhook_list list;
    json_t *webhooks = NULL;
    struct standing *standing = calloc(1, sizeof *standing);
    if (!standing)
        return bursar_fail(err, BURSAR_ENOMEM, "out of memory");
    http_treasury_settings(call, treasury, &settings);
    http_webhooks(call, &list);
    enum bursar_status status = store->treasury_get(store->ctx, treasury->id, &row, err);
    if (status == BURSAR_OK)
        status = standing_read(store, &settings, &row, http_is_stopping, call->server, standing, err);
    if (status == BURSAR_OK)
        status = webhook_views_json(store, &list, treasury->name, &webhooks, err);
    if (status == BURSAR_OK && json_array_append_new(items, standing_json(standing, webhooks)) != 0)
        status = bursar_fail(err, BURSAR_ENOMEM, "out of memory");
    json_decref(webhooks);
    standing_clear(standing);
    free(standing);
    return status;
}

void http_get_status(struct http_call *call)
{
    const struct http_settings *settings = http_settings_of(call);
    const char *name = http_query(call, "treasury");
    struct api api = { .call = call };
    struct bursar_error err = { 0 };
    bool is_found = false;
    if (!api_check_query(call, ""))
        return;
    json_t *items = json_array();
    enum bursar_status status = http_store_take(call, HTTP_STORE_READ, &api.taken, &api.store, &err);
    for (size_t i = 0; i < settings->treasury_count && status == BURSAR_OK; i++) {
        if (name && strcmp(settings->treasuries[i].name, name) != 0)
            continue;
        is_found = true;
        status = add_standing(call, &settings->treasuries[i], api.store, items, &err);
    }
    if (status == BURSAR_OK && !is_found)
        status = bursar_fail(&err, BURSAR_ENOTFOUND, "there is no treasury '%.64s'", name ? name : "");
    api_end(&api, status, &err, json_pack("{s:o}", "items", items));
}

void http_get_balance(struct http_call *call)
{
    struct api api;
    struct bursar_error err = { 0 };
    json_t *document = NULL;
    if (!api_check_query(call, "") || !api_begin(&api, call, HTTP_STORE_READ))
        return;
    enum bursar_status status = balance_read(api.store, &api.situation, &api.settings.names, &document, &err);
    api_end(&api, status, &err, document);
}

void http_get_balance_history(struct http_call *call)
{
    struct api api;
    struct bursar_error err = { 0 };
    json_t *document = NULL;
    uint64_t cursor, limit;
    if (!api_check_query(call, "cursor limit") || !api_query_number(call, "cursor", 0, 1, INT64_MAX, &cursor) ||
        !api_query_number(call, "limit", HISTORY_DEFAULT_COUNT, 1, HISTORY_MAX_COUNT, &limit) ||
        !api_begin(&api, call, HTTP_STORE_READ))
        return;
    enum bursar_status status = balance_history(api.store, api.treasury->id, cursor, (size_t)limit, &document, &err);
    api_end(&api, status, &err, document);
}

struct history {
    const char *treasury;
    size_t limit, count;
    uint64_t last_seq;
    json_t *items;
};

static enum bursar_status take_event(void *ctx, const struct event_record *event)
{
    struct history *history = ctx;
    if (history->count++ == history->limit)
        return BURSAR_OK;
    history->last_seq = event->seq;
    return json_array_append_new(history->items, story_log_json(event, history->treasury)) == 0 ? BURSAR_OK
                                                                                                : BURSAR_ENOMEM;
}

void http_get_treasury_events(struct http_call *call)
{
    struct api api;
    struct bursar_error err = { 0 };
    uint64_t before, limit;
    if (!api_check_query(call, "before limit") || !api_query_number(call, "before", 0, 1, INT64_MAX, &before) ||
        !api_query_number(call, "limit", HISTORY_DEFAULT_COUNT, 1, HISTORY_MAX_COUNT, &limit) ||
        !api_begin(&api, call, HTTP_STORE_READ))
        return;
    struct history history = { .treasury = api.treasury->name, .limit = (size_t)limit, .items = json_array() };
    enum bursar_status status = api.store->treasury_events(api.store->ctx, api.treasury->id, before, (size_t)limit + 1,
                                                           take_event, &history, &err);
    json_t *next = history.count > limit ? json_integer((json_int_t)history.last_seq) : json_null();
    api_end(&api, status, &err, json_pack("{s:o,s:o}", "items", history.items, "next", next));
}

static enum bursar_status read_breaker(const struct api *api, json_t **ret, struct bursar_error *err)
{
    struct breaker_standing standing;
    enum bursar_status status = breaker_standing_read(api->store, api->treasury->id, &api->settings.limits.breaker,
                                                      api->situation.now_ms, &standing, err);
    if (status != BURSAR_OK)
        return status;
    *ret = breaker_json(&standing);
    return BURSAR_OK;
}

void http_get_breaker(struct http_call *call)
{
    struct api api;
    struct bursar_error err = { 0 };
    json_t *document = NULL;
    if (!api_check_query(call, "") || !api_begin(&api, call, HTTP_STORE_READ))
        return;
    enum bursar_status status = read_breaker(&api, &document, &err);
    api_end(&api, status, &err, document);
}

/* What a request asks for. */
struct breaker_wish {
    enum breaker_command command;
    const char *reason;
    uint64_t for_ms; /* 0: no end */
    bool money;      /* the money breaker is meant */
};

/* A member that is misspelt must not be left out: it might have said which breaker is meant. */
static enum bursar_status check_members(const json_t *body, struct bursar_error *err)
{
    static const char *const known[] = { "command", "reason", "for", "money" };
    size_t count = 0;
    for (size_t i = 0; i < COUNT_OF(known); i++)
        count += json_object_get(body, known[i]) != NULL;
    return count == json_object_size(body)
               ? BURSAR_OK
               : bursar_fail(err, BURSAR_EINVAL, "the body: there are command, reason, for and money");
}

/* "for", of open and close: how long. */
static enum bursar_status read_time(const json_t *body, struct breaker_wish *wish, struct bursar_error *err)
{
    if (!json_object_get(body, "for"))
        return BURSAR_OK;
    const char *text = api_text(body, "for", err);
    if (!text)
        return err->status;
    if (wish->money)
        return bursar_fail(err, BURSAR_EINVAL, "for: does not go with money");
    const char *problem = breaker_for_problem(wish->command, text, &wish->for_ms);
    return problem ? bursar_fail(err, BURSAR_EINVAL, "for: %s", problem) : BURSAR_OK;
}

static enum bursar_status read_wish(const json_t *body, struct breaker_wish *ret, struct bursar_error *err)
{
    const json_t *money = json_object_get(body, "money");
    enum bursar_status status = check_members(body, err);
    if (status != BURSAR_OK)
        return status;
    *ret = (struct breaker_wish){ .money = json_is_true(money) };
    const char *word = api_text(body, "command", err);
    ret->reason = word ? api_text(body, "reason", err) : NULL;
    if (!word || !ret->reason)
        return err->status;
    if (!breaker_command_from_name(word, &ret->command))
        return bursar_fail(err, BURSAR_EINVAL, "command: must be open, close or reset");
    if (reason_problem(ret->reason))
        return bursar_fail(err, BURSAR_EINVAL, "reason: %s", reason_problem(ret->reason));
    if (money && !json_is_boolean(money))
        return bursar_fail(err, BURSAR_EINVAL, "money: must be true or false");
    if (ret->money && ret->command == BREAKER_COMMAND_RESET)
        return bursar_fail(err, BURSAR_EINVAL, "money: belongs to open and close");
    return read_time(body, ret, err);
}

static enum bursar_status force(struct api *api, const json_t *body, struct bursar_error *err)
{
    const struct store *store = api->store;
    struct breaker_wish wish;
    enum bursar_status status = read_wish(body, &wish, err);
    if (status != BURSAR_OK)
        return status;
    const struct decision decision = { api->call->actor, wish.reason, api->situation.now_ms };
    if (wish.money)
        return store->money_force(store->ctx, api->treasury->id, wish.command == BREAKER_COMMAND_OPEN, &decision, err);
    return store->breaker_force(store->ctx, api->treasury->id, wish.command, wish.for_ms, &decision, err);
}

void http_set_breaker(struct http_call *call)
{
    struct api api;
    struct bursar_error err = { 0 };
    json_t *document = NULL;
    json_t *body = api_check_query(call, "") ? api_body(call) : NULL;
    if (body && api_begin(&api, call, HTTP_STORE_WRITE)) {
        enum bursar_status status = force(&api, body, &err);
        if (status == BURSAR_OK)
            status = read_breaker(&api, &document, &err);
        api_end(&api, status, &err, document);
    }
    json_decref(body);
}

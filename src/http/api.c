/* See api.h. */
#include "http/api.h"

#include "http/host.h"
#include "service/decisions.h"
#include "service/import.h"
#include "service/story.h"

#include <string.h>

static const struct http_treasury *find_treasury(const struct http_settings *settings, const char *name,
                                                 struct bursar_error *err)
{
    if (!name && settings->treasury_count == 1)
        return &settings->treasuries[0];
    for (size_t i = 0; name && i < settings->treasury_count; i++) {
        if (strcmp(settings->treasuries[i].name, name) == 0)
            return &settings->treasuries[i];
    }
    if (name)
        (void)bursar_fail(err, BURSAR_ENOTFOUND, "there is no treasury '%.64s'", name);
    else
        (void)bursar_fail(err, BURSAR_EUSAGE, "there are %zu treasuries: say which with `treasury` (%s, %s ...)",
                          settings->treasury_count, settings->treasuries[0].name, settings->treasuries[1].name);
    return NULL;
}

enum bursar_status api_open(struct api *api, struct http_call *call, const char *name, enum http_store_mode mode,
                            struct bursar_error *err)
{
    const struct http_settings *settings = http_settings_of(call);
    const struct clock *clock = &settings->clock;
    struct treasury treasury;
    *api = (struct api){ .call = call };
    api->treasury = find_treasury(settings, name, err);
    if (!api->treasury)
        return err->status;
    http_treasury_settings(call, api->treasury, &api->settings);
    enum bursar_status status = http_store_take(call, mode, &api->taken, &api->store, err);
    if (status == BURSAR_OK)
        status = api->store->treasury_get(api->store->ctx, api->treasury->id, &treasury, err);
    if (status == BURSAR_OK)
        status = situation_read(api->store, &treasury, &api->settings.limits, clock->wall_ms(clock->ctx),
                                &api->situation, err);
    return status;
}

void api_close(struct api *api)
{
    http_store_give(api->call, api->taken);
    api->taken = NULL;
}

bool api_begin(struct api *api, struct http_call *call, enum http_store_mode mode)
{
    struct bursar_error err = { 0 };
    enum bursar_status status = api_open(api, call, http_query(call, "treasury"), mode, &err);
    if (status == BURSAR_OK)
        return true;
    api_end(api, status, &err, NULL);
    return false;
}

void api_end(struct api *api, enum bursar_status status, struct bursar_error *err, json_t *document)
{
    api_close(api);
    if (status == BURSAR_OK) {
        http_json(api->call, 200, document);
        return;
    }
    json_decref(document);
    err->status = status;
    http_fail(api->call, err);
}

struct checking {
    const char *allowed;
    char unknown[64];
};

static enum MHD_Result check_parameter(void *ctx, enum MHD_ValueKind kind, const char *name, const char *value)
{
    struct checking *checking = ctx;
    (void)kind;
    (void)value;
    if (http_word_is_listed(name, checking->allowed) || strcmp(name, "treasury") == 0)
        return MHD_YES;
    (void)snprintf(checking->unknown, sizeof checking->unknown, "%s", *name ? name : "(empty)");
    return MHD_NO;
}

bool api_check_query(struct http_call *call, const char *allowed)
{
    struct checking checking = { .allowed = allowed };
    (void)MHD_get_connection_values(call->connection, MHD_GET_ARGUMENT_KIND, check_parameter, &checking);
    if (!checking.unknown[0])
        return true;
    http_problem(call, 400, "unknown_parameter", "there is no parameter '%s' here; there are: treasury %s",
                 checking.unknown, allowed);
    return false;
}

bool api_query_number(struct http_call *call, const char *name, uint64_t fallback, uint64_t minimum, uint64_t maximum,
                      uint64_t *ret)
{
    const char *text = http_query(call, name);
    *ret = fallback;
    if (!text || u64_from_text(text, strlen(text), minimum, maximum, ret))
        return true;
    http_problem(call, 400, "invalid", "%s: must be a number from %llu to %llu", name, (unsigned long long)minimum,
                 (unsigned long long)maximum);
    return false;
}

bool api_query_flag(struct http_call *call, const char *name, bool *ret)
{
    const char *text = http_query(call, name);
    *ret = text && strcmp(text, "true") == 0;
    if (!text || *ret || strcmp(text, "false") == 0)
        return true;
    http_problem(call, 400, "invalid", "%s: must be true or false", name);
    return false;
}

json_t *api_body(struct http_call *call)
{
    json_error_t why;
    json_t *body = json_loadb(call->body, call->body_bytes, JSON_REJECT_DUPLICATES, &why);
    if (json_is_object(body))
        return body;
    http_problem(call, 400, "invalid", "the body is not a JSON object%s%s", body ? "" : ": ", body ? "" : why.text);
    json_decref(body);
    return NULL;
}

const char *api_text(const json_t *body, const char *name, struct bursar_error *err)
{
    const json_t *value = json_object_get(body, name);
    if (!json_is_string(value))
        (void)bursar_fail(err, BURSAR_EINVAL, "%s: %s", name, value ? "must be a string" : "is missing");
    return json_string_value(value);
}

enum bursar_status api_find(const struct api *api, const char *id_text, int64_t *ret, struct bursar_error *err)
{
    uint64_t id;
    if (strncmp(id_text, "ref:", 4) == 0)
        return api->store->ref_find(api->store->ctx, api->treasury->id, id_text + 4, ret, err);
    if (!u64_from_text(id_text, strlen(id_text), 1, INT64_MAX, &id))
        return bursar_fail(err, BURSAR_EINVAL, "'%.100s' is neither a disbursement's ID (a number) nor ref:REF",
                           id_text);
    *ret = (int64_t)id;
    return BURSAR_OK;
}

enum bursar_status api_show(const struct api *api, const char *id_text, json_t **ret, struct bursar_error *err)
{
    int64_t id;
    enum bursar_status status = api_find(api, id_text, &id, err);
    return status == BURSAR_OK ? story_read(api->store, id, &api->situation, &api->settings.names, ret, err) : status;
}

/* -- creating -- */

/* The rows as the lines of a payment file: what is checked there is checked here, by the same code. */
static FILE *open_rows(const json_t *rows, char **ret_text)
{
    size_t length = 0, i;
    json_t *row;
    char *text = NULL;
    FILE *writer = open_memstream(&text, &length);
    if (!writer)
        return NULL;
    bool good = true;
    json_array_foreach(rows, i, row)
    {
        good = good && json_dumpf(row, writer, JSON_COMPACT | JSON_ENCODE_ANY) == 0 && fputc('\n', writer) != EOF;
    }
    good = fclose(writer) == 0 && good && length > 0;
    FILE *reader = good ? fmemopen(text, length, "r") : NULL;
    if (!reader) {
        free(text);
        return NULL;
    }
    *ret_text = text;
    return reader;
}

static json_t *errors_json(const struct import_result *result, bool *ret_all_conflicts)
{
    json_t *errors = json_array();
    *ret_all_conflicts = true;
    for (size_t i = 0; i < result->error_count; i++) {
        const struct import_error *error = &result->errors[i];
        *ret_all_conflicts = *ret_all_conflicts && error->is_conflict;
        (void)json_array_append_new(errors, json_pack("{s:I,s:o,s:o}", "index", (json_int_t)error->line - 1, "field",
                                                      error->column[0] ? output_json_text(error->column) : json_null(),
                                                      "message", output_json_text(error->message)));
    }
    return errors;
}

static enum bursar_status take_result(const struct import_result *result, bool dry_run, struct api_created *ret)
{
    ret->added = result->added;
    ret->existing = result->existing;
    for (size_t i = 0; i < result->id_count && !dry_run; i++)
        (void)json_array_append_new(ret->ids, json_integer((json_int_t)result->ids[i]));
    return BURSAR_OK;
}

enum bursar_status api_create(const struct api *api, const json_t *rows, bool dry_run, struct api_created *ret,
                              struct bursar_error *err)
{
    struct import_order order = { .origin = "the HTTP API", .actor = api->call->actor, .dry_run = dry_run };
    struct import_result result = { 0 };
    char *text = NULL;
    size_t i;
    json_t *row;
    *ret = (struct api_created){ .ids = json_array() };
    json_array_foreach(rows, i, row)
    {
        if (!json_is_object(row))
            return bursar_fail(err, BURSAR_EINVAL, "disbursement %zu is not a JSON object", i);
    }
    if (json_array_size(rows) == 0)
        return bursar_fail(err, BURSAR_EINVAL, "there are no disbursements in it");
    FILE *file = open_rows(rows, &text);
    if (!file)
        return bursar_fail(err, BURSAR_ENOMEM, "out of memory");
    enum bursar_status status =
        import_rows(api->store, &api->settings, &api->situation.treasury, &order, file, &result, err);
    (void)fclose(file);
    free(text);
    if (status == BURSAR_OK)
        status = take_result(&result, dry_run, ret);
    else if (result.error_count > 0)
        ret->errors = errors_json(&result, &ret->is_conflict);
    import_result_free(&result);
    return status;
}

void api_created_clear(struct api_created *created)
{
    json_decref(created->ids);
    json_decref(created->errors);
    *created = (struct api_created){ 0 };
}

/* -- deciding -- */

enum bursar_status api_decide(struct api *api, const char *id_text, const char *reason, api_decision *decide,
                              json_t **ret, struct bursar_error *err)
{
    const char *done = "", *problem = reason_problem(reason);
    int64_t id;
    json_t *story;
    if (problem)
        return bursar_fail(err, BURSAR_EINVAL, "reason: %s", problem);
    enum bursar_status status = api_find(api, id_text, &id, err);
    if (status != BURSAR_OK)
        return status;
    const struct decision decision = { api->call->actor, reason, api->situation.now_ms };
    status = decide(api->store, api->treasury->id, id, &decision, &done, err);
    if (status == BURSAR_OK)
        status = story_read(api->store, id, &api->situation, &api->settings.names, &story, err);
    if (status != BURSAR_OK)
        return status;
    (void)json_object_set_new(story, "done", json_string(done));
    *ret = story;
    return BURSAR_OK;
}

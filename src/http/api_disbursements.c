/* /v1/disbursements: create, look for, show, cancel, retry; and the statement of all of them. */
#include "http/api.h"

#include "service/decisions.h"
#include "service/export.h"

#include <string.h>

static const char *query_value(void *ctx, const char *name)
{
    return http_query(ctx, name);
}

void http_list_disbursements(struct http_call *call)
{
    static const struct listing_limits limits = { API_LIST_DEFAULT_COUNT, API_LIST_MAX_COUNT, false };
    struct api api;
    struct search_filter filter;
    struct bursar_error err = { 0 };
    json_t *document = NULL;
    if (!api_check_query(call, LISTING_PARAMETERS) || !api_begin(&api, call, HTTP_STORE_READ))
        return;
    enum bursar_status status = listing_parse(query_value, call, &limits, &filter, &err);
    if (status == BURSAR_OK)
        status = listing_read(api.store, &api.situation, &api.settings.names, &filter, &document, &err);
    api_end(&api, status, &err, document);
}

void http_show_disbursement(struct http_call *call)
{
    struct api api;
    struct bursar_error err = { 0 };
    json_t *document = NULL;
    if (!api_check_query(call, "") || !api_begin(&api, call, HTTP_STORE_READ))
        return;
    enum bursar_status status = api_show(&api, call->parameters.values[0], &document, &err);
    api_end(&api, status, &err, document);
}

/* One disbursement, or {"disbursements":[...]}: an array, borrowed from the body or new. */
static json_t *rows_of(json_t *body)
{
    json_t *rows = json_object_get(body, "disbursements");
    if (!rows)
        return json_pack("[O]", body);
    return json_is_array(rows) && json_object_size(body) == 1 ? json_incref(rows) : NULL;
}

static void answer_created(struct http_call *call, enum bursar_status status, struct api_created *created, bool dry_run,
                           struct bursar_error *err)
{
    if (created->errors) {
        json_t *errors = json_incref(created->errors);
        http_problem_with(call, created->is_conflict ? 409 : 422, created->is_conflict ? "conflict" : "invalid",
                          "nothing was added: see `errors`, the first 100 of them",
                          json_pack("{s:o}", "errors", errors));
    } else if (status != BURSAR_OK) {
        err->status = status;
        http_fail(call, err);
    } else {
        http_json(call, created->added > 0 && !dry_run ? 201 : 200,
                  json_pack("{s:I,s:I,s:O,s:b}", "added", (json_int_t)created->added, "existing",
                            (json_int_t)created->existing, "ids", created->ids, "dry_run", dry_run));
    }
}

void http_create_disbursements(struct http_call *call)
{
    struct api api;
    struct api_created created = { 0 };
    struct bursar_error err = { 0 };
    bool dry_run;
    if (!api_check_query(call, "dry_run") || !api_query_flag(call, "dry_run", &dry_run))
        return;
    json_t *body = api_body(call);
    json_t *rows = body ? rows_of(body) : NULL;
    if (body && !rows)
        http_problem(call, 400, "invalid", "the body must be one disbursement, or {\"disbursements\":[...]}");
    if (rows && api_begin(&api, call, HTTP_STORE_WRITE)) {
        enum bursar_status status = api_create(&api, rows, dry_run, &created, &err);
        api_close(&api);
        answer_created(call, status, &created, dry_run, &err);
    }
    api_created_clear(&created);
    json_decref(rows);
    json_decref(body);
}

static void decide(struct http_call *call, api_decision *decision)
{
    struct api api;
    struct bursar_error err = { 0 };
    json_t *document = NULL;
    json_t *body = api_check_query(call, "") ? api_body(call) : NULL;
    if (body && api_begin(&api, call, HTTP_STORE_WRITE)) {
        const char *reason = api_text(body, "reason", &err);
        enum bursar_status status =
            reason ? api_decide(&api, call->parameters.values[0], reason, decision, &document, &err) : err.status;
        api_end(&api, status, &err, document);
    }
    json_decref(body);
}

void http_cancel_disbursement(struct http_call *call)
{
    decide(call, decisions_cancel);
}

void http_retry_disbursement(struct http_call *call)
{
    decide(call, decisions_retry);
}

/* -- the statement: a page at a time, each with a store handle of its own, so that none is held by a slow reader -- */

struct exporting {
    struct http_call *call;
    int64_t treasury;
    struct situation situation;
    struct asset_names names;
    struct export_cursor cursor;
    struct buf piece;
    size_t sent_bytes;
};

static bool next_piece(struct exporting *exporting)
{
    struct http_store *taken = NULL;
    const struct store *store;
    struct bursar_error err = { 0 };
    buf_clear(&exporting->piece);
    exporting->sent_bytes = 0;
    enum bursar_status status = http_store_take(exporting->call, HTTP_STORE_READ, &taken, &store, &err);
    if (status == BURSAR_OK)
        status =
            export_next(&exporting->cursor, store, &exporting->situation, &exporting->names, &exporting->piece, &err);
    http_store_give(exporting->call, taken);
    return status == BURSAR_OK;
}

static ssize_t read_export(void *ctx, char *ret, size_t capacity)
{
    struct exporting *exporting = ctx;
    while (exporting->sent_bytes == exporting->piece.length_bytes) {
        if (exporting->cursor.is_done)
            return 0;
        if (!next_piece(exporting))
            return -1; /* cut off: what was sent is recognisably not all */
    }
    size_t left = exporting->piece.length_bytes - exporting->sent_bytes;
    size_t length = left < capacity ? left : capacity;
    memcpy(ret, exporting->piece.data + exporting->sent_bytes, length);
    exporting->sent_bytes += length;
    return (ssize_t)length;
}

static void free_export(void *ctx)
{
    struct exporting *exporting = ctx;
    http_stream_slot_give(exporting->call->server);
    buf_free(&exporting->piece);
    free(exporting);
}

void http_export(struct http_call *call)
{
    struct api api;
    const char *format = http_query(call, "format");
    bool is_json = format && strcmp(format, "json") == 0;
    if (!api_check_query(call, "format"))
        return;
    if (format && !is_json && strcmp(format, "csv") != 0) {
        http_problem(call, 400, "invalid", "format: must be csv or json");
        return;
    }
    if (!api_begin(&api, call, HTTP_STORE_READ))
        return;
    api_close(&api);
    struct exporting *exporting = http_stream_slot_take(call) ? calloc(1, sizeof *exporting) : NULL;
    if (!exporting)
        return;
    *exporting = (struct exporting){ .call = call,
                                     .situation = api.situation,
                                     .names = api.settings.names,
                                     .cursor = { .format = is_json ? EXPORT_JSON : EXPORT_CSV } };
    call->answer.status = 200;
    call->answer.content_type = is_json ? "application/json" : "text/csv; charset=utf-8; header=present";
    call->answer.stream = (struct http_stream){ exporting, read_export, free_export };
}

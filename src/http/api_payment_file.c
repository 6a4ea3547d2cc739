/* /v1/payment-files: a payment file as `bursar pay` takes it, with what is wrong told by its lines. A dry run shows
 * what it would add. */
#include "http/api.h"

#include "base/bytes.h"
#include "base/time.h"
#include "service/asset_view.h"
#include "service/import.h"

#include <string.h>

#define ROWS_SHOWN_MAX_COUNT 100
#define NAME_MAX_BYTES 200

/* The rows as they are read. */
struct preview {
    struct asset_names names;
    json_t *rows;
    uint64_t count;
    struct bursar_amount total; /* of those that are new, in the coin */
    bool is_too_much;
};

static json_t *schedule_json(const struct obligation *obligation)
{
    char text[RFC3339_TEXT_BYTES];
    switch (obligation->schedule) {
    case SCHEDULE_NOW:
        return json_null();
    case SCHEDULE_TIME:
        rfc3339_from_seconds(obligation->schedule_value, text);
        return json_string(text);
    case SCHEDULE_EPOCH:
        return json_sprintf("epoch:%llu", (unsigned long long)obligation->schedule_value);
    }
    return json_null();
}

static void take_row(void *ctx, const struct payfile_row *row, unsigned decimals, bool is_new)
{
    struct preview *preview = ctx;
    const struct obligation *obligation = &row->obligation;
    char units[BURSAR_AMOUNT_UNITS_TEXT_BYTES], asset[ASSET_TEXT_BYTES];
    bool is_coin = !obligation->asset.is_token;
    if (is_new && is_coin && !bursar_amount_add(preview->total, obligation->amount, &preview->total))
        preview->is_too_much = true;
    if (preview->count++ >= ROWS_SHOWN_MAX_COUNT)
        return;
    const char *name = asset_name(&preview->names, &obligation->asset);
    bursar_amount_to_units(obligation->amount, decimals, units);
    asset_text(&obligation->asset, asset);
    json_t *item =
        json_pack("{s:I,s:o,s:o,s:o,s:s,s:s,s:o,s:o,s:b}", "line", (json_int_t)row->line, "ref",
                  output_json_text(obligation->ref), "destination", output_json_address(&obligation->destination),
                  "amount", output_json_amount(obligation->amount), "amount_units", units, "asset", asset, "asset_name",
                  name ? json_string(name) : json_null(), "not_before", schedule_json(obligation), "is_new", is_new);
    (void)json_array_append_new(preview->rows, item); /* missing memory shows fewer rows, and adds what was asked for */
}

static json_t *errors_json(const struct import_result *result)
{
    json_t *errors = json_array();
    for (size_t i = 0; i < result->error_count; i++) {
        const struct import_error *error = &result->errors[i];
        (void)json_array_append_new(errors, json_pack("{s:I,s:o,s:o}", "line", (json_int_t)error->line, "column",
                                                      error->column[0] ? output_json_text(error->column) : json_null(),
                                                      "message", output_json_text(error->message)));
    }
    return errors;
}

static void answer(struct http_call *call, const struct import_result *result, const struct preview *preview,
                   bool dry_run)
{
    json_t *ids = json_array();
    for (size_t i = 0; i < result->id_count && !dry_run; i++)
        (void)json_array_append_new(ids, json_integer((json_int_t)result->ids[i]));
    http_json(call, result->added > 0 && !dry_run ? 201 : 200,
              json_pack("{s:I,s:I,s:o,s:b,s:o,s:O}", "added", (json_int_t)result->added, "existing",
                        (json_int_t)result->existing, "ids", ids, "dry_run", dry_run, "total",
                        preview->is_too_much ? json_null() : output_json_amount(preview->total), "rows",
                        preview->rows));
}

static void import_body(struct http_call *call, const struct import_order *asked)
{
    struct api api;
    struct bursar_error err = { 0 };
    struct import_result result = { 0 };
    struct preview preview = { .rows = json_array() };
    struct import_order order = *asked;
    order.actor = call->actor;
    order.row_seen = take_row;
    order.row_seen_ctx = &preview;
    FILE *file = fmemopen((void *)(uintptr_t)call->body, call->body_bytes, "r"); /* only read */
    if (!file) {
        http_problem(call, 503, "busy", "out of memory");
    } else if (api_begin(&api, call, HTTP_STORE_WRITE)) {
        preview.names = api.settings.names;
        enum bursar_status status =
            import_rows(api.store, &api.settings, &api.situation.treasury, &order, file, &result, &err);
        api_close(&api);
        err.status = status;
        if (status == BURSAR_OK)
            answer(call, &result, &preview, order.dry_run);
        else if (result.error_count > 0)
            http_problem_with(call, 422, "invalid", "nothing was added: see `errors`, the first 100 of them",
                              json_pack("{s:o}", "errors", errors_json(&result)));
        else
            http_fail(call, &err);
    }
    if (file)
        (void)fclose(file);
    import_result_free(&result);
    json_decref(preview.rows);
}

static bool name_is_good(const char *name)
{
    size_t length = strlen(name);
    if (length == 0 || length > NAME_MAX_BYTES || !utf8_is_valid(name, length))
        return false;
    for (const char *c = name; *c; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return false;
    }
    return true;
}

void http_import_payment_file(struct http_call *call)
{
    const char *name = http_query(call, "name");
    struct import_order order = { .origin = name ? name : "a payment file over HTTP",
                                  .ref_prefix = http_query(call, "ref_prefix") };
    if (!api_check_query(call, "dry_run name ref_prefix") || !api_query_flag(call, "dry_run", &order.dry_run))
        return;
    if (!name_is_good(order.origin))
        http_problem(call, 400, "invalid", "name: must be 1-%d bytes of text", NAME_MAX_BYTES);
    else if (call->body_bytes == 0)
        http_problem(call, 400, "invalid", "the body is empty: it must be a payment file");
    else
        import_body(call, &order);
}

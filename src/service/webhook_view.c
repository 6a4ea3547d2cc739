/* See webhook_view.h. */
#include "service/webhook_view.h"

#include "base/time.h"
#include "service/json_values.h"

#include <string.h>

typedef unsigned long long ull;

bool webhook_has_word(const char *words, const char *name)
{
    const size_t length = strlen(name);
    for (const char *at = words; *at;) {
        const size_t word = strcspn(at, " ");
        if (word == length && strncmp(at, name, length) == 0)
            return true;
        at += word;
        at += strspn(at, " ");
    }
    return false;
}

bool webhook_is_about(const struct webhook_subject *subject, const char *treasury)
{
    return !subject->treasuries[0] || webhook_has_word(subject->treasuries, treasury);
}

enum bursar_status webhook_view_read(const struct store *store, const char *name, struct webhook_view *ret,
                                     struct bursar_error *err)
{
    struct webhook_view view = { .is_known = false };
    uint64_t newest = 0;
    (void)snprintf(view.name, sizeof view.name, "%s", name);
    enum bursar_status status = store->webhook_find(store->ctx, name, &view.record, err);
    view.is_known = status == BURSAR_OK;
    if (status == BURSAR_ENOTFOUND)
        status = BURSAR_OK;
    if (status == BURSAR_OK)
        status = store->event_newest(store->ctx, &newest, err);
    if (status != BURSAR_OK)
        return status;
    if (view.is_known) {
        view.behind = (newest > view.record.seq ? newest - view.record.seq : 0) + view.record.kept_count;
        view.is_failing = view.record.last_error[0] &&
                          (view.record.kept_count > 0 || view.record.last_error_ms > view.record.last_success_ms);
    }
    *ret = view;
    return BURSAR_OK;
}

void webhook_view_text(const struct webhook_view *view, uint64_t now_ms, char ret[WEBHOOK_VIEW_TEXT_BYTES])
{
    const char *name = view->name;
    const struct webhook_record *record = &view->record;
    if (!view->is_known)
        (void)snprintf(ret, WEBHOOK_VIEW_TEXT_BYTES, "%s: not started yet: `bursar run` does", name);
    else if (view->is_failing) {
        char at[RFC3339_TEXT_BYTES], next[RFC3339_TEXT_BYTES];
        const bool is_planned = record->next_try_ms > now_ms;
        rfc3339_from_seconds(record->last_error_ms / 1000, at);
        rfc3339_from_seconds(record->next_try_ms / 1000, next);
        (void)snprintf(ret, WEBHOOK_VIEW_TEXT_BYTES, "%s: %llu events behind; not taken at %s: %s%s%s", name,
                       (ull)view->behind, at, record->last_error, is_planned ? "; next try at " : "",
                       is_planned ? next : "");
    } else if (view->behind > 0)
        (void)snprintf(ret, WEBHOOK_VIEW_TEXT_BYTES, "%s: %llu events behind", name, (ull)view->behind);
    else
        (void)snprintf(ret, WEBHOOK_VIEW_TEXT_BYTES, "%s: up to date, %llu events delivered", name,
                       (ull)record->delivered);
}

static json_t *view_json(const struct webhook_view *view)
{
    const struct webhook_record *record = &view->record;
    return json_pack("{s:s,s:b,s:I,s:I,s:I,s:I,s:o,s:o,s:o,s:o}", "name", view->name, "started", view->is_known, "seq",
                     (json_int_t)record->seq, "kept_back", (json_int_t)record->kept_count, "behind",
                     (json_int_t)view->behind, "delivered", (json_int_t)record->delivered, "last_error",
                     view->is_failing ? output_json_text(record->last_error) : json_null(), "last_error_at",
                     view->is_failing ? output_json_ms(record->last_error_ms) : json_null(), "next_try_at",
                     view->is_failing ? output_json_ms(record->next_try_ms) : json_null(), "last_success_at",
                     output_json_ms(record->last_success_ms));
}

enum bursar_status webhook_views_json(const struct store *store, const struct webhook_list *list, const char *treasury,
                                      json_t **ret, struct bursar_error *err)
{
    json_t *views = json_array();
    enum bursar_status status = views ? BURSAR_OK : bursar_fail(err, BURSAR_ENOMEM, "out of memory");
    for (size_t i = 0; i < list->count && status == BURSAR_OK; i++) {
        struct webhook_view view;
        if (!webhook_is_about(&list->of[i], treasury))
            continue;
        status = webhook_view_read(store, list->of[i].name, &view, err);
        if (status == BURSAR_OK && json_array_append_new(views, view_json(&view)) != 0)
            status = bursar_fail(err, BURSAR_ENOMEM, "out of memory");
    }
    if (status == BURSAR_OK)
        *ret = views;
    else
        json_decref(views);
    return status;
}

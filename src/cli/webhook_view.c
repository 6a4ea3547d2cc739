/* See webhook_view.h. */
#include "cli/webhook_view.h"

#include "service/json_values.h"

#include <string.h>

#define BEHIND_MUCH_COUNT 1000 /* without an error: nobody is at work */

typedef unsigned long long ull;

enum bursar_status webhook_view_read(const struct store *store, const struct webhook_settings *settings,
                                     struct webhook_view *ret, struct bursar_error *err)
{
    struct webhook_view view = { .settings = settings };
    uint64_t newest = 0;
    enum bursar_status status = store->webhook_find(store->ctx, settings->name, &view.record, err);
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

json_t *webhook_view_json(const struct webhook_view *view)
{
    const struct webhook_record *record = &view->record;
    return json_pack("{s:s,s:b,s:I,s:I,s:o,s:o,s:o}", "name", view->settings->name, "started", view->is_known, "behind",
                     (json_int_t)view->behind, "delivered", (json_int_t)record->delivered, "last_error",
                     view->is_failing ? output_json_text(record->last_error) : json_null(), "last_error_at",
                     view->is_failing ? output_json_ms(record->last_error_ms) : json_null(), "last_success_at",
                     output_json_ms(record->last_success_ms));
}

void webhook_view_text(const struct webhook_view *view, char ret[WEBHOOK_VIEW_TEXT_BYTES])
{
    const char *name = view->settings->name;
    char at[RFC3339_TEXT_BYTES];
    if (!view->is_known)
        (void)snprintf(ret, WEBHOOK_VIEW_TEXT_BYTES, "%s: not started yet: `bursar run` does", name);
    else if (view->is_failing) {
        rfc3339_from_seconds(view->record.last_error_ms / 1000, at);
        (void)snprintf(ret, WEBHOOK_VIEW_TEXT_BYTES, "%s: %llu events behind; not taken at %s: %s", name,
                       (ull)view->behind, at, view->record.last_error);
    } else if (view->behind > 0)
        (void)snprintf(ret, WEBHOOK_VIEW_TEXT_BYTES, "%s: %llu events behind", name, (ull)view->behind);
    else
        (void)snprintf(ret, WEBHOOK_VIEW_TEXT_BYTES, "%s: up to date, %llu events delivered", name,
                       (ull)view->record.delivered);
}

static void check_standing(const struct doctor *doctor, const struct store *store,
                           const struct webhook_settings *settings)
{
    struct webhook_view view;
    struct bursar_error err = { 0 };
    char text[WEBHOOK_VIEW_TEXT_BYTES];
    struct finding finding = { .name = "webhook", .subject = settings->name, .result = CHECK_NOT_CHECKED };
    if (!store) {
        doctor_tell(doctor, finding, "it needs the store");
        return;
    }
    if (webhook_view_read(store, settings, &view, &err) != BURSAR_OK) {
        doctor_tell(doctor, finding, "%.600s", err.message);
        return;
    }
    webhook_view_text(&view, text);
    finding.result = CHECK_OK;
    if (view.is_failing) {
        finding.result = CHECK_WARNING;
        finding.action = "look at the receiver: it has to answer with 200 to 299; events are sent again until it does";
    } else if (view.behind >= BEHIND_MUCH_COUNT) {
        finding.result = CHECK_WARNING;
        finding.action = "start `bursar run`: it delivers events";
    }
    doctor_tell(doctor, finding, "%.700s", text + strlen(settings->name) + strlen(": "));
}

void webhook_view_check(const struct doctor *doctor, const struct store *store, const struct webhook_settings *settings)
{
    uint8_t secret[WEBHOOK_SECRET_MAX_BYTES];
    size_t secret_bytes;
    struct bursar_error err = { 0 };
    if (doctor_file(doctor, "webhook_secret", settings->secret_file)) {
        if (webhook_read_secret(settings, secret, &secret_bytes, &err) != BURSAR_OK)
            doctor_tell(doctor,
                        (struct finding){ .name = "webhook",
                                          .subject = settings->name,
                                          .result = CHECK_WRONG,
                                          .grade = GRADE_PERSON,
                                          .action =
                                              "write such a secret, such as `openssl rand -hex 32` makes one, and "
                                              "restart `bursar run`" },
                        "%.700s", err.message);
        explicit_bzero(secret, sizeof secret);
    }
    check_standing(doctor, store, settings);
}

/* See webhook_check.h. */
#include "cli/webhook_check.h"

#include "base/time.h"
#include "service/webhook_view.h"

#include <string.h>

#define BEHIND_MUCH_COUNT 1000 /* without an error: nobody is at work */

static void check_standing(const struct doctor *doctor, const struct store *store,
                           const struct webhook_settings *settings)
{
    const struct clock clock = system_clock();
    struct webhook_view view;
    struct bursar_error err = { 0 };
    char text[WEBHOOK_VIEW_TEXT_BYTES];
    struct finding finding = { .name = "webhook", .subject = settings->name, .result = CHECK_NOT_CHECKED };
    if (!store) {
        doctor_tell(doctor, finding, "it needs the store");
        return;
    }
    if (webhook_view_read(store, settings->name, &view, &err) != BURSAR_OK) {
        doctor_tell(doctor, finding, "%.600s", err.message);
        return;
    }
    webhook_view_text(&view, clock.wall_ms(clock.ctx), text);
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

void webhook_check(const struct doctor *doctor, const struct store *store, const struct webhook_settings *settings)
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

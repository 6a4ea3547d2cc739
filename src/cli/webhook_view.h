/* How a webhook stands, for `status` and `doctor`: from the store alone. */
#ifndef CLI_WEBHOOK_VIEW_H
#define CLI_WEBHOOK_VIEW_H

#include "doctor/doctor.h"
#include "webhook/settings.h"

#include <jansson.h>

struct webhook_view {
    const struct webhook_settings *settings;
    bool is_known; /* it has been at work: */
    struct webhook_record record;
    uint64_t behind; /* events that it has not passed by yet, and those that it keeps back */
    bool is_failing; /* the last error still stands */
};

BURSAR_MUST_CHECK enum bursar_status webhook_view_read(const struct store *store,
                                                       const struct webhook_settings *settings,
                                                       struct webhook_view *ret, struct bursar_error *err);
/* {"name","behind","delivered","last_error", ...}; NULL: out of memory. */
json_t *webhook_view_json(const struct webhook_view *view);
/* "ops: 12 events behind; not taken at ...: answered 500" */
#define WEBHOOK_VIEW_TEXT_BYTES (BURSAR_ERROR_MESSAGE_MAX_BYTES + 256)
void webhook_view_text(const struct webhook_view *view, char ret[WEBHOOK_VIEW_TEXT_BYTES]);
/* The checks of `doctor`. `store` NULL: it can't be opened. */
void webhook_view_check(const struct doctor *doctor, const struct store *store,
                        const struct webhook_settings *settings);

#endif

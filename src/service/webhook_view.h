/* How webhooks stand, for `status`, `doctor`, `top` and the API: from the store alone, whoever delivers them. */
#ifndef SERVICE_WEBHOOK_VIEW_H
#define SERVICE_WEBHOOK_VIEW_H

#include "store/store.h"

#include <jansson.h>

#define WEBHOOKS_MAX_COUNT 16
#define WEBHOOK_WORDS_MAX_BYTES 256

/* What has to be known of a webhook to look at it: a plain value, without its URL and its secret. */
struct webhook_subject {
    char name[WEBHOOK_NAME_MAX_BYTES + 1];
    char treasuries[WEBHOOK_WORDS_MAX_BYTES]; /* names separated by spaces; "": all */
};

struct webhook_list {
    size_t count;
    struct webhook_subject of[WEBHOOKS_MAX_COUNT];
};

/* Is this name one of the words? */
bool webhook_has_word(const char *words, const char *name);
bool webhook_is_about(const struct webhook_subject *subject, const char *treasury);

struct webhook_view {
    char name[WEBHOOK_NAME_MAX_BYTES + 1];
    bool is_known; /* it has been at work: */
    struct webhook_record record;
    uint64_t behind; /* events that it has not passed by yet, and those that it keeps back */
    bool is_failing; /* the last error still stands */
};

BURSAR_MUST_CHECK enum bursar_status webhook_view_read(const struct store *store, const char *name,
                                                       struct webhook_view *ret, struct bursar_error *err);
/* "ops: 12 events behind; not taken at ...: answered 500; next try at ..." */
#define WEBHOOK_VIEW_TEXT_BYTES (BURSAR_ERROR_MESSAGE_MAX_BYTES + 256)
void webhook_view_text(const struct webhook_view *view, uint64_t now_ms, char ret[WEBHOOK_VIEW_TEXT_BYTES]);
/* [{"name","behind","delivered","last_error", ...}] of those that are about this treasury. */
BURSAR_MUST_CHECK enum bursar_status webhook_views_json(const struct store *store, const struct webhook_list *list,
                                                        const char *treasury, json_t **ret, struct bursar_error *err);

#endif

/* What the configuration says of one webhook. */
#ifndef WEBHOOK_SETTINGS_H
#define WEBHOOK_SETTINGS_H

#include "service/webhook_view.h"

#define WEBHOOK_URL_MAX_BYTES 2048
#define WEBHOOK_PATH_MAX_BYTES 4096
#define WEBHOOK_SECRET_MIN_BYTES 16
#define WEBHOOK_SECRET_MAX_BYTES 1024

/* A [webhook NAME] section. Paths are ready to open. */
struct webhook_settings {
    char name[WEBHOOK_NAME_MAX_BYTES + 1];
    char url[WEBHOOK_URL_MAX_BYTES]; /* may hold a secret: never shown */
    char secret_file[WEBHOOK_PATH_MAX_BYTES];
    char ca_file[WEBHOOK_PATH_MAX_BYTES];     /* "": the system's */
    char treasuries[WEBHOOK_WORDS_MAX_BYTES]; /* names separated by spaces; "": all */
    char events[WEBHOOK_WORDS_MAX_BYTES];     /* lifecycle causes likewise; "": all */
    uint64_t timeout_ms;
    uint64_t retry_ms;
    uint64_t retry_max_ms;
};

/* A treasury by the name that the configuration has for it. */
struct webhook_treasury {
    int64_t id;
    const char *name; /* borrowed */
};

/* As bits of enum lifecycle_cause, all of them for "". EINVAL names the word that is none. */
BURSAR_MUST_CHECK enum bursar_status webhook_causes(const char *words, uint64_t *ret, struct bursar_error *err);
/* The secret, without one newline at its end. EINVAL: too short or too long; ENOTFOUND and others: can't be read. */
BURSAR_MUST_CHECK enum bursar_status webhook_read_secret(const struct webhook_settings *settings,
                                                         uint8_t ret[WEBHOOK_SECRET_MAX_BYTES], size_t *ret_bytes,
                                                         struct bursar_error *err);

#endif

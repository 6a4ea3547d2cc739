/* What must hold between [webhook NAME] sections and the others. */
#include "cli/config_options.h"

#include <string.h>

static bool has_treasury(const struct config *config, const char *name, size_t length)
{
    for (size_t i = 0; i < config->treasury_count; i++) {
        const char *treasury = config->treasuries[i].name;
        if (strlen(treasury) == length && strncmp(treasury, name, length) == 0)
            return true;
    }
    return false;
}

enum bursar_status config_check_webhooks(const struct config *config, const uint32_t *lines, struct bursar_error *err)
{
    for (size_t i = 0; i < config->webhook_count; i++) {
        const struct webhook_settings *webhook = &config->webhooks[i];
        for (const char *at = webhook->treasuries + strspn(webhook->treasuries, " "); *at;) {
            const size_t length = strcspn(at, " ");
            if (!has_treasury(config, at, length))
                return bursar_fail(err, BURSAR_EINVAL,
                                   "%.200s:%u: [webhook %s] treasuries: there is no [treasury %.*s]", config->path,
                                   lines[i], webhook->name, length > 64 ? 64 : (int)length, at);
            at += length;
            at += strspn(at, " ");
        }
    }
    return BURSAR_OK;
}

/* Option by option, by the same table that reads and explains them. */
#include "cli/config_reload.h"

#include "cli/config_options.h"

#include <string.h>

#define WHAT_MAX_BYTES 160

static size_t value_bytes(enum option_kind kind)
{
    switch (kind) {
    case OPTION_NUMBER:
    case OPTION_WEI:
    case OPTION_FINALITY:
    case OPTION_QUORUM:
    case OPTION_CHAIN:
    case OPTION_SWITCH:
        return sizeof(uint64_t);
    case OPTION_ADDRESS:
        return sizeof(struct bursar_address);
    case OPTION_COIN:
        return sizeof(struct bursar_amount);
    case OPTION_DECIMALS:
        return sizeof(unsigned);
    case OPTION_LEVEL:
        return sizeof(enum note_level);
    case OPTION_FORMAT:
        return sizeof(enum log_format);
    case OPTION_EPOCH:
    case OPTION_PATH:
    case OPTION_STORE:
    case OPTION_URLS:
    case OPTION_IDENTITY:
    case OPTION_LISTEN:
    case OPTION_WORDS:
    case OPTION_PATH_OR_NONE:
    case OPTION_URL:
    case OPTION_EVENTS:
    case OPTION_UNITS:
        return 0;
    case OPTION_METRICS:
        return sizeof(enum http_metrics_access);
    }
    return 0;
}

static bool same_value(const struct config_option *option, const char *a, const char *b)
{
    if (option->kind == OPTION_EPOCH) {
        const struct epoch_source *one = (const void *)a, *other = (const void *)b;
        return one->kind == other->kind && one->length == other->length;
    }
    size_t bytes = value_bytes(option->kind);
    return bytes ? memcmp(a, b, bytes) == 0 : strcmp(a, b) == 0;
}

/* Reports one option of one section, and takes it over if it can be. */
static void compare(const struct config_option *option, const char *section, char *old, const char *fresh,
                    config_change_visitor *visit, void *ctx)
{
    char what[WHAT_MAX_BYTES];
    old += option->offset;
    fresh += option->offset;
    if (same_value(option, old, fresh))
        return;
    bool in_force = config_option_reloads(option);
    if (in_force)
        memcpy(old, fresh, value_bytes(option->kind));
    (void)snprintf(what, sizeof what, "[%s] %s was changed", section, option->key);
    visit(ctx, what, in_force);
}

static char *row_of(struct config *config, enum config_rows rows, size_t row)
{
    switch (rows) {
    case ROWS_NONE:
        return (char *)config;
    case ROWS_TREASURY:
        return (char *)&config->treasuries[row];
    case ROWS_ASSET:
        return (char *)&config->assets[row];
    case ROWS_WEBHOOK:
        return (char *)&config->webhooks[row];
    }
    return NULL;
}

static const char *const KINDS[CONFIG_ROWS_KINDS] = {
    [ROWS_NONE] = "", [ROWS_TREASURY] = "treasury", [ROWS_ASSET] = "asset", [ROWS_WEBHOOK] = "webhook"
};

/* The row of this name; false: there is none. */
static bool find_row(const struct config *config, enum config_rows rows, const char *name, size_t *ret)
{
    for (size_t i = 0; i < config_row_count(config, rows); i++) {
        if (strcmp(config_row_name(config, rows, i), name) == 0) {
            *ret = i;
            return true;
        }
    }
    return false;
}

static void compare_row(struct config *config, size_t row, struct config *fresh, size_t fresh_row,
                        enum config_rows rows, config_change_visitor *visit, void *ctx)
{
    char section[CONFIG_NAME_MAX_LENGTH + 32];
    for (size_t i = 0; i < CONFIG_OPTION_COUNT; i++) {
        const struct config_option *option = &CONFIG_OPTIONS[i];
        if (config_rows_of(option->section) != rows)
            continue;
        (void)snprintf(section, sizeof section, "%s%s%s", option->section, rows == ROWS_NONE ? "" : " ",
                       config_row_name(config, rows, row));
        compare(option, section, row_of(config, rows, row), row_of(fresh, rows, fresh_row), visit, ctx);
    }
}

static void tell_row(enum config_rows rows, const char *name, const char *how, config_change_visitor *visit, void *ctx)
{
    char what[WHAT_MAX_BYTES];
    (void)snprintf(what, sizeof what, "[%s %s] was %s", KINDS[rows], name, how);
    visit(ctx, what, rows == ROWS_WEBHOOK);
}

static void compare_rows(struct config *config, struct config *fresh, enum config_rows rows,
                         config_change_visitor *visit, void *ctx)
{
    size_t other;
    for (size_t i = 0; i < config_row_count(config, rows); i++) {
        const char *name = config_row_name(config, rows, i);
        if (find_row(fresh, rows, name, &other))
            compare_row(config, i, fresh, other, rows, visit, ctx);
        else
            tell_row(rows, name, "removed", visit, ctx);
    }
    for (size_t i = 0; i < config_row_count(fresh, rows); i++) {
        const char *name = config_row_name(fresh, rows, i);
        if (!find_row(config, rows, name, &other))
            tell_row(rows, name, "added", visit, ctx);
    }
}

/* All of them change, texts too: the old ones go with `fresh`. */
static void swap_webhooks(struct config *config, struct config *fresh)
{
    struct webhook_settings *webhooks = config->webhooks;
    const size_t count = config->webhook_count;
    config->webhooks = fresh->webhooks;
    config->webhook_count = fresh->webhook_count;
    fresh->webhooks = webhooks;
    fresh->webhook_count = count;
}

void config_take_over(struct config *config, struct config *fresh, config_change_visitor *visit, void *ctx)
{
    for (int rows = ROWS_NONE; rows < CONFIG_ROWS_KINDS; rows++)
        compare_rows(config, fresh, (enum config_rows)rows, visit, ctx);
    swap_webhooks(config, fresh);
}

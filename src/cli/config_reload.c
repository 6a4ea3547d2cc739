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
        return sizeof(uint64_t);
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
        return 0;
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
    (void)snprintf(what, sizeof what, "[%s] %s", section, option->key);
    visit(ctx, what, in_force);
}

static void compare_treasury(struct treasury_config *old, const struct treasury_config *fresh,
                             config_change_visitor *visit, void *ctx)
{
    char section[TREASURY_NAME_MAX_BYTES + 16];
    (void)snprintf(section, sizeof section, "treasury %s", old->name);
    for (size_t i = 0; i < CONFIG_OPTION_COUNT; i++) {
        if (strcmp(CONFIG_OPTIONS[i].section, "treasury") == 0)
            compare(&CONFIG_OPTIONS[i], section, (char *)old, (const char *)fresh, visit, ctx);
    }
}

static void tell_section(const char *name, const char *how, config_change_visitor *visit, void *ctx)
{
    char what[WHAT_MAX_BYTES];
    (void)snprintf(what, sizeof what, "[treasury %s], which is %s", name, how);
    visit(ctx, what, false);
}

void config_take_over(struct config *config, const struct config *fresh, config_change_visitor *visit, void *ctx)
{
    for (size_t i = 0; i < CONFIG_OPTION_COUNT; i++) {
        const struct config_option *option = &CONFIG_OPTIONS[i];
        if (strcmp(option->section, "treasury") != 0)
            compare(option, option->section, (char *)config, (const char *)fresh, visit, ctx);
    }
    for (size_t i = 0; i < config->treasury_count; i++) {
        size_t index = config_treasury_index(fresh, config->treasuries[i].name);
        if (index < fresh->treasury_count)
            compare_treasury(&config->treasuries[i], &fresh->treasuries[index], visit, ctx);
        else
            tell_section(config->treasuries[i].name, "gone", visit, ctx);
    }
    for (size_t i = 0; i < fresh->treasury_count; i++) {
        if (config_treasury_index(config, fresh->treasuries[i].name) == config->treasury_count)
            tell_section(fresh->treasuries[i].name, "new", visit, ctx);
    }
}

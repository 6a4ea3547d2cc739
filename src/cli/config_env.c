/* BURSAR_SECTION_KEY variables, checked like the file. A misspelt one must not be passed over in silence: with the name
 * of a known section it is an error; any other BURSAR_... variable is not ours. */
#include "cli/config_options.h"

#include <ctype.h>
#include <string.h>

#define NAME_MAX_BYTES 128

/* Lower-case name of a BURSAR_ variable, without that prefix. False for other variables. */
static bool split_variable(const char *variable, char ret_name[NAME_MAX_BYTES], const char **ret_value)
{
    static const char prefix[] = "BURSAR_";
    const char *equals = strchr(variable, '=');
    if (!equals || strncmp(variable, prefix, sizeof prefix - 1) != 0)
        return false;
    const char *name = variable + sizeof prefix - 1;
    size_t length = (size_t)(equals - name);
    if (length == 0 || length >= NAME_MAX_BYTES)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (islower((unsigned char)name[i]))
            return false;
        ret_name[i] = (char)tolower((unsigned char)name[i]);
    }
    ret_name[length] = 0;
    *ret_value = equals + 1;
    return true;
}

/* The rest of `name` behind "prefix_", or NULL. */
static const char *behind(const char *name, const char *prefix)
{
    size_t length = strlen(prefix);
    return strncmp(name, prefix, length) == 0 && name[length] == '_' ? name + length + 1 : NULL;
}

/* Names a section of ours, whatever the key? */
static bool is_ours(const char *name)
{
    for (size_t i = 0; i < CONFIG_OPTION_COUNT; i++) {
        if (behind(name, CONFIG_OPTIONS[i].section))
            return true;
    }
    return false;
}

/* Names of sections and keys both hold underscores: every configured one is tried. */
static const struct config_option *match(const struct config *config, const char *name, size_t *ret_row)
{
    for (size_t i = 0; i < CONFIG_OPTION_COUNT; i++) {
        const struct config_option *option = &CONFIG_OPTIONS[i];
        enum config_rows rows = config_rows_of(option->section);
        const char *rest = behind(name, option->section);
        for (size_t row = 0; rest && row < config_row_count(config, rows); row++) {
            const char *key = rows == ROWS_NONE ? rest : behind(rest, config_row_name(config, rows, row));
            if (!key || strcmp(key, option->key) != 0)
                continue;
            *ret_row = row;
            return option;
        }
    }
    return NULL;
}

enum bursar_status config_apply_environment(struct config *config, char *const *environment, config_set_marks set,
                                            struct bursar_error *err)
{
    for (; environment && *environment; environment++) {
        char name[NAME_MAX_BYTES] = { 0 };
        const char *value;
        if (!split_variable(*environment, name, &value) || !is_ours(name))
            continue;
        int shown = (int)strcspn(*environment, "=");
        size_t row;
        const struct config_option *option = match(config, name, &row);
        if (!option)
            return bursar_fail(err, BURSAR_EINVAL,
                               "environment variable %.*s names no option (a treasury's: "
                               "BURSAR_TREASURY_<NAME>_<KEY>, with NAME a section of %s, an asset's likewise); see "
                               "`bursar help config`",
                               shown, *environment, config->path);
        struct bursar_error reason = { 0 };
        if (config_option_set(config, row, option, value, &reason) != BURSAR_OK)
            return bursar_fail(err, BURSAR_EINVAL, "environment variable %.*s: %.300s", shown, *environment,
                               reason.message);
        set[row][option - CONFIG_OPTIONS] = CONFIG_FROM_ENVIRONMENT;
    }
    return BURSAR_OK;
}

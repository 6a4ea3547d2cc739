/* Text made from the table of options: the file that `init` writes, and `bursar help config`. */
#include "cli/config_options.h"

#include <string.h>

static const char *given(const struct config_option *option, const struct config_start *start, const char *chain_id)
{
    if (strcmp(option->section, "store") == 0)
        return start->store_url;
    if (strcmp(option->section, "treasury") != 0)
        return NULL;
    if (strcmp(option->key, "chain_id") == 0)
        return chain_id;
    if (strcmp(option->key, "rpc") == 0)
        return start->rpc;
    if (strcmp(option->key, "keystore") == 0)
        return start->keystore;
    return strcmp(option->key, "password_file") == 0 ? start->password_file : NULL;
}

static bool write_section(struct buf *out, const struct config_option *option, const char *row_name)
{
    bool has_name = config_rows_of(option->section) != ROWS_NONE;
    return buf_append_format(out, "\n[%s%s%s]\n", option->section, has_name ? " " : "", has_name ? row_name : "");
}

static bool starts_section(size_t i)
{
    return i == 0 || strcmp(CONFIG_OPTIONS[i].section, CONFIG_OPTIONS[i - 1].section) != 0;
}

bool config_write_start(struct buf *out, const struct config_start *start)
{
    char chain_id[24];
    (void)snprintf(chain_id, sizeof chain_id, "%llu", (unsigned long long)start->chain_id);
    bool good = buf_append_text(out, "# Written by `bursar init`. Lines that start with # show defaults; "
                                     "`bursar help config` explains every key.\n");
    for (size_t i = 0; i < CONFIG_OPTION_COUNT && good; i++) {
        const struct config_option *option = &CONFIG_OPTIONS[i];
        if (config_rows_of(option->section) == ROWS_ASSET || config_rows_of(option->section) == ROWS_WEBHOOK)
            continue; /* there is no default token, nor receiver */
        if (starts_section(i))
            good = write_section(out, option, "main");
        const char *value = given(option, start, chain_id);
        if (good && value)
            good = buf_append_format(out, "%s = %s\n", option->key, value);
        else if (good)
            good =
                buf_append_format(out, "# %s =%s%s\n", option->key, option->fallback && option->fallback[0] ? " " : "",
                                  option->fallback ? option->fallback : "");
    }
    return good;
}

bool config_write_help(struct buf *out)
{
    bool good = buf_append_text(
        out,
        "bursar.conf is an INI file; # starts a comment. It is looked for as -c FILE, ./bursar.conf and\n"
        "/etc/bursar/bursar.conf. Relative paths start at its folder. Any key can be set in the environment as\n"
        "BURSAR_SECTION_KEY: BURSAR_EXECUTOR_BATCH_SIZE, BURSAR_TREASURY_MAIN_RPC.\n"
        "On SIGHUP `bursar run` reads it again: what is marked * is then in force, all else with the next start.\n");
    for (size_t i = 0; i < CONFIG_OPTION_COUNT && good; i++) {
        const struct config_option *option = &CONFIG_OPTIONS[i];
        if (starts_section(i))
            good = write_section(out, option, "NAME");
        if (good)
            good = buf_append_format(out, "%c %-26s %s\n  %-26s %s", config_option_reloads(option) ? '*' : ' ',
                                     option->key, option->help, "", option->allowed);
        if (good && option->fallback)
            good = buf_append_format(out, option->fallback[0] ? " (default: %s)\n" : "%s\n", option->fallback);
        else if (good)
            good = buf_append_text(out, " (required)\n");
    }
    return good;
}

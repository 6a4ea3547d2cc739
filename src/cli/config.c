/* Reads bursar.conf: lines are counted, cleaned and bounded here, split by inih, and checked by the table of options.
 */
#include "cli/config.h"

#include "base/cleanup.h"
#include "cli/config_options.h"

#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINES_MAX_COUNT 10000
#define RAW_LINE_MAX_BYTES 4096
/* inih cuts a line into two where it does not fit its buffer: nothing longer may reach it. */
#define LINE_MAX_LENGTH 196

static const char DEFAULT_PATH[] = "bursar.conf";
static const char SYSTEM_PATH[] = "/etc/bursar/bursar.conf";

/* One reading of one file. */
struct reading {
    FILE *file;
    struct config *config;
    uint32_t line;
    bool has_section;
    char section[32];
    size_t row;       /* in a section with a name: which */
    bool is_indented; /* the line at hand continues the value above it */
    const struct config_option *last;
    config_set_marks set;
    uint32_t row_line[CONFIG_ROWS_KINDS][CONFIG_ROWS_MAX_COUNT]; /* where it begins */
    struct bursar_error error;                                   /* the first one */
};

static void refuse(struct reading *reading, const char *format, ...) BURSAR_PRINTF(2, 3);
static void refuse(struct reading *reading, const char *format, ...)
{
    if (reading->error.status != BURSAR_OK)
        return;
    char text[BURSAR_ERROR_MESSAGE_MAX_BYTES];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    (void)bursar_fail(&reading->error, BURSAR_EINVAL, "%.200s:%u: %.280s", reading->config->path, reading->line, text);
}

/* Cuts off " # ..." and what is blank at the end. */
static void strip_comment(char *line)
{
    for (char *c = line; *c; c++) {
        if (*c == '#' && (c == line || isspace((unsigned char)c[-1]))) {
            *c = 0;
            break;
        }
    }
    size_t length = strlen(line);
    while (length > 0 && isspace((unsigned char)line[length - 1]))
        line[--length] = 0;
}

/* "[..." or "key =": a line of its own, however far it is indented. */
static bool starts_anew(const char *text)
{
    if (*text == '[')
        return true;
    size_t key = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");
    return key > 0 && text[key + strspn(text + key, " \t")] == '=';
}

static void enter_row(struct reading *reading, enum config_rows rows, const char *name)
{
    struct bursar_error err = { 0 };
    bool is_new = false;
    if (config_row_enter(reading->config, rows, name, &reading->row, &is_new, &err) != BURSAR_OK)
        refuse(reading, "%s", err.message);
    else if (is_new)
        reading->row_line[rows][reading->row] = reading->line;
}

/* inih reports a section only with its first key, and cuts its name: sections are entered here. */
static void enter_section(struct reading *reading, const char *line)
{
    char name[128];
    size_t length = strlen(line);
    if (length < 2 || line[length - 1] != ']' || length > sizeof name) {
        refuse(reading, "a section is written [name]");
        return;
    }
    memcpy(name, line + 1, length - 2);
    name[length - 2] = 0;
    char *blank = strchr(name, ' ');
    const char *row_name = blank ? blank + strspn(blank, " ") : NULL;
    if (blank)
        *blank = 0;
    enum config_rows rows = config_rows_of(name);
    reading->has_section = true;
    reading->row = 0;
    reading->last = NULL;
    if (rows != ROWS_NONE && !row_name)
        refuse(reading, "[%s] needs a name: [%s]", name,
               rows == ROWS_ASSET     ? "asset usdc"
               : rows == ROWS_WEBHOOK ? "webhook ops"
                                      : "treasury main");
    else if (rows != ROWS_NONE)
        enter_row(reading, rows, row_name);
    else if (row_name || !config_section_is_known(name))
        refuse(reading,
               "unknown section [%.100s]: there are store, treasury NAME, asset NAME, executor, breaker, fees, http, "
               "webhook NAME and log",
               name);
    (void)snprintf(reading->section, sizeof reading->section, "%.31s", name);
}

/* Reads one whole line of any length; false at the end of the file. */
static bool read_raw(struct reading *reading, char raw[RAW_LINE_MAX_BYTES])
{
    size_t length = 0;
    int c;
    while ((c = getc(reading->file)) != EOF && c != '\n' && reading->error.status == BURSAR_OK) {
        if (c == 0)
            refuse(reading, "a NUL byte: this is not a text file");
        if (length < RAW_LINE_MAX_BYTES - 1)
            raw[length++] = (char)c;
        else
            refuse(reading, "the line is longer than %d bytes", RAW_LINE_MAX_BYTES - 1);
    }
    if (c == EOF && ferror(reading->file))
        refuse(reading, "can't be read: %s", strerror(errno));
    raw[length] = 0;
    return length > 0 || c != EOF;
}

/* inih's fgets: one cleaned line at a time. */
static char *next_line(char *ret, int capacity, void *ctx)
{
    struct reading *reading = ctx;
    char raw[RAW_LINE_MAX_BYTES] = { 0 };
    reading->line++;
    if (reading->line > LINES_MAX_COUNT)
        refuse(reading, "the file has more than %d lines", LINES_MAX_COUNT);
    if (reading->error.status != BURSAR_OK || !read_raw(reading, raw) || reading->error.status != BURSAR_OK)
        return NULL;
    char *text = raw;
    if (reading->line == 1 && strncmp(text, "\xef\xbb\xbf", 3) == 0)
        text += 3;
    strip_comment(text);
    char *content = text + strspn(text, " \t");
    if (starts_anew(content) || *content == ';' || !*content)
        text = content;
    reading->is_indented = text != content;
    if (strlen(text) > LINE_MAX_LENGTH || (int)strlen(text) > capacity - 2) {
        refuse(reading, "the line is longer than %d bytes without its comment", LINE_MAX_LENGTH);
        return NULL;
    }
    if (*text == '[')
        enter_section(reading, text);
    else if (*text && *text != ';' && !reading->is_indented && !starts_anew(text))
        refuse(reading, "expected `key = value` or [section]");
    else if (reading->is_indented && !reading->last)
        refuse(reading, "an indented line continues a value, but there is none above it");
    if (reading->error.status != BURSAR_OK)
        return NULL;
    (void)snprintf(ret, (size_t)capacity, "%s\n", text);
    return ret;
}

/* A further line of an `rpc` value. */
static void continue_value(struct reading *reading, const char *value)
{
    const struct config_option *option = reading->last;
    if (option->kind != OPTION_URLS) {
        refuse(reading, "only `rpc` can go on in an indented line; [%s] %s can't", option->section, option->key);
        return;
    }
    char joined[CONFIG_RPC_MAX_BYTES + LINE_MAX_LENGTH + 2];
    struct bursar_error err = { 0 };
    (void)snprintf(joined, sizeof joined, "%s %s", reading->config->treasuries[reading->row].rpc, value);
    if (config_option_set(reading->config, reading->row, option, joined, &err) != BURSAR_OK)
        refuse(reading, "[%s] %s: %s", option->section, option->key, err.message);
}

static void set_value(struct reading *reading, const char *key, const char *value)
{
    if (!reading->has_section) {
        refuse(reading, "'%.60s' stands before the first [section]", key);
        return;
    }
    const struct config_option *option = config_option_find(reading->section, key);
    if (!option) {
        refuse(reading, "unknown key '%.60s' in [%s]; see `bursar help config`", key, reading->section);
        return;
    }
    uint32_t *mark = &reading->set[reading->row][option - CONFIG_OPTIONS];
    if (*mark) {
        refuse(reading, "[%s] %s is given again; it is in line %u already", option->section, option->key, *mark);
        return;
    }
    *mark = reading->line;
    reading->last = option;
    if (option->kind == OPTION_URLS && !*value)
        return; /* its value may start in the next line */
    struct bursar_error err = { 0 };
    if (config_option_set(reading->config, reading->row, option, value, &err) != BURSAR_OK)
        refuse(reading, "[%s] %s: %s", option->section, option->key, err.message);
}

static int take_pair(void *ctx, const char *section, const char *key, const char *value)
{
    (void)section; /* known from enter_section, uncut */
    struct reading *reading = ctx;
    if (reading->is_indented && reading->last)
        continue_value(reading, value);
    else
        set_value(reading, key, value);
    return reading->error.status == BURSAR_OK;
}

static enum bursar_status set_defaults(struct reading *reading, struct bursar_error *err)
{
    struct config *config = reading->config;
    for (size_t i = 0; i < CONFIG_OPTION_COUNT; i++) {
        const struct config_option *option = &CONFIG_OPTIONS[i];
        enum config_rows rows = config_rows_of(option->section);
        for (size_t row = 0; row < config_row_count(config, rows); row++) {
            bool is_missing = !reading->set[row][i] || (option->kind == OPTION_URLS && !config->treasuries[row].rpc[0]);
            if (!is_missing)
                continue;
            if (!option->fallback)
                return bursar_fail(err, BURSAR_EINVAL, "%s:%u: [%s %s] lacks %s: %s", config->path,
                                   reading->row_line[rows][row], option->section, config_row_name(config, rows, row),
                                   option->key, option->allowed);
            enum bursar_status status = config_option_set(config, row, option, option->fallback, err);
            if (status != BURSAR_OK)
                return status;
        }
    }
    return BURSAR_OK;
}

static enum bursar_status check_fees(struct reading *reading, struct bursar_error *err)
{
    struct config *config = reading->config;
    if (config->max_priority_fee_per_gas_wei <= config->max_fee_per_gas_wei)
        return BURSAR_OK;
    const struct config_option *option = config_option_find("fees", "max_priority_fee_per_gas");
    uint32_t line = reading->set[0][option - CONFIG_OPTIONS];
    if (!line) { /* the default gives way */
        config->max_priority_fee_per_gas_wei = config->max_fee_per_gas_wei;
        return BURSAR_OK;
    }
    if (line == CONFIG_FROM_ENVIRONMENT)
        return bursar_fail(err, BURSAR_EINVAL,
                           "BURSAR_FEES_MAX_PRIORITY_FEE_PER_GAS: must not be above max_fee_per_gas");
    return bursar_fail(err, BURSAR_EINVAL, "%s:%u: [fees] max_priority_fee_per_gas: must not be above max_fee_per_gas",
                       config->path, line);
}

/* Where a treasury's quorum was set. */
static void name_quorum(const struct reading *reading, size_t treasury, char *ret, size_t capacity)
{
    const struct config_option *option = config_option_find("treasury", "quorum");
    const char *name = reading->config->treasuries[treasury].name;
    uint32_t line = reading->set[treasury][option - CONFIG_OPTIONS];
    char upper[TREASURY_NAME_MAX_BYTES] = "";
    for (size_t i = 0; name[i]; i++)
        upper[i] = (char)toupper((unsigned char)name[i]);
    if (line == CONFIG_FROM_ENVIRONMENT)
        (void)snprintf(ret, capacity, "environment variable BURSAR_TREASURY_%s_QUORUM", upper);
    else
        (void)snprintf(ret, capacity, "%.200s:%u: [treasury %s] quorum", reading->config->path, line, name);
}

/* Only when all is read: the environment may name other URLs than the file. */
static enum bursar_status check_quorum(const struct reading *reading, struct bursar_error *err)
{
    const struct config *config = reading->config;
    for (size_t i = 0; i < config->treasury_count; i++) {
        const struct treasury_config *treasury = &config->treasuries[i];
        size_t urls = config_url_count(treasury);
        char where[320];
        if (config_quorum(treasury) <= urls)
            continue;
        name_quorum(reading, i, where, sizeof where);
        return bursar_fail(err, BURSAR_EINVAL,
                           "%s: '%llu' is not allowed: must be 1-%zu, no more than there are rpc URLs", where,
                           (unsigned long long)treasury->quorum, urls);
    }
    return BURSAR_OK;
}

/* The same key file on the same chain twice would be two treasuries racing for one account's nonces. */
static enum bursar_status check_distinct(const struct reading *reading, struct bursar_error *err)
{
    const struct config *config = reading->config;
    for (size_t i = 0; i < config->treasury_count; i++) {
        const struct treasury_config *a = &config->treasuries[i];
        for (size_t k = 0; k < i; k++) {
            const struct treasury_config *b = &config->treasuries[k];
            if (a->chain_id == b->chain_id && strcmp(a->keystore, b->keystore) == 0)
                return bursar_fail(err, BURSAR_EINVAL,
                                   "%s:%u: [treasury %s] has the chain id and the keystore of [treasury %s] (line %u): "
                                   "an account on a chain can be one treasury only",
                                   config->path, reading->row_line[ROWS_TREASURY][i], a->name, b->name,
                                   reading->row_line[ROWS_TREASURY][k]);
        }
    }
    return BURSAR_OK;
}

static void make_identity(struct config *config)
{
    if (config->identity[0])
        return;
    char host[128] = "";
    if (gethostname(host, sizeof host - 1) != 0 || !host[0])
        (void)snprintf(host, sizeof host, "localhost");
    (void)snprintf(config->identity, sizeof config->identity, "%s:%ld", host, (long)getpid());
}

static enum bursar_status finish(struct reading *reading, char *const *environment, struct bursar_error *err)
{
    enum bursar_status status = config_apply_environment(reading->config, environment, reading->set, err);
    if (status == BURSAR_OK && reading->config->treasury_count == 0)
        status = bursar_fail(err, BURSAR_EINVAL, "%s: there is no [treasury NAME] section", reading->config->path);
    if (status == BURSAR_OK)
        status = set_defaults(reading, err);
    if (status == BURSAR_OK)
        status = check_fees(reading, err);
    if (status == BURSAR_OK)
        status = check_quorum(reading, err);
    if (status == BURSAR_OK)
        status = check_distinct(reading, err);
    if (status == BURSAR_OK)
        status = config_check_assets(reading->config, reading->row_line[ROWS_ASSET], err);
    if (status == BURSAR_OK)
        status = config_check_webhooks(reading->config, reading->row_line[ROWS_WEBHOOK], err);
    if (status == BURSAR_OK)
        make_identity(reading->config);
    return status;
}

static struct config *config_new(const char *path)
{
    struct config *config = calloc(1, sizeof *config);
    if (!config)
        return NULL;
    (void)snprintf(config->path, sizeof config->path, "%s", path);
    config->treasuries = calloc(CONFIG_TREASURIES_MAX_COUNT, sizeof *config->treasuries);
    config->assets = calloc(CONFIG_ASSETS_MAX_COUNT, sizeof *config->assets);
    config->webhooks = calloc(WEBHOOKS_MAX_COUNT, sizeof *config->webhooks);
    if (config->treasuries && config->assets && config->webhooks)
        return config;
    config_free(config);
    return NULL;
}

enum bursar_status config_read(FILE *file, const char *path, char *const *environment, struct config **ret,
                               struct bursar_error *err)
{
    if (strlen(path) >= CONFIG_PATH_MAX_BYTES)
        return bursar_fail(err, BURSAR_EINVAL, "the configuration's path is longer than %d bytes",
                           CONFIG_PATH_MAX_BYTES - 1);
    struct reading *reading = calloc(1, sizeof *reading);
    struct config *config = config_new(path);
    if (!reading || !config) {
        free(reading);
        config_free(config);
        return bursar_fail(err, BURSAR_ENOMEM, "out of memory while reading %s", path);
    }
    reading->file = file;
    reading->config = config;
    int bad_line = ini_parse_stream(next_line, reading, take_pair, reading);
    enum bursar_status status = reading->error.status;
    if (status != BURSAR_OK && err)
        *err = reading->error;
    else if (bad_line != 0)
        status = bursar_fail(err, BURSAR_EINVAL, "%s:%d: expected `key = value` or [section]", path, bad_line);
    if (status == BURSAR_OK)
        status = finish(reading, environment, err);
    free(reading);
    if (status != BURSAR_OK) {
        config_free(config);
        return status;
    }
    *ret = config;
    return BURSAR_OK;
}

enum bursar_status config_load(const char *path, char *const *environment, struct config **ret,
                               struct bursar_error *err)
{
    const char *candidates[] = { path ? path : DEFAULT_PATH, path ? NULL : SYSTEM_PATH };
    for (size_t i = 0; i < COUNT_OF(candidates) && candidates[i]; i++) {
        FILE *file = fopen(candidates[i], "re");
        if (!file && errno == ENOENT)
            continue;
        if (!file)
            return bursar_fail(err, BURSAR_EINVAL, "%s can't be read: %s", candidates[i], strerror(errno));
        enum bursar_status status = config_read(file, candidates[i], environment, ret, err);
        (void)fclose(file);
        return status;
    }
    if (path)
        return bursar_fail(err, BURSAR_ENOTFOUND, "%s does not exist", path);
    return bursar_fail(err, BURSAR_ENOTFOUND,
                       "no configuration: neither ./%s nor %s exists; `bursar init` writes one, -c names another",
                       DEFAULT_PATH, SYSTEM_PATH);
}

void config_free(struct config *config)
{
    if (!config)
        return;
    free(config->treasuries);
    free(config->assets);
    free(config->webhooks);
    free(config);
}

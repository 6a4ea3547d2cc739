/* How a value of each kind is read. One that is refused changes nothing. */
#include "cli/config_options.h"

#include "base/cleanup.h"
#include "eth/address.h"
#include "rpc/http_url.h"

#include <string.h>

static bool read_number(const char *value, const struct config_option *option, uint64_t *ret)
{
    return u64_from_text(value, strlen(value), option->minimum, option->maximum, ret);
}

/* The unit is required: a bare 200 could mean wei as well as gwei. */
static bool read_amount(const char *value, struct bursar_amount *ret)
{
    static const struct {
        const char *name;
        unsigned decimals;
    } units[] = { { "gwei", 9 }, { "ether", 18 }, { "wei", 0 } };
    size_t length = strlen(value);
    for (size_t i = 0; i < COUNT_OF(units); i++) {
        size_t unit_length = strlen(units[i].name);
        if (length <= unit_length || strcmp(value + length - unit_length, units[i].name) != 0)
            continue;
        size_t digits = length - unit_length;
        while (digits > 0 && value[digits - 1] == ' ')
            digits--;
        return bursar_amount_from_units(value, digits, units[i].decimals, ret, NULL) == BURSAR_OK;
    }
    return false;
}

static bool read_wei(const char *value, const struct config_option *option, uint64_t *ret)
{
    struct bursar_amount amount;
    uint64_t wei;
    if (!read_amount(value, &amount) || !bursar_amount_to_u64(amount, &wei) || wei < option->minimum ||
        wei > option->maximum)
        return false;
    *ret = wei;
    return true;
}

static bool read_coin(const char *value, struct bursar_amount *ret)
{
    if (strcmp(value, "0") == 0) {
        *ret = (struct bursar_amount){ 0 };
        return true;
    }
    return read_amount(value, ret);
}

static bool read_epoch(const char *value, const struct config_option *option, struct epoch_source *ret)
{
    struct epoch_source epoch;
    if (strncmp(value, "block/", 6) == 0)
        epoch.kind = EPOCH_BLOCK;
    else if (strncmp(value, "time/", 5) == 0)
        epoch.kind = EPOCH_TIME;
    else
        return false;
    if (!read_number(strchr(value, '/') + 1, option, &epoch.length))
        return false;
    *ret = epoch;
    return true;
}

static bool copy_text(const char *value, char *ret, size_t capacity)
{
    size_t length = strlen(value);
    if (length >= capacity)
        return false;
    memcpy(ret, value, length + 1);
    return true;
}

static bool is_printable(const char *text)
{
    for (; *text; text++) {
        if (*text < 0x20 || *text > 0x7e)
            return false;
    }
    return true;
}

static bool read_url(const char *value, char *ret)
{
    char endpoint[HTTP_ENDPOINT_MAX_BYTES];
    bool ignored;
    return is_printable(value) && !strchr(value, ' ') &&
           http_url_read("a URL", value, endpoint, &ignored, NULL) == BURSAR_OK &&
           copy_text(value, ret, WEBHOOK_URL_MAX_BYTES);
}

/* URLs come out separated by exactly one space. */
static bool read_urls(const char *value, char *ret)
{
    char urls[CONFIG_RPC_MAX_BYTES];
    size_t used = 0, count = 0;
    while (*(value += strspn(value, " \t"))) {
        size_t length = strcspn(value, " \t");
        bool is_http = strncmp(value, "http://", 7) == 0 && length > 7;
        bool is_https = strncmp(value, "https://", 8) == 0 && length > 8;
        if ((!is_http && !is_https) || ++count > CONFIG_RPC_URLS_MAX_COUNT || used + length + 2 > sizeof urls)
            return false;
        if (used > 0)
            urls[used++] = ' ';
        memcpy(urls + used, value, length);
        used += length;
        value += length;
    }
    urls[used] = 0;
    return count > 0 && is_printable(urls) && copy_text(urls, ret, CONFIG_RPC_MAX_BYTES);
}

static bool read_listen(const char *value, const struct config_option *option, char *ret)
{
    if (strcmp(value, "off") == 0) {
        *ret = 0;
        return true;
    }
    const char *colon = strrchr(value, ':');
    uint64_t port;
    return colon && colon > value && is_printable(value) && !strchr(value, ' ') &&
           u64_from_text(colon + 1, strlen(colon + 1), option->minimum, option->maximum, &port) &&
           copy_text(value, ret, CONFIG_TEXT_MAX_BYTES);
}

static bool read_level(const char *value, enum note_level *ret)
{
    static const struct {
        const char *name;
        enum note_level level;
    } levels[] = { { "error", NOTE_ERROR }, { "warn", NOTE_WARN }, { "info", NOTE_INFO }, { "debug", NOTE_DEBUG } };
    for (size_t i = 0; i < COUNT_OF(levels); i++) {
        if (strcmp(value, levels[i].name) == 0) {
            *ret = levels[i].level;
            return true;
        }
    }
    return false;
}

static bool read_format(const char *value, enum log_format *ret)
{
    bool is_json = strcmp(value, "json") == 0;
    if (!is_json && strcmp(value, "text") != 0)
        return false;
    *ret = is_json ? LOG_FORMAT_JSON : LOG_FORMAT_TEXT;
    return true;
}

static bool read_metrics(const char *value, enum http_metrics_access *ret)
{
    static const struct {
        const char *name;
        enum http_metrics_access access;
    } all[] = { { "loopback", HTTP_METRICS_LOOPBACK }, { "token", HTTP_METRICS_TOKEN }, { "open", HTTP_METRICS_OPEN } };
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        if (strcmp(value, all[i].name) == 0) {
            *ret = all[i].access;
            return true;
        }
    }
    return false;
}

/* Relative paths start at the folder of the configuration file. */
static bool read_path(const struct config *config, const char *value, char *ret)
{
    if (!*value)
        return false;
    const char *slash = strrchr(config->path, '/');
    size_t folder = *value == '/' || !slash ? 0 : (size_t)(slash - config->path) + 1;
    size_t length = strlen(value);
    if (folder + length >= CONFIG_PATH_MAX_BYTES)
        return false;
    char path[CONFIG_PATH_MAX_BYTES];
    memcpy(path, config->path, folder);
    memcpy(path + folder, value, length + 1);
    memcpy(ret, path, folder + length + 1);
    return true;
}

enum bursar_status config_sqlite_path(const char *url, const char **ret_path, struct bursar_error *err)
{
    if (strncmp(url, "postgresql:", 11) == 0 || strncmp(url, "postgres:", 9) == 0)
        return bursar_fail(err, BURSAR_EINVAL, "PostgreSQL stores come with a later version: use sqlite:PATH for now");
    if (strncmp(url, "sqlite:", 7) != 0 || !url[7])
        return bursar_fail(err, BURSAR_EINVAL, "a store is given as sqlite:PATH");
    *ret_path = url + 7;
    return BURSAR_OK;
}

/* A URL may hold a secret, so the values of `rpc` never get into a message. */
static bool is_secret(const struct config_option *option)
{
    return option->kind == OPTION_URLS || option->kind == OPTION_URL;
}

static char *row_of(struct config *config, const struct config_option *option, size_t index)
{
    switch (config_rows_of(option->section)) {
    case ROWS_NONE:
        break;
    case ROWS_TREASURY:
        return (char *)&config->treasuries[index];
    case ROWS_ASSET:
        return (char *)&config->assets[index];
    case ROWS_WEBHOOK:
        return (char *)&config->webhooks[index];
    }
    return (char *)config;
}

static bool read_decimals(const char *value, const struct config_option *option, struct asset_config *ret)
{
    uint64_t decimals = 0;
    if (*value && !read_number(value, option, &decimals))
        return false;
    ret->has_decimals = *value != '\0';
    ret->decimals = (unsigned)decimals;
    return true;
}

enum bursar_status config_option_set(struct config *config, size_t index, const struct config_option *option,
                                     const char *value, struct bursar_error *err)
{
    void *target = row_of(config, option, index) + option->offset;
    bool good = false;
    switch (option->kind) {
    case OPTION_NUMBER:
        good = read_number(value, option, target);
        break;
    case OPTION_WEI:
        good = read_wei(value, option, target);
        break;
    case OPTION_FINALITY:
        good = strcmp(value, "finalized") == 0;
        if (good)
            *(uint64_t *)target = 0;
        else
            good = read_number(value, option, target);
        break;
    case OPTION_EPOCH:
        good = read_epoch(value, option, target);
        break;
    case OPTION_LEVEL:
        good = read_level(value, target);
        break;
    case OPTION_FORMAT:
        good = read_format(value, target);
        break;
    case OPTION_PATH:
        good = read_path(config, value, target);
        break;
    case OPTION_STORE: {
        const char *path;
        enum bursar_status status = config_sqlite_path(value, &path, err);
        if (status != BURSAR_OK)
            return status;
        good = read_path(config, path, target);
        break;
    }
    case OPTION_URLS:
        good = read_urls(value, target);
        break;
    case OPTION_IDENTITY:
        good = is_printable(value) && copy_text(value, target, LEASE_HOLDER_MAX_BYTES);
        break;
    case OPTION_ADDRESS: {
        enum bursar_status status = address_from_text(value, strlen(value), target, err);
        if (status != BURSAR_OK)
            return status;
        good = true;
        break;
    }
    case OPTION_DECIMALS:
        good = read_decimals(value, option, &config->assets[index]);
        break;
    case OPTION_CHAIN:
    case OPTION_QUORUM: /* empty: 0, decided when all is read */
        good = !*value;
        if (good)
            *(uint64_t *)target = 0;
        else
            good = read_number(value, option, target);
        break;
    case OPTION_LISTEN:
        good = read_listen(value, option, target);
        break;
    case OPTION_WORDS:
        good = is_printable(value) && copy_text(value, target, CONFIG_TEXT_MAX_BYTES);
        break;
    case OPTION_PATH_OR_NONE:
        good = !*value || read_path(config, value, target);
        if (!*value)
            *(char *)target = 0;
        break;
    case OPTION_METRICS:
        good = read_metrics(value, target);
        break;
    case OPTION_SWITCH:
        good = strcmp(value, "on") == 0 || strcmp(value, "off") == 0;
        if (good)
            *(uint64_t *)target = strcmp(value, "on") == 0;
        break;
    case OPTION_URL:
        good = read_url(value, target);
        break;
    case OPTION_COIN:
        good = read_coin(value, target);
        break;
    case OPTION_UNITS:
        good = copy_text(value, target, BURSAR_AMOUNT_UNITS_TEXT_BYTES);
        break;
    case OPTION_EVENTS: {
        uint64_t causes;
        enum bursar_status status = webhook_causes(value, &causes, err);
        if (status != BURSAR_OK)
            return status;
        good = copy_text(value, target, WEBHOOK_WORDS_MAX_BYTES);
        break;
    }
    }
    if (good)
        return BURSAR_OK;
    return is_secret(option)
               ? bursar_fail(err, BURSAR_EINVAL, "must be %s", option->allowed)
               : bursar_fail(err, BURSAR_EINVAL, "'%.100s' is not allowed: must be %s", value, option->allowed);
}

/* The one table of options, and how a value of each kind is read. A value that is refused changes nothing. */
#include "cli/config_options.h"

#include "base/cleanup.h"
#include "eth/address.h"
#include "rpc/http_url.h"

#include <stddef.h>
#include <string.h>

#define ROOT(member) offsetof(struct config, member)
#define TREASURY(member) offsetof(struct treasury_config, member)
#define WEBHOOK(member) offsetof(struct webhook_settings, member)
#define ASSET(member) offsetof(struct asset_config, member)
#define GWEI UINT64_C(1000000000)
#define NUMBER_MAX ((uint64_t)INT64_MAX) /* what is stored stays below 2^63 */

const struct config_option CONFIG_OPTIONS[] = {
    { "store", "url", OPTION_STORE, ROOT(store_path), "sqlite:bursar.db", 0, 0, "sqlite:PATH",
      "where disbursements are kept" },

    { "treasury", "chain_id", OPTION_NUMBER, TREASURY(chain_id), NULL, 1, NUMBER_MAX, "a number from 1",
      "the chain this account pays on; checked against the node" },
    { "treasury", "rpc", OPTION_URLS, TREASURY(rpc), NULL, 0, 0, "http:// or https:// URLs separated by spaces",
      "Ethereum nodes, in order of preference" },
    { "treasury", "quorum", OPTION_QUORUM, TREASURY(quorum), "", 1, CONFIG_RPC_URLS_MAX_COUNT,
      "a number from 1 to the number of rpc URLs",
      "nodes that must agree on what decides a payment (default: 1 of up to 2, more than half of 3 or more)" },
    { "treasury", "keystore", OPTION_PATH, TREASURY(keystore), NULL, 0, 0, "a path",
      "the key (Web3 Secret Storage V3); its signing log lies beside it" },
    { "treasury", "password_file", OPTION_PATH, TREASURY(password_file), NULL, 0, 0, "a path",
      "holds the keystore's password; one trailing newline is not part of it" },
    { "treasury", "finality", OPTION_FINALITY, TREASURY(finality_blocks), "finalized", 1, 1000000,
      "finalized, or a number of confirmations 1-1000000", "when a payment counts as final" },
    { "treasury", "epoch", OPTION_EPOCH, TREASURY(epoch), "block/120", 1, 1000000000,
      "block/N or time/N with N 1-1000000000 (blocks or seconds)",
      "the clock of epoch:N schedules; can't change while rows wait on an epoch" },
    { "treasury", "max_in_flight", OPTION_NUMBER, TREASURY(max_in_flight), "64", 1, 100000, "1-100000",
      "payments bound and not yet seen included" },
    { "treasury", "tag", OPTION_SWITCH, TREASURY(tags), "off", 0, 0, "on or off",
      "each payment ends with the hash of what it pays, so that a lost store is rebuilt without doubt; costs 1,280 gas "
      "a "
      "payment (512 before Ethereum's Pectra); contracts that take no data refuse it" },

    { "asset", "token", OPTION_ADDRESS, ASSET(token), NULL, 0, 0, "an address (0x and 40 digits)",
      "an ERC-20 token: its contract. Payment files and lists call it NAME" },
    { "asset", "chain_id", OPTION_CHAIN, ASSET(chain_id), "", 1, NUMBER_MAX, "a number from 1",
      "the chain it is on (default: the treasuries' chain, where they are on one)" },
    { "asset", "decimals", OPTION_DECIMALS, ASSET(decimals), "", 0, TOKEN_DECIMALS_MAX, "0-77",
      "how many it has; they are read from the token in any case, and must be these" },

    { "executor", "identity", OPTION_IDENTITY, ROOT(identity), "", 0, 0, "up to 255 printable bytes",
      "the name this executor holds a lease under (default: host name and process id)" },
    { "executor", "poll_interval_ms", OPTION_NUMBER, ROOT(poll_interval_ms), "1000", 10, 60000, "10-60000",
      "how often the chain is looked at" },
    { "executor", "lease_ttl_ms", OPTION_NUMBER, ROOT(lease_ttl_ms), "15000", 500, 600000, "500-600000",
      "a lease not renewed for so long can be taken over" },
    { "executor", "batch_size", OPTION_NUMBER, ROOT(batch_size), "100", 1, 1000, "1-1000",
      "payments bound, signed and sent together" },
    { "executor", "rpc_timeout_ms", OPTION_NUMBER, ROOT(rpc_timeout_ms), "10000", 100, 120000, "100-120000",
      "how long a node may take to answer" },

    { "breaker", "failure_threshold", OPTION_NUMBER, ROOT(breaker_failure_threshold), "5", 1, 1000, "1-1000",
      "failures within window_s that open the circuit breaker" },
    { "breaker", "success_threshold", OPTION_NUMBER, ROOT(breaker_success_threshold), "2", 1, 1000, "1-1000",
      "successes that close it again" },
    { "breaker", "timeout_s", OPTION_NUMBER, ROOT(breaker_timeout_s), "60", 1, 86400, "1-86400",
      "seconds from open to half-open, the first time" },
    { "breaker", "timeout_max_s", OPTION_NUMBER, ROOT(breaker_timeout_max_s), "900", 1, 86400, "1-86400",
      "each time it opens again without having closed, twice as long, up to this" },
    { "breaker", "jitter_percent", OPTION_NUMBER, ROOT(breaker_jitter_percent), "10", 0, 100, "0-100",
      "open for up to this much longer, at random: executors come back one by one" },
    { "breaker", "window_s", OPTION_NUMBER, ROOT(breaker_window_s), "300", 1, 86400, "1-86400",
      "seconds for which a failure counts" },
    { "breaker", "failure_rate_percent", OPTION_NUMBER, ROOT(breaker_failure_rate_percent), "0", 0, 100, "0-100",
      "for much traffic: opens by this share of failures within window_s, in place of failure_threshold; 0: not" },
    { "breaker", "rate_min_calls", OPTION_NUMBER, ROOT(breaker_rate_min_calls), "20", 1, 1000000, "1-1000000",
      "requests within window_s before a share of them counts" },
    { "breaker", "slow_call_ms", OPTION_NUMBER, ROOT(breaker_slow_call_ms), "0", 0, 120000, "0-120000",
      "an answer that took so long counts as a failure; 0: not" },

    { "fees", "max_fee_per_gas", OPTION_WEI, ROOT(max_fee_per_gas_wei), "200gwei", 1, 1000000 * GWEI,
      "1wei-1000000gwei, with its unit: wei, gwei or ether", "hold above this, never exceed it" },
    { "fees", "max_priority_fee_per_gas", OPTION_WEI, ROOT(max_priority_fee_per_gas_wei), "2gwei", 0, 1000000 * GWEI,
      "0wei-1000000gwei, with its unit: wei, gwei or ether",
      "the most to give a block's builder; at most max_fee_per_gas" },
    { "fees", "replace_after_blocks", OPTION_NUMBER, ROOT(replace_after_blocks), "10", 1, 100000, "1-100000",
      "blocks without inclusion before the fee is raised" },

    { "http", "listen", OPTION_LISTEN, ROOT(http_listen), "127.0.0.1:9478", 1, 65535,
      "ADDRESS:PORT with port 1-65535, or off", "metrics, health and API; only this machine unless told otherwise" },
    { "http", "tls_certificate", OPTION_PATH_OR_NONE, ROOT(http_tls_certificate), "", 0, 0, "a path, or nothing",
      "PEM file with the certificate and those it is signed with: HTTPS instead of HTTP" },
    { "http", "tls_key", OPTION_PATH_OR_NONE, ROOT(http_tls_key), "", 0, 0, "a path, or nothing",
      "PEM file with the certificate's key" },
    { "http", "allowed_hosts", OPTION_WORDS, ROOT(http_allowed_hosts), "", 0, 0, "names separated by spaces",
      "names this server is reached by, beside localhost and the address it listens on" },
    { "http", "allowed_origins", OPTION_WORDS, ROOT(http_allowed_origins), "", 0, 0,
      "origins such as https://ops.example separated by spaces", "whose web pages may use the API (CORS)" },
    { "http", "metrics", OPTION_METRICS, ROOT(http_metrics), "loopback", 0, 0, "loopback, token or open",
      "who may read /metrics: whoever is on this machine, whoever has a token, everybody" },
    { "http", "max_connections", OPTION_NUMBER, ROOT(http_max_connections), "64", 1, 1000, "1-1000",
      "connections at once; more wait or are turned away" },
    { "http", "max_body_bytes", OPTION_NUMBER, ROOT(http_max_body_bytes), "1048576", 1024, 16777216, "1024-16777216",
      "the most that one request may bring" },
    { "http", "request_timeout_ms", OPTION_NUMBER, ROOT(http_request_timeout_ms), "10000", 100, 120000, "100-120000",
      "how long a client may take to send its request, and to take an answer" },
    { "http", "requests_per_s", OPTION_NUMBER, ROOT(http_requests_per_s), "500", 1, 100000, "1-100000",
      "requests a second from one address, and as many at once" },

    { "webhook", "url", OPTION_URL, WEBHOOK(url), NULL, 0, 0, "an http:// or https:// URL",
      "where events are POSTed to, signed and in order" },
    { "webhook", "secret_file", OPTION_PATH, WEBHOOK(secret_file), NULL, 0, 0, "a path",
      "16-1024 bytes that the receiver knows too: events are signed with it; one trailing newline is not part of it" },
    { "webhook", "ca_file", OPTION_PATH_OR_NONE, WEBHOOK(ca_file), "", 0, 0, "a path, or nothing",
      "PEM file of the authorities that may vouch for the receiver (default: the system's)" },
    { "webhook", "treasuries", OPTION_WORDS, WEBHOOK(treasuries), "", 0, 0, "names separated by spaces",
      "whose events (default: all)" },
    { "webhook", "events", OPTION_EVENTS, WEBHOOK(events), "", 0, 0,
      "causes as `bursar show` has them, such as included, separated by spaces", "which events (default: all)" },
    { "webhook", "timeout_ms", OPTION_NUMBER, WEBHOOK(timeout_ms), "10000", 100, 60000, "100-60000",
      "how long the receiver may take to answer" },
    { "webhook", "retry_ms", OPTION_NUMBER, WEBHOOK(retry_ms), "1000", 10, 60000, "10-60000",
      "wait before an event that was not taken is sent again; doubled each time" },
    { "webhook", "retry_max_ms", OPTION_NUMBER, WEBHOOK(retry_max_ms), "60000", 10, 3600000, "10-3600000",
      "the longest such wait" },

    { "log", "level", OPTION_LEVEL, ROOT(log_level), "info", 0, 0, "error, warn, info or debug", "the least to tell" },
    { "log", "format", OPTION_FORMAT, ROOT(log_format), "text", 0, 0, "text or json", "how it is told" },
};
const size_t CONFIG_OPTION_COUNT = COUNT_OF(CONFIG_OPTIONS);
_Static_assert(COUNT_OF(CONFIG_OPTIONS) <= CONFIG_OPTIONS_MAX_COUNT, "the marks hold every option");

const struct config_option *config_option_find(const char *section, const char *key)
{
    for (size_t i = 0; i < CONFIG_OPTION_COUNT; i++) {
        if (strcmp(CONFIG_OPTIONS[i].section, section) == 0 && strcmp(CONFIG_OPTIONS[i].key, key) == 0)
            return &CONFIG_OPTIONS[i];
    }
    return NULL;
}

bool config_option_reloads(const struct config_option *option)
{
    static const struct {
        const char *section, *key;
    } reloading[] = {
        { "treasury", "max_in_flight" },
        { "executor", "poll_interval_ms" },
        { "executor", "batch_size" },
        { "fees", "max_fee_per_gas" },
        { "fees", "max_priority_fee_per_gas" },
        { "fees", "replace_after_blocks" },
        { "log", "level" },
        { "log", "format" },
    };
    for (size_t i = 0; i < COUNT_OF(reloading); i++) {
        if (strcmp(reloading[i].section, option->section) == 0 && strcmp(reloading[i].key, option->key) == 0)
            return true;
    }
    return false;
}

bool config_section_is_known(const char *section)
{
    for (size_t i = 0; i < CONFIG_OPTION_COUNT; i++) {
        if (strcmp(CONFIG_OPTIONS[i].section, section) == 0)
            return true;
    }
    return false;
}

enum config_rows config_rows_of(const char *section)
{
    if (strcmp(section, "treasury") == 0)
        return ROWS_TREASURY;
    if (strcmp(section, "webhook") == 0)
        return ROWS_WEBHOOK;
    return strcmp(section, "asset") == 0 ? ROWS_ASSET : ROWS_NONE;
}

size_t config_row_count(const struct config *config, enum config_rows rows)
{
    switch (rows) {
    case ROWS_NONE:
        return 1;
    case ROWS_TREASURY:
        return config->treasury_count;
    case ROWS_ASSET:
        return config->asset_count;
    case ROWS_WEBHOOK:
        return config->webhook_count;
    }
    return 0;
}

const char *config_row_name(const struct config *config, enum config_rows rows, size_t row)
{
    switch (rows) {
    case ROWS_NONE:
        return "";
    case ROWS_TREASURY:
        return config->treasuries[row].name;
    case ROWS_ASSET:
        return config->assets[row].name;
    case ROWS_WEBHOOK:
        return config->webhooks[row].name;
    }
    return "";
}

static bool is_row_name(const char *name)
{
    size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");
    return length > 0 && length <= CONFIG_NAME_MAX_LENGTH && !name[length];
}

static enum bursar_status add_treasury(struct config *config, const char *name, struct bursar_error *err)
{
    if (config->treasury_count == CONFIG_TREASURIES_MAX_COUNT)
        return bursar_fail(err, BURSAR_EINVAL, "more than %d treasuries", CONFIG_TREASURIES_MAX_COUNT);
    (void)snprintf(config->treasuries[config->treasury_count++].name, TREASURY_NAME_MAX_BYTES, "%s", name);
    return BURSAR_OK;
}

static enum bursar_status add_asset(struct config *config, const char *name, struct bursar_error *err)
{
    if (strcmp(name, "native") == 0 || strncmp(name, "0x", 2) == 0)
        return bursar_fail(err, BURSAR_EINVAL, "[asset %s]: native is the coin, and 0x begins an address", name);
    if (config->asset_count == CONFIG_ASSETS_MAX_COUNT)
        return bursar_fail(err, BURSAR_EINVAL, "more than %d assets", CONFIG_ASSETS_MAX_COUNT);
    (void)snprintf(config->assets[config->asset_count++].name, CONFIG_NAME_MAX_LENGTH + 1, "%s", name);
    return BURSAR_OK;
}

static enum bursar_status add_webhook(struct config *config, const char *name, struct bursar_error *err)
{
    if (config->webhook_count == WEBHOOKS_MAX_COUNT)
        return bursar_fail(err, BURSAR_EINVAL, "more than %d webhooks", WEBHOOKS_MAX_COUNT);
    (void)snprintf(config->webhooks[config->webhook_count++].name, WEBHOOK_NAME_MAX_BYTES + 1, "%s", name);
    return BURSAR_OK;
}

enum bursar_status config_row_enter(struct config *config, enum config_rows rows, const char *name, size_t *ret_row,
                                    bool *ret_is_new, struct bursar_error *err)
{
    size_t count = config_row_count(config, rows), row = 0;
    if (!is_row_name(name))
        return bursar_fail(err, BURSAR_EINVAL, "[%s NAME]: a name is 1-%d of the characters a-z, 0-9 and _",
                           rows == ROWS_ASSET     ? "asset"
                           : rows == ROWS_WEBHOOK ? "webhook"
                                                  : "treasury",
                           CONFIG_NAME_MAX_LENGTH);
    while (row < count && strcmp(config_row_name(config, rows, row), name) != 0)
        row++;
    *ret_row = row;
    *ret_is_new = row == count;
    if (row < count)
        return BURSAR_OK;
    if (rows == ROWS_WEBHOOK)
        return add_webhook(config, name, err);
    return rows == ROWS_ASSET ? add_asset(config, name, err) : add_treasury(config, name, err);
}

static bool read_number(const char *value, const struct config_option *option, uint64_t *ret)
{
    return u64_from_text(value, strlen(value), option->minimum, option->maximum, ret);
}

/* The unit is required: a bare 200 could mean wei as well as gwei. */
static bool read_wei(const char *value, const struct config_option *option, uint64_t *ret)
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
        struct bursar_amount amount;
        uint64_t wei;
        if (bursar_amount_from_units(value, digits, units[i].decimals, &amount, NULL) != BURSAR_OK ||
            !bursar_amount_to_u64(amount, &wei) || wei < option->minimum || wei > option->maximum)
            return false;
        *ret = wei;
        return true;
    }
    return false;
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

void config_epoch_text(const struct epoch_source *epoch, char ret[EPOCH_SOURCE_MAX_BYTES])
{
    (void)snprintf(ret, EPOCH_SOURCE_MAX_BYTES, "%s/%llu", epoch->kind == EPOCH_BLOCK ? "block" : "time",
                   (unsigned long long)epoch->length);
}

void config_breaker(const struct config *config, struct bursar_breaker_config *ret)
{
    *ret = (struct bursar_breaker_config){ .failure_threshold = (uint32_t)config->breaker_failure_threshold,
                                           .success_threshold = (uint32_t)config->breaker_success_threshold,
                                           .timeout_ms = config->breaker_timeout_s * 1000,
                                           .window_ms = config->breaker_window_s * 1000,
                                           .timeout_max_ms = config->breaker_timeout_max_s * 1000,
                                           .jitter_percent = (uint32_t)config->breaker_jitter_percent,
                                           .failure_rate_percent = (uint32_t)config->breaker_failure_rate_percent,
                                           .rate_min_calls = (uint32_t)config->breaker_rate_min_calls,
                                           .slow_call_ms = config->breaker_slow_call_ms };
}

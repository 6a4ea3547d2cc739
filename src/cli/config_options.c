/* The one table of options, and the sections that come more than once. */
#include "cli/config_options.h"

#include "base/cleanup.h"

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
    { "treasury", "max_spend_per_hour", OPTION_COIN, TREASURY(max_spend_per_hour), "0", 0, 0,
      "an amount with its unit: wei, gwei or ether; or 0",
      "more of the coin is not to be paid within an hour: opens the money breaker; 0: any" },
    { "treasury", "max_payments_per_hour", OPTION_NUMBER, TREASURY(max_payments_per_hour), "0", 0, 1000000000,
      "0-1000000000", "more payments are not to be made within an hour: opens the money breaker; 0: any" },

    { "asset", "token", OPTION_ADDRESS, ASSET(token), NULL, 0, 0, "an address (0x and 40 digits)",
      "an ERC-20 token: its contract. Payment files and lists call it NAME" },
    { "asset", "chain_id", OPTION_CHAIN, ASSET(chain_id), "", 1, NUMBER_MAX, "a number from 1",
      "the chain it is on (default: the treasuries' chain, where they are on one)" },
    { "asset", "decimals", OPTION_DECIMALS, ASSET(decimals), "", 0, TOKEN_DECIMALS_MAX, "0-77",
      "how many it has; they are read from the token in any case, and must be these" },
    { "asset", "max_spend_per_hour", OPTION_UNITS, ASSET(max_spend_per_hour_text), "", 0, 0,
      "whole tokens such as 2500.50, or nothing; with decimals",
      "more of it is not to be paid by one treasury within an hour: opens the money breaker (default: any)" },

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

    { "money_breaker", "reverts", OPTION_NUMBER, ROOT(money_reverts), "3", 0, 1000, "0-1000",
      "so many payments that fail on chain within window_s open the money breaker, until a person closes it; 0: not" },
    { "money_breaker", "window_s", OPTION_NUMBER, ROOT(money_window_s), "3600", 1, 86400, "1-86400",
      "seconds for which such a failure counts" },
    { "money_breaker", "foreign_nonce", OPTION_SWITCH, ROOT(money_foreign_nonce), "on", 0, 0, "on or off",
      "a nonce that somebody else has used opens it: the key is in other hands too" },
    { "money_breaker", "balance", OPTION_SWITCH, ROOT(money_balance), "on", 0, 0, "on or off",
      "coin that is missing, with no transaction of the account that explains it, opens it" },
    { "money_breaker", "balance_tolerance", OPTION_COIN, ROOT(money_balance_tolerance), "0", 0, 0,
      "an amount with its unit: wei, gwei or ether; or 0",
      "so much may be missing at each look, on chains that take more than gas for a transaction" },

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
        const char *section, *key; /* NULL: all of them */
    } reloading[] = {
        { "breaker", NULL },
        { "webhook", NULL },
        { "treasury", "max_in_flight" },
        { "treasury", "max_spend_per_hour" },
        { "treasury", "max_payments_per_hour" },
        { "money_breaker", "reverts" },
        { "money_breaker", "window_s" },
        { "money_breaker", "foreign_nonce" },
        { "money_breaker", "balance" },
        { "money_breaker", "balance_tolerance" },
        { "executor", "poll_interval_ms" },
        { "executor", "batch_size" },
        { "fees", "max_fee_per_gas" },
        { "fees", "max_priority_fee_per_gas" },
        { "fees", "replace_after_blocks" },
        { "log", "level" },
        { "log", "format" },
    };
    for (size_t i = 0; i < COUNT_OF(reloading); i++) {
        if (strcmp(reloading[i].section, option->section) == 0 &&
            (!reloading[i].key || strcmp(reloading[i].key, option->key) == 0))
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

void config_money(const struct config *config, const struct treasury_config *treasury, struct money_limits *ret)
{
    *ret = (struct money_limits){ .reverts = config->money_reverts,
                                  .window_ms = config->money_window_s * 1000,
                                  .watches_foreign_nonce = config->money_foreign_nonce == 1,
                                  .watches_balance = config->money_balance == 1,
                                  .balance_tolerance = config->money_balance_tolerance,
                                  .payments_per_hour = treasury->max_payments_per_hour };
    if (!bursar_amount_is_zero(treasury->max_spend_per_hour))
        ret->rates[ret->rate_count++] = (struct money_rate){ .per_hour = treasury->max_spend_per_hour };
    for (size_t i = 0; i < config->asset_count && ret->rate_count < MONEY_RATES_MAX_COUNT; i++) {
        const struct asset_config *asset = &config->assets[i];
        if (asset->chain_id == treasury->chain_id && !bursar_amount_is_zero(asset->max_spend_per_hour))
            ret->rates[ret->rate_count++] =
                (struct money_rate){ .asset = { true, asset->token }, .per_hour = asset->max_spend_per_hour };
    }
}

/* The configuration: bursar.conf and BURSAR_* variables, checked by one table of options.
 *
 * The table is the only place that knows a key: it makes the parser, the bounds and their errors, the commented
 * defaults that `init` writes, and the text of `bursar help config`. Nothing here opens what the values name. */
#ifndef CLI_CONFIG_H
#define CLI_CONFIG_H

#include "base/bytes.h"
#include "base/note.h"
#include "executor/executor.h"
#include "http/server.h"
#include "service/treasury_config.h"
#include "webhook/settings.h"

#include <bursar/status.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define CONFIG_TEXT_MAX_BYTES 256
#define CONFIG_TREASURIES_MAX_COUNT 64
#define CONFIG_ASSETS_MAX_COUNT 256

enum log_format {
    LOG_FORMAT_TEXT = 0,
    LOG_FORMAT_JSON = 1,
};

struct config {
    char path[CONFIG_PATH_MAX_BYTES]; /* of the file itself */
    char store_path[CONFIG_PATH_MAX_BYTES];
    char identity[LEASE_HOLDER_MAX_BYTES];
    uint64_t poll_interval_ms;
    uint64_t lease_ttl_ms;
    uint64_t batch_size;
    uint64_t rpc_timeout_ms;
    uint64_t breaker_failure_threshold;
    uint64_t breaker_success_threshold;
    uint64_t breaker_timeout_s;
    uint64_t breaker_window_s;
    uint64_t breaker_timeout_max_s;
    uint64_t breaker_jitter_percent;
    uint64_t breaker_failure_rate_percent; /* 0: none */
    uint64_t breaker_rate_min_calls;
    uint64_t breaker_slow_call_ms; /* 0: none */
    uint64_t money_reverts;        /* 0: not watched */
    uint64_t money_window_s;
    uint64_t money_foreign_nonce; /* 1: watched */
    uint64_t money_balance;       /* 1: watched */
    struct bursar_amount money_balance_tolerance;
    uint64_t max_fee_per_gas_wei;
    uint64_t max_priority_fee_per_gas_wei;
    uint64_t replace_after_blocks;
    char http_listen[CONFIG_TEXT_MAX_BYTES];          /* "": off */
    char http_tls_certificate[CONFIG_PATH_MAX_BYTES]; /* "": none */
    char http_tls_key[CONFIG_PATH_MAX_BYTES];
    char http_allowed_hosts[CONFIG_TEXT_MAX_BYTES];
    char http_allowed_origins[CONFIG_TEXT_MAX_BYTES];
    enum http_metrics_access http_metrics;
    uint64_t http_max_connections;
    uint64_t http_max_body_bytes;
    uint64_t http_request_timeout_ms;
    uint64_t http_requests_per_s;
    enum note_level log_level;
    enum log_format log_format;
    size_t treasury_count;
    struct treasury_config *treasuries;
    size_t asset_count;
    struct asset_config *assets;
    size_t webhook_count;
    struct webhook_settings *webhooks;
};

/* Reads `path`, or where it is NULL ./bursar.conf, else /etc/bursar/bursar.conf; then applies `environment` (like
 * environ). EINVAL names file, line, key and what is allowed; ENOTFOUND: there is no such file. */
BURSAR_MUST_CHECK enum bursar_status config_load(const char *path, char *const *environment, struct config **ret,
                                                 struct bursar_error *err);
/* As config_load, from an open stream that is said to be the file `path`. */
BURSAR_MUST_CHECK enum bursar_status config_read(FILE *file, const char *path, char *const *environment,
                                                 struct config **ret, struct bursar_error *err);
void config_free(struct config *config); /* NULL is fine */

/* The token of this name, or this token on this chain; NULL when there is none. */
const struct asset_config *config_asset_named(const struct config *config, const char *name, size_t length);
const struct asset_config *config_asset_of(const struct config *config, uint64_t chain_id,
                                           const struct bursar_address *token);

/* "block/120" of an epoch source: what the store keeps. */
void config_epoch_text(const struct epoch_source *epoch, char ret[EPOCH_SOURCE_MAX_BYTES]);
void config_breaker(const struct config *config, struct bursar_breaker_config *ret);
/* Of this treasury's money breaker. */
void config_money(const struct config *config, const struct treasury_config *treasury, struct money_limits *ret);
/* Path of a "sqlite:PATH" URL (points into it). EINVAL for any other URL. */
BURSAR_MUST_CHECK enum bursar_status config_sqlite_path(const char *url, const char **ret_path,
                                                        struct bursar_error *err);

/* What `init` was told: written as text, everything else as commented defaults. */
struct config_start {
    const char *store_url;
    uint64_t chain_id;
    const char *rpc;
    const char *keystore;
    const char *password_file;
};
BURSAR_MUST_CHECK bool config_write_start(struct buf *out, const struct config_start *start);
/* The text of `bursar help config`. */
BURSAR_MUST_CHECK bool config_write_help(struct buf *out);

#endif

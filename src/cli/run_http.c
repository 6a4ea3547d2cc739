/* See run_http.h. */
#include "cli/run_http.h"

#include "cli/shown.h"
#include "store/sqlite_store.h"

#include <stdlib.h>

#define REQUESTS_A_TICK_COUNT 4 /* of a slow node, one after the other, without the loop coming round */

/* Longer than any tick takes that goes on at all. */
static uint64_t stall_ms(const struct config *config, size_t treasury_count)
{
    return config->poll_interval_ms + STORE_BUSY_MAX_MS +
           config->rpc_timeout_ms * REQUESTS_A_TICK_COUNT * (treasury_count > 0 ? treasury_count : 1);
}

void run_http_start(struct run_http *http, const struct config *config, struct http_treasury *treasuries,
                    size_t treasury_count, struct http_metrics metrics)
{
    http->treasuries = treasuries;
    http->treasury_count = treasury_count;
    http->printer = (struct note_printer){ .treasury = "", .level = config->log_level, .format = config->log_format };
    if (!config->http_listen[0])
        return;
    struct note_sink notes = note_printer_sink(&http->printer);
    struct bursar_error err = { 0 };
    struct http_settings settings = { .listen = config->http_listen,
                                      .allowed_hosts = config->http_allowed_hosts,
                                      .allowed_origins = config->http_allowed_origins,
                                      .certificate_path = config->http_tls_certificate,
                                      .key_path = config->http_tls_key,
                                      .connections_max_count = (uint32_t)config->http_max_connections,
                                      .body_max_bytes = (size_t)config->http_max_body_bytes,
                                      .request_timeout_ms = (uint32_t)config->http_request_timeout_ms,
                                      .requests_per_s = (uint32_t)config->http_requests_per_s,
                                      .stall_ms = stall_ms(config, treasury_count),
                                      .metrics_access = config->http_metrics,
                                      .store_path = config->store_path,
                                      .treasuries = treasuries,
                                      .treasury_count = treasury_count,
                                      .metrics = metrics,
                                      .clock = system_clock() };
    shown_webhooks(config, &settings.webhooks);
    if (http_server_start(&settings, &http->server, &err) != BURSAR_OK)
        note(&notes, NOTE_WARN, "no HTTP server, paying goes on without it: %s", err.message);
    else
        note(&notes, NOTE_INFO, "listening on %s://%s", config->http_tls_certificate[0] ? "https" : "http",
             config->http_listen);
}

void run_http_stop(struct run_http *http)
{
    http_server_stop(http->server);
    free(http->treasuries);
    *http = (struct run_http){ 0 };
}

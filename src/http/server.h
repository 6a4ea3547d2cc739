/* The HTTP server beside an executor: its own threads (libmicrohttpd), its own store handles.
 *
 * Nothing here is waited for by the executor's thread, but for starting and ending it. */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include "base/bytes.h"
#include "base/note.h"
#include "base/time.h"
#include "service/treasury_settings.h"
#include "service/webhook_view.h"

#include <bursar/status.h>

#include <stdbool.h>
#include <stdint.h>

struct store;

/* Where the text of /metrics comes from. `write` is called on the server's threads, several at once, with a store
 * handle that is its own meanwhile, or NULL where none can be had. */
struct http_metrics {
    void *ctx;
    /* False: out of memory, or over the limit. NULL: there is no /metrics. */
    bool (*write)(void *ctx, const struct store *store, struct buf *out);
};

/* Who may read /metrics. */
enum http_metrics_access {
    HTTP_METRICS_LOOPBACK = 0, /* whoever is on this machine, and every token */
    HTTP_METRICS_TOKEN = 1,
    HTTP_METRICS_OPEN = 2,
};

/* A treasury of the configuration. */
struct http_treasury {
    const char *name;
    int64_t id; /* in the store */
    struct treasury_settings settings;
};

/* Borrowed for as long as the server lives, which alone changes the treasuries' limits (http_server_set_limits). The
 * webhooks are copied. */
struct http_settings {
    const char *listen;                      /* ADDRESS:PORT */
    const char *allowed_hosts;               /* beside its own names, separated by spaces */
    const char *allowed_origins;             /* of pages that may read answers (CORS), separated by spaces */
    const char *certificate_path, *key_path; /* PEM; "": plain HTTP */
    uint32_t connections_max_count;
    size_t body_max_bytes;
    uint32_t request_timeout_ms; /* for headers, for the body, and for taking the answer: each */
    uint32_t requests_per_s;     /* a client address */
    uint64_t stall_ms;           /* an executor's loop that stands still for longer is not well */
    enum http_metrics_access metrics_access;
    const char *store_path;
    struct http_treasury *treasuries;
    size_t treasury_count;
    struct webhook_list webhooks;
    struct http_metrics metrics;
    struct clock clock;
};

struct http_server;

/* EUNREACHABLE: the address can't be had; EINVAL: not an address of this machine, no usable certificate or key. */
BURSAR_MUST_CHECK enum bursar_status http_server_start(const struct http_settings *settings, struct http_server **ret,
                                                       struct bursar_error *err);
/* The executor's loop goes on: for /healthz. Never waits. NULL is fine. */
void http_server_beat(struct http_server *server);
/* The limits of a treasury are others from now on. */
void http_server_set_limits(struct http_server *server, size_t treasury, const struct situation_limits *limits);
/* The webhooks are others from now on. */
void http_server_set_webhooks(struct http_server *server, const struct webhook_list *webhooks);
/* Takes no more requests and gives up those under way. Never waits. NULL is fine. */
void http_server_stop_begin(struct http_server *server);
/* As above, and ends its threads. NULL is fine. */
void http_server_stop(struct http_server *server);

#endif

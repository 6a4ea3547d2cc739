/* What the server's own files share. Handlers see call.h. */
#ifndef HTTP_PARTS_H
#define HTTP_PARTS_H

#include "http/call.h"
#include "http/clients.h"
#include "http/rate.h"
#include "http/stores.h"

#include <microhttpd.h>
#include <stdatomic.h>

#define HTTP_HEAD_MAX_BYTES ((size_t)16 * 1024) /* request line and headers */
#define HTTP_KEEP_ALIVE_MS 30000
#define HTTP_DRAINED_MAX_BYTES ((size_t)8 * 1024 * 1024) /* read and dropped of a body that is refused anyway */
#define HTTP_SLOWEST_BYTES_A_MS 64                       /* an answer is taken at least as fast */
#define HTTP_STREAM_BLOCK_BYTES ((size_t)32 * 1024)
#define HTTP_THREAD_STACK_BYTES ((size_t)1024 * 1024)

#define HTTP_STREAMS_MAX_COUNT 16

enum reconcile_state {
    RECONCILE_NONE = 0,
    RECONCILE_RUNNING = 1,
    RECONCILE_DONE = 2,
    RECONCILE_FAILED = 3,
};

/* The last comparison that was asked for. */
struct reconcile_job {
    pthread_mutex_t lock;
    enum reconcile_state state;
    const struct http_treasury *treasury;
    uint64_t started_ms, ended_ms; /* wall clock */
    json_t *result;
    struct bursar_error error;
    bool has_thread; /* to be joined */
    pthread_t thread;
};
/* Waits for its thread, which gives up when the server is stopping. */
void reconcile_job_end(struct reconcile_job *job);

struct http_server {
    struct http_settings settings;
    struct MHD_Daemon *daemon;
    struct stores stores;
    struct clients clients;
    pthread_mutex_t limits_lock; /* of the treasuries' settings and the webhooks; held for a copy only */
    pthread_mutex_t rate_lock;
    struct rate rate;
    atomic_bool is_stopping;
    atomic_uint stream_count;
    struct reconcile_job reconcile;
    atomic_uint_fast64_t beat_ms; /* monotonic */
    char *certificate, *key;      /* PEM */
    char *start_error;            /* where the library's words go while it starts */
};

/* A request and its answer, from its first line until it is sent. */
struct exchange {
    struct http_call call;
    struct client *client;
    char *target; /* as it came */
    bool has_begun;
    bool is_refused; /* the answer is there already; what still comes of the body is dropped */
    size_t dropped_bytes;
    struct buf body;
};

/* Looks at the request's head: sets the route, or the answer that refuses it. */
void exchange_admit(struct exchange *exchange, const char *method);
/* Sends what was answered. */
enum MHD_Result exchange_send(struct exchange *exchange);
void answer_clear(struct http_answer *answer);

/* The address at the other end, as IPv6; false: not known. */
bool peer_address(struct MHD_Connection *connection, uint8_t ret[RATE_CLIENT_BYTES]);
bool peer_is_loopback(const uint8_t address[RATE_CLIENT_BYTES]);

/* Whose request is it, and may they? Sets actor and scopes, or answers 401 or 403 and returns false. */
bool access_allows(struct http_call *call, const uint8_t peer[RATE_CLIENT_BYTES]);
/* May they still? EREFUSED: the token was revoked or has expired meanwhile; others: can't be told now. */
BURSAR_MUST_CHECK enum bursar_status access_still_allows(struct http_call *call, struct bursar_error *err);
/* Answers a preflight (true), or adds what a page of an allowed origin needs to read the answer. */
bool cors_answer(struct http_call *call, const char *method);
void cors_add(const struct http_call *call, struct MHD_Response *response);

#endif

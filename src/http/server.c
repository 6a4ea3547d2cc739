/* libmicrohttpd at work: a thread for each connection, a bounded number of them. What belongs to one request lives in
 * its exchange. */
#include "http/host.h"
#include "http/parts.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <netdb.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LISTEN_BACKLOG_COUNT 64
#define PEM_MAX_BYTES ((size_t)256 * 1024)

/* -- what call.h promises -- */

const struct http_settings *http_settings_of(const struct http_call *call)
{
    return &call->server->settings;
}

void http_treasury_settings(const struct http_call *call, const struct http_treasury *treasury,
                            struct treasury_settings *ret)
{
    struct http_server *server = call->server;
    (void)pthread_mutex_lock(&server->limits_lock);
    *ret = treasury->settings;
    (void)pthread_mutex_unlock(&server->limits_lock);
    ret->is_cancelled = http_is_stopping;
    ret->cancel_ctx = server;
}

void http_webhooks(const struct http_call *call, struct webhook_list *ret)
{
    struct http_server *server = call->server;
    (void)pthread_mutex_lock(&server->limits_lock);
    *ret = server->settings.webhooks;
    (void)pthread_mutex_unlock(&server->limits_lock);
}

const char *http_query(const struct http_call *call, const char *name)
{
    return MHD_lookup_connection_value(call->connection, MHD_GET_ARGUMENT_KIND, name);
}

const char *http_header(const struct http_call *call, const char *name)
{
    return MHD_lookup_connection_value(call->connection, MHD_HEADER_KIND, name);
}

bool http_is_stopping(void *server)
{
    return atomic_load(&((struct http_server *)server)->is_stopping);
}

enum bursar_status http_store_take(struct http_call *call, enum http_store_mode mode, struct http_store **ret,
                                   const struct store **ret_store, struct bursar_error *err)
{
    struct http_server *server = call->server;
    enum bursar_status status = stores_take(&server->stores, mode, server->settings.request_timeout_ms, ret, err);
    if (status == BURSAR_OK)
        *ret_store = &(*ret)->store;
    return status;
}

void http_store_give(struct http_call *call, struct http_store *taken)
{
    if (taken)
        stores_give(&call->server->stores, taken);
}

bool http_stream_slot_take(struct http_call *call)
{
    if (atomic_fetch_add(&call->server->stream_count, 1) < HTTP_STREAMS_MAX_COUNT)
        return true;
    http_stream_slot_give(call->server);
    http_problem(call, 503, "too_many_streams", "%d streams are open, which is the most there may be",
                 HTTP_STREAMS_MAX_COUNT);
    http_add_header(call, "Retry-After", "5");
    return false;
}

void http_stream_slot_give(struct http_server *server)
{
    (void)atomic_fetch_sub(&server->stream_count, 1);
}

/* -- a request's way -- */

static struct client *client_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

static void on_connection(void *ctx, struct MHD_Connection *connection, void **socket_context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct http_server *server = ctx;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        clients_remove(&server->clients, *socket_context);
        return;
    }
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    *socket_context =
        info ? clients_add(&server->clients, info->connect_fd, server->settings.request_timeout_ms) : NULL;
}

/* The first that is known of a request is its line. NULL: out of memory, or a connection that is watched by nobody. */
static void *on_request_line(void *ctx, const char *target, struct MHD_Connection *connection)
{
    struct client *client = client_of(connection);
    struct exchange *exchange = client ? calloc(1, sizeof *exchange) : NULL;
    if (!exchange)
        return NULL;
    exchange->call.server = ctx;
    exchange->call.connection = connection;
    exchange->client = client;
    exchange->target = strdup(target);
    exchange->body.limit_bytes = exchange->call.server->settings.body_max_bytes + 1; /* and its NUL */
    if (!exchange->target) {
        free(exchange);
        return NULL;
    }
    return exchange;
}

static void on_completed(void *ctx, struct MHD_Connection *connection, void **request_context,
                         enum MHD_RequestTerminationCode code)
{
    struct http_server *server = ctx;
    struct exchange *exchange = *request_context;
    (void)connection;
    (void)code;
    if (!exchange)
        return;
    clients_expect(&server->clients, exchange->client, HTTP_KEEP_ALIVE_MS);
    answer_clear(&exchange->call.answer);
    buf_free(&exchange->body);
    free(exchange->target);
    free(exchange);
    *request_context = NULL;
}

static enum MHD_Result take_body(struct exchange *exchange, const char *bytes, size_t *length)
{
    struct http_call *call = &exchange->call;
    if (!exchange->is_refused && (!call->route->body_types || !buf_append(&exchange->body, bytes, *length))) {
        http_problem(call, 413, "too_large", "the body must have at most %zu bytes",
                     call->route->body_types ? call->server->settings.body_max_bytes : 0);
        exchange->is_refused = true;
    }
    exchange->dropped_bytes += exchange->is_refused ? *length : 0;
    *length = 0;
    return exchange->dropped_bytes > HTTP_DRAINED_MAX_BYTES ? MHD_NO : MHD_YES;
}

static bool body_is_endless(const struct exchange *exchange)
{
    const char *text = http_header(&exchange->call, "Content-Length");
    uint64_t length;
    return text && !u64_from_text(text, strlen(text), 0, HTTP_DRAINED_MAX_BYTES, &length);
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *connection, const char *url, const char *method,
                                  const char *version, const char *upload, size_t *upload_bytes, void **request_context)
{
    struct http_server *server = ctx;
    struct exchange *exchange = *request_context;
    (void)connection;
    (void)url;
    (void)version;
    if (!exchange || http_is_stopping(server))
        return MHD_NO;
    if (!exchange->has_begun) {
        exchange->has_begun = true;
        clients_expect(&server->clients, exchange->client, server->settings.request_timeout_ms);
        exchange_admit(exchange, method);
        return exchange->is_refused && body_is_endless(exchange) ? exchange_send(exchange) : MHD_YES;
    }
    if (*upload_bytes > 0)
        return take_body(exchange, upload, upload_bytes);
    clients_expect(&server->clients, exchange->client, 0);
    if (!exchange->is_refused) {
        exchange->call.body = exchange->body.data ? exchange->body.data : "";
        exchange->call.body_bytes = exchange->body.length_bytes;
        exchange->call.route->handle(&exchange->call);
    }
    return exchange_send(exchange);
}

/* -- start and end -- */

static enum bursar_status open_socket(const char *listen_on, int *ret, struct bursar_error *err)
{
    char host[HTTP_HOST_MAX_BYTES], service[8];
    unsigned port;
    if (!http_listen_split(listen_on, host, &port))
        return bursar_fail(err, BURSAR_EINVAL, "'%.100s' is not ADDRESS:PORT", listen_on);
    (void)snprintf(service, sizeof service, "%u", port);
    struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE, .ai_socktype = SOCK_STREAM };
    struct addrinfo *found = NULL;
    const char *name = strcmp(host, "localhost") == 0 ? "127.0.0.1" : host;
    if (getaddrinfo(name, service, &hints, &found) != 0 || !found)
        return bursar_fail(err, BURSAR_EINVAL, "'%.100s' is no IP address", host);
    int one = 1, reason = 0;
    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0 ||
        bind(fd, found->ai_addr, found->ai_addrlen) != 0 || listen(fd, LISTEN_BACKLOG_COUNT) != 0)
        reason = errno;
    freeaddrinfo(found);
    if (reason == 0) {
        *ret = fd;
        return BURSAR_OK;
    }
    if (fd >= 0)
        (void)close(fd);
    return bursar_fail(err, BURSAR_EUNREACHABLE, "can't listen on %.100s: %s", listen_on, strerror(reason));
}

/* malloc'd text of a PEM file; *ret stays as it is when no path is given. */
static enum bursar_status read_pem(const char *path, char **ret, struct bursar_error *err)
{
    cleanup(buf_free) struct buf text = { .limit_bytes = PEM_MAX_BYTES };
    char block[4096];
    size_t got;
    bool good = true;
    if (!path[0])
        return BURSAR_OK;
    FILE *file = fopen(path, "re");
    if (!file)
        return bursar_fail(err, BURSAR_EINVAL, "%.300s: %s", path, strerror(errno));
    while (good && (got = fread(block, 1, sizeof block, file)) > 0)
        good = buf_append(&text, block, got);
    good = good && !ferror(file) && text.length_bytes > 0;
    explicit_bzero(block, sizeof block);
    (void)fclose(file);
    if (!good)
        return bursar_fail(err, BURSAR_EINVAL, "%.300s: can't be read as a PEM file", path);
    *ret = text.data;
    text = (struct buf){ 0 };
    return BURSAR_OK;
}

/* What libmicrohttpd says is kept while it starts: it gives no other reason. */
static void on_library_log(void *ctx, const char *format, va_list args)
{
    struct http_server *server = ctx;
    if (server->start_error)
        (void)vsnprintf(server->start_error, BURSAR_ERROR_MESSAGE_MAX_BYTES / 2, format, args);
}

static enum bursar_status start_daemon(struct http_server *server, int fd, struct bursar_error *err)
{
    const struct http_settings *settings = &server->settings;
    bool is_tls = server->certificate != NULL;
    char said[BURSAR_ERROR_MESSAGE_MAX_BYTES / 2] = "";
    struct MHD_OptionItem options[] = {
        { MHD_OPTION_EXTERNAL_LOGGER, (intptr_t)on_library_log, server }, /* the first: it hears of the others */
        { MHD_OPTION_LISTEN_SOCKET, fd, NULL },
        { MHD_OPTION_CONNECTION_LIMIT, settings->connections_max_count, NULL },
        { MHD_OPTION_CONNECTION_MEMORY_LIMIT, HTTP_HEAD_MAX_BYTES, NULL },
        { MHD_OPTION_CONNECTION_TIMEOUT, HTTP_KEEP_ALIVE_MS / 1000, NULL },
        { MHD_OPTION_THREAD_STACK_SIZE, HTTP_THREAD_STACK_BYTES, NULL },
        { MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL },
        { MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, NULL },
        { MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)on_connection, server },
        { MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)on_request_line, server },
        { MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)on_completed, server },
        { is_tls ? MHD_OPTION_HTTPS_MEM_CERT : MHD_OPTION_END, 0, server->certificate },
        { MHD_OPTION_HTTPS_MEM_KEY, 0, server->key },
        { MHD_OPTION_END, 0, NULL },
    };
    unsigned flags = MHD_USE_POLL_INTERNAL_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_ITC | MHD_USE_ERROR_LOG |
                     (is_tls ? MHD_USE_TLS : 0U);
    server->start_error = said;
    server->daemon =
        MHD_start_daemon(flags, 0, NULL, NULL, on_request, server, MHD_OPTION_ARRAY, options, MHD_OPTION_END);
    server->start_error = NULL;
    if (server->daemon)
        return BURSAR_OK;
    said[strcspn(said, "\n")] = 0;
    return bursar_fail(err, BURSAR_EINVAL, "HTTP can't be served%s%s%s", is_tls ? " with this certificate and key" : "",
                       said[0] ? ": " : "", said);
}

/* Signals are the executor's: threads started meanwhile, and those that they start, get none. */
static enum bursar_status start_threads(struct http_server *server, int fd, struct bursar_error *err)
{
    sigset_t all, before;
    (void)sigfillset(&all);
    if (pthread_sigmask(SIG_SETMASK, &all, &before) != 0)
        return bursar_fail(err, BURSAR_EINTERNAL, "can't block signals");
    /* twice as many: a closed connection stays a little while */
    enum bursar_status status = clients_start(&server->clients, (size_t)server->settings.connections_max_count * 2,
                                              server->settings.clock, err);
    if (status == BURSAR_OK)
        status = start_daemon(server, fd, err);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return status;
}

static void server_free(struct http_server *server)
{
    if (server->daemon)
        MHD_stop_daemon(server->daemon);
    clients_stop(&server->clients);
    reconcile_job_end(&server->reconcile);
    stores_destroy(&server->stores);
    (void)pthread_mutex_destroy(&server->rate_lock);
    (void)pthread_mutex_destroy(&server->limits_lock);
    if (server->key)
        explicit_bzero(server->key, strlen(server->key));
    free(server->certificate);
    free(server->key);
    free(server);
}

enum bursar_status http_server_start(const struct http_settings *settings, struct http_server **ret,
                                     struct bursar_error *err)
{
    int fd = -1;
    struct http_server *server = calloc(1, sizeof *server);
    if (!server)
        return bursar_fail(err, BURSAR_ENOMEM, "out of memory");
    server->settings = *settings;
    server->rate.requests_per_s = settings->requests_per_s;
    if (pthread_mutex_init(&server->limits_lock, NULL) != 0 || pthread_mutex_init(&server->rate_lock, NULL) != 0 ||
        pthread_mutex_init(&server->reconcile.lock, NULL) != 0 ||
        stores_init(&server->stores, settings->store_path, http_is_stopping, server, err) != BURSAR_OK) {
        free(server);
        return bursar_fail(err, BURSAR_ENOMEM, "out of memory");
    }
    http_server_beat(server);
    (void)mallopt(M_ARENA_MAX, 2); /* many threads, each for a moment: not an arena for each */
    enum bursar_status status = read_pem(settings->certificate_path, &server->certificate, err);
    if (status == BURSAR_OK)
        status = read_pem(settings->key_path, &server->key, err);
    if (status == BURSAR_OK && !server->certificate != !server->key)
        status = bursar_fail(err, BURSAR_EINVAL, "[http] tls_certificate and tls_key belong together: one is missing");
    if (status == BURSAR_OK)
        status = open_socket(settings->listen, &fd, err);
    if (status == BURSAR_OK)
        status = start_threads(server, fd, err);
    if (status != BURSAR_OK) {
        if (fd >= 0 && fcntl(fd, F_GETFD) >= 0) /* the library may have closed it, or not */
            (void)close(fd);
        server_free(server);
        return status;
    }
    *ret = server;
    return BURSAR_OK;
}

void http_server_beat(struct http_server *server)
{
    if (server)
        atomic_store(&server->beat_ms, server->settings.clock.monotonic_ms(server->settings.clock.ctx));
}

void http_server_set_limits(struct http_server *server, size_t treasury, const struct situation_limits *limits)
{
    if (!server)
        return;
    (void)pthread_mutex_lock(&server->limits_lock);
    server->settings.treasuries[treasury].settings.limits = *limits;
    (void)pthread_mutex_unlock(&server->limits_lock);
}

void http_server_set_webhooks(struct http_server *server, const struct webhook_list *webhooks)
{
    if (!server)
        return;
    (void)pthread_mutex_lock(&server->limits_lock);
    server->settings.webhooks = *webhooks;
    (void)pthread_mutex_unlock(&server->limits_lock);
}

void http_server_stop_begin(struct http_server *server)
{
    if (!server)
        return;
    atomic_store(&server->is_stopping, true);
    stores_wake(&server->stores);
}

void http_server_stop(struct http_server *server)
{
    if (!server)
        return;
    http_server_stop_begin(server);
    server_free(server);
}

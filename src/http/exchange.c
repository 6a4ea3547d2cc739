/* A request is looked at as soon as its head is there: what is refused then has its body read and dropped, so that the
 * answer arrives. The answer gets the headers that a browser needs to be careful with it. */
#include "http/host.h"
#include "http/parts.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

bool peer_address(struct MHD_Connection *connection, uint8_t ret[RATE_CLIENT_BYTES])
{
    static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    if (!info || !info->client_addr)
        return false;
    if (info->client_addr->sa_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, info->client_addr, sizeof v4);
        memcpy(ret, mapped, sizeof mapped);
        memcpy(ret + sizeof mapped, &v4.sin_addr, 4);
        return true;
    }
    if (info->client_addr->sa_family != AF_INET6)
        return false;
    struct sockaddr_in6 v6;
    memcpy(&v6, info->client_addr, sizeof v6);
    memcpy(ret, &v6.sin6_addr, RATE_CLIENT_BYTES);
    return true;
}

bool peer_is_loopback(const uint8_t address[RATE_CLIENT_BYTES])
{
    struct in6_addr v6;
    memcpy(&v6, address, sizeof v6);
    return IN6_IS_ADDR_LOOPBACK(&v6) || (IN6_IS_ADDR_V4MAPPED(&v6) && address[12] == 127);
}

static bool is_within_rate(struct http_call *call, const uint8_t peer[RATE_CLIENT_BYTES])
{
    struct http_server *server = call->server;
    const struct clock *clock = &server->settings.clock;
    uint64_t wait_ms = 0;
    (void)pthread_mutex_lock(&server->rate_lock);
    bool allowed = rate_allow(&server->rate, peer, clock->monotonic_ms(clock->ctx), &wait_ms);
    (void)pthread_mutex_unlock(&server->rate_lock);
    if (allowed)
        return true;
    http_problem(call, 429, "too_many_requests", "more than %u requests a second from one address",
                 (unsigned)server->settings.requests_per_s);
    http_add_header(call, "Retry-After", "%llu", (unsigned long long)(wait_ms + 999) / 1000);
    return false;
}

static bool is_for_us(struct http_call *call)
{
    const struct http_settings *settings = &call->server->settings;
    const char *host = http_header(call, "Host");
    if (http_host_is_ours(host, settings->listen, settings->allowed_hosts))
        return true;
    http_problem(call, 421, "wrong_host",
                 "the Host header names none of this server's names; [http] allowed_hosts adds names to them");
    return false;
}

static bool find_route(struct http_call *call, const char *method, const char *target)
{
    char allow[HTTP_ALLOW_TEXT_BYTES];
    switch (http_route_match(HTTP_ROUTES, HTTP_ROUTE_COUNT, method, target, &call->route, &call->parameters, allow)) {
    case HTTP_MATCH_FOUND:
        return true;
    case HTTP_MATCH_NO_PATH:
        http_problem(call, 404, "no_such_path", "there is nothing under this path: see /openapi.json");
        return false;
    case HTTP_MATCH_NO_METHOD:
        http_problem(call, 405, "no_such_method", "this path takes %s", allow);
        http_add_header(call, "Allow", "%s", allow);
        return false;
    }
    return false;
}

static bool has_good_type(struct http_call *call)
{
    char type[64] = "";
    const char *header = http_header(call, "Content-Type");
    size_t length = header ? strcspn(header, "; ") : 0;
    if (length < sizeof type)
        (void)snprintf(type, sizeof type, "%.*s", (int)length, header ? header : "");
    if (!call->route->body_types || http_word_is_listed(type, call->route->body_types))
        return true;
    http_problem(call, 415, "wrong_content_type", "the body's type must be one of: %s", call->route->body_types);
    return false;
}

static bool has_good_length(struct http_call *call)
{
    const char *text = http_header(call, "Content-Length");
    uint64_t length = 0, maximum = call->route->body_types ? call->server->settings.body_max_bytes : 0;
    if (!text || (u64_from_text(text, strlen(text), 0, INT64_MAX, &length) && length <= maximum))
        return true;
    http_problem(call, 413, "too_large", "the body must have at most %llu bytes", (unsigned long long)maximum);
    return false;
}

void exchange_admit(struct exchange *exchange, const char *method)
{
    struct http_call *call = &exchange->call;
    uint8_t peer[RATE_CLIENT_BYTES] = { 0 };
    (void)peer_address(call->connection, peer);
    exchange->is_refused = !is_within_rate(call, peer) || !is_for_us(call) || cors_answer(call, method) ||
                           !find_route(call, method, exchange->target) || !access_allows(call, peer) ||
                           !has_good_length(call) || !has_good_type(call);
}

static ssize_t read_stream(void *ctx, uint64_t position, char *ret, size_t capacity)
{
    struct exchange *exchange = ctx;
    struct http_server *server = exchange->call.server;
    const struct http_stream *stream = &exchange->call.answer.stream;
    (void)position;
    clients_expect(&server->clients, exchange->client, 0);
    ssize_t got = http_is_stopping(server) ? -1 : stream->read(stream->ctx, ret, capacity);
    clients_expect(&server->clients, exchange->client, server->settings.request_timeout_ms);
    if (got > 0)
        return got;
    return got == 0 ? MHD_CONTENT_READER_END_OF_STREAM : MHD_CONTENT_READER_END_WITH_ERROR;
}

static struct MHD_Response *make_response(struct exchange *exchange)
{
    struct http_answer *answer = &exchange->call.answer;
    if (answer->stream.read) /* lives as long as the exchange, which outlives the sending */
        return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, HTTP_STREAM_BLOCK_BYTES, read_stream, exchange,
                                                 NULL);
    if (!answer->body.data)
        return MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    struct MHD_Response *response =
        MHD_create_response_from_buffer(answer->body.length_bytes, answer->body.data, MHD_RESPMEM_MUST_FREE);
    if (response)
        answer->body = (struct buf){ 0 };
    return response;
}

static bool add(struct MHD_Response *response, const char *name, const char *value)
{
    return MHD_add_response_header(response, name, value) == MHD_YES;
}

static bool add_headers(const struct http_call *call, struct MHD_Response *response)
{
    const struct http_answer *answer = &call->answer;
    bool good = add(response, "X-Content-Type-Options", "nosniff") &&
                add(response, "Cache-Control", answer->cache_control ? answer->cache_control : "no-store") &&
                add(response, "Referrer-Policy", "no-referrer") &&
                add(response, "Cross-Origin-Resource-Policy", "same-origin") &&
                add(response, "Content-Security-Policy",
                    answer->content_security_policy ? answer->content_security_policy
                                                    : "default-src 'none'; frame-ancestors 'none'");
    if (answer->content_type)
        good = good && add(response, "Content-Type", answer->content_type);
    for (size_t i = 0; i < answer->header_count; i++)
        good = good && add(response, answer->headers[i].name, answer->headers[i].value);
    cors_add(call, response);
    return good;
}

enum MHD_Result exchange_send(struct exchange *exchange)
{
    struct http_call *call = &exchange->call;
    struct http_server *server = call->server;
    uint64_t limit_ms = server->settings.request_timeout_ms + call->answer.body.length_bytes / HTTP_SLOWEST_BYTES_A_MS;
    struct MHD_Response *response = make_response(exchange);
    if (!response)
        return MHD_NO;
    enum MHD_Result result =
        add_headers(call, response) ? MHD_queue_response(call->connection, call->answer.status, response) : MHD_NO;
    MHD_destroy_response(response);
    clients_expect(&server->clients, exchange->client, limit_ms);
    return result;
}

/* The loopback server. A self-pipe ends every wait at once, so that stopping needs no time limit. */
#include "loopback_server.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

struct loopback_server {
    loopback_handler handler;
    void *ctx;
    int listener;
    int stop_pipe[2];
    unsigned requests;
    unsigned connections;
    char url[64];
    pthread_t thread;
};

static void require(bool ok, const char *what)
{
    if (ok)
        return;
    perror(what);
    abort();
}

/* False when the test is over. */
static bool wait_for(const struct loopback_server *server, int fd)
{
    struct pollfd fds[2] = { { .fd = server->stop_pipe[0], .events = POLLIN }, { .fd = fd, .events = POLLIN } };
    require(poll(fds, 2, -1) > 0, "poll");
    return fds[0].revents == 0;
}

/* Reads on until the buffer holds a whole request; false at the connection's or the test's end. */
static bool read_request(const struct loopback_server *server, int fd, struct buf *in, size_t *ret_body_at)
{
    char bytes[65536];
    buf_clear(in);
    for (;;) {
        const char *head_end = in->data ? strstr(in->data, "\r\n\r\n") : NULL;
        const char *length = in->data ? strcasestr(in->data, "content-length:") : NULL;
        if (head_end && length) {
            size_t body_at = (size_t)(head_end + 4 - in->data);
            if (in->length_bytes >= body_at + (size_t)strtoul(length + 15, NULL, 10)) {
                *ret_body_at = body_at;
                return true;
            }
        }
        if (!wait_for(server, fd))
            return false;
        ssize_t got = recv(fd, bytes, sizeof bytes, 0);
        if (got <= 0)
            return false;
        require(buf_append(in, bytes, (size_t)got), "buf_append");
    }
}

/* False: no further connections. */
static bool serve_connection(struct loopback_server *server, int fd)
{
    struct buf in = { 0 }, out = { .limit_bytes = (size_t)64 * 1024 * 1024 };
    enum loopback_next next = LOOPBACK_KEEP;
    size_t body_at = 0;
    while (next == LOOPBACK_KEEP && read_request(server, fd, &in, &body_at)) {
        buf_clear(&out);
        next = server->handler(server->ctx, server->requests++, in.data + body_at, &out);
        for (size_t sent = 0; sent < out.length_bytes;) {
            ssize_t n = send(fd, out.data + sent, out.length_bytes - sent, MSG_NOSIGNAL);
            if (n <= 0)
                break; /* the client has had enough */
            sent += (size_t)n;
        }
    }
    if (next == LOOPBACK_HANG) {
        struct pollfd stop = { .fd = server->stop_pipe[0], .events = POLLIN };
        require(poll(&stop, 1, -1) > 0, "poll");
    }
    if (next == LOOPBACK_DIE)
        close(server->listener);
    close(fd);
    buf_free(&in);
    buf_free(&out);
    return next != LOOPBACK_DIE;
}

static void *serve(void *arg)
{
    struct loopback_server *server = arg;
    while (wait_for(server, server->listener)) {
        int fd = accept(server->listener, NULL, NULL);
        require(fd >= 0, "accept");
        server->connections++;
        if (!serve_connection(server, fd))
            return NULL;
    }
    close(server->listener);
    return NULL;
}

struct loopback_server *loopback_server_start(loopback_handler handler, void *ctx)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof address;
    struct loopback_server *server = calloc(1, sizeof *server);
    require(server != NULL, "calloc");
    server->handler = handler;
    server->ctx = ctx;
    require(pipe(server->stop_pipe) == 0, "pipe");
    server->listener = socket(AF_INET, SOCK_STREAM, 0);
    require(server->listener >= 0, "socket");
    require(bind(server->listener, (struct sockaddr *)&address, size) == 0, "bind");
    require(listen(server->listener, 8) == 0, "listen");
    require(getsockname(server->listener, (struct sockaddr *)&address, &size) == 0, "getsockname");
    (void)snprintf(server->url, sizeof server->url, "http://127.0.0.1:%u", (unsigned)ntohs(address.sin_port));
    require(pthread_create(&server->thread, NULL, serve, server) == 0, "pthread_create");
    return server;
}

const char *loopback_server_url(const struct loopback_server *server)
{
    return server->url;
}

unsigned loopback_server_stop(struct loopback_server *server)
{
    require(write(server->stop_pipe[1], "x", 1) == 1, "write");
    require(pthread_join(server->thread, NULL) == 0, "pthread_join");
    unsigned connections = server->connections;
    close(server->stop_pipe[0]);
    close(server->stop_pipe[1]);
    free(server);
    return connections;
}

void loopback_reply(struct buf *reply, unsigned http_status, const char *body)
{
    require(buf_append_format(reply,
                              "HTTP/1.1 %u Status\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
                              http_status, strlen(body)) &&
                buf_append_text(reply, body),
            "reply");
}

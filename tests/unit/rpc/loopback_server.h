/* A tiny HTTP server on 127.0.0.1 that does to a client whatever a test wants: one thread, one connection at a time. */
#ifndef TESTS_LOOPBACK_SERVER_H
#define TESTS_LOOPBACK_SERVER_H

#include "base/bytes.h"

#include <stdbool.h>
#include <stddef.h>

/* What to do with a request after `reply` (raw bytes, HTTP head included) has been sent. */
enum loopback_next {
    LOOPBACK_KEEP = 1,  /* wait for the next request on this connection */
    LOOPBACK_CLOSE = 2, /* close the connection */
    LOOPBACK_HANG = 3,  /* keep it open and never say another word on it */
    LOOPBACK_DIE = 4,   /* close the connection and the listening socket: later connections are refused */
};

/* Called in the server's thread with a request's body (NUL-terminated); appends raw bytes to `reply`. `number` counts
 * requests from 0. */
typedef enum loopback_next (*loopback_handler)(void *ctx, unsigned number, const char *body, struct buf *reply);

struct loopback_server;

/* Ends the test program on failure: without a server no test can go on. */
struct loopback_server *loopback_server_start(loopback_handler handler, void *ctx);
/* "http://127.0.0.1:PORT" */
const char *loopback_server_url(const struct loopback_server *server);
/* Ends the thread and frees. Returns how many connections there were. */
unsigned loopback_server_stop(struct loopback_server *server);

/* Appends a reply with Content-Length. */
void loopback_reply(struct buf *reply, unsigned http_status, const char *body);

#endif

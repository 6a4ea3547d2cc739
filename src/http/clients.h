/* The connections there are, and a thread that cuts those that take too long: to send a request, or to take its answer.
 * (libmicrohttpd's own timeout starts anew with every byte, which is what a slow client counts on.) */
#ifndef HTTP_CLIENTS_H
#define HTTP_CLIENTS_H

#include "base/time.h"

#include <bursar/status.h>

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct client {
    int fd;               /* -1: not in use */
    uint64_t deadline_ms; /* monotonic; UINT64_MAX: none */
};

struct clients {
    struct clock clock;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t watcher;
    bool is_ending;
    size_t open_count;
    size_t capacity;
    struct client *all;
};

BURSAR_MUST_CHECK enum bursar_status clients_start(struct clients *clients, size_t capacity, struct clock clock,
                                                   struct bursar_error *err);
void clients_stop(struct clients *clients);
/* A connection is there: it must get on within limit_ms. NULL: there are too many. */
struct client *clients_add(struct clients *clients, int fd, uint64_t limit_ms);
/* Must be told before the descriptor is closed. NULL is fine. */
void clients_remove(struct clients *clients, struct client *client);
/* The next thing expected of it must have happened within limit_ms (0: whenever). */
void clients_expect(struct clients *clients, struct client *client, uint64_t limit_ms);

#endif

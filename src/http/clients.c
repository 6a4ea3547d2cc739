/* See clients.h. Looks ten times a second while there are connections, else not at all. */
#include "http/clients.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#define LOOK_NS 100000000L

static void cut_late(struct clients *clients, uint64_t now_ms)
{
    for (size_t i = 0; i < clients->capacity; i++) {
        struct client *client = &clients->all[i];
        if (client->fd < 0 || client->deadline_ms > now_ms)
            continue;
        (void)shutdown(client->fd, SHUT_RDWR); /* its thread finds it closed, and closes it */
        client->deadline_ms = UINT64_MAX;
    }
}

static void *watch(void *ctx)
{
    struct clients *clients = ctx;
    (void)pthread_mutex_lock(&clients->lock);
    while (!clients->is_ending) {
        if (clients->open_count == 0) {
            (void)pthread_cond_wait(&clients->changed, &clients->lock);
            continue;
        }
        (void)pthread_mutex_unlock(&clients->lock);
        struct timespec nap = { .tv_nsec = LOOK_NS };
        (void)nanosleep(&nap, NULL);
        (void)pthread_mutex_lock(&clients->lock);
        cut_late(clients, clients->clock.monotonic_ms(clients->clock.ctx));
    }
    (void)pthread_mutex_unlock(&clients->lock);
    return NULL;
}

enum bursar_status clients_start(struct clients *clients, size_t capacity, struct clock clock, struct bursar_error *err)
{
    *clients = (struct clients){ .clock = clock, .capacity = capacity };
    clients->all = calloc(capacity, sizeof *clients->all);
    if (!clients->all)
        return bursar_fail(err, BURSAR_ENOMEM, "out of memory");
    for (size_t i = 0; i < capacity; i++)
        clients->all[i].fd = -1;
    if (pthread_mutex_init(&clients->lock, NULL) == 0 && pthread_cond_init(&clients->changed, NULL) == 0 &&
        pthread_create(&clients->watcher, NULL, watch, clients) == 0)
        return BURSAR_OK;
    free(clients->all);
    clients->all = NULL;
    return bursar_fail(err, BURSAR_ENOMEM, "no thread to be had");
}

void clients_stop(struct clients *clients)
{
    if (!clients->all)
        return;
    (void)pthread_mutex_lock(&clients->lock);
    clients->is_ending = true;
    (void)pthread_cond_signal(&clients->changed);
    (void)pthread_mutex_unlock(&clients->lock);
    (void)pthread_join(clients->watcher, NULL);
    (void)pthread_cond_destroy(&clients->changed);
    (void)pthread_mutex_destroy(&clients->lock);
    free(clients->all);
    clients->all = NULL;
}

static uint64_t deadline(const struct clients *clients, uint64_t limit_ms)
{
    return limit_ms == 0 ? UINT64_MAX : clients->clock.monotonic_ms(clients->clock.ctx) + limit_ms;
}

struct client *clients_add(struct clients *clients, int fd, uint64_t limit_ms)
{
    struct client *found = NULL;
    (void)pthread_mutex_lock(&clients->lock);
    for (size_t i = 0; i < clients->capacity && !found; i++)
        found = clients->all[i].fd < 0 ? &clients->all[i] : NULL;
    if (found) {
        *found = (struct client){ .fd = fd, .deadline_ms = deadline(clients, limit_ms) };
        clients->open_count++;
        (void)pthread_cond_signal(&clients->changed);
    }
    (void)pthread_mutex_unlock(&clients->lock);
    return found;
}

void clients_remove(struct clients *clients, struct client *client)
{
    if (!client)
        return;
    (void)pthread_mutex_lock(&clients->lock);
    client->fd = -1;
    clients->open_count--;
    (void)pthread_mutex_unlock(&clients->lock);
}

void clients_expect(struct clients *clients, struct client *client, uint64_t limit_ms)
{
    if (!client)
        return;
    (void)pthread_mutex_lock(&clients->lock);
    client->deadline_ms = deadline(clients, limit_ms);
    (void)pthread_mutex_unlock(&clients->lock);
}

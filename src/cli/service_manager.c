/* The protocol is one datagram of text a message (sd_notify(3)), small enough not to be worth libsystemd and the five
 * libraries behind it in a program that holds keys. A message that is lost harms nobody but the watchdog's patience. */
#include "cli/service_manager.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void tell(const char *message)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un to = { .sun_family = AF_UNIX };
    size_t length = path ? strlen(path) : 0;
    if (length < 2 || length >= sizeof to.sun_path || (*path != '/' && *path != '@'))
        return;
    memcpy(to.sun_path, path, length);
    if (*path == '@')
        to.sun_path[0] = 0; /* the abstract namespace */
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return;
    (void)sendto(fd, message, strlen(message), MSG_NOSIGNAL, (struct sockaddr *)&to,
                 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length));
    (void)close(fd);
}

/* As the manager set it for this very process; 0: no watchdog. */
static uint64_t watchdog_ms(void)
{
    const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
    if (!usec || (pid && strtoll(pid, NULL, 10) != (long long)getpid()))
        return 0;
    return strtoull(usec, NULL, 10) / 1000;
}

void service_ready(void)
{
    tell("READY=1");
}

void service_reloading(uint64_t monotonic_ms)
{
    char message[64];
    (void)snprintf(message, sizeof message, "RELOADING=1\nMONOTONIC_USEC=%llu",
                   (unsigned long long)monotonic_ms * 1000);
    tell(message);
}

void service_stopping(void)
{
    tell("STOPPING=1");
}

void service_progress(uint64_t monotonic_ms)
{
    static uint64_t told_ms;
    uint64_t limit_ms = watchdog_ms();
    if (limit_ms == 0 || (told_ms && monotonic_ms - told_ms < limit_ms / 8))
        return;
    told_ms = monotonic_ms;
    tell("WATCHDOG=1");
}

uint64_t service_sleep_max_ms(void)
{
    uint64_t limit_ms = watchdog_ms();
    return limit_ms ? limit_ms / 2 : UINT64_MAX;
}

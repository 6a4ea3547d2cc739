/* The handler only sets a flag. Between looking at the flag and sleeping, signals are blocked, so none is slept
 * through. */
#include "cli/stop_signal.h"

#include "base/time.h"

#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <time.h>

#define GRACE_MS 1000

static volatile sig_atomic_t stop_came;
static volatile sig_atomic_t reload_came;

static void on_stop(int signal_number)
{
    (void)signal_number;
    stop_came = 1;
}

static void on_reload(int signal_number)
{
    (void)signal_number;
    reload_came = 1;
}

bool stop_signal_install(void)
{
    struct sigaction stop = { .sa_handler = on_stop }, reload = { .sa_handler = on_reload, .sa_flags = SA_RESTART };
    struct sigaction ignore = { .sa_handler = SIG_IGN };
    (void)sigemptyset(&stop.sa_mask);
    (void)sigemptyset(&reload.sa_mask);
    (void)sigemptyset(&ignore.sa_mask);
    return sigaction(SIGINT, &stop, NULL) == 0 && sigaction(SIGTERM, &stop, NULL) == 0 &&
           sigaction(SIGHUP, &reload, NULL) == 0 && sigaction(SIGPIPE, &ignore, NULL) == 0;
}

bool stop_signal_came(void)
{
    return stop_came != 0;
}

bool reload_signal_came(void)
{
    bool came = reload_came != 0;
    reload_came = 0; /* before it is acted on: one that comes meanwhile counts again */
    return came;
}

bool stop_signal_cancels(void *ctx)
{
    (void)ctx;
    return stop_signal_came();
}

bool stop_signal_cancels_late(void *ctx)
{
    static uint64_t first_seen_ms;
    (void)ctx;
    if (!stop_signal_came())
        return false;
    struct clock clock = system_clock();
    uint64_t now_ms = clock.monotonic_ms(clock.ctx);
    if (first_seen_ms == 0)
        first_seen_ms = now_ms;
    return now_ms - first_seen_ms >= GRACE_MS;
}

void stop_signal_sleep(uint64_t wait_ms)
{
    sigset_t stops, before;
    (void)sigemptyset(&stops);
    (void)sigaddset(&stops, SIGINT);
    (void)sigaddset(&stops, SIGTERM);
    (void)sigaddset(&stops, SIGHUP);
    if (sigprocmask(SIG_BLOCK, &stops, &before) != 0)
        return;
    struct timespec timeout = { .tv_sec = (time_t)(wait_ms / 1000), .tv_nsec = (long)(wait_ms % 1000) * 1000000 };
    if (!stop_signal_came() && !reload_came)
        (void)ppoll(NULL, 0, &timeout, &before);
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
}

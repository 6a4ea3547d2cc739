/* SIGINT and SIGTERM as a flag, SIGHUP as another, and waits that end at once when one comes. */
#ifndef CLI_STOP_SIGNAL_H
#define CLI_STOP_SIGNAL_H

#include <stdbool.h>
#include <stdint.h>

/* Catches these signals from now on, and ignores SIGPIPE. False when that is not possible. */
bool stop_signal_install(void);
bool stop_signal_came(void);
/* For the ctx of a callback that asks "cancelled?": at once. */
bool stop_signal_cancels(void *ctx);
/* The same, but a second later: leaves time to write down what ends well, such as giving back a lease. */
bool stop_signal_cancels_late(void *ctx);
/* Has SIGHUP come since this was last asked? */
bool reload_signal_came(void);
/* Sleeps up to wait_ms; a signal ends it, also one that came just before. */
void stop_signal_sleep(uint64_t wait_ms);

#endif

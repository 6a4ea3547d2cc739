/* What systemd is told (sd_notify(3)): ready, still making progress, ending. Nothing, where nobody listens. */
#ifndef CLI_SERVICE_MANAGER_H
#define CLI_SERVICE_MANAGER_H

#include <stdint.h>

void service_ready(void);
void service_reloading(uint64_t monotonic_ms); /* until service_ready */
void service_stopping(void);
/* The executor has got on: called by its own loop, so that one that hangs is seen and restarted. */
void service_progress(uint64_t monotonic_ms);
/* How long the loop may sleep, so that the watchdog hears of it: half of what it allows. UINT64_MAX: there is none. */
uint64_t service_sleep_max_ms(void);

#endif

/* The webhooks of `bursar run`: from configuration to a thread that delivers. */
#ifndef CLI_RUN_WEBHOOKS_H
#define CLI_RUN_WEBHOOKS_H

#include "cli/context.h"
#include "cli/note_printer.h"
#include "webhook/webhook.h"

/* What they borrow. Never moved while they run. */
struct run_webhooks {
    struct webhooks *webhooks; /* NULL: none were configured yet, or they could not be started */
    struct webhook_treasury treasuries[CONFIG_TREASURIES_MAX_COUNT];
    size_t treasury_count;
    struct note_printer printer;
};

/* Webhooks that can't be had are told, and are no error: paying goes on without them. Zero-initialise. */
void run_webhooks_start(struct run_webhooks *run, const struct session *session);
/* Those of the configuration as it is now. */
void run_webhooks_reload(struct run_webhooks *run, const struct session *session);
/* `is_urgent`: what is not delivered yet waits for the next start. */
void run_webhooks_stop(struct run_webhooks *run, bool is_urgent);

#endif

/* See run_webhooks.h. */
#include "cli/run_webhooks.h"

#include "base/time.h"

#define DRAIN_MAX_MS 1200

/* Those that are not in the store yet have no events. */
static void name_treasuries(struct run_webhooks *run, const struct session *session)
{
    const struct config *config = session->config;
    for (size_t i = 0; i < config->treasury_count; i++) {
        struct treasury treasury;
        struct bursar_error ignored;
        if (treasury_of_section(session, &config->treasuries[i], &treasury, &ignored) == BURSAR_OK)
            run->treasuries[run->treasury_count++] =
                (struct webhook_treasury){ .id = treasury.id, .name = config->treasuries[i].name };
    }
}

static void tell_trouble(struct run_webhooks *run, const char *what, const struct bursar_error *err)
{
    struct note_sink notes = note_printer_sink(&run->printer);
    note(&notes, NOTE_WARN, "%s: %s", what, err->message);
}

void run_webhooks_start(struct run_webhooks *run, const struct session *session)
{
    const struct config *config = session->config;
    struct bursar_error err = { 0 };
    run->printer = (struct note_printer){ .treasury = "", .level = config->log_level, .format = config->log_format };
    run->treasury_count = 0;
    if (config->webhook_count == 0)
        return;
    name_treasuries(run, session);
    struct webhooks_config settings = { .treasuries = run->treasuries,
                                        .treasury_count = run->treasury_count,
                                        .store_path = config->store_path,
                                        .clock = system_clock(),
                                        .notes = note_printer_sink(&run->printer) };
    if (webhooks_start(&settings, config->webhooks, config->webhook_count, &run->webhooks, &err) != BURSAR_OK)
        tell_trouble(run, "no webhooks, paying goes on without them", &err);
}

void run_webhooks_reload(struct run_webhooks *run, const struct session *session)
{
    const struct config *config = session->config;
    struct bursar_error err = { 0 };
    if (!run->webhooks)
        run_webhooks_start(run, session);
    else if (webhooks_set(run->webhooks, config->webhooks, config->webhook_count, &err) != BURSAR_OK)
        tell_trouble(run, "webhooks go on as they were", &err);
}

void run_webhooks_stop(struct run_webhooks *run, bool is_urgent)
{
    webhooks_stop(run->webhooks, is_urgent ? 0 : DRAIN_MAX_MS);
    run->webhooks = NULL;
}

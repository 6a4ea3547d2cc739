/* Webhooks: every event of the log is POSTed to those who want to know, signed, at least once, and in order for each
 * disbursement. On a thread of its own with a store handle of its own: nothing here holds up an executor.
 *
 * What was delivered is stored up to a few times a second, so after a crash the last ones come again: receivers know
 * them by Bursar-Event-Id. For each webhook one process at a time is at work, the one that holds its lock in the file
 * beside the store; the others wait for it. */
#ifndef WEBHOOK_WEBHOOK_H
#define WEBHOOK_WEBHOOK_H

#include "base/note.h"
#include "base/time.h"
#include "webhook/settings.h"

struct webhooks;

/* All of it is borrowed until they are stopped. */
struct webhooks_config {
    const struct webhook_treasury *treasuries; /* names; others have the one that the store has for them */
    size_t treasury_count;
    const char *store_path;
    struct clock clock;
    struct note_sink notes; /* used by the thread only */
};

/* `hooks` are copied, at most WEBHOOKS_MAX_COUNT of them. */
BURSAR_MUST_CHECK enum bursar_status webhooks_start(const struct webhooks_config *config,
                                                    const struct webhook_settings *hooks, size_t hook_count,
                                                    struct webhooks **ret, struct bursar_error *err);
/* Those that there are from now on, by their names: one that stays keeps its place, whatever else of it is another, and
 * its secret is read anew; one that is gone stops; a new one starts behind what has happened up to now, or where the
 * store has it from earlier. Never waits: the thread takes them over between two deliveries. */
BURSAR_MUST_CHECK enum bursar_status webhooks_set(struct webhooks *webhooks, const struct webhook_settings *hooks,
                                                  size_t hook_count, struct bursar_error *err);
/* Delivers on for up to drain_ms as long as nothing fails, cuts off what is then on its way, and writes down where they
 * stand. NULL is fine. */
void webhooks_stop(struct webhooks *webhooks, uint64_t drain_ms);

#endif

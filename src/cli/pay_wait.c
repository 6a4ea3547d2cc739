/* Polls the store; the executor does the work, here or in another process. */
#include "cli/pay_wait.h"

#include "base/time.h"
#include "cli/stop_signal.h"

#define POLL_MS 500
/* A look at many rows takes longer: no more than a fifth of the time is spent looking. */
#define REST_FACTOR 4

/* Tells once that nobody is paying, and once that somebody is again. */
static void tell_executor(const struct treasury *treasury, uint64_t now_ms, bool *told)
{
    bool is_live = lease_is_live(treasury, now_ms);
    if (!is_live && !*told)
        output_message("no executor is running for treasury %s: start `bursar run`; waiting", treasury->name);
    else if (is_live && *told)
        output_message("%s is paying now", treasury->lease_holder);
    *told = !is_live;
}

enum bursar_status pay_wait(const struct session *session, int64_t treasury_id, const int64_t *ids, size_t count,
                            struct pay_progress *ret, struct bursar_error *err)
{
    const struct store *store = &session->store;
    struct clock clock = system_clock();
    struct pay_progress progress = { 0 };
    struct treasury treasury;
    bool told = false;
    if (!stop_signal_install())
        return bursar_fail(err, BURSAR_EINTERNAL, "can't catch signals");
    for (;;) {
        uint64_t start_ms = clock.monotonic_ms(clock.ctx), now_ms = clock.wall_ms(clock.ctx);
        enum bursar_status status = store->progress(store->ctx, ids, count, &progress.finalized, &progress.stuck, err);
        if (status == BURSAR_OK)
            status = store->treasury_get(store->ctx, treasury_id, &treasury, err);
        if (status != BURSAR_OK && status != BURSAR_EBUSY)
            return status;
        progress.gave_up = stop_signal_came();
        if (status == BURSAR_OK) {
            output_progress("final", progress.finalized, count);
            bool is_done = progress.finalized + progress.stuck >= count;
            /* A halt recorded by an executor that is gone may be over: only a latched one counts then. */
            bool is_halted =
                treasury.halt != HALT_NONE && (halt_latches(treasury.halt) || lease_is_live(&treasury, now_ms));
            progress.halt = is_halted && !is_done ? treasury.halt : HALT_NONE;
            if (is_done || progress.gave_up || is_halted)
                break;
            tell_executor(&treasury, now_ms, &told);
        } else if (progress.gave_up) {
            break;
        }
        uint64_t spent_ms = clock.monotonic_ms(clock.ctx) - start_ms;
        stop_signal_sleep(spent_ms * REST_FACTOR > POLL_MS ? spent_ms * REST_FACTOR : POLL_MS);
    }
    output_progress_end();
    *ret = progress;
    return BURSAR_OK;
}

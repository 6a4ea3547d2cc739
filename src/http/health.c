/* /healthz: does this process get on? If not, restart it. /readyz: will what is due be paid, by this process or by the
 * one it stands by for? If not, a person must look (`bursar status` says at what). And where /metrics plugs in. */
#include "http/openapi.h"
#include "http/parts.h"
#include "service/json_values.h"
#include "service/node.h"

void http_get_healthz(struct http_call *call)
{
    struct http_server *server = call->server;
    const struct clock *clock = &server->settings.clock;
    uint64_t now_ms = clock->monotonic_ms(clock->ctx), beat_ms = atomic_load(&server->beat_ms);
    uint64_t still_ms = now_ms > beat_ms ? now_ms - beat_ms : 0;
    bool is_well = still_ms <= server->settings.stall_ms;
    http_json(
        call, is_well ? 200 : 503,
        json_pack("{s:s,s:I}", "status", is_well ? "ok" : "stalled", "last_progress_ms_ago", (json_int_t)still_ms));
}

/* What keeps a treasury from paying; NULL: nothing. A breaker that is open, funds that are missing or a node that is
 * down do not: they may end by themselves, or by a person in the case of the money breaker, and to restart or replace
 * the process helps none of them. */
static const char *unready_because(const struct treasury *treasury, uint64_t now_ms)
{
    if (treasury->halt != HALT_NONE)
        return "halted";
    return lease_is_live(treasury, now_ms) ? NULL : "nobody holds the lease";
}

static enum bursar_status look(const struct http_settings *settings, const struct store *store, json_t *treasuries,
                               bool *ret_ready, struct bursar_error *err)
{
    const struct clock *clock = &settings->clock;
    for (size_t i = 0; i < settings->treasury_count; i++) {
        struct treasury treasury;
        enum bursar_status status = store->treasury_get(store->ctx, settings->treasuries[i].id, &treasury, err);
        if (status != BURSAR_OK)
            return status;
        const char *because = unready_because(&treasury, clock->wall_ms(clock->ctx));
        *ret_ready = *ret_ready && !because;
        if (json_array_append_new(treasuries,
                                  json_pack("{s:s,s:b,s:o}", "treasury", settings->treasuries[i].name, "ready",
                                            !because, "because", because ? json_string(because) : json_null())) != 0)
            return bursar_fail(err, BURSAR_ENOMEM, "out of memory");
    }
    return BURSAR_OK;
}

void http_get_readyz(struct http_call *call)
{
    struct http_store *taken = NULL;
    const struct store *store;
    struct bursar_error err = { 0 };
    json_t *treasuries = json_array();
    bool is_ready = true;
    enum bursar_status status = http_store_take(call, HTTP_STORE_READ, &taken, &store, &err);
    if (status == BURSAR_OK)
        status = look(http_settings_of(call), store, treasuries, &is_ready, &err);
    http_store_give(call, taken);
    is_ready = is_ready && status == BURSAR_OK;
    http_json(call, is_ready ? 200 : 503,
              json_pack("{s:b,s:o,s:o}", "ready", is_ready, "because",
                        status == BURSAR_OK ? json_null() : output_json_text("the store can't be read"), "treasuries",
                        treasuries));
}

void http_get_metrics(struct http_call *call)
{
    const struct http_metrics *metrics = &http_settings_of(call)->metrics;
    if (!metrics->write) {
        http_problem(call, 404, "no_metrics", "this program was built without telemetry");
        return;
    }
    struct http_store *taken = NULL;
    const struct store *store = NULL;
    struct bursar_error ignored = { 0 }; /* the page says that the store can't be read */
    if (http_store_take(call, HTTP_STORE_READ, &taken, &store, &ignored) != BURSAR_OK)
        store = NULL;
    http_text(call, 200, "text/plain; version=0.0.4; charset=utf-8", "");
    bool is_written = metrics->write(metrics->ctx, store, &call->answer.body);
    http_store_give(call, taken);
    if (!is_written)
        http_problem(call, 500, "internal", "the metrics are too large, or there is no memory for them");
}

void http_get_openapi(struct http_call *call)
{
    http_text(call, 200, "application/json", OPENAPI_TEXT);
}

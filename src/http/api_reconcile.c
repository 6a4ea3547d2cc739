/* /v1/reconcile: one comparison at a time, on a thread of its own, since it reads the whole chain of the treasury's
 * transactions. Changes nothing; adopting is the command line's. */
#include "http/api.h"

#include "reconcile/reconcile.h"
#include "service/comparison.h"
#include "service/node.h"
#include "signer/signing_log.h"

#include <signal.h>
#include <time.h>

#define NAP_MS 50

static void wait_ms(void *ctx, uint64_t duration_ms)
{
    struct timespec nap = { .tv_nsec = NAP_MS * 1000000L };
    for (uint64_t waited_ms = 0; waited_ms < duration_ms && !http_is_stopping(ctx); waited_ms += NAP_MS)
        (void)nanosleep(&nap, NULL);
}

static void take_difference(void *ctx, const struct reconcile_difference *difference)
{
    (void)json_array_append_new(ctx, comparison_difference_json(difference));
}

static enum bursar_status compare(struct http_server *server, const struct http_treasury *treasury,
                                  const struct store *store, json_t **ret, struct bursar_error *err)
{
    const struct treasury_config *section = treasury->settings.section;
    char log_path[SIGNING_LOG_PATH_MAX_BYTES];
    struct node node = { 0 };
    struct reconcile_result result = { 0 };
    json_t *differences = json_array();
    enum bursar_status status = signing_log_path(section->keystore, section->chain_id, log_path, err);
    if (status == BURSAR_OK)
        status = node_open(&node, section, treasury->settings.rpc_timeout_ms, http_is_stopping, server, err);
    struct reconcile_env env = { .store = *store,
                                 .chain = node.chain,
                                 .log_path = log_path,
                                 .treasury = treasury->id,
                                 .finality_blocks = (uint32_t)section->finality_blocks,
                                 .wait_ctx = server,
                                 .wait = wait_ms };
    if (status == BURSAR_OK)
        status = reconcile(&env, take_difference, differences, &result, err);
    node_close(&node);
    if (status == BURSAR_OK)
        *ret = comparison_json(&result, json_incref(differences));
    json_decref(differences);
    return status;
}

static void *run_job(void *ctx)
{
    struct http_server *server = ctx;
    struct reconcile_job *job = &server->reconcile;
    struct sqlite_store *sqlite = NULL;
    struct bursar_error err = { 0 };
    json_t *result = NULL;
    enum bursar_status status =
        sqlite_store_open(server->settings.store_path, SQLITE_MODE_READ, http_is_stopping, server, &sqlite, &err);
    if (status == BURSAR_OK) {
        struct store store = sqlite_store_interface(sqlite);
        status = compare(server, job->treasury, &store, &result, &err);
    }
    sqlite_store_close(sqlite);
    const struct clock *clock = &server->settings.clock;
    (void)pthread_mutex_lock(&job->lock);
    job->result = result;
    job->error = err;
    job->state = status == BURSAR_OK && result ? RECONCILE_DONE : RECONCILE_FAILED;
    job->ended_ms = clock->wall_ms(clock->ctx);
    (void)pthread_mutex_unlock(&job->lock);
    return NULL;
}

static json_t *job_json(const struct reconcile_job *job)
{
    static const char *const names[] = { "none", "running", "done", "failed" };
    return json_pack("{s:s,s:o,s:o,s:o,s:o,s:o}", "state", names[job->state], "treasury",
                     job->treasury ? json_string(job->treasury->name) : json_null(), "started_at",
                     output_json_ms(job->started_ms), "ended_at", output_json_ms(job->ended_ms), "result",
                     job->result ? json_deep_copy(job->result) : json_null(), "error",
                     job->state == RECONCILE_FAILED ? output_json_text(job->error.message) : json_null());
}

/* With the lock held: the last one has ended. */
static bool start(struct http_server *server, const struct http_treasury *treasury)
{
    struct reconcile_job *job = &server->reconcile;
    const struct clock *clock = &server->settings.clock;
    if (job->has_thread)
        (void)pthread_join(job->thread, NULL);
    json_decref(job->result);
    job->result = NULL;
    job->treasury = treasury;
    job->started_ms = clock->wall_ms(clock->ctx);
    job->ended_ms = 0;
    job->state = RECONCILE_RUNNING;
    job->has_thread = pthread_create(&job->thread, NULL, run_job, server) == 0; /* signals are blocked, as here */
    if (!job->has_thread)
        job->state = RECONCILE_NONE;
    return job->has_thread;
}

void http_start_reconcile(struct http_call *call)
{
    struct http_server *server = call->server;
    struct reconcile_job *job = &server->reconcile;
    struct api api;
    json_t *body = api_check_query(call, "") ? api_body(call) : NULL;
    bool has_members = json_object_size(body) > 0;
    json_decref(body);
    if (!body)
        return;
    if (has_members) {
        http_problem(call, 400, "invalid", "the body must be {}");
        return;
    }
    if (!api_begin(&api, call, HTTP_STORE_READ))
        return;
    api_close(&api);
    (void)pthread_mutex_lock(&job->lock);
    if (job->state == RECONCILE_RUNNING)
        http_problem(call, 409, "running", "a reconciliation is running: GET /v1/reconcile tells when it is done");
    else if (!start(server, api.treasury))
        http_problem(call, 503, "busy", "no thread to be had");
    else
        http_json(call, 202, job_json(job));
    (void)pthread_mutex_unlock(&job->lock);
    if (call->answer.status == 202)
        http_add_header(call, "Location", "/v1/reconcile");
}

void http_get_reconcile(struct http_call *call)
{
    struct reconcile_job *job = &call->server->reconcile;
    if (!api_check_query(call, ""))
        return;
    (void)pthread_mutex_lock(&job->lock);
    json_t *document = job_json(job);
    (void)pthread_mutex_unlock(&job->lock);
    http_json(call, 200, document);
}

void reconcile_job_end(struct reconcile_job *job)
{
    if (job->has_thread)
        (void)pthread_join(job->thread, NULL);
    json_decref(job->result);
    (void)pthread_mutex_destroy(&job->lock);
}

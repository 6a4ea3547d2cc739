/* Looking and, when asked to, writing: under the signing log's lock and the lease, in this order (INV-12), so that no
 * executor works meanwhile. A dry run takes neither. */
#include "cli/reconcile_adopt.h"

#include "base/bytes.h"
#include "base/time.h"
#include "cli/adopt_view.h"
#include "cli/exit_code.h"
#include "cli/stop_signal.h"

#include <stdlib.h>
#include <string.h>

static const char DEFAULT_REASON[] = "bursar reconcile --adopt";

struct adopt_run {
    struct cli *cli;
    const struct adopt_wanted *wanted;
    struct session session;
    struct node node;
    const struct treasury_config *section;
    struct treasury treasury;
    char log_path[SIGNING_LOG_PATH_MAX_BYTES];
    char holder[LEASE_HOLDER_MAX_BYTES];
    struct signing_log *log; /* NULL: there is none */
    bool has_lease;
    struct fence fence;
    struct assignment *assignments;
    struct adopt_plan plan;
    bool is_adopted;
};

static void wait_ms(void *ctx, uint64_t duration_ms)
{
    (void)ctx;
    stop_signal_sleep(duration_ms);
}

static void show_progress(void *ctx, const char *what, uint64_t done, uint64_t total)
{
    (void)ctx;
    output_progress(what, (size_t)done, (size_t)total);
}

static enum bursar_status parse_assignment(const struct adopt_run *run, const char *text, struct assignment *ret,
                                           struct bursar_error *err)
{
    char hash[HASH_TEXT_BYTES] = "";
    const char *value = strchr(text, '=');
    *ret = (struct assignment){ 0 };
    if (strcmp(text, "unmatched=foreign") == 0) {
        ret->is_foreign = true;
        return BURSAR_OK;
    }
    if (value && (size_t)(value - text) < sizeof hash)
        memcpy(hash, text, (size_t)(value - text));
    if (!value || !hash_from_text(hash, &ret->hash))
        return bursar_fail(err, BURSAR_EUSAGE,
                           "--assign %.120s: is none of TXHASH=ID, TXHASH=ref:REF, TXHASH=foreign, unmatched=foreign",
                           text);
    ret->has_hash = true;
    ret->is_foreign = strcmp(value + 1, "foreign") == 0;
    return ret->is_foreign ? BURSAR_OK : disbursement_find(&run->session, run->treasury.id, value + 1, &ret->id, err);
}

static enum bursar_status parse_assignments(struct adopt_run *run, struct bursar_error *err)
{
    enum bursar_status status = BURSAR_OK;
    run->assignments = calloc(run->wanted->assignment_count + 1, sizeof *run->assignments);
    if (!run->assignments)
        return bursar_fail(err, BURSAR_ENOMEM, "out of memory");
    for (size_t i = 0; i < run->wanted->assignment_count && status == BURSAR_OK; i++)
        status = parse_assignment(run, run->wanted->assignments[i], &run->assignments[i], err);
    return status;
}

static enum bursar_status open_all(struct adopt_run *run, struct bursar_error *err)
{
    struct session *session = &run->session;
    enum bursar_status status =
        session_open(session, run->cli, run->wanted->writes ? SQLITE_MODE_WRITE : SQLITE_MODE_READ, NULL, NULL, err);
    if (status == BURSAR_OK)
        status = session_section(session, run->cli, &run->section, err);
    if (status == BURSAR_OK)
        status = treasury_of_section(session, run->section, &run->treasury, err);
    if (status == BURSAR_OK)
        status = parse_assignments(run, err);
    if (status == BURSAR_OK)
        status = signing_log_path(run->section->keystore, run->section->chain_id, run->log_path, err);
    if (status == BURSAR_OK)
        status = node_open(&run->node, run->section, (uint32_t)session->config->rpc_timeout_ms, NULL, NULL, err);
    return status;
}

/* A log that is there and can't be used is not the same as none: it may hold what nobody else knows. */
static enum bursar_status open_log(struct adopt_run *run, struct bursar_error *err)
{
    struct bursar_error why = { 0 };
    const struct bursar_address *account = &run->treasury.address;
    enum bursar_status status =
        run->wanted->writes
            ? signing_log_open(run->log_path, run->treasury.chain_id, account, &run->log, &why)
            : signing_log_open_read_only(run->log_path, run->treasury.chain_id, account, &run->log, &why);
    if (status == BURSAR_OK || status == BURSAR_ENOTFOUND)
        return BURSAR_OK;
    if (status == BURSAR_EBUSY)
        return bursar_fail(err, BURSAR_EREFUSED,
                           "another process signs with this key: end its `bursar run` (SIGTERM, it takes two seconds), "
                           "then try again");
    if (status == BURSAR_EREFUSED)
        return bursar_fail(err, BURSAR_EREFUSED,
                           "%.300s. Put the right log there; if there is none any more, move this one away, and it is "
                           "taken for lost",
                           why.message);
    return bursar_fail(err, status, "%s", why.message);
}

static enum bursar_status take_lease(struct adopt_run *run, struct bursar_error *err)
{
    const struct store *store = &run->session.store;
    const struct config *config = run->session.config;
    struct clock clock = system_clock();
    struct treasury now;
    struct bursar_error why = { 0 };
    (void)snprintf(run->holder, sizeof run->holder, "%.200s (reconcile --adopt)", config->identity);
    enum bursar_status status = store->lease_take(store->ctx, run->treasury.id, run->holder, config->lease_ttl_ms,
                                                  clock.wall_ms(clock.ctx), &run->fence, &why);
    run->has_lease = status == BURSAR_OK;
    if (status == BURSAR_OK)
        return BURSAR_OK;
    if (status != BURSAR_EBUSY || store->treasury_get(store->ctx, run->treasury.id, &now, err) != BURSAR_OK)
        return bursar_fail(err, status, "%s", why.message);
    return bursar_fail(
        err, BURSAR_EREFUSED,
        "an executor holds the lease (%.200s): end its `bursar run` (SIGTERM, it takes two seconds), then "
        "try again",
        now.lease_holder[0] ? now.lease_holder : "it has not said its name");
}

static enum bursar_status look(struct adopt_run *run, struct reconcile_env *env, struct bursar_error *err)
{
    *env = (struct reconcile_env){ .store = run->session.store,
                                   .chain = run->node.chain,
                                   .log_path = run->log_path,
                                   .treasury = run->treasury.id,
                                   .finality_blocks = (uint32_t)run->section->finality_blocks,
                                   .wait = wait_ms };
    const struct adopt_options options = { .assignments = run->assignments,
                                           .assignment_count = run->wanted->assignment_count,
                                           .has_from_block = run->wanted->has_from_block,
                                           .from_block = run->wanted->from_block,
                                           .progress = show_progress };
    enum bursar_status status = adopt_look(env, run->log, &options, &run->plan, err);
    output_progress_end();
    for (size_t i = 0; i < run->wanted->assignment_count && status == BURSAR_OK; i++) {
        if (!run->assignments[i].is_used)
            output_message("--assign %.120s: no transaction here is in question that it names",
                           run->wanted->assignments[i]);
    }
    return status;
}

static enum bursar_status write_plan(struct adopt_run *run, const struct reconcile_env *env, struct bursar_error *err)
{
    char actor[ACTOR_MAX_BYTES], reason[REASON_MAX_BYTES + 1];
    struct clock clock = system_clock();
    const struct adopt_plan *plan = &run->plan;
    enum bursar_status status = BURSAR_OK;
    if (!run->log) {
        status = signing_log_create(run->log_path, run->treasury.chain_id, &run->treasury.address, err);
        if (status == BURSAR_OK)
            status = signing_log_open(run->log_path, run->treasury.chain_id, &run->treasury.address, &run->log, err);
    }
    if (status != BURSAR_OK)
        return status;
    actor_name(actor, sizeof actor);
    (void)snprintf(reason, sizeof reason, "%s [halt %s; %zu nonces adopted%s]",
                   run->wanted->reason ? run->wanted->reason : DEFAULT_REASON, halt_code_name(plan->treasury.halt),
                   plan->changes, plan->log_is_missing ? "; signing log made anew" : "");
    const struct decision decision = { .actor = actor, .reason = reason, .at_ms = clock.wall_ms(clock.ctx) };
    status = adopt_write(env, run->log, plan, &decision, &run->fence, err);
    run->is_adopted = status == BURSAR_OK;
    return status;
}

static enum bursar_status print(const struct adopt_run *run, struct bursar_error *err)
{
    const struct adopt_plan *plan = &run->plan;
    if (run->cli->json)
        return adopt_view_json(&run->session, plan, !run->wanted->writes, run->is_adopted, err);
    enum bursar_status status = adopt_view_text(&run->session, plan, err);
    if (status != BURSAR_OK)
        return status;
    if (plan->undecided)
        (void)printf("%s%zu nonces are undecided or wait: nothing was changed\n", plan->changes ? "\n" : "",
                     plan->undecided);
    else if (!adopt_plan_changes(plan))
        (void)printf("there is nothing to adopt\n");
    else if (run->is_adopted)
        (void)printf("%zu nonces adopted%s; `bursar reconcile` compares all anew, `bursar run` pays on\n",
                     plan->changes, plan->has_more ? ", and there are more: run it again" : "");
    else
        (void)printf("%zu nonces to adopt%s; nothing was changed: `bursar reconcile --adopt` does this\n",
                     plan->changes, plan->has_more ? ", and there are more" : "");
    return BURSAR_OK;
}

static enum bursar_status carry_out(struct adopt_run *run, struct bursar_error *err)
{
    struct reconcile_env env;
    enum bursar_status status = open_all(run, err);
    if (status == BURSAR_OK)
        status = open_log(run, err);
    if (status == BURSAR_OK && run->wanted->writes)
        status = take_lease(run, err);
    if (status == BURSAR_OK)
        status = look(run, &env, err);
    if (status == BURSAR_OK && run->wanted->writes && !run->plan.undecided && adopt_plan_changes(&run->plan))
        status = write_plan(run, &env, err);
    return status == BURSAR_OK ? print(run, err) : status;
}

int reconcile_adopt(struct cli *cli, const struct adopt_wanted *wanted)
{
    struct adopt_run run = { .cli = cli, .wanted = wanted };
    struct bursar_error err = { 0 }, ignored;
    enum bursar_status status = carry_out(&run, &err);
    size_t undecided = run.plan.undecided;
    if (run.has_lease && run.session.store.lease_release(run.session.store.ctx, run.fence, &ignored) != BURSAR_OK)
        output_message("the lease could not be released: %s", ignored.message);
    signing_log_close(run.log);
    adopt_plan_free(&run.plan);
    free(run.assignments);
    node_close(&run.node);
    session_close(&run.session);
    if (status != BURSAR_OK) {
        err.status = status;
        return output_error(cli->json, &err);
    }
    return undecided ? EXIT_CODE_REFUSED : EXIT_CODE_DONE;
}

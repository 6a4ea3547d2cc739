/* bursar run: the executors of all treasuries in one loop, on one thread. */
#include "base/cleanup.h"
#include "base/time.h"
#include "chain/nodes.h"
#include "cli/config_reload.h"
#include "cli/context.h"
#include "cli/exit_code.h"
#include "cli/note_printer.h"
#include "cli/run_http.h"
#include "cli/run_telemetry.h"
#include "cli/run_webhooks.h"
#include "cli/service_manager.h"
#include "cli/shown.h"
#include "cli/stop_signal.h"
#include "executor/executor.h"
#include "signer/local_signer.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OPTION_UNTIL_IDLE 1

/* One treasury with all that its executor borrows. Never moved once the executor exists. */
struct runner {
    const struct treasury_config *section;
    struct treasury treasury;
    struct local_signer *signer;
    struct node node;
    struct note_printer printer;
    struct executor *executor;
    struct bursar_breaker *breaker;
    struct executor_report report;
    bool told_standby;
    uint64_t next_wake_ms; /* monotonic */
};

struct running {
    struct cli *cli;
    bool until_idle;
    struct session session;
    struct runner *runners;
    size_t count;
    struct note_printer printer; /* of the program itself */
    struct clock clock;
    struct telemetry *telemetry; /* NULL: nothing is counted */
    struct run_http http;
    struct run_webhooks webhooks;
};

/* The key is decrypted once; the memory that scrypt needed goes back to the system. */
static enum bursar_status unlock(struct runner *runner, struct bursar_error *err)
{
    const struct treasury_config *section = runner->section;
    struct private_key *key = NULL;
    struct bursar_address address;
    char log_path[SIGNING_LOG_PATH_MAX_BYTES];
    enum bursar_status status = signing_log_path(section->keystore, section->chain_id, log_path, err);
    if (status == BURSAR_OK)
        status = keystore_open(section->keystore, section->password_file, &key, err);
    (void)malloc_trim(0);
    if (status != BURSAR_OK)
        return status;
    private_key_address(key, &address);
    if (!address_equal(&address, &runner->treasury.address))
        status = bursar_fail(err, BURSAR_EINVAL, "[treasury %s] keystore: the key is not this treasury's account",
                             section->name);
    if (status == BURSAR_OK)
        status = local_signer_new(section->chain_id, key, log_path, &runner->signer, err);
    if (status != BURSAR_OK)
        private_key_free(key);
    return status;
}

/* Each process has a jitter of its own. */
static struct bursar_breaker_config breaker_settings(const struct running *running, const struct runner *runner)
{
    struct bursar_breaker_config settings;
    config_breaker(running->session.config, &settings);
    settings.jitter_seed = running->clock.wall_ms(running->clock.ctx) ^ (uint64_t)runner->treasury.id << 48;
    return settings;
}

static enum bursar_status make_breaker(const struct running *running, struct runner *runner, struct bursar_error *err)
{
    const struct bursar_breaker_config settings = breaker_settings(running, runner);
    return bursar_breaker_new(&settings, &runner->breaker, err);
}

static size_t runner_index(const struct running *running, const struct runner *runner)
{
    return (size_t)(runner - running->runners);
}

static struct executor_config settings_of(const struct running *running, const struct runner *runner)
{
    const struct config *config = running->session.config;
    struct money_limits money;
    config_money(config, runner->section, &money);
    return (struct executor_config){ .treasury = runner->treasury.id,
                                     .identity = config->identity,
                                     .poll_interval_ms = config->poll_interval_ms,
                                     .lease_ttl_ms = config->lease_ttl_ms,
                                     .batch_size = (uint32_t)config->batch_size,
                                     .max_in_flight = (uint32_t)runner->section->max_in_flight,
                                     .tags = runner->section->tags == 1,
                                     .finality_blocks = (uint32_t)runner->section->finality_blocks,
                                     .epoch = runner->section->epoch,
                                     .max_fee_per_gas_wei = config->max_fee_per_gas_wei,
                                     .max_priority_fee_per_gas_wei = config->max_priority_fee_per_gas_wei,
                                     .replace_after_blocks = config->replace_after_blocks,
                                     .money = money };
}

static enum bursar_status make_executor(struct running *running, struct runner *runner, struct bursar_error *err)
{
    const struct config *config = running->session.config;
    const struct executor_config settings = settings_of(running, runner);
    runner->printer = (struct note_printer){ .treasury = runner->section->name,
                                             .level = config->log_level,
                                             .format = config->log_format };
    struct executor_env env = { .store = running->session.store,
                                .chain = runner->node.chain,
                                .signer = local_signer_interface(runner->signer),
                                .clock = running->clock,
                                .breaker = runner->breaker,
                                .notes = note_printer_sink(&runner->printer) };
    const struct asset_names names = { config->assets, config->asset_count, runner->section->chain_id };
    nodes_set_notes(runner->node.nodes, env.notes);
    run_telemetry_feed(running->telemetry, runner_index(running, runner), runner->section->name, runner->treasury.id,
                       &names, &runner->node, &env);
    run_telemetry_limits(running->telemetry, runner_index(running, runner), &settings.money);
    return executor_new(&settings, &env, &runner->executor, err);
}

static enum bursar_status runner_start(struct running *running, struct runner *runner, struct bursar_error *err)
{
    const struct session *session = &running->session;
    enum bursar_status status = treasury_ensure(session, runner->section, &runner->treasury, err);
    if (status == BURSAR_OK)
        status = unlock(runner, err);
    if (status == BURSAR_OK)
        status = node_open(&runner->node, runner->section, (uint32_t)session->config->rpc_timeout_ms,
                           stop_signal_cancels, NULL, err);
    if (status == BURSAR_OK)
        status = make_breaker(running, runner, err);
    return status == BURSAR_OK ? make_executor(running, runner, err) : status;
}

static void runner_stop(struct runner *runner)
{
    executor_free(runner->executor); /* gives back lease and signing log */
    bursar_breaker_free(runner->breaker);
    node_close(&runner->node);
    local_signer_free(runner->signer);
}

/* Who works instead is told once, until we do. */
static void tell_standby(const struct running *running, struct runner *runner)
{
    const struct store *store = &running->session.store;
    struct note_sink notes = note_printer_sink(&runner->printer);
    struct treasury treasury;
    struct bursar_error ignored;
    if (runner->report.holds_lease || runner->told_standby) {
        runner->told_standby = runner->told_standby && !runner->report.holds_lease;
        return;
    }
    /* A tick that was cut short reports no lease either, though it is ours. */
    if (store->treasury_get(store->ctx, runner->treasury.id, &treasury, &ignored) != BURSAR_OK ||
        strcmp(treasury.lease_holder, running->session.config->identity) == 0)
        return;
    note(&notes, NOTE_INFO, "standing by: %s holds the lease or the signing log",
         treasury.lease_holder[0] ? treasury.lease_holder : "another process");
    runner->told_standby = true;
}

/* One tick of one treasury. Only what makes going on senseless is returned. */
static enum bursar_status runner_step(struct running *running, struct runner *runner, struct bursar_error *err)
{
    uint64_t wait_ms = running->session.config->poll_interval_ms;
    struct note_sink notes = note_printer_sink(&runner->printer);
    enum bursar_status status = executor_step(runner->executor, &wait_ms, &runner->report, err);
    run_telemetry_nodes(running->telemetry, runner_index(running, runner), &runner->node);
    if (status == BURSAR_EBUSY && !stop_signal_came()) {
        note(&notes, NOTE_WARN, "the store is locked by another process: trying again (%s)", err->message);
        runner->report.is_idle = false;
        wait_ms = running->session.config->poll_interval_ms;
    } else if (status != BURSAR_OK && !stop_signal_came()) {
        return status;
    } else if (status == BURSAR_OK) {
        tell_standby(running, runner);
    }
    runner->next_wake_ms = running->clock.monotonic_ms(running->clock.ctx) + wait_ms;
    return BURSAR_OK;
}

/* What is told of the program itself, as the log is to be; with no memory of what it told before. */
static struct note_sink own_notes(struct running *running, const struct config *config)
{
    running->printer =
        (struct note_printer){ .treasury = "", .level = config->log_level, .format = config->log_format };
    return note_printer_sink(&running->printer);
}

/* In a log for machines, what ends the program is a line like the others. */
static int fail(struct running *running, const struct bursar_error *err)
{
    const struct config *config = running->session.config; /* NULL: it is the configuration that is bad */
    if (running->cli->json || !config || config->log_format != LOG_FORMAT_JSON)
        return output_error(running->cli->json, err);
    struct note_sink notes = own_notes(running, config);
    note(&notes, NOTE_ERROR, "%s", err->message[0] ? err->message : bursar_status_text(err->status));
    return (int)exit_code_of(err->status);
}

/* With --until-idle: is there a reason to end, and with which exit code? -1: go on. */
static int idle_code(struct running *running, struct bursar_error *err)
{
    bool is_incomplete = false;
    for (size_t i = 0; i < running->count; i++) {
        const struct runner *runner = &running->runners[i];
        if (runner->report.forced_open) {
            output_message("treasury %s: a person opened the circuit breaker: see `bursar breaker`",
                           runner->section->name);
            return EXIT_CODE_REFUSED;
        }
        if (runner->report.money_waits) {
            output_message("treasury %s: the money breaker is open: see `bursar breaker`", runner->section->name);
            return EXIT_CODE_REFUSED;
        }
        if (runner->report.halt != HALT_NONE) {
            output_message("treasury %s is halted (%s): see `bursar status`", runner->section->name,
                           halt_code_name(runner->report.halt));
            return EXIT_CODE_REFUSED;
        }
    }
    for (size_t i = 0; i < running->count; i++) {
        const struct runner *runner = &running->runners[i];
        uint64_t counts[STATE_COUNT];
        if (!runner->report.is_idle)
            return -1;
        const struct store *store = &running->session.store;
        enum bursar_status status = store->counts(store->ctx, runner->treasury.id, counts, err);
        if (status == BURSAR_EBUSY)
            return -1;
        if (status != BURSAR_OK)
            return fail(running, err);
        is_incomplete = is_incomplete || counts[STATE_FAILED] > 0 || counts[STATE_QUEUED] > 0 ||
                        counts[STATE_DRAFT] > 0 || counts[STATE_VOTING] > 0;
    }
    return is_incomplete ? EXIT_CODE_INCOMPLETE : EXIT_CODE_DONE;
}

static void tell_change(void *ctx, const char *what, bool in_force)
{
    struct note_sink notes = note_printer_sink(ctx);
    note(&notes, in_force ? NOTE_INFO : NOTE_WARN, "%s: in force %s", what, in_force ? "now" : "with the next start");
}

/* SIGHUP. A file that is not good changes nothing. */
static void reload(struct running *running)
{
    struct config *config = running->session.config, *fresh = NULL;
    struct webhook_list webhooks;
    struct bursar_error err = { 0 };
    service_reloading(running->clock.monotonic_ms(running->clock.ctx));
    if (config_load(config->path, environ, &fresh, &err) != BURSAR_OK) {
        struct note_sink notes = own_notes(running, config);
        note(&notes, NOTE_ERROR, "SIGHUP: %s; nothing was changed", err.message);
    } else {
        (void)own_notes(running, fresh);
        config_take_over(config, fresh, tell_change, &running->printer);
        for (size_t i = 0; i < running->count; i++) {
            struct runner *runner = &running->runners[i];
            const struct executor_config settings = settings_of(running, runner);
            struct situation_limits limits;
            const struct bursar_breaker_config breaker = breaker_settings(running, runner);
            executor_reconfigure(runner->executor, &settings);
            run_telemetry_limits(running->telemetry, i, &settings.money);
            if (bursar_breaker_reconfigure(runner->breaker, &breaker, running->clock.monotonic_ms(running->clock.ctx),
                                           &err) != BURSAR_OK)
                output_message("SIGHUP: %s", err.message);
            shown_limits(config, runner->section, &limits);
            http_server_set_limits(running->http.server, i, &limits);
            runner->printer.level = config->log_level;
            runner->printer.format = config->log_format;
        }
        shown_webhooks(config, &webhooks);
        http_server_set_webhooks(running->http.server, &webhooks);
        run_webhooks_reload(&running->webhooks, &running->session);
    }
    config_free(fresh);
    service_ready();
}

static void sleep_until_due(struct running *running)
{
    uint64_t now_ms = running->clock.monotonic_ms(running->clock.ctx), wake_ms = UINT64_MAX;
    for (size_t i = 0; i < running->count; i++)
        wake_ms = running->runners[i].next_wake_ms < wake_ms ? running->runners[i].next_wake_ms : wake_ms;
    service_progress(now_ms);
    uint64_t wait_ms = wake_ms > now_ms ? wake_ms - now_ms : 0, most_ms = service_sleep_max_ms();
    if (wait_ms)
        stop_signal_sleep(wait_ms < most_ms ? wait_ms : most_ms);
}

static int loop(struct running *running)
{
    struct bursar_error err = { 0 };
    service_ready();
    while (!stop_signal_came()) {
        if (reload_signal_came())
            reload(running);
        http_server_beat(running->http.server);
        for (size_t i = 0; i < running->count && !stop_signal_came(); i++) {
            struct runner *runner = &running->runners[i];
            if (runner->next_wake_ms > running->clock.monotonic_ms(running->clock.ctx))
                continue;
            err = (struct bursar_error){ 0 };
            enum bursar_status status = runner_step(running, runner, &err);
            if (status != BURSAR_OK) {
                err.status = status;
                return fail(running, &err);
            }
            service_progress(running->clock.monotonic_ms(running->clock.ctx));
        }
        int code = running->until_idle && !stop_signal_came() ? idle_code(running, &err) : -1;
        if (code >= 0)
            return code;
        sleep_until_due(running);
    }
    return EXIT_CODE_DONE;
}

static enum bursar_status start(struct running *running, struct bursar_error *err)
{
    size_t first, end;
    if (!stop_signal_install())
        return bursar_fail(err, BURSAR_EINTERNAL, "can't catch signals");
    enum bursar_status status =
        session_open(&running->session, running->cli, SQLITE_MODE_WRITE, stop_signal_cancels_late, NULL, err);
    if (status == BURSAR_OK)
        status = session_sections(&running->session, running->cli, &first, &end, err);
    if (status != BURSAR_OK)
        return status;
    running->runners = calloc(end - first, sizeof *running->runners);
    if (!running->runners)
        return bursar_fail(err, BURSAR_ENOMEM, "out of memory");
    status = run_telemetry_start(end - first, running->session.sqlite, &running->telemetry, err);
    for (size_t i = first; i < end && status == BURSAR_OK && !stop_signal_came(); i++) {
        struct runner *runner = &running->runners[running->count++];
        runner->section = &running->session.config->treasuries[i];
        status = runner_start(running, runner, err);
    }
    return status;
}

static enum bursar_status start_http(struct running *running, struct bursar_error *err)
{
    struct http_treasury *treasuries = calloc(running->count, sizeof *treasuries);
    if (!treasuries)
        return bursar_fail(err, BURSAR_ENOMEM, "out of memory");
    for (size_t i = 0; i < running->count; i++) {
        const struct runner *runner = &running->runners[i];
        treasuries[i] = (struct http_treasury){ .name = runner->section->name, .id = runner->treasury.id };
        shown_settings(running->session.config, runner->section, &treasuries[i].settings);
    }
    run_http_start(&running->http, running->session.config, treasuries, running->count,
                   run_telemetry_metrics(running->telemetry));
    return BURSAR_OK;
}

static int run(struct running *running)
{
    struct bursar_error err = { 0 };
    enum bursar_status status = start(running, &err);
    if (status == BURSAR_OK && !stop_signal_came())
        status = start_http(running, &err);
    if (stop_signal_came())
        return EXIT_CODE_DONE;
    if (status != BURSAR_OK) {
        err.status = status;
        return fail(running, &err);
    }
    run_webhooks_start(&running->webhooks, &running->session);
    return loop(running);
}

int cmd_run(struct cli *cli, int argc, char **argv)
{
    static const struct option options[] = { { "until-idle", no_argument, NULL, OPTION_UNTIL_IDLE }, CLI_LONG_OPTIONS };
    struct running running = { .cli = cli, .clock = system_clock() };
    int option, code;
    while ((option = getopt_long(argc, argv, CLI_SHORT_OPTIONS, options, NULL)) != -1) {
        if (option == OPTION_UNTIL_IDLE)
            running.until_idle = true;
        else if ((code = cli_common_option(cli, "run", option, argv)) >= 0)
            return code;
    }
    if ((code = cli_operands(cli, "run", argc, argv, 0, 0)) >= 0)
        return code;
    code = run(&running);
    service_stopping();
    http_server_stop_begin(running.http.server);
    for (size_t i = 0; i < running.count; i++)
        runner_stop(&running.runners[i]);
    run_http_stop(&running.http);
    run_webhooks_stop(&running.webhooks, stop_signal_came());
    free(running.runners);
    session_close(&running.session);
    run_telemetry_stop(running.telemetry);
    return code;
}

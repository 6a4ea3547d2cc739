/* bursar pay: import a payment file, and with --wait watch it being paid. */
#include "base/cleanup.h"
#include "cli/context.h"
#include "cli/exit_code.h"
#include "cli/pay_wait.h"
#include "cli/shown.h"
#include "cli/spool.h"
#include "service/import.h"

#include <string.h>

#define OPTION_DRY_RUN 1
#define OPTION_WAIT 2
#define OPTION_PREFIX 3

struct pay {
    struct cli *cli;
    const char *path; /* "-": standard input */
    struct import_order order;
    bool wait;
    struct import_result result;
    struct pay_progress progress;
};

/* Streamed: a file can have millions of rows. */
static void print_json(const struct pay *pay)
{
    const struct import_result *result = &pay->result;
    (void)printf("{\"added\":%llu,\"existing\":%llu,\"ids\":[", (unsigned long long)result->added,
                 (unsigned long long)result->existing);
    for (size_t i = 0; i < result->id_count && !pay->order.dry_run; i++)
        (void)printf("%s%lld", i ? "," : "", (long long)result->ids[i]);
    (void)fputc(']', stdout);
    if (pay->order.dry_run)
        (void)fputs(",\"dry_run\":true", stdout);
    if (pay->wait)
        (void)printf(",\"finalized\":%zu,\"stuck\":%zu", pay->progress.finalized, pay->progress.stuck);
    (void)fputs("}\n", stdout);
}

static json_t *error_json(const struct import_error *error)
{
    return json_pack("{s:I,s:o,s:o}", "line", (json_int_t)error->line, "column",
                     error->column[0] ? output_json_text(error->column) : json_null(), "message",
                     output_json_text(error->message));
}

/* The rows' errors, or else the one of the whole; both with "added":0 for scripts. */
static int print_errors(const struct pay *pay, const struct bursar_error *err)
{
    const struct import_result *result = &pay->result;
    json_t *errors = json_array();
    for (size_t i = 0; i < result->error_count; i++) {
        const struct import_error *error = &result->errors[i];
        output_message("%s:%llu: %s%s%s", pay->order.origin, (unsigned long long)error->line, error->column,
                       error->column[0] ? ": " : "", error->message);
        (void)json_array_append_new(errors, error_json(error));
    }
    output_message("%s", err->message[0] ? err->message : bursar_status_text(err->status));
    if (result->error_count == 0)
        (void)json_array_append_new(
            errors, json_pack("{s:n,s:n,s:o}", "line", "column", "message", output_json_text(err->message)));
    struct bursar_error ignored;
    if (pay->cli->json &&
        output_json(json_pack("{s:o,s:i,s:i,s:[]}", "errors", errors, "added", 0, "existing", 0, "ids"), &ignored) !=
            BURSAR_OK)
        output_message("%s", ignored.message);
    if (!pay->cli->json)
        json_decref(errors);
    return (int)exit_code_of(err->status);
}

static void print_text(const struct pay *pay)
{
    const struct import_result *result = &pay->result;
    (void)printf("%llu %s, %llu already there\n", (unsigned long long)result->added,
                 pay->order.dry_run ? "would be added" : "added", (unsigned long long)result->existing);
}

/* Said before the waiting, which takes as long as it takes. */
static int wait_for_all(struct pay *pay, const struct session *session, const struct treasury *treasury)
{
    struct bursar_error err = { 0 };
    const struct import_result *result = &pay->result;
    enum bursar_status status = pay_wait(session, treasury->id, result->ids, result->id_count, &pay->progress, &err);
    if (status != BURSAR_OK) {
        output_message("the payments are stored, but can't be watched: %s", err.message);
        return (int)exit_code_of(status);
    }
    const struct pay_progress *progress = &pay->progress;
    if (progress->halt != HALT_NONE) {
        output_message("treasury %s is halted (%s): see `bursar status`", treasury->name,
                       halt_code_name(progress->halt));
        return EXIT_CODE_REFUSED;
    }
    if (progress->gave_up) {
        output_message("gave up waiting, the payments go on: %zu of %zu are final", progress->finalized,
                       result->id_count);
        return EXIT_CODE_DONE;
    }
    output_message("%zu of %zu are final%s", progress->finalized, result->id_count,
                   progress->stuck ? "; see `bursar status` for the others" : "");
    return progress->stuck ? EXIT_CODE_INCOMPLETE : EXIT_CODE_DONE;
}

static enum bursar_status import_file(struct pay *pay, const struct session *session,
                                      const struct treasury_config *section, const struct treasury *treasury,
                                      struct bursar_error *err)
{
    FILE *file;
    struct treasury_settings settings;
    char actor[ACTOR_MAX_BYTES];
    actor_name(actor, sizeof actor);
    shown_settings(session->config, section, &settings);
    struct import_order order = pay->order;
    order.actor = actor;
    enum bursar_status status = spool_open(pay->path, &file, err);
    if (status != BURSAR_OK)
        return status;
    status = import_rows(&session->store, &settings, treasury, &order, file, &pay->result, err);
    (void)fclose(file);
    return status;
}

static int pay(struct pay *pay, struct session *session)
{
    const struct treasury_config *section;
    struct treasury treasury;
    struct bursar_error err = { 0 };
    enum bursar_status status = session_open(session, pay->cli, SQLITE_MODE_WRITE, NULL, NULL, &err);
    if (status == BURSAR_OK)
        status = session_section(session, pay->cli, &section, &err);
    if (status == BURSAR_OK)
        status = pay->order.dry_run ? treasury_of_section(session, section, &treasury, &err)
                                    : treasury_ensure(session, section, &treasury, &err);
    if (status == BURSAR_OK)
        status = import_file(pay, session, section, &treasury, &err);
    if (status != BURSAR_OK) {
        err.status = status;
        return print_errors(pay, &err);
    }
    int code = EXIT_CODE_DONE;
    if (!pay->cli->json) {
        print_text(pay);
        (void)fflush(stdout);
    }
    if (pay->wait && !pay->order.dry_run && pay->result.id_count > 0)
        code = wait_for_all(pay, session, &treasury);
    if (pay->cli->json)
        print_json(pay);
    return code;
}

int cmd_pay(struct cli *cli, int argc, char **argv)
{
    static const struct option options[] = { { "dry-run", no_argument, NULL, OPTION_DRY_RUN },
                                             { "wait", no_argument, NULL, OPTION_WAIT },
                                             { "ref-prefix", required_argument, NULL, OPTION_PREFIX },
                                             CLI_LONG_OPTIONS };
    struct pay order = { .cli = cli };
    int option, code;
    while ((option = getopt_long(argc, argv, CLI_SHORT_OPTIONS, options, NULL)) != -1) {
        if (option == OPTION_DRY_RUN)
            order.order.dry_run = true;
        else if (option == OPTION_WAIT)
            order.wait = true;
        else if (option == OPTION_PREFIX)
            order.order.ref_prefix = optarg;
        else if ((code = cli_common_option(cli, "pay", option, argv)) >= 0)
            return code;
    }
    if ((code = cli_operands(cli, "pay", argc, argv, 1, 1)) >= 0)
        return code;
    order.path = argv[optind];
    order.order.origin = strcmp(order.path, "-") == 0 ? "standard input" : order.path;
    struct session session = { 0 };
    code = pay(&order, &session);
    session_close(&session);
    import_result_free(&order.result);
    return code;
}

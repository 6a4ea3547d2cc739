/* A person decides about one disbursement: who, why, when, and the answer. */
#include "cli/decide.h"

#include "base/bytes.h"
#include "base/time.h"
#include "cli/exit_code.h"
#include "cli/show.h"

#include <string.h>

#define OPTION_REASON 1

int cli_reason(const struct cli *cli, const char *command, const char *reason)
{
    if (!reason)
        return cli_usage(cli, command, "--reason TEXT is missing: say why, it is kept in the history");
    const char *problem = reason_problem(reason);
    return problem ? cli_usage(cli, command, "--reason %s", problem) : -1;
}

static enum bursar_status carry_out(struct cli *cli, struct session *session, const struct deciding *deciding,
                                    const char *id_text, const char *reason, struct bursar_error *err)
{
    const struct treasury_config *section;
    struct treasury treasury;
    struct clock clock = system_clock();
    char actor[ACTOR_MAX_BYTES];
    const char *done = "";
    int64_t id = 0;
    enum bursar_status status = session_open(session, cli, SQLITE_MODE_WRITE, NULL, NULL, err);
    if (status == BURSAR_OK)
        status = session_section(session, cli, &section, err);
    if (status == BURSAR_OK)
        status = treasury_of_section(session, section, &treasury, err);
    if (status == BURSAR_OK)
        status = disbursement_find(session, treasury.id, id_text, &id, err);
    if (status != BURSAR_OK)
        return status;
    actor_name(actor, sizeof actor);
    const struct decision decision = { .actor = actor, .reason = reason, .at_ms = clock.wall_ms(clock.ctx) };
    status = deciding->carry_out(&session->store, treasury.id, id, &decision, &done, err);
    if (status == BURSAR_OK && cli->json)
        return show_disbursement(session, section, &treasury, id, true, err);
    if (status == BURSAR_OK)
        (void)printf("disbursement %lld: %s\n", (long long)id, done);
    return status;
}

int decide(struct cli *cli, int argc, char **argv, const struct deciding *deciding)
{
    static const struct option options[] = { { "reason", required_argument, NULL, OPTION_REASON }, CLI_LONG_OPTIONS };
    const char *reason = NULL;
    int option, code;
    while ((option = getopt_long(argc, argv, CLI_SHORT_OPTIONS, options, NULL)) != -1) {
        if (option == OPTION_REASON)
            reason = optarg;
        else if ((code = cli_common_option(cli, deciding->command, option, argv)) >= 0)
            return code;
    }
    if ((code = cli_operands(cli, deciding->command, argc, argv, 1, 1)) >= 0 ||
        (code = cli_reason(cli, deciding->command, reason)) >= 0)
        return code;
    struct session session = { 0 };
    struct bursar_error err = { 0 };
    enum bursar_status status = carry_out(cli, &session, deciding, argv[optind], reason, &err);
    session_close(&session);
    if (status != BURSAR_OK) {
        err.status = status;
        return output_error(cli->json, &err);
    }
    return EXIT_CODE_DONE;
}

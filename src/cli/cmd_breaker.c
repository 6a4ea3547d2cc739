/* bursar breaker: shows a treasury's circuit breaker and money breaker, and changes them by hand. */
#include "base/cleanup.h"
#include "base/time.h"
#include "doctor/blocked.h"
#include "service/breaker_view.h"
#include "cli/decide.h"
#include "cli/exit_code.h"

#include <string.h>

#define OPTION_REASON 1
#define OPTION_FOR 2
#define OPTION_MONEY 3

/* What the command line asked for. */
struct wanted {
    enum breaker_command command; /* NONE: show */
    const char *reason;
    bool money; /* the money breaker is meant */
    const char *for_text;
    uint64_t for_ms; /* 0: open until somebody closes it; closed and not held */
};

static enum bursar_status print(const struct breaker_standing *standing, bool json, struct bursar_error *err)
{
    char text[BREAKER_TEXT_BYTES], command[BREAKER_COMMAND_TEXT_BYTES], plain[sizeof command];
    if (json)
        return output_json(breaker_json(standing), err);
    breaker_text(standing, text);
    (void)printf("%s%s%s\n", output_colour_on(stdout, output_breaker_colour(standing->view.state)), text,
                 output_colour_off(stdout));
    if (breaker_command_text(standing, command)) {
        output_plain(command, plain, sizeof plain);
        (void)printf("last by hand: %s\n", plain);
    }
    const struct money_record *record = &standing->money;
    const bool is_open = record->cause != MONEY_NONE;
    char money[MONEY_TEXT_BYTES], plain_money[sizeof money];
    money_text(record, money);
    output_plain(money, plain_money, sizeof plain_money);
    (void)printf("money breaker: %s%s%s\n", output_colour_on(stdout, is_open ? COLOUR_BAD : COLOUR_GOOD), plain_money,
                 output_colour_off(stdout));
    if (is_open)
        (void)printf("to do: %s\n", money_action(record->cause));
    return BURSAR_OK;
}

static enum bursar_status breaker(struct cli *cli, struct session *session, const struct wanted *wanted,
                                  struct bursar_error *err)
{
    const struct treasury_config *section;
    struct treasury treasury;
    struct breaker_standing standing;
    struct bursar_breaker_config settings;
    struct clock clock = system_clock();
    bool is_command = wanted->command != BREAKER_COMMAND_NONE;
    enum bursar_status status =
        session_open(session, cli, is_command ? SQLITE_MODE_WRITE : SQLITE_MODE_READ, NULL, NULL, err);
    if (status == BURSAR_OK)
        status = session_section(session, cli, &section, err);
    if (status == BURSAR_OK)
        status = treasury_of_section(session, section, &treasury, err);
    if (status == BURSAR_OK && is_command) {
        char actor[ACTOR_MAX_BYTES];
        actor_name(actor, sizeof actor);
        const struct decision decision = { actor, wanted->reason, clock.wall_ms(clock.ctx) };
        const struct store *store = &session->store;
        if (wanted->money)
            status =
                store->money_force(store->ctx, treasury.id, wanted->command == BREAKER_COMMAND_OPEN, &decision, err);
        else
            status = store->breaker_force(store->ctx, treasury.id, wanted->command, wanted->for_ms, &decision, err);
    }
    if (status == BURSAR_OK) {
        config_breaker(session->config, &settings);
        status =
            breaker_standing_read(&session->store, treasury.id, &settings, clock.wall_ms(clock.ctx), &standing, err);
    }
    return status == BURSAR_OK ? print(&standing, cli->json, err) : status;
}

static int parse_command(const struct cli *cli, const char *word, struct wanted *ret)
{
    if (strcmp(word, "show") == 0 || breaker_command_from_name(word, &ret->command))
        return -1;
    return cli_usage(cli, "breaker", "'%.60s': there are show, open, close and reset", word);
}

static int parse(struct cli *cli, int argc, char **argv, struct wanted *ret)
{
    static const struct option options[] = { { "reason", required_argument, NULL, OPTION_REASON },
                                             { "for", required_argument, NULL, OPTION_FOR },
                                             { "money", no_argument, NULL, OPTION_MONEY },
                                             CLI_LONG_OPTIONS };
    int option, code;
    while ((option = getopt_long(argc, argv, CLI_SHORT_OPTIONS, options, NULL)) != -1) {
        if (option == OPTION_REASON)
            ret->reason = optarg;
        else if (option == OPTION_MONEY)
            ret->money = true;
        else if (option == OPTION_FOR)
            ret->for_text = optarg;
        else if ((code = cli_common_option(cli, "breaker", option, argv)) >= 0)
            return code;
    }
    if ((code = cli_operands(cli, "breaker", argc, argv, 0, 1)) >= 0 ||
        (optind < argc && (code = parse_command(cli, argv[optind], ret)) >= 0))
        return code;
    const char *problem = ret->for_text ? breaker_for_problem(ret->command, ret->for_text, &ret->for_ms) : NULL;
    if (problem)
        return cli_usage(cli, "breaker", "--for '%.20s': %s", ret->for_text, problem);
    if (ret->money && ret->for_text)
        return cli_usage(cli, "breaker", "--for does not go with --money: it stays as it is until a person changes it");
    if (ret->money && ret->command != BREAKER_COMMAND_OPEN && ret->command != BREAKER_COMMAND_CLOSE)
        return cli_usage(cli, "breaker", "--money belongs to open and close");
    if (ret->command != BREAKER_COMMAND_NONE)
        return cli_reason(cli, "breaker", ret->reason);
    return ret->reason ? cli_usage(cli, "breaker", "--reason belongs to open, close and reset") : -1;
}

int cmd_breaker(struct cli *cli, int argc, char **argv)
{
    struct wanted wanted = { 0 };
    int code = parse(cli, argc, argv, &wanted);
    if (code >= 0)
        return code;
    struct session session = { 0 };
    struct bursar_error err = { 0 };
    enum bursar_status status = breaker(cli, &session, &wanted, &err);
    session_close(&session);
    if (status != BURSAR_OK) {
        err.status = status;
        return output_error(cli->json, &err);
    }
    return EXIT_CODE_DONE;
}

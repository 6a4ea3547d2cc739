/* bursar help: from the table of commands and the table of options. */
#include "base/cleanup.h"
#include "cli/config.h"
#include "cli/context.h"
#include "cli/exit_code.h"

#include <string.h>

static void print_overview(FILE *file)
{
    (void)fputs("Bursar pays approved disbursements on Ethereum, each exactly once.\n\n"
                "Usage: bursar [-c FILE] [--treasury NAME] COMMAND [OPTIONS]\n\n",
                file);
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        (void)fprintf(file, "  %-10s %s\n", COMMANDS[i].name, COMMANDS[i].summary);
    (void)fputs("\n  -c, --config FILE   default: ./bursar.conf, else /etc/bursar/bursar.conf\n"
                "  --treasury NAME     which one, where bursar.conf has several\n"
                "  --json              one JSON document on standard output\n"
                "  --version, --help\n\n"
                "`bursar help COMMAND` explains a command, `bursar help config` the configuration.\n" EXIT_CODE_HELP,
                file);
}

void command_print_help(const struct command *command, FILE *file)
{
    if (!command) {
        print_overview(file);
        return;
    }
    (void)fprintf(file, "bursar %s: %s\n\nUsage: bursar [-c FILE] [--treasury NAME] %s %s\n\n%s%s%s", command->name,
                  command->summary, command->name, command->synopsis, command->help, command->help[0] ? "\n" : "",
                  EXIT_CODE_HELP);
}

int cmd_help(struct cli *cli, int argc, char **argv)
{
    static const struct option options[] = { CLI_LONG_OPTIONS };
    int option, code;
    while ((option = getopt_long(argc, argv, CLI_SHORT_OPTIONS, options, NULL)) != -1) {
        if ((code = cli_common_option(cli, "help", option, argv)) >= 0)
            return code;
    }
    if ((code = cli_operands(cli, "help", argc, argv, 0, 1)) >= 0)
        return code;
    const char *topic = optind < argc ? argv[optind] : NULL;
    if (topic && strcmp(topic, "config") == 0) {
        cleanup(buf_free) struct buf text = { 0 };
        if (!config_write_help(&text))
            return EXIT_CODE_INTERNAL;
        (void)fputs(text.data, stdout);
        return EXIT_CODE_DONE;
    }
    const struct command *command = topic ? command_find(topic) : NULL;
    if (topic && !command)
        return cli_usage(cli, NULL, "there is no command '%.60s'", topic);
    command_print_help(command, stdout);
    return EXIT_CODE_DONE;
}

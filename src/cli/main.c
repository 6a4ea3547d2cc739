/* bursar: argv to a command. */
#include "cli/context.h"
#include "cli/exit_code.h"
#include "store/sqlite_store.h"

#include <string.h>

#define OPTION_VERSION 1100

/* Errors of the command line itself come as JSON too, so this is looked for before anything is parsed. */
static bool wants_json(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--json") == 0)
            return true;
    }
    return false;
}

static int dispatch(int argc, char **argv)
{
    static const struct option options[] = { { "version", no_argument, NULL, OPTION_VERSION }, CLI_LONG_OPTIONS };
    struct cli cli = { .json = wants_json(argc, argv) };
    opterr = 0;
    int option;
    /* '+': what stands behind the command is the command's */
    while ((option = getopt_long(argc, argv, "+" CLI_SHORT_OPTIONS, options, NULL)) != -1) {
        if (option == OPTION_VERSION) {
            (void)puts("bursar " BURSAR_VERSION);
            return EXIT_CODE_DONE;
        }
        if (option == 'h') {
            command_print_help(NULL, stdout);
            return EXIT_CODE_DONE;
        }
        int code = cli_common_option(&cli, NULL, option, argv);
        if (code >= 0)
            return code;
    }
    if (optind == argc) {
        if (cli.json)
            return cli_usage(&cli, NULL, "a command is missing");
        command_print_help(NULL, stderr);
        return EXIT_CODE_USAGE;
    }
    const struct command *command = command_find(argv[optind]);
    if (!command)
        return cli_usage(&cli, NULL, "there is no command '%.60s'", argv[optind]);
    int first = optind;
    optind = 0; /* glibc: start anew */
    return command->run(&cli, argc - first, argv + first);
}

int main(int argc, char **argv)
{
    sqlite_store_owns_process();
    int code = dispatch(argc, argv);
    return output_finish() ? code : EXIT_CODE_INTERNAL;
}

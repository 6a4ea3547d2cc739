/* What commands share: the parsed command line, the open configuration and store, and the way to a treasury. */
#ifndef CLI_CONTEXT_H
#define CLI_CONTEXT_H

#include "base/note.h"
#include "chain/chain.h"
#include "cli/config.h"
#include "cli/output.h"
#include "service/node.h"
#include "store/sqlite_store.h"

#include <getopt.h>
#include <stdbool.h>

/* Global options, given before or after the command. */
struct cli {
    const char *config_path; /* NULL: look for it */
    const char *treasury;    /* NULL: the only one */
    bool json;
};

struct command {
    const char *name;
    const char *synopsis;                               /* behind the command's name */
    const char *summary;                                /* one line */
    const char *help;                                   /* what the options do */
    int (*run)(struct cli *cli, int argc, char **argv); /* argv[0] is the command; returns an exit code */
};
const struct command *command_find(const char *name); /* NULL when there is none */
extern const struct command COMMANDS[];
extern const size_t COMMAND_COUNT;
void command_print_help(const struct command *command, FILE *file);

/* -- options --------------------------------------------------------------------------------------------------------
 */
#define CLI_SHORT_OPTIONS ":c:h"
#define CLI_OPTION_TREASURY 1000
#define CLI_OPTION_JSON 1001
/* Every command's list of long options ends with these. */
#define CLI_LONG_OPTIONS                                                                                               \
    { "config", required_argument, NULL, 'c' }, { "treasury", required_argument, NULL, CLI_OPTION_TREASURY },          \
        { "json", no_argument, NULL, CLI_OPTION_JSON }, { "help", no_argument, NULL, 'h' },                            \
    {                                                                                                                  \
        NULL, 0, NULL, 0                                                                                               \
    }
/* Handles what getopt_long returned when it is none of the command's own. Returns -1 to go on, else the exit code. */
int cli_common_option(struct cli *cli, const char *command, int option, char **argv);
/* Says what is wrong with the command line and returns exit code 2. */
int cli_usage(const struct cli *cli, const char *command, const char *format, ...) BURSAR_PRINTF(3, 4);
/* Operands [minimum, maximum] after the options? -1 to go on, else the exit code. */
int cli_operands(const struct cli *cli, const char *command, int argc, char **argv, int minimum, int maximum);

/* -- session --------------------------------------------------------------------------------------------------------
 */
struct session {
    struct config *config;
    struct sqlite_store *sqlite;
    struct store store;
};
/* Reads the configuration and opens the store. Zero-initialise; close also after a failure. */
BURSAR_MUST_CHECK enum bursar_status session_open(struct session *session, const struct cli *cli, enum sqlite_mode mode,
                                                  store_is_cancelled *is_cancelled, void *cancel_ctx,
                                                  struct bursar_error *err);
void session_close(struct session *session);

/* The one section that a command is about: --treasury's, or the only one. EUSAGE. */
BURSAR_MUST_CHECK enum bursar_status session_section(const struct session *session, const struct cli *cli,
                                                     const struct treasury_config **ret, struct bursar_error *err);
/* The sections of a command that takes all of them: [*ret_first, *ret_end). EUSAGE. */
BURSAR_MUST_CHECK enum bursar_status session_sections(const struct session *session, const struct cli *cli,
                                                      size_t *ret_first, size_t *ret_end, struct bursar_error *err);
/* Account of a section: named in the keystore, else found by decrypting it. */
BURSAR_MUST_CHECK enum bursar_status section_address(const struct treasury_config *section, struct bursar_address *ret,
                                                     struct bursar_error *err);
/* No two sections of one (chain id, account). EINVAL. */
BURSAR_MUST_CHECK enum bursar_status session_check_accounts(const struct session *session, struct bursar_error *err);
/* The stored treasury of a section. ENOTFOUND: not added yet (see treasury_ensure). */
BURSAR_MUST_CHECK enum bursar_status treasury_of_section(const struct session *session,
                                                         const struct treasury_config *section, struct treasury *ret,
                                                         struct bursar_error *err);
/* As above; a section that is new in the configuration is added, with an empty signing log where there is none, and a
 * changed epoch is taken over. EREFUSED: rows wait on the old one. */
BURSAR_MUST_CHECK enum bursar_status treasury_ensure(const struct session *session,
                                                     const struct treasury_config *section, struct treasury *ret,
                                                     struct bursar_error *err);

/* A positive number, or ref:REF. EUSAGE, ENOTFOUND. */
BURSAR_MUST_CHECK enum bursar_status disbursement_find(const struct session *session, int64_t treasury,
                                                       const char *text, int64_t *ret_id, struct bursar_error *err);

/* Who does this: the login name, for the event log. */
void actor_name(char *ret, size_t capacity);

int cmd_init(struct cli *cli, int argc, char **argv);
int cmd_pay(struct cli *cli, int argc, char **argv);
int cmd_run(struct cli *cli, int argc, char **argv);
int cmd_list(struct cli *cli, int argc, char **argv);
int cmd_show(struct cli *cli, int argc, char **argv);
int cmd_status(struct cli *cli, int argc, char **argv);
int cmd_cancel(struct cli *cli, int argc, char **argv);
int cmd_retry(struct cli *cli, int argc, char **argv);
int cmd_breaker(struct cli *cli, int argc, char **argv);
int cmd_export(struct cli *cli, int argc, char **argv);
int cmd_reconcile(struct cli *cli, int argc, char **argv);
int cmd_doctor(struct cli *cli, int argc, char **argv);
int cmd_token(struct cli *cli, int argc, char **argv);
int cmd_top(struct cli *cli, int argc, char **argv);
int cmd_help(struct cli *cli, int argc, char **argv);

#endif

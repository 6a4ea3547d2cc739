/* Exit codes of the program: a contract with scripts, see EXIT_CODE_HELP. */
#ifndef CLI_EXIT_CODE_H
#define CLI_EXIT_CODE_H

#include <bursar/status.h>

enum exit_code {
    EXIT_CODE_DONE = 0,
    EXIT_CODE_INTERNAL = 1,
    EXIT_CODE_USAGE = 2,
    EXIT_CODE_INVALID = 3,
    EXIT_CODE_UNREACHABLE = 4,
    EXIT_CODE_INCOMPLETE = 5,
    EXIT_CODE_REFUSED = 6,
};

#define EXIT_CODE_HELP                                                                                                 \
    "Exit codes: 0 done, 1 internal error, 2 wrong usage, 3 invalid input and nothing changed,\n"                      \
    "4 store or chain not reachable, 5 done but some disbursements failed or are blocked,\n"                           \
    "6 refused for safety.\n"

enum exit_code exit_code_of(enum bursar_status status);

#endif

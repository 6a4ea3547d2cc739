/* What `cancel` and `retry` share, and the reason that whoever decides something gives. */
#ifndef CLI_DECIDE_H
#define CLI_DECIDE_H

#include "cli/context.h"

/* What is wrong with a --reason; NULL when it can be stored and shown: 1-REASON_MAX_BYTES bytes of UTF-8, not blank,
 * without control characters. Pure. */
const char *reason_problem(const char *reason);
/* As above, of a command line; NULL was not given. -1 to go on, else the exit code. */
int cli_reason(const struct cli *cli, const char *command, const char *reason);

struct deciding {
    const char *command;
    /* *ret_done: what is printed behind the disbursement's number. */
    enum bursar_status (*carry_out)(const struct store *store, int64_t treasury, int64_t id,
                                    const struct decision *decision, const char **ret_done, struct bursar_error *err);
};
/* Runs `COMMAND ID --reason TEXT`; returns an exit code. */
int decide(struct cli *cli, int argc, char **argv, const struct deciding *deciding);

#endif

/* What `cancel` and `retry` share, and the reason that whoever decides something gives. */
#ifndef CLI_DECIDE_H
#define CLI_DECIDE_H

#include "cli/context.h"
#include "service/decisions.h"

/* What is wrong with a --reason is said; NULL was not given. -1 to go on, else the exit code. */
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

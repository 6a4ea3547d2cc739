/* `bursar reconcile --dry-run` and `--adopt`. */
#ifndef CLI_RECONCILE_ADOPT_H
#define CLI_RECONCILE_ADOPT_H

#include "cli/context.h"
#include "reconcile/adopt.h"

#define ADOPT_REASON_MAX_BYTES 300 /* beside it, what was done is kept as well */

struct adopt_wanted {
    bool writes; /* --adopt; else --dry-run */
    const char *reason;
    const char **assignments; /* texts of --assign: TXHASH=ID, TXHASH=ref:REF, TXHASH=foreign, unmatched=foreign */
    size_t assignment_count;
    bool has_from_block;
    uint64_t from_block;
};

/* Returns an exit code. */
int reconcile_adopt(struct cli *cli, const struct adopt_wanted *wanted);

#endif

/* bursar retry: a failed disbursement is to be paid after all. */
#include "cli/decide.h"

int cmd_retry(struct cli *cli, int argc, char **argv)
{
    static const struct deciding deciding = { "retry", decisions_retry };
    return decide(cli, argc, argv, &deciding);
}

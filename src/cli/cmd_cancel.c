/* bursar cancel: a disbursement is not to be paid. */
#include "cli/decide.h"

int cmd_cancel(struct cli *cli, int argc, char **argv)
{
    static const struct deciding deciding = { "cancel", decisions_cancel };
    return decide(cli, argc, argv, &deciding);
}

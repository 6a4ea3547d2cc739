/* Watching imported disbursements until all are final. */
#ifndef CLI_PAY_WAIT_H
#define CLI_PAY_WAIT_H

#include "cli/context.h"

/* How a wait ended. */
struct pay_progress {
    size_t finalized;
    size_t stuck;        /* failed, cancelled or blocked */
    bool gave_up;        /* SIGINT or SIGTERM */
    enum halt_code halt; /* the treasury is halted: nothing will move */
};
/* Until every id is finalized or stuck, a signal comes, or a halt is seen. Says on stderr when nobody is paying. */
BURSAR_MUST_CHECK enum bursar_status pay_wait(const struct session *session, int64_t treasury, const int64_t *ids,
                                              size_t count, struct pay_progress *ret, struct bursar_error *err);

#endif

/* What a look at one's own past came to, for people and for scripts. */
#ifndef CLI_ADOPT_VIEW_H
#define CLI_ADOPT_VIEW_H

#include "cli/context.h"
#include "reconcile/adopt.h"

/* Why a nonce is undecided or waits, and what to do about it. */
const char *adopt_trouble_cause(enum adopt_trouble trouble);
const char *adopt_trouble_action(enum adopt_trouble trouble);

/* `is_adopted`: it was written just now. */
BURSAR_MUST_CHECK enum bursar_status adopt_view_json(const struct session *session, const struct adopt_plan *plan,
                                                     bool is_dry_run, bool is_adopted, struct bursar_error *err);
BURSAR_MUST_CHECK enum bursar_status adopt_view_text(const struct session *session, const struct adopt_plan *plan,
                                                     struct bursar_error *err);

#endif

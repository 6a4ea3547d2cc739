/* The checks of `doctor` on a webhook: its secret, and how it stands. */
#ifndef CLI_WEBHOOK_CHECK_H
#define CLI_WEBHOOK_CHECK_H

#include "doctor/doctor.h"
#include "webhook/settings.h"

/* `store` NULL: it can't be opened. */
void webhook_check(const struct doctor *doctor, const struct store *store, const struct webhook_settings *settings);

#endif

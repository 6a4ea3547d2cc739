/* From the configuration to what is shown of a disbursement. */
#ifndef CLI_SHOWN_H
#define CLI_SHOWN_H

#include "service/asset_view.h"
#include "cli/context.h"
#include "service/shown.h"
#include "service/treasury_settings.h"
#include "service/webhook_view.h"

/* How the treasury of a section stands now: what every row's diagnosis is made from. */
BURSAR_MUST_CHECK enum bursar_status shown_situation(const struct session *session,
                                                     const struct treasury_config *section,
                                                     const struct treasury *treasury, uint64_t now_ms,
                                                     struct situation *ret, struct bursar_error *err);
/* What the configuration allows a treasury. */
void shown_limits(const struct config *config, const struct treasury_config *section, struct situation_limits *ret);
/* All that it says of one. `section` is borrowed. */
void shown_settings(const struct config *config, const struct treasury_config *section, struct treasury_settings *ret);
/* The webhooks it has, for looking at them. */
void shown_webhooks(const struct config *config, struct webhook_list *ret);

#endif

/* What a running executor takes over from a bursar.conf that was changed. */
#ifndef CLI_CONFIG_RELOAD_H
#define CLI_CONFIG_RELOAD_H

#include "cli/config.h"

/* "[fees] max_fee_per_gas was changed", "[webhook ops] was added", and whether it is in force now or only after a
 * restart. */
typedef void config_change_visitor(void *ctx, const char *what, bool in_force);

/* Takes over into `config` those options of `fresh` that can change while running, and tells of each difference. */
void config_take_over(struct config *config, struct config *fresh, config_change_visitor *visit, void *ctx);

#endif

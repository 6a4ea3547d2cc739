/* What the configuration says that concerns one treasury, wherever in it that stands. */
#ifndef SERVICE_TREASURY_SETTINGS_H
#define SERVICE_TREASURY_SETTINGS_H

#include "doctor/diagnosis.h"
#include "service/asset_view.h"
#include "service/treasury_config.h"

struct treasury_settings {
    const struct treasury_config *section; /* borrowed */
    struct situation_limits limits;
    struct asset_names names;
    uint32_t rpc_timeout_ms;
    bool (*is_cancelled)(void *ctx); /* asked while a node is waited for; NULL: never given up */
    void *cancel_ctx;
};

#endif

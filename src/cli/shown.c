/* See shown.h. */
#include "cli/shown.h"

#include <stdio.h>

void shown_limits(const struct config *config, const struct treasury_config *section, struct situation_limits *ret)
{
    *ret = (struct situation_limits){ .max_in_flight = section->max_in_flight,
                                      .replace_after_blocks = config->replace_after_blocks,
                                      .max_fee_per_gas_wei = config->max_fee_per_gas_wei,
                                      .finality_blocks = section->finality_blocks };
    config_breaker(config, &ret->breaker);
}

enum bursar_status shown_situation(const struct session *session, const struct treasury_config *section,
                                   const struct treasury *treasury, uint64_t now_ms, struct situation *ret,
                                   struct bursar_error *err)
{
    struct situation_limits limits;
    shown_limits(session->config, section, &limits);
    return situation_read(&session->store, treasury, &limits, now_ms, ret, err);
}

void shown_settings(const struct config *config, const struct treasury_config *section, struct treasury_settings *ret)
{
    *ret = (struct treasury_settings){ .section = section,
                                       .names = { config->assets, config->asset_count, section->chain_id },
                                       .rpc_timeout_ms = (uint32_t)config->rpc_timeout_ms };
    shown_limits(config, section, &ret->limits);
}

void shown_webhooks(const struct config *config, struct webhook_list *ret)
{
    *ret = (struct webhook_list){ .count = config->webhook_count };
    for (size_t i = 0; i < config->webhook_count; i++) {
        struct webhook_subject *subject = &ret->of[i];
        (void)snprintf(subject->name, sizeof subject->name, "%s", config->webhooks[i].name);
        (void)snprintf(subject->treasuries, sizeof subject->treasuries, "%s", config->webhooks[i].treasuries);
    }
}

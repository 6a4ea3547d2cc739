/* Who may do what. */
#include "http/parts.h"

bool access_allows(struct http_call *call, const uint8_t peer[RATE_CLIENT_BYTES])
{
    const struct http_settings *settings = &call->server->settings;
    if (call->route->scope == HTTP_SCOPE_OPEN)
        return true;
    if (call->route->scope == HTTP_SCOPE_METRICS &&
        (settings->metrics_access == HTTP_METRICS_OPEN ||
         (settings->metrics_access == HTTP_METRICS_LOOPBACK && peer_is_loopback(peer))))
        return true;
    http_problem(call, 401, "no_token", "this needs a token");
    http_add_header(call, "WWW-Authenticate", "Bearer realm=\"bursar\"");
    return false;
}

/* The table of routes. What a route answers is written down in openapi.json. */
#include "http/call.h"

#include "base/cleanup.h"

const struct http_route HTTP_ROUTES[] = {
    { "GET", "/healthz", HTTP_SCOPE_OPEN, false, http_get_healthz },
    { "GET", "/readyz", HTTP_SCOPE_OPEN, false, http_get_readyz },
    { "GET", "/metrics", HTTP_SCOPE_METRICS, false, http_get_metrics },
};
const size_t HTTP_ROUTE_COUNT = COUNT_OF(HTTP_ROUTES);

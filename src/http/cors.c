/* Pages of other origins: none may read an answer, unless its origin is one of [http] allowed_origins. Nothing here
 * lets anybody in: that is what tokens are for, and a browser sends none by itself. */
#include "http/host.h"
#include "http/parts.h"

#include <string.h>

static const char *allowed_origin(const struct http_call *call)
{
    const char *origin = http_header(call, "Origin");
    return origin && http_word_is_listed(origin, call->server->settings.allowed_origins) ? origin : NULL;
}

bool cors_answer(struct http_call *call, const char *method)
{
    if (strcmp(method, "OPTIONS") != 0 || !allowed_origin(call) || !http_header(call, "Access-Control-Request-Method"))
        return false;
    answer_clear(&call->answer);
    call->answer.status = 204;
    http_add_header(call, "Access-Control-Allow-Methods", "GET, POST");
    http_add_header(call, "Access-Control-Allow-Headers", "Authorization, Content-Type, Last-Event-ID");
    http_add_header(call, "Access-Control-Max-Age", "600");
    return true;
}

void cors_add(const struct http_call *call, struct MHD_Response *response)
{
    const char *origin = allowed_origin(call);
    if (call->server->settings.allowed_origins[0])
        (void)MHD_add_response_header(response, "Vary", "Origin"); /* caching is off anyway */
    if (origin)
        (void)MHD_add_response_header(response, "Access-Control-Allow-Origin", origin);
}

/* /v1/token: what the token of this request is called and may do, so that a page need not offer what will be refused.
 */
#include "http/api.h"

void http_get_token(struct http_call *call)
{
    if (!api_check_query(call, ""))
        return;
    http_json(call, 200,
              json_pack("{s:s,s:b,s:b,s:b}", "actor", call->actor, "read", (call->scopes & HTTP_SCOPE_READ) != 0, "pay",
                        (call->scopes & HTTP_SCOPE_PAY) != 0, "operate", (call->scopes & HTTP_SCOPE_OPERATE) != 0));
}

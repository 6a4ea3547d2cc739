/* Who may do what: a token in the Authorization header, looked up in the store for every request, and again while a
 * stream goes on, so that a revoked one is refused from then on. */
#include "http/parts.h"
#include "service/token.h"

#include <string.h>
#include <strings.h>

_Static_assert((int)HTTP_SCOPE_READ == TOKEN_SCOPE_READ && (int)HTTP_SCOPE_PAY == TOKEN_SCOPE_PAY &&
                   (int)HTTP_SCOPE_OPERATE == TOKEN_SCOPE_OPERATE,
               "a route asks for what a token has");

static bool refuse(struct http_call *call, const char *detail)
{
    http_problem(call, 401, "unauthorized", "%s", detail);
    http_add_header(call, "WWW-Authenticate", "Bearer realm=\"bursar\"");
    return false;
}

/* What stands behind "Bearer "; NULL: nothing does. */
static const char *bearer(const struct http_call *call)
{
    static const char scheme[] = "Bearer ";
    const char *header = http_header(call, "Authorization");
    if (!header || strncasecmp(header, scheme, sizeof scheme - 1) != 0)
        return NULL;
    header += sizeof scheme - 1;
    return header + strspn(header, " ");
}

static enum bursar_status read_token(struct http_call *call, int64_t id, struct token_record *ret,
                                     struct bursar_error *err)
{
    struct http_store *taken = NULL;
    const struct store *store;
    enum bursar_status status = http_store_take(call, HTTP_STORE_READ, &taken, &store, err);
    if (status == BURSAR_OK)
        status = store->token_get(store->ctx, id, ret, err);
    http_store_give(call, taken);
    return status;
}

static bool recognise(struct http_call *call, struct token_record *ret)
{
    const struct clock *clock = &call->server->settings.clock;
    static const char unknown[] = "this token is not known";
    const char *text = bearer(call);
    uint8_t secret[TOKEN_SECRET_BYTES];
    struct bursar_error err = { 0 };
    int64_t id;
    if (!text)
        return refuse(call, "this needs a token: `bursar token create` makes one; send it as Authorization: Bearer");
    if (!token_parse(text, &id, secret))
        return refuse(call, unknown);
    enum bursar_status status = read_token(call, id, ret, &err);
    enum token_verdict verdict =
        status == BURSAR_OK ? token_check(ret, secret, clock->wall_ms(clock->ctx)) : TOKEN_UNKNOWN;
    explicit_bzero(secret, sizeof secret);
    if (status != BURSAR_OK && status != BURSAR_ENOTFOUND) {
        err.status = status;
        http_fail(call, &err);
        return false;
    }
    switch (verdict) {
    case TOKEN_GOOD:
        return true;
    case TOKEN_UNKNOWN:
        return refuse(call, unknown);
    case TOKEN_REVOKED:
        return refuse(call, "this token was revoked");
    case TOKEN_EXPIRED:
        return refuse(call, "this token has expired");
    }
    return false;
}

static bool is_open(const struct http_call *call, const uint8_t peer[RATE_CLIENT_BYTES])
{
    if (call->route->scope != HTTP_SCOPE_METRICS)
        return call->route->scope == HTTP_SCOPE_OPEN;
    switch (call->server->settings.metrics_access) {
    case HTTP_METRICS_OPEN:
        return true;
    case HTTP_METRICS_LOOPBACK:
        return peer_is_loopback(peer);
    case HTTP_METRICS_TOKEN:
        return false;
    }
    return false;
}

bool access_allows(struct http_call *call, const uint8_t peer[RATE_CLIENT_BYTES])
{
    struct token_record token;
    char needed[TOKEN_SCOPES_TEXT_BYTES];
    if (is_open(call, peer))
        return true;
    if (!recognise(call, &token))
        return false;
    unsigned scope = call->route->scope == HTTP_SCOPE_METRICS ? HTTP_SCOPE_READ : call->route->scope;
    call->token = token.id;
    call->scopes = token.scopes;
    (void)snprintf(call->actor, sizeof call->actor, "token %s", token.name);
    if ((token.scopes & scope) == scope)
        return true;
    token_scopes_text(scope, needed);
    http_problem(call, 403, "forbidden", "this token may not do that: it takes one with the scope %s", needed);
    http_add_header(call, "WWW-Authenticate", "Bearer realm=\"bursar\", error=\"insufficient_scope\", scope=\"%s\"",
                    needed);
    return false;
}

enum bursar_status access_still_allows(struct http_call *call, struct bursar_error *err)
{
    const struct clock *clock = &call->server->settings.clock;
    struct token_record token;
    if (call->token == 0)
        return BURSAR_OK;
    enum bursar_status status = read_token(call, call->token, &token, err);
    if (status == BURSAR_OK && token_standing(&token, clock->wall_ms(clock->ctx)) != TOKEN_GOOD)
        status = bursar_fail(err, BURSAR_EREFUSED, "this token is not valid any more");
    return status;
}

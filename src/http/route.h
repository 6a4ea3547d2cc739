/* Which handler a request is for: a table of (method, path pattern, scope, handler), and how a path is matched. Pure.
 */
#ifndef HTTP_ROUTE_H
#define HTTP_ROUTE_H

#include <stdbool.h>
#include <stddef.h>

struct http_call;

/* What a token must be allowed to do. Bits: a route needs all of its own. */
enum http_scope {
    HTTP_SCOPE_OPEN = 0,    /* no token: says nothing that matters */
    HTTP_SCOPE_READ = 1,    /* every token */
    HTTP_SCOPE_PAY = 2,     /* create disbursements */
    HTTP_SCOPE_OPERATE = 4, /* cancel, retry, breaker, reconcile */
    HTTP_SCOPE_METRICS = 8, /* as [http] metrics says */
};

#define HTTP_PARAMETERS_MAX_COUNT 2
#define HTTP_PARAMETER_MAX_BYTES 256

struct http_route {
    const char *method;  /* GET answers HEAD as well */
    const char *pattern; /* "/v1/disbursements/{id}/cancel": {...} stands for one segment that is not empty */
    enum http_scope scope;
    const char *body_types; /* has a body, of one of these types, separated by spaces; NULL: has none */
    void (*handle)(struct http_call *call);
};

/* What stood for the {...} of a pattern, in order, with %XX decoded. */
struct http_parameters {
    size_t count;
    char values[HTTP_PARAMETERS_MAX_COUNT][HTTP_PARAMETER_MAX_BYTES];
};

enum http_match {
    HTTP_MATCH_FOUND = 1,
    HTTP_MATCH_NO_PATH = 2,
    HTTP_MATCH_NO_METHOD = 3, /* ret_allow lists those there are */
};

#define HTTP_ALLOW_TEXT_BYTES 64
/* `target` as it came: the path, still encoded, and perhaps a query behind `?`, which is not looked at. */
enum http_match http_route_match(const struct http_route *routes, size_t count, const char *method, const char *target,
                                 const struct http_route **ret, struct http_parameters *ret_parameters,
                                 char ret_allow[HTTP_ALLOW_TEXT_BYTES]);
/* Decodes %XX of text[0..length). False: not valid, has a NUL or a control character, or does not fit. */
bool http_percent_decode(const char *text, size_t length, char *ret, size_t capacity);

#endif

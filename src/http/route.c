/* Paths are matched as they came, segment by segment, and decoded after that: an encoded slash belongs to its segment.
 */
#include "http/route.h"

#include <string.h>

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool http_percent_decode(const char *text, size_t length, char *ret, size_t capacity)
{
    size_t used = 0;
    for (size_t i = 0; i < length; i++) {
        int c = (unsigned char)text[i];
        if (c == '%') {
            int high = i + 2 < length ? hex_value(text[i + 1]) : -1;
            int low = i + 2 < length ? hex_value(text[i + 2]) : -1;
            if (high < 0 || low < 0)
                return false;
            c = high * 16 + low;
            i += 2;
        }
        if (c < 0x20 || c == 0x7f || used + 1 >= capacity)
            return false;
        ret[used++] = (char)c;
    }
    ret[used] = 0;
    return true;
}

static size_t segment_length(const char *at)
{
    return strcspn(at, "/?#");
}

/* Does the path fit the pattern? *ret_parameters are written as far as it did. */
static bool path_fits(const char *pattern, const char *target, struct http_parameters *ret_parameters)
{
    ret_parameters->count = 0;
    while (*pattern == '/' && *target == '/') {
        pattern++;
        target++;
        size_t wanted = segment_length(pattern), length = segment_length(target);
        if (*pattern == '{') {
            if (length == 0 || ret_parameters->count == HTTP_PARAMETERS_MAX_COUNT ||
                !http_percent_decode(target, length, ret_parameters->values[ret_parameters->count],
                                     HTTP_PARAMETER_MAX_BYTES))
                return false;
            ret_parameters->count++;
        } else if (wanted != length || memcmp(pattern, target, length) != 0) {
            return false;
        }
        pattern += wanted;
        target += length;
    }
    return *pattern == 0 && (*target == 0 || *target == '?' || *target == '#');
}

static bool method_fits(const char *wanted, const char *method)
{
    return strcmp(wanted, method) == 0 || (strcmp(wanted, "GET") == 0 && strcmp(method, "HEAD") == 0);
}

static void add_allowed(char allow[HTTP_ALLOW_TEXT_BYTES], const char *method)
{
    size_t used = strlen(allow);
    (void)snprintf(allow + used, HTTP_ALLOW_TEXT_BYTES - used, "%s%s", used ? ", " : "", method);
}

enum http_match http_route_match(const struct http_route *routes, size_t count, const char *method, const char *target,
                                 const struct http_route **ret, struct http_parameters *ret_parameters,
                                 char ret_allow[HTTP_ALLOW_TEXT_BYTES])
{
    ret_allow[0] = 0;
    for (size_t i = 0; i < count; i++) {
        if (!path_fits(routes[i].pattern, target, ret_parameters))
            continue;
        if (method_fits(routes[i].method, method)) {
            *ret = &routes[i];
            return HTTP_MATCH_FOUND;
        }
        add_allowed(ret_allow, routes[i].method);
    }
    return ret_allow[0] ? HTTP_MATCH_NO_METHOD : HTTP_MATCH_NO_PATH;
}

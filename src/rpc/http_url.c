/* See http_url.h. */
#include "rpc/http_url.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Nothing on this machine is ever reached through a proxy. */
static bool host_is_loopback(const char *host)
{
    struct in_addr address;
    size_t length = strlen(host);
    static const char suffix[] = ".localhost";
    if (strcasecmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0)
        return true;
    if (length > sizeof suffix - 1 && strcasecmp(host + length - (sizeof suffix - 1), suffix) == 0)
        return true;
    return inet_pton(AF_INET, host, &address) == 1 && (ntohl(address.s_addr) >> 24) == 127;
}

enum bursar_status http_url_read(const char *what, const char *url, char ret_endpoint[HTTP_ENDPOINT_MAX_BYTES],
                                 bool *ret_is_loopback, struct bursar_error *err)
{
    char *scheme = NULL, *host = NULL, *port = NULL;
    int length = -1;
    if (strncasecmp(url, "http://", 7) != 0 && strncasecmp(url, "https://", 8) != 0)
        return bursar_fail(err, BURSAR_EINVAL, "%s must begin with http:// or https://", what);
    if (strlen(url) > HTTP_URL_MAX_BYTES)
        return bursar_fail(err, BURSAR_EINVAL, "%s may have at most %d bytes", what, HTTP_URL_MAX_BYTES);
    CURLU *parts = curl_url();
    if (!parts)
        return bursar_fail(err, BURSAR_ENOMEM, "out of memory");
    if (curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK &&
        curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
        curl_url_get(parts, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
        curl_url_get(parts, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK) {
        length = snprintf(ret_endpoint, HTTP_ENDPOINT_MAX_BYTES, "%s://%s:%s", scheme, host, port);
        *ret_is_loopback = host_is_loopback(host);
    }
    curl_free(scheme);
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(parts);
    if (length < 0 || length >= HTTP_ENDPOINT_MAX_BYTES)
        return bursar_fail(err, BURSAR_EINVAL, "%s has the form http[s]://HOST[:PORT][/PATH]: this one is malformed",
                           what);
    return BURSAR_OK;
}

/* What is to be known of an HTTP(S) URL before it is used, and what of it may be shown. */
#ifndef RPC_HTTP_URL_H
#define RPC_HTTP_URL_H

#include <bursar/status.h>

#include <stdbool.h>

#define HTTP_URL_MAX_BYTES 4096
#define HTTP_ENDPOINT_MAX_BYTES 300

/* `what` begins the messages ("an rpc URL"). The endpoint is scheme://host:port: no user, password, path or query,
 * where secrets live. Nothing on this machine is ever reached through a proxy: *ret_is_loopback. EINVAL. */
BURSAR_MUST_CHECK enum bursar_status http_url_read(const char *what, const char *url,
                                                   char ret_endpoint[HTTP_ENDPOINT_MAX_BYTES], bool *ret_is_loopback,
                                                   struct bursar_error *err);

#endif

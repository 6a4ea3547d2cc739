/* Whom a request says it is for: the Host header, compared with what this server is known as.
 *
 * A page from elsewhere can make a browser connect to 127.0.0.1 under a name of its own (DNS rebinding), and then read
 * what it is answered. Such a request names the page's host. Pure. */
#ifndef HTTP_HOST_H
#define HTTP_HOST_H

#include <stdbool.h>
#include <stddef.h>

#define HTTP_HOST_MAX_BYTES 256

/* "127.0.0.1:9478", "[::1]:80", "localhost:80" into host (without brackets) and port. False: not of that form. */
bool http_listen_split(const char *listen, char ret_host[HTTP_HOST_MAX_BYTES], unsigned *ret_port);
/* Is `header` (NULL: none came) one of: localhost and its addresses; the host of `listen`, or any IP address where that
 * is a wildcard; one of `allowed_hosts` (separated by spaces)? The port, if any, is not compared. */
bool http_host_is_ours(const char *header, const char *listen, const char *allowed_hosts);
/* Is `word` one of those in `list`, separated by spaces? Letter case does not matter. */
bool http_word_is_listed(const char *word, const char *list);

#endif

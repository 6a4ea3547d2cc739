/* See host.h. */
#include "http/host.h"

#include "base/bytes.h"
#include "base/cleanup.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>

/* The host of "host", "host:port", "[v6]" or "[v6]:port", without brackets; *ret_rest is what stands behind it. */
static bool take_host(const char *text, char ret_host[HTTP_HOST_MAX_BYTES], const char **ret_rest)
{
    bool has_brackets = *text == '[';
    text += has_brackets;
    size_t length = strcspn(text, has_brackets ? "]" : ":");
    if (length == 0 || length >= HTTP_HOST_MAX_BYTES || (has_brackets && text[length] != ']'))
        return false;
    memcpy(ret_host, text, length);
    ret_host[length] = 0;
    *ret_rest = text + length + has_brackets;
    return true;
}

static bool take_port(const char *rest, unsigned *ret_port)
{
    uint64_t port;
    if (*rest != ':' || !u64_from_text(rest + 1, strlen(rest + 1), 1, 65535, &port))
        return false;
    *ret_port = (unsigned)port;
    return true;
}

bool http_listen_split(const char *listen, char ret_host[HTTP_HOST_MAX_BYTES], unsigned *ret_port)
{
    const char *rest;
    return take_host(listen, ret_host, &rest) && take_port(rest, ret_port);
}

static bool is_address(const char *host)
{
    struct in6_addr ignored;
    return inet_pton(AF_INET, host, &ignored) == 1 || inet_pton(AF_INET6, host, &ignored) == 1;
}

bool http_word_is_listed(const char *word, const char *list)
{
    size_t wanted = strlen(word);
    while (*(list += strspn(list, " "))) {
        size_t length = strcspn(list, " ");
        if (length == wanted && strncasecmp(list, word, length) == 0)
            return true;
        list += length;
    }
    return false;
}

bool http_host_is_ours(const char *header, const char *listen, const char *allowed_hosts)
{
    char host[HTTP_HOST_MAX_BYTES], own[HTTP_HOST_MAX_BYTES];
    const char *rest;
    unsigned port;
    if (!header || !take_host(header, host, &rest) || (*rest && !take_port(rest, &port)))
        return false;
    if (http_word_is_listed(host, "localhost 127.0.0.1 ::1") || http_word_is_listed(host, allowed_hosts))
        return true;
    if (!http_listen_split(listen, own, &port))
        return false;
    bool is_wildcard = http_word_is_listed(own, "0.0.0.0 ::");
    return is_wildcard ? is_address(host) : strcasecmp(host, own) == 0;
}

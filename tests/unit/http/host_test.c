/* Under which names the server is willing to be addressed. */
#include "http/host.h"

#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define LOOPBACK "127.0.0.1:9478"

static void its_own_names_are_its_own(void **state)
{
    (void)state;
    static const char *const good[] = { "localhost",  "LocalHost:9478", "127.0.0.1",       "127.0.0.1:1", "[::1]",
                                        "[::1]:9478", "ops.example",    "OPS.example:443", "b.example" };
    for (size_t i = 0; i < COUNT_OF(good); i++)
        assert_true(http_host_is_ours(good[i], LOOPBACK, " ops.example  b.example "));
}

static void other_names_are_not(void **state)
{
    (void)state;
    static const char *const bad[] = { "",
                                       ":",
                                       ":80",
                                       "evil.example",
                                       "localhost.evil.example",
                                       "127.0.0.1.evil",
                                       "127.0.0.1:",
                                       "127.0.0.1:0",
                                       "127.0.0.1:65536",
                                       "127.0.0.1:80:80",
                                       "[::1",
                                       "::1",
                                       "[::1]x",
                                       "10.0.0.1",
                                       "ops.example",
                                       "localhost ",
                                       "localhost/" };
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_false(http_host_is_ours(bad[i], LOOPBACK, ""));
    assert_false(http_host_is_ours(NULL, LOOPBACK, ""));
    assert_false(http_host_is_ours("a", LOOPBACK, "ab"));
}

static void a_wildcard_listens_on_every_address_and_no_name(void **state)
{
    (void)state;
    assert_true(http_host_is_ours("10.0.0.1:9478", "0.0.0.0:9478", ""));
    assert_true(http_host_is_ours("[2001:db8::1]:9478", "[::]:9478", ""));
    assert_false(http_host_is_ours("evil.example", "0.0.0.0:9478", ""));
    assert_true(http_host_is_ours("10.0.0.1", "10.0.0.1:9478", ""));
    assert_false(http_host_is_ours("10.0.0.2", "10.0.0.1:9478", ""));
}

static void an_address_is_split_from_its_port(void **state)
{
    (void)state;
    char host[HTTP_HOST_MAX_BYTES];
    unsigned port;
    assert_true(http_listen_split("[::1]:80", host, &port));
    assert_string_equal(host, "::1");
    assert_int_equal(port, 80);
    assert_false(http_listen_split("127.0.0.1", host, &port));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_own_names_are_its_own),
        cmocka_unit_test(other_names_are_not),
        cmocka_unit_test(a_wildcard_listens_on_every_address_and_no_name),
        cmocka_unit_test(an_address_is_split_from_its_port),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

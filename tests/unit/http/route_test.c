/* Which handler a request is for. */
#include "http/route.h"

#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct http_route ROUTES[] = {
    { "GET", "/", HTTP_SCOPE_OPEN, NULL, NULL },
    { "GET", "/v1/things", HTTP_SCOPE_READ, NULL, NULL },
    { "POST", "/v1/things", HTTP_SCOPE_PAY, "application/json", NULL },
    { "GET", "/v1/things/{id}", HTTP_SCOPE_READ, NULL, NULL },
    { "POST", "/v1/things/{id}/{verb}", HTTP_SCOPE_OPERATE, "application/json", NULL },
};

static struct http_parameters parameters;
static char allow[HTTP_ALLOW_TEXT_BYTES];

/* Index of the route; -1: no such path, -2: no such method. */
static int match(const char *method, const char *target)
{
    const struct http_route *found = NULL;
    switch (http_route_match(ROUTES, COUNT_OF(ROUTES), method, target, &found, &parameters, allow)) {
    case HTTP_MATCH_FOUND:
        return (int)(found - ROUTES);
    case HTTP_MATCH_NO_PATH:
        return -1;
    case HTTP_MATCH_NO_METHOD:
        return -2;
    }
    return -3;
}

static void a_path_is_matched_as_a_whole(void **state)
{
    (void)state;
    assert_int_equal(match("GET", "/"), 0);
    assert_int_equal(match("GET", "/v1/things"), 1);
    assert_int_equal(match("GET", "/v1/things?limit=3&x=/y"), 1);
    assert_int_equal(match("POST", "/v1/things"), 2);
    static const char *const others[] = { "",
                                          "v1/things",
                                          "/v1",
                                          "/v1/",
                                          "/v1/thing",
                                          "/v1/things/",
                                          "/v1/thingsx",
                                          "//v1/things",
                                          "/v1//things",
                                          "/v1/things/1/",
                                          "/v1/things/1/a/b",
                                          "/V1/things",
                                          "*" };
    for (size_t i = 0; i < COUNT_OF(others); i++)
        assert_int_equal(match("GET", others[i]), -1);
}

static void a_method_that_is_not_there_says_which_are(void **state)
{
    (void)state;
    assert_int_equal(match("HEAD", "/v1/things"), 1);
    assert_int_equal(match("DELETE", "/v1/things"), -2);
    assert_string_equal(allow, "GET, POST");
    assert_int_equal(match("get", "/v1/things"), -2);
}

static void a_segment_is_taken_and_decoded(void **state)
{
    (void)state;
    assert_int_equal(match("GET", "/v1/things/12"), 3);
    assert_string_equal(parameters.values[0], "12");
    assert_int_equal(match("GET", "/v1/things/ref:2026%2F03%2fal%20ice?x"), 3);
    assert_string_equal(parameters.values[0], "ref:2026/03/al ice");
    assert_int_equal(match("POST", "/v1/things/7/cancel"), 4);
    assert_int_equal(parameters.count, 2);
    assert_string_equal(parameters.values[1], "cancel");
}

static void what_can_not_be_decoded_is_not_there(void **state)
{
    (void)state;
    char longest[400] = "/v1/things/";
    static const char *const bad[] = { "/v1/things/%",   "/v1/things/%4",   "/v1/things/%zz", "/v1/things/%00",
                                       "/v1/things/%0a", "/v1/things/a%7f", "/v1/things/%2" };
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_int_equal(match("GET", bad[i]), -1);
    size_t used = strlen(longest);
    memset(longest + used, 'x', HTTP_PARAMETER_MAX_BYTES - 1);
    assert_int_equal(match("GET", longest), 3);
    longest[used + HTTP_PARAMETER_MAX_BYTES - 1] = 'x';
    assert_int_equal(match("GET", longest), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_is_matched_as_a_whole),
        cmocka_unit_test(a_method_that_is_not_there_says_which_are),
        cmocka_unit_test(a_segment_is_taken_and_decoded),
        cmocka_unit_test(what_can_not_be_decoded_is_not_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

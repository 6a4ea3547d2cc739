/* The reason that a person gives: kept for ever and shown on terminals, so it is looked at first. */
#include "service/decisions.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void a_line_of_text_is_a_reason(void **state)
{
    (void)state;
    char longest[REASON_MAX_BYTES + 1];
    memset(longest, 'x', REASON_MAX_BYTES);
    longest[REASON_MAX_BYTES] = 0;
    assert_null(reason_problem("x"));
    assert_null(reason_problem(" paid by bank transfer, see #12: 50 % \"now\" "));
    assert_null(reason_problem("doppelt \xc3\xbc"
                               "berwiesen \xe2\x9c\x93"));
    assert_null(reason_problem(longest));
}

static void what_can_not_be_kept_or_shown_is_refused(void **state)
{
    (void)state;
    char too_long[REASON_MAX_BYTES + 2];
    memset(too_long, 'x', REASON_MAX_BYTES + 1);
    too_long[REASON_MAX_BYTES + 1] = 0;
    assert_non_null(strstr(reason_problem(""), "empty"));
    assert_non_null(strstr(reason_problem("   "), "empty"));
    assert_non_null(strstr(reason_problem(too_long), "500"));
    assert_non_null(strstr(reason_problem("bad \xff"), "UTF-8"));
    assert_non_null(strstr(reason_problem("cut \xc3"), "UTF-8"));
    static const char *const controls[] = { "a\nb",
                                            "a\tb",
                                            "a\033[31m",
                                            "a\177",
                                            "a\xc2\x9b"
                                            "31m",
                                            "\xc2\x80" };
    for (size_t i = 0; i < sizeof controls / sizeof *controls; i++)
        assert_non_null(strstr(reason_problem(controls[i]), "control"));
    assert_null(reason_problem("\xc2\xa0"
                               "x")); /* just above them */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_of_text_is_a_reason),
        cmocka_unit_test(what_can_not_be_kept_or_shown_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
